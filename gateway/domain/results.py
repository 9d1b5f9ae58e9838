"""What the gateway answers or announces: one frozen dataclass per result or notice, past tense."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from gateway.domain.admission import (
    AdmissionState,
    BillState,
    Diagnosis,
    HoldReason,
)
from gateway.domain.application import Application, ApplicationState
from gateway.domain.bill import BillLine, Citation, LineVerdict, MealVerdict, Payout, Suspicion
from gateway.domain.case import ApprovalKind, AuthorityKind, CaseState
from gateway.domain.catalogue import CatalogueRow
from gateway.domain.cut import Cut
from gateway.domain.findings import Finding
from gateway.domain.mapping import Candidate, Mapping, MappingState
from gateway.domain.readjudication import Actor, Cause, ProposalState
from gateway.domain.split import NOTHING, Split


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledged:
    """Done, with the subject it was done to."""

    subject: str = ""
    state: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Not done; every reason at once."""

    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonRead:
    """Whether the person is known and may be settled directly; alike for unknown and forbidden."""

    known: bool
    card_lost: bool = False
    cases: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalSummary:
    approval_no: str
    kind: ApprovalKind
    valid_from: date
    valid_to: date
    authority_kind: AuthorityKind
    authority: str
    hospitals: tuple[str, ...] = ()
    area: str = ""
    device_codes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseSummary:
    case_no: str
    state: CaseState
    injured_on: date
    decision_no: str
    injured_parts: str
    approvals: tuple[ApprovalSummary, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CasesFound:
    cases: tuple[CaseSummary, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AdmissionRegistered:
    admission_id: str
    state: AdmissionState
    case_no: str = ""
    refusal: str = ""
    note: str = ""
    late: bool = False


class LineAnswer(NamedTuple):
    """What became of one uploaded line: accepted, unchanged, replaced or rejected; with the
    nearest rows of the catalogues when its own code says nothing on its day. A tuple, because an
    upload has hundreds of them."""

    line_id: str
    status: str
    finding: Finding | None = None
    candidates: tuple[Candidate, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FeesUploaded:
    """Answers per line, and the count and sum of all lines now kept."""

    answers: tuple[LineAnswer, ...]
    kept_count: int
    kept_amount_fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FeesVoided:
    voided: int
    kept_count: int
    kept_amount_fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FeesFound:
    lines: tuple[BillLine, ...]
    kept_count: int
    kept_amount_fen: int
    more: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """A computed or settled bill. A preview has no settlement id; a reversal has negative
    amounts and names what it reverses; a delta has signed amounts, only the lines that differ,
    and names what it adjusts. `payout` is whom the fund pays, of a preview as it would be if
    nobody pays at the counter. `grounds` concern the bill as a whole; `liable_employer` answers
    for the employer's share."""

    admission_id: str
    bill_state: BillState
    settlement_id: str = ""
    bill_no: str = ""
    reverses: str = ""
    reinstates: str = ""
    adjusts: str = ""
    visit_no: str = ""
    hospital: str = ""
    case_no: str = ""
    decision_no: str = ""
    settled_at: datetime | None = None
    business_day: date | None = None
    admitted_at: datetime | None = None
    discharged_at: datetime | None = None
    split: Split = NOTHING
    meal: MealVerdict | None = None
    payout: Payout | None = None
    lines: tuple[LineVerdict, ...] = ()
    rules_version: str = ""
    policy_digest: str = ""
    edition_digests: tuple[str, ...] = ()
    hold: HoldReason | None = None
    hold_key: str = ""
    hold_day: date | None = None
    code: str = ""
    note: str = ""
    suspicions: tuple[Suspicion, ...] = ()
    grounds: tuple[Citation, ...] = ()
    liable_employer: str = ""

    @property
    def total_fen(self) -> int:
        return self.split.total_fen


@dataclass(frozen=True, slots=True, kw_only=True)
class CutsFound:
    """The cuts of a stay, the oldest first."""

    cuts: tuple[Cut, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionFound:
    """What the gateway knows of a message; `stored_reply` is its exact signed bytes."""

    state: str
    command: str = ""
    digest: str = ""
    stored_reply: bytes = b""
    bill_state: str = ""
    outcome_message_id: str = ""
    undone_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reversed:
    """The reversal's effect: undone, or a tombstone that fences the id."""

    target_message_id: str
    effect: str
    by: str = ""
    settlement: Settlement | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Superseded:
    """The first effect was undone since: by whom, the state now, and the stored first reply."""

    by: str
    state: str
    stored_reply: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class TotalsCompared:
    """Our own day beside the hospital's."""

    day: date
    matched: bool
    count: int
    split: Split
    meal_fen: int
    detail_digest: str
    differing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One difference of a day: its class, the field, both values, cause and who acts."""

    kind: str
    settlement_id: str
    field: str = ""
    hospital_value: str = ""
    centre_value: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DetailsCompared:
    day: date
    matched: int
    differences: tuple[Difference, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxMessage:
    """One message waiting for the receiver: its lane number and exact signed bytes, and once a
    checkpoint covers these, what proves that they are in the log."""

    message_id: str
    lane_seq: int
    sealed: bytes
    log_receipt: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxPulled:
    messages: tuple[InboxMessage, ...]
    more: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxAcknowledged:
    acknowledged: int
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CataloguePage:
    digest: str
    valid_from: date
    valid_to: date | None
    rows: tuple[CatalogueRow, ...]
    more: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingAnswer:
    """What became of one claim: accepted for review, unchanged, replaced or rejected; then the
    mapping as it stands, if there is one."""

    hospital_code: str
    valid_from: date
    status: str
    state: MappingState | None = None
    version: int | None = None
    finding: Finding | None = None
    candidates: tuple[Candidate, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueMapped:
    answers: tuple[MappingAnswer, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingsFound:
    mappings: tuple[Mapping, ...]
    more: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationsFound:
    applications: tuple[Application, ...]
    more: bool


# --- notices: what other parties must learn -------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class AdmissionChanged:
    """To the hospital and the agency: a registration's state changed after its reply."""

    admission_id: str
    visit_no: str
    hospital: str
    state: AdmissionState
    refusal: str = ""
    case_no: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AdmissionReceived:
    """To the agency: a hospital registered a stay; it may have to be checked."""

    admission_id: str
    hospital: str
    visit_no: str
    state: AdmissionState
    id_no: str
    name: str
    admitted_at: datetime
    diagnoses: tuple[Diagnosis, ...]
    case_no: str = ""
    late: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingsChanged:
    """To the agency: a hospital's mappings to review. To the hospital: what was decided."""

    hospital: str
    mappings: tuple[Mapping, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationReceived:
    """To the agency: a hospital applies for an approval."""

    application: Application
    id_no: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationChanged:
    """To the hospital: its application was decided. To the agency: it was cancelled."""

    application_id: str
    hospital: str
    case_no: str
    kind: ApprovalKind
    state: ApplicationState
    granted: bool | None = None
    approval_no: str = ""
    valid_from: date | None = None
    valid_to: date | None = None
    device_codes: tuple[str, ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadjudicationChanged:
    """To the agency: a correction touches a live settlement, or a proposal about it moved.

    `state` is that of the proposal, or TOUCHED when there is none yet; `split` and `meal_fen`
    are what the correction would add, negative what it takes away. Of one that cannot be computed
    (BY_HAND) `note` says why, and `acts` who has to act.
    """

    state: ProposalState
    settlement_id: str
    hospital: str
    case_no: str
    cause: Cause
    proposal_id: str = ""
    split: Split = NOTHING
    meal_fen: int = 0
    cuts_hospital: bool = False
    needs_ground: bool = False
    acts: Actor | None = None
    note: str = ""


Result = (
    Acknowledged
    | Refused
    | PersonRead
    | CasesFound
    | AdmissionRegistered
    | FeesUploaded
    | FeesVoided
    | FeesFound
    | Settlement
    | Cut
    | CutsFound
    | TransactionFound
    | Reversed
    | Superseded
    | TotalsCompared
    | DetailsCompared
    | InboxPulled
    | InboxAcknowledged
    | CataloguePage
    | CatalogueMapped
    | MappingsFound
    | ApplicationsFound
    | AdmissionChanged
    | AdmissionReceived
    | MappingsChanged
    | ApplicationReceived
    | ApplicationChanged
    | ReadjudicationChanged
)
