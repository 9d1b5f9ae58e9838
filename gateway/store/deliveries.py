"""The outbox: sealed messages waiting for their receivers, in lanes."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, bindparam, select

from gateway.store.database import Reader
from gateway.store.entered import InOutbox
from gateway.store.tables import lane, outbox
from gateway.store.types import INTEGER

WAITING, PARKED, DONE = "WAITING", "PARKED", "DONE"


_UNNUMBERED: Final = (
    select(outbox.c.message_id, outbox.c.receiver)
    .where(outbox.c.state == WAITING, outbox.c.lane_seq.is_(None))
    .order_by(InOutbox())
    .limit(bindparam("most", type_=INTEGER))
)


async def unnumbered(reader: Reader, limit: int) -> Sequence[dict[str, Any]]:
    """Committed messages that have no lane number yet, in order of commit."""
    return await reader.rows(_UNNUMBERED, {"most": limit})


async def lane_heads(reader: Reader, receivers: set[str]) -> dict[str, int]:
    """The last number given in each receiver's lane."""
    rows = await reader.rows(select(lane).where(lane.c.receiver.in_(receivers)))
    return {row["receiver"]: row["last_seq"] for row in rows}


async def lanes_due(reader: Reader, now_us: int) -> Sequence[str]:
    """The receivers for whom something may be due."""
    waiting = select(outbox.c.message_id).where(
        outbox.c.receiver == lane.c.receiver, *_pushed(now_us)
    )
    query = select(lane.c.receiver).where(waiting.exists()).order_by(lane.c.receiver)
    return [row["receiver"] for row in await reader.rows(query)]


async def due(reader: Reader, receiver: str, now_us: int, limit: int) -> Sequence[dict[str, Any]]:
    """Numbered messages to push: the first waiting one of each subject that is due.

    A subject with a parked message stays behind it; other subjects go on.
    """
    older = outbox.alias("older")
    blocked = (
        select(older.c.message_id)
        .where(
            older.c.receiver == outbox.c.receiver,
            older.c.subject == outbox.c.subject,
            older.c.lane_seq < outbox.c.lane_seq,
            older.c.state != DONE,
        )
        .exists()
    )
    query = (
        select(outbox)
        .where(outbox.c.receiver == receiver, *_pushed(now_us), ~blocked)
        .order_by(outbox.c.lane_seq)
        .limit(limit)
    )
    return await reader.opened(outbox, query)


def _pushed(now_us: int) -> tuple[ColumnElement[bool], ...]:
    return (
        outbox.c.state == WAITING,
        outbox.c.channel == "push",
        outbox.c.lane_seq.is_not(None),
        outbox.c.next_us <= now_us,
    )


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


async def sealed_by_id(reader: Reader, message_id: str) -> bytes | None:
    """The exact bytes of an outgoing message."""
    query = select(outbox).where(outbox.c.message_id == message_id)
    found = await reader.opened(outbox, query)
    return bytes(found[0]["sealed"]) if found else None
