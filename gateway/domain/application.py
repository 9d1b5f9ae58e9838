"""审批申请 What a hospital applies for, and what became of it."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from gateway.domain.admission import Diagnosis
from gateway.domain.case import ApprovalKind


class ApplicationState(StrEnum):
    APPLIED = "APPLIED"
    DECIDED = "DECIDED"
    CANCELLED = "CANCELLED"


TRANSITIONS: Final[dict[ApplicationState, frozenset[ApplicationState]]] = {
    ApplicationState.APPLIED: frozenset({ApplicationState.DECIDED, ApplicationState.CANCELLED}),
    ApplicationState.DECIDED: frozenset(),
    ApplicationState.CANCELLED: frozenset(),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedItem:
    """One thing planned or asked for: a course of rehabilitation, a device, an item for rescue."""

    name: str
    code: str = ""
    times: int | None = None
    price: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The content of an application: what for, when, where and why; its cost in fen.

    `prolongs` is the approval that this one would prolong; `transferred_on` the day of a
    referral made in urgency before any paper.
    """

    kind: ApprovalKind
    wanted_from: date
    wanted_to: date
    admission_id: str = ""
    place: str = ""
    opinion: str = ""
    effect: str = ""
    cost_fen: int | None = None
    prolongs: str = ""
    transferred_on: date | None = None
    items: tuple[PlannedItem, ...] = ()
    diagnoses: tuple[Diagnosis, ...] = ()
    line_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """An application as it stands, with its one answer: decided, or cancelled, on a day."""

    application_id: str
    hospital: str
    case_no: str
    state: ApplicationState
    applied_on: date
    wanted: Wanted
    granted: bool | None = None
    approval_no: str = ""
    reason: str = ""
    answered_on: date | None = None


NEEDS: Final[dict[ApprovalKind, tuple[str, ...]]] = {
    ApprovalKind.REFERRAL: ("place", "opinion"),
    ApprovalKind.REMOTE_RESIDENCE: ("place",),
    ApprovalKind.CROSS_PROVINCE: ("place",),
    ApprovalKind.PAID_LEAVE_EXTENSION: ("opinion", "diagnoses"),
    ApprovalKind.REHABILITATION: ("items", "effect", "cost_fen"),
    ApprovalKind.RELAPSE: ("opinion", "diagnoses"),
    ApprovalKind.DEVICE: ("items", "opinion", "cost_fen"),
    ApprovalKind.EMERGENCY: ("opinion",),
    ApprovalKind.EMERGENCY_ITEM: ("admission_id", "opinion", "line_ids"),
}
"""What an application of each kind has to say beside its days."""

REPEATED: Final = frozenset({ApprovalKind.DEVICE, ApprovalKind.EMERGENCY_ITEM})
"""Kinds for which several applications may be open from the same day."""
