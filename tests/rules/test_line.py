"""Who bears one line; the table is read through the case file, as `gateway calculate` does."""

import json
from typing import Any

import pytest

from adapters.case_file.read import read_cases
from gateway.domain.split import NOTHING, Payer
from gateway.rules.calculate import calculate
from gateway.rules.line import Bearers, NoPayerStated, Terms, decide
from tests.rules.tables import rows, split_of


@pytest.mark.parametrize("row", rows("line.toml"))
def test_a_line_is_borne_as_the_table_says(row: dict[str, Any]):
    params = {"no_consent_payer": "hospital"} | row.get("params", {})
    line = {"name": "费用"} | row["line"]
    case = {"id": "1", "title": row["name"], "params": params, "lines": [line]}
    decided = calculate(read_cases(json.dumps([case]).encode())[0]).lines[0]
    assert (decided.split, decided.reasons) == (
        split_of(row),
        tuple(sorted(row.get("reasons", []))),
    )
    assert decided.split.total_fen == decided.amount_fen


@pytest.mark.parametrize(
    ("terms", "bearer"),
    [
        (Terms(price=None, quantity=0, amount_fen=100, in_catalogue=False), "no_consent"),
        (Terms(price=3_000_000, quantity=10_000, ceiling=1_000_000), "no_consent"),
        (Terms(price=3_000_000, quantity=10_000, ratio=5_000), "ratio"),
        (Terms(price=None, quantity=0, amount_fen=1, refused_discharge=True), "refused_discharge"),
        (Terms(price=3_000_000, quantity=20_000, quantity_limit=10_000), "over_quantity"),
    ],
)
def test_money_that_no_text_gives_a_payer_is_never_given_one(terms: Terms, bearer: str):
    nobody = Bearers(None, ratio=None, refused_discharge=None, over_quantity=None)
    with pytest.raises(NoPayerStated) as silent:
        decide(terms, nobody)
    assert silent.value.bearer == bearer
    assert str(silent.value) == f"no text says who bears this part: {bearer}"


def test_no_text_is_needed_where_the_fund_bears_the_whole_line():
    nobody = Bearers(None, ratio=None, refused_discharge=None, over_quantity=None)
    decided = decide(Terms(price=2_000_000, quantity=30_000), nobody)
    assert decided.split.borne_by(Payer.FUND) == decided.amount_fen == 600


def test_a_charged_amount_below_the_ceiling_is_paid_as_charged():
    decided = decide(
        Terms(price=10_001_000, quantity=30_000, amount_fen=2_999, ceiling=10_000_000),
        Bearers(no_consent=Payer.HOSPITAL),
    )
    assert decided.split.fund_fen == 2_999
    assert decided.reasons == ()


def test_a_charged_amount_above_price_times_quantity_is_not_over_a_ceiling_that_is_just_met():
    terms = Terms(price=30_000_000, quantity=10_000, amount_fen=3_001, ceiling=30_000_000)
    decided = decide(terms, Bearers(no_consent=Payer.HOSPITAL))
    assert (decided.split.fund_fen, decided.reasons) == (3_001, ())


def test_a_charged_amount_above_price_times_quantity_is_not_over_a_limit_that_is_just_met():
    decided = decide(
        Terms(price=333_300, quantity=10_000, amount_fen=34, quantity_limit=10_000),
        Bearers(no_consent=Payer.HOSPITAL),
    )
    assert (decided.split.fund_fen, decided.reasons) == (34, ())


def test_of_a_line_that_was_charged_at_nothing_nothing_is_paid():
    decided = decide(
        Terms(price=10_000_000, quantity=10_000, amount_fen=0, ceiling=5_000_000),
        Bearers(no_consent=Payer.HOSPITAL),
    )
    assert (decided.split, decided.reasons) == (NOTHING, ())


def test_a_line_without_price_and_amount_breaks_the_contract():
    with pytest.raises(ValueError, match="price or an amount"):
        decide(Terms(price=None, quantity=10_000), Bearers(no_consent=Payer.HOSPITAL))
