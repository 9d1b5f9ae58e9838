"""更正后重审的规则: what a correction changes, line by line and payer by payer."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from gateway.domain.bill import BillVerdict
from gateway.domain.catalogue import Edition, Kind
from gateway.domain.money import fen, price
from gateway.domain.split import NOTHING, total
from gateway.rules.readjudicate import (
    Change,
    change_of,
    difference_verdict,
    needs_ground,
    readjudged,
    takes_from_hospital,
)
from gateway.rules.settle import Bill, settle
from gateway.rules.what_if import outcome_text
from tests.rules.facts import EDITIONS, FACILITIES, a_row, example_policy
from tests.rules.tables import bill_of, policy_of, rows, split_of

ROWS = rows("readjudication.toml")


def as_settled(row: dict[str, Any]) -> tuple[Bill, BillVerdict]:
    bill = bill_of({"lines": row["lines"], **row.get("as_settled", {})})
    verdict = settle(bill, example_policy())
    assert isinstance(verdict, BillVerdict), verdict
    return bill, verdict


def corrected(row: dict[str, Any]) -> Bill:
    bill = bill_of({"lines": row["lines"], **row.get("corrected", {})})
    return replace(bill, editions=tuple(_edition(one, row) for one in EDITIONS))


def _edition(edition: Edition, row: dict[str, Any]) -> Edition:
    """The edition of facilities with the ceilings of the row."""
    if edition.kind is not Kind.FACILITY or "ceilings" not in row:
        return edition
    changed = {one.code: one for one in FACILITIES}
    for code, ceiling in row["ceilings"].items():
        changed[code] = a_row(code, Kind.FACILITY, ceilings=((None, price(ceiling)),))
    return replace(edition, digest="corrected", rows=changed)


def decided_again(row: dict[str, Any]) -> Any:
    _, before = as_settled(row)
    return before, readjudged(corrected(row), policy_of(row), before)


def to_hospital(verdict: BillVerdict) -> int:
    meal = verdict.meal
    return verdict.split.fund_fen + (meal.amount_fen if meal.channel == "HOSPITAL" else 0)


@pytest.mark.parametrize("row", ROWS)
def test_a_correction_changes_what_the_row_says_and_nothing_else(row: dict[str, Any]) -> None:
    before, after = decided_again(row)
    if "untold" in row:
        assert outcome_text(after) == row["untold"]
        return
    change = change_of(before, after)
    if "changes" not in row and "meal" not in row:
        assert change is None
        return
    assert isinstance(change, Change)
    told = {one.after.line_id: one.difference for one in change.lines}
    assert told == {key: split_of(value) for key, value in row.get("changes", {}).items()}
    assert change.meal_fen == fen(row.get("meal", "0.00"))
    assert change.split == total(list(told.values()))
    assert change.split.total_fen == 0


@pytest.mark.parametrize("row", [one for one in ROWS if "untold" not in one.values[0]])
def test_a_cut_and_one_that_needs_a_ground_are_known_as_such(row: dict[str, Any]) -> None:
    before, after = decided_again(row)
    change = change_of(before, after) or Change(before, after, ())
    cut = takes_from_hospital(change, to_hospital(before), to_hospital(after))
    expected = "AGENCY" if after.meal.channel == "AGENCY" else row.get("cut", False)
    assert cut == (expected == "AGENCY" or expected)
    assert needs_ground(corrected(row).case, cut=cut) is row.get("ground", False)


@pytest.mark.parametrize("row", [one for one in ROWS if "untold" not in one.values[0]])
def test_what_stood_and_the_difference_are_what_is_right(row: dict[str, Any]) -> None:
    before, after = decided_again(row)
    change = change_of(before, after)
    if change is None:
        return
    delta = difference_verdict(change)
    assert before.split.plus(delta.split) == after.split
    assert before.meal.amount_fen + delta.meal.amount_fen == after.meal.amount_fen
    assert {line.amount_fen for line in delta.lines} <= {0}
    assert all(sum(line.split) == 0 for line in delta.lines)


@pytest.mark.parametrize("row", [one for one in ROWS if "untold" not in one.values[0]])
def test_the_same_correction_again_changes_nothing(row: dict[str, Any]) -> None:
    _, after = decided_again(row)
    again = readjudged(corrected(row), policy_of(row), after)
    assert again == after
    assert change_of(after, again) is None


@pytest.mark.parametrize(
    ("corrected", "policy", "reason", "cited"),
    [
        ({"insured_at_injury": False}, {}, "BEFORE_COVER", "law/uninsured"),
        (
            {"arrears": [{"since": date(2026, 3, 1)}]},
            {"arrears/policy": "NEVER"},
            "EMPLOYER_IN_ARREARS",
            "arrears/policy",
        ),
        (
            {"arrears": [{"since": date(2026, 3, 1)}]},
            {},
            "EMPLOYER_IN_ARREARS",
            "arrears/policy",
        ),
    ],
    ids=["受伤时未参保", "欠费，当地规定不予支付", "入院当日已欠费，只保已开始的住院"],
)
def test_what_moves_to_the_employer_cites_the_fact_that_moved_it(
    corrected: dict[str, Any], policy: dict[str, str], reason: str, cited: str
) -> None:
    row = {"lines": [{"line_id": "L1"}], "corrected": {"case": corrected}, "policy": policy}
    _, after = decided_again(row)
    (line,) = after.lines
    assert line.reasons == (reason,)
    assert line.citations[-1].key == cited
    assert after.meal.citations[-1].key == cited
    assert line.split.employer_fen == 1000


def test_a_bill_that_loses_its_case_is_not_withdrawn() -> None:
    row = {"lines": [{"line_id": "L1"}]}
    bill, before = as_settled(row)
    told = readjudged(replace(bill, case=None), example_policy(), before)
    assert outcome_text(told) == "HELD CASE_UNDECIDED case"


def test_shares_that_others_bear_stay_theirs_when_recognition_goes() -> None:
    row = {
        "lines": [{"line_id": "L1", "code": "BED", "price": "60", "consent": "individual"}],
        "corrected": {"case": {"state": "REVOKED"}},
    }
    before, after = decided_again(row)
    assert before.split == NOTHING._replace(fund_fen=4000, individual_fen=2000)
    assert after.split == NOTHING._replace(individual_fen=2000, other_fen=4000)
    [line] = after.lines
    assert line.reasons == ("OVER_CEILING", "NOT_INJURY")
    assert line.citations[-1].key == "case/decision"
