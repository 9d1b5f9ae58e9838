"""approval.apply, approval.cancel, approval.query: a hospital asks, and sees what became of it."""

from dataclasses import replace

from gateway.clock import at_business
from gateway.domain.application import (
    NEEDS,
    REPEATED,
    TRANSITIONS,
    Application,
    ApplicationState,
    Wanted,
)
from gateway.domain.case import ApprovalKind, CaseFacts
from gateway.domain.commands import ApplyApproval, CancelApproval, Identity, QueryApprovals
from gateway.domain.findings import Finding
from gateway.domain.party import PartyKind
from gateway.domain.results import (
    Acknowledged,
    ApplicationChanged,
    ApplicationReceived,
    ApplicationsFound,
)
from gateway.flows.dates import future_fault
from gateway.flows.desk import Caller, Desk, new_id
from gateway.flows.plan import Act, Notice, Plan, answered, applied, refused
from gateway.flows.register_admission import chosen, person_fault
from gateway.flows.stay_file import own_stay
from gateway.store import tables
from gateway.store.applications import (
    answer_row,
    application_by_id,
    application_row,
    applications_after,
    open_application,
)
from gateway.store.cases import cases_of_person
from gateway.store.database import Reader
from gateway.store.persons import person_by_identity
from gateway.store.stays import related_lines
from gateway.store.unit import Change, Guard

_WIRE = {
    "place": "Place",
    "opinion": "Opinion",
    "effect": "Effect",
    "cost_fen": "Cost",
    "items": "Item",
    "diagnoses": "Diagnosis",
    "line_ids": "LineId",
    "admission_id": "AdmissionId",
}


async def apply_approval(desk: Desk, caller: Caller, command: ApplyApproval) -> Plan:
    """Keep the application and show it to the agency; every fault at once."""
    faults = [*_said(desk, command.wanted)]
    if faults:
        return refused(*faults)
    async with desk.database.reading() as reader:
        case = await _case(reader, command.person, command.case_no)
        if isinstance(case, Finding):
            return refused(case)
        found = await _checked(reader, caller, case, command.wanted)
        if isinstance(found, Finding):
            return refused(found, subject=case.case_no)
    return _applied(desk, caller, command, case, found)


def _said(desk: Desk, wanted: Wanted) -> list[Finding]:
    """What an application of its kind must say, and its days; a device is asked for by its code,
    for by its code it is confirmed."""
    faults = [
        Finding("APPLICATION_INCOMPLETE", _WIRE[name], "", wanted.kind)
        for name in NEEDS.get(wanted.kind, ())
        if getattr(wanted, name) in ("", None, ())
    ]
    if wanted.kind is ApprovalKind.DEVICE and not all(one.code for one in wanted.items):
        faults.append(Finding("APPLICATION_INCOMPLETE", "Code", "", wanted.kind))
    if wanted.wanted_to < wanted.wanted_from:
        expected = f">= {wanted.wanted_from}"
        faults.append(Finding("APPLICATION_DAYS", "To", str(wanted.wanted_to), expected))
    if wanted.transferred_on is not None:
        day = at_business(wanted.transferred_on)
        ahead = future_fault(desk, "TransferredOn", day)
        faults += [ahead] if ahead else []
    return faults


async def _case(reader: Reader, identity: Identity, case_no: str) -> CaseFacts | Finding:
    """The person's case; a person without any is as unknown as nobody."""
    person = await person_by_identity(reader, identity)
    cases = await cases_of_person(reader, person.person_id) if person else []
    fault = person_fault(person if cases else None, cases, identity)
    if fault is not None or not cases:
        return fault or Finding("PERSON_MISMATCH", "Name")
    case, unclear = chosen(cases, case_no)
    return case or unclear or Finding("CASE_NOT_FOUND", "CaseNo", case_no)


async def _checked(
    reader: Reader, caller: Caller, case: CaseFacts, wanted: Wanted
) -> tuple[Guard, ...] | Finding:
    """The guard of the stay that the application rests on, if it names one; its case moves on."""
    waiting = await open_application(
        reader, caller.party_id, case.case_no, wanted.kind, wanted.wanted_from
    )
    if waiting is not None and wanted.kind not in REPEATED:
        return Finding("APPLICATION_WAITS", "From", waiting, "approval.cancel")
    earlier = _prolonged(case, wanted)
    if earlier is not None:
        return earlier
    if not wanted.admission_id:
        return ()
    file = await own_stay(reader, caller, wanted.admission_id)
    if isinstance(file, Finding):
        return file
    if file.stay.case_no != case.case_no:
        return Finding("VALUE_CONFLICT", "CaseNo", case.case_no, file.stay.case_no)
    lines = await related_lines(reader, wanted.admission_id, wanted.line_ids)
    missing = next((one for one in wanted.line_ids if one not in lines), None)
    if missing is not None:
        return Finding("LINE_NOT_FOUND", "LineId", missing, "", missing)
    return (file.guard,)


