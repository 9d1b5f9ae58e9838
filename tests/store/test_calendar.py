"""Working days of 2026 as published, and nothing guessed beyond."""

from datetime import date, timedelta

import pytest

from gateway.store.calendar import Calendar


@pytest.fixture(scope="module")
def days() -> Calendar:
    return Calendar()


@pytest.mark.parametrize(
    ("day", "works"),
    [
        ("2026-01-04", True),  # make-up Sunday
        ("2026-02-14", True),
        ("2026-02-28", True),
        ("2026-04-25", False),  # a plain Saturday
        ("2026-05-09", True),  # make-up Saturday
        ("2026-06-18", True),
        ("2026-06-19", False),  # 端午
        ("2026-06-20", False),
        ("2026-06-21", False),
        ("2026-06-22", True),
        ("2026-09-20", True),
        ("2026-10-01", False),
        ("2026-10-10", True),
    ],
)
def test_a_day_of_2026_is_as_published(days, day, works) -> None:
    assert days.is_working(date.fromisoformat(day)) is works


@pytest.mark.parametrize(
    ("start", "count", "deadline"),
    [
        ("2026-05-08", 1, "2026-05-09"),
        ("2026-05-08", 2, "2026-05-11"),
        ("2026-06-18", 1, "2026-06-22"),
        ("2026-04-24", 1, "2026-04-27"),
        ("2026-04-25", 1, "2026-04-27"),
        ("2026-03-02", 20, "2026-03-30"),
        ("2026-03-02", 0, "2026-03-02"),
        ("2026-12-25", 1, "2026-12-28"),
        ("2018-12-28", 1, "2018-12-29"),
        ("2018-12-29", 1, "2019-01-02"),
    ],
)
def test_a_deadline_counts_working_days_after_its_start(days, start, count, deadline) -> None:
    assert days.deadline(date.fromisoformat(start), count) == date.fromisoformat(deadline)


def test_the_last_days_of_december_wait_for_the_notice_of_the_next_year(days) -> None:
    """The notice of 2019 moved a Saturday and a Monday of 2018, and none has come for 2027."""
    assert days.is_working(date(2018, 12, 29)) is True
    assert days.is_working(date(2018, 12, 31)) is False
    assert days.is_working(date(2026, 12, 28)) is True
    assert days.is_working(date(2026, 12, 29)) is None
    assert days.deadline(date(2026, 12, 28), 1) is None


def test_a_deadline_past_the_last_published_day_is_not_known(days) -> None:
    assert days.deadline(days.last, 1) is None
    assert days.deadline(days.last - timedelta(days=1), 20) is None


def test_a_start_outside_the_published_years_has_no_deadline(days) -> None:
    assert days.deadline(days.last + timedelta(days=1), 0) is None
    assert days.deadline(date(1999, 1, 4), 1) is None
    assert days.is_working(days.last + timedelta(days=1)) is None


def test_a_deadline_before_its_start_is_a_broken_contract(days) -> None:
    with pytest.raises(ValueError, match="after its start"):
        days.deadline(date(2026, 3, 2), -1)


def test_the_published_years_are_known_from_end_to_end(days) -> None:
    assert days.covers(date(2004, 1, 1))
    assert days.covers(date(2026, 12, 28))
    assert not days.covers(days.first - timedelta(days=1))
    assert not days.covers(days.last + timedelta(days=1))
