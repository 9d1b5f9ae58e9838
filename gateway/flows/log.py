"""The log as this process sees it: what was published last, and whether commits may go on.

A checkpoint that we signed and do not stand by, be it in the file outside the database or in a
hospital's hands, means that the database went back: then nothing is committed until two
persons have opened a new log (protocol §5).
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import uuid4

from gateway.clock import business_day, instant
from gateway.evidence.head_file import HeadFile
from gateway.evidence.note import BadNote, Checkpoint, NoteSigner, Verifier
from gateway.evidence.tree import Span, Tiles, root, tiles_of
from gateway.ports import Clock
from gateway.store import log as rows
from gateway.store import tables
from gateway.store.database import Database, Reader
from gateway.store.log import Head, Signed
from gateway.store.unit import Change, StoreFailed, Unit, Write

ROLLED_BACK: Final = "LOG_ROLLED_BACK"
STALLED: Final = "LOG_STALLED"
STOP_AFTER: Final = timedelta(hours=4)  # without a checkpoint (protocol §5)
_HEARD_MOST: Final = 1024  # checkpoints remembered as ours; any number would do
_log = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class Log:
    """The log of one deployment; `published` is its last checkpoint, "" before the first."""

    database: Database
    clock: Clock
    signer: NoteSigner
    file: HeadFile
    witness: Verifier | None = None
    published: str = ""
    waits: timedelta = timedelta(0)
    cosigned_us: int | None = None
    opened_us: int = 0
    started: datetime = field(init=False)
    _looked: datetime = field(init=False)
    _heard: set[str] = field(default_factory=set)
    _stood_still_in: int = 0

    def __post_init__(self) -> None:
        self.started = self._looked = self.clock.now()

    async def look(self) -> None:
        """Read what was published and how long transactions had waited for it at the last look:
        a clock that is set forward makes nobody wait whom the signer has not passed by. Go on,
        or stop."""
        before, self._looked = self._looked, self.clock.now()
        found = await self.database.in_one_piece(self._read)
        if found is None:
            return
        head, signed, since_us, self.cosigned_us = found
        self.opened_us = head.opened_us
        self.published = signed.note if signed else ""
        self.waits = timedelta(0) if since_us is None else self._waited(instant(since_us), before)
        self._judge(head)

    async def _read(self) -> tuple[Head, Signed | None, int | None, int | None] | None:
        """The head, what was signed last, since when a transaction waits for that, and when the
        witness last signed; None before the log was opened."""
        async with self.database.reading() as reader:
            head = await rows.head(reader)
            if head is None:
                return None
            signed = await rows.last_signed(reader, head.log)
            next_index = head.first_index + (signed.size if signed else 0)
            since_us = await rows.waiting_since(reader, next_index)
            return head, signed, since_us, await rows.last_cosigned(reader, head.log)

    def _waited(self, since: datetime, until: datetime) -> timedelta:
        """Since this process started at most: while nobody served, nobody could sign."""
        return max(until - max(since, self.started), timedelta(0))

    @property
    def uncosigned(self) -> timedelta | None:
        """How long ago the witness last signed; None without a witness."""
        if self.witness is None:
            return None
        return self.clock.now() - instant(self.cosigned_us or self.opened_us)

    def _judge(self, head: Head) -> None:
        if head.stopped or self._stood_still_in == head.log:
            self.database.stopped = ROLLED_BACK
        else:
            self.database.stopped = STALLED if self.waits >= STOP_AFTER else ""

    async def hear(self, known: str) -> None:
        """A checkpoint that a sender knows: when we signed it and it is not the beginning of
        our tree, stop. What we never signed proves nothing."""
        if not known or known == self.published or known in self._heard:
            return
        async with self.database.reading() as reader:
            head = await rows.head(reader)
            if head is None or await self._stands(reader, head, known):
                self._remember(known)
                return
        await self.stop(head, known)

    def _remember(self, known: str) -> None:
        if len(self._heard) >= _HEARD_MOST:
            self._heard.clear()
        self._heard.add(known)

    async def compare_file(self) -> None:
        """Stop when the file outside the database is ahead of it or beside it."""
        note = self.file.read()
        if not note:
            return
        async with self.database.reading() as reader:
            head = await rows.head(reader)
            if head is None or await self._stands(reader, head, note, ours=True):
                return
        await self.stop(head, note)

    async def _stands(self, reader: Reader, head: Head, note: str, *, ours: bool = False) -> bool:
        """Whether we stand by a note; one that we never signed counts as it is found: in our
        own file it is damage, in a message it is nothing."""
        name = note.partition("\n")[0]
        keys = {one["origin"]: bytes(one["public_key"]) for one in await rows.origins(reader)}
        try:
            seen = Verifier(name, keys.get(name, head.public_key)).checkpoint(note)
        except BadNote:
            return not ours
        if name != head.origin:
            # Of a log that was closed: two persons have looked at it.
            return name in keys
        return seen.size <= head.size and await is_root(reader, head.log, seen)

    async def stop(self, head: Head, evidence: str) -> None:
        """Stand still until two persons have acted, here and in every other process."""
        self._stood_still_in = head.log
        self.database.stopped = ROLLED_BACK
        _log.critical("the log was rolled back: nothing is committed any more")
        if head.stopped:
            return
        values = {"stopped": ROLLED_BACK, "evidence": evidence}
        try:
            await self.commit(Change(tables.log_head, head.key, values))
        except StoreFailed:
            _log.error("the stop could not be written down: only this process stands still")

    async def commit(self, *writes: Write) -> None:
        """One transaction of the log's own bookkeeping."""
        year = business_day(self.clock.now()).year
        tx_id = f"L{uuid4().hex[:24].upper()}"
        await self.database.commit(Unit(tx_id, year, writes=writes, of_the_log=True))


async def spans_read(reader: Reader, log: int, spans: Iterable[Span]) -> Tiles:
    """The tiles in which these spans are found, as far as they are there."""
    return await rows.tiles(reader, log, tiles_of(spans))


async def is_root(reader: Reader, log: int, seen: Checkpoint) -> bool:
    """Whether the tree had this root when it was of this size."""
    try:
        return root(seen.size, await spans_read(reader, log, [(0, seen.size)])) == seen.root
    except LookupError:
        return False
