"""更正后重审的规则: what a correction changes, line by line and payer by payer."""

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.bill import BillLine, BillVerdict, Citation, Payee, PayeeShare, Payout
from gateway.domain.case import CaseState, ThirdParty
from gateway.domain.catalogue import Edition, Kind
from gateway.domain.money import fen, price
from gateway.domain.payments import PriorPayer, PriorPayment
from gateway.domain.split import NOTHING, Payer, total
from gateway.flows.posted_cuts import with_violations
from gateway.rules.entitlement import Manual
from gateway.rules.payout import moved
from gateway.rules.readjudicate import (
    Change,
    change_of,
    difference_verdict,
    needs_ground,
    paid_since,
    readjudicated,
    takes_from_hospital,
    who_acts,
)
from gateway.rules.settle import Bill, settle
from gateway.rules.what_if import outcome_text
from tests.rules.facts import (
    ADMITTED,
    EDITIONS,
    FACILITIES,
    a_bill,
    a_case,
    a_row,
    a_stay,
    example_policy,
    noon,
    policy_with,
)
from tests.rules.tables import bill_of, policy_of, rows, split_of
from tests.rules.test_properties import bills

ROWS = rows("readjudication.toml")
DAY = timedelta(days=1)
CHANGED = {"changes", "meal", "recoverable", "employer"}
EMERGENCY = {"emergency": True, "registered_at": noon(date(2026, 3, 5))}
"""Registered late; that the employer reported it in time makes it payable."""


def as_settled(row: dict[str, Any]) -> tuple[Bill, BillVerdict]:
    bill = bill_of({"lines": row["lines"], **row.get("as_settled", {})})
    verdict = settle(bill, policy_of({"policy": row.get("then", {})}))
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
    return before, readjudicated(corrected(row), policy_of(row), before)


def to_hospital(verdict: BillVerdict) -> int:
    meal = verdict.meal
    return verdict.split.fund_fen + (meal.amount_fen if meal.channel == "HOSPITAL" else 0)


@pytest.mark.parametrize("row", ROWS)
def test_a_correction_changes_what_the_row_says_and_nothing_else(row: dict[str, Any]) -> None:
    before, after = decided_again(row)
    if "untold" in row:
        assert outcome_text(after) == row["untold"]
        assert who_acts(after) == row["acts"]
        return
    change = change_of(before, after)
    if row.keys().isdisjoint(CHANGED):
        assert change is None
        return
    assert isinstance(change, Change)
    told = {one.after.line_id: one.difference for one in change.lines}
    assert told == {key: split_of(value) for key, value in row.get("changes", {}).items()}
    assert change.meal_fen == fen(row.get("meal", "0.00"))
    lines = total(list(told.values()))
    assert change.split == (split_of(row["sum"]) if "sum" in row else lines)
    assert change.apart == change.split.minus(lines)
    assert change.split.total_fen == 0
    if "recoverable" in row:
        assert difference_verdict(change).payout.recoverable_fen == fen(row["recoverable"])
    if "taken_off" in row:
        assert change.after.payout.taken_off_fen == fen(row["taken_off"])
        assert change.after.payout.recoverable_fen == 0
    assert change.after.liable_employer == row.get("employer", before.liable_employer)


def test_a_third_partys_payment_told_after_a_late_report_goes_to_a_person() -> None:
    """The shares of what was the employer's by then no longer tell what of them is eligible."""
    late = {"stay": EMERGENCY, "hospital": {"agreement_from": None}}
    reported = {"reported_at": noon(date(2026, 3, 5))}
    row = {
        "lines": [{"line_id": "L1", "price": "100.00", "day": date(2026, 3, 2)}],
        "as_settled": late | {"case": reported},
        "then": {"emergency/late_report": "PAYABLE"},
        "corrected": late | {"case": reported},
    }
    _, owed = decided_again(row)
    assert owed.split == split_of({"employer": "100.00"})
    payment = {"payer": "third_party", "eligible": "50.00"}
    told = {"case": reported | {"third_party": "CONFIRMED_PAID"}, "payments": [payment]}
    policy = policy_with({"third_party/policy": "DIRECT"})
    again = readjudicated(corrected(row | {"corrected": late | told}), policy, owed)
    assert again == Manual("THIRD_PARTY")


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
    again = readjudicated(corrected(row), policy_of(row), after)
    assert again == after
    assert change_of(after, again) is None


AND_A_THIRD_PARTY = {"third_party/policy": "DIRECT", "audit/hold": ()}


