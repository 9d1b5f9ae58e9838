"""Two processes on one PostgreSQL beside one: CPU per bill, and bills in the time.

The throughput is worth what the machine is: the server, the hospital and the agency work on the
same cores, and anything else that runs there takes its part of them.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from gateway.clock import elapsed_s
from tests.bench.gateway import WARM, cpu_s
from tests.bench.town import Ready, Town, second_process
from tests.e2e.deployed import Deployed

_LINES: Final = 300
_CALLERS: Final = 4


def two_over_one(town: Town, folder: Path, url: str, bills: int) -> dict[str, float]:
    """The same number of bills by four callers, all at one process and then at two in turn."""
    one_cpu, one_s = _crowd(town, [town.gateway], bills)
    with second_process(town, folder, url) as other:
        two_cpu, two_s = _crowd(town, [town.gateway, other], bills)
    return {
        "two_process_throughput_ratio": one_s / two_s,
        "two_process_cpu_ratio": two_cpu / one_cpu,
    }


def _crowd(town: Town, processes: Sequence[Deployed], bills: int) -> tuple[float, float]:
    """Seconds of CPU and of wall clock."""
    for process in processes:
        _at_once(town, [process], [town.ready(_LINES) for _ in range(WARM)])
    prepared = [town.ready(_LINES) for _ in range(bills)]
    town.delivered_all()
    running = [each.process.pid for each in processes]
    before = cpu_s(*running)
    taken = _at_once(town, processes, prepared)
    town.delivered_all()
    return cpu_s(*running) - before, taken


def _at_once(town: Town, processes: Sequence[Deployed], bills: Sequence[Ready]) -> float:
    """Seconds until every caller has settled its part of the bills."""

    def call(number: int) -> None:
        line = town.new_line(processes[number % len(processes)])
        town.settle(bills[number::_CALLERS], line)
        line.close()

    began = elapsed_s()
    with ThreadPoolExecutor(_CALLERS) as callers:
        list(callers.map(call, range(_CALLERS)))
    return elapsed_s(began)
