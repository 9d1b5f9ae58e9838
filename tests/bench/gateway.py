"""A bill through the whole gateway, beside the floor: CPU, latency, memory, a full store.

The gateway runs as its operator starts it and is spoken to over mutual TLS; the agency's message
is signed, delivered and receipted. CPU is user and system time of its processes and of their
children; the floor handles the very same messages in the same run. Ratios of CPU hold on a busy
machine too, latencies and throughputs do not.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography import x509

from gateway.domain.split import Payer
from gateway.seal.keys import PublicKey
from tests.bench.floor import Floor, Spent, parsed_and_canonical, spent
from tests.bench.rules import Borne, catalogue_of
from tests.bench.town import Ready, Town

_TICKS: Final = os.sysconf("SC_CLK_TCK")
WARM: Final = 3
"""Bills that come first and are not counted: who has just started compiles and loads."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What the same bills cost, each on average, and the latency of each in the gateway."""

    gateway_cpu_s: float
    floor: Spent
    parse_c14n_cpu_s: float
    latencies_s: tuple[float, ...]

    @property
    def cpu_over_floor(self) -> float:
        return self.gateway_cpu_s / self.floor.cpu


def cpu_s(*processes: int) -> float:
    """Seconds of CPU of the processes and of their children, those that ended included."""
    return sum(_ticks(process) for process in processes) / _TICKS


def _ticks(process: int) -> int:
    folder = Path(f"/proc/{process}")
    fields = (folder / "stat").read_text().rpartition(")")[2].split()
    children = [
        int(child)
        for thread in (folder / "task").iterdir()
        for child in (thread / "children").read_text().split()
    ]
    return sum(map(int, fields[11:15])) + sum(map(_ticks, children))


def bills_measured(town: Town, folder: Path, lines: int, bills: int) -> Measured:
    """So many bills of so many lines, one after the other, through the gateway and by hand."""
    prepared = [town.ready(lines) for _ in range(bills + WARM)]
    warm, counted = prepared[:WARM], prepared[WARM:]
    town.settle(warm)
    town.delivered_all()
    before = cpu_s(town.gateway.process.pid)
    latencies = town.settle(counted)
    town.delivered_all()
    gateway = cpu_s(town.gateway.process.pid) - before
    floor, parse = _by_hand(town, folder, warm, counted)
    each = Spent(floor.cpu / bills, floor.wall / bills)
    return Measured(gateway / bills, each, parse.cpu / bills, latencies)


def percentile(latencies: Sequence[float], part: float) -> float:
    """The latency that this part of the bills kept."""
    ranked = sorted(latencies)
    return ranked[min(int(part * len(ranked)), len(ranked) - 1)]


def _by_hand(
    town: Town, folder: Path, warm: Sequence[Ready], counted: Sequence[Ready]
) -> tuple[Spent, Spent]:
    """What the bills cost by hand; and what it costs to parse and canonicalise them."""
    folder.mkdir(parents=True)
    floor = Floor(folder, _hospital_key(town), town.hospital_client.signer, _catalogue(counted[0]))
    for bill in warm:
        _check(town, bill, floor.bill(bill.uploads, bill.commit))
    cost = spent(lambda: [floor.bill(bill.uploads, bill.commit) for bill in counted])
    floor.close()
    raws = [message for bill in counted for message in bill.messages]
    return cost, spent(lambda: [parsed_and_canonical(raw) for raw in raws])


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
