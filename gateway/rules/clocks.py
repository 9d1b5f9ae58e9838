"""期限 Every clock of the law that a case, a stay or a bill starts: when it ends and who owns it.

The length of each is a dated policy value with its article; working days come from the
calendar. A deadline beyond the last published year is not guessed: it has no day. A last day
that is a holiday is not moved, for the texts do not say so (our reading).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from gateway.domain.admission import AdmissionState
from gateway.domain.bill import Citation
from gateway.domain.case import ApprovalKind, CaseState
from gateway.domain.clocks import (
    OpenApplication,
    OpenCase,
    OpenCut,
    OpenMonth,
    OpenStay,
    WorkingDays,
)
from gateway.policy.model import Policy, PolicyGap, Unit, Value
from gateway.rules.cited import citation
from gateway.rules.dates import last_of_month, months_later
from gateway.rules.place import first_told, rests_on_emergency

_ONE_DAY: Final = timedelta(days=1)


class Owner(StrEnum):
    """Who has to act before the clock ends."""

    EMPLOYER = "EMPLOYER"
    WORKER = "WORKER"
    HOSPITAL = "HOSPITAL"
    AGENCY = "AGENCY"
    DEPARTMENT = "DEPARTMENT"
    ASSESSMENT_COMMITTEE = "ASSESSMENT_COMMITTEE"


@dataclass(frozen=True, slots=True)
class Clock:
    """One clock: the policy keys that give its length (the first one that a text fills
    stands), its owner, what starts it and what has to be done. No paper that starts one without
    `paper` reaches the store yet: it is told for a day that is asked for."""

    name: str
    keys: tuple[str, ...]
    owner: Owner
    starts: tuple[str, str]
    does: tuple[str, str]
    paper: bool = True


class NoSuchDay(ValueError):
    """The clock would end after the last day of the calendar."""


_ACCIDENT = ("事故发生或职业病诊断", "accident, or diagnosis of an occupational disease")
_APPLIED = ("收到认定申请", "application for recognition received")
_ACCEPTED = ("受理认定申请", "application for recognition accepted")
_ADMITTED = ("入院", "admission")
_SETTLED = ("结算", "settlement")
_ADVANCE = ("收到先行支付申请", "application for advance payment received")

_ALL = (
    Clock(
        "QUICK_REPORT",
        ("employer/quick_report_hours",),
        Owner.EMPLOYER,
        _ACCIDENT,
        ("电话快报事故", "report the accident by telephone"),
    ),
    Clock(
        "WRITTEN_REPORT",
        ("employer/written_report_working_days",),
        Owner.EMPLOYER,
        _ACCIDENT,
        ("书面备案事故", "file the accident in writing"),
        paper=False,
    ),
    Clock(
        "EMPLOYER_APPLICATION",
        ("employer/application_days",),
        Owner.EMPLOYER,
        _ACCIDENT,
        ("用人单位申请工伤认定", "the employer applies for recognition"),
    ),
    Clock(
        "WORKER_APPLICATION",
        ("worker/application_years",),
        Owner.WORKER,
        _ACCIDENT,
        ("职工、近亲属或工会申请工伤认定", "the worker, kin or union applies for recognition"),
    ),
    Clock(
        "ACCEPTANCE",
        ("recognition/accept_working_days", "recognition/accept_days"),
        Owner.DEPARTMENT,
        _APPLIED,
        ("决定是否受理", "decide whether to accept the application"),
    ),
    Clock(
        "REFUSE_ACCEPTANCE",
        ("recognition/refuse_after_supplement_days",),
        Owner.DEPARTMENT,
        ("补正期满或补正不合格", "the supplement lapsed or is faulty"),
        ("决定不予受理", "decide not to accept the application"),
    ),
    Clock(
        "RECOGNITION",
        ("recognition/decide_days",),
        Owner.DEPARTMENT,
        _ACCEPTED,
        ("作出工伤认定决定", "decide on recognition"),
    ),
    Clock(
        "CLEAR_RECOGNITION",
        ("recognition/decide_clear_days",),
        Owner.DEPARTMENT,
        _ACCEPTED,
        ("事实清楚的，作出工伤认定决定", "decide on recognition where the facts are clear"),
    ),
    Clock(
        "REGISTRATION",
        ("admission/register_within_days",),
        Owner.HOSPITAL,
        _ADMITTED,
        ("办理工伤住院登记", "register the stay"),
    ),
    Clock(
        "ADMISSION_CHECK",
        ("admission/check_within_working_days",),
        Owner.AGENCY,
        ("收到住院登记", "registration received"),
        ("核查住院登记", "check the registration"),
    ),
    Clock(
        "NONE_FOUND",
        ("case/none_found_days",),
        Owner.AGENCY,
        _ADMITTED,
        ("查无案件的登记转手工报销", "a registration without any case turns manual"),
    ),
    Clock(
        "EMERGENCY_REPORT",
        ("emergency/report_hours",),
        Owner.EMPLOYER,
        ("在非协议机构急诊入院", "emergency admission without an agreement"),
        ("报告急救的医疗机构", "report the institution"),
    ),
    Clock(
        "REFERRAL_DECISION",
        ("approval/referral_working_days",),
        Owner.AGENCY,
        ("收到转诊申请", "application for referral received"),
        ("决定转诊", "decide on the referral"),
    ),
    Clock(
        "URGENT_REFERRAL_PAPERS",
        ("approval/urgent_referral_papers_working_days",),
        Owner.HOSPITAL,
        ("紧急转诊", "urgent referral"),
        ("补办转诊手续", "hand in the papers of the referral"),
    ),
    Clock(
        "REHABILITATION_DECISION",
        ("approval/rehabilitation_working_days",),
        Owner.AGENCY,
        ("收到康复申请", "application for rehabilitation received"),
        ("决定康复", "decide on rehabilitation"),
    ),
    Clock(
        "RELAPSE_DECISION",
        ("approval/relapse_working_days",),
        Owner.AGENCY,
        ("收到旧伤复发申请", "application for relapse received"),
        ("确认旧伤复发", "decide on the relapse"),
    ),
    Clock(
        "MONTHLY_FILING",
        ("filing/day",),
        Owner.HOSPITAL,
        _SETTLED,
        ("月度申报", "file the month"),
    ),
    Clock(
        "HOSPITAL_PAYMENT",
        ("payment/within_months",),
        Owner.AGENCY,
        _SETTLED,
        ("拨付医院", "pay the hospital"),
    ),
    Clock(
        "CUT_ANSWER",
        ("appeal/answer_days",),
        Owner.HOSPITAL,
        ("扣减通知送达", "notice of the cut served"),
        ("陈述、申辩", "state its case about the cut"),
    ),
    Clock(
        "CUT_DECISION",
        ("appeal/decide_days",),
        Owner.AGENCY,
        ("收到陈述申辩或答复期满", "answered, or the days to answer are over"),
        ("作出复核决定", "take the final decision on the cut"),
    ),
    Clock(
        "MANUAL_CLAIM",
        ("manual/claim_working_days",),
        Owner.AGENCY,
        ("收到手工报销申请", "manual claim received"),
        ("办结手工报销", "finish the manual claim"),
        paper=False,
    ),
    Clock(
        "ADVANCE_DEMAND",
        ("advance/demand_working_days",),
        Owner.AGENCY,
        _ADVANCE,
        ("向用人单位发出书面催告", "send the employer the written demand"),
        paper=False,
    ),
    Clock(
        "ADVANCE_ANSWER",
        ("advance/answer_working_days",),
        Owner.EMPLOYER,
        ("催告送达", "demand served"),
        ("核实并支付工伤待遇", "verify and pay the benefits"),
        paper=False,
    ),
    Clock(
        "ADVANCE_REFUSAL",
        ("advance/refusal_working_days",),
        Owner.AGENCY,
        _ADVANCE,
        ("作出不予先行支付的决定", "decide to refuse the advance"),
        paper=False,
    ),
    Clock(
        "ADVANCE_REPAYMENT",
        ("advance/repay_days",),
        Owner.EMPLOYER,
        ("责令偿还送达", "order to repay served"),
        ("偿还先行支付的待遇", "repay what the fund advanced"),
        paper=False,
    ),
    Clock(
        "INSPECTION_OPINION",
        ("inspection/opinion_working_days",),
        Owner.AGENCY,
        ("缴费稽核结束", "premium inspection ended"),
        ("送达稽核意见书", "serve the written opinion"),
        paper=False,
    ),
)
CLOCKS: Final[Mapping[str, Clock]] = MappingProxyType({clock.name: clock for clock in _ALL})


@dataclass(frozen=True, slots=True)
class Deadline:
    """When a clock that started on `since` ends.

    `due` is None when the calendar is not loaded so far, when the clock is suspended (中止)
    and when no text gives its length: then `gap` says so, else `source` cites it; or when the
    day that starts it is `untold`, of a case accepted `anew` after a revocation too. `done_on` is
    the day it was done, for a clock that is told only because it was overrun.
    """

    clock: Clock
    subject: str
    since: date
    due: date | None
    source: Citation | None = None
    gap: str = ""
    suspended: bool = False
    done_on: date | None = None
    untold: bool = False
    anew: bool = False

    def left(self, today: date) -> int | None:
        """Calendar days left, negative when overrun; None when the end is not known."""
        return None if self.due is None else (self.due - (self.done_on or today)).days


def deadline(
    policy: Policy, days: WorkingDays, name: str, since: date, subject: str = ""
) -> Deadline:
    """The end of the clock of this name. KeyError when there is none of the name, NoSuchDay when
    it ends after the last day of the calendar."""
    clock = CLOCKS[name]
    try:
        key, value = _length(policy, clock, since)
    except PolicyGap as gap:
        return Deadline(clock, subject, since, None, gap=str(gap))
    try:
        due = _end(days, policy.parameters[key].unit, value, since)
    except (OverflowError, ValueError) as beyond:
        raise NoSuchDay(since) from beyond
    return Deadline(clock, subject, since, due, citation(policy, key, value))


def _length(policy: Policy, clock: Clock, since: date) -> tuple[str, Value]:
    """The first key that a text fills on the day the clock starts. Raises PolicyGap."""
    *preferred, last = clock.keys
    for key in preferred:
        value = policy.find(key, since)
        if value is not None:
            return key, value
    return last, policy.value(last, since)


def _end(days: WorkingDays, unit: Unit, value: Value, since: date) -> date | None:
    length = value.number
    match unit:
        case Unit.WORKING_DAYS:
            return days.deadline(since, length)
        case Unit.HOURS:
            # Only the day is known, so the hours count from its end.
            return (datetime.combine(since, time.max) + timedelta(hours=length)).date()
        case Unit.YEARS:
            return _same_day(since, since.year + length)
        case Unit.MONTHS:
            return last_of_month(months_later(since, length))
        case Unit.DAY_OF_MONTH:
            first = months_later(since, 1).replace(day=1)
            return min(first + timedelta(days=length) - _ONE_DAY, last_of_month(first))
        case _:
            return since + timedelta(days=length)


def _same_day(day: date, year: int) -> date:
    """The same day of another year; the day before where 29 February is missing."""
    try:
        return day.replace(year=year)
    except ValueError:
        return (day - _ONE_DAY).replace(year=year)


# --- what runs -------------------------------------------------------------------------------


def of_cases(policy: Policy, days: WorkingDays, cases: Iterable[OpenCase]) -> Iterator[Deadline]:
    """The clocks of cases that are not decided: 中止 days are not counted (第二十条第三款)."""
    for case in cases:
        yield from _reported(policy, days, case)
        for name, since in _started(case):
            if since is None:
                yield _untold(policy, days, name, case)
                continue
            found = deadline(policy, days, name, since, case.case_no)
            found = _extended(found, case)
            yield _suspended(found, case) if found.clock.starts is _ACCEPTED else found


def _reported(policy: Policy, days: WorkingDays, case: OpenCase) -> Iterator[Deadline]:
    """The report of the accident, when it came late. No paper of the department tells when it was
    called, so the day on which the agency was told stands for it; to tell the agency is a duty of
    its own, at once, and no text gives that a length which a clock could have."""
    if case.reported_on is not None:
        found = deadline(policy, days, "QUICK_REPORT", case.event_day, case.case_no)
        left = found.left(case.reported_on)
        if left is not None and left < 0:
            yield replace(found, done_on=case.reported_on)


def _untold(policy: Policy, days: WorkingDays, name: str, case: OpenCase) -> Deadline:
    """A clock whose first day nobody told: it stands at the last step known, and no end of it is
    guessed."""
    found = deadline(policy, days, name, case.decided_on or case.event_day, case.case_no)
    anew = case.accepted_on is not None and case.revoked_on is not None
    return found if found.gap else replace(found, due=None, untold=True, anew=anew)


def _started(case: OpenCase) -> Iterator[tuple[str, date | None]]:
    """The clocks of the state and the day that starts each, as far as it was told.

    申请人逾期不补正或者补正后仍不符合要求的，应当在逾期之日起三日内或者收到补正材料的三日内，决定不予
    受理。（浙江省工伤保险条例 第十六条第二款） The notice of what to supply sets its last day.
    """
    match case.state:
        case CaseState.REPORTED:
            yield "EMPLOYER_APPLICATION", case.event_day
            yield "WORKER_APPLICATION", case.event_day
        case CaseState.APPLIED:
            yield "ACCEPTANCE", case.applied_on
        case CaseState.SUPPLEMENTING:
            yield "REFUSE_ACCEPTANCE", case.supplement_by
        case CaseState.ACCEPTED | CaseState.SUSPENDED:
            yield "RECOGNITION", case.clock_from
            yield "CLEAR_RECOGNITION", case.clock_from


def _extended(found: Deadline, case: OpenCase) -> Deadline:
    """遇有特殊情况，经报社会保险行政部门同意，申请时限可以适当延长（第十七条第一款）."""
    if found.clock.owner is not Owner.EMPLOYER or case.extended_to is None:
        return found
    return replace(found, due=max(found.due or case.extended_to, case.extended_to))


def _suspended(found: Deadline, case: OpenCase) -> Deadline:
    stands, due = case.state is CaseState.SUSPENDED, found.due
    if due is not None:
        due = None if stands else due + timedelta(days=case.suspended_days)
    return Deadline(
        found.clock, found.subject, found.since, due, found.source, found.gap, suspended=stands
    )


def of_stays(policy: Policy, days: WorkingDays, stays: Iterable[OpenStay]) -> Iterator[Deadline]:
    """The agency's check, the end of waiting for a case, and registrations that came late."""
    for stay in stays:
        subject = f"{stay.admission_id} {stay.hospital}"
        if stay.state is AdmissionState.PENDING_CHECK:
            yield deadline(policy, days, "ADMISSION_CHECK", stay.registered_on, subject)
        if stay.state is AdmissionState.HELD and not stay.case_no:
            yield deadline(policy, days, "NONE_FOUND", stay.admitted_on, subject)
        yield from _emergency(policy, stay, subject)
        if stay.late:
            late = deadline(policy, days, "REGISTRATION", stay.admitted_on, subject)
            yield Deadline(
                late.clock,
                subject,
                late.since,
                late.due,
                late.source,
                late.gap,
                done_on=stay.registered_on,
            )


