"""The registered stay 工伤住院登记 and its bill: states and transitions."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

from gateway.domain.case import TreatmentKind
from gateway.domain.payments import PriorPayment


class AdmissionState(StrEnum):
    RECEIVED = "RECEIVED"
    PENDING_CHECK = "PENDING_CHECK"
    CONFIRMED = "CONFIRMED"
    REFUSED = "REFUSED"
    HELD = "HELD"
    CANCELLED = "CANCELLED"
    CLOSED = "CLOSED"


_A = AdmissionState
TRANSITIONS: Final[dict[AdmissionState, frozenset[AdmissionState]]] = {
    _A.RECEIVED: frozenset({_A.PENDING_CHECK, _A.CONFIRMED, _A.REFUSED, _A.HELD, _A.CANCELLED}),
    _A.PENDING_CHECK: frozenset({_A.CONFIRMED, _A.REFUSED, _A.HELD, _A.CANCELLED}),
    _A.HELD: frozenset({_A.CONFIRMED, _A.REFUSED, _A.PENDING_CHECK, _A.CANCELLED}),
    _A.CONFIRMED: frozenset({_A.CLOSED, _A.CANCELLED, _A.HELD, _A.REFUSED}),
    _A.CLOSED: frozenset({_A.CONFIRMED}),
    _A.REFUSED: frozenset(),
    _A.CANCELLED: frozenset(),
}
REOPENINGS: Final[dict[str, frozenset[AdmissionState]]] = {
    # A decision revoked and taken anew takes away the only ground of this refusal;
    # every other refusal is final.
    "NO_RECOGNITION_RECORD": frozenset({_A.HELD, _A.CONFIRMED, _A.PENDING_CHECK}),
}
LIVE: Final = frozenset({_A.RECEIVED, _A.PENDING_CHECK, _A.CONFIRMED, _A.HELD, _A.CLOSED})
OPEN: Final = LIVE - {_A.CLOSED}


class AdmissionRefusal(StrEnum):
    """Why a registration is refused: five reasons, and two for the case and the transfer."""

    NOT_INSURED_OR_ARREARS = "NOT_INSURED_OR_ARREARS"
    THIRD_PARTY = "THIRD_PARTY"
    NON_AGREEMENT_OR_OUT_OF_REGION = "NON_AGREEMENT_OR_OUT_OF_REGION"
    DISPUTED_NO_QUICK_RECOGNITION = "DISPUTED_NO_QUICK_RECOGNITION"
    OTHER = "OTHER"
    TRANSFER_NOT_FILED = "TRANSFER_NOT_FILED"
    NO_RECOGNITION_RECORD = "NO_RECOGNITION_RECORD"


class BillState(StrEnum):
    OPEN = "OPEN"
    SETTLED = "SETTLED"
    HELD = "HELD"
    REFUSED = "REFUSED"
    MANUAL = "MANUAL"


BILL_TRANSITIONS: Final[dict[BillState, frozenset[BillState]]] = {
    BillState.OPEN: frozenset(BillState) - {BillState.OPEN},
    BillState.HELD: frozenset(
        {BillState.SETTLED, BillState.REFUSED, BillState.MANUAL, BillState.OPEN}
    ),
    BillState.SETTLED: frozenset({BillState.OPEN}),
    BillState.REFUSED: frozenset({BillState.SETTLED, BillState.HELD, BillState.MANUAL}),
    BillState.MANUAL: frozenset(),
}


class HoldReason(StrEnum):
    """Why a bill waits 挂账."""

    CASE_UNDECIDED = "CASE_UNDECIDED"
    PENDING_CHECK = "PENDING_CHECK"
    ARREARS = "ARREARS"
    APPROVAL = "APPROVAL"
    THIRD_PARTY = "THIRD_PARTY"
    PRIOR_PAYMENT = "PRIOR_PAYMENT"
    AUDIT = "AUDIT"
    LINES_IN_REVIEW = "LINES_IN_REVIEW"
    POLICY_GAP = "POLICY_GAP"


class PaidAtDischargeBy(StrEnum):
    """Who pays the would-be fund share at the counter while the bill is held."""

    NOBODY = "nobody"
    EMPLOYER = "employer"
    INDIVIDUAL = "individual"


_DEATH_CODE: Final = "5"  # 离院方式代码 of the national medical record
DEATH: Final = frozenset({"死亡", _DEATH_CODE})
"""Ways of discharge 离院方式 that are a death: the word, and its code on the first page of the
national medical record."""


class Sex(StrEnum):
    """Sex as the identity number tells it 性别."""

    FEMALE = "FEMALE"
    MALE = "MALE"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One diagnosis by code of the national injury list (医保版)."""

    code: str
    name: str
    main: bool


@dataclass(frozen=True, slots=True)
class DaySpan:
    """Days from `first` to `last`, both counted; `taken_back` says that they were none."""

    first: date
    last: date
    taken_back: bool = False

    @property
    def days(self) -> frozenset[date]:
        """Every day of the span; none when it ends before it begins."""
        length = (self.last - self.first).days + 1
        return frozenset(self.first + timedelta(days=n) for n in range(length))


@dataclass(frozen=True, slots=True)
class Stay:
    """A registered stay as the rules see it, with the version read.

    `admitted_on` and `discharged_on` are the business days of the two instants. `born_on` and
    `sex` come from the identity number, None when the document does not tell them.
    `bmi_settlement_no` is the settlement of this stay in basic insurance, if the hospital says
    so; `payments` is who paid for it before the fund does; `cleared` are the audit rules whose
    suspicion a person took back; `stable_on` is the day on which the hospital found an emergency
    patient stable; `notified_by_employer` whether the employer told the hospital in writing that
    this is an injury at work, None when nobody said. `leave_days` are the whole days on leave
    请假 that the hospital told, `hanging_days` those that the agency found to be a hanging bed
    挂床; `meal_days`, of another stay of the person, are the days whose meal allowance its
    settlement in force pays. `open_cuts` are the cuts that wait for their final decision,
    `cut_lines` the lines they name; `posted_cuts` those that took money back from the settlement
    in force. `died` says that the discharge was a death.
    """

    admission_id: str
    version: int
    hospital: str
    visit_no: str
    person_id: str
    case_no: str
    state: AdmissionState
    refusal: str
    treatment: TreatmentKind
    emergency: bool
    approval_no: str
    admitted_at: datetime
    admitted_on: date
    discharged_at: datetime | None
    discharged_on: date | None
    registered_at: datetime
    diagnoses: tuple[Diagnosis, ...] = ()
    confirmed_by_agency: bool = False
    born_on: date | None = None
    sex: Sex | None = None
    registered_late: bool = False
    bmi_settlement_no: str = ""
    payments: tuple[PriorPayment, ...] = ()
    cleared: frozenset[str] = frozenset()
    stable_on: date | None = None
    notified_by_employer: bool | None = None
    leave_days: frozenset[date] = frozenset()
    hanging_days: frozenset[date] = frozenset()
    meal_days: frozenset[date] = frozenset()
    open_cuts: frozenset[str] = frozenset()
    cut_lines: frozenset[str] = frozenset()
    posted_cuts: frozenset[str] = frozenset()
    died: bool = False

    @property
    def last_day(self) -> date:
        """The day of discharge; before it, the only day known for certain."""
        return self.discharged_on or self.admitted_on
