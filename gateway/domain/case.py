"""The work-injury case 工伤案件: its states, flags and the transitions allowed.

States follow 工伤保险条例 第十七条 to 第二十条 and 第三十一条; a decision of
recognition may be taken anew after 行政复议 or 行政诉讼, hence REVOKED → ACCEPTED.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final


class CaseState(StrEnum):
    REPORTED = "REPORTED"
    APPLIED = "APPLIED"
    SUPPLEMENTING = "SUPPLEMENTING"
    ACCEPTED = "ACCEPTED"
    SUSPENDED = "SUSPENDED"
    RECOGNISED = "RECOGNISED"
    DEEMED = "DEEMED"
    NOT_RECOGNISED = "NOT_RECOGNISED"
    NOT_ACCEPTED = "NOT_ACCEPTED"
    TERMINATED = "TERMINATED"
    REVOKED = "REVOKED"


_S = CaseState
TRANSITIONS: Final[dict[CaseState, frozenset[CaseState]]] = {
    # A quick recognition reaches the gateway as one message: the steps between
    # were taken inside the department, so REPORTED may go to each later step.
    _S.REPORTED: frozenset(
        {_S.APPLIED, _S.ACCEPTED, _S.RECOGNISED, _S.DEEMED, _S.NOT_RECOGNISED, _S.NOT_ACCEPTED}
    ),
    _S.APPLIED: frozenset({_S.SUPPLEMENTING, _S.ACCEPTED, _S.NOT_ACCEPTED, _S.TERMINATED}),
    _S.SUPPLEMENTING: frozenset({_S.ACCEPTED, _S.NOT_ACCEPTED, _S.TERMINATED}),
    _S.ACCEPTED: frozenset(
        {_S.SUSPENDED, _S.RECOGNISED, _S.DEEMED, _S.NOT_RECOGNISED, _S.TERMINATED}
    ),
    _S.SUSPENDED: frozenset({_S.ACCEPTED}),
    _S.RECOGNISED: frozenset({_S.REVOKED}),
    _S.DEEMED: frozenset({_S.REVOKED}),
    _S.NOT_RECOGNISED: frozenset({_S.REVOKED}),
    _S.NOT_ACCEPTED: frozenset({_S.REVOKED}),
    _S.TERMINATED: frozenset(),
    _S.REVOKED: frozenset({_S.ACCEPTED}),
}

POSITIVE: Final = frozenset({_S.RECOGNISED, _S.DEEMED})
NEGATIVE: Final = frozenset({_S.NOT_RECOGNISED, _S.NOT_ACCEPTED, _S.TERMINATED})


class ThirdParty(StrEnum):
    """Whether somebody else is liable for the injury 第三人."""

    NONE = "NONE"
    SUSPECTED = "SUSPECTED"
    CONFIRMED_PAID = "CONFIRMED_PAID"
    CONFIRMED_UNPAID = "CONFIRMED_UNPAID"
    UNKNOWN_PARTY = "UNKNOWN_PARTY"


LIABLE: Final = frozenset(ThirdParty) - {ThirdParty.NONE, ThirdParty.SUSPECTED}
"""A third party is liable, whether it paid, did not pay or cannot be found."""


class Applicant(StrEnum):
    """Who applied for recognition 申请人 (工伤保险条例 第十七条第一款、第二款)."""

    EMPLOYER = "EMPLOYER"
    WORKER = "WORKER"
    KIN = "KIN"
    UNION = "UNION"


class Channel(StrEnum):
    """How the employer's report reached the agency 报案渠道."""

    TELEPHONE = "TELEPHONE"
    WEB = "WEB"
    WINDOW = "WINDOW"
    OTHER = "OTHER"


class AuthorityKind(StrEnum):
    """Which kind of body decided an approval 决定机关: regions differ in who is competent."""

    AGENCY = "AGENCY"
    ASSESSMENT_COMMITTEE = "ASSESSMENT_COMMITTEE"