def _emergency(policy: Policy, stay: OpenStay, subject: str) -> Iterator[Deadline]:
    """An emergency without agreement of which the agency was told too late: the registration of
    the stay tells it too, as for the bill (rules/place.py)."""
    clock, place = CLOCKS["EMERGENCY_REPORT"], stay.institution
    if place is None or not rests_on_emergency(stay, place, policy):
        return
    key, limit = clock.keys[0], policy.find(clock.keys[0], stay.admitted_on)
    if limit is None or limit.unlimited or stay.admitted_at is None or stay.registered_at is None:
        return
    begins, hours = stay.admitted_at, timedelta(hours=limit.number)
    told_after = first_told(begins, stay.registered_at, stay.reported_at, hours)
    if told_after > hours:
        source, told_on = citation(policy, key, limit), (begins + told_after).date()
        since, due = stay.admitted_on, (begins + hours).date()
        yield Deadline(clock, subject, since, due, source, done_on=told_on)


_DECISIONS: Final[Mapping[ApprovalKind, str]] = MappingProxyType(
    {
        ApprovalKind.REFERRAL: "REFERRAL_DECISION",
        ApprovalKind.REHABILITATION: "REHABILITATION_DECISION",
        ApprovalKind.RELAPSE: "RELAPSE_DECISION",
    }
)
"""The kinds of approval for whose decision a key gives the time."""


