"""The scribe's work on the log: number committed leaves, grow the tree, sign its head.

Only the process that leads does this, and a change of the head takes place only if nobody else
changed it meanwhile. What is signed is on disk outside the database before anybody sees it.
"""

import asyncio
import logging
from collections.abc import Sequence
from typing import Final

from gateway.evidence.note import BadNote, Checkpoint, Verifier
from gateway.evidence.tree import Span, Tiles, grown, last_tiles, root
from gateway.flows.log import Log, is_root, spans_read
from gateway.store import log as rows
from gateway.store import tables
from gateway.store.database import Reader
from gateway.store.log import Head, Signed
from gateway.store.unit import Change, Insert, Row, StaleFacts, Upsert, Write

_PAGE: Final = 2048  # leaves numbered in one transaction: eight tiles
_log = logging.getLogger(__name__)


async def keep(log: Log) -> None:
    """Number what was committed and sign what was numbered; then, whatever failed, look at how
    the log stands: who cannot sign must learn for how long."""
    try:
        while await number_leaves(log):
            pass
        await sign_head(log)
    except StaleFacts:
        _log.info("another process keeps the log")
    finally:
        await log.look()


async def number_leaves(log: Log) -> int:
    """Give the oldest unnumbered leaves their numbers; how many. Raises StaleFacts."""
    found = await log.database.in_one_piece(lambda: _unnumbered(log))
    if found is None:
        return 0
    head, leaves, edge = found
    changed = grown(head.size, edge, [bytes(one["leaf_hash"]) for one in leaves])
    first = head.first_index + head.size
    writes: list[Write] = [
        Change(tables.log_head, head.key, {"size": head.size + len(leaves)}),
        *(
            Change(tables.leaf, {"tx_id": one["tx_id"], "leaf_index": None}, {"leaf_index": number})
            for number, one in enumerate(leaves, first)
        ),
        tiles_write(head.log, changed),
    ]
    await log.commit(*writes)
    return len(leaves)


async def _unnumbered(log: Log) -> tuple[Head, Sequence[Row], Tiles] | None:
    """The head, the leaves that come next and the tiles that they make grow; None when no leaf
    is to be numbered."""
    async with log.database.reading() as reader:
        head = await rows.head(reader)
        if head is None or head.stopped:
            return None
        leaves = await rows.unnumbered_leaves(reader, _PAGE)
        if not leaves:
            return None
        return head, leaves, await rows.tiles(reader, head.log, last_tiles(head.size))


def tiles_write(log: int, changed: dict[tuple[int, int], bytes]) -> Write:
    """The changed tiles as they are stored."""
    named = [
        {"log": log, "level": level, "place": place, "hashes": hashes}
        for (level, place), hashes in changed.items()
    ]
    return Upsert(tables.tile, named)


async def sign_head(log: Log) -> bool:
    """Sign the tree as it is committed now; False when that was signed before, or when the
    tree is not what was signed before, which stops everything."""
    found = await log.database.in_one_piece(lambda: _unsigned(log))
    if found is None:
        return False
    head, now, broken = found
    if broken:
        await log.stop(head, broken)
        return False
    await _publish(log, head, now)
    return True


async def _unsigned(log: Log) -> tuple[Head, Checkpoint, str] | None:
    """The head, the tree as it is, and the note that it no longer begins with; None when it was
    signed before."""
    async with log.database.reading() as reader:
        head = await rows.head(reader)
        if head is None or head.stopped:
            return None
        last = await rows.last_signed(reader, head.log)
        if last is not None and last.size == head.size:
            return None
        whole: Span = (0, head.size)
        tiles = await spans_read(reader, head.log, [whole])
        now = Checkpoint(head.origin, head.size, root(head.size, tiles))
        return head, now, await _went_back(log, reader, head, last)


async def _went_back(log: Log, reader: Reader, head: Head, last: Signed | None) -> str:
    """The note that the tree no longer begins with; "" when it stands by all it said."""
    verifier = Verifier(head.origin, head.public_key)
    for note in (log.file.read(), last.note if last else ""):
        if note.startswith(f"{head.origin}\n"):
            try:
                seen = verifier.checkpoint(note)
            except BadNote:
                # In our own file it is damage: nobody can say what was signed last.
                return note
            if seen.size > head.size or not await is_root(reader, head.log, seen):
                return note
    return ""


async def _publish(log: Log, head: Head, now: Checkpoint) -> None:
    signer = log.signer.named(head.origin)
    if signer.verifier.public != head.public_key:
        raise LookupError("the log was opened with another key")
    note = signer.note(now)
    await asyncio.to_thread(log.file.write, note)
    row = {"log": head.log, "size": now.size, "note": note}
    await log.commit(Insert(tables.checkpoint, [row]))
