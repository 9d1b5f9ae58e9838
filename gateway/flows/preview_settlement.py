"""settlement.preview: the settlement as it would be now; nothing is stored."""

from dataclasses import replace
from datetime import date

from gateway.clock import business_day
from gateway.domain.admission import LIVE, BillState, HoldReason, PaidAtDischargeBy
from gateway.domain.bill import BillVerdict
from gateway.domain.commands import PreviewSettlement
from gateway.domain.findings import Finding
from gateway.domain.results import Settlement
from gateway.flows.bill_file import (
    BillFile,
    decided,
    disagreements,
    load_bill,
    paid_while_held,
)
from gateway.flows.desk import Caller, Desk
from gateway.flows.plan import Plan, answered, refused
from gateway.flows.settled import settlement_message
from gateway.flows.stay_file import own_stay, state_finding
from gateway.rules.entitlement import Hold, Manual, Refuse
from gateway.store.stays import StayFile


async def preview_settlement(desk: Desk, caller: Caller, command: PreviewSettlement) -> Plan:
    """The same rules and facts as settlement; before discharge the day given, or today."""
    async with desk.database.reading() as reader:
        file = await own_stay(reader, caller, command.admission_id)
        if isinstance(file, Finding):
            return refused(file)
        if file.stay.state not in LIVE:
            return refused(state_finding(file), subject=file.stay.admission_id)
        if command.discharged_at and command.discharged_at < file.stay.admitted_at:
            before = Finding("DISCHARGE_BEFORE_ADMISSION", "DischargedAt")
            return refused(before, subject=file.stay.admission_id)
        assumed = command.discharged_at or desk.clock.now()
        bill_file = await load_bill(desk, reader, file, business_day(assumed))
    faults = disagreements(
        bill_file.bill.lines, command.expected_count, command.expected_amount_fen
    )
    if faults:
        return refused(*faults, subject=file.stay.admission_id)
    bill_file = bill_file.paid_by(paid_while_held(file, PaidAtDischargeBy.NOBODY))
    result = previewed(bill_file, await decided(desk, bill_file))
    return answered(result, subject=file.stay.admission_id, action="settlement.preview")


def previewed(bill_file: BillFile, verdict: BillVerdict | Hold | Refuse | Manual) -> Settlement:
    """The verdict as the message that settlement would bring."""
    match verdict:
        case Hold():
            return waiting(bill_file, BillState.HELD, "HELD", verdict)
        case Refuse(code, note):
            return waiting(bill_file, BillState.REFUSED, code, note=note)
        case Manual(code):
            return waiting(bill_file, BillState.MANUAL, code)
        case _:
            return _as_kept(bill_file.file, settlement_message(bill_file, verdict))


def _as_kept(file: StayFile, message: Settlement) -> Settlement:
    """A bill that is settled or held already says so; any other is still open."""
    if file.bill_state is BillState.SETTLED:
        return replace(message, bill_state=BillState.SETTLED)
    if file.bill_state is not BillState.HELD:
        return message
    row = file.row
    return replace(
        message,
        bill_state=BillState.HELD,
        hold=HoldReason(row["hold_reason"]),
        hold_key=row["hold_key"],
        hold_day=date.fromisoformat(row["hold_day"]) if row["hold_day"] else None,
        code="HELD",
    )


def waiting(
    bill_file: BillFile, state: BillState, code: str, hold: Hold | None = None, note: str = ""
) -> Settlement:
    """A bill that is not settled: its state, why, and for a gap key and day."""
    stay, case = bill_file.bill.stay, bill_file.bill.case
    return Settlement(
        admission_id=stay.admission_id,
        bill_state=state,
        visit_no=stay.visit_no,
        hospital=stay.hospital,
        case_no=case.case_no if case else "",
        admitted_at=stay.admitted_at,
        discharged_at=stay.discharged_at,
        hold=hold.reason if hold else None,
        hold_key=hold.key if hold else "",
        hold_day=hold.day if hold else None,
        code=code,
        note=hold.note if hold else note,
        suspicions=hold.suspicions if hold else (),
    )
