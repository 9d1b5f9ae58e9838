"""Replay of many stored lines on every core, beside the same on one core."""

import asyncio
import os
from operator import truediv
from pathlib import Path
from statistics import median
from time import perf_counter

from gateway.settings import Settings
from gateway.verbs.cores import on_all_cores
from gateway.verbs.replay import ROUND, replayed
from tests.reports.sheets import some_lines
from tests.verbs.ledger import insert, settled, settlement_row

LINES_OF_A_BILL = 300
_AT_ONCE = 100
_TURNS = 5


def all_cores_over_one(folder: Path, lines: int) -> dict[str, float]:
    """Seconds of wall clock and how many times faster every core is than one: the middle of some
    turns, each with lines of its own and one core's turn beside, for a machine is not always
    equally fast."""
    settings, numbers = asyncio.run(_store(folder, -(-lines // LINES_OF_A_BILL)))
    parts = [tuple(numbers[at : at + ROUND]) for at in range(0, len(numbers), ROUND)]
    cores = os.cpu_count() or 1
    one, every = list[float](), list[float]()
    for turn in range(_TURNS):
        one.append(_seconds(settings, parts[turn::_TURNS], 1))
        every.append(_seconds(settings, parts[turn::_TURNS], cores))
    return {
        "replay_lines": len(numbers) * LINES_OF_A_BILL,
        "replay_cores": cores,
        "replay_one_core_s": sum(one),
        "replay_all_cores_s": sum(every),
        "replay_all_cores_over_one": median(map(truediv, one, every)),
    }


def _seconds(settings: Settings, parts: list[tuple[str, ...]], cores: int) -> float:
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
