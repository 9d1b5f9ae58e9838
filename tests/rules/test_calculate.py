"""Calculation cases: the worked bills, the comparison with what a case expects, and a bill
told as a case."""

import json
import os
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from adapters.case_file.read import read_cases
from gateway.domain.calculation import (
    Case,
    CaseLine,
    CasePaid,
    CaseStay,
    Expected,
    ExpectedLine,
    ExpectedPaid,
    ExpectedStay,
    ExpectedTravel,
    Unequal,
)
from gateway.domain.split import Payer, Split
from gateway.domain.travel import CaseTrip, TravelCaps, Trip
from gateway.rules.calculate import calculate, cases_of, unequal
from gateway.rules.line import Bearers, Terms, decide
from gateway.rules.settle import NettedTerms
from tests.rules.tables import rows


@pytest.mark.parametrize("row", rows("examples.toml"))
def test_a_worked_bill_comes_out_exact_to_the_fen(row: dict[str, Any]):
    told = {key: value for key, value in row.items() if key != "name"}
    text = {"id": row["name"][:3], "title": row["name"], **told}
    (case,) = read_cases(json.dumps([text]).encode())
    assert unequal(case, calculate(case)) == ()


def test_every_published_example_comes_out_as_published():
    beside = Path(__file__).resolve().parents[3] / "shared"
    folder = Path(os.environ.get("GATEWAY_SHARED", beside)) / "examples"
    path = folder / "settlement_examples.json"
    if not path.exists():
        pytest.skip("the examples are not here: set GATEWAY_SHARED to the folder of the papers")
    cases = read_cases(path.read_bytes())
    assert len(cases) == 16
    assert [unequal(case, calculate(case)) for case in cases] == [()] * 16


DRESSING = CaseLine(name="换药", price=88_000_000, quantity=30_000)
BILL = Case(id="1", title="一行", no_consent_payer=Payer.HOSPITAL, lines=(DRESSING,))
LINE = ExpectedLine(1, Split(fund_fen=26_400))


@pytest.mark.parametrize(
    ("expect", "fields"),
    [
        (Expected(), []),
        (Expected(26_400, {Payer.FUND: 26_400}, (LINE,)), []),
        (Expected(total_fen=26_401), ["total"]),
        (Expected(payers={Payer.OTHER: 1}), ["other"]),
        (Expected(lines=()), ["line"]),
        (Expected(lines=(LINE, replace(LINE, no=2))), ["line"]),
        (Expected(lines=(replace(LINE, amount_fen=26_400, reasons=()),)), []),
        (Expected(lines=(replace(LINE, amount_fen=1),)), ["amount"]),
        (Expected(lines=(replace(LINE, reasons=("OVER_QTY",)),)), ["reasons"]),
        (Expected(lines=(ExpectedLine(1, Split(other_fen=26_400)),)), ["fund", "other"]),
        (Expected(stay=ExpectedStay()), ["stay"]),
    ],
)
def test_each_difference_from_what_is_expected_is_named(expect: Expected, fields: list[str]):
    case = replace(BILL, expect=expect)
    assert [one.field for one in unequal(case, calculate(case))] == fields


@pytest.mark.parametrize(
    ("expect", "told"),
    [
        (Expected(total_fen=1), (0, "total", "264.00", "0.01")),
        (Expected(payers={Payer.OTHER: 1}), (0, "other", "0.00", "0.01")),
        (Expected(lines=()), (1, "line", "a line", "none")),
        (Expected(lines=(LINE, replace(LINE, no=2))), (2, "line", "none", "a line")),
        (Expected(lines=(replace(LINE, amount_fen=1),)), (1, "amount", "264.00", "0.01")),
        (
            Expected(lines=(replace(LINE, reasons=("OVER_CEILING", "OVER_QTY")),)),
            (1, "reasons", "none", "OVER_CEILING, OVER_QTY"),
        ),
        (Expected(stay=ExpectedStay()), (0, "stay", "none", "a stay")),
        (Expected(paid=ExpectedPaid()), (0, "paid", "none", "a payment")),
        (Expected(travel=ExpectedTravel()), (0, "travel", "none", "a trip")),
    ],
)
def test_a_difference_is_told_with_its_line_and_both_sides(
    expect: Expected, told: tuple[int, str, str, str]
):
    case = replace(BILL, expect=expect)
    assert unequal(case, calculate(case)) == (Unequal("1", *told),)


