"""gateway evidence verify 核对: the store against its own log, and where the first fault is.

Every leaf is computed again from its row and looked for in the tree, every checkpoint and
cosignature verified, and every row of history and state compared with what its leaf told.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final, TextIO

from sqlalchemy import Table, select

from gateway.evidence import tree
from gateway.evidence.head_file import HeadFile
from gateway.evidence.leaf import commitment, salt_of, stored_bytes
from gateway.evidence.note import BadNote, Checkpoint, Verifier, stamped
from gateway.settings import Settings
from gateway.store import log as rows
from gateway.store.database import Reader
from gateway.store.entered import InLeaf
from gateway.store.personal import Unopened
from gateway.store.tables import checkpoint, cosignature, leaf, message, tile
from gateway.verbs.evidence_rows import COMPARED, Replayed
from gateway.verbs.stored import NotTold, looking

_PAGE: Final = 1000
_SHOWN: Final = 20  # faults that are printed; the rest is counted
_SECOND_US: Final = 1_000_000


def run(settings: Settings, out: TextIO) -> int:
    """Say what is not as it was written, the first first; 0 when all is."""
    try:
        faults, closed = asyncio.run(_faults(settings))
    except NotTold as missing:
        out.write(f"{missing}\n")
        return 1
    for fault in faults[:_SHOWN]:
        out.write(f"不符 BAD {fault}\n")
    if len(faults) > _SHOWN:
        out.write(f"另有 {len(faults) - _SHOWN} 处 / and {len(faults) - _SHOWN} more\n")
    if not faults and closed:
        out.write(
            f"已销毁密钥的存证叶 {closed} 条，其后状态不比较 / {closed} leaves whose keys were "
        )
        out.write("destroyed do not tell what they changed: state is not compared\n")
    if not faults:
        out.write("相符：日志、历史与状态 / GOOD: log, history and state\n")
    return 1 if faults else 0


async def _faults(settings: Settings) -> tuple[list[str], int]:
    """Every fault, and how many leaves no longer tell what they changed."""
    async with looking(settings) as reader:
        found = Examined(reader)
        faults = [fault async for fault in found.all(HeadFile(settings.log_head_file))]
    return faults, found.closed


class Examined:
    """One look at a store whose log should explain it."""

    def __init__(self, reader: Reader) -> None:
        self._reader, self._replayed = reader, Replayed()
        self._salts: dict[str, bytes] = {}

    @property
    def closed(self) -> int:
        """Leaves whose record key was destroyed."""
        return len(self._replayed.closed)

    async def all(self, file: HeadFile) -> AsyncIterator[str]:
        """Every fault: of leaves, of the tree, of what was signed, and of rows."""
        for origin in await rows.origins(self._reader):
            async for fault in self._log(origin):
                yield fault
        async for fault in self._unnumbered():
            yield fault
        async for fault in self._strays():
            yield fault
        async for fault in self._file(file):
            yield fault
        async for fault in self._messages():
            yield fault
        for table in COMPARED:
            async for fault in self._rows(table):
                yield fault
        for name, key in () if self.closed else self._replayed.missing():
            yield f"{name} {_said(key)}: the row is gone"

    # --- one log ------------------------------------------------------------------------------

    async def _log(self, origin: Mapping[str, Any]) -> AsyncIterator[str]:
        end = await self._end(origin)
        hashes: list[bytes] = []
        async for row in self._leaves(origin["first_index"], end):
            number = row["leaf_index"] - origin["first_index"]
            if number != len(hashes):
                yield f"{origin['origin']} leaf {len(hashes)}: it is gone"
                return
            hashes.append(bytes(row["leaf_hash"]))
            for fault in self._leaf(row):
                yield f"{origin['origin']} leaf {number} ({row['tx_id']}): {fault}"
        async for fault in self._tree(origin, hashes):
            yield fault

    async def _end(self, origin: Mapping[str, Any]) -> int:
        """The number, among all leaves, that comes after the last of a log."""
        head = await rows.head(self._reader)
        later = [one for one in await rows.origins(self._reader) if one["log"] > origin["log"]]
        if later:
            return int(later[0]["first_index"])
        return 0 if head is None else head.first_index + head.size

    async def _leaves(self, first: int, end: int) -> AsyncIterator[dict[str, Any]]:
        while first < end:
            page = await rows.leaves_from(self._reader, first, min(_PAGE, end - first))
            for row in page:
                if row["leaf_index"] < end:
                    yield row
            if not page:
                return
            first = page[-1]["leaf_index"] + 1

    def _leaf(self, row: dict[str, Any]) -> list[str]:
        """What is not as it was written in one row of the leaf table; its effect is played."""
        found = []
        if tree.leaf_hash(stored_bytes(row)) != row["leaf_hash"]:
            found.append("its columns are not what its hash says")
        try:
            clear = self._reader.vault.open(leaf, row)
        except Unopened:
            if row["record_key"] is not None:
                return [*found, "its salts and effect do not open"]
            clear = {**row, "salts": None, "effect": None}
        return found + self._effect(clear)

    def _effect(self, row: dict[str, Any]) -> list[str]:
        if row["salts"] is not None:
            salts, effect = bytes(row["salts"]), bytes(row["effect"] or b"")
            self._salts[row["tx_id"]] = salts
            if commitment(salt_of(salts, "effect"), effect) != row["effect_commitment"]:
                return ["its effect is not what it commits to"]
        self._replayed.play(row)
        return []

    async def _tree(self, origin: Mapping[str, Any], hashes: list[bytes]) -> AsyncIterator[str]:
        """The stored tiles, and every signature, against the tree of the leaves themselves."""
        tiles = tree.grown(0, {}, hashes)
        stored = await rows.tiles(self._reader, origin["log"], list(tiles))
        for place in sorted(tiles):
            if stored.get(place) != tiles[place]:
                yield f"{origin['origin']} tile {place}: {_first_leaf(place, tiles, stored)}"
        verifier = Verifier(origin["origin"], bytes(origin["public_key"]))
        for one in await rows.all_signed(self._reader, origin["log"]):
            fault = _unsigned(verifier, one.note, one.size, tiles)
            if fault:
                yield f"{origin['origin']} checkpoint {one.size}: {fault}"
        for row in await rows.cosignatures(self._reader, origin["log"]):
            fault = _uncosigned(row, origin["origin"], tiles)
            if fault:
                yield f"{origin['origin']} cosignature {row['size']}: {fault}"

    async def _unnumbered(self) -> AsyncIterator[str]:
        query = select(leaf).where(leaf.c.leaf_index.is_(None)).order_by(InLeaf())
        for row in await self._reader.rows(query):
            for fault in self._leaf(dict(row)):
                yield f"leaf without number ({row['tx_id']}): {fault}"

    async def _strays(self) -> AsyncIterator[str]:
        """Rows of logs that were never opened."""
        logs = {one["log"] for one in await rows.origins(self._reader)}
        for table in (checkpoint, cosignature, tile):
            query = select(table.c.log).where(table.c.log.not_in(logs)).distinct()
            for row in await self._reader.rows(query):
                yield f"{table.name}: there is no log {row['log']}"

    async def _file(self, file: HeadFile) -> AsyncIterator[str]:
        """The checkpoint outside the database, when it is on this machine."""
        note, head = file.read(), await rows.head(self._reader)
        if not note or head is None or not note.startswith(f"{head.origin}\n"):
            return
        last = await rows.last_signed(self._reader, head.log)
        try:
            seen = Verifier(head.origin, head.public_key).checkpoint(note)
        except BadNote:
            yield "the file of the last checkpoint is not what was signed"
            return
        if seen.size > head.size or (last is not None and seen.size < last.size):
            yield f"the file has a checkpoint of {seen.size}, the log {head.size} leaves"

    # --- rows ---------------------------------------------------------------------------------

    async def _messages(self) -> AsyncIterator[str]:
        """Each message's row against what its leaf tells, and its exact bytes against what that
        commits to; a tombstone has no leaf of its own, and that of its reversal tells the row."""
        joined = select(message, leaf.c.request_commitment, leaf.c.reply_commitment).join(
            leaf, leaf.c.tx_id == message.c.tx_id, isouter=True
        )
        for row in await self._reader.rows(joined):
            fault = self._message(row)
            if fault:
                yield f"message {row['sender']} {row['message_id']}: {fault}"

    def _message(self, row: dict[str, Any]) -> str:
        try:
            clear = self._reader.vault.open(message, row)
        except Unopened:
            self._replayed.found(message, row)
            return "" if row["record_key"] is None else "it does not open"
        differs = self._replayed.differs(message, clear)
        return differs if not row["tx_id"] else self._bytes(row, clear) or differs

    def _bytes(self, row: dict[str, Any], clear: Mapping[str, Any]) -> str:
        salts = self._salts.get(row["tx_id"])
        if row["request_commitment"] is None:
            return "no leaf tells of it"
        if salts is None:
            return ""
        for name in ("request", "reply"):
            content = bytes(clear[name] or b"")
            if commitment(salt_of(salts, name), content) != row[f"{name}_commitment"]:
                return f"its {name} is not what its leaf commits to"
        return ""

    async def _rows(self, table: Table) -> AsyncIterator[str]:
        for row in await self._reader.rows(select(table)):
            key = tuple(row[name] for name in table.info["row_key"])
            try:
                clear = self._opened(table, row)
            except Unopened:
                self._replayed.found(table, row)
                yield f"{table.name} {_said(key)}: it does not open"
                continue
            fault = self._replayed.differs(table, clear)
            if fault:
                yield f"{table.name} {_said(key)}: {fault}"

    def _opened(self, table: Table, row: dict[str, Any]) -> dict[str, Any]:
        """The row in clear. Its key is tried even when there is nothing to open by it."""
        if not table.info["personal"] or row["record_key"] is None:
            return row
        self._reader.vault.try_key(table, row)
        return self._reader.vault.open(table, row)


def _said(key: tuple[Any, ...]) -> str:
    return " ".join(str(part) for part in key)


def _first_leaf(
    tile: tree.Tile, tiles: Mapping[tree.Tile, bytes], stored: Mapping[tree.Tile, bytes]
) -> str:
    """Where a stored tile first differs from the leaves."""
    ours, theirs = tiles[tile], stored.get(tile, b"")
    for at in range(0, len(ours), tree.HASH):
        if ours[at : at + tree.HASH] != theirs[at : at + tree.HASH]:
            place = tile[1] * tree.WIDTH + at // tree.HASH
            return f"hash {place} of its row is not that of the leaves"
    return "it is longer than the log"


def _unsigned(verifier: Verifier, note: str, size: int, tiles: Mapping[tree.Tile, bytes]) -> str:
    try:
        return _beside(verifier.checkpoint(note), size, tiles)
    except BadNote:
        return "the signature is wrong"


def _uncosigned(row: Mapping[str, Any], origin: str, tiles: Mapping[tree.Tile, bytes]) -> str:
    try:
        at = Checkpoint(origin, row["size"], tree.root(row["size"], tiles))
        if stamped(row["line"]) * _SECOND_US != row["at_us"]:
            return "its time is not the one that was signed"
        return _unsigned(Verifier.read(row["witness"]), f"{at.body}\n{row['line']}", at.size, tiles)
    except (BadNote, LookupError):
        return "the witness or the size is wrong"


def _beside(seen: Checkpoint, size: int, tiles: Mapping[tree.Tile, bytes]) -> str:
    if seen.size != size:
        return f"it was signed at {seen.size}"
    try:
        return "" if tree.root(size, tiles) == seen.root else "the leaves are not those signed"
    except LookupError:
        return "leaves that were signed are gone"
