"""The meal allowance: every form of rate that regions have, and every ground that takes a day."""

from dataclasses import replace
from datetime import date
from fractions import Fraction
from typing import Any

import pytest

from gateway.domain.bill import BillVerdict, MealVerdict, Relation
from gateway.domain.case import Arrears, BenefitStop, CaseFacts, Joined, PaidLeave
from gateway.domain.money import fen, rounded
from gateway.rules.entitlement import Hold
from gateway.rules.meal_allowance import NO_MEAL
from gateway.rules.settle import meal_rates, settle
from tests.rules.facts import a_bill, a_case, a_line, a_stay, policy_with
from tests.rules.tables import bill_of, policy_of, rows

LEAVE = a_stay(leave_days=frozenset({date(2026, 3, 5), date(2026, 3, 6)}))


@pytest.mark.parametrize("row", rows("meal_allowance.toml"))
def test_a_stay_is_allowed_what_the_table_says(row: dict[str, Any]) -> None:
    verdict = settle(bill_of(row), policy_of(row))
    if "hold" in row:
        assert verdict == Hold(**row["hold"])
        return
    assert isinstance(verdict, BillVerdict), verdict
    assert (verdict.meal.days, verdict.meal.amount_fen) == (row["days"], fen(row["amount"]))
    assert len(verdict.meal_days) == row["days"]
    assert [ground for ground, _days, _since in cuts(verdict.meal)] == row.get("cuts", [])
    if "per_day" in row:
        assert verdict.meal.per_day_fen == fen(row["per_day"])


ALLOWED = [one for one in rows("meal_allowance.toml") if "hold" not in one.values[0]]


@pytest.mark.parametrize("row", ALLOWED)
def test_the_days_at_each_rate_add_up_to_the_allowance(row: dict[str, Any]) -> None:
    bill, policy = bill_of(row), policy_of(row)
    verdict = settle(bill, policy)
    assert isinstance(verdict, BillVerdict), verdict
    told = meal_rates(bill, policy, verdict.meal_days)
    exact = sum((number * rate for number, rate in told), Fraction())
    assert sum(number for number, _ in told) == row["days"]
    assert rounded(exact.numerator, exact.denominator) == fen(row["amount"])


def meal_of(**bill: Any) -> MealVerdict:
    verdict = settle(a_bill(**bill), policy_with())
    assert isinstance(verdict, BillVerdict), verdict
    return verdict.meal


def cuts(meal: MealVerdict) -> list[tuple[str, str, str]]:
    return [
        (one.key.removeprefix("meal/cut/"), one.value, one.since)
        for one in meal.citations
        if one.key.startswith("meal/cut/")
    ]


def test_each_ground_is_printed_once_with_its_days_and_its_first_day() -> None:
    stop = BenefitStop(date(2026, 3, 12), None, "拒绝治疗", "N1")
    meal = meal_of(stay=LEAVE, case=a_case(stops=(stop,)))
    assert cuts(meal) == [("leave", "2", "2026-03-05"), ("stopped", "3", "2026-03-12")]
    assert meal.days == 9


def test_a_ground_on_which_the_text_is_silent_is_printed_as_our_reading() -> None:
    meal = meal_of(stay=a_stay(hanging_days=frozenset({date(2026, 3, 8)})))
    (found,) = [one for one in meal.citations if one.key == "meal/cut/hanging_bed"]
    assert (found.our_reading, found.law) == (True, "《工伤保险条例》第三十条第四款")


@pytest.mark.parametrize(
    ("case", "cut", "sources"),
    [
        (
            a_case(applied_on=date(2026, 4, 20), accepted_on=date(2026, 4, 24)),
            "late",
            ["law/late_application", "employer/application_days", "late/window_end_event"],
        ),
        (
            a_case(
                injured_on=date(2026, 2, 1), arrears=(Arrears(date(2026, 1, 1), date(2026, 3, 6)),)
            ),
            "in_arrears",
            ["arrears/policy"],
        ),
        (
            a_case(insured_at_injury=False, joined=(Joined(date(2026, 3, 3), date(2026, 3, 5)),)),
            "before_cover",
            [],
        ),
    ],
    ids=["late", "in arrears", "before cover"],
)
def test_the_days_of_a_window_cite_once_what_put_them_in_it(
    case: CaseFacts, cut: str, sources: list[str]
) -> None:
    cited = [one.key for one in meal_of(case=case).citations]
    at = cited.index(f"meal/cut/{cut}") + 1
    assert cited[at : at + len(sources) + 1] == [*sources, "meal/per_day_fen"]


def test_that_a_leave_nobody_told_of_is_over_is_our_reading() -> None:
    policy = policy_with({"meal/after_paid_leave_per_day_fen": 5000})
    verdict = settle(a_bill(case=a_case(injured_on=date(2025, 2, 1))), policy)
    assert isinstance(verdict, BillVerdict)
    (over,) = [one for one in verdict.meal.citations if one.key == "paid_leave/months"]
    assert over.our_reading


def test_of_several_leaves_that_are_over_the_latest_is_cited() -> None:
    spans = (date(2026, 1, 1), date(2026, 1, 31)), (date(2026, 2, 5), date(2026, 2, 20))
    case = a_case(injured_on=date(2026, 1, 1), paid_leave=tuple(PaidLeave(*one) for one in spans))
    verdict = settle(a_bill(case=case), policy_with({"meal/after_paid_leave_per_day_fen": 5000}))
    assert isinstance(verdict, BillVerdict)
    (over,) = [one for one in verdict.meal.citations if one.key == "case/paid_leave"]
    assert (over.value, over.since) == ("2026-02-20", "2026-02-20")


def test_a_stay_for_another_disease_says_so_however_little_was_charged() -> None:
    least = a_line()._replace(quantity=1, relation=Relation.UNRELATED)
    verdict = settle(a_bill(least), policy_with())
    assert isinstance(verdict, BillVerdict)
    assert cuts(verdict.meal) == [("not_injury", "14", "2026-03-01")]


def test_a_device_is_fitted_without_any_meals() -> None:
    assert NO_MEAL == MealVerdict(days=0, per_day_fen=0, amount_fen=0, channel="")


def test_the_transfer_day_is_paid_once_whichever_hospital_settles_first() -> None:
    policy = policy_with({"meal/day_rule": "INCLUSIVE_CALENDAR"})
    first = a_stay(discharged_on=date(2026, 3, 5))
    then = a_stay(admission_id="A2", admitted_on=date(2026, 3, 5), discharged_on=date(2026, 3, 9))
    for before, after in ((first, then), (then, first)):
        paid = settle(a_bill(stay=before, others=(after,)), policy)
        assert isinstance(paid, BillVerdict)
        settled = replace(before, meal_days=frozenset(paid.meal_days))
        rest = settle(a_bill(stay=after, others=(settled,)), policy)
        assert isinstance(rest, BillVerdict)
        assert paid.meal.days + rest.meal.days == 9
