"""case.decide: a step or decision of the department; held bills are looked at again.

社会保险行政部门应当自受理工伤认定申请之日起60日内作出工伤认定的决定。（工伤保险条例 第二十条）
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any, Final

from gateway.clock import micros
from gateway.domain.case import POSITIVE, TRANSITIONS, CaseFacts, CaseState
from gateway.domain.commands import DecideCase
from gateway.domain.findings import Finding
from gateway.domain.results import Acknowledged
from gateway.flows.case_status import (
    diagnosis_faults,
    employer_faults,
    extension_faults,
    grade_faults,
    injury_faults,
    personal_of,
    report_faults,
    roster_faults,
    status_of,
    tie_faults,
)
from gateway.flows.desk import Caller, Desk
from gateway.flows.linking import linked, since_injury
from gateway.flows.plan import Act, Plan, applied, refused
from gateway.flows.waiting import (
    correction_acts,
    correction_notices,
    decide_again,
    look_again,
    reopen,
    reopens,
)
from gateway.store import tables
from gateway.store.cases import case_by_no, case_detail
from gateway.store.database import Reader
from gateway.store.rows import canonical, day_text
from gateway.store.stays import StayFile, stays_of_cases, stays_of_person
from gateway.store.unit import Change, Write

_DAYS: Final = (
    *("applied_on", "accepted_on", "relation_ended_on", "injured_on"),
    *("diagnosed_on", "application_extended_to", "supplement_by"),
)
_FLAGS: Final = ("insured_at_injury", "litigation", "disputed", "traffic_accident")


async def decide_case(desk: Desk, caller: Caller, command: DecideCase) -> Plan:
    """Move the case to its new state; the same state again may only add or correct facts."""
    async with desk.database.reading() as reader:
        case = await case_by_no(reader, command.case_no)
        if case is None:
            return refused(Finding("CASE_NOT_FOUND", field="CaseNo", got=command.case_no))
        faults = _all_faults(desk, case, command)
        if faults:
            return refused(*faults, subject=case.case_no)
        tells = status_of(command) or personal_of(command)
        detail = await case_detail(reader, case.case_no) if tells else None
        found = await _found(reader, case, command)
        stays = [*await stays_of_cases(reader, [case.case_no]), *found]
    return applied(
        Acknowledged(subject=case.case_no, state=command.state),
        subject=case.case_no,
        writes=(
            _case(case, command, detail),
            *linked(found, case.case_no),
            *_looked_at(desk, stays, _decision(command)),
        ),
        acts=(_step(case, command), *correction_acts(stays, command.decision_no)),
        notices=correction_notices(desk, stays, f"case.decide {_decision(command)}"),
    )


async def _found(reader: Reader, case: CaseFacts, command: DecideCase) -> list[StayFile]:
    """The stays that find the case by the corrected day of the injury, as by its report."""
    if command.injured_on is None:
        return []
    return since_injury(await stays_of_person(reader, case.person_id), command.injured_on)


def _decision(command: DecideCase) -> str:
    """By what the step is known: its number, else the state it led to."""
    return command.decision_no or command.state


def _case(case: CaseFacts, command: DecideCase, detail: dict[str, Any] | None) -> Change:
    """The case in its new state, with the facts of worker and report that the message told."""
    values = {"version": case.version + 1, **_values(case, command)}
    if detail is not None:
        status = detail.get("status", {}) | status_of(command)
        values["detail"] = canonical(detail | personal_of(command) | {"status": status})
    return Change(tables.work_case, {"case_no": case.case_no, "version": case.version}, values)


def _looked_at(desk: Desk, stays: Sequence[StayFile], decision: str) -> tuple[Write, ...]:
    """The stays of the case again: waiting ones, refused ones, and settled ones."""
    refused_before = [file for file in stays if reopens(file)]
    waiting = [file for file in stays if not reopens(file)]
    return (
        *look_again(desk, waiting, f"decision {decision}"),
        *reopen(desk, refused_before, decision),
        *decide_again(desk, stays, f"decision {decision}"),
    )


def _step(case: CaseFacts, command: DecideCase) -> Act:
    return Act(
        action="case.decide",
        subject=case.case_no,
        from_state=case.state,
        to_state=command.state,
        code=command.decision_no,
        reason=f"{command.authority} {command.reason}",
        decided_on=command.decided_on,
    )


def _all_faults(desk: Desk, case: CaseFacts, command: DecideCase) -> list[Finding]:
    today, told = desk.today, _as_told(case, command)
    return [
        *report_faults(desk, command.reported_at),
        *employer_faults(case, command),
        *_faults(case, command),
        *_date_faults(today, told, command),
        *_status_faults(today, told, command),
        *_moved_days(case, command),
    ]


def _as_told(case: CaseFacts, command: DecideCase) -> CaseFacts:
    """The case with the days that the message tells of its event and of the employer's time."""
    return replace(
        case,
        injured_on=command.injured_on or case.injured_on,
        diagnosed_on=command.diagnosed_on or case.diagnosed_on,
        application_extended_to=command.application_extended_to or case.application_extended_to,
    )


