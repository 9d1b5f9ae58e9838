"""What runs: cases not decided, stays not closed, months not filed; no sealed column is opened.

The days of an accident and of an admission, by case and stay, are facts of a person all the same:
whoever is shown them is recorded.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import func, select

from gateway.clock import BUSINESS_ZONE, business_day, instant
from gateway.domain.admission import OPEN, AdmissionState
from gateway.domain.case import ApprovalKind, CaseState, TreatmentKind
from gateway.domain.clocks import OpenApplication, OpenCase, OpenMonth, OpenStay
from gateway.store.database import Reader
from gateway.store.registry import parties
from gateway.store.rows import day
from gateway.store.standing import itself
from gateway.store.tables import (
    admission,
    application,
    application_answer,
    audit,
    settlement,
    work_case,
)

_UNDECIDED: Final = (
    CaseState.REPORTED,
    CaseState.APPLIED,
    CaseState.SUPPLEMENTING,
    CaseState.ACCEPTED,
    CaseState.SUSPENDED,
)
_STEP: Final = ("subject", "from_state", "to_state", "decided_on", "at_us")


async def open_cases(reader: Reader) -> list[OpenCase]:
    """Every case on which the department or a party still has to act."""
    query = (
        select(
            work_case.c.case_no,
            work_case.c.state,
            work_case.c.injured_on,
            work_case.c.diagnosed_on,
            work_case.c.application_extended_to,
            work_case.c.applied_on,
            work_case.c.accepted_on,
            work_case.c.decided_on,
            work_case.c.supplement_by,
            work_case.c.reported_us,
        )
        .where(work_case.c.state.in_([state.value for state in _UNDECIDED]))
        .order_by(work_case.c.case_no)
    )
    rows = await reader.rows(query)
    stood = await _stood(reader)
    return [
        OpenCase(
            case_no=row["case_no"],
            state=CaseState(row["state"]),
            event_day=date.fromisoformat(row["diagnosed_on"] or row["injured_on"]),
            applied_on=day(row["applied_on"]),
            accepted_on=day(row["accepted_on"]),
            suspended_days=stood[row["case_no"]].days,
            extended_to=day(row["application_extended_to"]),
            decided_on=day(row["decided_on"]),
            supplement_by=day(row["supplement_by"]),
            reported_on=business_day(instant(row["reported_us"])),
            revoked_on=stood[row["case_no"]].revoked_on,
        )
        for row in rows
    ]


@dataclass(slots=True)
class _Stood:
    """What the department's time did not run in: the days of the suspensions that have ended since
    the last revocation, the first day of the latest, and the day of that revocation."""

    days: int = 0
    since: date | None = None
    revoked_on: date | None = None

    def step(self, from_state: str, to_state: str, on: date) -> None:
        if to_state == CaseState.REVOKED:
            self.days, self.revoked_on = 0, on
        elif to_state == CaseState.SUSPENDED:
            self.since = on
        elif from_state == CaseState.SUSPENDED and self.since is not None:
            self.days += max((on - self.since).days, 0)


async def _stood(reader: Reader) -> dict[str, _Stood]:
    """Of each case, by the steps on record that led into a suspension, out of one or to a
    revocation."""
    led_to = audit.c.to_state.in_([CaseState.SUSPENDED.value, CaseState.REVOKED.value])
    query = (
        select(*(audit.c[name] for name in _STEP))
        .where(
            audit.c.action == "case.decide",
            audit.c.from_state != audit.c.to_state,
            led_to | (audit.c.from_state == CaseState.SUSPENDED.value),
        )
        .order_by(audit.c.at_us)
    )
    found: dict[str, _Stood] = defaultdict(_Stood)
    for one in await reader.rows(query):
        found[one["subject"]].step(one["from_state"], one["to_state"], _decided_on(one))
    return found


def _decided_on(step: Mapping[str, Any]) -> date:
    """The day of the decision, where it was told; else that on which the message came."""
    return day(step["decided_on"]) or business_day(instant(step["at_us"]))


async def open_stays(reader: Reader) -> list[OpenStay]:
    """Every registered stay that is not closed."""
    institutions = {one.party_id: one for one in await parties(reader)}
    query = (
        select(
            admission.c.admission_id,
            admission.c.hospital,
            admission.c.state,
            admission.c.case_no,
            admission.c.admitted_us,
            admission.c.registered_us,
            admission.c.late,
            admission.c.treatment,
            admission.c.emergency,
            work_case.c.reported_us,
        )
        .outerjoin(work_case, work_case.c.case_no == admission.c.case_no)
        .where(admission.c.state.in_([state.value for state in OPEN]))
        .order_by(admission.c.admission_id)
    )
    return [
        OpenStay(
            admission_id=row["admission_id"],
            hospital=row["hospital"],
            state=AdmissionState(row["state"]),
            case_no=row["case_no"],
            admitted_on=business_day(instant(row["admitted_us"])),
            registered_on=business_day(instant(row["registered_us"])),
            late=bool(row["late"]),
            treatment=TreatmentKind(row["treatment"]),
            emergency=bool(row["emergency"]),
            institution=institutions.get(row["hospital"]),
            admitted_at=_moment(row["admitted_us"]),
            registered_at=_moment(row["registered_us"]),
            reported_at=None if row["reported_us"] is None else _moment(row["reported_us"]),
        )
        for row in await reader.rows(query)
    ]


def _moment(at_us: int) -> datetime:
    return instant(at_us).astimezone(BUSINESS_ZONE)


async def open_applications(reader: Reader) -> list[OpenApplication]:
    """Every application for an approval that waits for its decision."""
    query = (
        select(
            application.c.application_id,
            application.c.hospital,
            application.c.kind,
            application.c.applied_on,
            application.c.transferred_on,
        )
        .outerjoin(
            application_answer,
            application_answer.c.application_id == application.c.application_id,
        )
        .where(application_answer.c.application_id.is_(None))
        .order_by(application.c.application_id)
    )
    return [
        OpenApplication(
            application_id=row["application_id"],
            hospital=row["hospital"],
            kind=ApprovalKind(row["kind"]),
            applied_on=date.fromisoformat(row["applied_on"]),
            transferred_on=day(row["transferred_on"]),
        )
        for row in await reader.rows(query)
    ]


async def open_months(reader: Reader) -> list[OpenMonth]:
    """Each hospital's months with settlements that are not filed yet."""
    month = func.substr(settlement.c.business_day, 1, len("2026-03")).label("month")
    query = (
        select(
            settlement.c.hospital,
            month,
            func.max(settlement.c.business_day).label("last_day"),
            func.count().label("settlements"),
        )
        .where(itself(settlement), settlement.c.state == "SETTLED")
        .group_by(settlement.c.hospital, month)
        .order_by(settlement.c.hospital, month)
    )
    return [
        OpenMonth(
            hospital=row["hospital"],
            month=row["month"],
            last_day=date.fromisoformat(row["last_day"]),
            settlements=row["settlements"],
        )
        for row in await reader.rows(query)
    ]
