"""settlement.cancel: the hospital takes a settlement back; a negative row, linked."""

from gateway.domain.commands import CancelSettlement
from gateway.domain.findings import Finding
from gateway.domain.readjudication import DELTA
from gateway.flows.desk import Caller, Desk
from gateway.flows.plan import Plan, refused
from gateway.flows.standing import standing
from gateway.flows.undo_settlement import cut_stands, reversed_settlement
from gateway.store.settlements import reversal_of
from gateway.store.standing import UNDOABLE, in_force
from gateway.store.stays import stay_of_settlement


async def cancel_settlement(desk: Desk, caller: Caller, command: CancelSettlement) -> Plan:
    """Reverse a live settlement that is not filed yet."""
    async with desk.database.reading() as reader:
        found = await stay_of_settlement(reader, command.settlement_id)
        if found is None or found[0].stay.hospital != caller.party_id:
            return refused(Finding("SETTLEMENT_NOT_FOUND", "SettlementId", command.settlement_id))
        file, original = found
        if original["adjusts"] is not None:
            # A delta falls with the settlement it adjusts, never alone.
            whole = Finding("REVERSE_TOO_LATE", "SettlementId", DELTA, original["adjusts"])
            return refused(whole, subject=file.stay.admission_id)
        stands = await standing(reader, file, original)
        if in_force(original) and stands.undoable:
            if file.stay.posted_cuts:
                return refused(cut_stands(file), subject=file.stay.admission_id)
            plan, _ = reversed_settlement(desk, caller, file, stands, command.reason)
            return plan
        winner = await reversal_of(reader, command.settlement_id)
    if winner is not None:
        finding = Finding("ALREADY_REVERSED", "SettlementId", winner["message_id"])
    else:
        finding = Finding("REVERSE_TOO_LATE", "SettlementId", original["state"], UNDOABLE)
    return refused(finding, subject=file.stay.admission_id)
