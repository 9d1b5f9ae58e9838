"""What a part found, as files: progress that a later call goes on from, the part's figures, and
docs/figures/fault.json once every part was run on the same code."""

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tests.figures import path_of, source, write
from tests.tidy.source import PROJECT

PARTS: Final = ("kill", "syscall", "power", "race", "sim")
SUMMED: Final = (
    "random_kills",
    "syscall_kill_points",
    "power_loss_images",
    "simulation_seeds",
    "simulated_messages",
    "race_rounds",
    "acknowledged",
    "acknowledged_lost",
    "settled_twice",
    "fen_imbalance",
    "controls_caught",
    "controls_total",
)
"""The figures of docs/figures/fault.json: each is the sum over the parts."""
PROGRESS: Final = PROJECT / ".fault"


class Progress:
    """Counts of a part that several calls add up; other code begins anew."""

    def __init__(self, part: str, folder: Path = PROGRESS) -> None:
        self._path = folder / f"{part}.json"
        self.source = source()
        kept = json.loads(self._path.read_text()) if self._path.exists() else {}
        same = kept.get("source") == self.source
        self.counts = Counter[str](kept["counts"] if same else {})
        self.samples: list[float] = kept["samples"] if same else []

    def save(self) -> None:
        """Whole at once, so that a call that is cut off loses a round and no more."""
        self._path.parent.mkdir(exist_ok=True)
        kept = {"source": self.source, "counts": self.counts, "samples": self.samples}
        beside = self._path.with_suffix(".new")
        beside.write_text(json.dumps(kept))
        beside.replace(self._path)


def write_part(part: str, figures: Mapping[str, float], source_of: str) -> Path:
    """docs/figures/parts/PART.json, with what it was made by, of what, where and when."""
    return write(f"parts/{part}", figures, f"make fault PART={part}", source_of)


def write_whole() -> bool:
    """docs/figures/fault.json from all parts; False while one is missing or of other code."""
    paths = [path_of(f"parts/{part}") for part in PARTS]
    parts = [json.loads(path.read_text()) for path in paths if path.exists()]
    sources = {part["source"] for part in parts}
    if len(parts) != len(PARTS) or len(sources) != 1:
        return False
    summed = {name: sum(part.get(name, 0) for part in parts) for name in SUMMED}
    ready = {name: part[name] for part in parts for name in part if name.startswith("restart_")}
    commands = "make fault PART=" + "|".join(PARTS)
    write("fault", {**summed, **ready}, commands, sources.pop())
    return True