def partly_paid(lines: list[BillLine], paid_fen: int) -> Bill:
    """A bill of which a third party paid so much for eligible medical fees."""
    payment = PriorPayment(
        payment_no="T1", payer=PriorPayer.THIRD_PARTY, paid_on=ADMITTED, eligible_fen=paid_fen
    )
    stay, case = a_stay(payments=(payment,)), a_case(third_party=ThirdParty.CONFIRMED_PAID)
    return a_bill(*lines, stay=stay, case=case)


@given(bills(), st.integers(0, 100_000), st.sets(st.integers(0, 20), min_size=1))
def test_a_bill_settled_and_then_cut_is_one_that_was_cut_and_then_settled(
    lines: list[BillLine], paid_fen: int, cut: set[int]
) -> None:
    """For each payer, each payee and the meals, whatever a third party paid."""
    policy, bill = policy_with(AND_A_THIRD_PARTY), partly_paid(lines, paid_fen)
    found = {
        line.line_id: ("NO_ORDER", "HANGING_BED")[no % 2]
        for no, line in enumerate(lines)
        if no in cut and not line.refund_of
    }
    before = settle(bill, policy)
    after = settle(replace(bill, lines=with_violations(bill.lines, found)), policy)
    assert isinstance(before, BillVerdict)
    assert isinstance(after, BillVerdict)
    delta = difference_verdict(change_of(before, after) or Change(before, after, ()))
    assert before.split.plus(delta.split) == after.split
    assert before.meal.amount_fen + delta.meal.amount_fen == after.meal.amount_fen
    assert payees(before.payout, delta.payout) == payees(after.payout)
    off_fen = delta.payout.taken_off_fen
    assert moved(total([line.split for line in delta.lines]), off_fen) == delta.split


@given(bills(), st.integers(0, 100_000))
def test_an_employer_that_was_not_insured_owes_what_the_fund_had_borne_and_no_more(
    lines: list[BillLine], paid_fen: int
) -> None:
    """Whatever a third party paid, and however often it is found out."""
    policy, bill = policy_with(AND_A_THIRD_PARTY), partly_paid(lines, paid_fen)
    before = settle(bill, policy)
    assert isinstance(before, BillVerdict)
    assert bill.case is not None
    uninsured = replace(bill, case=replace(bill.case, insured_at_injury=False))
    after = readjudicated(uninsured, policy, before)
    assert isinstance(after, BillVerdict)
    fund_fen = before.split.fund_fen
    assert after.split == before.split.given(Payer.FUND, -fund_fen).given(Payer.EMPLOYER, fund_fen)
    assert after.payout.taken_off_fen == before.payout.taken_off_fen
    assert readjudicated(uninsured, policy, after) == after


def payees(*payouts: Payout) -> dict[tuple[Payee, str], int]:
    """What each payee gets by all of them, fees and meals apart; nothing left out."""
    got: Counter[tuple[Payee, str]] = Counter()
    for share in (one for payout in payouts for one in payout.shares):
        got[share.payee, "medical"] += share.medical_fen
        got[share.payee, "meal"] += share.meal_fen
    return {key: fen for key, fen in got.items() if fen}


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
        (
            {"reported_at": noon(date(2026, 3, 5))},
            {},
            "EMERGENCY_REPORTED_LATE",
            "emergency/late_report",
        ),
    ],
    ids=[
        "受伤时未参保",
        "欠费，当地规定不予支付",
        "入院当日已欠费，只保已开始的住院",
        "非协议机构急诊逾期未报告",
    ],
)
def test_what_moves_to_the_employer_cites_the_fact_that_moved_it(
    corrected: dict[str, Any], policy: dict[str, str], reason: str, cited: str
) -> None:
    row = {
        "lines": [{"line_id": "L1", "day": date(2026, 3, 2)}],
        "as_settled": {"stay": EMERGENCY, "hospital": {"agreement_from": None}},
        "corrected": {
            "stay": EMERGENCY,
            "hospital": {"agreement_from": None},
            "case": corrected,
        },
        "policy": policy,
    }
    _, after = decided_again(row)
    (line,) = after.lines
    assert line.reasons == (reason,)
    assert line.citations[-1].key == cited
    assert after.meal.citations[-1].key == cited
    assert line.split.employer_fen == 1000


def test_a_bill_that_loses_its_case_is_not_withdrawn() -> None:
    row = {"lines": [{"line_id": "L1"}]}
    bill, before = as_settled(row)
    told = readjudicated(replace(bill, case=None), example_policy(), before)
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


