"""`gateway replay [SETTLEMENT …]`: past settlements computed again must come out the same 重算.

Facts, policy and catalogue editions come from the store; the verdict must be the stored one to
the last byte of its canonical JSON, and the amounts of the row those of the verdict.
"""

import asyncio
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, TextIO

from gateway.domain.bill import BillVerdict
from gateway.domain.money import yuan
from gateway.rules.readjudicate import readjudicated
from gateway.rules.settle import settle
from gateway.settings import Settings
from gateway.store.database import Reader
from gateway.store.frozen import packed, thawed_facts, thawed_verdict
from gateway.store.rows import canonical
from gateway.store.settlements import all_ids, settlement_of, settlements_by_id, split_of
from gateway.verbs.cores import on_all_cores
from gateway.verbs.stored import EditionsOfRecord, NotTold, before_of, looking

SAME: Final = 0
DIFFERENT: Final = 1
ROUND: Final = 32
"""Settlements a core takes at a time."""


def run(
    settings: Settings,
    wanted: Sequence[str],
    out: TextIO,
    recorded: Callable[[], bool],
    cores: int = 0,
) -> int:
    """Recompute these settlements and reversals, or all; every difference goes to `out`.

    A difference is a record of a person: before the first, `recorded` keeps who reads them, and
    none is told when it could not. `cores` 0 is every core of the machine.
    The exit code is 0 when all are the same, 1 when any differs or cannot be recomputed.
    """
    try:
        asked = wanted or asyncio.run(_all(settings))
    except NotTold as silent:
        sys.stderr.write(f"{silent}\n")
        return DIFFERENT
    parts = [tuple(asked[at : at + ROUND]) for at in range(0, len(asked), ROUND)]
    found = 0
    for differences in on_all_cores(replayed, settings, parts, cores):
        if differences and not found and not recorded():
            return DIFFERENT
        found += len({number for number, _ in differences})
        out.writelines(f"{number}: {told}\n" for number, told in differences)
    out.write(
        f"重算 {len(asked)} 笔，{len(asked) - found} 笔相同，{found} 笔不同 / "
        f"{len(asked)} replayed, {len(asked) - found} the same, {found} different\n"
    )
    return DIFFERENT if found else SAME


async def _all(settings: Settings) -> list[str]:
    async with looking(settings) as reader:
        return await all_ids(reader)


_OPENED: Final[dict[str, EditionsOfRecord]] = {}
"""Editions stay open for the life of a process: the next round uses the same ones."""


def replayed(settings: Settings, numbers: Sequence[str]) -> list[tuple[str, str]]:
    """The number of each settlement that differs, with what differs; in this process."""
    return asyncio.run(_replayed(settings, numbers))


async def _replayed(settings: Settings, numbers: Sequence[str]) -> list[tuple[str, str]]:
    record = _OPENED.setdefault(str(settings.database_path), EditionsOfRecord())
    found = []
    try:
        async with looking(settings) as reader:
            rows = await settlements_by_id(reader, numbers)
            for number in numbers:
                told = await _differences(reader, record, rows.get(number))
                found += [(number, one) for one in told]
    except NotTold as silent:
        return [(number, str(silent)) for number in numbers]
    return found


async def _differences(
    reader: Reader, record: EditionsOfRecord, kept: dict[str, Any] | None
) -> list[str]:
    if kept is None:
        return ["没有这笔结算 / there is no such settlement"]
    row = settlement_of(reader, kept)
    facts, verdict = thawed_facts(row["detail"]), thawed_verdict(row["detail"])
    try:
        bill, policy = await record.bill(reader, facts, verdict)
        before = await before_of(reader, row)
    except NotTold as silent:
        return [str(silent)]
    again = settle(bill, policy) if before is None else readjudicated(bill, policy, before)
    if not isinstance(again, BillVerdict):
        return [f"现为 {again} / now decided as {again}"]
    return [*_verdicts(row["detail"]["verdict"], verdict, again), *_sums(row, again, before)]


def _verdicts(stored: Mapping[str, Any], before: BillVerdict, again: BillVerdict) -> Iterator[str]:
    """Nothing when the canonical texts are equal; else each line that differs, or the rest."""
    text = canonical(_told_alike(stored, packed(again)))
    if text == canonical(stored):
        return
    lines, recomputed = list(_lines(before, again)), json.loads(text)
    parts = sorted(key for key in recomputed if recomputed[key] != stored.get(key))
    yield from lines or [f"所存结论不同 / the stored verdict differs: {', '.join(parts)}"]


def _told_alike(stored: Mapping[str, Any], again: dict[str, Any]) -> dict[str, Any]:
    """What was recomputed as far as the stored verdict tells it: one of 0.1.0 has no steps."""
    if "steps" in stored:
        return again
    without = {key: value for key, value in again.items() if key != "steps"}
    return {**without, "lines": [line[:-1] for line in again["lines"]]}


def _lines(before: BillVerdict, again: BillVerdict) -> Iterator[str]:
    recomputed = {line.line_id: line for line in again.lines}
    for line in before.lines:
        other = recomputed.get(line.line_id)
        if other is not None and other != line:
            yield (
                f"行 line {line.line_id}：所存 stored {_amounts(line.split)} "
                f"{list(line.reasons)}，重算 recomputed {_amounts(other.split)} "
                f"{list(other.reasons)}"
            )


def _sums(row: Mapping[str, Any], again: BillVerdict, before: BillVerdict | None) -> Iterator[str]:
    """The amounts of the row are those of the verdict: negative for a reversal, and for a delta
    the difference to the verdict before it."""
    split, meal = again.split, again.meal.amount_fen
    if row["adjusts"] and before is not None:
        split, meal = split.minus(before.split), meal - before.meal.amount_fen
    if row["reverses"]:
        split, meal = split.negated(), -meal
    if (split_of(dict(row)), row["meal_fen"]) != (split, meal):
        yield (
            f"账上金额 booked {_amounts(split_of(dict(row)))} {yuan(row['meal_fen'])}，"
            f"重算 recomputed {_amounts(split)} {yuan(meal)}"
        )


def _amounts(split: Iterable[int]) -> str:
    return "/".join(map(yuan, split))
