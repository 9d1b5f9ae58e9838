"""transaction.query: what became of a message whose answer was lost."""

from dataclasses import replace
from typing import Final

from gateway.domain.commands import QueryTransaction
from gateway.domain.results import TransactionFound
from gateway.flows.desk import Caller, Desk
from gateway.flows.plan import Plan, answered
from gateway.store.database import Reader
from gateway.store.deliveries import answer_to
from gateway.store.messages import Stored, stored
from gateway.store.stays import StayFile, stay_file

_ASKED: Final = "transaction.query"
_COMMIT: Final = "settlement.commit"


async def query_transaction(desk: Desk, caller: Caller, command: QueryTransaction) -> Plan:
    """The authoritative outcome of the caller's own message; never a guess."""
    key = (caller.party_id, command.target_message_id)
    async with desk.database.reading() as reader:
        known = await stored(reader, *key)
        if known is None:
            state = "IN_PROGRESS" if key in desk.in_progress else "NOT_SEEN"
            return answered(TransactionFound(state=state), code=state, action=_ASKED)
        if known.state == "TOMBSTONE":
            found = TransactionFound(state="TOMBSTONED", undone_by=known.undone_by)
            return answered(found, code="TOMBSTONED", action=_ASKED)
        file = await _subject(reader, known)
        outcome_id = await _outcome(reader, known)
    told = answered(_found(known, file, outcome_id), subject=known.subject, action=_ASKED)
    return replace(told, receipt_of=known.provable)


async def _subject(reader: Reader, known: Stored) -> StayFile | None:
    """The stay of a commit, whose bill may have moved on since the reply."""
    if known.command != _COMMIT or not known.subject:
        return None
    return await stay_file(reader, known.subject)


async def _outcome(reader: Reader, known: Stored) -> str:
    """The message that later told a commit's outcome, whatever became of the bill since."""
    if known.command != _COMMIT:
        return ""
    return await answer_to(reader, known.sender, known.message_id, "settlement.result")


def _found(known: Stored, file: StayFile | None, outcome_id: str) -> TransactionFound:
    mine = file is not None and file.row["commit_message_id"] == known.message_id
    return TransactionFound(
        state="UNDONE" if known.undone_by else known.state,
        command=known.command,
        digest=known.digest,
        stored_reply=known.reply,
        bill_state=file.bill_state if file is not None and mine else "",
        outcome_message_id=outcome_id,
        undone_by=known.undone_by,
    )