@pytest.mark.parametrize(
    ("expect", "fields"),
    [
        (ExpectedStay(meal_days=14, meal_fen=21_000), []),
        (ExpectedStay(meal_days=14), []),
        (ExpectedStay(meal_fen=21_000), []),
        (ExpectedStay(meal_days=15), ["meal_days"]),
        (ExpectedStay(meal_days=15, meal_fen=22_500), ["meal_days", "meal"]),
    ],
)
def test_each_difference_of_the_meals_is_named(expect: ExpectedStay, fields: list[str]):
    stay = CaseStay(date(2026, 3, 1), date(2026, 3, 15), 1_500)
    case = replace(BILL, stay=stay, expect=Expected(stay=expect))
    found = unequal(case, calculate(case))
    assert [one.field for one in found] == fields
    assert {one.line for one in found} <= {0}


def test_reasons_are_compared_in_any_order():
    line = CaseLine(
        name="床位",
        price=60_000_000,
        quantity=200_000,
        quantity_limit=140_000,
        ceiling=40_000_000,
        late=True,
    )
    given = {"fund": "0.00", "employer": "560.00", "hospital": "640.00"}
    given |= {"reasons": ["OVER_QTY", "LATE_APPLICATION", "OVER_CEILING"]}
    text = {"id": "1", "title": "任意次序", "params": {"no_consent_payer": "hospital"}}
    text |= {"lines": [], "expect": {"lines": [given]}}
    expect = read_cases(json.dumps([text]).encode())[0].expect
    case = replace(BILL, lines=(line,), expect=expect)
    assert unequal(case, calculate(case)) == ()


HOSPITAL_BEARS = Bearers(no_consent=Payer.HOSPITAL)
WORKER_SIGNED = Terms(price=9_990_000, quantity=30_000, ceiling=5_000_000, consent=Payer.INDIVIDUAL)


@pytest.mark.parametrize(
    "terms",
    [
        Terms(price=10_000_000, quantity=20_000),
        Terms(price=10_000_000, quantity=20_000, unrelated=True),
        Terms(price=10_000_000, quantity=20_000, outside="BENEFIT_STOPPED"),
        Terms(price=10_000_000, quantity=20_000, violation="NO_ORDER"),
        Terms(price=10_000_000, quantity=20_000, in_catalogue=False, emergency_approved=True),
        Terms(price=10_000_000, quantity=20_000, refused_discharge=True),
        Terms(price=None, quantity=0, amount_fen=345, ratio=9_000),
        WORKER_SIGNED._replace(late=True, quantity_limit=20_000),
        # Charged amounts that are not round(price × quantity), as after rounded refunds.
        Terms(price=333_300, quantity=10_000, amount_fen=34),
        Terms(price=10_000_000, quantity=30_000, amount_fen=3_001, ceiling=10_000_000),
        WORKER_SIGNED._replace(amount_fen=2_998),
        WORKER_SIGNED._replace(amount_fen=1_499),
        WORKER_SIGNED._replace(quantity=0, amount_fen=1),
        Terms(price=10_000_000, quantity=70_000, amount_fen=7_001, quantity_limit=50_000),
        Terms(price=10_000, quantity=15_000, amount_fen=0, quantity_limit=10_000),
        WORKER_SIGNED._replace(amount_fen=2_998, quantity_limit=20_000),
    ],
)
def test_a_line_told_as_a_case_is_borne_as_it_was(terms: Terms):
    decided = decide(terms, HOSPITAL_BEARS)
    (case,) = cases_of("1", "账单", [NettedTerms("L1", "费用", terms, HOSPITAL_BEARS)])
    result = calculate(case)
    assert result.split == decided.split
    assert result.lines[0].amount_fen == decided.amount_fen


def test_a_bill_under_two_texts_becomes_two_cases():
    both = [
        NettedTerms("L1", "费用", Terms(price=1_000_000, quantity=10_000), HOSPITAL_BEARS),
        NettedTerms(
            "L2",
            "费用",
            Terms(price=1_000_000, quantity=10_000, in_catalogue=False),
            Bearers(no_consent=Payer.EMPLOYER),
        ),
    ]
    cases = cases_of("S1", "账单", both)
    assert [case.id for case in cases] == ["S1-1", "S1-2"]
    assert calculate(cases[1]).split == Split(employer_fen=100)