def _prolonged(case: CaseFacts, wanted: Wanted) -> Finding | None:
    """A prolongation names an approval of its kind that is in force, and goes beyond it."""
    if not wanted.prolongs:
        return None
    earlier = next(
        (
            one
            for one in case.approvals
            if one.approval_no == wanted.prolongs and one.kind is wanted.kind
        ),
        None,
    )
    if earlier is None:
        return Finding("APPROVAL_NOT_FOUND", "Prolongs", wanted.prolongs, wanted.kind)
    if wanted.wanted_to <= earlier.valid_to:
        return Finding("APPLICATION_DAYS", "To", str(wanted.wanted_to), f"> {earlier.valid_to}")
    return None


def _applied(
    desk: Desk, caller: Caller, command: ApplyApproval, case: CaseFacts, guards: tuple[Guard, ...]
) -> Plan:
    made = Application(
        application_id=new_id("Q"),
        hospital=caller.party_id,
        case_no=case.case_no,
        state=ApplicationState.APPLIED,
        applied_on=desk.today,
        wanted=command.wanted,
    )
    shown = ApplicationReceived(
        application=made, id_no=command.person.id_no, name=command.person.name
    )
    return applied(
        Acknowledged(subject=made.application_id, state=made.state),
        subject=made.application_id,
        guards=guards,
        writes=(application_row(made, caller.message_id), _moved(case)),
        acts=(_act("approval.apply", made, made.state, command.wanted.kind),),
        notices=(_notice(desk.agency_id, "approval.received", made, shown),),
    )


def _moved(case: CaseFacts) -> Change:
    """Of two applications that race, the second reads again and finds the first."""
    where = {"case_no": case.case_no, "version": case.version}
    return Change(tables.work_case, where, {"version": case.version + 1})


async def cancel_approval(desk: Desk, caller: Caller, command: CancelApproval) -> Plan:
    """The hospital takes its application back before it is decided."""
    async with desk.database.reading() as reader:
        found = await application_by_id(reader, command.application_id)
    if found is None or found[0].hospital != caller.party_id:
        return refused(Finding("APPLICATION_NOT_FOUND", "ApplicationId", command.application_id))
    before = found[0]
    after = replace(
        before,
        state=ApplicationState.CANCELLED,
        reason=command.reason,
        answered_on=desk.today,
    )
    fault = moved_fault(before, after.state)
    if fault is not None:
        return refused(fault, subject=before.application_id)
    return applied(
        Acknowledged(subject=before.application_id, state=after.state),
        subject=before.application_id,
        writes=(answer_row(after),),
        acts=(_act("approval.cancel", before, after.state, before.wanted.kind, command.reason),),
        notices=(_notice(desk.agency_id, "approval.changed", after, changed(after)),),
    )


def moved_fault(one: Application, state: ApplicationState) -> Finding | None:
    """An application is decided or cancelled once."""
    if state in TRANSITIONS[one.state]:
        return None
    return Finding("APPLICATION_STATE", "ApplicationId", one.state, ApplicationState.APPLIED)


def changed(one: Application) -> ApplicationChanged:
    """What the other side learns of an application that left its first state."""
    return ApplicationChanged(
        application_id=one.application_id,
        hospital=one.hospital,
        case_no=one.case_no,
        kind=one.wanted.kind,
        state=one.state,
        granted=one.granted,
        approval_no=one.approval_no,
        reason=one.reason,
    )


def _act(
    action: str, one: Application, state: ApplicationState, code: str, reason: str = ""
) -> Act:
    from_state = "" if one.state is state else one.state
    return Act(
        action=action,
        subject=one.application_id,
        from_state=from_state,
        to_state=state,
        code=code,
        reason=reason,
    )


def _notice(
    receiver: str, command: str, one: Application, result: ApplicationReceived | ApplicationChanged
) -> Notice:
    return Notice(receiver=receiver, subject=one.application_id, command=command, result=result)


async def query_approvals(desk: Desk, caller: Caller, command: QueryApprovals) -> Plan:
    """A page of the caller's own applications; the agency sees every hospital's."""
    own = caller.party_id if caller.party.kind is PartyKind.HOSPITAL else ""
    async with desk.database.reading() as reader:
        found, more = await applications_after(reader, own, command)
    result = ApplicationsFound(applications=found, more=more)
    return answered(result, subject=command.application_id, action="approval.query")
