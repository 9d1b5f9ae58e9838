"""期限 What clocks run on: the calendar of working days, and the facts that start a clock."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from gateway.domain.admission import AdmissionState
from gateway.domain.case import ApprovalKind, CaseState, TreatmentKind
from gateway.domain.cut import CutState
from gateway.domain.party import Party


class WorkingDays(Protocol):
    """The calendar of working days 工作日, make-up days included."""

    def deadline(self, start: date, working_days: int) -> date | None:
        """The day `working_days` after `start`; None when the calendar is not loaded so far."""
        ...


@dataclass(frozen=True, slots=True)
class OpenCase:
    """A case that is not decided yet. `suspended_days` are the days of 中止 that have ended, since
    `revoked_on`, the day on which the last decision was revoked, if one was; `event_day` is the
    injury or the diagnosis, `extended_to` the last day for the employer as the department extended
    it; `decided_on` the day of the last step, `supplement_by` the last day to supply documents,
    `reported_on` the day on which the accident was reported."""

    case_no: str
    state: CaseState
    event_day: date
    applied_on: date | None
    accepted_on: date | None
    suspended_days: int
    extended_to: date | None = None
    decided_on: date | None = None
    supplement_by: date | None = None
    reported_on: date | None = None
    revoked_on: date | None = None

    @property
    def clock_from(self) -> date | None:
        """The acceptance from which the department's time runs; None until it is told, for after a
        revocation the first one is no day of the decision that has to be taken anew."""
        accepted, revoked = self.accepted_on, self.revoked_on
        before = accepted is not None and revoked is not None and accepted < revoked
        return None if before else accepted


@dataclass(frozen=True, slots=True)
class OpenStay:
    """A registered stay that is not closed, in an `institution`.

    Of an emergency, `admitted_at`, `registered_at` and `reported_at` are the moments, in business
    time, of the admission, of its registration and of the report of the case.
    """

    admission_id: str
    hospital: str
    state: AdmissionState
    case_no: str
    admitted_on: date
    registered_on: date
    late: bool
    treatment: TreatmentKind = TreatmentKind.INPATIENT
    emergency: bool = False
    institution: Party | None = None
    admitted_at: datetime | None = None
    registered_at: datetime | None = None
    reported_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class OpenApplication:
    """An application for an approval that is not decided yet; `transferred_on` is the day of a
    referral made in urgency before its papers."""

    application_id: str
    hospital: str
    kind: ApprovalKind
    applied_on: date
    transferred_on: date | None


@dataclass(frozen=True, slots=True)
class OpenCut:
    """A cut that waits for its notice, for the hospital's answer or for the final decision."""

    cut_no: str
    hospital: str
    state: CutState
    raised_on: date
    noticed_on: date | None
    heard_on: date | None


@dataclass(frozen=True, slots=True)
class OpenMonth:
    """A hospital's settlements of one month that wait to be filed; `last_day` is the day of
    the last of them."""

    hospital: str
    month: str
    last_day: date
    settlements: int
