"""What a party may ask of the gateway: one frozen dataclass per command, imperative.

Wire names live in adapters/*/names.py; here stand the words of domain/glossary.md.
Instants are aware datetimes, days are dates of Asia/Shanghai, money is fen.
"""

from dataclasses import dataclass
from datetime import date, datetime

from gateway.domain.admission import (
    AdmissionRefusal,
    DaySpan,
    Diagnosis,
    PaidAtDischargeBy,
)
from gateway.domain.application import ApplicationState, Wanted
from gateway.domain.bill import BillLine, Relation
from gateway.domain.case import (
    Applicant,
    ApprovalKind,
    AuthorityKind,
    CaseState,
    Channel,
    EmployerRole,
    EmploymentTie,
    Grade,
    ThirdParty,
    TreatmentKind,
)
from gateway.domain.catalogue import Kind
from gateway.domain.cut import CutOutcome
from gateway.domain.findings import Finding
from gateway.domain.mapping import MappingClaim, MappingDecision, MappingState
from gateway.domain.payments import PriorPayment
from gateway.domain.split import Split


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A person as identified at the counter. The credential is the identity document,
    or the social-security card (社会保险经办条例 第七条); a medical e-credential is none."""

    id_no: str
    name: str
    card_no: str = ""
    phone: str = ""
    credential: str = "ID_DOCUMENT"


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstJudgement:
    """The hospital's own first judgement 初判 that this is an injury at work."""

    by: str
    at: datetime
    basis: str


