"""逾期申请 The days that an employer's overdue application puts on the employer.

用人单位未在本条第一款规定的时限内提交工伤认定申请，在此期间发生符合本条例规定的工伤待遇等有关费用
由该用人单位负担。（工伤保险条例 第十七条第四款）
"""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final

from gateway.domain.bill import Citation
from gateway.domain.case import POSITIVE, Applicant, CaseFacts
from gateway.policy import anchors
from gateway.policy.model import Policy, PolicyGap, Value
from gateway.rules.cited import citation
from gateway.rules.dates import Dates, picked
from gateway.rules.listed import Sources

_DAYS: Final = "employer/application_days"
_ANYBODY: Final = "late/needs_nobody_applied"
_EVENT: Final = "late/window_end_event"
_LAST_DAY: Final = "late/window_end_inclusive"


@dataclass(frozen=True, slots=True)
class LateWindow:
    """The days that an overdue application puts on the employer (第十七条第四款).

    `inclusive` is whether the last day counts, by `on_last_day`; None where no text says.
    `sources` are the texts by which the application was late and the window ends.
    """

    since: date
    ends: date
    inclusive: bool | None
    on_last_day: Sources = ()
    sources: Sources = ()

    def holds(self, day: date) -> bool:
        """Whether the day lies inside. Raises PolicyGap on the last day when no text says."""
        said = self.says(day)
        if said is None:
            raise PolicyGap(
                _LAST_DAY,
                day,
                "逾期期间是否含最后一日没有规定",
                "whether the last day counts is not said",
            )
        return said

    def says(self, day: date) -> bool | None:
        """As `holds`, but None where no text says."""
        if not self.since <= day <= self.ends:
            return False
        return self.inclusive if day == self.ends else True

    def cited(self, day: date) -> Sources:
        """By what the day lies inside, and for the last day by what it does or does not."""
        inside = self.sources if self.says(day) else ()
        return (*inside, *self.on_last_day) if day == self.ends else inside


def late_window(policy: Policy, case: CaseFacts, dates: Dates) -> LateWindow | None:
    """The window of an overdue application; None when nothing was overdue. Raises PolicyGap."""
    if case.state not in POSITIVE or case.applied_on is None:
        return None
    late, by_law = _judged(policy, case, case.applied_on, dates)
    if not late:
        return None
    event = picked(policy, _EVENT, dates, case.event_day)
    first, last = _span(case, case.applied_on, event)
    sources = (anchors.LATE_APPLICATION, *by_law, citation(policy, _EVENT, event))
    return LateWindow(first, last, *_last_day(policy, dates), sources)


def _span(case: CaseFacts, applied_on: date, event: Value) -> tuple[date, date]:
    """自事故伤害发生之日起到受理工伤认定申请之日止; where the text moves what arose 提出申请前, it
    gives no first day. Raises PolicyGap."""
    if event.word != "ACCEPTED":
        return date.min, applied_on
    if case.accepted_on is None:
        raise PolicyGap(
            "case/accepted_on",
            applied_on,
            "案件缺少受理日期",
            "the case has no acceptance day",
        )
    return case.event_day, case.accepted_on


def in_time(policy: Policy, case: CaseFacts, dates: Dates) -> Sources:
    """By what another's application kept the employer's time, where it did. Raises PolicyGap."""
    if case.state not in POSITIVE or case.applied_on is None:
        return ()
    late, sources = _judged(policy, case, case.applied_on, dates)
    return () if late else sources


def _judged(
    policy: Policy, case: CaseFacts, applied_on: date, dates: Dates
) -> tuple[bool, Sources]:
    """Whether the application was overdue, and by what. Another's in time is the employer's too
    where a text says so, or where it was accepted while the employer still had time: nobody has
    failed then to apply in it (our reading). Raises PolicyGap."""
    last, by_law = _limit(policy, case, dates)
    if applied_on > last:
        return True, by_law
    if case.applied_by is Applicant.EMPLOYER:
        return False, ()
    if case.accepted_on is not None and case.accepted_on <= last:
        return False, (_accepted_in_time(case.accepted_on),) if case.applied_by else ()
    if case.applied_by is None:
        raise PolicyGap("case/applied_by", applied_on, "案件缺少申请人", "who applied is not told")
    anybody = picked(policy, _ANYBODY, dates, case.event_day)
    said = citation(policy, _ANYBODY, anybody)
    return (False, (said,)) if anybody.switch else (True, (*by_law, said))


def _accepted_in_time(accepted_on: date) -> Citation:
    return replace(anchors.LATE_APPLICATION, value=accepted_on.isoformat(), our_reading=True)


def _limit(policy: Policy, case: CaseFacts, dates: Dates) -> tuple[date, Sources]:
    """The last day to apply in time, and what set it. Raises PolicyGap.

    职工发生事故伤害……所在单位应当自事故伤害发生之日……起30日内……提出工伤认定申请。
    （工伤保险条例 第十七条第一款） The department may extend the limit.
    """
    days, extended = picked(policy, _DAYS, dates, case.event_day), case.application_extended_to
    last, by_law = case.event_day + timedelta(days=days.number), citation(policy, _DAYS, days)
    if extended is None or extended <= last:
        return last, (by_law,)
    return extended, (by_law, replace(anchors.EXTENDED_LIMIT, value=extended.isoformat()))


def _last_day(policy: Policy, dates: Dates) -> tuple[bool | None, Sources]:
    """Whether the last day counts, and what says so; None when no text does: only a bill with a
    service on that very day has to ask."""
    try:
        said = policy.picked(_LAST_DAY, dates)
    except PolicyGap:
        return None, ()
    return said.switch, (citation(policy, _LAST_DAY, said),)
