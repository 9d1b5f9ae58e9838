"""What the agency tells of the worker's cover, diagnosis, grade and retirement, with a case's
report or decision."""

from datetime import date, datetime
from typing import Any, Final

from gateway.domain.case import CaseFacts, EmploymentTie, Grade
from gateway.domain.commands import DecideCase, ReportCase
from gateway.domain.findings import Finding
from gateway.flows.dates import in_future
from gateway.flows.desk import Desk
from gateway.store.frozen import plain

_NAMES: Final = ("roster_received_on", "underpaid", "grade", "lump_sum_on", "retired_on")


def status_of(command: ReportCase | DecideCase) -> dict[str, Any]:
    """What the message says of them, as it is kept; what it leaves out is not there."""
    told = {name: plain(getattr(command, name, None)) for name in _NAMES}
    return {name: value for name, value in told.items() if value is not None}


def personal_of(command: DecideCase) -> dict[str, Any]:
    """What the message corrects of the personal part of the report."""
    told = {"employer_name": command.employer_name, "diagnoses": plain(command.diagnoses)}
    return {name: value for name, value in told.items() if value}


def report_faults(desk: Desk, reported_at: datetime | None) -> list[Finding]:
    """No report lies ahead."""
    if reported_at is None or not in_future(desk, reported_at):
        return []
    return [Finding("VALUE_CONFLICT", "ReportedAt", reported_at.isoformat(), f"<= {desk.today}")]


def employer_faults(case: CaseFacts, command: DecideCase) -> list[Finding]:
    """The employer of the report is told with its name, and is none of those named beside it."""
    number = command.employer_no
    if number and not command.employer_name:
        return [Finding("VALUE_CONFLICT", "EmployerName", "", "a value")]
    if number not in {one.employer_no for one in case.others}:
        return []
    return [Finding("VALUE_CONFLICT", "EmployerNo", number, f"!= {number}")]


def injury_faults(today: date, injured_on: date | None) -> list[Finding]:
    """No injury lies ahead."""
    if injured_on is None or injured_on <= today:
        return []
    return [Finding("VALUE_CONFLICT", "InjuredOn", str(injured_on), f"<= {today}")]


def diagnosis_faults(today: date, injured_on: date, diagnosed_on: date | None) -> list[Finding]:
    """An occupational disease is diagnosed when it is there, and not in days to come."""
    if diagnosed_on is None or injured_on <= diagnosed_on <= today:
        return []
    return [Finding("VALUE_CONFLICT", "DiagnosedOn", str(diagnosed_on), f"{injured_on} – {today}")]


def roster_faults(
    today: date, event: date, received_on: date | None, insured: bool | None
) -> list[Finding]:
    """A roster that was received later than the event insured nobody at it; what holds on the very
    day the text of the region says, so nobody else may. Under an earlier one the worker may have
    been insured at the event or no more."""
    if received_on is None:
        return []
    if received_on > today:
        return [Finding("VALUE_CONFLICT", "RosterReceivedOn", str(received_on), f"<= {today}")]
    if not insured or received_on <= event:
        return []
    return [Finding("VALUE_CONFLICT", "RosterReceivedOn", str(received_on), f"<= {event}")]


def grade_faults(case: CaseFacts, command: DecideCase) -> list[Finding]:
    """Benefits taken at once belong to a grade; who has none took none."""
    if command.lump_sum_on is None:
        return []
    grade = command.grade or case.grade
    if grade in (Grade.ONE_TO_FOUR, Grade.FIVE_TO_TEN):
        return []
    expected = f"{Grade.ONE_TO_FOUR} | {Grade.FIVE_TO_TEN}"
    return [Finding("VALUE_CONFLICT", "Grade", "" if grade is None else grade.value, expected)]


def extension_faults(told: CaseFacts) -> list[Finding]:
    """The department extends a limit that began with the event (第十七条第一款)."""
    last, event = told.application_extended_to, told.event_day
    if last is None or last > event:
        return []
    return [Finding("VALUE_CONFLICT", "ApplicationExtendedTo", str(last), f"> {event}")]


def tie_faults(told: CaseFacts) -> list[Finding]:
    """Whoever employed the worker at the injury did so by that day; who took over may have done
    it since (第四十三条)."""
    ties = [one.since for one in told.others if one.tie is not EmploymentTie.SUCCESSION]
    first = max(ties, default=told.event_day)
    if first <= told.event_day:
        return []
    name = "InjuredOn" if told.diagnosed_on is None else "DiagnosedOn"
    return [Finding("VALUE_CONFLICT", name, str(told.event_day), f">= {first}")]
