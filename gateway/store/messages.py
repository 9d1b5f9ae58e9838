"""Stored messages: each key once, with its exact bytes and its effect's fate."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, func, select

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

    @property
    def key(self) -> tuple[str, str]:
        return self.sender, self.message_id


async def stored(reader: Reader, sender: str, message_id: str) -> Stored | None:
    """The message of this key, if the gateway has seen it, and what undid it since."""
    own = [column for column in message.columns if column.name not in ("undone_by", "request")]
    by = func.coalesce(undo.c.by_message_id, message.c.undone_by).label("undone_by")
    same = and_(undo.c.sender == message.c.sender, undo.c.message_id == message.c.message_id)
    query = (
        select(*own, by)
        .select_from(message)
        .outerjoin(undo, same)
        .where(message.c.sender == sender, message.c.message_id == message_id)
    )
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
