"""`python -m tests.simulation [SEEDS [FROM]]`: play so many seeds on all cores, then every control.

Goes on where it was stopped while neither gateway nor tests changed, and lasts at most `--minutes`.
Without a number it plays the whole: at least 10,000 seeds and a million messages, and writes
docs/figures/parts/sim.json (`make fault PART=sim`). `--seed N` plays one seed alone and prints its
trace. Fails when a seed shows a fault, or a control none.
"""

import argparse
import os
import sys
import time
from collections.abc import Iterable
from typing import Any

from tests.fault.figures import write_part, write_whole
from tests.figures import source
from tests.simulation.campaign import MESSAGES, SEEDS, Campaign, cores, figures
from tests.simulation.seed import run

_ORDER = "PYTHONHASHSEED"
_MOST = 100 * SEEDS


def main() -> int:
    """Zero when every seed is clean and every control was caught."""
    _same_order_of_sets()
    parser = argparse.ArgumentParser(prog="python -m tests.simulation")
    parser.add_argument("seeds", type=int, nargs="?", help="so many; without it, the whole")
    parser.add_argument("first", type=int, nargs="?", default=0, metavar="FROM")
    parser.add_argument("--seed", type=int, help="play this one and print its trace")
    parser.add_argument("--no-controls", action="store_true", help="seeds only; writes no figure")
    parser.add_argument("--minutes", type=float, default=50.0, help="begin no seed after these")
    parser.add_argument("--workers", type=int, default=cores())
    chosen = parser.parse_args()
    campaign = Campaign(source())
    if chosen.seed is not None:
        return _one(campaign, chosen.seed)
    return _many(campaign, chosen)


def _same_order_of_sets() -> None:
    """The order of a set of texts must be the same in every process: it is part of the seed."""
    if os.environ.get(_ORDER) != "0":
        command = [sys.executable, "-m", "tests.simulation", *sys.argv[1:]]
        os.execve(sys.executable, command, {**os.environ, _ORDER: "0"})  # noqa: S606


def _one(campaign: Campaign, seed: int) -> int:
    outcome = run(seed, campaign.base)
    sys.stdout.writelines(f"{line}\n" for line in outcome.trace)
    sys.stdout.writelines(f"fault: {fault}\n" for fault in outcome.found.faults)
    sys.stdout.write(f"trace {outcome.digest}\n")
    return int(bool(outcome.found.faults))


def _many(campaign: Campaign, chosen: argparse.Namespace) -> int:
    until_s = time.monotonic() + chosen.minutes * 60
    first, whole = chosen.first, chosen.seeds is None
    wanted = range(first, first + (SEEDS if whole else chosen.seeds))
    results = _played(campaign, wanted, chosen.workers, until_s)
    while whole and _enough(results, SEEDS, 0) and not _enough(results, SEEDS, MESSAGES):
        if time.monotonic() >= until_s or len(wanted) >= _MOST:
            break
        wanted = range(first, wanted.stop + SEEDS // 10)
        results = _played(campaign, wanted, chosen.workers, until_s)
    found = figures(results)
    if not chosen.no_controls:
        found |= _controls(campaign, chosen.workers)
    sys.stdout.writelines(f"{name:24} {value}\n" for name, value in found.items())
    failed = any(one["faults"] for one in results)
    failed |= found.get("controls_caught") != found.get("controls_total")
    if whole and not failed:
        _write(found, campaign.source)
    return int(failed)


def _played(campaign: Campaign, wanted: range, workers: int, until_s: float) -> list[Any]:
    campaign.play(wanted, workers, until_s)
    return [one for seed, one in campaign.results().items() if seed in wanted]


def _enough(results: Iterable[Any], seeds: int, messages: int) -> bool:
    found = figures(results)
    return found["simulation_seeds"] >= seeds and found["simulated_messages"] >= messages


def _write(found: dict[str, int], source_of: str) -> None:
    """The part, once it is whole; and docs/figures/fault.json once every part is."""
    whole = found["simulation_seeds"] >= SEEDS and found["simulated_messages"] >= MESSAGES
    if not (whole and "controls_total" in found):
        sys.stdout.write("not whole yet: make fault PART=sim goes on\n")
        return
    write_part("sim", found, source_of)
    sys.stdout.write("docs/figures/fault.json written\n" if write_whole() else "part written\n")


def _controls(campaign: Campaign, workers: int) -> dict[str, int]:
    seen = campaign.controls(workers)
    for name, caught in seen.items():
        told = f"seed {caught[0]}: {caught[1]}" if caught else "NOT CAUGHT"
        sys.stdout.write(f"{name:28} {told}\n")
    return {
        "controls_caught": sum(caught is not None for caught in seen.values()),
        "controls_total": len(seen),
    }


if __name__ == "__main__":
    sys.exit(main())
