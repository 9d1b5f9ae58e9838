"""The gateway beside the oracle: `python -m tests.oracle.compare COUNT [SEED]`.

Generated calculation cases go through the reader of case files and the line rule, generated
stays through the settlement of whole bills. The answers must not lie one fen apart, and the
identities of each line must hold. With a seed only its part is compared.
"""

import gc
import json
import os
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any, NamedTuple

from adapters.case_file.read import read_cases
from gateway.domain.calculation import CalculatedLine
from gateway.domain.split import Payer
from gateway.rules.calculate import calculate
from gateway.rules.settle import settle
from tests.oracle import lines as oracle
from tests.oracle.built import bill_of, policy_of, shelf_of, told
from tests.oracle.cases import cases
from tests.oracle.smallest import shown, smallest
from tests.oracle.stays import stays
from tests.oracle.whole import settled

PART = 2_000
_SHOWN = 5
_GARBAGE = 200_000
"""So many objects before garbage is looked for: bills make much of it, and none in circles."""
_SMALLEST = 2
"""So many bills of a part are made smaller before they are told: it takes a while."""
_PIECES = ("lines", "split", "liable", "meal", "paid")

Facts = dict[str, Any]


class Compared(NamedTuple):
    """How many whole bills, calculation cases and lines were compared, how many fen they lie
    apart, and what differs."""

    bills: int
    cases: int
    lines: int
    fen_apart: int
    faults: tuple[str, ...]

    def plus(self, other: "Compared") -> "Compared":
        return Compared(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))


NOTHING = Compared(0, 0, 0, 0, ())


def compare(seed: int, count: int = PART) -> Compared:
    """The generated cases and the generated stays of one seed."""
    return compare_cases(seed, count).plus(compare_stays(seed, count))


# --- whole bills -----------------------------------------------------------------------------


def compare_stays(seed: int, count: int) -> Compared:
    """The generated stays of one seed, settled both ways."""
    found, sides = NOTHING, Sides()
    for bill in stays(seed, count):
        difference = sides.difference(bill)
        apart = sum(fen for _, fen in difference)
        if difference and len(found.faults) < _SMALLEST:
            faults: tuple[str, ...] = (told_apart(sides, bill, seed),)
        else:
            faults = (f"{bill['id']} (seed {seed})",) if difference else ()
        found = found.plus(Compared(1, 0, len(bill["lines"]), apart, faults))
    return found


class Sides:
    """Both answers to a bill; policy and catalogue of the gateway are built once a world."""

    def __init__(self) -> None:
        self._built: Facts = {}
        self._of: Facts = {}

    def _once(self, key: str, facts: Any, build: Any) -> Any:
        if self._of.get(key) is not facts:
            self._of[key], self._built[key] = facts, build(facts)
        return self._built[key]

    def answers(self, bill: Facts) -> tuple[Facts, Facts]:
        """What the oracle says, and what the gateway says."""
        policy = self._once("policy", bill["policy"], policy_of)
        editions = self._once("catalogue", bill["catalogue"], lambda _: shelf_of(bill))
        return settled(bill), told(settle(bill_of(bill, editions, policy), policy))

    def difference(self, bill: Facts) -> list[tuple[str, int]]:
        """In what the answers differ, each with how many fen it moves."""
        wanted, got = self.answers(bill)
        if "ends" in wanted or "ends" in got:
            return [] if got.get("ends", {""}) <= wanted.get("ends", set()) else [("outcome", 1)]
        why = {line: got["reasons"][line] for line in wanted["reasons"]}
        found = [] if wanted["reasons"] == why else [("reasons", 0)]
        pairs = ((piece, wanted[piece], got[piece]) for piece in _PIECES)
        return found + [(piece, _fen_apart(one, two)) for piece, one, two in pairs if one != two]


def _fen_apart(one: Any, two: Any) -> int:
    """The sum of all amounts that differ; what is no amount counts nothing."""
    if isinstance(one, dict) and isinstance(two, dict):
        return sum(_fen_apart(one.get(key, 0), two.get(key, 0)) for key in {*one, *two})
    return abs(one - two) if isinstance(one, int) and isinstance(two, int) else 0


