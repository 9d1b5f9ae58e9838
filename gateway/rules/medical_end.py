"""Whether medical benefits ended before a stay: only where a regional text says so.

工伤职工有下列情形之一的，工伤保险关系终止：（一）一级至四级工伤职工，按照规定已经一次性领取工伤保险
长期待遇的；（二）五级至十级工伤职工，依法与用人单位解除或者终止劳动关系，且按照规定已经享受工伤保险
待遇的；（三）未构成伤残等级，依法与用人单位解除或者终止劳动关系的。
（浙江省工伤保险条例 第二十二条）
退休后继续享受工伤医疗待遇（同条例 第二十六条第一款、第二十七条第一款）。
"""

from datetime import date
from enum import StrEnum, auto
from typing import Final

from gateway.domain.admission import Stay
from gateway.domain.case import CaseFacts, Grade
from gateway.policy.model import PickedBy, Policy
from gateway.rules.dates import dates_of, picked

_LUMP_SUM: Final = "medical_end/lump_sum_taken"
_GRADED: Final = "medical_end/graded_relation_ended"
_UNGRADED: Final = "medical_end/ungraded_relation_ended"
_RETIRED: Final = "medical_end/retired"


class End(StrEnum):
    """What is known: medical benefits go on, ended, or ended if a fact that nobody told is so;
    the words of the unknown name that fact."""

    GOES_ON = auto()
    ENDED = "medical_ended"
    GRADE_UNKNOWN = "relation_ended"
    LUMP_SUM_UNKNOWN = "lump_sum"


def medical_end(stay: Stay, case: CaseFacts, policy: Policy) -> End:
    """What the texts and the facts told make of benefits on the day of admission.

    A stay that had begun goes on. Raises PolicyGap where a fact asks a text that is silent.
    """
    first = stay.admitted_on

    def ends(key: str, day: date | None) -> bool:
        if day is None or day > first:
            return False
        dates = {**dates_of(stay, case), PickedBy.EVENT_DATE: day}
        return picked(policy, key, dates, day).switch

    if ends(_RETIRED, case.retired_on):
        return End.ENDED
    if case.grade is Grade.ONE_TO_FOUR:
        return End.ENDED if ends(_LUMP_SUM, case.lump_sum_on) else End.GOES_ON
    if case.grade is Grade.NONE:
        return End.ENDED if ends(_UNGRADED, case.relation_ended_on) else End.GOES_ON
    if case.grade is None:
        unknown = [ends(key, case.relation_ended_on) for key in (_GRADED, _UNGRADED)]
        return End.GRADE_UNKNOWN if any(unknown) else End.GOES_ON
    if not ends(_GRADED, case.relation_ended_on):
        return End.GOES_ON
    return _benefits_taken(case, first)


def _benefits_taken(case: CaseFacts, first: date) -> End:
    """Grades five to ten need both: the employment ended, and its benefits were taken. Who
    retired took none, for the pension keeps the medical benefits."""
    if case.lump_sum_on is not None and case.lump_sum_on <= first:
        return End.ENDED
    if case.lump_sum_on is not None:
        return End.GOES_ON
    retired = case.retired_on is not None and case.retired_on <= first
    return End.GOES_ON if retired else End.LUMP_SUM_UNKNOWN
