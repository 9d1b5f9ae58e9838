"""`python -m tests.bench [PART …]`: measure, print one table, write docs/figures/bench.json."""

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

from tests.bench.gateway import Measured, bills_measured
from tests.bench.memory import memory_drift
from tests.bench.processes import two_over_one
from tests.bench.replays import all_cores_over_one
from tests.bench.rules import rules_over_bare_loop
from tests.bench.stored import stored_many_over_few
from tests.bench.town import town, town_on_postgresql
from tests.figures import kept, write

_PLACES = 3
_SIZES: Final = {20: 1, 300: 1, 3000: 10}
"""Lines of the bills that are measured, and how many times fewer of them there are."""
_MS: Final = 1000


def main() -> int:
    """Measure the parts that are named, or all, in one run; figures of other parts stay."""
    given = _arguments()
    measured: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in given.parts or _PARTS:
            measured |= _PARTS[name](Path(folder) / name, given)
    figures = {name: round(value, _PLACES) for name, value in measured.items()}
    write("bench", {**kept("bench"), **figures}, "make bench", "tests/bench")
    sys.stdout.writelines(f"{name:36} {value:>14}\n" for name, value in figures.items())
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(_PARTS)}")
    parser.add_argument("--lines", type=int, default=1_000_000, help="lines to replay")
    parser.add_argument("--bills", type=int, default=40, help="bills of each size")
    parser.add_argument("--messages", type=int, default=200_000, help="messages for memory")
    parser.add_argument("--stored", type=int, default=1_000_000, help="settlements beside")
    given = parser.parse_args()
    unknown = set(given.parts) - _PARTS.keys()
    if unknown:
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    return given


def _rules(_: Path, __: argparse.Namespace) -> dict[str, float]:
    return rules_over_bare_loop()


def _replay(folder: Path, given: argparse.Namespace) -> dict[str, float]:
    folder.mkdir()
    return all_cores_over_one(folder, given.lines)


def _sqlite(folder: Path, given: argparse.Namespace) -> dict[str, float]:
    figures: dict[str, float] = {}
    with town(folder) as made:
        for lines, fewer in _SIZES.items():
            bills = given.bills // fewer
            found = bills_measured(made, folder / f"floor{lines}", lines, bills)
            figures |= _told(lines, "sqlite", found)
            figures[f"floor_{lines}_over_parse_c14n"] = found.floor_over_parse_c14n
            figures[f"floor_{lines}_cpu_ms"] = found.floor_cpu_s * _MS
            for stage, multiple in found.stages_over_parse_c14n.items():
                figures[f"floor_{lines}_{stage}_over_parse_c14n"] = multiple
    return figures


def _told(lines: int, store: str, found: Measured) -> dict[str, float]:
    name = f"bill_{lines}_{store}"
    return {
        f"{name}_cpu_over_floor": found.cpu_over_floor,
        f"{name}_cpu_ms": found.gateway_cpu_s * _MS,
        f"{name}_p50_over_floor": found.latency_over_floor(0.5),
        f"{name}_p99_over_floor": found.latency_over_floor(0.99),
    }


def _postgresql(folder: Path, given: argparse.Namespace) -> dict[str, float]:
    with town_on_postgresql(folder) as (made, url):
        found = bills_measured(made, folder / "floor", 300, given.bills)
        two = two_over_one(made, folder / "second", url, given.bills)
    return {**_told(300, "postgresql", found), **two}


def _memory(folder: Path, given: argparse.Namespace) -> dict[str, float]:
    with town(folder) as made:
        return memory_drift(made, given.messages)


def _stored(folder: Path, given: argparse.Namespace) -> dict[str, float]:
    with town(folder) as made:
        return stored_many_over_few(made, folder, given.stored, given.bills)


_PARTS: Final[dict[str, Callable[[Path, argparse.Namespace], dict[str, float]]]] = {
    "rules": _rules,
    "replay": _replay,
    "sqlite": _sqlite,
    "postgresql": _postgresql,
    "memory": _memory,
    "stored": _stored,
}


if __name__ == "__main__":
    sys.exit(main())
