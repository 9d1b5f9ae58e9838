"""How the rules' own tests are run with a mutant: few examples, what kills soonest first."""

from collections import Counter
from collections.abc import Iterable
from typing import Final

import pytest

TESTS: Final = "tests/rules"
OPTIONS: Final = ("-q", "--no-header", "--tb=no", "--assert=plain", "-p", "no:cacheprovider")
_EXAMPLES: Final = 20
_ROWS_AT_A_TIME: Final = 3
Learnt = tuple[float, dict[str, list[int]]]
"""Of one test: its seconds, and the lines of the rules that it comes by, by file."""
Book = dict[str, Learnt]
"""What every test reaches, by its name."""


class FewExamples:
    """A pytest plugin: the property tests try few examples, the same ones each time."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_finish(self) -> None:
        """After every conftest has loaded its own profile."""
        # Imported before pytest itself, hypothesis could not have its asserts rewritten.
        from hypothesis import HealthCheck, Phase, settings

        settings.register_profile(
            "hunt",
            max_examples=_EXAMPLES,
            deadline=None,
            derandomize=True,
            database=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        settings.load_profile("hunt")


def of(name: str, learnt: Book) -> Learnt:
    """What is known of a test; nothing of one whose name the mutant itself has changed."""
    return learnt.get(name, (0.0, {}))


def in_turn(names: Iterable[str], learnt: Book) -> list[str]:
    """Fast tests first, but a few rows of every test before many of one: what kills is found
    sooner."""
    nth: Counter[str] = Counter()
    turns: dict[str, tuple[int, float]] = {}
    for name in names:
        test = name.partition("[")[0]
        turns[name] = (nth[test] // _ROWS_AT_A_TIME, of(name, learnt)[0])
        nth[test] += 1
    return sorted(turns, key=lambda name: turns[name])
