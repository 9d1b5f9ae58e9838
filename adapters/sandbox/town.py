"""演示小镇 Everybody of the story with their connections, and the clock they share."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final, Protocol

import httpx

from adapters.agency_xml import AgencyXml
from adapters.catalog_file import sample_path
from adapters.hospital_xml import HospitalXml
from adapters.sandbox.agency import Core
from adapters.sandbox.bureau import Bureau
from adapters.sandbox.client import Client
from adapters.sandbox.expect import expect
from adapters.sandbox.hospital import Hospital, Stay
from adapters.sandbox.keys import PartyKeys
from gateway.clock import BUSINESS_ZONE, SystemClock, at_business, business_day
from gateway.domain.catalogue import Level
from gateway.domain.results import Difference

AGENCY: Final = "AGENCY"
CARRIER: Final = "CAR1"
_AGREED_FROM: Final = "2025-01-01"
_MANDATE_DAYS: Final = 365
_CARRIED: Final = ("H002", "H003")


class Operator(Protocol):
    """The operator's command line: one verb with its words; what it printed. Raises
    StoryBroken when the verb fails."""

    async def __call__(self, *words: str) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """Lines of the three bills that the story is about."""

    small: int = 20
    middle: int = 300
    large: int = 3000


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a running gateway is reached, and where parties keep keys and messages."""

    receiver: str
    ports: dict[str, int]
    ca: Path
    keys: Path
    messages: Path

    def url(self, listener: str) -> str:
        scheme = "http" if listener == "ops" else "https"
        return f"{scheme}://localhost:{self.ports[listener]}"


@dataclass(slots=True, kw_only=True)
class Town:
    """The gateway's operator, its agency, three hospitals and a carrier.

    `smuggler` signs as a hospital over the carrier's connection, without a mandate;
    `differences` are those that reconciliation found.
    """

    place: Place
    operate: Operator
    clock: SystemClock
    start: date
    sizes: Sizes
    bureau: Bureau
    hospitals: dict[str, Hospital]
    smuggler: Client
    differences: list[Difference] = field(default_factory=list)

    def day(self, number: int) -> date:
        """A day of the story; 0 is the first."""
        return self.start + timedelta(days=number)

    @property
    def today(self) -> date:
        return business_day(self.clock.now())

    def hospital(self, visit_no: str) -> Hospital:
        """The hospital of a visit number."""
        return self.hospitals[visit_no.partition("-")[0]]

    def stay(self, visit_no: str) -> Stay:
        return self.hospital(visit_no).stays[visit_no]

    async def move_to(self, number: int, hour: int, minute: int = 0) -> None:
        """Set everybody's business clock forward to a time of a day of the story."""
        wanted = at_business(self.day(number), hour, minute)
        await self.operate("clock", "set", wanted.astimezone(BUSINESS_ZONE).isoformat())
        self.clock.move(wanted - self.clock.now())

    async def close(self) -> None:
        """Hang up everywhere."""
        hospitals = [hospital.client for hospital in self.hospitals.values()]
        for client in (*hospitals, self.bureau.client, self.smuggler):
            await client.close()


async def founded(
    place: Place, operate: Operator, clock: SystemClock, core: Core, callback: str, sizes: Sizes
) -> Town:
    """Register everybody through the operator's command line and connect them."""
    start = business_day(clock.now())
    office = _Office(place, operate, clock)
    await operate("catalog", "import", str(sample_path()), "--valid-from", _AGREED_FROM)
    agency = await office.agency(callback)
    carrier = await office.carrier(start)
    core.signer = agency.signer()
    hospitals = {
        "H001": await office.hospital("H001", "示例市第一医院（虚构）", Level.TERTIARY, True),
        "H002": await office.hospital("H002", "示例市骨科医院（虚构）", Level.SECONDARY, False),
        "H003": await office.hospital("H003", "示例市康复医院（虚构）", Level.PRIMARY, True),
    }
    await office.mandates(start)
    return Town(
        place=place,
        operate=operate,
        clock=clock,
        start=start,
        sizes=sizes,
        bureau=Bureau(client=office.client(agency, agency, "agency"), core=core),
        hospitals={
            party: Hospital(
                client=office.client(keys, carrier if party in _CARRIED else keys), level=level
            )
            for party, (keys, level) in hospitals.items()
        },
        smuggler=office.client(hospitals["H001"][0], carrier),
    )


@dataclass(frozen=True, slots=True)
class _Office:
    """Registers parties and makes their clients."""

    place: Place
    operate: Operator
    clock: SystemClock

    async def agency(self, callback: str) -> PartyKeys:
        name = "示例市工伤保险经办机构（虚构）"
        await self.operate("agency", "add", AGENCY, "--name", name, "--callback", callback)
        return await self._enrolled("agency", AGENCY)

    async def carrier(self, start: date) -> PartyKeys:
        """A carrier has a connection and no message key: it cannot sign for anybody."""
        await self.operate("carrier", "add", CARRIER, "--name", "虚构信息公司")
        return await self._enrolled("carrier", CARRIER, ("tls",))

    async def hospital(
        self, party: str, name: str, level: Level, rehabilitates: bool
    ) -> tuple[PartyKeys, Level]:
        words = ["hospital", "add", party, "--name", name, "--level", level.value]
        words += ["--agreement-from", _AGREED_FROM, "--capability", "MEDICAL"]
        words += ["--capability", "REHABILITATION"] if rehabilitates else []
        await self.operate(*words)
        return await self._enrolled("hospital", party), level

    async def mandates(self, start: date) -> None:
        """The carrier may deliver for two hospitals from the first day on, for a year."""
        until = start + timedelta(days=_MANDATE_DAYS)
        for hospital in _CARRIED:
            days = ("--from", start.isoformat(), "--to", until.isoformat())
            await self.operate("carrier", "mandate", CARRIER, hospital, *days)

    async def _enrolled(
        self, kind: str, party: str, purposes: tuple[str, ...] = ("tls", "message")
    ) -> PartyKeys:
        keys = PartyKeys(party, self.place.keys / party)
        for purpose in purposes:
            csr, certificate = keys.request(purpose), keys.certificate(purpose)
            words = ("--purpose", purpose, "--csr", str(csr), "--out", str(certificate))
            await self.operate(kind, "enrol", party, *words)
        return keys

    def client(self, signs: PartyKeys, connects: PartyKeys, listener: str = "hospital") -> Client:
        """A client that signs with one party's key over another's (or its own) connection."""
        codec: Any = AgencyXml() if listener == "agency" else HospitalXml()
        return Client(
            party_id=signs.party_id,
            receiver=self.place.receiver,
            url=self.place.url(listener),
            signer=signs.signer(),
            tls=connects.tls(self.place.ca),
            trust=self.place.ca.read_bytes(),
            codec=codec,
            now=self.clock.now,
            journal=self.place.messages / signs.party_id,
        )


async def until(holds: Callable[[], Awaitable[bool]], zh: str, en: str, wait_s: float) -> None:
    """Ask again and again until it holds. Raises StoryBroken after `wait_s` seconds."""
    try:
        async with asyncio.timeout(wait_s):
            while not await holds():
                await asyncio.sleep(0.05)
    except TimeoutError:
        expect(False, f"{zh}（{wait_s:g} 秒内）", f"{en} (within {wait_s:g} s)")


async def page(place: Place, path: str) -> httpx.Response:
    """A page of the operations listener."""
    async with httpx.AsyncClient(trust_env=False) as client:
        return await client.get(place.url("ops") + path)