def test_of_a_bill_told_as_two_cases_the_first_alone_tells_the_stay():
    netted = [
        NettedTerms(no, "费用", Terms(price=1_000_000, quantity=10_000), Bearers(no_consent=payer))
        for no, payer in (("L1", Payer.HOSPITAL), ("L2", Payer.EMPLOYER))
    ]
    stay = CaseStay(date(2026, 3, 1), date(2026, 3, 15), 1_500)
    assert [case.stay for case in cases_of("S1", "账单", netted, stay)] == [stay, None]


def test_the_payer_of_the_rest_beside_the_ratio_is_told_in_the_case():
    bearers = Bearers(no_consent=Payer.HOSPITAL, ratio=Payer.EMPLOYER)
    terms = Terms(price=1_000_000, quantity=10_000, ratio=9_000)
    (case,) = cases_of("S1", "账单", [NettedTerms("L1", "费用", terms, bearers)])
    assert calculate(case).split == Split(fund_fen=90, employer_fen=10)


@pytest.mark.parametrize(
    ("payer", "told"),
    [
        (Payer.INDIVIDUAL, {"refused_discharge": True}),
        (Payer.EMPLOYER, {"in_catalogue": False, "consent": Payer.EMPLOYER}),
        (Payer.HOSPITAL, {"violation": "REFUSED_DISCHARGE"}),
    ],
)
def test_a_line_after_a_refused_discharge_is_told_by_who_bears_it(
    payer: Payer, told: dict[str, Any]
):
    bearers = Bearers(no_consent=Payer.HOSPITAL, refused_discharge=payer)
    terms = Terms(price=88_000_000, quantity=30_000, refused_discharge=True)
    (case,) = cases_of("1", "账单", [NettedTerms("L1", "换药", terms, bearers)])
    assert case.lines == (replace(DRESSING, **told),)
    assert calculate(case).split == decide(terms, bearers).split


def test_a_line_whose_amount_is_not_its_price_times_its_quantity_is_told_with_what_was_charged():
    terms = Terms(price=333_300, quantity=10_000, amount_fen=34)
    (case,) = cases_of("1", "账单", [NettedTerms("L1", "换药", terms, HOSPITAL_BEARS)])
    assert case.lines == (CaseLine(name="换药", price=333_300, quantity=10_000, amount_fen=34),)


def test_a_line_whose_amount_follows_from_its_price_is_told_without_it():
    terms = Terms(price=333_300, quantity=10_000, amount_fen=33)
    (case,) = cases_of("1", "账单", [NettedTerms("L1", "换药", terms, HOSPITAL_BEARS)])
    assert case.lines == (CaseLine(name="换药", price=333_300, quantity=10_000),)


def test_a_payer_that_no_text_names_is_not_needed_to_tell_the_bill():
    silent = Bearers(no_consent=None, ratio=None)
    terms = Terms(price=1_000_000, quantity=10_000)
    (case,) = cases_of("S1", "账单", [NettedTerms("L1", "费用", terms, silent)])
    assert case.id == "S1"
    assert calculate(case).split == Split(fund_fen=100)


def test_a_trip_without_its_caps_is_never_computed():
    with pytest.raises(ValueError, match="caps"):
        calculate(replace(BILL, travel=CaseTrip(Trip(True, True), region="999900")))


def test_of_a_block_only_what_is_expected_is_compared():
    trip = CaseTrip(Trip(True, True), TravelCaps(0, 0, 0))
    case = replace(BILL, paid=CasePaid({}), travel=trip)
    silent = Expected(paid=ExpectedPaid(), travel=ExpectedTravel())
    assert unequal(replace(case, expect=silent), calculate(case)) == ()
    wrong = Expected(paid=ExpectedPaid({}, 1, 1), travel=ExpectedTravel(1, 1))
    found = unequal(replace(case, expect=wrong), calculate(case))
    fields = ["hospital", "taken_off", "claim", "travel.fund", "travel.own"]
    assert [one.field for one in found] == fields
    assert {one.line for one in found} == {0}
