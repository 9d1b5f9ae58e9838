"""`python -m tests.mutation`: plant every mutant in the rules and see their own tests kill it.

Goes on where it was stopped, as long as neither rules nor tests changed. Writes
docs/figures/mutation.json; fails when a mutant survives that docs/mutation-survivors.md does not
explain, or when one is explained that does not survive.
"""

import argparse
import json
import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Final

import pytest

from tests.figures import write
from tests.mutation.hunt import Hunt
from tests.mutation.mutants import RULES, Mutant, mutants
from tests.mutation.session import OPTIONS, TESTS, FewExamples
from tests.mutation.survivors import PAGE, explained
from tests.tidy.source import PROJECT

KEPT: Final = PROJECT / ".mutation" / "results.jsonl"
_SOURCES: Final = (RULES, PROJECT / "gateway" / "domain", PROJECT / "gateway" / "policy")


@dataclass(slots=True)
class Results:
    """What became of each mutant so far, kept line by line so that a stop loses nothing."""

    state: str
    killers: dict[str, str] = field(default_factory=dict)
    likely: dict[str, str] = field(default_factory=dict)
    """What killed a mutant with other rules or tests: the first to try."""

    def read(self, *, survivors_again: bool) -> None:
        """What an earlier run found; with other rules or tests, nothing of it holds.

        With `survivors_again` kills are believed although tests were added since.
        """
        if not KEPT.exists():
            return
        for line in KEPT.read_text("utf-8").splitlines():
            state, name, killer = json.loads(line)
            if state == self.state or (survivors_again and killer):
                self.killers[name] = killer
            self.likely[name] = killer

    def add(self, mutant: Mutant, killer: str) -> None:
        """One more result, at once on disk."""
        self.killers[mutant.name] = killer
        with KEPT.open("a", encoding="utf-8") as kept:
            kept.write(json.dumps([self.state, mutant.name, killer]) + "\n")
        if not killer:
            sys.stderr.write(f"survived: {told(mutant)}\n")


def told(mutant: Mutant) -> str:
    """A mutant in one line."""
    return f"{mutant.name} line {mutant.line}: {mutant.before}  →  {mutant.after}"


def main() -> int:
    """Zero when every survivor is explained and every explained mutant survives."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation")
    only = "mutants whose name begins with one of these; writes no figure"
    parser.add_argument("--only", nargs="+", default=[""], metavar="NAME", help=only)
    parser.add_argument("--survivors-again", action="store_true", help="believe earlier kills")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    chosen = parser.parse_args()
    KEPT.parent.mkdir(exist_ok=True)
    results = Results(_state())
    results.read(survivors_again=chosen.survivors_again)
    every = [one for one in mutants() if one.name.startswith(tuple(chosen.only))]
    # What stands outside of functions takes longest and comes last.
    ordered = sorted(every, key=lambda one: one.imported)
    left = tuple(one for one in ordered if one.name not in results.killers)
    sys.stderr.write(f"{len(every)} mutants, {len(left)} to hunt\n")
    if left:
        book = KEPT.with_name(f"reach-{results.state}.json")
        hunt = Hunt(left, results.add, chosen.workers, book, results.likely)
        if pytest.main([*OPTIONS, TESTS], plugins=[FewExamples(), hunt]):
            return 1
    survived = [one for one in every if not results.killers[one.name]]
    if chosen.only == [""]:
        again = " ARGS=--survivors-again" if chosen.survivors_again else ""
        _write(len(every), len(survived), f"make mutation{again}")
    return _judged(survived, {one.name for one in every})


def _state() -> str:
    """A digest over the rules, what they stand on, and their tests."""
    files = [path for folder in (*_SOURCES, PROJECT / TESTS) for path in _files(folder)]
    digests = (sha256(path.read_bytes()).hexdigest() for path in sorted(files))
    return sha256("".join(digests).encode()).hexdigest()[:16]


def _files(folder: Path) -> Iterable[Path]:
    return (path for path in folder.rglob("*") if path.suffix in (".py", ".toml"))


def _write(count: int, survived: int, command: str) -> None:
    figures = {
        "mutants": count,
        "killed": count - survived,
        "survived": survived,
        "score": round((count - survived) / count, 4),
    }
    write("mutation", figures, command, "tests/mutation")


def _judged(survived: Iterable[Mutant], hunted: set[str]) -> int:
    """Every survivor must be explained, and nothing else."""
    known = explained().keys() & hunted
    living = {one.name: one for one in survived}
    for name in sorted(living.keys() - known):
        sys.stdout.write(f"not explained in {PAGE.name}: {told(living[name])}\n")
    for name in sorted(known - living.keys()):
        sys.stdout.write(f"explained in {PAGE.name}, but killed: {name}\n")
    return int(living.keys() != known)


if __name__ == "__main__":
    sys.exit(main())
