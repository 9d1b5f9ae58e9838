"""The mutants are the small faults meant, each with a name of its own that outlives other edits;
the page of survivors explains mutants that exist, as many as the last run counted."""

import os
from dataclasses import dataclass
from importlib.util import module_from_spec
from pathlib import Path
from typing import Any

import pytest

from tests.figures import kept
from tests.mutation.alone import Planting
from tests.mutation.hunt import Hunt
from tests.mutation.mutants import (
    Mutant,
    lines_naming,
    modules,
    mutants,
    mutants_of,
    path_of,
)
from tests.mutation.session import Book, in_turn
from tests.mutation.survivors import explained

EVERY = mutants()


def changes(text: str) -> set[tuple[str, str]]:
    return {(one.before, one.after) for one in mutants_of(text)}


@pytest.mark.parametrize(
    ("text", "before", "after"),
    [
        ("x = a < b", "a < b", "a <= b"),
        ("x = a is not b", "a is not b", "a is b"),
        ("x = a not in b", "a not in b", "a in b"),
        ("x = a and b", "a and b", "a or b"),
        ("x = not a", "not a", "not not a"),
        ("x = a + b", "a + b", "a - b"),
        ("x += 1", "x += 1", "x -= 1"),
        ("x = -a", "-a", "+a"),
        ("x = f(0)", "f(0)", "f(1)"),
        ("x = f(True)", "f(True)", "f(False)"),
        ("x = f('CODE')", "f('CODE')", "f('CODE?')"),
        ("x = min(a, b)", "min(a, b)", "max(a, b)"),
        ("x = any(a)", "any(a)", "all(a)"),
        ("def f():\n    return a", "a", "None"),
        ("def f():\n    g(a)", "g(a)", "None"),
        ("if a:\n    pass", "a", "not a"),
        ("x = [a for a in b if c]", "c", "not c"),
    ],
)
def test_each_kind_of_fault_is_planted(text: str, before: str, after: str):
    assert (before, after) in changes(text)


@pytest.mark.parametrize(
    "text",
    [
        '"""A document."""',
        'x = "A sentence for people."',
        'x = "给人看的文字"',
        "x: Literal['CODE'] = y",
        "def f():\n    return None",
        "_K = TypeVar('_K', int, str)",
        "@cache(1)\ndef f(): ...",
        "x = zip(a, b, strict=True)",
    ],
)
def test_what_decides_nothing_is_left_alone(text: str):
    assert changes(text) == set()


def test_a_constant_that_is_returned_becomes_another_one_and_not_none():
    assert changes("def f():\n    return False") == {("False", "True")}


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("x = f(\n    a < b,\n    c,\n)", (1, 4)),
        ("if (\n    a < b\n):\n    pass", (1, 3)),
        ("if a < b: pass", (1, 1)),
    ],
)
def test_a_fault_lies_on_the_lines_of_its_statement_without_those_of_a_body(
    text: str, lines: tuple[int, int]
):
    assert {(one.line, one.last) for one in mutants_of(text)} == {lines}


def test_every_module_of_the_rules_has_mutants_and_no_two_have_one_name():
    assert {one.module for one in EVERY} == set(modules())
    assert len({one.name for one in EVERY}) == len(EVERY)


def test_the_name_of_a_mutant_outlives_edits_of_other_lines():
    text = "def f(a):\n    return a > 0\n"
    longer = f"import x\n\n\ndef g(b):\n    return b\n\n\n{text}"
    assert {one.name for one in mutants_of(text)} < {one.name for one in mutants_of(longer)}


def test_a_function_that_says_the_same_twice_has_two_mutants():
    names = [one.name for one in mutants_of("def f(a):\n    g(0)\n    g(0)\n")]
    assert len(set(names)) == len(names) == 4


def days_at_least() -> Mutant:
    """The mutant of the rule on meal days that takes the fewest days for the most."""
    (found,) = [one for one in EVERY if one.function == "meal_days" and one.after[:3] == "min"]
    return found


def test_a_mutant_is_imported_in_the_place_of_its_module_and_taken_out_again():
    mutant = days_at_least()
    spec = Planting(mutant).find_spec(mutant.module)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    from datetime import date

    from gateway.rules.meal import meal_days

    days = date(2026, 3, 1), date(2026, 3, 15), "EXCLUDE_DISCHARGE"
    assert (module.meal_days(*days), meal_days(*days)) == (1, 14)
    assert Planting(mutant).find_spec("gateway.rules.line") is None
    assert mutant.old.id == "max"


def test_the_lines_that_name_a_constant_are_found_wherever_it_is_read():
    (mutant,) = [
        one for one in EVERY if not one.function and one.module == "gateway.rules.audit.charges"
    ]
    naming = lines_naming(mutant)
    assert naming.keys() == {str(path_of(name)) for name in modules()}
    lines = path_of(mutant.module).read_text("utf-8").splitlines()
    told = [lines[no - 1] for no in sorted(naming[str(path_of(mutant.module))])]
    assert len(told) == 2
    assert all("_MINUTE" in line for line in told)


def test_few_rows_of_every_test_have_their_turn_before_many_of_one():
    names = [*(f"slow[{no}]" for no in range(4)), "fast"]
    learnt: Book = {name: (1.0 if name == "fast" else 2.0, {}) for name in names}
    assert in_turn(names, learnt) == ["fast", "slow[0]", "slow[1]", "slow[2]", "slow[3]"]


@dataclass(frozen=True)
class Item:
    """A test as a hunt sees it."""

    nodeid: str
    failed: bool = True


def test_a_test_that_fails_only_after_the_fork_stops_the_hunt_and_is_no_kill(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    hunt = Hunt((), lambda _mutant, _killer: None, 1, tmp_path / "book", {})
    parent = os.getpid()

    def fails_in_a_child(item: Any) -> None:
        if os.getpid() != parent:
            hunt.pytest_runtest_logreport(item)

    items = [Item("tests/rules/test_a.py::test_b")]
    monkeypatch.setattr("tests.mutation.hunt._run", lambda _item: None)
    hunt.control(items)
    monkeypatch.setattr("tests.mutation.hunt._run", fails_in_a_child)
    with pytest.raises(pytest.UsageError, match=r"without any mutant: .*test_a\.py::test_b"):
        hunt.control(items)


def test_every_explained_survivor_is_a_mutant_and_says_why():
    names = {one.name for one in EVERY}
    assert explained().keys() - names == set()
    assert [name for name, why in explained().items() if len(why) < 20] == []


def test_the_figure_counts_what_the_page_explains():
    figure = kept("mutation")
    if not figure:
        pytest.skip("docs/figures/mutation.json is missing: make mutation writes it")
    assert figure["survived"] == len(explained())
    assert figure["killed"] + figure["survived"] == figure["mutants"]
    assert figure["score"] == round(figure["killed"] / figure["mutants"], 4)
    assert set(figure) == {"mutants", "killed", "survived", "score"}
