"""逾期申请 The days that an employer's overdue application puts on the employer.

用人单位未在本条第一款规定的时限内提交工伤认定申请，在此期间发生符合本条例规定的工伤待遇等有关费用
由该用人单位负担。（工伤保险条例 第十七条第四款）
"""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final

from gateway.domain.case import POSITIVE, Applicant, CaseFacts
from gateway.policy import anchors
from gateway.policy.model import Policy, PolicyGap
from gateway.rules.cited import citation
from gateway.rules.dates import Dates, picked
from gateway.rules.listed import Sources

_DAYS: Final = "employer/application_days"
_ANYBODY: Final = "late/needs_nobody_applied"
_EVENT: Final = "late/window_end_event"
_LAST_DAY: Final = "late/window_end_inclusive"
_OWN: Final = (None, Applicant.EMPLOYER)


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
    """The window of an overdue application; None when the employer applied in time.

    Raises PolicyGap.
    """
    if case.state not in POSITIVE or case.applied_on is None:
        return None
    late = _late(policy, case, case.applied_on, dates)
    if not late:
        return None
    event = picked(policy, _EVENT, dates, case.event_day)
    ends = case.accepted_on if event.word == "ACCEPTED" else case.applied_on
    if ends is None:
        raise PolicyGap(
            "case/accepted_on",
            case.applied_on,
            "案件缺少受理日期",
            "the case has no acceptance day",
        )
    sources = (anchors.LATE_APPLICATION, *late, citation(policy, _EVENT, event))
    return LateWindow(case.event_day, ends, *_last_day(policy, dates), sources)


def applied_for(policy: Policy, case: CaseFacts, dates: Dates) -> Sources:
    """The text by which another's application in time is the employer's too, where it is one.
    Raises PolicyGap."""
    if case.state not in POSITIVE or case.applied_on is None or case.applied_by in _OWN:
        return ()
    if case.applied_on > _limit(policy, case, dates)[0]:
        return ()
    anybody = picked(policy, _ANYBODY, dates, case.event_day)
    return (citation(policy, _ANYBODY, anybody),) if anybody.switch else ()


def _late(policy: Policy, case: CaseFacts, applied_on: date, dates: Dates) -> Sources:
    """By what the application was late; nothing when it was in time. Whether another's
    application in time is the employer's too is for the texts to say. Raises PolicyGap."""
    last, sources = _limit(policy, case, dates)
    if applied_on > last:
        return sources
    if case.applied_by in _OWN:
        return ()
    anybody = picked(policy, _ANYBODY, dates, case.event_day)
    return () if anybody.switch else (*sources, citation(policy, _ANYBODY, anybody))


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
