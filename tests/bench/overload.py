"""Five times more messages than the gateway can answer: what of its capacity is left (F18).

A real server in a process of its own, mutual TLS, signed messages that change something. First
as many as it answers when asked without pause (its capacity), then an open loop: messages are
due when their time has come, whatever became of those before, and are sent unless all the
connections that a hospital may hold wait for an answer: so far the gateway pushes back.
`python -m tests.bench.overload` prints the ratios.
"""

import argparse
import asyncio
import ssl
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count, cycle
from pathlib import Path

from adapters.catalog_file import sample_path
from adapters.sandbox.client import Client
from adapters.sandbox.keys import PartyKeys
from gateway.clock import business_day, elapsed_s, machine_now
from gateway.domain.case import TreatmentKind
from gateway.domain.commands import RegisterAdmission, UploadFees
from gateway.web.messages import PATH
from gateway.web.mtls import Pace
from tests.e2e.deployed import Deployed, deployed
from tests.e2e.test_kill import agency_keys, client, recognise
from tests.world import DIAGNOSIS, bill_line, person

HOSPITALS, STAYS, OVER, PACED = 4, 128, 5.0, 200
ROUNDS, LASTS_S = 3, 20.0
HIGHEST = 400.0
"""More messages a second than any machine is expected to answer."""
AT_ONCE = 8
"""Requests of one hospital at once while capacity is measured: all are admitted."""
CONNECTIONS = Pace().connections
"""Connections of one hospital in the open loop: all that it may hold."""
Messages = Iterator[tuple[str, bytes]]
DAY = business_day(machine_now()) - timedelta(days=1)


@dataclass
class Hospital:
    """One sender with its stays, its TLS and its connections that rest."""

    keys: PartyKeys
    stays: Iterator[str]
    tls: ssl.SSLContext
    resting: list["Line"] = field(default_factory=list)