def told_apart(sides: Sides, bill: Facts, seed: int) -> str:
    """The fault in words: the seed, the smallest bill found, and both answers to it."""
    least = smallest(bill, lambda one: bool(sides.difference(one)))
    wanted, got = sides.answers(least)
    differ = " ".join(piece for piece, _ in sides.difference(least))
    return (
        f"{bill['id']} (seed {seed}) differs in {differ}\n"
        f"  bill: {json.dumps(shown(least), ensure_ascii=False)}\n"
        f"  oracle:  {wanted}\n  gateway: {got}"
    )


# --- calculation cases -----------------------------------------------------------------------


def compare_cases(seed: int, count: int) -> Compared:
    """The generated calculation cases of one seed, calculated both ways."""
    asked = list(cases(seed, count))
    answers = [calculate(case) for case in read_cases(json.dumps(asked).encode())]
    number, apart, faults = 0, 0, []
    for bill, answer in zip(asked, answers, strict=True):
        for case_line, got in zip(bill["lines"], answer.lines, strict=True):
            wanted = oracle.line(case_line, bill["params"])
            fen = _apart(wanted, got)
            number, apart = number + 1, apart + fen
            broken = [*_unequal(wanted, got, fen), *_broken(case_line, got)]
            faults += [
                f"{bill['id']}/{got.no} {one}: {case_line} {bill['params']}" for one in broken
            ]
        summed = sum(line.amount_fen for line in answer.lines)
        if answer.split.total_fen != summed:
            faults.append(f"{bill['id']} payers {answer.split.total_fen}, lines {summed}")
    return Compared(0, len(asked), number, apart, tuple(faults))


def _apart(wanted: oracle.Answer, got: CalculatedLine) -> int:
    return sum(abs(wanted.shares[payer.value] - got.split.borne_by(payer)) for payer in Payer)


def _unequal(wanted: oracle.Answer, got: CalculatedLine, fen: int) -> Iterator[str]:
    if wanted.amount != got.amount_fen:
        yield f"amount {got.amount_fen}, oracle {wanted.amount}"
    if fen:
        yield f"{got.split}, oracle {wanted.shares}"
    if wanted.reasons != set(got.reasons):
        yield f"{got.reasons}, oracle {sorted(wanted.reasons)}"


def _broken(case_line: dict[str, Any], got: CalculatedLine) -> Iterator[str]:
    """The payers add up; the fund bears between nothing and what is eligible (a refund: the
    same below zero); an emergency approval may give it the rest."""
    if sum(got.split) != got.amount_fen:
        yield f"payers {sum(got.split)}, amount {got.amount_fen}"
    _, eligible = oracle.eligible_fen(case_line)
    if case_line.get("emergency_approved"):
        eligible = got.amount_fen
    fund = got.split.fund_fen
    if not min(0, eligible) <= fund <= max(0, eligible):
        yield f"fund {fund}, eligible {eligible}"


# --- the command -----------------------------------------------------------------------------


def run(count: int, cores: int) -> Compared:
    """That many cases and as many stays, rounded up to whole parts, on that many cores."""
    seeds = range(-(-count // PART))
    with ProcessPoolExecutor(
        cores, get_context("spawn"), initializer=gc.set_threshold, initargs=(_GARBAGE,)
    ) as pool:
        found = NOTHING
        for one in pool.map(compare, seeds):
            found = found.plus(one)
    return found


def main(arguments: Sequence[str]) -> int:
    """Compare and tell; 1 when anything differs."""
    count = int(arguments[0])
    if len(arguments) > 1:
        found = compare(int(arguments[1]), count)
    else:
        found = run(count, os.cpu_count() or 1)
    sys.stdout.writelines(f"{fault}\n" for fault in found.faults[:_SHOWN])
    sys.stdout.write(
        f"{found.bills} whole bills and {found.cases} cases, {found.lines} lines: "
        f"{found.fen_apart} fen apart, "
        f"{len(found.faults)} faults\n"
    )
    return 1 if found.faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
