"""`python -m tests.simulation SEEDS [FROM]`: play so many seeds on all cores, then every control.

Goes on where it was stopped while neither gateway nor simulation changed. `--seed N` plays one
seed alone and prints its trace. Fails when a seed shows a fault, or a control none.
"""

import argparse
import os
import sys

from tests.simulation.campaign import Campaign, cores, figures, state
from tests.simulation.seed import run

_ORDER = "PYTHONHASHSEED"


def main() -> int:
    """Zero when every seed is clean and every control was caught."""
    _same_order_of_sets()
    parser = argparse.ArgumentParser(prog="python -m tests.simulation")
    parser.add_argument("seeds", type=int, nargs="?", default=0)
    parser.add_argument("first", type=int, nargs="?", default=0, metavar="FROM")
    parser.add_argument("--seed", type=int, help="play this one and print its trace")
    parser.add_argument("--no-controls", action="store_true", help="seeds only; writes no figure")
    parser.add_argument("--workers", type=int, default=cores())
    chosen = parser.parse_args()
    campaign = Campaign(state())
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
    wanted = range(chosen.first, chosen.first + chosen.seeds)
    campaign.play(wanted, chosen.workers)
    results = [one for seed, one in campaign.results().items() if seed in wanted]
    found = figures(results)
    faulty = sum(bool(one["faults"]) for one in results)
    if not chosen.no_controls:
        found |= _controls(campaign, chosen.workers)
    sys.stdout.writelines(f"{name:24} {value}\n" for name, value in found.items())
    return int(bool(faulty) or found.get("controls_caught") != found.get("controls_total"))


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
