"""What the agency tells about a case beside its decision: approvals, arrears, stops, card.

Each fact is one row under the case or employer; the versions of the cases it belongs to
move with it, so that a settlement racing with it decides anew.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from gateway.domain.admission import LIVE
from gateway.domain.case import (
    CONDITION_LOST,
    ROLES,
    ApprovalKind,
    CaseFacts,
    EmploymentTie,
    OtherEmployer,
    PaidLeave,
)
from gateway.domain.commands import (
    DecideApproval,
    DecidePaidLeave,
    NameEmployer,
    ReportCard,
    StopBenefit,
    UpdateEmployer,
)
from gateway.domain.findings import Finding
from gateway.domain.results import Acknowledged
from gateway.flows.approval_facts import approval_content, approval_faults
from gateway.flows.case_status import roster_faults
from gateway.flows.desk import Caller, Desk
from gateway.flows.plan import Act, Plan, applied, refused
from gateway.flows.waiting import correction_acts, correction_notices, decide_again, look_again
from gateway.policy.model import Policy, PolicyGap
from gateway.rules.employment import disagreeing, stated
from gateway.rules.paid_leave import follows, longest
from gateway.rules.resolve import rescue_mark
from gateway.store import tables
from gateway.store.cases import case_by_no, case_detail, cases_of_employer, subjects
from gateway.store.database import Reader
from gateway.store.persons import person_by_identity, same_name
from gateway.store.rows import canonical, day_text
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
        faults = await approval_faults(desk, reader, command, stays)
        if faults:
            return refused(*faults, subject=case.case_no)
        marks = await _marks(reader, command, stays)
    faults = [fault for fault in map(_mark_fault, marks.items()) if fault is not None]
    if faults:
        return refused(*faults, subject=case.case_no)
    line_ids = frozenset(found for listed in marks.values() for found in listed)
    content = approval_content(case, command, line_ids)
    fact = _fact(desk, _case_subject(case), "approval", command.approval_no, content)
    reason = f"{command.authority} {command.by}"
    return _told(desk, [case], stays, fact, "approval.decide", command.approval_no, reason)


async def stop_benefit(desk: Desk, caller: Caller, command: StopBenefit) -> Plan:
    """停止享受工伤保险待遇 needs a served decision with a day it starts (第四十二条); as a refused
    discharge it counts from the day that it was served, never before, unless it states a lost
    condition."""
    async with desk.database.reading() as reader:
        case = await case_by_no(reader, command.case_no)
        if case is None:
            return refused(Finding("CASE_NOT_FOUND", "CaseNo", command.case_no))
        fault = _stop_fault(desk.today, command)
        if fault is not None:
            return refused(fault, subject=case.case_no)
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


def _stop_fault(today: date, command: StopBenefit) -> Finding | None:
    """A decision stops nothing before it was served, and no span ends before it begins. Only that
    the condition was lost, as by death, may lie before it: it is lost on its own day, and the
    decision says so later; who refuses assessment or treatment loses benefits by the decision
    (第四十二条; our reading, for the article names no day)."""
    first, served = command.valid_from, command.served_on
    if served > today:
        return Finding("VALUE_CONFLICT", "ServedOn", str(served), f"<= {today}")
    if command.valid_to is not None and command.valid_to < first:
        return Finding("VALUE_CONFLICT", "ValidTo", str(command.valid_to), f">= {first}")
    if command.ground != CONDITION_LOST and first < served:
        return Finding("VALUE_CONFLICT", "ValidFrom", str(first), f">= {served}")
    return None


async def name_employer(desk: Desk, caller: Caller, command: NameEmployer) -> Plan:
    """Another employer of the case; who of them is liable, the texts say (第四十三条)."""
    async with desk.database.reading() as reader:
        case = await case_by_no(reader, command.case_no)
        if case is None:
            return refused(Finding("CASE_NOT_FOUND", "CaseNo", command.case_no))
        faults = _employer_faults(desk, case, command)
        if faults:
            return refused(*faults, subject=case.case_no)
        detail = await case_detail(reader, case.case_no)
        stays = await stays_of_cases(reader, [case.case_no])
    detail["employers"] = detail.get("employers", {}) | {command.employer_no: command.employer_name}
    content = {
        "employer_no": command.employer_no,
        "tie": command.tie.value,
        "role": command.role.value,
        "since": command.since.isoformat(),
        "insured_at_injury": command.insured_at_injury,
        "roster_received_on": day_text(command.roster_received_on),
        "withdrawn": command.withdrawn,
    }
    fact = _fact(desk, _case_subject(case), "employer", command.employer_no, content)
    reason = f"{command.by} {command.tie} {command.role} {command.reason}"
    kept = {"detail": canonical(detail)}
    return _told(desk, [case], stays, fact, "case.employer", command.employer_no, reason, kept)


def _employer_faults(desk: Desk, case: CaseFacts, command: NameEmployer) -> list[Finding]:
    """It is another one, in a role that its tie has, and no tie lies ahead; one of the injury
    was there at the injury."""
    faults = []
    if command.employer_no == case.employer_no:
        expected = f"!= {case.employer_no}"
        faults.append(Finding("VALUE_CONFLICT", "EmployerNo", command.employer_no, expected))
    if command.role not in ROLES[command.tie]:
        expected = " | ".join(sorted(ROLES[command.tie]))
        faults.append(Finding("VALUE_CONFLICT", "Role", command.role, expected))
    latest = desk.today if command.tie is EmploymentTie.SUCCESSION else case.event_day
    if command.since > latest:
        faults.append(Finding("VALUE_CONFLICT", "Since", str(command.since), f"<= {latest}"))
    roster = command.roster_received_on
    faults += roster_faults(desk.today, case.event_day, roster, command.insured_at_injury)
    return faults if faults or command.withdrawn else _contrary(desk.policy, case, command)


def _contrary(policy: Policy, case: CaseFacts, command: NameEmployer) -> list[Finding]:
    """Who answers is not said twice: what is known and what is told stand side by side, and one
    of them has to be taken back. Where a text is silent the rules ask for it."""
    said = OtherEmployer(command.employer_no, command.tie, command.role, command.since)
    known = [one for one in case.others if one.employer_no != command.employer_no]
    try:
        found = disagreeing(replace(case, others=(*known, said)), policy)
    except PolicyGap:
        return []
    if said not in found:
        return []
    expected = " | ".join(stated(one) for one in found if one is not said)
    return [Finding("VALUE_CONFLICT", "EmployerNo", stated(said), expected)]


async def decide_paid_leave(desk: Desk, caller: Caller, command: DecidePaidLeave) -> Plan:
    """停工留薪期 from–to, no longer than the text allows; only the authority extends it
    (第三十三条第二款)."""
    async with desk.database.reading() as reader:
        case = await case_by_no(reader, command.case_no)
        if case is None:
            return refused(Finding("CASE_NOT_FOUND", "CaseNo", command.case_no))
        faults = _leave_faults(desk, case, command)
        if faults:
            return refused(*faults, subject=case.case_no)
        stays = await stays_of_cases(reader, [case.case_no])
    content = {
        "first": command.first.isoformat(),
        "last": command.last.isoformat(),
        "extension": command.extension,
        "authority": command.authority.value,
        "notice_no": command.notice_no,
    }
    fact = _fact(desk, _case_subject(case), "paid_leave", command.first.isoformat(), content)
    number = command.notice_no
    return _told(desk, [case], stays, fact, "case.leave", number, command.by)


def _leave_faults(desk: Desk, case: CaseFacts, command: DecidePaidLeave) -> list[Finding]:
    """The span against the text; an injury that no text covers waits for a person."""
    span = PaidLeave(command.first, command.last, command.extension)
    try:
        return _against_texts(desk.policy, case, command, span)
    except PolicyGap as gap:
        return [Finding("VALUE_CONFLICT", "CaseNo", str(gap.day), gap.key)]


def _against_texts(
    policy: Policy, case: CaseFacts, command: DecidePaidLeave, span: PaidLeave
) -> list[Finding]:
    faults = []
    if not follows(case, span):
        expected = "the day after a paid leave" if span.extension else f">= {case.event_day}"
        faults.append(Finding("VALUE_CONFLICT", "First", str(span.first), expected))
    latest = longest(policy, case, span)
    if not span.first <= span.last <= latest:
        expected = f"{span.first} – {latest}"
        faults.append(Finding("VALUE_CONFLICT", "Last", str(span.last), expected))
    if span.extension:
        named = policy.value("authority/paid_leave_extension", case.event_day).word
        if command.authority != named:
            faults.append(Finding("VALUE_CONFLICT", "Authority", command.authority, named))
    return faults


async def update_employer(desk: Desk, caller: Caller, command: UpdateEmployer) -> Plan:
    """Arrears begin, or end on the day everything with its late fee was paid; or an employer
    that was not insured joins (第六十二条). One statement stands for each first day of arrears: a
    later one of the same day takes its place, with or without a joining, and so corrects it."""
    async with desk.database.reading() as reader:
        cases = await cases_of_employer(reader, command.employer_no)
        stays = await stays_of_cases(reader, [case.case_no for case in cases])
    content = {
        "since": command.arrears_since.isoformat(),
        "settled_on": day_text(command.settled_on),
        "joined_on": day_text(command.joined_on),
    }
    subject = f"employer:{command.employer_no}"
    fact = _fact(desk, subject, "arrears", command.arrears_since.isoformat(), content)
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
        elsewhere = bool(command.hospitals) and stay.hospital not in command.hospitals
        if stay.state not in LIVE or elsewhere:
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
    kept: dict[str, Any] | None = None,
) -> Plan:
    subject = cases[0].case_no if len(cases) == 1 else number
    cause = f"{action} {number}"
    return applied(
        Acknowledged(subject=number),
        subject=subject,
        writes=(
            fact,
            *_moved(cases, kept or {}),
            *look_again(desk, stays, cause),
            *decide_again(desk, stays, cause),
        ),
        acts=(
            Act(action=action, subject=subject, code=number, reason=reason),
            *correction_acts(stays, number),
        ),
        notices=correction_notices(desk, stays, cause),
    )


def _moved(cases: Iterable[CaseFacts], kept: dict[str, Any]) -> tuple[Write, ...]:
    return tuple(
        Change(
            tables.work_case,
            {"case_no": case.case_no, "version": case.version},
            {"version": case.version + 1, **kept},
        )
        for case in cases
    )
