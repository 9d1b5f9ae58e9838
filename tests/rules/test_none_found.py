"""A registration for which nobody reports a case waits until its days are over."""

from datetime import date

import pytest

from gateway.rules.entitlement import Manual
from gateway.rules.none_found import none_found
from tests.rules.facts import a_stay, policy_with

DAYS = {"case/none_found_days": 30}


@pytest.mark.parametrize(
    ("today", "verdict"),
    [(date(2026, 3, 31), None), (date(2026, 4, 1), Manual("NO_CASE_FOUND"))],
)
def test_the_day_after_the_last_day_of_waiting_is_manual(
    today: date, verdict: Manual | None
) -> None:
    assert none_found(a_stay(), policy_with(DAYS), today) == verdict


def test_where_no_text_says_how_long_it_waits_on() -> None:
    silent = policy_with(silent=["case/none_found_days"])
    assert none_found(a_stay(), silent, date(2036, 1, 1)) is None
