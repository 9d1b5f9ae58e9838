"""Results and cases as JSON text."""

import json
from datetime import date
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from adapters.case_file.read import read_cases
from adapters.case_file.write import cases_text, results_text
from gateway.domain.calculation import (
    Calculated,
    CalculatedLine,
    CalculatedStay,
    Case,
    CaseLine,
    CaseStay,
    Expected,
    ExpectedLine,
    ExpectedStay,
)
from gateway.domain.money import ONE
from gateway.domain.split import Payer, Split

RESULT = Calculated(
    "E1",
    Split(fund_fen=56_000, individual_fen=28_000),
    (CalculatedLine(1, 84_000, Split(56_000, 0, 28_000), ("OVER_CEILING",)),),
)


def test_a_result_is_written_with_amounts_of_two_places_in_the_order_of_the_paper():
    (told,) = json.loads(results_text([RESULT]))
    assert list(told.items()) == [
        ("id", "E1"),
        ("total", "840.00"),
        ("fund", "560.00"),
        ("employer", "0.00"),
        ("individual", "280.00"),
        ("hospital", "0.00"),
        ("other", "0.00"),
        (
            "lines",
            [
                {
                    "no": 1,
                    "amount": "840.00",
                    "fund": "560.00",
                    "employer": "0.00",
                    "individual": "280.00",
                    "hospital": "0.00",
                    "other": "0.00",
                    "reasons": ["OVER_CEILING"],
                }
            ],
        ),
    ]


def test_meal_days_are_an_integer_and_the_meal_is_an_amount():
    stayed = Calculated("E1", Split(), (), CalculatedStay(14, 21_000))
    (told,) = json.loads(results_text([stayed]))
    assert told["stay"] == {"meal_days": 14, "meal": "210.00"}


def test_chinese_is_written_as_chinese():
    case = Case(id="案1", title="换药", no_consent_payer=Payer.HOSPITAL)
    assert '"title": "换药"' in cases_text([case])
    assert results_text([]) == "[]\n"


def test_what_has_its_default_is_left_out():
    line = CaseLine(name="换药", price=88_000_000, quantity=30_000)
    case = Case(id="1", title="一行", no_consent_payer=Payer.HOSPITAL, lines=(line,))
    (told,) = json.loads(cases_text([case]))
    assert told["params"] == {"no_consent_payer": "hospital"}
    assert told["lines"] == [{"name": "换药", "price": "88.00", "qty": "3"}]
    assert told.keys() == {"id", "title", "params", "lines"}


NAMES = st.text("甲乙ABC 0（）", min_size=1, max_size=8).filter(str.strip)
AMOUNTS = st.integers(-(10**9), 10**9)
CODES = st.sampled_from(["OVER_QTY", "LATE_APPLICATION", "NO_ORDER"])
WORKERS = st.sampled_from([Payer.EMPLOYER, Payer.INDIVIDUAL])
DECIDED: dict[str, Any] = {
    "name": NAMES,
    "in_catalogue": st.booleans(),
    "ratio": st.integers(0, ONE),
    "consent": st.none() | WORKERS,
    "unrelated": st.booleans(),
    "violation": st.just("") | CODES,
    "late": st.booleans(),
    "emergency_approved": st.booleans(),
    "refused_discharge": st.booleans(),
}
LINES = st.builds(CaseLine, amount_fen=AMOUNTS, **DECIDED) | st.builds(
    CaseLine,
    price=st.integers(0, 10**12),
    quantity=st.integers(0, 10**9),
    amount_fen=st.none() | AMOUNTS,
    ceiling=st.none() | st.integers(0, 10**12),
    quantity_limit=st.none() | st.integers(0, 10**9),
    **DECIDED,
)
SPLITS = st.builds(Split, *[AMOUNTS] * 5)
REASONS = st.lists(CODES).map(lambda codes: tuple(sorted(codes)))
EXPECTED_LINES = st.lists(
    st.builds(ExpectedLine, st.integers(1, 9), SPLITS, st.none() | AMOUNTS, st.none() | REASONS),
    unique_by=lambda line: line.no,
).map(tuple)
EXPECTED = st.builds(
    Expected,
    st.none() | AMOUNTS,
    st.dictionaries(st.sampled_from(Payer), AMOUNTS),
    st.none() | EXPECTED_LINES,
    st.none() | st.builds(ExpectedStay, st.none() | st.integers(0, 999), st.none() | AMOUNTS),
)
DAYS = st.dates(date(2020, 1, 1), date(2030, 1, 1))
STAYS = st.tuples(DAYS, DAYS, st.integers(0, 10**6)).map(
    lambda told: CaseStay(min(told[:2]), max(told[:2]), told[2])
)
CASES = st.builds(
    Case,
    id=NAMES,
    title=NAMES,
    no_consent_payer=st.sampled_from([Payer.HOSPITAL, Payer.EMPLOYER, Payer.INDIVIDUAL]),
    ratio_payer=WORKERS,
    employer_not_notified=st.booleans(),
    lines=st.lists(LINES, max_size=3).map(tuple),
    stay=st.none() | STAYS,
    expect=st.none() | EXPECTED,
)


@given(st.lists(CASES, max_size=3).map(tuple))
def test_a_case_written_and_read_again_is_the_same_case(cases: tuple[Case, ...]):
    assert read_cases(cases_text(cases).encode()) == cases
