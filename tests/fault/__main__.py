"""`python -m tests.fault PART [--minutes N] [--seed S]`: go on with a part; write its figures
when it is whole, and docs/figures/fault.json when all parts are. `make fault PART=…` calls it."""

import argparse
import importlib
import sys
import time
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.fault.call import Call
from tests.fault.figures import PARTS, SUMMED, Progress, write_part, write_whole
from tests.fault.nursery import nursery

_HERE = [part for part in PARTS if part != "sim"]
"""The simulation is played by `python -m tests.simulation`."""


def main() -> int:
    """0 when nothing failed so far, whole or not; else 1."""
    parser = argparse.ArgumentParser(prog="python -m tests.fault")
    parser.add_argument("part", choices=_HERE)
    parser.add_argument("--minutes", type=float, default=55.0, help="how long at most")
    parser.add_argument("--seed", type=int, default=20261122, help="other faults, other moments")
    given = parser.parse_args()
    part: Any = importlib.import_module(f"tests.fault.{given.part}")
    sys.stdout.write(f"{given.part}: seed {given.seed}\n")
    with nursery() as born, TemporaryDirectory() as folder:
        until_s = time.monotonic() + given.minutes * 60
        call = Call(born, Path(folder), Progress(given.part), given.seed, until_s)
        _try_controls(call, part)
        part.run(call)
    return _told(given.part, part, call)


def _try_controls(call: Call, part: Any) -> None:
    """Every fault built in, in every call: what a part cannot see it does not prove."""
    caught = [fault for fault in part.CONTROLS if part.caught(call, fault)]
    missed = [
        f"failed: control {fault} not caught" for fault in part.CONTROLS if fault not in caught
    ]
    call.counts["controls_total"] = len(part.CONTROLS)
    call.counts["controls_caught"] = len(caught)
    call.count(Counter(missed))


def _told(name: str, part: Any, call: Call) -> int:
    figures = {each: call.counts[each] for each in SUMMED if each in call.counts}
    figures |= part.figures(call.progress) if hasattr(part, "figures") else {}
    sys.stdout.writelines(f"{each:24} {value}\n" for each, value in figures.items())
    if call.failures:
        return 1
    if not part.whole(call.counts):
        sys.stdout.write(f"not whole yet: make fault PART={name} goes on\n")
        return 0
    write_part(name, figures, call.progress.source)
    sys.stdout.write("docs/figures/fault.json written\n" if write_whole() else "part written\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
