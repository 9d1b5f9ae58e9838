"""Replay of many stored lines on every core, beside the same on one core."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

from gateway.settings import Settings
from gateway.verbs.cores import on_all_cores
from gateway.verbs.replay import ROUND, replayed
from tests.reports.sheets import some_lines
from tests.verbs.ledger import insert, settled, settlement_row

LINES_OF_A_BILL = 300
_AT_ONCE = 100
TURNS = 4
"""An even number, so that each side goes first equally often; few, for at the end of each turn a
core waits for the last part of the others, which a replay of all does once."""
Part = tuple[str, ...]


def all_cores_over_one(folder: Path, lines: int) -> dict[str, float]:
    """Seconds of wall clock for all lines, and how many times faster every core is than one."""
    settings, numbers = asyncio.run(_store(folder, -(-lines // LINES_OF_A_BILL)))
    parts = [tuple(numbers[at : at + ROUND]) for at in range(0, len(numbers), ROUND)]
    cores = os.cpu_count() or 1
    # A child inherits what this process knows: neither side shall be the one that learns it.
    _seconds(settings, parts[:1], 1)
    one, every = in_turns(parts, lambda some, at_once: _seconds(settings, some, at_once), cores)
    return {
        "replay_lines": len(numbers) * LINES_OF_A_BILL,
        "replay_cores": cores,
        "replay_one_core_s": one,
        "replay_all_cores_s": every,
        "replay_all_cores_over_one": one / every,
    }


def in_turns(
    parts: list[Part], seconds_of: Callable[[list[Part], int], float], cores: int
) -> tuple[float, float]:
    """The seconds of one core and of so many for all parts, a few parts at each turn. Who goes
    first finds the store not yet read and the machine as the turn before left it: in half of the
    turns it is the one, in half the other."""
    seconds = {False: 0.0, True: 0.0}
    for turn in range(TURNS):
        for all_of_them in (False, True) if turn % 2 else (True, False):
            at_once = cores if all_of_them else 1
            seconds[all_of_them] += seconds_of(parts[turn::TURNS], at_once)
    return seconds[False], seconds[True]


def _seconds(settings: Settings, parts: list[Part], cores: int) -> float:
    began = perf_counter()
    different = [one for found in on_all_cores(replayed, settings, parts, cores) for one in found]
    if different:
        raise AssertionError(f"not replayed to the byte: {different[0]}")
    return perf_counter() - began


async def _store(folder: Path, bills: int) -> tuple[Settings, list[str]]:
    """A store with so many settlements of the same 300 lines."""
    bill = await settled(folder, *some_lines(LINES_OF_A_BILL))
    numbers = [f"B{number:07d}" for number in range(bills)]
    for at in range(0, bills, _AT_ONCE):
        rows = [
            settlement_row(bill.bill, bill.verdict, settlement_id=number, live=None)
            for number in numbers[at : at + _AT_ONCE]
        ]
        await insert(bill.settings, {"settlement": rows}, tx_id=f"B{at}")
    return bill.settings, numbers
