"""The gateway beside the oracle on generated bills: `python -m tests.oracle.compare COUNT`.

Every bill goes through the reader of case files and the line rule of settlement; the two
answers must not lie one fen apart, and the identities of each line must hold.
"""

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
from tests.oracle import lines as oracle
from tests.oracle.bills import bills

PART = 2_000
_SHOWN = 5


class Compared(NamedTuple):
    """How many bills and lines were compared, how many fen they lie apart, and what differs."""

    bills: int
    lines: int
    fen_apart: int
    faults: tuple[str, ...]


def compare(seed: int, count: int = PART) -> Compared:
    """The generated bills of one seed, calculated both ways."""
    asked = list(bills(seed, count))
    answers = [calculate(case) for case in read_cases(json.dumps(asked).encode())]
    number, apart, faults = 0, 0, []
    for bill, answer in zip(asked, answers, strict=True):
        for case_line, got in zip(bill["lines"], answer.lines, strict=True):
            wanted = oracle.line(case_line, bill["params"])
            number, apart = number + 1, apart + _apart(wanted, got)
            told = [*_unequal(wanted, got), *_broken(case_line, got)]
            faults += [f"{bill['id']}/{got.no} {one}: {case_line} {bill['params']}" for one in told]
        summed = sum(line.amount_fen for line in answer.lines)
        if answer.split.total_fen != summed:
            faults.append(f"{bill['id']} payers {answer.split.total_fen}, lines {summed}")
    return Compared(len(asked), number, apart, tuple(faults))


def _apart(wanted: oracle.Answer, got: CalculatedLine) -> int:
    return sum(abs(wanted.shares[payer.value] - got.split.borne_by(payer)) for payer in Payer)


def _unequal(wanted: oracle.Answer, got: CalculatedLine) -> Iterator[str]:
    if wanted.amount != got.amount_fen:
        yield f"amount {got.amount_fen}, oracle {wanted.amount}"
    if _apart(wanted, got):
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


def run(count: int, cores: int) -> Compared:
    """That many bills, rounded up to whole parts, on that many cores."""
    seeds = range(-(-count // PART))
    with ProcessPoolExecutor(cores, mp_context=get_context("spawn")) as pool:
        found = list(pool.map(compare, seeds))
    return Compared(
        sum(one.bills for one in found),
        sum(one.lines for one in found),
        sum(one.fen_apart for one in found),
        tuple(fault for one in found for fault in one.faults),
    )


def main(arguments: Sequence[str]) -> int:
    """Compare and tell; 1 when anything differs."""
    found = run(int(arguments[0]), os.cpu_count() or 1)
    sys.stdout.writelines(f"{fault}\n" for fault in found.faults[:_SHOWN])
    sys.stdout.write(
        f"{found.bills} bills, {found.lines} lines: {found.fen_apart} fen apart, "
        f"{len(found.faults)} faults\n"
    )
    return 1 if found.faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