class ApprovalKind(StrEnum):
    """What an approval allows 审批类型."""

    REFERRAL = "REFERRAL"
    REMOTE_RESIDENCE = "REMOTE_RESIDENCE"
    CROSS_PROVINCE = "CROSS_PROVINCE"
    REHABILITATION = "REHABILITATION"
    RELAPSE = "RELAPSE"
    DEVICE = "DEVICE"
    PAID_LEAVE_EXTENSION = "PAID_LEAVE_EXTENSION"
    EMERGENCY = "EMERGENCY"
    EMERGENCY_ITEM = "EMERGENCY_ITEM"


PLACE_KINDS: Final = frozenset(
    {
        ApprovalKind.REFERRAL,
        ApprovalKind.REMOTE_RESIDENCE,
        ApprovalKind.CROSS_PROVINCE,
        ApprovalKind.EMERGENCY,
    }
)
"""Approvals of a place: without a place named they allow nothing."""


class TreatmentKind(StrEnum):
    """What the stay is for 治疗类别."""

    INPATIENT = "INPATIENT"
    REHABILITATION = "REHABILITATION"
    RELAPSE = "RELAPSE"
    DEVICE = "DEVICE"


@dataclass(frozen=True, slots=True)
class Approval:
    """One approval of the case: kind, place and days, and who decided 审批机关.

    The place is one hospital, a list of them, or an area 行政区划 (its code of six digits);
    `opinion_by` is the institution whose opinion a referral rests on, `device_codes` the
    devices by their codes in the catalogue that a confirmation confirms.
    """

    approval_no: str
    kind: ApprovalKind
    hospitals: frozenset[str]
    valid_from: date
    valid_to: date
    authority_kind: AuthorityKind
    authority: str
    area: str = ""
    opinion_by: str = ""
    line_ids: frozenset[str] = frozenset()
    device_codes: frozenset[str] = frozenset()

    def in_force(self, day: date) -> bool:
        """Whether the day lies between its first and last day, both inclusive."""
        return self.valid_from <= day <= self.valid_to


REFUSED_DISCHARGE: Final = "REFUSED_DISCHARGE"
"""The ground of a stop that is a served notice of discharge which the worker refused."""
CONDITION_LOST: Final = "CONDITION_LOST"
"""The ground of a stop that states the loss of a condition of benefits, as by death
(第四十二条第（一）项): the only one whose first day may lie before it was served."""


@dataclass(frozen=True, slots=True)
class BenefitStop:
    """A served decision that stops benefits for a span of days (工伤保险条例 第四十二条), or a
    served notice of discharge, by its ground."""

    valid_from: date
    valid_to: date | None
    ground: str
    notice_no: str

    def covers(self, day: date) -> bool:
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)


class Grade(StrEnum):
    """The grade of disability 伤残等级, by the groups that the texts tell apart
    (工伤保险条例 第三十五条至第三十七条)."""

    ONE_TO_FOUR = "ONE_TO_FOUR"
    FIVE_TO_TEN = "FIVE_TO_TEN"
    NONE = "NONE"


class EmploymentTie(StrEnum):
    """How another employer than the one reported comes in 用工关系 (工伤保险条例 第四十三条)."""

    SUCCESSION = "SUCCESSION"
    SECONDMENT = "SECONDMENT"
    DISPATCH = "DISPATCH"
    SEVERAL = "SEVERAL"


class EmployerRole(StrEnum):
    """What the other employer is: the words by which the texts say who is liable."""

    ORIGINAL = "ORIGINAL"
    SUCCESSOR = "SUCCESSOR"
    HOST = "HOST"
    DISPATCHER = "DISPATCHER"
    AT_INJURY = "AT_INJURY"


_R = EmployerRole
ROLES: Final[dict[EmploymentTie, frozenset[EmployerRole]]] = {
    EmploymentTie.SUCCESSION: frozenset({_R.SUCCESSOR}),
    EmploymentTie.SECONDMENT: frozenset({_R.ORIGINAL, _R.HOST}),
    EmploymentTie.DISPATCH: frozenset({_R.DISPATCHER, _R.HOST}),
    EmploymentTie.SEVERAL: frozenset({_R.AT_INJURY}),
}
"""The roles that another employer may have by each tie; the reported one has the other role."""


@dataclass(frozen=True, slots=True)
class OtherEmployer:
    """Another employer of the case, from a day on, and whether it had insured the worker at the
    injury."""

    employer_no: str
    tie: EmploymentTie
    role: EmployerRole
    since: date
    insured_at_injury: bool | None = None
    roster_received_on: date | None = None


