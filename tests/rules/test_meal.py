"""The meal allowance: days by the region's rule, the rate of the right day, windows cut out."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from gateway.domain.bill import BillVerdict, MealVerdict
from gateway.domain.calculation import CalculatedStay, Case, CaseStay
from gateway.domain.case import BenefitStop
from gateway.domain.money import fen
from gateway.domain.split import Payer
from gateway.policy.keys import KEYS
from gateway.policy.model import PickedBy, Policy
from gateway.rules.calculate import calculate
from gateway.rules.entitlement import Hold
from gateway.rules.meal import covered_days, meal_days
from gateway.rules.settle import settle
from tests.rules.facts import a_bill, a_case, a_stay, example_policy, policy_with
from tests.rules.tables import rows

ROWS = rows("meal.toml")


def meal_of(policy: Policy, **bill: Any) -> MealVerdict:
    verdict = settle(a_bill(**bill), policy)
    assert isinstance(verdict, BillVerdict), verdict
    return verdict.meal


def stay_of(row: dict[str, Any]) -> Any:
    return a_stay(admitted_on=row["admitted"], discharged_on=row["discharged"])


def test_the_days_are_counted_by_each_word_that_a_region_may_say_and_by_no_other():
    day = date(2026, 3, 1)
    words = KEYS["meal/day_rule"].words
    assert [meal_days(day, date(2026, 3, 3), word) for word in words] == [2, 3]
    with pytest.raises(KeyError):
        meal_days(day, day, "CALENDAR_NIGHTS")


@pytest.mark.parametrize("row", ROWS)
def test_a_stay_is_allowed_the_meals_of_the_table(row: dict[str, Any]):
    rule = row.get("rule", "EXCLUDE_DISCHARGE")
    policy = policy_with({"meal/day_rule": rule, "meal/per_day_fen": fen(row["rate"])})
    meal = meal_of(policy, stay=stay_of(row), case=a_case(injured_on=row["admitted"]))
    assert (meal.days, meal.amount_fen) == (row["days"], fen(row["amount"]))
    assert meal.days * meal.per_day_fen == meal.amount_fen


@pytest.mark.parametrize("row", [row for row in ROWS if "rule" not in row.values[0]])
def test_a_calculation_case_counts_the_same_days(row: dict[str, Any]):
    stay = CaseStay(row["admitted"], row["discharged"], fen(row["rate"]))
    case = Case(id="1", title="伙食", no_consent_payer=Payer.HOSPITAL, stay=stay)
    assert calculate(case).stay == CalculatedStay(row["days"], fen(row["amount"]))


@pytest.mark.parametrize(
    ("discharged", "rate_fen"), [(date(2025, 12, 31), 1200), (date(2026, 1, 1), 1500)]
)
def test_the_rate_is_that_of_the_day_of_discharge(discharged: date, rate_fen: int):
    stay = a_stay(admitted_on=date(2025, 12, 28), discharged_on=discharged)
    meal = meal_of(example_policy(), stay=stay, case=a_case(injured_on=stay.admitted_on))
    assert meal.per_day_fen == rate_fen
    assert meal.amount_fen == rate_fen * meal.days


def test_a_rate_picked_by_the_service_day_is_that_of_each_day():
    policy = example_policy()
    by_day = replace(policy.parameters["meal/per_day_fen"], picked_by=PickedBy.SERVICE_DATE)
    policy = replace(policy, parameters={**policy.parameters, "meal/per_day_fen": by_day})
    stay = a_stay(admitted_on=date(2025, 12, 30), discharged_on=date(2026, 1, 2))
    meal = meal_of(policy, stay=stay, case=a_case(injured_on=stay.admitted_on))
    assert meal.amount_fen == 1200 + 1200 + 1500
    rates = [cited.value for cited in meal.citations if cited.key == "meal/per_day_fen"]
    assert rates == ["12.00", "15.00"]


def test_a_stay_stopped_throughout_has_no_meal_days_and_no_amount():
    stop = BenefitStop(date(2026, 3, 1), None, "拒绝治疗", "N1")
    meal = meal_of(example_policy(), case=a_case(stops=(stop,)))
    assert (meal.days, meal.amount_fen, meal.per_day_fen) == (0, 0, 1500)


LATE = a_case(applied_on=date(2026, 4, 20), accepted_on=date(2026, 4, 24))


@pytest.mark.parametrize(
    ("discharged", "days"),
    [(date(2026, 4, 24), 0), (date(2026, 4, 25), 1), (date(2026, 4, 26), 2)],
)
def test_meal_days_begin_on_the_day_of_acceptance_when_the_employer_was_late(
    discharged: date, days: int
):
    assert meal_of(example_policy(), stay=a_stay(discharged_on=discharged), case=LATE).days == days


def test_a_text_may_leave_the_meals_of_the_late_window_with_the_fund():
    policy = policy_with({"meal/split_late_window": False})
    assert meal_of(policy, case=LATE).days == 14


@pytest.mark.parametrize("key", ["meal/per_day_fen", "meal/day_rule", "meal/channel"])
def test_a_silent_text_on_meals_holds_the_bill_with_the_day_of_discharge(key: str):
    verdict = settle(a_bill(), policy_with(silent=[key]))
    assert verdict == Hold("POLICY_GAP", key, date(2026, 3, 15))


def test_the_allowance_covers_the_days_from_admission_on():
    first = date(2026, 2, 27)
    assert covered_days(first, 3) == (first, first + timedelta(1), date(2026, 3, 1))
    assert meal_days(first, date(2026, 3, 2), "EXCLUDE_DISCHARGE") == 3
