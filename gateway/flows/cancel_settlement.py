"""settlement.cancel: the hospital takes a settlement back; a negative row, linked."""

from gateway.domain.commands import CancelSettlement
from gateway.domain.findings import Finding
from gateway.flows.desk import Caller, Desk
from gateway.flows.plan import Plan, refused
from gateway.flows.undo_settlement import UNDOABLE, reversed_settlement
from gateway.store.settlements import reversal_of, settlement_by_id
from gateway.store.stays import stay_file


async def cancel_settlement(desk: Desk, caller: Caller, command: CancelSettlement) -> Plan:
    """Reverse a live settlement that is not filed yet."""
    async with desk.database.reading() as reader:
        original = await settlement_by_id(reader, command.settlement_id)
        if original is None or original["hospital"] != caller.party_id:
            return refused(Finding("SETTLEMENT_NOT_FOUND", "SettlementId", command.settlement_id))
        winner = await reversal_of(reader, command.settlement_id)
        file = await stay_file(reader, original["admission_id"])
    if winner is not None:
        return refused(
            Finding("ALREADY_REVERSED", "SettlementId", winner["message_id"]),
            subject=original["admission_id"],
        )
    if file is None or original["live"] != 1 or original["state"] != UNDOABLE:
        return refused(
            Finding("REVERSE_TOO_LATE", "SettlementId", original["state"], UNDOABLE),
            subject=original["admission_id"],
        )
    plan, _ = reversed_settlement(desk, caller, file, original, command.reason)
    return plan
