"""`gateway calculate FILE [--check]`: try bills without a database 试算."""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final, TextIO

from adapters.case_file.faults import BadCases
from adapters.case_file.read import read_cases
from adapters.case_file.write import results_text
from gateway.domain.calculation import Unequal
from gateway.rules.calculate import calculate, unequal

EQUAL: Final = 0
UNEQUAL: Final = 1
MALFORMED: Final = 2
_STDIN: Final = "-"


def run(path: str, check: bool, out: TextIO, err: TextIO) -> int:
    """Calculate the cases of a file ("-" is standard input) and return the exit code.

    The array of results goes to `out`, and nothing else. With `check` each result is compared
    with what its case expects: differences go to `err` and the code is 1. A file that cannot
    be read, or that is malformed, prints every fault to `err` and no result; the code is 2.
    """
    try:
        cases = read_cases(_bytes(path))
    except OSError as error:
        err.write(f"无法读取 {path} / cannot read {path}: {error.strerror}\n")
        return MALFORMED
    except BadCases as bad:
        _print(err, bad.faults)
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
