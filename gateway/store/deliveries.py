"""The outbox: sealed messages waiting for their receivers, in lanes."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import bindparam, select

from gateway.store.among import Among, among
from gateway.store.database import Reader
from gateway.store.entered import InOutbox
from gateway.store.tables import lane, outbox
from gateway.store.types import INTEGER, TEXT

WAITING, PARKED, DONE = "WAITING", "PARKED", "DONE"


_UNNUMBERED: Final = (
    select(outbox.c.message_id, outbox.c.receiver)
    .where(outbox.c.state == WAITING, outbox.c.lane_seq.is_(None))
    .order_by(InOutbox())
    .limit(bindparam("most", type_=INTEGER))
)
_PUSHED: Final = (
    outbox.c.state == WAITING,
    outbox.c.channel == "push",
    outbox.c.lane_seq.is_not(None),
    outbox.c.next_us <= bindparam("now_us", type_=INTEGER),
)
_LANES_DUE: Final = (
    select(lane.c.receiver)
    .where(
        select(outbox.c.message_id).where(outbox.c.receiver == lane.c.receiver, *_PUSHED).exists()
    )
    .order_by(lane.c.receiver)
)
_OLDER: Final = outbox.alias("older")
_BLOCKED: Final = (
    select(_OLDER.c.message_id)
    .where(
        _OLDER.c.receiver == outbox.c.receiver,
        _OLDER.c.subject == outbox.c.subject,
        _OLDER.c.lane_seq < outbox.c.lane_seq,
        _OLDER.c.state != DONE,
    )
    .exists()
)
_DUE: Final = (
    select(outbox)
    .where(outbox.c.receiver == bindparam("receiver", type_=TEXT), *_PUSHED, ~_BLOCKED)
    .order_by(outbox.c.lane_seq)
    .limit(bindparam("most", type_=INTEGER))
)


_HEADS: Final = select(lane).where(Among(lane.c.receiver, "receivers"))


async def unnumbered(reader: Reader, limit: int) -> Sequence[dict[str, Any]]:
    """Committed messages that have no lane number yet, in order of commit."""
    return await reader.rows(_UNNUMBERED, {"most": limit})


async def lane_heads(reader: Reader, receivers: set[str]) -> dict[str, int]:
    """The last number given in each receiver's lane."""
    rows = await reader.rows(_HEADS, {"receivers": among(receivers)})
    return {row["receiver"]: row["last_seq"] for row in rows}


async def lanes_due(reader: Reader, now_us: int) -> Sequence[str]:
    """The receivers for whom something may be due."""
    return [row["receiver"] for row in await reader.rows(_LANES_DUE, {"now_us": now_us})]


async def due(reader: Reader, receiver: str, now_us: int, limit: int) -> Sequence[dict[str, Any]]:
    """Numbered messages to push: the first waiting one of each subject that is due.

    A subject with a parked message stays behind it; other subjects go on.
    """
    given = {"receiver": receiver, "now_us": now_us, "most": limit}
    return await reader.opened(outbox, _DUE, given)


async def inbox(reader: Reader, receiver: str, limit: int) -> Sequence[dict[str, Any]]:
    """Messages waiting for a receiver that pulls, one more than the limit."""
    query = (
        select(outbox)
        .where(
            outbox.c.receiver == receiver,
            outbox.c.state == WAITING,
            outbox.c.lane_seq.is_not(None),
        )
        .order_by(outbox.c.lane_seq)
        .limit(limit + 1)
    )
    return await reader.opened(outbox, query)


async def waiting_by_id(
    reader: Reader, receiver: str, message_ids: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """A receiver's messages of these ids, whatever their state."""
    query = select(outbox.c.message_id, outbox.c.digest, outbox.c.state).where(
        outbox.c.receiver == receiver, outbox.c.message_id.in_(message_ids)
    )
    return {row["message_id"]: row for row in await reader.rows(query)}


async def answer_to(reader: Reader, receiver: str, message_id: str, command: str) -> str:
    """The id of the message of this command that answers a receiver's own; "" when none does."""
    query = select(outbox.c.message_id).where(
        outbox.c.receiver == receiver,
        outbox.c.in_reply_to == message_id,
        outbox.c.command == command,
    )
    row = await reader.row(query)
    return "" if row is None else str(row["message_id"])