# --- hospital ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadPerson:
    person: Identity


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryCase:
    person: Identity
    case_no: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterAdmission:
    visit_no: str
    person: Identity
    treatment: TreatmentKind
    admitted_at: datetime
    department: str
    doctor: str
    diagnoses: tuple[Diagnosis, ...]
    case_no: str = ""
    ward: str = ""
    bed: str = ""
    emergency: bool = False
    approval_no: str = ""
    first_judgement: FirstJudgement | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModifyAdmission:
    """Replaces what is given; what is left out stays. `stable_on` is the hospital's opinion
    病情稳定: from then on an emergency patient can be moved back to an agreement hospital.
    `notified_by_employer` is whether the employer told the hospital in writing that the stay is
    for an injury at work; None leaves it as it was."""

    admission_id: str
    department: str = ""
    doctor: str = ""
    ward: str = ""
    bed: str = ""
    approval_no: str = ""
    diagnoses: tuple[Diagnosis, ...] = ()
    stable_on: date | None = None
    notified_by_employer: bool | None = None
    leave: tuple[DaySpan, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelAdmission:
    admission_id: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadFees:
    """Upsert of lines by line id. `rejected` are lines the reader could not type."""

    admission_id: str
    lines: tuple[BillLine, ...]
    rejected: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class VoidFees:
    admission_id: str
    line_ids: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryFees:
    """Lines after `after_line_id` in order of line id, at most 500."""

    admission_id: str
    after_line_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewSettlement:
    admission_id: str
    expected_count: int
    expected_amount_fen: int
    discharged_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitSettlement:
    admission_id: str
    bill_no: str
    expected_count: int
    expected_amount_fen: int
    paid_at_discharge_by: PaidAtDischargeBy
    operator: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelSettlement:
    settlement_id: str
    reason: str
    operator: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerCut:
    """The hospital's statement 陈述申辩 on a cut: it accepts, or objects with a reason."""

    cut_no: str
    accepted: bool
    by: str
    reason: str = ""
    documents: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryCuts:
    """The cuts of a stay."""

    admission_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterDischarge:
    admission_id: str
    discharged_at: datetime
    way: str
    diagnoses: tuple[Diagnosis, ...] = ()
    bmi_settlement_no: str = ""
    leave: tuple[DaySpan, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelDischarge:
    admission_id: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryTransaction:
    target_message_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReverseTransaction:
    """Undo what a message of the same sender did, or fence an id that may still arrive."""

    target_message_id: str
    target_command: str
    reason: str
    target_digest: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconcileTotals:
    """The hospital's day: count and signed sums of settlements (+) and their reversals (−)."""

    day: date
    count: int
    split: Split
    meal_fen: int
    detail_digest: str

    @property
    def total_fen(self) -> int:
        return self.split.total_fen


@dataclass(frozen=True, slots=True, kw_only=True)
class HospitalRow:
    """One row of the hospital's book: a settlement, or a reversal with negative amounts."""

    settlement_id: str
    day: date
    id_no: str
    reversed: bool
    split: Split
    meal_fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconcileDetails:
    day: date
    rows: tuple[HospitalRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PullInbox:
    limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AckInbox:
    """Receipts: message ids with the digest of what was received."""

    receipts: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadCatalogue:
    """Rows of the edition in force on the day, after `after_code`, at most 500."""

    kind: Kind
    day: date
    after_code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MapCatalogue:
    """对照 The hospital's own codes beside the national ones; each row is answered by itself."""

    rows: tuple[MappingClaim, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryMappings:
    """Mappings after a code and day, at most 500. A hospital is shown its own only; the agency
    names the hospital."""

    hospital: str = ""
    state: MappingState | None = None
    after_code: str = ""
    after_from: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyApproval:
    """审批申请 For a person's case, with everything the agency needs to decide."""

    person: Identity
    wanted: Wanted
    case_no: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryApprovals:
    """Applications after an id, at most 100. A hospital is shown its own only."""

    application_id: str = ""
    state: ApplicationState | None = None
    after: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelApproval:
    """撤回 An application that is not decided yet."""

    application_id: str
    reason: str


# --- agency -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportCase:
    """The employer's report as it reached the agency: who, when and by which channel."""

    case_no: str
    person: Identity
    employer_no: str
    employer_name: str
    injured_on: date
    injured_parts: str
    diagnoses: tuple[Diagnosis, ...]
    reported_by: str
    reported_at: datetime
    channel: Channel
    insured_at_injury: bool | None = None
    third_party: ThirdParty = ThirdParty.NONE
    traffic_accident: bool = False
    disputed: bool = False
    diagnosed_on: date | None = None
    roster_received_on: date | None = None
    underpaid: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideCase:
    """A step or decision of the department, with the authority that took it. What it tells of the
    report, the day of the injury among it, corrects that; what it leaves out stays."""

    case_no: str
    state: CaseState
    decided_on: date
    authority: str
    reason: str
    decision_no: str = ""
    applied_on: date | None = None
    applied_by: Applicant | None = None
    accepted_on: date | None = None
    insured_at_injury: bool | None = None
    third_party: ThirdParty | None = None
    litigation: bool | None = None
    disputed: bool | None = None
    relation_ended_on: date | None = None
    diagnosed_on: date | None = None
    application_extended_to: date | None = None
    supplement_by: date | None = None
    roster_received_on: date | None = None
    underpaid: bool | None = None
    grade: Grade | None = None
    lump_sum_on: date | None = None
    retired_on: date | None = None
    injured_on: date | None = None
    traffic_accident: bool | None = None
    reported_at: datetime | None = None
    employer_no: str = ""
    employer_name: str = ""
    diagnoses: tuple[Diagnosis, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NameEmployer:
    """Another employer of the case: who took over, lent, dispatched, or where the injury was."""

    case_no: str
    tie: EmploymentTie
    role: EmployerRole
    employer_no: str
    employer_name: str
    since: date
    by: str
    reason: str
    insured_at_injury: bool | None = None
    roster_received_on: date | None = None
    withdrawn: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DecidePaidLeave:
    """Paid leave 停工留薪期 from–to, or its extension as the authority confirmed it."""

    case_no: str
    first: date
    last: date
    by: str
    notice_no: str
    extension: bool = False
    authority: AuthorityKind = AuthorityKind.AGENCY


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckAdmission:
    """The agency's check of a registration: confirm (no code) or refuse with a code."""

    admission_id: str
    by: str
    reason: str
    refusal: AdmissionRefusal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LineDecision:
    """What the agency decides of a line; `limit_met` answers what else only a person can
    tell (domain/bill.py). A `violation` moves no money yet: it raises a cut (domain/cut.py)."""

    line_id: str
    relation: Relation | None = None
    limit_met: bool | None = None
    violation: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideLines:
    """Decisions about lines, the audit rules whose suspicion is taken back for the stay, and the
    days of a hanging bed 挂床, which have no meals.

    A violation needs its `evidence` and the `clause` of the service agreement that lets the
    agency cut for it; `rule` is the audit rule that led to it, if one did.
    """

    admission_id: str
    by: str
    reason: str
    lines: tuple[LineDecision, ...] = ()
    cleared: tuple[str, ...] = ()
    hanging_bed: tuple[DaySpan, ...] = ()
    rule: str = ""
    clause: str = ""
    evidence: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportPayment:
    """Who paid what for a stay before the fund does, by its document; a payment reported again
    replaces what was known of it, and with `withdrawn` it is taken back."""

    admission_id: str
    by: str
    reason: str
    payment: PriorPayment
    withdrawn: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideCut:
    """The final decision on a cut after the hospital was heard; `line_ids` are the lines on
    which a reduced cut stands."""

    cut_no: str
    outcome: CutOutcome
    by: str
    reason: str
    hearing_held: bool
    hearing_on: date | None = None
    line_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideApproval:
    """An approval granted, or with `granted` false one taken back from `valid_from` on.

    `authority` is the name of the body that decided; the place is hospitals, or an area. With
    `application_id` it answers that application, and `granted` false refuses it.
    """

    approval_no: str
    case_no: str
    kind: ApprovalKind
    granted: bool
    authority_kind: AuthorityKind
    authority: str
    by: str
    valid_from: date
    valid_to: date
    hospitals: tuple[str, ...] = ()
    area: str = ""
    opinion_by: str = ""
    line_ids: tuple[str, ...] = ()
    device_codes: tuple[str, ...] = ()
    application_id: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideMappings:
    """The agency's review of a hospital's mappings 对照审核: all decisions or none."""

    hospital: str
    by: str
    rows: tuple[MappingDecision, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateEmployer:
    """Arrears begin on `arrears_since`, or end on `settled_on` with the late fee paid. With
    `joined_on` an employer that was not insured joined, and owes since `arrears_since`. What was
    told before of the same `arrears_since` is replaced."""

    employer_no: str
    arrears_since: date
    settled_on: date | None = None
    joined_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportCard:
    """Loss 挂失 of a social-security card, or its end; in force at once."""

    person: Identity
    lost: bool
    at: datetime
    channel: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StopBenefit:
    """A served decision that stops benefits (工伤保险条例 第四十二条)."""

    case_no: str
    valid_from: date
    ground: str
    notice_no: str
    served_on: date
    valid_to: date | None = None


Command = (
    ReadPerson
    | QueryCase
    | RegisterAdmission
    | ModifyAdmission
    | CancelAdmission
    | UploadFees
    | VoidFees
    | QueryFees
    | PreviewSettlement
    | CommitSettlement
    | CancelSettlement
    | AnswerCut
    | QueryCuts
    | RegisterDischarge
    | CancelDischarge
    | QueryTransaction
    | ReverseTransaction
    | ReconcileTotals
    | ReconcileDetails
    | PullInbox
    | AckInbox
    | DownloadCatalogue
    | MapCatalogue
    | QueryMappings
    | ApplyApproval
    | QueryApprovals
    | CancelApproval
    | ReportCase
    | DecideCase
    | NameEmployer
    | DecidePaidLeave
    | CheckAdmission
    | DecideLines
    | ReportPayment
    | DecideCut
    | DecideApproval
    | DecideMappings
    | UpdateEmployer
    | ReportCard
    | StopBenefit
)
