"""settlement.commit: the bill is settled, held, refused or sent to manual reimbursement.

治疗工伤所需费用……从工伤保险基金支付。（工伤保险条例 第三十条第三款）
"""

from typing import Any

from gateway.domain.admission import LIVE, AdmissionState, BillState, HoldReason
from gateway.domain.bill import BillVerdict
from gateway.domain.codes import Outcome
from gateway.domain.commands import CommitSettlement
from gateway.domain.findings import Finding
from gateway.domain.results import Settlement
from gateway.flows.bill_file import (
    BillFile,
    decided,
    disagreements,
    load_bill,
    paid_before_or_now,
    paid_while_held,
)
from gateway.flows.desk import Caller, Desk, new_id
from gateway.flows.plan import Act, Notice, Plan, applied, refused
from gateway.flows.preview_settlement import waiting
from gateway.flows.settled import (
    Settling,
    settlement_message,
    settlement_row,
    transfers,
)
from gateway.flows.stay_file import own_stay, state_finding
from gateway.rules.entitlement import Hold, Manual, Refuse
from gateway.rules.settle import device_codes
from gateway.store import tables
from gateway.store.stays import StayFile
from gateway.store.unit import Change, Write


async def commit_settlement(desk: Desk, caller: Caller, command: CommitSettlement) -> Plan:
    """Settle at discharge, once."""
    async with desk.database.reading() as reader:
        file = await own_stay(reader, caller, command.admission_id)
        if isinstance(file, Finding):
            return refused(file)
        fault = _state_fault(file)
        if fault is not None:
            return refused(fault, subject=file.stay.admission_id)
        bill_file = await load_bill(desk, reader, file)
    faults = disagreements(
        bill_file.bill.lines, command.expected_count, command.expected_amount_fen
    )
    if faults:
        return refused(*faults, subject=file.stay.admission_id, guards=(file.guard,))
    bill_file = bill_file.paid_by(paid_while_held(file, command.paid_at_discharge_by))
    match await decided(desk, bill_file):
        case BillVerdict() as verdict:
            return _settled(desk, caller, command, bill_file, verdict)
        case Hold() as hold:
            return _held(desk, caller, command, bill_file, hold)
        case Refuse(code, note):
            # Refused at once: the bill stays open and may be committed anew.
            return _refused(bill_file, code, note)
        case Manual(code):
            return _manual(desk, caller, command, bill_file, code)


def _state_fault(file: StayFile) -> Finding | None:
    if file.stay.state not in LIVE:
        return state_finding(file)
    if file.stay.discharged_at is None:
        return Finding("NOT_DISCHARGED", "AdmissionId", file.stay.admission_id)
    if file.bill_state is BillState.SETTLED:
        return Finding("SETTLED_ALREADY", "AdmissionId", file.live_settlement)
    if file.bill_state is BillState.HELD:
        return Finding("HELD_ALREADY", "AdmissionId", file.row["hold_reason"])
    if file.bill_state is BillState.MANUAL:
        return Finding("MANUAL", "AdmissionId", file.row["code"])
    return None


def _settled(
    desk: Desk,
    caller: Caller,
    command: CommitSettlement,
    bill_file: BillFile,
    verdict: BillVerdict,
) -> Plan:
    one = Settling(
        settlement_id=new_id("S"),
        bill_no=command.bill_no,
        at=desk.clock.now(),
        message_id=caller.message_id,
    )
    changed = bill_settled(
        bill_file,
        one,
        bill_no=command.bill_no,
        commit_message_id=caller.message_id,
        paid_by=bill_file.bill.paid_by.value,
    )
    return settled_plan(desk, bill_file, verdict, one, changed, "settlement.commit")


def bill_settled(bill_file: BillFile, one: Settling, **values: Any) -> Change:
    """The stay's row, closed. A device, fitted before one of another stay but settled after it,
    begins a life that the other settlement has to see (flows/look_beside.py)."""
    if device_codes(bill_file.bill):
        values["unseen"] = bill_file.file.unseen_with(one.settlement_id)
    return bill_changed(
        bill_file,
        state=AdmissionState.CLOSED.value,
        bill_state=BillState.SETTLED.value,
        hold_reason="",
        hold_key="",
        hold_day=None,
        code="",
        **values,
    )


