"""transaction.query: what became of a message whose answer was lost."""

from gateway.domain.commands import QueryTransaction
from gateway.domain.results import TransactionFound
from gateway.flows.desk import Caller, Desk
from gateway.flows.plan import Plan, answered
from gateway.store.database import Reader
from gateway.store.messages import Stored, stored
from gateway.store.stays import StayFile, stay_file


async def query_transaction(desk: Desk, caller: Caller, command: QueryTransaction) -> Plan:
    """The authoritative outcome of the caller's own message; never a guess."""
    key = (caller.party_id, command.target_message_id)
    async with desk.database.reading() as reader:
        known = await stored(reader, *key)
        if known is None:
            state = "IN_PROGRESS" if key in desk.in_progress else "NOT_SEEN"
            return answered(TransactionFound(state=state), code=state)
        if known.state == "TOMBSTONE":
            found = TransactionFound(state="TOMBSTONED", undone_by=known.undone_by)
            return answered(found, code="TOMBSTONED")
        file = await _subject(reader, known)
    return answered(_found(known, file), subject=known.subject, action="transaction.query")


async def _subject(reader: Reader, known: Stored) -> StayFile | None:
    """The stay of a commit, whose bill may have moved on since the reply."""
    if known.command != "settlement.commit" or not known.subject:
        return None
    return await stay_file(reader, known.subject)


def _found(known: Stored, file: StayFile | None) -> TransactionFound:
    mine = file is not None and file.row["commit_message_id"] == known.message_id
    return TransactionFound(
        state="UNDONE" if known.undone_by else known.state,
        command=known.command,
        digest=known.digest,
        stored_reply=known.reply,
        bill_state=file.bill_state if file is not None and mine else "",
        outcome_message_id=str(file.row["outcome_message_id"]) if file and mine else "",
        undone_by=known.undone_by,
    )
