"""`gateway replay [SETTLEMENT …]`: past settlements computed again must come out the same 重算.

Facts, policy and catalogue editions come from the store; the verdict must be the stored one to
the last byte of its canonical JSON, and the amounts of the row those of the verdict. What other
columns say again of facts and verdict, or of the settlement that the row names, must be the same.
"""

import asyncio
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, TextIO

from gateway.clock import business_day, instant
from gateway.domain.bill import BillVerdict
from gateway.domain.money import yuan
from gateway.rules.readjudicate import change_of, readjudicated
from gateway.rules.settle import settle
from gateway.settings import Settings
from gateway.store.database import Reader
from gateway.store.frozen import packed
from gateway.store.rows import canonical, spans_text
from gateway.store.settlements import all_ids, kept_deltas, kept_row, settlements_by_id, split_of
from gateway.store.standing import SUMMED
from gateway.verbs.cores import on_all_cores
from gateway.verbs.stored import EditionsOfRecord, NotTold, Opened, before_of, looking, opened_row

SAME: Final = 0
DIFFERENT: Final = 1
_OF_SOURCE: Final = ("admission_id", "hospital", "case_no", "person_id", "bill_no")
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
    """What cannot be told of one settlement is told of that one; a store that breaks, of all
    that were not looked at yet."""
    record = _OPENED.setdefault(str(settings.database_path), EditionsOfRecord())
    found: list[tuple[str, str]] = []
    left = list(numbers)
    try:
        async with looking(settings) as reader:
            rows = await settlements_by_id(reader, numbers)
            while left:
                told = await _told(reader, record, rows.get(left[0]))
                number = left.pop(0)
                found += [(number, one) for one in told]
    except NotTold as silent:
        return [*found, *((number, str(silent)) for number in left)]
    return found


async def _told(
    reader: Reader, record: EditionsOfRecord, kept: dict[str, Any] | None
) -> Sequence[str]:
    if kept is None:
        return ["没有这笔结算 / there is no such settlement"]
    try:
        return await _differences(reader, record, opened_row(reader, kept))
    except NotTold as silent:
        return [str(silent)]


async def _differences(reader: Reader, record: EditionsOfRecord, one: Opened) -> list[str]:
    """Raises NotTold."""
    bill, policy = await record.bill(reader, one.facts, one.verdict)
    before = await before_of(reader, one.row)
    again = settle(bill, policy) if before is None else readjudicated(bill, policy, before)
    if not isinstance(again, BillVerdict):
        return [f"现为 {again} / now decided as {again}"]
    return [
        *_verdicts(one.row["detail"]["verdict"], one.verdict, again),
        *_sums(one.row, again, before),
        *_columns(one.row, _restated(one, before)),
        *await _linked(reader, one.row),
    ]


def _restated(one: Opened, before: BillVerdict | None) -> dict[str, Any]:
    """What columns of the row say again of its facts and verdict. Who was treated under which
    case the detail of a row that names another need not say: it has them of that one."""
    stay, case, verdict = one.facts.stay, one.facts.case, one.verdict
    told: dict[str, Any] = {
        "admission_id": stay.admission_id,
        "hospital": stay.hospital,
        "business_day": business_day(instant(one.row["settled_us"])).isoformat(),
        "rules_version": verdict.rules_version,
        "policy_digest": verdict.policy_digest,
        "edition_digests": canonical(list(verdict.edition_digests)),
        "meal_days": spans_text(verdict.meal_days),
    }
    if one.row["adjusts"] and before is not None:
        change = change_of(before, verdict)
        return {**told, "line_count": 0 if change is None else len(change.lines)}
    told["line_count"] = len(verdict.lines)
    if _source(one.row):
        return told
    return {**told, "person_id": stay.person_id, "case_no": case.case_no if case else ""}


def _source(row: Mapping[str, Any]) -> str:
    """The settlement that a delta, a reversal or a reinstated settlement names; "" of any other."""
    return row["adjusts"] or row["reverses"] or row["reinstates"] or ""


async def _linked(reader: Reader, row: Mapping[str, Any]) -> list[str]:
    """What the row has of the settlement that it names, deltas of that one included."""
    number = _source(row)
    if not number:
        return []
    source = await kept_row(reader, number)
    if source is None:
        return [f"所指的 {number} 不在库中 / it names {number}, which is not there"]
    told = {name: source[name] for name in _OF_SOURCE}
    if row["adjusts"]:
        return list(_columns(row, told))
    sign = -1 if row["reverses"] else 1
    rows = [source, *await kept_deltas(reader, number)]
    sums = {name: sign * sum(one[name] for one in rows) for name in SUMMED}
    return list(_columns(row, told | sums))


def _columns(row: Mapping[str, Any], told: Mapping[str, Any]) -> Iterator[str]:
    for name, value in told.items():
        if row[name] != value:
            yield f"{name} 所存 stored {row[name]!r}，应为 should be {value!r}"


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
