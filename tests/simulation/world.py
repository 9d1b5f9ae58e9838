"""Everybody of one seed, their troubles, and the calm in which everything must come right."""

import asyncio
import hashlib
import sqlite3
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from adapters.agency_xml import AgencyXml
from adapters.hospital_xml import HospitalXml
from adapters.sandbox.agency import Core
from gateway.domain.case import CaseState
from gateway.seal.authority import fingerprint
from gateway.store import tables
from gateway.store.deliveries import WAITING
from gateway.store.invariants import check_invariants
from gateway.store.jobs import OPEN
from gateway.web import admin
from tests.flows.office import AGENCY
from tests.simulation import checks
from tests.simulation.agency import Agency, Push
from tests.simulation.base import HOSPITALS, Base
from tests.simulation.checks import Found
from tests.simulation.hospital import Hospital
from tests.simulation.host import Host
from tests.simulation.loop import SimLoop
from tests.simulation.machine import Time
from tests.simulation.network import Lost, Network, Weather
from tests.simulation.party import Wire

_STAYS = 2  # of each hospital at once
_END_S = 10_000.0
"""No story takes so long: whoever still waits then waits for ever. What failed to be delivered
waits by the clock: set back an hour in between, it waits an hour more."""


@dataclass(slots=True)
class Outcome:
    """What a seed showed."""

    seed: int
    found: Found = field(default_factory=Found)
    messages: int = 0
    kills: int = 0
    trace: list[str] = field(default_factory=list)

    @property
    def digest(self) -> str:
        return hashlib.sha256("\n".join(self.trace).encode()).hexdigest()