@dataclass(frozen=True, slots=True)
class PaidLeave:
    """A span of paid leave 停工留薪期 (工伤保险条例 第三十三条); an `extension` was confirmed by
    the authority."""

    first: date
    last: date
    extension: bool = False


@dataclass(frozen=True, slots=True)
class Joined:
    """An employer that had not joined 应当参加而未参加 joined on a day; `settled_on` is the day
    that everything owed, late fee included, was paid (工伤保险条例 第六十二条第三款).
    `employer_no` is empty for the employer that the case was reported with."""

    joined_on: date
    settled_on: date | None
    employer_no: str = ""

    @property
    def covered_from(self) -> date | None:
        """The first day whose costs are newly arising; None while anything is owed.

        The text counts from *after* joining and paying (参加……并补缴……后), and there was no cover
        that the day itself could lie in: our reading, anchors.NEWLY_ARISING.
        """
        if self.settled_on is None:
            return None
        return max(self.joined_on, self.settled_on) + timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Arrears:
    """Days for which an employer that had joined owes premiums 欠缴; `settled_on` is the day
    everything, late fee included, was paid. `employer_no` is empty for the employer that the case
    was reported with.

    What such days mean a region's text says (`arrears/policy`), not 第六十二条第三款, which speaks
    of an employer that joins. Cover had never ended and needs no day to begin, so the first day
    on which nothing is owed is the day of paying itself: our reading, anchors.ARREARS_PAID.
    """

    since: date
    settled_on: date | None
    employer_no: str = ""

    def covers(self, day: date) -> bool:
        return self.touches(day, day)

    def touches(self, first: date, last: date) -> bool:
        """Whether any day from first to last lies in the arrears, the day of paying not in them."""
        paid = self.settled_on
        return self.since <= last and (paid is None or max(first, self.since) < paid)


@dataclass(frozen=True, slots=True)
class CaseFacts:
    """What the gateway knows of a case when it decides, with the version it read.

    `diagnosed_on` makes it an occupational disease; `application_extended_to` is the last day
    of the employer's time limit as the department extended it; `roster_received_on` the day the
    agency received the roster that names the worker; `underpaid` that premiums were paid on
    too low a wage; `lump_sum_on` the day that benefits of the grade were taken at once;
    `others` are other employers; `diagnosis_codes` those of the employer's report.
    """

    case_no: str
    version: int
    person_id: str
    employer_no: str
    state: CaseState
    injured_on: date
    reported_at: datetime
    insured_at_injury: bool | None
    third_party: ThirdParty
    traffic_accident: bool
    litigation: bool
    disputed: bool
    relation_ended_on: date | None
    applied_on: date | None
    accepted_on: date | None
    decided_on: date | None
    decision_no: str
    authority: str
    approvals: tuple[Approval, ...] = ()
    stops: tuple[BenefitStop, ...] = ()
    arrears: tuple[Arrears, ...] = ()
    card_lost: bool = False
    applied_by: Applicant | None = None
    joined: tuple[Joined, ...] = ()
    diagnosed_on: date | None = None
    application_extended_to: date | None = None
    roster_received_on: date | None = None
    underpaid: bool = False
    grade: Grade | None = None
    lump_sum_on: date | None = None
    retired_on: date | None = None
    others: tuple[OtherEmployer, ...] = ()
    paid_leave: tuple[PaidLeave, ...] = ()
    diagnosis_codes: frozenset[str] = frozenset()

    @property
    def covered_from(self) -> date | None:
        """The day from which the fund pays for an injury that happened uninsured, if any: which
        joinings cure this injury, rules/employment.py has said before."""
        days = [day for one in self.joined if (day := one.covered_from) is not None]
        return min(days, default=None)

    def before_cover(self, day: date) -> bool:
        """Whether the day lies before the cover of an employer that was not insured."""
        if self.insured_at_injury is not False:
            return False
        start = self.covered_from
        return start is None or day < start

    @property
    def event_day(self) -> date:
        """The day that starts the clocks: accident, or diagnosis of an occupational disease
        (第十七条第一款)."""
        return self.diagnosed_on or self.injured_on
