"""What every flow works with: the store, the clock, the policy, the editions and the seal."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from uuid import uuid4

from gateway.clock import business_day, micros
from gateway.domain.catalogue import Edition
from gateway.domain.party import Party
from gateway.flows.in_progress import InProgress
from gateway.flows.log import Log
from gateway.flows.nearest import NameIndex
from gateway.flows.off_loop import LARGE_BYTES, off_loop
from gateway.flows.search_limit import SearchLimit
from gateway.policy.model import Policy
from gateway.ports import Clock, Codec, Meter, Sealer
from gateway.store import editions
from gateway.store.database import Database, Reader


class EditionShelf:
    """Catalogue editions opened once and kept by digest; heads are read again on demand."""

    def __init__(self, region: str, open_edition: Callable[[bytes], Edition]) -> None:
        self._region, self._open = region, open_edition
        self._opened: dict[str, Edition] = {}
        self._heads: dict[str, tuple[Edition, ...]] = {}
        self._forgotten = 0
        self._names: dict[str, NameIndex] = {}

    def names(self, edition: Edition) -> NameIndex:
        """The edition's names to search in; made at the first search, then kept."""
        found = self._names.get(edition.digest)
        return found or self._names.setdefault(edition.digest, NameIndex(edition))

    def forget(self) -> None:
        """Read the heads again at the next use: an edition was imported."""
        self._heads = {}
        self._forgotten += 1

    async def between(
        self, reader: Reader, first: date, last: date, region: str = ""
    ) -> tuple[Edition, ...]:
        """Every edition of a region (our own when left out) that covers a day from first to
        last, of any kind."""
        region = region or self._region
        heads = self._heads.get(region)
        if heads is None:
            asked, heads = self._forgotten, await self._load(reader, region)
            # What was read before an import must not be kept after it.
            if asked == self._forgotten:
                self._heads[region] = heads
        return tuple(
            edition
            for edition in heads
            if edition.valid_from <= last
            and (edition.valid_to is None or first <= edition.valid_to)
        )

    async def of_record(self, reader: Reader, digests: Iterable[str]) -> tuple[Edition, ...]:
        """The editions of these digests as a settlement used them, in force or corrected since.

        LookupError when one is not here.
        """
        wanted = list(digests)
        await self._open_missing(reader, set(wanted))
        return tuple(self._opened[digest] for digest in wanted)

    async def _load(self, reader: Reader, region: str) -> tuple[Edition, ...]:
        heads = await editions.edition_heads(reader, region)
        await self._open_missing(reader, {head["digest"] for head in heads})
        return tuple(_with_end(self._opened[head["digest"]], head["valid_to"]) for head in heads)

    async def _open_missing(self, reader: Reader, wanted: set[str]) -> None:
        missing = wanted - self._opened.keys()
        if missing:
            contents = await editions.edition_contents(reader, missing)
            for digest, content in contents.items():
                self._opened[digest] = await off_loop(LARGE_BYTES, partial(self._open, content))


def _with_end(edition: Edition, valid_to: str | None) -> Edition:
    """The edition with the end that a successor gave it."""
    end = None if valid_to is None else date.fromisoformat(valid_to)
    if end == edition.valid_to:
        return edition
    return Edition(
        edition.digest, edition.region, edition.kind, edition.valid_from, end, edition.rows
    )


@dataclass(slots=True, kw_only=True)
class Desk:
    """One deployment's working set. Flows read from it and describe a transaction."""

    region: str
    gateway_id: str
    receiver: str
    agency_id: str
    database: Database
    clock: Clock
    policy: Policy
    sealer: Sealer
    signer_fingerprint: str
    hospital_codec: Codec
    agency_codec: Codec
    meter: Meter
    shelf: EditionShelf
    log: Log
    searches: SearchLimit
    in_progress: InProgress = field(default_factory=InProgress)
    outbox_ready: asyncio.Event = field(default_factory=asyncio.Event)
    jobs_ready: asyncio.Event = field(default_factory=asyncio.Event)
    keys_renewed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def now_us(self) -> int:
        return micros(self.clock.now())

    @property
    def today(self) -> date:
        """The business day of now."""
        return business_day(self.clock.now())

    def codec_for(self, receiver: str) -> Codec:
        """The dialect a receiver is written to in."""
        return self.agency_codec if receiver == self.agency_id else self.hospital_codec


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """The verified sender of the message being answered."""

    party: Party
    message_id: str
    command: str
    known_checkpoint: str = ""

    @property
    def party_id(self) -> str:
        return self.party.party_id


def new_id(prefix: str) -> str:
    """A random identifier that tells nothing."""
    return prefix + uuid4().hex[:24].upper()