def settled_plan(
    desk: Desk,
    bill_file: BillFile,
    verdict: BillVerdict,
    one: Settling,
    changed: Write,
    action: str,
) -> Plan:
    """Everything a settlement writes: stay, settlement, ledger, and the agency's message."""
    stay = bill_file.bill.stay
    message = settlement_message(bill_file, verdict, one)
    day = str(message.business_day)
    return applied(
        message,
        subject=stay.admission_id,
        effect=one.settlement_id,
        guards=bill_file.guards(),
        writes=(changed, settlement_row(bill_file, verdict, one), *bill_file.moves()),
        acts=(
            Act(
                action=action,
                subject=stay.admission_id,
                from_state=bill_file.file.bill_state,
                to_state=BillState.SETTLED,
                code=one.settlement_id,
            ),
        ),
        transfers=transfers(one.settlement_id, stay.hospital, verdict.payout, day),
        notices=(_agency_told(desk, message),),
    )


def to_look_at(desk: Desk, message: Settlement) -> tuple[Notice, ...]:
    """The agency learns of what only a person of its can move: suspicions that hold a bill, and
    prior payments."""
    if message.hold not in (HoldReason.AUDIT, HoldReason.PRIOR_PAYMENT):
        return ()
    return (_agency_told(desk, message),)


def _agency_told(desk: Desk, message: Settlement) -> Notice:
    return Notice(
        receiver=desk.agency_id,
        subject=message.admission_id,
        command="settlement.result",
        result=message,
    )


def _held(
    desk: Desk, caller: Caller, command: CommitSettlement, bill_file: BillFile, hold: Hold
) -> Plan:
    """挂账: lines and diagnoses freeze; the outcome comes later as a new message.

    The case's (or person's) version moves, so that a decision racing with this hold sees it.
    """
    changed = bill_changed(
        bill_file,
        bill_state=BillState.HELD.value,
        bill_no=command.bill_no,
        commit_message_id=caller.message_id,
        paid_by=paid_before_or_now(bill_file.file, command.paid_at_discharge_by).value,
        hold_reason=hold.reason.value,
        hold_key=hold.key,
        hold_day=hold.day.isoformat() if hold.day else None,
        ever_held=1,
        code="HELD",
    )
    file = bill_file.file
    message = waiting(bill_file, BillState.HELD, "HELD", hold)
    return applied(
        message,
        code="HELD",
        subject=file.stay.admission_id,
        effect=f"hold:{caller.message_id}",
        guards=bill_file.guards(),
        writes=(changed, *_seen_by_decisions(file)),
        acts=(_act(bill_file, BillState.HELD, hold.reason, f"{hold.key} {hold.note}"),),
        notices=to_look_at(desk, message),
    )


def _seen_by_decisions(file: StayFile) -> tuple[Write, ...]:
    if file.case is not None:
        where: dict[str, Any] = {"case_no": file.case.case_no, "version": file.case.version}
        return (Change(tables.work_case, where, {"version": file.case.version + 1}),)
    where = {"person_id": file.stay.person_id, "version": file.person_version}
    return (Change(tables.person, where, {"version": file.person_version + 1}),)


def _refused(bill_file: BillFile, code: str, note: str) -> Plan:
    return Plan(
        outcome=Outcome.REFUSED,
        code=code,
        result=waiting(bill_file, BillState.REFUSED, code, note=note),
        subject=bill_file.bill.stay.admission_id,
        guards=(bill_file.file.guard, *bill_file.guards()),
        acts=(_act(bill_file, BillState.OPEN, code, note),),
    )


def _manual(
    desk: Desk, caller: Caller, command: CommitSettlement, bill_file: BillFile, code: str
) -> Plan:
    """手工报销: the agency learns of it and goes on by hand; lines and discharge freeze."""
    changed = bill_changed(
        bill_file,
        bill_state=BillState.MANUAL.value,
        bill_no=command.bill_no,
        commit_message_id=caller.message_id,
        paid_by=paid_before_or_now(bill_file.file, command.paid_at_discharge_by).value,
        code=code,
    )
    message = waiting(bill_file, BillState.MANUAL, code)
    return applied(
        message,
        code="MANUAL",
        subject=bill_file.bill.stay.admission_id,
        guards=bill_file.guards(),
        writes=(changed,),
        acts=(_act(bill_file, BillState.MANUAL, code, ""),),
        notices=(_agency_told(desk, message),),
    )


def bill_changed(bill_file: BillFile, **values: Any) -> Change:
    """The stay's row with its new bill state; its version moves."""
    stay = bill_file.file.stay
    where = {"admission_id": stay.admission_id, "version": stay.version}
    return Change(tables.admission, where, {"version": stay.version + 1, **values})


def _act(bill_file: BillFile, state: BillState, code: str, reason: str) -> Act:
    return Act(
        action="settlement.commit",
        subject=bill_file.bill.stay.admission_id,
        from_state=bill_file.file.bill_state,
        to_state=state,
        code=code,
        reason=reason.strip(),
    )
