"""Whom the fund pays, and what a third party's payment takes off its share."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.admission import PaidAtDischargeBy
from gateway.domain.bill import BillVerdict, Payee
from gateway.domain.case import ThirdParty
from gateway.domain.money import fen, ratio
from gateway.domain.payments import PriorPayer, PriorPayment
from gateway.domain.split import total
from gateway.policy.load import load
from gateway.rules.entitlement import Hold, Manual
from gateway.rules.payout import claim, shared, taken_off, unclear
from gateway.rules.settle import settle
from tests.rules.facts import a_bill, a_case, a_line, a_stay, policy_with
from tests.rules.tables import bill_of, policy_of, rows, split_of, verdict_of

ROWS = rows("payout.toml")
PAID = [row for row in ROWS if "verdict" not in row.values[0]]
WAITING = [row for row in ROWS if "verdict" in row.values[0]]


def verdict(row: dict[str, Any]) -> Any:
    return settle(bill_of(row), policy_of(row))


@pytest.mark.parametrize("row", PAID)
def test_the_fund_pays_whom_the_table_says(row: dict[str, Any]):
    found = verdict(row)
    assert isinstance(found, BillVerdict), found
    assert found.split == split_of(row)
    for name in ("medical", "meals"):
        told = {Payee(payee): fen(amount) for payee, amount in row.get(name, {}).items()}
        word = "meal_fen" if name == "meals" else "medical_fen"
        got = {one.payee: getattr(one, word) for one in found.payout.shares}
        assert {payee: amount for payee, amount in got.items() if amount} == told
    assert found.payout.taken_off_fen == fen(row.get("taken_off", "0.00"))
    assert found.payout.recoverable_fen == fen(row.get("recoverable", "0.00"))


@pytest.mark.parametrize("row", WAITING)
def test_a_bill_waits_or_goes_by_hand_as_the_table_says(row: dict[str, Any]):
    found = verdict(row)
    if isinstance(found, Hold):
        assert [one.code for one in found.suspicions] == row.get("suspicions", [])
        found = replace(found, suspicions=())
    assert found == verdict_of(row["verdict"])


# --- what is cited ----------------------------------------------------------------------------

BMI = PriorPayment(
    payment_no="V1",
    payer=PriorPayer.BASIC_INSURANCE,
    eligible_fen=400_000,
    paid_on=date(2026, 3, 15),
    settlement_no="BMI1",
)
THIRD = replace(BMI, payment_no="V2", payer=PriorPayer.THIRD_PARTY, settlement_no="")
LINE = a_line(code="OPERATION", price="10000.00")


def paid_out(*payments: PriorPayment, third_party: ThirdParty = ThirdParty.NONE, **more: Any):
    bill = a_bill(
        LINE, stay=a_stay(payments=payments), case=a_case(third_party=third_party), **more
    )
    found = settle(bill, policy_with({"third_party/policy": "DIRECT"}))
    assert isinstance(found, BillVerdict), found
    return found.payout


def test_giving_back_cites_the_law_and_the_regions_keys():
    cited = {one.key: one for one in paid_out(BMI).citations}
    assert cited["law/given_back_first"].law == (
        "《中华人民共和国社会保险法》第三十条第一款第（一）项"
    )
    assert set(cited) == {
        "law/given_back_first",
        "bmi_refund/agency_to_hospital",
        "bmi_refund/hospital_refunds_first",
    }
    assert cited["bmi_refund/hospital_refunds_first"].since == "2026-01-01"


def test_taking_off_and_recourse_cite_their_texts():
    cited = [one.key for one in paid_out(THIRD, third_party=ThirdParty.CONFIRMED_PAID).citations]
    assert cited == ["third_party/already_paid", "third_party/fund_recovers"]
    unpaid = paid_out(third_party=ThirdParty.CONFIRMED_UNPAID).citations
    assert [one.law for one in unpaid][:1] == ["《中华人民共和国社会保险法》第四十二条"]


def test_paying_back_an_advance_says_that_it_is_our_reading():
    own = replace(THIRD, payer=PriorPayer.INDIVIDUAL)
    [cited] = paid_out(own).citations
    assert (cited.key, cited.our_reading) == ("law/paid_back", True)


def test_an_ordinary_stay_says_nothing_of_third_parties_and_cites_nothing_about_payees():
    found = paid_out()
    assert found.citations == ()
    taken = (found.third_party_paid_fen, found.taken_off_fen, found.recoverable_fen)
    assert taken == (0, 0, 0)


# --- Quzhou, Xiamen ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("region", "key", "word"),
    [
        ("330800", "third_party/policy", "DIRECT"),
        ("330800", "third_party/fund_recovers", "BENEFITS"),
        ("350200", "bmi_refund/hospital_refunds_first", True),
        ("350200", "bmi_refund/reversal_months", 3),
        ("350200", "bmi_refund/year_end_month", 6),
    ],
)
def test_the_regions_say_what_the_rule_reads(region: str, key: str, word: Any):
    assert load(region).value(key, date(2026, 3, 15)).amount == word


# --- E21 --------------------------------------------------------------------------------------


def test_a_liability_fixed_later_is_claimed_in_proportion_to_what_was_advanced():
    assert claim(fen("30000.00"), ratio("0.70")) == fen("21000.00")


# --- properties -------------------------------------------------------------------------------

_FEN = st.integers(0, 10**9)
_CLAIMS = st.lists(st.tuples(st.sampled_from(Payee), _FEN), max_size=6)


@given(_FEN, _CLAIMS, st.sampled_from(Payee))
def test_the_shares_add_up_and_nobody_but_the_rest_gets_more_than_it_claims(
    medical: int, claims: list[tuple[Payee, int]], rest: Payee
):
    shares = shared(medical, claims, rest)
    assert sum(shares.values()) == medical
    assert min(shares.values()) >= 0
    for payee in set(shares) - {rest}:
        assert shares[payee] <= sum(amount for one, amount in claims if one is payee)


@given(_FEN, _FEN, st.integers(0, 10**4))
def test_what_is_taken_off_and_what_is_claimed_never_exceed_the_fund(
    fund: int, paid: int, liability: int
):
    off = taken_off(fund, paid)
    assert 0 <= off <= min(fund, paid)
    assert 0 <= claim(fund - off, liability) <= fund - off


@given(_FEN, _FEN, _FEN, _FEN)
def test_employer_and_worker_are_told_apart_only_when_something_is_left_but_not_for_both(
    medical: int, insurance: int, employer: int, worker: int
):
    claims = [
        (Payee.BASIC_INSURANCE, insurance),
        (Payee.EMPLOYER, employer),
        (Payee.INDIVIDUAL, worker),
    ]
    left = medical - insurance
    both = bool(employer and worker)
    assert unclear(medical, claims) is (both and left > 0 and employer + worker > left)


_PAYMENTS = st.lists(
    st.builds(
        PriorPayment,
        payment_no=st.uuids().map(str),
        payer=st.sampled_from(PriorPayer),
        eligible_fen=st.integers(0, 2_000_000),
        meal_fen=st.integers(0, 40_000),
        other_fen=_FEN,
        paid_on=st.just(date(2026, 3, 15)),
        settlement_no=st.just("BMI1"),
    ),
    max_size=5,
)


@given(
    _PAYMENTS,
    st.sampled_from(PaidAtDischargeBy),
    st.sampled_from(ThirdParty),
    st.sampled_from(["HOSPITAL", "AGENCY"]),
)
def test_the_payers_of_a_stay_and_the_payees_of_the_fund_add_up_whoever_paid_before(
    payments: list[PriorPayment],
    paid_by: PaidAtDischargeBy,
    third_party: ThirdParty,
    channel: str,
):
    bill = a_bill(
        LINE,
        stay=a_stay(payments=tuple(payments)),
        case=a_case(third_party=third_party),
        paid_by=paid_by,
    )
    policy = policy_with({"third_party/policy": "DIRECT", "meal/channel": channel})
    found = settle(bill, policy)
    if not isinstance(found, BillVerdict):
        assert isinstance(found, Hold)
        return
    before = total([line.split for line in found.lines])
    assert found.split.total_fen == before.total_fen
    off = found.payout.taken_off_fen
    assert found.split == before._replace(
        fund_fen=before.fund_fen - off, other_fen=before.other_fen + off
    )
    assert sum(one.medical_fen for one in found.payout.shares) == found.split.fund_fen
    assert sum(one.meal_fen for one in found.payout.shares) == found.meal.amount_fen
    refund = sum(
        one.medical_fen for one in found.payout.shares if one.payee is Payee.BASIC_INSURANCE
    )
    assert refund <= found.split.fund_fen
    back = found.payout.negated()
    both = zip(found.payout.shares, back.shares, strict=True)
    assert all(
        (one.medical_fen + other.medical_fen, one.meal_fen + other.meal_fen) == (0, 0)
        for one, other in both
    )


def test_manual_is_a_verdict_of_its_own_beside_the_hold():
    late = replace(BMI, paid_on=date(2025, 12, 30), given_back_on=date(2026, 4, 1))
    bill = a_bill(LINE, stay=a_stay(payments=(late,)))
    assert settle(bill, policy_with()) == Manual("REVERSAL_TOO_LATE")
