"""The log's rows: its head and origins, leaves by number, tiles, checkpoints, cosignatures."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import bindparam, func, select

from gateway.store.among import Among, among
from gateway.store.database import Reader
from gateway.store.entered import InLeaf
from gateway.store.tables import checkpoint, cosignature, leaf, log_head, log_origin, message, tile
from gateway.store.types import INTEGER

HEAD: Final = "head"
"""The name of the only row of `log_head`."""
Tile = tuple[int, int]

# What is asked every second is built once.
_LOG: Final = bindparam("log", type_=log_head.c.log.type)
_HEAD: Final = (
    select(
        log_head,
        log_origin.c.origin,
        log_origin.c.public_key,
        log_origin.c.first_index,
        log_origin.c.opened_us,
    )
    .join(log_origin, log_origin.c.log == log_head.c.log)
    .where(log_head.c.name == HEAD)
)
_UNNUMBERED: Final = (
    select(leaf.c.tx_id, leaf.c.leaf_hash, leaf.c.received_us)
    .where(leaf.c.leaf_index.is_(None))
    .order_by(InLeaf())
    .limit(bindparam("most", type_=INTEGER))
)
_NUMBERED: Final = select(leaf.c.received_us).where(
    leaf.c.leaf_index == bindparam("number", type_=leaf.c.leaf_index.type)
)
_TILES: Final = select(tile).where(
    tile.c.log == _LOG,
    Among(tile.c.level, "levels"),
    Among(tile.c.place, "places"),
)
_LAST_SIGNED: Final = (
    select(checkpoint).where(checkpoint.c.log == _LOG).order_by(checkpoint.c.size.desc()).limit(1)
)
_LAST_COSIGNED: Final = select(func.max(cosignature.c.at_us).label("at_us")).where(
    cosignature.c.log == _LOG
)


@dataclass(frozen=True, slots=True)
class Head:
    """The log that grows now: its number, name and key, where among all leaves it began, how
    many it has, and why it stands still ("" while it does not)."""

    log: int
    origin: str
    public_key: bytes
    first_index: int
    opened_us: int
    size: int
    stopped: str
    evidence: str
    proposed_by: str

    @property
    def key(self) -> dict[str, Any]:
        """The row as it was read: a change of it takes place only if it still is so."""
        return {"name": HEAD, "log": self.log, "size": self.size, "stopped": self.stopped}


@dataclass(frozen=True, slots=True)
class Signed:
    """A checkpoint that was published."""

    log: int
    size: int
    note: str


async def head(reader: Reader) -> Head | None:
    """The head; None before the log was opened."""
    row = await reader.row(_HEAD, {})
    return None if row is None else Head(**{name: row[name] for name in Head.__slots__})


async def origins(reader: Reader) -> Sequence[dict[str, Any]]:
    """Every log there was, the first one first."""
    return await reader.rows(select(log_origin).order_by(log_origin.c.log))


async def unnumbered_leaves(reader: Reader, limit: int) -> Sequence[dict[str, Any]]:
    """Leaves of committed transactions that have no number yet, in order of commit."""
    return await reader.rows(_UNNUMBERED, {"most": limit})


async def waiting_since(reader: Reader, index: int) -> int | None:
    """When the oldest transaction was received that is not covered by a checkpoint whose next
    leaf has this number (UTC microseconds); None when all are."""
    first = await reader.row(_NUMBERED, {"number": index})
    if first is not None:
        return int(first["received_us"])
    unnumbered = await unnumbered_leaves(reader, 1)
    return int(unnumbered[0]["received_us"]) if unnumbered else None


async def tiles(reader: Reader, log: int, wanted: Collection[Tile]) -> Mapping[Tile, bytes]:
    """The tiles of these rows and places that are there."""
    if not wanted:
        return {}
    levels, places = (among(sorted(set(one))) for one in zip(*wanted, strict=True))
    rows = await reader.rows(_TILES, {"log": log, "levels": levels, "places": places})
    found = {(row["level"], row["place"]): bytes(row["hashes"]) for row in rows}
    return {one: found[one] for one in wanted if one in found}


async def last_signed(reader: Reader, log: int) -> Signed | None:
    """The largest checkpoint of a log."""
    row = await reader.row(_LAST_SIGNED, {"log": log})
    return None if row is None else _signed(row)


async def signed_at(reader: Reader, log: int, size: int) -> Signed | None:
    """The checkpoint of this size."""
    query = select(checkpoint).where(checkpoint.c.log == log, checkpoint.c.size == size)
    row = await reader.row(query)
    return None if row is None else _signed(row)


async def all_signed(reader: Reader, log: int) -> list[Signed]:
    """Every checkpoint of a log, the smallest first."""
    query = select(checkpoint).where(checkpoint.c.log == log)
    return [_signed(row) for row in await reader.rows(query.order_by(checkpoint.c.size))]


def _signed(row: Mapping[str, Any]) -> Signed:
    return Signed(row["log"], row["size"], row["note"])


async def last_cosigned(reader: Reader, log: int) -> int | None:
    """When the log was last cosigned, UTC microseconds."""
    (row,) = await reader.rows(_LAST_COSIGNED, {"log": log})
    return None if row["at_us"] is None else int(row["at_us"])


async def cosignatures(reader: Reader, log: int) -> Sequence[dict[str, Any]]:
    """Every cosignature of a log in order of size."""
    query = select(cosignature).where(cosignature.c.log == log)
    return await reader.rows(query.order_by(cosignature.c.size, cosignature.c.witness))


async def leaves_from(reader: Reader, index: int, limit: int) -> list[dict[str, Any]]:
    """Numbered leaves from this number on, as they are stored."""
    query = select(leaf).where(leaf.c.leaf_index >= index).order_by(leaf.c.leaf_index)
    return [dict(row) for row in await reader.rows(query.limit(limit))]


async def sealing_leaves(reader: Reader, message_ids: Collection[str]) -> list[dict[str, Any]]:
    """The numbered leaves of outgoing messages, their salts in clear but for purged persons."""
    query = select(leaf).where(
        leaf.c.tx_id.in_(message_ids),
        leaf.c.leaf_index.is_not(None),
        leaf.c.record_key.is_not(None),
    )
    return await reader.opened(leaf, query)


async def leaf_of_message(reader: Reader, sender: str, message_id: str) -> dict[str, Any] | None:
    """The leaf of a stored message, its salts in clear, beside the message's own request; None
    for one whose person was purged: nothing opens it any more."""
    said = select(message).where(
        message.c.sender == sender,
        message.c.message_id == message_id,
        message.c.record_key.is_not(None),
    )
    rows = await reader.opened(message, said)
    if not rows:
        return None
    of_it = select(leaf).where(leaf.c.tx_id == rows[0]["tx_id"], leaf.c.record_key.is_not(None))
    found = await reader.opened(leaf, of_it)
    return {**found[0], "request": rows[0]["request"]} if found else None
