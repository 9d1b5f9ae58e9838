"""`python -m tests.mutation.alone NAME`: run the rules' tests with one mutant imported."""

import importlib.util
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

import pytest

from tests.mutation.hunt import OPTIONS, TESTS, FewExamples
from tests.mutation.mutants import Mutant, compiled, mutants, path_of


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


def main(name: str) -> int:
    """Zero when every test passes in spite of the mutant."""
    (mutant,) = [one for one in mutants() if one.name == name]
    sys.meta_path.insert(0, Planting(mutant))
    return pytest.main([*OPTIONS, "-x", TESTS], plugins=[FewExamples()])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
