"""Stored messages: each key once, with its exact bytes and its effect's fate."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from gateway.store.database import Reader
from gateway.store.tables import message, undo


@dataclass(frozen=True, slots=True)
class Stored:
    """One message row; `state` is APPLIED, REFUSED or TOMBSTONE, `undone_by` what undid it."""

    sender: str
    message_id: str
    command: str
    digest: str
    state: str
    code: str
    subject: str
    effect: str
    undone_by: str
    reply: bytes


async def stored(reader: Reader, sender: str, message_id: str) -> Stored | None:
    """The message of this key, if the gateway has seen it."""
    query = select(message).where(message.c.sender == sender, message.c.message_id == message_id)
    found = await reader.opened(message, query)
    return _stored(found[0]) if found else None


def _stored(row: dict[str, Any]) -> Stored:
    return Stored(
        row["sender"],
        row["message_id"],
        row["command"],
        row["digest"],
        row["state"],
        row["code"],
        row["subject"],
        row["effect"],
        row["undone_by"],
        row["reply"] or b"",
    )


async def undone(reader: Reader, effect: str) -> dict[str, Any] | None:
    """Who undid an effect."""
    return await reader.row(select(undo).where(undo.c.effect == effect))
