"""case.report: the employer's report 报案 as it reached the agency, with who, when and how."""

from typing import Any

from gateway.clock import micros
from gateway.domain.case import CaseState
from gateway.domain.commands import ReportCase
from gateway.domain.findings import Finding
from gateway.domain.results import Acknowledged
from gateway.flows.case_status import (
    diagnosis_faults,
    injury_faults,
    report_faults,
    roster_faults,
    status_of,
)
from gateway.flows.desk import Caller, Desk
from gateway.flows.linking import linked, since_injury
from gateway.flows.persons import new_person
from gateway.flows.plan import Act, Plan, applied, refused
from gateway.flows.waiting import look_again
from gateway.store import tables
from gateway.store.cases import case_by_no, cases_of_person
from gateway.store.frozen import plain
from gateway.store.persons import Person, person_by_identity, same_name
from gateway.store.rows import canonical, day_text
from gateway.store.stays import StayFile, stays_of_person
from gateway.store.unit import Change, Insert, Write


async def report_case(desk: Desk, caller: Caller, command: ReportCase) -> Plan:
    """Open a case in REPORTED; stays since the injury, registered before it, find it by the
    person."""
    faults = _faults(desk, command)
    if faults:
        return refused(*faults)
    async with desk.database.reading() as reader:
        if await case_by_no(reader, command.case_no) is not None:
            return refused(Finding("CASE_EXISTS", field="CaseNo", got=command.case_no))
        person = await person_by_identity(reader, command.person)
        if person is None:
            person_id, made = new_person(reader, command.person)
            return _opened(desk, command, person_id, made, [])
        named_by_us = bool(await cases_of_person(reader, person.person_id))
        if named_by_us and not same_name(person, command.person):
            return refused(Finding("PERSON_MISMATCH", field="Name"))
        stays = await stays_of_person(reader, person.person_id)
    return _opened(desk, command, person.person_id, (_touched(person, command),), stays)


def _faults(desk: Desk, command: ReportCase) -> list[Finding]:
    """Neither the injury nor its report lies ahead."""
    return [
        *injury_faults(desk.today, command.injured_on),
        *report_faults(desk, command.reported_at),
        *diagnosis_faults(desk.today, command.injured_on, command.diagnosed_on),
        *roster_faults(
            desk.today,
            command.diagnosed_on or command.injured_on,
            command.roster_received_on,
            command.insured_at_injury,
        ),
    ]


def _touched(person: Person, command: ReportCase) -> Write:
    """A known person's version moves, so that a registration racing with it decides anew; the
    agency's name replaces what a hospital called the person before."""
    where = {"person_id": person.person_id, "version": person.version}
    values: dict[str, Any] = {"version": person.version + 1}
    if not same_name(person, command.person):
        values["name"] = command.person.name
    return Change(tables.person, where, values)


def _opened(
    desk: Desk,
    command: ReportCase,
    person_id: str,
    made: tuple[Write, ...],
    stays: list[StayFile],
) -> Plan:
    waiting = since_injury(stays, command.injured_on)
    return applied(
        Acknowledged(subject=command.case_no, state=CaseState.REPORTED),
        subject=command.case_no,
        writes=(
            *made,
            Insert(tables.work_case, [_row(command, person_id)]),
            *linked(waiting, command.case_no),
            *look_again(desk, waiting, f"case {command.case_no}"),
        ),
        acts=(
            Act(
                action="case.report",
                subject=command.case_no,
                to_state=CaseState.REPORTED,
                reason=f"{command.reported_by} {command.channel}",
            ),
        ),
    )


def _row(command: ReportCase, person_id: str) -> dict[str, object]:
    insured = command.insured_at_injury
    detail = {
        "employer_name": command.employer_name,
        "injured_parts": command.injured_parts,
        "diagnoses": plain(command.diagnoses),
        "reported_by": command.reported_by,
        "status": status_of(command),
    }
    return {
        "case_no": command.case_no,
        "version": 1,
        "person_id": person_id,
        "employer_no": command.employer_no,
        "state": CaseState.REPORTED.value,
        "injured_on": command.injured_on.isoformat(),
        "reported_us": micros(command.reported_at),
        "channel": command.channel.value,
        "insured_at_injury": None if insured is None else int(insured),
        "third_party": command.third_party.value,
        "traffic_accident": int(command.traffic_accident),
        "litigation": 0,
        "disputed": int(command.disputed),
        "relation_ended_on": None,
        "applied_on": None,
        "applied_by": None,
        "accepted_on": None,
        "decided_on": None,
        "decision_no": "",
        "authority": "",
        "diagnosed_on": day_text(command.diagnosed_on),
        "application_extended_to": None,
        "supplement_by": None,
        "detail": canonical(detail),
    }