@pytest.mark.parametrize(
    ("case", "reason", "cited"),
    [
        (
            {"state": "REVOKED", "decided_on": date(2026, 5, 6)},
            "NOT_INJURY",
            Citation("case/decision", "REVOKED R1", "2026-05-06", "示例市人社局", our_reading=True),
        ),
        (
            {"state": "REVOKED", "decided_on": None, "decision_no": ""},
            "NOT_INJURY",
            Citation("case/decision", "REVOKED", "", "示例市人社局", our_reading=True),
        ),
        (
            {"insured_at_injury": False},
            "BEFORE_COVER",
            Citation(
                "law/uninsured",
                "employer",
                "2011-01-01",
                "《工伤保险条例》第六十二条第二款、《中华人民共和国社会保险法》第四十一条第一款",
            ),
        ),
    ],
)
def test_what_the_fund_bore_without_recognition_or_cover_is_withdrawn_with_its_ground(
    case: dict[str, Any], reason: str, cited: Citation
) -> None:
    row = {"lines": [{"line_id": "L1"}], "corrected": {"case": case}}
    before, after = decided_again(row)
    assert before.meal.days == 14
    [line] = after.lines
    assert (line.reasons, line.citations[-1]) == ((reason,), cited)
    assert (after.meal.days, after.meal.amount_fen, after.meal.citations) == (0, 0, (cited,))


def test_a_withdrawn_bill_pays_nobody_and_takes_nothing_off() -> None:
    row = {"lines": [{"line_id": "L1"}], "corrected": {"case": {"state": "REVOKED"}}}
    _, before = as_settled(row)
    before = replace(before, payout=PAID_BY_THIRD)
    after = readjudicated(corrected(row), example_policy(), before)
    assert isinstance(after, BillVerdict)
    assert after.payout == Payout((), 500)


SETTLED_ON = date(2026, 3, 20)


@pytest.mark.parametrize(
    ("payer", "paid_on", "state", "by_hand"),
    [
        pytest.param("third_party", SETTLED_ON, "RECOGNISED", False, id="paid that day"),
        pytest.param("third_party", SETTLED_ON + DAY, "RECOGNISED", True, id="paid the day after"),
        pytest.param("employer", SETTLED_ON + DAY, "RECOGNISED", False, id="the employer's own"),
        pytest.param("third_party", SETTLED_ON + DAY, "REVOKED", False, id="no injury at work"),
    ],
)
def test_what_a_third_party_pays_after_the_settlement_is_recovered_by_hand(
    payer: str, paid_on: date, state: str, by_hand: bool
) -> None:
    payment = PriorPayment(
        payment_no="T1", payer=PriorPayer(payer), paid_on=paid_on, eligible_fen=100
    )
    bill = a_bill(stay=a_stay(payments=(payment,)), case=a_case(state=CaseState(state)))
    assert paid_since(bill, SETTLED_ON) == (Manual("THIRD_PARTY") if by_hand else None)
    assert paid_since(replace(bill, case=None), SETTLED_ON) is None


PAID_BY_THIRD = Payout(
    (PayeeShare(Payee.HOSPITAL, 700, 30), PayeeShare(Payee.EMPLOYER, 200, 0)), 500, 400, 300
)
LATER = Payout(
    (
        PayeeShare(Payee.HOSPITAL, 650, 30),
        PayeeShare(Payee.EMPLOYER, 200, 0),
        PayeeShare(Payee.INDIVIDUAL, 0, 40),
    ),
    100,
    150,
    225,
)


def test_the_difference_of_a_payout_is_what_each_payee_gets_more_and_names_no_other() -> None:
    _, verdict = as_settled({"lines": [{"line_id": "L1"}]})
    before, after = (replace(verdict, payout=one) for one in (PAID_BY_THIRD, LATER))
    there, back = (
        difference_verdict(Change(*pair, ())).payout for pair in ((before, after), (after, before))
    )
    assert there == Payout(
        (PayeeShare(Payee.HOSPITAL, -50, 0), PayeeShare(Payee.INDIVIDUAL, 0, 40)), -400, -250, -75
    )
    assert back == Payout(
        (PayeeShare(Payee.HOSPITAL, 50, 0), PayeeShare(Payee.INDIVIDUAL, 0, -40)), 400, 250, 75
    )


def test_a_single_fen_more_for_the_hospital_to_bear_is_a_cut() -> None:
    _, before = as_settled({"lines": [{"line_id": "L1"}]})
    after = replace(before, split=before.split.given(Payer.HOSPITAL, 1))
    assert takes_from_hospital(Change(before, after, ()), 0, 0)
    assert not takes_from_hospital(Change(before, before, ()), 0, 0)
