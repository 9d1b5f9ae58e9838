"""Stored messages: each key once, with its exact bytes and its effect's fate."""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import and_, bindparam, func, select

from gateway.store.database import Reader
from gateway.store.personal import Vault
from gateway.store.tables import leaf, message, undo


@dataclass(frozen=True, slots=True)
class Stored:
    """One message row; `state` is APPLIED, REFUSED or TOMBSTONE, `undone_by` what undid it. The
    reply of a `purged` one opens no more: its person was purged since. Of one that is `logged`
    the leaf has its number."""

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
    purged: bool
    logged: bool

    @property
    def key(self) -> tuple[str, str]:
        return self.sender, self.message_id

    @property
    def provable(self) -> str:
        """Its id when a receipt of it may be ready, else ""."""
        return self.message_id if self.logged and not self.purged else ""


_STORED: Final = (
    select(
        *[column for column in message.columns if column.name not in ("undone_by", "request")],
        func.coalesce(undo.c.by_message_id, message.c.undone_by).label("undone_by"),
        leaf.c.leaf_index,
    )
    .select_from(message)
    .outerjoin(
        undo, and_(undo.c.sender == message.c.sender, undo.c.message_id == message.c.message_id)
    )
    .outerjoin(leaf, leaf.c.tx_id == message.c.tx_id)
    .where(message.c.sender == bindparam("sender"), message.c.message_id == bindparam("message_id"))
)


async def stored(reader: Reader, sender: str, message_id: str) -> Stored | None:
    """The message of this key, if the gateway has seen it, and what undid it since."""
    found = await reader.rows(_STORED, {"sender": sender, "message_id": message_id})
    return _stored(reader.vault, found[0]) if found else None


def _stored(vault: Vault, row: dict[str, Any]) -> Stored:
    purged = row["record_key"] is None
    reply = None if purged else vault.open(message, row)["reply"]
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
        reply or b"",
        purged,
        row["leaf_index"] is not None,
    )
