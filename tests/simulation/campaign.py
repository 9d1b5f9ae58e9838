"""Many seeds on all cores; what they showed is kept line by line, so that a stop loses nothing."""

import json
import os
import sys
import tempfile
import time
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from tests.fault.figures import PROGRESS
from tests.simulation import controls
from tests.simulation.base import Base, made_in
from tests.simulation.seed import run
from tests.simulation.world import Outcome

KEPT = PROGRESS / "sim"
SEEDS, MESSAGES = 10_000, 1_000_000
"""What a whole run plays at least."""
_AT_ONCE = 4  # seeds of one piece of work
_COUNTED = ("acknowledged", "acknowledged_lost", "settled_twice", "fen_imbalance")


@dataclass(frozen=True, slots=True)
class Campaign:
    """The results of one state of the sources; with any other, nothing of them holds."""

    source: str

    @property
    def base(self) -> Base:
        """The data that all its seeds begin with, made when first asked for."""
        folder = KEPT / f"base-{self.source[:16]}"
        if not folder.exists():
            KEPT.mkdir(parents=True, exist_ok=True)
            made = made_in(Path(tempfile.mkdtemp(dir=KEPT)))
            # Whole at once; another process may have been faster.
            with suppress(OSError):
                made.folder.rename(folder)
        return Base(folder)

    def results(self) -> dict[int, dict[str, Any]]:
        """What earlier runs found, by seed."""
        if not self._path.exists():
            return {}
        lines = map(json.loads, self._path.read_text("utf-8").splitlines())
        return {one["seed"]: one for one in lines}

    def play(self, seeds: Iterable[int], workers: int, until_s: float) -> None:
        """Play what was not played yet, as long as there is time to begin."""
        left = sorted(set(seeds) - self.results().keys())
        pieces = (left[at : at + _AT_ONCE] for at in range(0, len(left), _AT_ONCE))
        with ProcessPoolExecutor(workers, get_context("fork")) as pool:
            while time.monotonic() < until_s and (turn := list(islice(pieces, 4 * workers))):
                for done in as_completed([pool.submit(_piece, one, self.base) for one in turn]):
                    self._keep(done.result())

    def controls(self, workers: int) -> dict[str, tuple[int, str] | None]:
        """Each built-in fault with the seed that saw it."""
        with ProcessPoolExecutor(workers, get_context("fork")) as pool:
            names = list(controls.CONTROLS)
            seen = pool.map(controls.caught_by, names, [self.base] * len(names))
            return dict(zip(names, seen, strict=True))

    def _keep(self, found: list[dict[str, Any]]) -> None:
        with self._path.open("a", encoding="utf-8") as kept:
            kept.writelines(json.dumps(one, ensure_ascii=False) + "\n" for one in found)
        for one in found:
            for fault in one["faults"]:
                sys.stderr.write(f"seed {one['seed']}: {fault}\n  {replay(one['seed'])}\n")

    @property
    def _path(self) -> Path:
        return KEPT / f"seeds-{self.source[:16]}.jsonl"


def replay(seed: int) -> str:
    """The command that plays one seed again, with its trace."""
    return f"python -m tests.simulation --seed {seed}"


def cores() -> int:
    return os.cpu_count() or 1


def _piece(seeds: list[int], base: Base) -> list[dict[str, Any]]:
    return [_flat(run(seed, base)) for seed in seeds]


def _flat(outcome: Outcome) -> dict[str, Any]:
    counted = {name: getattr(outcome.found, name) for name in _COUNTED}
    return {
        "seed": outcome.seed,
        "messages": outcome.messages,
        "digest": outcome.digest,
        **counted,
        "faults": outcome.found.faults,
    }


def figures(results: Iterable[dict[str, Any]]) -> dict[str, int]:
    """The sums over all seeds, by the names under which they are published."""
    found = list(results)
    summed = {name: sum(one[name] for one in found) for name in _COUNTED}
    messages = sum(one["messages"] for one in found)
    return {"simulation_seeds": len(found), "simulated_messages": messages, **summed}
