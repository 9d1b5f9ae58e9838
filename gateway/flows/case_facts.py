"""What the agency tells about a case beside its decision: approvals, arrears, stops, card.

Each fact is one row under the case or employer; the versions of the cases it belongs to
move with it, so that a settlement racing with it decides anew.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from gateway.domain.admission import LIVE
from gateway.domain.case import REFUSED_DISCHARGE, ApprovalKind, CaseFacts
from gateway.domain.commands import (
    DecideApproval,
    ReportCard,
    StopBenefit,
    UpdateEmployer,
)
from gateway.domain.findings import Finding
from gateway.domain.results import Acknowledged
from gateway.flows.desk import Caller, Desk
from gateway.flows.plan import Act, Plan, applied, refused
from gateway.flows.waiting import decide_again, look_again, touched, touched_acts
from gateway.rules.resolve import rescue_mark
from gateway.store import tables
from gateway.store.cases import case_by_no, cases_of_employer, subjects
from gateway.store.database import Reader
from gateway.store.persons import person_by_identity, same_name
from gateway.store.rows import canonical
from gateway.store.stays import StayFile, related_lines, stays_of_cases
from gateway.store.unit import Change, Upsert, Write

_ONE_STAY = "以医院和日期限定到一次住院 / one stay, by hospital and days"


async def decide_approval(desk: Desk, caller: Caller, command: DecideApproval) -> Plan:
    """An approval granted, or taken back by its number. One for rescue pays the lines that it
    names only in the stay, and with the content, that they have now."""
    async with desk.database.reading() as reader:
        stays = await stays_of_cases(reader, [command.case_no])
        case = stays[0].case if stays else await case_by_no(reader, command.case_no)
        if case is None:
            return refused(Finding("CASE_NOT_FOUND", "CaseNo", command.case_no))
        if command.valid_to < command.valid_from:
            return refused(Finding("VALUE_CONFLICT", "ValidTo", str(command.valid_to)))
        marks = await _marks(reader, command, stays)
    faults = [fault for fault in map(_mark_fault, marks.items()) if fault is not None]
    if faults:
        return refused(*faults, subject=case.case_no)
    content = {
        "approval_no": command.approval_no,
        "kind": command.kind.value,
        "hospital": command.hospital,
        "valid_from": command.valid_from.isoformat(),
        "valid_to": command.valid_to.isoformat(),
        "authority": command.authority,
        "by": command.by,
        "line_ids": sorted(found for listed in marks.values() for found in listed),
        "granted": command.granted,
    }
    fact = _fact(desk, _case_subject(case), "approval", command.approval_no, content)
    reason = f"{command.authority} {command.by}"
    return _told(desk, [case], stays, fact, "approval.decide", command.approval_no, reason)


async def stop_benefit(desk: Desk, caller: Caller, command: StopBenefit) -> Plan:
    """停止享受工伤保险待遇 needs a served decision with a day it starts (第四十二条); a
    refused discharge counts from the day that the notice was served, never before."""
    async with desk.database.reading() as reader:
        case = await case_by_no(reader, command.case_no)
        if case is None:
            return refused(Finding("CASE_NOT_FOUND", "CaseNo", command.case_no))
        if command.ground == REFUSED_DISCHARGE and command.valid_from < command.served_on:
            expected = f">= {command.served_on}"
            got = str(command.valid_from)
            return refused(Finding("VALUE_CONFLICT", "ValidFrom", got, expected))
        stays = await stays_of_cases(reader, [case.case_no])
    content = {
        "valid_from": command.valid_from.isoformat(),
        "valid_to": command.valid_to.isoformat() if command.valid_to else None,
        "ground": command.ground,
        "notice_no": command.notice_no,
        "served_on": command.served_on.isoformat(),
    }
    fact = _fact(desk, _case_subject(case), "stop", command.notice_no, content)
    return _told(desk, [case], stays, fact, "benefit.stop", command.notice_no, command.ground)


async def update_employer(desk: Desk, caller: Caller, command: UpdateEmployer) -> Plan:
    """Arrears begin, or end on the day everything with its late fee was paid; or an employer
    that was not insured joins (第六十二条)."""
    async with desk.database.reading() as reader:
        cases = await cases_of_employer(reader, command.employer_no)
        stays = await stays_of_cases(reader, [case.case_no for case in cases])
    content = {
        "since": command.arrears_since.isoformat(),
        "settled_on": command.settled_on.isoformat() if command.settled_on else None,
    }
    subject = f"employer:{command.employer_no}"
    kind, fact_no = "arrears", command.arrears_since.isoformat()
    if command.joined_on is not None:
        # Days before joining were uninsured: they are no arrears of an insured employer.
        kind, fact_no = "joined", command.joined_on.isoformat()
        content["joined_on"] = fact_no
    fact = _fact(desk, subject, kind, fact_no, content)
    return _told(desk, cases, stays, fact, "employer.update", command.employer_no, "")


async def report_card(desk: Desk, caller: Caller, command: ReportCard) -> Plan:
    """挂失 and its end take effect at once; benefits are never refused for a lost card."""
    async with desk.database.reading() as reader:
        person = await person_by_identity(reader, command.person)
    if person is None or not same_name(person, command.person):
        return refused(Finding("PERSON_MISMATCH", "IdNo"))
    where = {"person_id": person.person_id, "version": person.version}
    values = {"card_lost": int(command.lost), "version": person.version + 1}
    return applied(
        Acknowledged(subject=person.person_id, state="LOST" if command.lost else "FOUND"),
        subject=person.person_id,
        writes=(Change(tables.person, where, values),),
        acts=(Act(action="person.card", subject=person.person_id, code=command.channel),),
    )


async def _marks(
    reader: Reader, command: DecideApproval, stays: Iterable[StayFile]
) -> dict[str, list[str]]:
    """What the approval names, by line id: for rescue the lines of the case's stays that it can
    mean, by hospital and day; for every other kind the id itself."""
    if command.kind is not ApprovalKind.EMERGENCY_ITEM or not command.granted:
        return {line_id: [line_id] for line_id in command.line_ids}
    marks: dict[str, list[str]] = {line_id: [] for line_id in command.line_ids}
    for stay in (file.stay for file in stays):
        if stay.state not in LIVE or command.hospital not in ("", stay.hospital):
            continue
        for line in (await related_lines(reader, stay.admission_id, marks)).values():
            in_force = command.valid_from <= line.service_day <= command.valid_to
            if line.line_id in marks and in_force and not line.refund_of:
                marks[line.line_id].append(rescue_mark(stay.admission_id, line))
    return marks


def _mark_fault(named: tuple[str, list[str]]) -> Finding | None:
    """A line approved for rescue is there when it is approved, and in one stay only."""
    line_id, marks = named
    if not marks:
        return Finding("LINE_NOT_FOUND", "LineId", line_id, "", line_id)
    if len(marks) > 1:
        stays = " ".join(mark.partition("/")[0] for mark in marks)
        return Finding("VALUE_CONFLICT", "LineId", stays, _ONE_STAY, line_id)
    return None


def _case_subject(case: CaseFacts) -> str:
    return subjects(case.case_no, case.employer_no)[0]


def _fact(desk: Desk, subject: str, kind: str, fact_no: str, content: dict[str, Any]) -> Write:
    row = {
        "subject": subject,
        "kind": kind,
        "fact_no": fact_no,
        "content": canonical(content),
        "at_us": desk.now_us,
    }
    return Upsert(tables.case_fact, [row])


def _told(
    desk: Desk,
    cases: Sequence[CaseFacts],
    stays: Sequence[StayFile],
    fact: Write,
    action: str,
    number: str,
    reason: str,
) -> Plan:
    subject = cases[0].case_no if len(cases) == 1 else number
    cause = f"{action} {number}"
    return applied(
        Acknowledged(subject=number),
        subject=subject,
        writes=(
            fact,
            *_moved(cases),
            *look_again(desk, stays, cause),
            *decide_again(desk, stays, cause),
        ),
        acts=(
            Act(action=action, subject=subject, code=number, reason=reason),
            *touched_acts(stays, number),
        ),
        notices=touched(desk, stays, cause),
    )


def _moved(cases: Iterable[CaseFacts]) -> tuple[Write, ...]:
    return tuple(
        Change(
            tables.work_case,
            {"case_no": case.case_no, "version": case.version},
            {"version": case.version + 1},
        )
        for case in cases
    )