def of_applications(
    policy: Policy, days: WorkingDays, applications: Iterable[OpenApplication]
) -> Iterator[Deadline]:
    """From the day of the application the decision, owned by whoever decides this kind in the
    region; and the papers of an urgent referral that were handed in late."""
    for one in applications:
        subject = f"{one.application_id} {one.hospital}"
        if one.kind in _DECISIONS:
            found = deadline(policy, days, _DECISIONS[one.kind], one.applied_on, subject)
            yield replace(found, clock=_owned(policy, found.clock, one))
        if one.transferred_on is not None:
            late = deadline(policy, days, "URGENT_REFERRAL_PAPERS", one.transferred_on, subject)
            if late.due is not None and late.due < one.applied_on:
                yield replace(late, done_on=one.applied_on)


def _owned(policy: Policy, clock: Clock, one: OpenApplication) -> Clock:
    """The papers go to the agency (社会保险经办条例 第二十一条) where no text names who decides."""
    value = policy.find(f"authority/{one.kind.value.lower()}", one.applied_on)
    return clock if value is None else replace(clock, owner=Owner(value.word))


def of_cuts(policy: Policy, days: WorkingDays, cuts: Iterable[OpenCut]) -> Iterator[Deadline]:
    """The hospital's days to answer each cut, then the agency's to decide. A cut that no notice
    can be served for, because no text gives the days to answer, shows that gap."""
    for one in cuts:
        subject = f"{one.cut_no} {one.hospital}"
        if one.heard_on is not None:
            yield deadline(policy, days, "CUT_DECISION", one.heard_on, subject)
        else:
            since = one.noticed_on or one.raised_on
            yield deadline(policy, days, "CUT_ANSWER", since, subject)


def of_months(policy: Policy, days: WorkingDays, months: Iterable[OpenMonth]) -> Iterator[Deadline]:
    """The day by which each hospital files a month, and the day by which it is paid."""
    for one in months:
        for name in ("MONTHLY_FILING", "HOSPITAL_PAYMENT"):
            yield deadline(policy, days, name, one.last_day, f"{one.hospital} {one.month}")
