"""`gateway calculate FILE [--check]`: try bills without a database 试算."""

import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Final, TextIO

from adapters.case_file.faults import BadCases
from adapters.case_file.read import read_cases
from adapters.case_file.write import results_text
from gateway.domain.calculation import Case, Unequal
from gateway.policy.faults import BadPolicy
from gateway.policy.load import load
from gateway.policy.model import PolicyGap
from gateway.rules.calculate import calculate, unequal
from gateway.rules.travel import travel_caps

EQUAL: Final = 0
UNEQUAL: Final = 1
MALFORMED: Final = 2
_STDIN: Final = "-"


def run(path: str, check: bool, out: TextIO, err: TextIO) -> int:
    """Calculate the cases of a file ("-" is standard input) and return the exit code.

    The array of results goes to `out`, and nothing else. With `check` each result is compared
    with what its case expects: differences go to `err` and the code is 1. A file that cannot
    be read, that is malformed, or in which nothing is expected although that is to be checked,
    prints every fault to `err` and no result; the code is 2.
    """
    try:
        cases = read_cases(_bytes(path))
    except OSError as error:
        err.write(f"无法读取 {path} / cannot read {path}: {error.strerror}\n")
        return MALFORMED
    except BadCases as bad:
        _print(err, bad.faults)
        return MALFORMED
    try:
        cases = tuple(_under_its_region(case) for case in cases)
    except (PolicyGap, BadPolicy) as silent:
        err.write(f"{silent}\n")
        return MALFORMED
    if check and not any(case.expect for case in cases):
        err.write("没有可比较的：没有案例写明 expect / nothing to check: no case says expect\n")
        return MALFORMED
    results = [calculate(case) for case in cases]
    out.write(results_text(results))
    if not check:
        return EQUAL
    differences = [
        difference
        for case, result in zip(cases, results, strict=True)
        for difference in unequal(case, result)
    ]
    _print(err, (_told(difference) for difference in differences))
    return UNEQUAL if differences else EQUAL


def _under_its_region(case: Case) -> Case:
    """A trip that names a region and a day is tried under what the region's texts pay.

    Raises PolicyGap when they are silent, BadPolicy when there is no such region.
    """
    trip = case.travel
    if trip is None or trip.day is None or trip.caps is not None:
        return case
    caps = travel_caps(load(trip.region), trip.day)
    return replace(case, travel=replace(trip, caps=caps))


def _bytes(path: str) -> bytes:
    return sys.stdin.buffer.read() if path == _STDIN else Path(path).read_bytes()


def _print(err: TextIO, sentences: Iterable[object]) -> None:
    err.writelines(f"{sentence}\n" for sentence in sentences)


def _told(one: Unequal) -> str:
    zh = f"案例 {one.case}" + (f" 第 {one.line} 行" if one.line else "")
    en = f"case {one.case}" + (f" line {one.line}" if one.line else "")
    return (
        f"{zh} {one.field}：算得 {one.calculated}，应为 {one.expected} / "
        f"{en} {one.field}: calculated {one.calculated}, expected {one.expected}"
    )
