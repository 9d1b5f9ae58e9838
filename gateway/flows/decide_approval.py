"""approval.decide: what the agency grants, refuses or takes back; it may answer an application."""

from dataclasses import replace

from gateway.domain.application import Application, ApplicationState
from gateway.domain.codes import Outcome
from gateway.domain.commands import DecideApproval
from gateway.domain.findings import Finding
from gateway.domain.results import Acknowledged
from gateway.flows.apply_approval import changed, moved_fault
from gateway.flows.case_facts import decide_approval as granted_approval
from gateway.flows.desk import Caller, Desk
from gateway.flows.plan import Act, Notice, Plan, applied, refused
from gateway.store.applications import answer_row, application_by_id


async def decide_approval(desk: Desk, caller: Caller, command: DecideApproval) -> Plan:
    """An approval by itself, or with the application that it answers: both or none."""
    if not command.application_id:
        return await granted_approval(desk, caller, command)
    async with desk.database.reading() as reader:
        found = await application_by_id(reader, command.application_id)
    if found is None:
        return refused(Finding("APPLICATION_NOT_FOUND", "ApplicationId", command.application_id))
    before, message_id = found
    faults = _faults(before, command)
    if faults:
        return refused(*faults, subject=before.application_id)
    plan = await _decided(desk, caller, command)
    if plan.outcome is Outcome.REFUSED:
        return plan
    return _with_answer(plan, before, _answered(desk, before, command), command, message_id)


async def _decided(desk: Desk, caller: Caller, command: DecideApproval) -> Plan:
    """A refusal leaves no approval behind: it must not take back another of the same number."""
    if command.granted:
        return await granted_approval(desk, caller, command)
    return applied(Acknowledged(subject=command.approval_no), subject=command.case_no)


def _faults(one: Application, command: DecideApproval) -> list[Finding]:
    """The decision is about the application's case and kind; a refusal says why."""
    faults = []
    if fault := moved_fault(one, ApplicationState.DECIDED):
        faults.append(fault)
    if command.case_no != one.case_no:
        faults.append(Finding("VALUE_CONFLICT", "CaseNo", command.case_no, one.case_no))
    if command.kind is not one.wanted.kind:
        faults.append(Finding("VALUE_CONFLICT", "Kind", command.kind, one.wanted.kind))
    if not command.granted and not command.reason:
        faults.append(Finding("REASON_MISSING", "Reason"))
    return faults


def _answered(desk: Desk, one: Application, command: DecideApproval) -> Application:
    return replace(
        one,
        state=ApplicationState.DECIDED,
        granted=command.granted,
        approval_no=command.approval_no,
        reason=command.reason,
        answered_on=desk.today,
    )


def _with_answer(
    plan: Plan, before: Application, after: Application, command: DecideApproval, message_id: str
) -> Plan:
    """The decision with its application moved on, and the hospital told in the same transaction."""
    told = changed(after)
    if command.granted:
        told = replace(
            told,
            valid_from=command.valid_from,
            valid_to=command.valid_to,
            device_codes=command.device_codes,
        )
    act = Act(
        action="approval.decide",
        subject=after.application_id,
        from_state=before.state,
        to_state=after.state,
        code=f"{after.approval_no} {'granted' if command.granted else 'refused'}",
        reason=f"{command.authority} {command.by} {command.reason}".strip(),
    )
    notice = Notice(
        receiver=after.hospital,
        subject=after.application_id,
        command="approval.changed",
        result=told,
        in_reply_to=message_id,
    )
    return replace(
        plan,
        writes=(*plan.writes, answer_row(after)),
        acts=(*plan.acts, act),
        notices=(*plan.notices, notice),
    )
