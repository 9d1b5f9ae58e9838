"""A bill through the whole gateway, beside the floor: CPU, latency, memory, a full store.

The gateway runs as its operator starts it and is spoken to over mutual TLS; the agency's message
is signed, delivered and receipted. CPU is user and system time of its processes and of their
children; the floor handles the very same messages in the same run. Ratios of CPU hold on a busy
machine too, latencies and throughputs do not.
"""

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final, NamedTuple

from cryptography import x509

from gateway.domain.split import Payer
from gateway.seal.keys import PublicKey
from tests.bench.floor import Floor, parsed_and_canonical, spent
from tests.bench.rules import Borne, catalogue_of
from tests.bench.town import Ready, Town

_TICKS: Final = os.sysconf("SC_CLK_TCK")
_ROUNDS: Final = 8
WARM: Final = 3
"""Bills that come first and are not counted: who has just started compiles and loads."""


class Round(NamedTuple):
    """What a few bills cost, each on average: seconds of CPU, and of wall clock by hand;
    `stages` are those of the floor."""

    gateway: float
    floor: float
    floor_wall: float
    parse_c14n: float
    stages: dict[str, float]


@dataclass(frozen=True, slots=True)
class Measured:
    """Rounds of gateway and floor in turn, and the latency of each bill in the gateway.

    What else the machine does changes from one second to the next: a ratio is taken of what
    was done right after each other, and of all rounds the median.
    """

    rounds: tuple[Round, ...]
    latencies_s: tuple[float, ...]

    @property
    def cpu_over_floor(self) -> float:
        return median(one.gateway / one.floor for one in self.rounds)

    @property
    def floor_over_parse_c14n(self) -> float:
        return median(one.floor / one.parse_c14n for one in self.rounds)

    @property
    def stages_over_parse_c14n(self) -> dict[str, float]:
        """Each stage of the floor; `rest` are lines, pricing, transactions and the signed
        answers."""
        each = {
            name: median(one.stages[name] / one.parse_c14n for one in self.rounds)
            for name in self.rounds[0].stages
        }
        return each | {"rest": self.floor_over_parse_c14n - sum(each.values())}

    @property
    def gateway_cpu_s(self) -> float:
        return median(one.gateway for one in self.rounds)

    @property
    def floor_cpu_s(self) -> float:
        return median(one.floor for one in self.rounds)

    def latency_over_floor(self, part: float) -> float:
        """The latency that this part of the bills kept, over the floor's wall clock."""
        wall = median(one.floor_wall for one in self.rounds)
        return percentile(self.latencies_s, part) / wall


def cpu_s(*processes: int) -> float:
    """Seconds of CPU of the processes and of their children, those that ended included."""
    return sum(map(_cpu_s, processes))


def _cpu_s(process: int) -> float:
    folder = Path(f"/proc/{process}")
    fields = (folder / "stat").read_text().rpartition(")")[2].split()
    ended = sum(map(int, fields[13:15])) / _TICKS
    children = [
        int(child)
        for thread in (folder / "task").iterdir()
        for child in (thread / "children").read_text().split()
    ]
    return time.clock_gettime(_clock_of(process)) + ended + sum(map(_cpu_s, children))


def _clock_of(process: int) -> int:
    """The kernel's clock of a process' CPU, to the nanosecond (clock_getcpuclockid)."""
    return (~process << 3) | 2


def bills_measured(town: Town, folder: Path, lines: int, bills: int) -> Measured:
    """So many bills of so many lines, one after the other, through the gateway and by hand."""
    warm = [town.ready(lines) for _ in range(WARM)]
    town.settle(warm)
    town.delivered_all()
    floor = _floor(town, folder, warm)
    rounds, latencies = [], list[float]()
    each = max(bills // _ROUNDS, 1)
    for _ in range(-(-bills // each)):
        counted = [town.ready(lines) for _ in range(each)]
        found, took = _round(town, floor, counted)
        rounds.append(found)
        latencies += took
    floor.close()
    return Measured(tuple(rounds), tuple(latencies))


def _round(town: Town, floor: Floor, bills: Sequence[Ready]) -> tuple[Round, tuple[float, ...]]:
    town.delivered_all()
    before = cpu_s(town.gateway.process.pid)
    latencies = town.settle(bills)
    town.delivered_all()
    gateway = cpu_s(town.gateway.process.pid) - before
    by_hand = spent(lambda: [floor.bill(bill.uploads, bill.commit) for bill in bills])
    raws = [message for bill in bills for message in bill.messages]
    parse = spent(lambda: [parsed_and_canonical(raw) for raw in raws])
    costs = (gateway, by_hand.cpu, by_hand.wall, parse.cpu)
    stages = {name: cost / len(bills) for name, cost in floor.stages(raws).items()}
    return Round(*(cost / len(bills) for cost in costs), stages), latencies


def percentile(latencies: Sequence[float], part: float) -> float:
    """The latency that this part of the bills kept."""
    ranked = sorted(latencies)
    return ranked[min(int(part * len(ranked)), len(ranked) - 1)]


def _floor(town: Town, folder: Path, warm: Sequence[Ready]) -> Floor:
    """The floor, warm, and in agreement with what the gateway told the agency."""
    folder.mkdir(parents=True)
    signer = town.hospital_client.signer
    floor = Floor(folder, _hospital_key(town), signer, _catalogue(warm[0]))
    for bill in warm:
        _check(town, bill, floor.bill(bill.uploads, bill.commit))
    return floor


def _check(town: Town, bill: Ready, borne: Borne) -> None:
    told = town.split(bill.stay)
    by_hand = {payer: sum(each[payer.value] for each in borne.values()) for payer in Payer}
    if told is None or by_hand != {payer: told.borne_by(payer) for payer in Payer}:
        raise AssertionError("by hand and through the gateway the fen differ")


def _catalogue(bill: Ready) -> dict[str, dict[str, object]]:
    """As the sample catalogue was imported: nothing is limited by the day."""
    rows = catalogue_of(bill.bill)
    return {code: row | {"per_day": None} for code, row in rows.items()}


def _hospital_key(town: Town) -> PublicKey:
    pem = town.keys.certificate("message").read_bytes()
    key: PublicKey = x509.load_pem_x509_certificate(pem).public_key()  # type: ignore[assignment]
    return key