class World:
    """Everybody of one seed."""

    def __init__(self, loop: SimLoop, base: Base, folder: Path, outcome: Outcome) -> None:
        self._loop, self._random, self._base, self._outcome = loop, loop.random, base, outcome
        self._settings = base.copy(folder)
        self._host = Host(loop, base, self._settings)
        self._network = Network(loop, Weather.drawn(loop.random))
        self._over = False
        loop.set_exception_handler(self._unexpected)

    def prepared(self) -> None:
        """The store is there, and nobody has opened it yet."""

    def altered(self, *statements: str) -> None:
        """Change the schema under the gateway."""
        with sqlite3.connect(self._settings.database_path) as connection:
            for statement in statements:
                connection.execute(statement)
        connection.close()

    def line(self, url: str, _: Any) -> Push:
        """How the gateway reaches the agency."""
        return Push(url, self._network, self._agency)

    async def story(self, time: Time) -> None:
        """All of it: the troubles, and the calm in which everything must come right."""
        self._time = time
        self._agency = self._an_agency()
        self._hospitals = [self._a_hospital(one) for one in HOSPITALS]
        self.prepared()
        self._host.start()
        troubles = [self._loop.create_task(one()) for one in self._troubles()]
        try:
            async with asyncio.timeout(_END_S):
                await asyncio.gather(*self._stories())
                self._over = True
                await asyncio.gather(*troubles)
                await self._calm()
        except TimeoutError:
            self._outcome.found.faults += self._stuck()
            return
        await self._judge()

    def _stuck(self) -> list[str]:
        """Who waits for ever, and for what."""
        waiting = [
            f"{message_id} is unknown to its sender after {sent.tries} tries"
            for party in (*self._hospitals, self._agency)
            for message_id, sent in party.journal.items()
            if message_id not in party.beliefs
        ]
        return waiting or ["something is never delivered or released"]

    def _stories(self) -> list[Any]:
        numbers = iter(range(1, 1 + _STAYS * len(HOSPITALS)))
        stories: list[Any] = []
        for hospital in self._hospitals:
            for _ in range(_STAYS):
                serial = next(numbers)
                stories.append(self._a_case(serial))
                stories.append(hospital.treat(f"V{serial}", serial))
        return stories

    def _a_case(self, serial: int) -> Any:
        late = self._random.random() < 0.4
        no = self._random.random() < 0.1
        state = CaseState.NOT_RECOGNISED if no else CaseState.RECOGNISED
        return self._agency.open_case(serial, state, self._random.random() * 200 if late else 0)

    # --- parties -----------------------------------------------------------------------------

    def _wire(self, party: str, listener: str, codec: Any) -> Wire:
        skew = timedelta(seconds=self._random.uniform(-100, 100))
        return Wire(
            party_id=party,
            receiver="GATEWAY.999900.test",
            url="",
            signer=self._base.signer(party),
            tls=None,  # type: ignore[arg-type]
            trust=self._base.trust,
            codec=codec,
            now=lambda: self._time.now() + skew,
            network=self._network,
            serve=self._host.listener(listener, self._base.tls(party)),
        )

    def _a_hospital(self, party: str) -> Hospital:
        wire = self._wire(party, "hospital", HospitalXml())
        return Hospital(loop=self._loop, wire=wire, trace=self.trace)

    def _an_agency(self) -> Agency:
        wire = self._wire(AGENCY, "agency", AgencyXml())
        core = Core(
            party_id=AGENCY,
            trust=self._base.trust,
            codec=AgencyXml(),
            now=self._time.now,
            signer=wire.signer,
        )
        return Agency(loop=self._loop, wire=wire, trace=self.trace, core=core)

    # --- troubles ----------------------------------------------------------------------------

    def _troubles(self) -> list[Any]:
        troubles = [self._kills, self._agency_away, self._clock_steps, self._roll_over]
        return [one for one in troubles if self._random.random() < 0.6]

    async def _pause(self, longest_s: float) -> None:
        await asyncio.sleep(self._random.random() * longest_s)

    async def _kills(self) -> None:
        """The gateway dies and comes back, sometimes with another signing key."""
        for _ in range(self._random.randint(1, 4)):
            await self._pause(60)
            if self._over:
                return
            await self._host.kill()
            self._outcome.kills += 1
            self.trace("killed")
            await self._pause(10)
            if self._random.random() < 0.3:
                self._host.roll_over()
            self._host.start()

    async def _agency_away(self) -> None:
        for _ in range(self._random.randint(1, 3)):
            await self._pause(60)
            self._agency.up = False
            await self._pause(200)
            self._agency.up = True

    async def _clock_steps(self) -> None:
        """Ten minutes, an hour back and forth again, or three days on."""
        for _ in range(self._random.randint(1, 3)):
            await self._pause(60)
            minutes = self._random.choice((10, -10, -60, 60))
            self._step(timedelta(minutes=minutes))
            await self._pause(30)
            self._step(timedelta(minutes=-minutes))
        if self._random.random() < 0.5:
            self._step(timedelta(days=3))

    def _step(self, by: timedelta) -> None:
        self._time.step(by)
        self.trace("clock", by)

    async def _roll_over(self) -> None:
        """Every party takes its later key, of another algorithm; then the old one is revoked."""
        for party in (*self._hospitals, self._agency):
            await self._pause(40)
            old = party.wire.signer.certificate
            party.take(self._base.signer(party.party_id, later=True))
            await self._pause(20)
            await self._operator("key.change", fingerprint=fingerprint(old), verb="revoke")

    async def _operator(self, act: str, **given: Any) -> None:
        """Until it is done; what was done before the gateway died is not done twice."""
        while True:
            try:
                await self._host.within(lambda: self._acted(act, given))
                return
            except Lost:
                await self._pause(10)
            except admin.NotDone:
                return

    async def _acted(self, act: str, given: dict[str, Any]) -> None:
        assert self._host.gateway is not None
        await admin.perform(self._host.gateway.office, act, given)

    # --- the end -----------------------------------------------------------------------------

    async def _calm(self) -> None:
        """The network heals, and everything that waits must come to its end."""
        self._network.heal()
        self._agency.up = True
        while await self._waiting():
            await asyncio.sleep(20)
        for hospital in self._hospitals:
            await hospital.empty_inbox()

    async def _waiting(self) -> int:
        """What is still to be pushed or released."""
        outbox, job = tables.outbox, tables.release_job
        pushes = select(func.count().label("n")).where(
            outbox.c.state == WAITING, outbox.c.channel == "push"
        )
        jobs = select(func.count().label("n")).where(job.c.state == OPEN)
        try:
            rows = await self._host.within(lambda: self._counted(pushes, jobs))
        except Lost:
            return 1
        return sum(rows)

    async def _counted(self, *queries: Any) -> list[int]:
        assert self._host.gateway is not None
        async with self._host.gateway.desk.database.reading() as reader:
            return [(await reader.rows(query))[0]["n"] for query in queries]

    async def _judge(self) -> None:
        assert self._host.gateway is not None
        database = self._host.gateway.desk.database
        kept, violations = await self._host.within(lambda: self._looked_at(database))
        faults = [*self._outcome.found.faults, *map(str, violations)]
        self._outcome.found = checks.check(kept, self._hospitals, self._agency)
        self._outcome.found.faults += faults
        self._outcome.messages = self._network.arrived.total()
        await self._host.kill()

    async def _looked_at(self, database: Any) -> Any:
        """The store, whole, and what is wrong with it by the gateway's own invariants."""
        heard = {
            (party.party_id, message_id): belief.reply
            for party in (*self._hospitals, self._agency)
            for message_id, belief in party.beliefs.items()
            if belief.reply
        }
        async with database.reading() as reader:
            violations = await check_invariants(reader, heard)
        return await checks.read(database), violations

    # --- what is seen ------------------------------------------------------------------------

    def trace(self, what: str, *more: Any) -> None:
        line = " ".join([f"{self._loop.time():.6f}", what, *map(str, more)])
        self._outcome.trace.append(line)

    def _unexpected(self, _: Any, context: dict[str, Any]) -> None:
        """An error that nobody was there to hear."""
        error = context.get("exception")
        if error is not None:
            fault = f"unheard {type(error).__name__}: {error}"
            self._outcome.found.faults.append(fault)
