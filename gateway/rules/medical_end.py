"""Whether medical benefits ended before a stay: only where a regional text says so.

工伤职工有下列情形之一的，工伤保险关系终止：（一）一级至四级工伤职工，按照规定已经一次性领取工伤保险
长期待遇的；（二）五级至十级工伤职工，依法与用人单位解除或者终止劳动关系，且按照规定已经享受工伤保险
待遇的；（三）未构成伤残等级，依法与用人单位解除或者终止劳动关系的。
（浙江省工伤保险条例 第二十二条）
退休后继续享受工伤医疗待遇（同条例 第二十六条第一款、第二十七条第一款）。
"""

from collections.abc import Iterator, Mapping
from datetime import date
from enum import StrEnum, auto
from typing import Final

from gateway.domain.admission import Stay
from gateway.domain.bill import Citation
from gateway.domain.case import CaseFacts, Grade
from gateway.policy.model import PickedBy, Policy, Value
from gateway.rules.cited import citation
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
    ended = {key for key, value in _asked(stay, case, policy).items() if value.switch}
    if not ended:
        return End.GOES_ON
    if case.grade is None and _RETIRED not in ended:
        return End.GRADE_UNKNOWN
    return _benefits_taken(case, stay.admitted_on) if _GRADED in ended else End.ENDED


def end_sources(stay: Stay, case: CaseFacts, policy: Policy) -> tuple[Citation, ...]:
    """The texts by which benefits ended, or by which they go on although a fact asked; none where
    a fact is unknown, for then no text decided. Raises PolicyGap."""
    end = medical_end(stay, case, policy)
    if end not in (End.ENDED, End.GOES_ON):
        return ()
    return tuple(
        citation(policy, key, value)
        for key, value in _asked(stay, case, policy).items()
        if value.switch or end is End.GOES_ON
    )


def _asked(stay: Stay, case: CaseFacts, policy: Policy) -> dict[str, Value]:
    """What the texts say of the facts that had come to pass by admission; where they end benefits
    with retirement nothing else is asked."""
    found = dict(_values(stay, case, policy, {_RETIRED: case.retired_on}))
    if any(value.switch for value in found.values()):
        return found
    return found | dict(_values(stay, case, policy, _by_grade(case)))


def _values(
    stay: Stay, case: CaseFacts, policy: Policy, facts: Mapping[str, date | None]
) -> Iterator[tuple[str, Value]]:
    for key, day in facts.items():
        if day is not None and day <= stay.admitted_on:
            dates = {**dates_of(stay, case), PickedBy.EVENT_DATE: day}
            yield key, picked(policy, key, dates, day)


def _by_grade(case: CaseFacts) -> Mapping[str, date | None]:
    """The fact that the text on each grade asks; of an unknown grade both that it can be."""
    ended = case.relation_ended_on
    match case.grade:
        case Grade.ONE_TO_FOUR:
            return {_LUMP_SUM: case.lump_sum_on}
        case Grade.FIVE_TO_TEN:
            return {_GRADED: ended}
        case Grade.NONE:
            return {_UNGRADED: ended}
    return {_GRADED: ended, _UNGRADED: ended}


def _benefits_taken(case: CaseFacts, first: date) -> End:
    """Grades five to ten need both: the employment ended, and its benefits were taken. Who
    retired took none, for the pension keeps the medical benefits."""
    if case.lump_sum_on is not None and case.lump_sum_on <= first:
        return End.ENDED
    if case.lump_sum_on is not None:
        return End.GOES_ON
    retired = case.retired_on is not None and case.retired_on <= first
    return End.GOES_ON if retired else End.LUMP_SUM_UNKNOWN
