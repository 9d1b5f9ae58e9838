"""What a module of the rules reads as it is imported: hunted in a process that imports it anew."""

import importlib.util
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from io import StringIO
from types import ModuleType
from typing import Any

import pytest

from tests.mutation.mutants import Mutant, compiled, lines_naming, path_of
from tests.mutation.session import OPTIONS, TESTS, Book, FewExamples, in_turn, of
from tests.tidy.source import PROJECT


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
    learnt: Book

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        """Put the tests in this order."""
        learnt = self.learnt
        naming = lines_naming(self.mutant)
        place = str(path_of(self.mutant.module))
        turns = {
            name: turn for turn, name in enumerate(in_turn([one.nodeid for one in items], learnt))
        }

        def rank(item: Any) -> tuple[bool, bool, int]:
            reached = of(item.nodeid, learnt)[1]
            named = any(naming.get(file, set()) & set(lines) for file, lines in reached.items())
            return not named, place not in reached, turns[item.nodeid]

        items.sort(key=rank)


@dataclass(slots=True)
class FirstFailed:
    """A pytest plugin that remembers the test that failed."""

    name: str = ""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Remember the test."""
        if report.failed and not self.name:
            self.name = report.nodeid


def hunted_alone(mutant: Mutant, learnt: Book, likely: str) -> str:
    """The test that fails when the module is imported with the mutant in it, "" when none does;
    the file of the `likely` one is tried before all others.

    The process is of no use afterwards: every module of the project was imported anew.
    """
    sys.meta_path.insert(0, Planting(mutant))
    file = likely.partition("::")[0]
    first = [file] if (PROJECT / file).is_file() else []
    return next(filter(None, (_hunted(mutant, learnt, place) for place in (*first, TESTS))), "")


def control_alone() -> str:
    """The test that fails when everything is imported anew as it is, "" when none does: it would
    pass for the kill of every mutant. The process is of no use afterwards."""
    return _run_anew(TESTS, ())


def _hunted(mutant: Mutant, learnt: Book, place: str) -> str:
    """The test of this place that fails with the mutant, "" when none does."""
    return _run_anew(place, [LikelyFirst(mutant, learnt)])


def _run_anew(place: str, plugins: Sequence[object]) -> str:
    """Import the project anew and run the tests of the place until one fails, "" when none
    does."""
    for name in [one for one in sys.modules if _is_of_project(one)]:
        del sys.modules[name]
    failed = FirstFailed()
    with redirect_stdout(StringIO()) as said:
        ended = pytest.main([*OPTIONS, "-x", place], plugins=[FewExamples(), *plugins, failed])
    match ended:
        case pytest.ExitCode.OK:
            return ""
        case pytest.ExitCode.TESTS_FAILED | pytest.ExitCode.INTERRUPTED:
            return failed.name or "the rules could not be imported"
    raise RuntimeError(said.getvalue())


def _is_of_project(module: str) -> bool:
    """Whether the module may hold something of the rules; what hunts does not."""
    package, _, inside = module.partition(".")
    if package == "tests":
        return inside.partition(".")[0] not in ("", "mutation", "tidy")
    return package in ("gateway", "adapters")
