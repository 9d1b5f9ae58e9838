"""The paid leave 停工留薪期: months on the calendar, and what an extension must follow."""

from datetime import date

import pytest

from gateway.domain.case import PaidLeave
from gateway.rules.paid_leave import follows, last_day_of, longest
from tests.rules.facts import a_case, example_policy, policy_with


@pytest.mark.parametrize(
    ("first", "months", "last"),
    [
        (date(2026, 3, 1), 12, date(2027, 2, 28)),
        (date(2027, 3, 1), 12, date(2028, 2, 29)),
        (date(2024, 2, 29), 12, date(2025, 2, 28)),
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2026, 1, 31), 2, date(2026, 3, 30)),
        (date(2026, 1, 15), 1, date(2026, 2, 14)),
        (date(2026, 12, 1), 1, date(2026, 12, 31)),
    ],
)
def test_months_end_on_the_day_before_the_same_day(first: date, months: int, last: date) -> None:
    assert last_day_of(first, months) == last


KNOWN = a_case(paid_leave=(PaidLeave(date(2026, 3, 1), date(2027, 2, 28)),))


@pytest.mark.parametrize(
    ("first", "extension", "allowed"),
    [
        (date(2026, 3, 1), False, True),
        (date(2026, 2, 28), False, False),
        (date(2027, 3, 1), True, True),
        (date(2027, 2, 28), True, False),
        (date(2027, 3, 2), True, False),
    ],
)
def test_a_leave_begins_with_the_injury_or_later_and_an_extension_right_after_it(
    first: date, extension: bool, allowed: bool
) -> None:
    assert follows(KNOWN, PaidLeave(first, first, extension)) is allowed


def test_an_extension_follows_a_leave_that_is_known_but_no_other_extension() -> None:
    first = PaidLeave(date(2026, 3, 1), date(2026, 4, 30))
    second = PaidLeave(date(2026, 6, 1), date(2026, 7, 31))
    extension = PaidLeave(date(2026, 8, 1), date(2026, 8, 31), extension=True)
    case = a_case(paid_leave=(first, second, extension))
    assert follows(case, extension)
    day = date(2026, 9, 1)
    assert not follows(case, PaidLeave(day, day, extension=True))


def test_an_extension_has_a_length_of_its_own() -> None:
    policy = policy_with({"paid_leave/extension_months": 6})
    first = date(2027, 3, 1)
    assert longest(policy, KNOWN, PaidLeave(first, first, extension=True)) == date(2027, 8, 31)
    assert longest(policy, KNOWN, PaidLeave(first, first)) == date(2028, 2, 29)


def test_leave_and_extension_are_twelve_months_each_at_most() -> None:
    leave = PaidLeave(date(2026, 3, 1), date(2026, 3, 1))
    assert longest(example_policy(), KNOWN, leave) == date(2027, 2, 28)
    extension = PaidLeave(date(2027, 3, 1), date(2027, 3, 1), extension=True)
    assert longest(example_policy(), KNOWN, extension) == date(2028, 2, 29)
