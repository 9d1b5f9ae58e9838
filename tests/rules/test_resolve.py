"""What the line rule is told: printed sources, editions by day."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from gateway.domain.catalogue import Kind, Level
from gateway.policy.load import load
from gateway.policy.model import Law, PolicyGap, Unit, Value
from gateway.rules.cited import citation
from gateway.rules.late import LateWindow
from gateway.rules.listed import EditionsByDay, find_in
from gateway.rules.resolve import rescue_mark
from tests.rules.facts import (
    DRUGS,
    EDITIONS,
    FIRST_DAY,
    a_line,
    an_edition,
    example_policy,
    policy_with,
)

LAW = Law("example_rules", article="第一条")


@pytest.mark.parametrize(
    ("unit", "amount", "shown"),
    [
        (Unit.FEN_PER_DAY, 1500, "15.00"),
        (Unit.FEN, 5, "0.05"),
        (Unit.RATIO, 10_000, "1.00"),
        (Unit.RATIO, 6_667, "0.6667"),
        (Unit.PERCENT, 500, "5.00%"),
        (Unit.SWITCH, True, "yes"),
        (Unit.SWITCH, False, "no"),
        (Unit.DAYS, 30, "30"),
        (Unit.WORD, "hospital", "hospital"),
        (Unit.WORDS, ("A01", "A13"), "A01 A13"),
    ],
)
def test_a_value_is_printed_as_a_clerk_reads_it(
    unit: Unit, amount: int | str | tuple[str, ...], shown: str
):
    policy = policy_with({"meal/per_day_fen": amount})
    dated = replace(policy.parameters["meal/per_day_fen"], unit=unit)
    policy = replace(policy, parameters={"k": dated})
    assert citation(policy, "k", Value(FIRST_DAY, amount, LAW)).value == shown


def test_a_text_that_sets_no_limit_is_printed_as_none():
    value = Value(FIRST_DAY, None, LAW, unlimited=True)
    assert citation(example_policy(), "meal/per_day_fen", value).value == "none"


def test_a_source_seen_only_on_a_mirror_says_so_and_our_reading_is_marked():
    weihai = load("371000")
    value = weihai.value("third_party/policy", date(2026, 3, 1))
    cited = citation(weihai, "third_party/policy", value)
    assert cited.law.endswith("（弱依据：仅见网页转载 / weak: seen on a web mirror only）")
    assert cited.our_reading is True


def test_an_ordinary_source_is_printed_with_title_and_article_only():
    value = example_policy().value("meal/per_day_fen", date(2026, 3, 1))
    cited = citation(example_policy(), "meal/per_day_fen", value)
    assert cited.law == "《示例市工伤保险医疗费直接结算办法（虚构）》第十二条第一款"
    assert (cited.since, cited.our_reading) == ("2026-01-01", False)


def test_the_newest_of_two_editions_in_force_is_used_whatever_their_order():
    newer = replace(an_edition(Kind.DRUG, DRUGS[:1], date(2026, 2, 1)), digest="0")
    day = date(2026, 3, 1)
    for editions in ((*EDITIONS, newer), (newer, *EDITIONS)):
        by_day = EditionsByDay(editions)
        assert by_day.on(day)[Kind.DRUG] is newer
        assert find_in(by_day.on(day).values(), "INJECTION", Level.TERTIARY) is None


def test_an_edition_is_in_force_on_its_last_day_and_not_on_the_next():
    last = date(2026, 3, 5)
    by_day = EditionsByDay([an_edition(Kind.DRUG, DRUGS, FIRST_DAY, last)])
    assert Kind.DRUG in by_day.on(last)
    assert Kind.DRUG not in by_day.on(last + timedelta(days=1))
    assert Kind.DRUG in by_day.on(last)


WINDOW = LateWindow(date(2026, 3, 1), date(2026, 4, 24), None)


@pytest.mark.parametrize(
    ("day", "held"),
    [
        (date(2026, 2, 28), False),
        (date(2026, 3, 1), True),
        (date(2026, 4, 23), True),
        (date(2026, 4, 25), False),
    ],
)
def test_only_the_last_day_of_the_late_window_needs_a_text(day: date, held: bool):
    assert WINDOW.holds(day) is held


def test_the_last_day_of_the_late_window_without_a_text_is_a_gap():
    with pytest.raises(PolicyGap) as gap:
        WINDOW.holds(WINDOW.ends)
    assert (gap.value.key, gap.value.day) == ("late/window_end_inclusive", date(2026, 4, 24))
    assert replace(WINDOW, inclusive=True).holds(WINDOW.ends)
    assert not replace(WINDOW, inclusive=True).holds(WINDOW.ends + timedelta(days=1))


def test_the_mark_of_a_line_that_was_approved_stays_what_it_was():
    assert rescue_mark("A1", a_line(line_id="L1")) == "A1/L1/db8f95906b17afc6"
