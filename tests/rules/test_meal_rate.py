"""What a day of meals pays: fixed, or a percentage of an index, rounded by the day (E20)."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from gateway.domain.bill import BillVerdict, MealVerdict
from gateway.domain.money import fen
from gateway.policy.load import load
from gateway.policy.model import Dated, Law, PickedBy, Policy, Unit, Value
from gateway.rules.entitlement import Hold
from gateway.rules.settle import settle
from tests.rules.facts import (
    ADMITTED,
    a_bill,
    a_case,
    a_hospital,
    a_line,
    a_stay,
    example_policy,
    policy_with,
)
from tests.rules.tables import bill_of, policy_of, rows

LEAVING = date(2026, 3, 14)
STAY = a_stay(discharged_on=LEAVING)
BY_INDEX = {"meal/form": "PCT_OF_INDEX"}
RATES = ["meal/form", "meal/per_day_fen", "meal/out_of_region_per_day_fen"]
PARTS = ["meal/index", "meal/index_fen", "meal/index_percent", "meal/index_divisor"]


def meal_of(policy: Policy, **bill: Any) -> MealVerdict:
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


OPEN_IN_ZHEJIANG = {
    "meal/day_rule": (Unit.WORD, "EXCLUDE_DISCHARGE"),
    "meal/index_fen": (Unit.FEN, 249000),
    "meal/index_divisor": (Unit.DAYS_PER_MONTH, 300000),
}


def quzhou_with(*keys: str) -> Policy:
    """Quzhou's policy with what a person entered for these keys."""
    policy, law = load("330800"), Law("quzhou_2011", article="第二十五条")
    entered = {
        key: Dated(key, unit, PickedBy.DISCHARGE_DATE, "", None, (Value(ADMITTED, amount, law),))
        for key, (unit, amount) in OPEN_IN_ZHEJIANG.items()
        if key in keys
    }
    return replace(policy, parameters={**policy.parameters, **entered})


@pytest.mark.parametrize("missing", OPEN_IN_ZHEJIANG)
def test_a_bill_in_quzhou_waits_for_each_part_that_the_text_leaves_open(missing: str):
    policy = quzhou_with(*(key for key in OPEN_IN_ZHEJIANG if key != missing))
    bill = a_bill(a_line(), stay=STAY, hospital=a_hospital(region="330800"))
    assert settle(bill, policy) == Hold("POLICY_GAP", missing, LEAVING)


def test_once_entered_a_bill_in_quzhou_pays_35_percent_to_the_worker():
    """2490.00 × 35 % / 30 = 29.05; 13 days are 377.65 (浙江省工伤保险条例 第二十四条)."""
    meal = meal_of(quzhou_with(*OPEN_IN_ZHEJIANG), hospital=a_hospital(region="330800"))
    assert (meal.per_day_fen, meal.amount_fen, meal.channel) == (2905, 37765, "AGENCY")
    assert any("《浙江省工伤保险条例》第二十四条第一款" in cited.law for cited in meal.citations)
