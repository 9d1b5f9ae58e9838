"""`python -m tests.mutation.alone NAME BOOK`: run the rules' tests with one mutant imported."""

import importlib.util
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.mutation.hunt import OPTIONS, TESTS, Book, FewExamples, in_turn
from tests.mutation.mutants import Mutant, compiled, lines_naming, named, path_of


class Planting(MetaPathFinder, Loader):
    """Imports one module of the rules with the mutant in it."""

    def __init__(self, mutant: Mutant) -> None:
        self._mutant = mutant

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec of the mutated module alone."""
        if name != self._mutant.module:
            return None
        file = path_of(name)
        places = [str(file.parent)] if file.name == "__init__.py" else None
        return importlib.util.spec_from_file_location(
            name, file, loader=self, submodule_search_locations=places
        )

    def exec_module(self, module: ModuleType) -> None:
        """Run the mutated code as the module."""
        exec(compiled(self._mutant), module.__dict__)  # noqa: S102 - our own source, one change


@dataclass(frozen=True, slots=True)
class LikelyFirst:
    """A pytest plugin: first the tests that come by a line that names what is changed, then those
    that come by its module, then all others."""

    mutant: Mutant
    book: Path

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        """Put the tests in this order."""
        learnt: Book = json.loads(self.book.read_text("utf-8"))
        naming = lines_naming(self.mutant)
        place = str(path_of(self.mutant.module))
        turns = {
            name: turn for turn, name in enumerate(in_turn([one.nodeid for one in items], learnt))
        }

        def rank(item: Any) -> tuple[bool, bool, int]:
            reached = learnt[item.nodeid][1]
            named = any(naming.get(file, set()) & set(lines) for file, lines in reached.items())
            return not named, place not in reached, turns[item.nodeid]

        items.sort(key=rank)


def main(name: str, book: Path) -> int:
    """Zero when every test passes in spite of the mutant."""
    mutant = named(name)
    sys.meta_path.insert(0, Planting(mutant))
    plugins = [FewExamples(), LikelyFirst(mutant, book)]
    return pytest.main([*OPTIONS, "-x", TESTS], plugins=plugins)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2])))