@dataclass(frozen=True)
class Line:
    """One connection that is kept."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def post(self, body: bytes) -> int:
        """The HTTP status of the answer, which is read to its end."""
        head = f"POST {PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n"
        self.writer.write(head.encode() + body)
        answered = await self.reader.readuntil(b"\r\n\r\n")
        named = dict(one.lower().split(b": ", 1) for one in answered.split(b"\r\n")[1:-2])
        await self.reader.readexactly(int(named[b"content-length"]))
        return int(answered.split(b" ", 2)[1])

    async def close(self) -> None:
        self.writer.close()
        with suppress(OSError):
            await self.writer.wait_closed()


@dataclass
class Run:
    """What one run brought: answers by status, how long it took, and the CPU it cost."""

    statuses: dict[str, int] = field(default_factory=dict)
    waits_s: list[float] = field(default_factory=list)
    unsent: list[str] = field(default_factory=list)
    lasted_s: float = 0.0
    cpu_s: float = 0.0

    @property
    def answered(self) -> list[str]:
        return [name for name, status in self.statuses.items() if status == 200]

    @property
    def refused(self) -> list[str]:
        return [name for name, status in self.statuses.items() if status in (429, 503)]

    @property
    def per_second(self) -> float:
        return len(self.answered) / self.lasted_s

    @property
    def per_cpu_second(self) -> float:
        return len(self.answered) / self.cpu_s

    def __add__(self, other: "Run") -> "Run":
        """Both, one after the other."""
        return Run(
            self.statuses | other.statuses,
            self.waits_s + other.waits_s,
            self.unsent + other.unsent,
            self.lasted_s + other.lasted_s,
            self.cpu_s + other.cpu_s,
        )

    def __str__(self) -> str:
        found = ", ".join(f"{each} × {status}" for status, each in sorted(self.counted.items()))
        rates = f"{self.per_second:.1f}/s, {self.per_cpu_second:.1f} per CPU second"
        held_back = f"{len(self.unsent)} held back"
        return f"{rates}; {found}, {held_back}; longest wait {max(self.waits_s):.2f} s"

    @property
    def counted(self) -> Counter[int]:
        return Counter(self.statuses.values())


class Load:
    """Sends signed uploads of one line each to one running gateway."""

    def __init__(self, gateway: Deployed, hospitals: list[Hospital]) -> None:
        self.gateway, self.hospitals = gateway, hospitals
        self._numbers = count(1)
        self._made: dict[str, tuple[Hospital, bytes]] = {}

    def sealed(self, hospital: Hospital, number: int) -> Messages:
        """As many signed messages of the hospital, each with a line of its own, by id."""
        signer, party, made = hospital.keys.signer(), hospital.keys.party_id, {}
        for _ in range(number):
            name = f"LOAD-{next(self._numbers):06d}"
            line = bill_line(name, "I0001", "12.00", "1", DAY)
            upload = UploadFees(admission_id=next(hospital.stays), lines=(line,))
            content = self.gateway.content(party, "fees.upload", upload, name)
            made[name] = signer.seal(content, "m1")
            self._made[name] = hospital, made[name]
        return iter(made.items())

    async def capacity(self, lasts_s: float, expected: float) -> Run:
        """Without pause, so many at once that none is refused; `expected` a second, at most."""
        each = int(expected * lasts_s / len(self.hospitals)) + 1
        waiting = [(one, self.sealed(one, each)) for one in self.hospitals]
        async with self._connected(self.hospitals, AT_ONCE) as run:
            busy = (
                self._one_after_the_other(run, *one, lasts_s)
                for one in waiting
                for _ in range(AT_ONCE)
            )
            await asyncio.gather(*busy)
        return run

    async def paced(self, hospital: Hospital, pause_s: float, flood: "asyncio.Task[Run]") -> Run:
        """One message after the other with a pause, as long as somebody else floods."""
        waiting = self.sealed(hospital, PACED)
        async with self._connected([hospital], 1) as run:
            while not flood.done() and (one := next(waiting, None)):
                await self._send(run, hospital, *one)
                await asyncio.sleep(pause_s)
        return run

    async def overload(self, rate: float, lasts_s: float, hospitals: list[Hospital]) -> Run:
        """So many a second, each sent in its time."""
        each = int(rate * lasts_s / len(hospitals)) + 1
        due = cycle([(one, self.sealed(one, each)) for one in hospitals])
        async with self._connected(hospitals, CONNECTIONS) as run:
            await self._in_time(run, due, rate, lasts_s)
        return run

    async def again(self, names: list[str]) -> Run:
        """The same bytes once more, one after the other."""
        wanted = [(self._made[name][0], name, self._made[name][1]) for name in names]
        async with self._connected([hospital for hospital, _, _ in wanted], 1) as run:
            for hospital, name, body in wanted:
                await self._send(run, hospital, name, body)
        return run

    @asynccontextmanager
    async def _connected(self, hospitals: list[Hospital], lines: int) -> AsyncIterator[Run]:
        """Every hospital with as many connections, and what is done with them measured."""
        for one in hospitals:
            one.resting += [await self._line(one) for _ in range(lines)]
        run, began, spent = Run(), elapsed_s(), self.gateway.cpu_s()
        try:
            yield run
            run.lasted_s, run.cpu_s = elapsed_s(began), self.gateway.cpu_s() - spent
        finally:
            ended = [line for one in hospitals for line in one.resting]
            await asyncio.gather(*(line.close() for line in ended))
            for one in hospitals:
                one.resting.clear()

    async def _line(self, hospital: Hospital) -> Line:
        port = self.gateway.ports["hospital"]
        return Line(*await asyncio.open_connection("localhost", port, ssl=hospital.tls))

    async def _one_after_the_other(
        self, run: Run, hospital: Hospital, waiting: Messages, lasts_s: float
    ) -> None:
        began = elapsed_s()
        while elapsed_s(began) < lasts_s and (one := next(waiting, None)):
            await self._send(run, hospital, *one)

    async def _in_time(
        self, run: Run, due: Iterator[tuple[Hospital, Messages]], rate: float, lasts_s: float
    ) -> None:
        began, on_their_way = elapsed_s(), set[asyncio.Task[None]]()
        for number in range(int(rate * lasts_s)):
            await asyncio.sleep(max(0.0, number / rate - elapsed_s(began)))
            hospital, waiting = next(due)
            task = asyncio.create_task(self._send(run, hospital, *next(waiting)))
            on_their_way.add(task)
            task.add_done_callback(on_their_way.discard)
        await asyncio.gather(*on_their_way)

    async def _send(self, run: Run, hospital: Hospital, name: str, body: bytes) -> None:
        """Send over a connection that rests; a hospital whose connections all wait sends not."""
        began = elapsed_s()
        if not hospital.resting:
            run.unsent.append(name)
            return
        line = hospital.resting.pop()
        try:
            run.statuses[name] = await line.post(body)
        except (asyncio.IncompleteReadError, OSError):
            # Ended while it rested, as every connection is: the same message over a new one.
            line = await self._line(hospital)
            run.statuses[name] = await line.post(body)
        run.waits_s.append(elapsed_s(began))
        hospital.resting.append(line)


async def built(gateway: Deployed) -> Load:
    """The hospitals, each with a stay of its own."""
    keys = [gateway.hospital(f"H{number:03d}") for number in range(1, HOSPITALS + 1)]
    gateway.act("catalog.import", path=str(sample_path()), valid_from="2025-01-01")
    await recognise(gateway, agency_keys(gateway))
    return Load(gateway, [await _hospital(gateway, one) for one in keys])


async def _hospital(gateway: Deployed, keys: PartyKeys) -> Hospital:
    """A hospital with many more stays than it runs requests: of two uploads to one stay at once
    one is worked out again."""
    async with client(gateway, keys, "hospital") as hospital:
        stays = [await _stay(hospital, f"V{number}") for number in range(STAYS)]
    return Hospital(keys, cycle(stays), keys.tls(gateway.ca))


async def _stay(hospital: Client, visit_no: str) -> str:
    registered = RegisterAdmission(
        visit_no=visit_no, person=person(1), treatment=TreatmentKind.INPATIENT,
        admitted_at=machine_now() - timedelta(days=1), department="骨科", doctor="虚构医师",
        diagnoses=(DIAGNOSIS,),
    )  # fmt: skip
    return str((await hospital.send("admission.register", registered)).result.admission_id)


@dataclass(frozen=True)
class Measured:
    """Both kinds of run, taken in turns so that both met the same machine."""

    capacity: Run
    overload: Run

    @property
    def goodput(self) -> float:
        """What is left of capacity under overload, by the clock."""
        return self.overload.per_second / self.capacity.per_second

    @property
    def goodput_by_cpu(self) -> float:
        """The same by CPU time of the gateway, which other work of the machine moves less."""
        return self.overload.per_cpu_second / self.capacity.per_cpu_second


async def measured(load: Load, rounds: int, lasts_s: float) -> Measured:
    """Capacity and overload in turns; the first run warms up and is not counted."""
    rate = (await load.capacity(lasts_s, HIGHEST)).per_second
    capacity, overload = Run(), Run()
    for _ in range(rounds):
        again = await load.capacity(lasts_s, 4 * rate)
        capacity, rate = capacity + again, max(rate, again.per_second)
        overload += await load.overload(OVER * rate, lasts_s, load.hospitals)
    return Measured(capacity, overload)


async def flooded(load: Load, rate: float, lasts_s: float) -> tuple[Run, Run]:
    """One hospital floods, another goes on as usual: what either gets."""
    flooding, honest, *_ = load.hospitals
    flood = asyncio.create_task(load.overload(rate, lasts_s, [flooding]))
    honestly = await load.paced(honest, 0.1, flood)
    return await flood, honestly


def goodput(folder: Path, rounds: int = ROUNDS, lasts_s: float = LASTS_S) -> Measured:
    """Measured on a gateway of its own."""

    async def run(gateway: Deployed) -> Measured:
        return await measured(await built(gateway), rounds, lasts_s)

    with deployed(folder) as gateway:
        return asyncio.run(run(gateway))


def main() -> int:
    """Print capacity, overload and the goodput ratios."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.overload")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--seconds", type=float, default=LASTS_S, help="how long each run lasts")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = goodput(Path(folder), given.rounds, given.seconds)
    sys.stdout.write(
        f"capacity        {found.capacity}\n"
        f"{OVER:.0f} × overload    {found.overload}\n"
        f"goodput         {found.goodput:.3f} (by CPU {found.goodput_by_cpu:.3f})\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
