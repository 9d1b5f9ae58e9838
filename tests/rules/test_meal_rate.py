"""What a day of meals pays: fixed, or a percentage of an index, rounded by the day (E20)."""

from datetime import date
from typing import Any

import pytest

from gateway.domain.bill import BillVerdict, MealVerdict
from gateway.domain.money import fen
from gateway.rules.entitlement import Hold
from gateway.rules.settle import settle
from tests.rules.facts import a_bill, a_case, a_stay, example_policy, policy_with
from tests.rules.tables import bill_of, policy_of, rows

LEAVING = date(2026, 3, 14)
STAY = a_stay(discharged_on=LEAVING)
BY_INDEX = {"meal/form": "PCT_OF_INDEX"}
RATES = ["meal/form", "meal/per_day_fen", "meal/out_of_region_per_day_fen"]
PARTS = ["meal/index", "meal/index_fen", "meal/index_percent", "meal/index_divisor"]


def meal_of(policy: Any, **bill: Any) -> MealVerdict:
    verdict = settle(a_bill(**{"stay": STAY} | bill), policy)
    assert isinstance(verdict, BillVerdict), verdict
    return verdict.meal


@pytest.mark.parametrize("row", rows("meal_rate.toml"))
def test_thirteen_days_are_allowed_the_rate_of_the_table(row: dict[str, Any]):
    bill = bill_of(row)
    facts = {"case": bill.case, "hospital": bill.hospital}
    meal = meal_of(policy_of(row), **facts)
    assert meal.days == 13
    assert (meal.per_day_fen, meal.amount_fen) == (fen(row["rate"]), fen(row["amount"]))
    used = [cited.key for cited in meal.citations if cited.key in {*PARTS, *RATES}]
    assert used == row["cited"]


@pytest.mark.parametrize("key", PARTS)
def test_a_part_of_the_formula_that_no_text_gives_holds_the_bill(key: str):
    verdict = settle(a_bill(stay=STAY), policy_with(BY_INDEX, silent=[key]))
    assert verdict == Hold("POLICY_GAP", key, LEAVING)


def test_a_region_that_gives_an_amount_but_no_form_gives_a_fixed_one():
    assert meal_of(policy_with(silent=["meal/form"])).per_day_fen == 1500


@pytest.mark.parametrize(
    ("discharged", "rate_fen"), [(date(2029, 12, 31), 1500), (date(2030, 1, 1), 4900)]
)
def test_the_form_is_that_of_the_day_of_discharge(discharged: date, rate_fen: int):
    stay = a_stay(admitted_on=date(2029, 12, 28), discharged_on=discharged)
    case = a_case(injured_on=stay.admitted_on)
    assert meal_of(example_policy(), stay=stay, case=case).per_day_fen == rate_fen


def test_the_parts_of_the_formula_are_printed_as_people_write_them():
    cited = {one.key: one.value for one in meal_of(policy_with(BY_INDEX)).citations}
    assert [cited[key] for key in PARTS] == ["MONTHLY_MINIMUM_WAGE", "2100.00", "70.00%", "30.00"]
