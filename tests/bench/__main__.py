"""`python -m tests.bench [PART …]`: measure; each part writes docs/figures/parts/bench-PART.json,
and docs/figures/bench.json is written once all parts are whole and of the same code."""

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from tests.bench.figures import write_part, write_whole
from tests.bench.gateway import Measured, bills_measured
from tests.bench.memory import memory_drift
from tests.bench.overload import goodput
from tests.bench.processes import two_over_one
from tests.bench.replays import all_cores_over_one
from tests.bench.rules import rules_over_bare_loop
from tests.bench.stored import stored_many_over_few
from tests.bench.town import town, town_on_postgresql
from tests.figures import source

FULL: Final = {
    "lines": (1_000_000, "lines to replay"),
    "bills": (40, "bills of each size"),
    "messages": (200_000, "messages for memory"),
    "stored": (1_000_000, "settlements beside"),
}
"""How much is measured for bench.json."""
_SIZES: Final = {20: 1, 300: 1, 3000: 10}
"""Lines of the bills that are measured, and how many times fewer of them there are."""
_MS: Final = 1000


def main() -> int:
    """Measure the parts that are named, or all; each writes a file of its own."""
    given = _arguments()
    of = source()
    with tempfile.TemporaryDirectory() as folder:
        for name in given.parts or PARTS:
            found = PARTS[name].measure(Path(folder) / name, given)
            path = write_part(name, found, _smaller(name, given), of)
            sys.stdout.write(path.read_text("utf-8"))
    unfit = write_whole(PARTS, of)
    sys.stdout.writelines(f"no bench.json: {one}\n" for one in unfit)
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}")
    for name, (size, said) in FULL.items():
        parser.add_argument(f"--{name}", type=int, default=size, help=said)
    given = parser.parse_args()
    unknown = set(given.parts) - PARTS.keys()
    if unknown:
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    return given


def _smaller(part: str, given: argparse.Namespace) -> dict[str, int]:
    """The sizes of the part that are not the full ones."""
    sizes = {name: getattr(given, name) for name in PARTS[part].sizes}
    return {name: size for name, size in sizes.items() if size != FULL[name][0]}


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


def _overload(folder: Path, _: argparse.Namespace) -> dict[str, float]:
    found = goodput(folder)
    return {
        "overload_goodput": found.goodput,
        "overload_goodput_by_cpu": found.goodput_by_cpu,
    }


class Part(NamedTuple):
    """What measures a part, and the sizes it is told."""

    measure: Callable[[Path, argparse.Namespace], dict[str, float]]
    sizes: tuple[str, ...] = ()


PARTS: Final = {
    "rules": Part(_rules),
    "replay": Part(_replay, ("lines",)),
    "sqlite": Part(_sqlite, ("bills",)),
    "postgresql": Part(_postgresql, ("bills",)),
    "memory": Part(_memory, ("messages",)),
    "stored": Part(_stored, ("stored", "bills")),
    "overload": Part(_overload),
}


if __name__ == "__main__":
    sys.exit(main())
