"""From which day on two policies decide differently."""

from dataclasses import replace
from datetime import date

import pytest

from gateway.domain.catalogue import Level
from gateway.policy.compare import changed_since
from gateway.policy.model import Capability, Dated, Directory, Institution, Law, Span, Value
from tests.policy.test_model import ARTICLE, MEAL, meal, policy

FIRST, LATER = date(2025, 1, 1), date(2026, 3, 1)
LISTED = Institution("H1", "示例医院（虚构）", ARTICLE, ((Capability.MEDICAL, Span(LATER)),))


def directory(*institutions: Institution) -> Directory:
    return Directory("示例（虚构）", FIRST, {}, institutions)


def test_a_policy_decides_as_itself_and_as_one_with_other_notes() -> None:
    noted = replace(MEAL, values=tuple(replace(one, note="见公报") for one in MEAL.values))
    assert changed_since(policy(MEAL), policy(MEAL)) is None
    assert changed_since(policy(MEAL), policy(noted)) is None


@pytest.mark.parametrize(
    ("other", "since"),
    [
        (meal(*MEAL.values[:2]), date(2026, 1, 1)),
        (meal(MEAL.values[0], Value(date(2025, 7, 1), 1600, ARTICLE)), date(2025, 7, 1)),
        (meal(MEAL.values[0], Value(date(2025, 6, 1), 1500, ARTICLE)), date(2025, 6, 1)),
        (None, date(2024, 1, 1)),
    ],
    ids=["no end", "another amount", "another day", "no value"],
)
def test_the_first_value_that_differs_gives_the_day(other: Dated | None, since: date) -> None:
    changed = policy() if other is None else policy(other)
    assert changed_since(policy(MEAL), changed) == since
    assert changed_since(changed, policy(MEAL)) == since


def test_an_institution_newly_listed_gives_its_first_day() -> None:
    before, after = policy(MEAL, directory=directory()), policy(MEAL, directory=directory(LISTED))
    assert changed_since(before, after) == LATER
    assert changed_since(after, after) is None


def test_a_directory_where_there_was_none_decides_from_its_first_day() -> None:
    """Before it nobody knows who was designated, and from then on whoever is not listed is not."""
    listed = policy(MEAL, directory=directory(LISTED))
    assert changed_since(policy(MEAL), listed) == FIRST
    assert changed_since(listed, policy(MEAL)) == FIRST


def test_a_directory_that_is_known_from_another_day_differs_from_the_earlier_one() -> None:
    listed = directory(LISTED)
    sooner = policy(MEAL, directory=replace(listed, since=date(2024, 6, 1)))
    assert changed_since(sooner, policy(MEAL, directory=listed)) == date(2024, 6, 1)
    assert changed_since(policy(MEAL, directory=listed), sooner) == date(2024, 6, 1)


@pytest.mark.parametrize(
    "changed",
    [
        replace(LISTED, city=True),
        replace(LISTED, doctors=(("D1", Span(LATER)),)),
        replace(LISTED, level=Level.TERTIARY),
        replace(LISTED, name="示例二院（虚构）"),
    ],
    ids=["city", "doctors", "level", "name"],
)
def test_an_institution_told_otherwise_gives_its_first_day(changed: Institution) -> None:
    before = policy(MEAL, directory=directory(LISTED))
    assert changed_since(before, policy(MEAL, directory=directory(changed))) == LATER


def test_an_institution_with_another_note_or_clause_decides_as_before() -> None:
    noted = replace(LISTED, note="见公报", law=Law("agreement", clause="第二条"))
    before = policy(MEAL, directory=directory(LISTED))
    assert changed_since(before, policy(MEAL, directory=directory(noted))) is None
