"""A settlement's facts and verdict come back from the store as they went in."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.admission import Diagnosis, PaidAtDischargeBy
from gateway.domain.bill import (
    BillLine,
    BillVerdict,
    Citation,
    LineVerdict,
    MealVerdict,
    Payee,
    PayeeShare,
    Payout,
    Relation,
    SuppliedDevice,
)
from gateway.domain.case import Approval, ApprovalKind, Arrears, AuthorityKind, BenefitStop
from gateway.domain.payments import PriorPayer, PriorPayment
from gateway.domain.split import Payer, Split
from gateway.store.frozen import Facts, frozen, plain, restored, thawed_facts, thawed_verdict
from tests.rules.facts import a_case, a_hospital, a_stay

DAY = date(2026, 3, 2)
LAW = Citation("meal/per_day_fen", "3000", "2025-01-01", "虚构文件 第三条")
READING = replace(LAW, key="line/rounding", our_reading=True)
CASE = a_case(
    approvals=(
        Approval(
            approval_no="AP1",
            kind=ApprovalKind.REFERRAL,
            hospitals=frozenset({"H2", "H1"}),
            valid_from=DAY,
            valid_to=DAY,
            authority_kind=AuthorityKind.AGENCY,
            authority="虚构机关",
            area="999901",
            opinion_by="H3",
            line_ids=frozenset({"L2", "L1"}),
            device_codes=frozenset({"A0003", "A0002"}),
        ),
    ),
    stops=(BenefitStop(DAY, None, "虚构理由", "N1"),),
    arrears=(Arrears(DAY, None), Arrears(DAY, DAY)),
)
STAY = a_stay(diagnoses=(Diagnosis("S82.1", "虚构诊断", True), Diagnosis("S83", "其他", False)))
HOSPITAL = a_hospital()


def a_line(line_id: str = "L1", **changes: Any) -> BillLine:
    values: dict[str, Any] = {
        "line_id": line_id,
        "occurred_at": datetime(2026, 3, 2, 2, tzinfo=UTC),
        "service_day": DAY,
        "code": "I0001",
        "name": "换药",
        "quantity": 20_000,
        "price": 12_000_000,
        "amount_fen": 2400,
    }
    return BillLine(**(values | changes))


EVERYTHING_SAID = a_line(
    "L2",
    category="西药",
    unit="盒",
    spec="10mg",
    prescription_no="RX1",
    department="骨科",
    doctor="虚构医师",
    refund_of="L1",
    quantity=-20_000,
    amount_fen=-2400,
    relation=Relation.UNRELATED,
    consent=Payer.INDIVIDUAL,
    consent_on=DAY,
    violation="V9",
    reviewed=True,
)


def verdict_of(*lines: LineVerdict, citations: tuple[Citation, ...] = (LAW,)) -> BillVerdict:
    return BillVerdict(
        lines=lines,
        split=Split(2400, 0, 5, 0, 0),
        meal=MealVerdict(3, 3000, 9000, "HOSPITAL", citations),
        rules_version="1",
        policy_digest="p",
        edition_digests=("d1", "d2"),
    )


def again(facts: Facts, verdict: BillVerdict | None = None) -> dict[str, Any]:
    detail: dict[str, Any] = json.loads(frozen(facts, verdict))
    return detail


# --- facts ---


@pytest.mark.parametrize("case", [CASE, a_case(), None], ids=["full", "plain", "no case"])
def test_the_facts_come_back_as_they_were(case: Any) -> None:
    devices = (SuppliedDevice("A0002", DAY, "S0"),)
    facts = Facts(STAY, case, HOSPITAL, (a_line(), EVERYTHING_SAID), (STAY,), devices)
    assert thawed_facts(again(facts)) == facts


def test_an_instant_keeps_its_microsecond_and_its_zone() -> None:
    at = datetime(2026, 3, 2, 15, 59, 59, 999_999, tzinfo=UTC)
    [line] = thawed_facts(again(Facts(STAY, CASE, HOSPITAL, (a_line(occurred_at=at),)))).lines
    assert line.occurred_at == at
    assert line.occurred_at.tzinfo is not None


_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
_WHOLE = st.integers(-(10**15), 10**15)
_LINES = st.builds(
    a_line,
    line_id=_TEXT,
    name=_TEXT,
    quantity=_WHOLE,
    price=_WHOLE,
    amount_fen=_WHOLE,
    spec=_TEXT,
    relation=st.sampled_from(Relation),
    consent=st.none() | st.sampled_from(Payer),
    consent_on=st.none() | st.dates(),
    reviewed=st.booleans(),
)


@given(st.lists(_LINES, max_size=5))
def test_any_line_comes_back_to_the_fen_and_the_letter(lines: list[BillLine]) -> None:
    facts = Facts(STAY, CASE, HOSPITAL, tuple(lines))
    assert thawed_facts(again(facts)) == facts


# --- verdicts ---


def test_the_verdict_comes_back_as_it_was() -> None:
    one = LineVerdict("L1", 2400, Split(2400), ("PAID", "CAP"), (LAW, READING))
    other = LineVerdict("L2", 5, Split(individual_fen=5), (), ())
    verdict = verdict_of(one, other, citations=(READING,))
    assert thawed_verdict(again(Facts(STAY, CASE, HOSPITAL, ()), verdict)) == verdict


def test_whom_the_fund_pays_comes_back_as_it_was() -> None:
    shares = (PayeeShare(Payee.BASIC_INSURANCE, 12, 0), PayeeShare(Payee.INDIVIDUAL, 3, 4))
    verdict = replace(verdict_of(), payout=Payout(shares, 5, 6, 7, (LAW, READING)))
    assert thawed_verdict(again(Facts(STAY, CASE, HOSPITAL, ()), verdict)) == verdict


def test_who_paid_before_and_at_the_counter_comes_back_as_it_was() -> None:
    payment = PriorPayment(
        payment_no="V1",
        payer=PriorPayer.BASIC_INSURANCE,
        eligible_fen=1,
        paid_on=date(2025, 12, 30),
        settlement_no="BMI1",
        insurance_year=2025,
        given_back_on=date(2026, 1, 5),
    )
    stay = replace(STAY, payments=(payment,))
    facts = Facts(stay, CASE, HOSPITAL, (), paid_by=PaidAtDischargeBy.EMPLOYER)
    assert thawed_facts(again(facts)) == facts


def test_a_text_many_lines_rest_on_is_stored_once() -> None:
    lines = [LineVerdict(f"L{n}", 1, Split(1), ("PAID",), (LAW, READING)) for n in range(500)]
    facts, verdict = Facts(STAY, CASE, HOSPITAL, ()), verdict_of(*lines)
    text = frozen(facts, verdict)
    assert text.count(LAW.law) == 2
    assert thawed_verdict(json.loads(text)) == verdict


def test_a_bill_that_was_never_computed_has_no_verdict() -> None:
    with pytest.raises(ValueError, match="never computed"):
        thawed_verdict(again(Facts(STAY, CASE, HOSPITAL, ())))


def test_the_same_facts_are_the_same_text() -> None:
    approval = CASE.approvals[0]
    turned = replace(CASE, approvals=(replace(approval, line_ids=frozenset({"L1", "L2"})),))
    first, second = (frozen(Facts(STAY, case, HOSPITAL, ()), None) for case in (CASE, turned))
    assert first == second


def test_no_amount_becomes_a_float() -> None:
    line = LineVerdict("L1", 2400, Split(2400), (), (LAW,))

    def refused(text: str) -> None:
        raise AssertionError(f"{text} is no whole number")

    whole = frozen(Facts(STAY, CASE, HOSPITAL, (EVERYTHING_SAID,)), verdict_of(line))
    assert json.loads(whole, parse_float=refused)["verdict"]["split"] == [2400, 0, 5, 0, 0]


# --- values by their annotations ---


@pytest.mark.parametrize("value", [STAY, CASE, HOSPITAL, LAW, READING, CASE.approvals[0]])
def test_a_value_is_restored_by_its_own_annotations(value: Any) -> None:
    assert restored(type(value), json.loads(json.dumps(plain(value)))) == value
