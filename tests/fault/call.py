"""One call of a part: what it goes on from, how long it may last, and what it has found."""

import shutil
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from tests.fault.figures import Progress
from tests.fault.nursery import Nursery
from tests.flows.office import prepare


@dataclass(slots=True)
class Call:
    """What a part needs while it runs. Counts whose names begin with "failed" are failures."""

    nursery: Nursery
    folder: Path
    progress: Progress
    seed: int
    until_s: float
    _numbers: "count[int]" = field(default_factory=count)

    @property
    def counts(self) -> Counter[str]:
        return self.progress.counts

    @property
    def failures(self) -> list[str]:
        return [name for name in self.counts if name.startswith("failed")]

    def goes_on(self, name: str, target: int) -> bool:
        """Whether more is wanted, and there is time for it."""
        return self.counts[name] < target and time.monotonic() < self.until_s

    def count(self, found: Counter[str]) -> None:
        """Add to what was found; a failure is told at once."""
        for name in found:
            if name.startswith("failed"):
                sys.stdout.write(f"{name}\n")
        self.counts.update(found)
        self.progress.save()

    def fresh(self) -> Path:
        """A gateway's data of its own: the agency, two hospitals and the catalogue."""
        template = self.folder / "template"
        if not template.exists():
            template.mkdir(parents=True)
            prepare(template)
        return self.copy(template)

    def copy(self, home: Path) -> Path:
        """The same data once more, in a folder that is used once."""
        made = self.folder / f"home-{self.number()}"
        shutil.copytree(home / "gateway", made / "gateway")
        return made

    def number(self) -> int:
        """A number that no folder has yet."""
        return next(self._numbers)

    def forget(self, home: Path) -> None:
        """The data is used up."""
        shutil.rmtree(home)
