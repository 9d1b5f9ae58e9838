"""逾期申请 The days that an employer's overdue application puts on the employer.

用人单位未在本条第一款规定的时限内提交工伤认定申请，在此期间发生符合本条例规定的工伤待遇等有关费用
由该用人单位负担。（工伤保险条例 第十七条第四款）
"""

from dataclasses import dataclass
from datetime import date, timedelta

from gateway.domain.case import POSITIVE, Applicant, CaseFacts
from gateway.policy.model import Policy, PolicyGap
from gateway.rules.dates import Dates, picked


@dataclass(frozen=True, slots=True)
class LateWindow:
    """The days that an overdue application puts on the employer (第十七条第四款)."""

    since: date
    ends: date
    inclusive: bool | None

    def holds(self, day: date) -> bool:
        """Whether the day lies inside. Raises PolicyGap on the last day when no text says."""
        said = self.says(day)
        if said is None:
            raise PolicyGap(
                "late/window_end_inclusive",
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


def late_window(policy: Policy, case: CaseFacts, dates: Dates) -> LateWindow | None:
    """The window of an overdue application; None when the employer applied in time.

    职工发生事故伤害……所在单位应当自事故伤害发生之日……起30日内……提出工伤认定申请。
    （工伤保险条例 第十七条第一款） The department may extend the limit. Whether another's
    application in time lifts it too is for the texts to say. Raises PolicyGap.
    """
    if case.state not in POSITIVE or case.applied_on is None:
        return None
    limit = picked(policy, "employer/application_days", dates, case.event_day).number
    last = case.application_extended_to or case.event_day
    last = max(last, case.event_day + timedelta(days=limit))
    if case.applied_on <= last and _lifts(policy, case, dates):
        return None
    event = picked(policy, "late/window_end_event", dates, case.event_day).word
    ends = case.accepted_on if event == "ACCEPTED" else case.applied_on
    if ends is None:
        raise PolicyGap(
            "case/accepted_on",
            case.applied_on,
            "案件缺少受理日期",
            "the case has no acceptance day",
        )
    return LateWindow(case.event_day, ends, _last_day_counts(policy, dates))


def _lifts(policy: Policy, case: CaseFacts, dates: Dates) -> bool:
    """Whether the applicant's being in time is enough. Raises PolicyGap."""
    if case.applied_by in (None, Applicant.EMPLOYER):
        return True
    return picked(policy, "late/needs_nobody_applied", dates, case.event_day).switch


def _last_day_counts(policy: Policy, dates: Dates) -> bool | None:
    """None when no text says: only a bill with a service on that very day has to ask."""
    try:
        return policy.picked("late/window_end_inclusive", dates).switch
    except PolicyGap:
        return None