def _faults(case: CaseFacts, command: DecideCase) -> list[Finding]:
    """A transition not in the table, and facts a positive decision cannot do without."""
    faults = []
    allowed = TRANSITIONS[case.state]
    if command.state is not case.state and command.state not in allowed:
        expected = ", ".join(sorted(allowed)) or "-"
        faults.append(Finding("CASE_TRANSITION", "State", command.state, expected))
    if command.supplement_by is not None and command.state is not CaseState.SUPPLEMENTING:
        said, only = str(command.supplement_by), f"State {CaseState.SUPPLEMENTING}"
        faults.append(Finding("VALUE_CONFLICT", "SupplementBy", said, only))
    if command.state in POSITIVE:
        known = {
            "AppliedOn": command.applied_on or case.applied_on,
            "AcceptedOn": command.accepted_on or case.accepted_on,
            "DecisionNo": command.decision_no or case.decision_no,
        }
        missing = [name for name, value in known.items() if not value]
        faults += [Finding("VALUE_CONFLICT", name, "", "a value") for name in missing]
    return faults


def _status_faults(today: date, told: CaseFacts, command: DecideCase) -> list[Finding]:
    """Facts of the worker that contradict one another or what is on record."""
    received = command.roster_received_on or told.roster_received_on
    said = command.insured_at_injury
    insured = told.insured_at_injury if said is None else said
    return [
        *injury_faults(today, command.injured_on),
        *diagnosis_faults(today, told.injured_on, told.diagnosed_on),
        *roster_faults(today, told.event_day, received, insured),
        *grade_faults(told, command),
        *extension_faults(told),
        *tie_faults(told),
    ]


def _moved_days(case: CaseFacts, command: DecideCase) -> list[Finding]:
    """There was one application, accepted once: a case that goes on after it was suspended or
    revoked has no other day for the employer's costs to end on (第十七条第四款、第二十条第三款).
    Only the state that it has, sent again, corrects one."""
    if command.state is case.state:
        return []
    days = (
        ("AppliedOn", command.applied_on, case.applied_on),
        ("AcceptedOn", command.accepted_on, case.accepted_on),
    )
    return [
        Finding("VALUE_CONFLICT", name, str(said), str(known))
        for name, said, known in days
        if said is not None and known is not None and said != known
    ]


def _date_faults(today: date, told: CaseFacts, command: DecideCase) -> list[Finding]:
    """Injury, application, acceptance and decision follow one another; none lies ahead.
    Of days on record only the order is asked: they were not ahead when they came."""
    given = (
        ("AppliedOn", command.applied_on, told.applied_on),
        ("AcceptedOn", command.accepted_on, told.accepted_on),
        ("DecidedOn", command.decided_on, None),
    )
    faults, earlier = [], told.event_day
    for name, said, known in given:
        day = said or known
        if day is None:
            continue
        if day < earlier:
            faults.append(Finding("VALUE_CONFLICT", name, str(day), f">= {earlier}"))
        if said is not None and said > today:
            faults.append(Finding("VALUE_CONFLICT", name, str(said), f"<= {today}"))
        earlier = max(earlier, day)
    return faults


def _values(case: CaseFacts, command: DecideCase) -> dict[str, Any]:
    """What the message says replaces what was known; what it leaves out stays."""
    values: dict[str, Any] = {
        "state": command.state.value,
        "decided_on": command.decided_on.isoformat(),
        "authority": command.authority,
        "decision_no": command.decision_no or case.decision_no,
        "employer_no": command.employer_no or case.employer_no,
    }
    for name in _DAYS:
        if getattr(command, name) is not None:
            values[name] = day_text(getattr(command, name))
    if command.reported_at is not None:
        values["reported_us"] = micros(command.reported_at)
    for name in _FLAGS:
        if getattr(command, name) is not None:
            values[name] = int(getattr(command, name))
    for name in ("third_party", "applied_by"):
        if getattr(command, name) is not None:
            values[name] = getattr(command, name).value
    return values
