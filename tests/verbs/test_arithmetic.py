"""The steps of a line in words, and beside them every text that decided it."""

import asyncio
import io
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.case_file.read import read_cases
from adapters.case_file.write import cases_text
from gateway.domain.bill import BillLine, BillVerdict
from gateway.domain.case import Arrears, PaidLeave
from gateway.policy.model import Policy
from gateway.rules.settle import Bill, netted_terms, settle
from gateway.store import tables
from gateway.store.frozen import Facts
from gateway.verbs import explain
from gateway.verbs.arithmetic import Computed, computed_of
from gateway.verbs.stored import NotTold, StoredBill
from tests.rules.facts import ADMITTED, a_bill, a_case, a_line, policy_with
from tests.rules.test_properties import bills
from tests.store.test_store_health import a_row
from tests.verbs.equations import equations
from tests.verbs.ledger import SETTLEMENT, settled, settlement_row

LATE = a_case(applied_on=date(2026, 4, 20), accepted_on=date(2026, 4, 24))
OWED = a_case(injured_on=date(2026, 2, 1), arrears=(Arrears(date(2026, 1, 1), date(2026, 3, 6)),))


async def told(folder: Path, case: Any) -> str:
    """What is printed of the one line of a bill alone."""
    bill, out = await settled(folder, a_line(day=date(2026, 3, 5)), case=case), io.StringIO()
    code = await asyncio.to_thread(explain.run, bill.settings, SETTLEMENT, False, out, 1)
    assert code == 0
    return out.getvalue()


@pytest.mark.parametrize(
    ("case", "sources"),
    [
        (LATE, ("employer/application_days = 30", "late/window_end_event = ACCEPTED")),
        (OWED, ("arrears/policy = CONTINUE_IN_STAY",)),
    ],
    ids=["late", "in arrears"],
)
async def test_a_line_that_is_the_employers_names_the_step_and_the_values_that_moved_it(
    tmp_path: Path, case: Any, sources: tuple[str, ...]
):
    text = await told(tmp_path, case)
    assert "L 逾期申请、参保之前或欠缴期间，基金留存" in text
    assert "left to the fund, late, before cover or in arrears = 0.00" in text
    assert [one for one in sources if one not in text] == []


# --- whatever is printed is true ---

RATIOS = {"line/ratio_item": 9000, "line/ratio_drug": 3333}
AFTER_LEAVE = {"meal/after_paid_leave_per_day_fen": 750}
OF_INDEX = {
    "meal/form": "PCT_OF_INDEX",
    "meal/index": "MONTHLY_MINIMUM_WAGE",
    "meal/index_divisor": 300000,
    "meal/index_fen": 181000,
    "meal/index_percent": 7000,
}
POLICIES = [
    policy_with({**RATIOS, **meal})
    for meal in ({}, AFTER_LEAVE, OF_INDEX, {**AFTER_LEAVE, **OF_INDEX, "meal/rounding": "STAY"})
]


@st.composite
def charged(draw: st.DrawFn) -> list[BillLine]:
    """Lines and refunds whose amounts lie within a tolerance of two fen; what is given back stays
    within what was charged."""
    lines = draw(bills())
    refunded = {line.refund_of for line in lines}
    for at, line in enumerate(lines):
        if not line.refund_of:
            off = draw(st.integers(0 if line.line_id in refunded else -2, 2))
            lines[at] = line._replace(amount_fen=max(line.amount_fen + off, 0))
    return lines


def on_leave_until(last: date) -> Any:
    return a_case(paid_leave=(PaidLeave(ADMITTED, last),))


def arithmetic_told(bill: Bill, policy: Policy) -> str:
    """The explanation of the bill settled under the policy."""
    verdict = settle(bill, policy)
    assert isinstance(verdict, BillVerdict)
    return printed(bill, verdict, computed_of(bill, policy, verdict.meal_days))


def printed(bill: Bill, verdict: BillVerdict, arithmetic: Computed | NotTold) -> str:
    known = settlement_row(bill, verdict, reverses="", reinstates="", adjusts="", follows="")
    facts = Facts(bill.stay, bill.case, bill.hospital, bill.lines)
    stored = StoredBill(a_row(tables.settlement, **known), facts, verdict)
    return "\n".join(explain.explained(stored, arithmetic))


def untrue(text: str) -> list[str]:
    return [one.text for one in equations(text) if not one.holds]


@given(charged(), st.sampled_from(POLICIES), st.integers(0, 14))
def test_every_equation_that_is_printed_is_true(lines: list[BillLine], policy: Policy, days: int):
    case = on_leave_until(ADMITTED + timedelta(days=days))
    text = arithmetic_told(a_bill(*lines, case=case), policy)
    assert untrue(text) == []
    assert len(list(equations(text))) > len(lines)


@given(charged(), st.sampled_from(POLICIES))
def test_a_bill_with_amounts_within_the_tolerance_makes_cases_that_prove_it(
    lines: list[BillLine], policy: Policy
):
    bill = a_bill(*lines)
    verdict = settle(bill, policy)
    assert isinstance(verdict, BillVerdict)
    facts = Facts(bill.stay, bill.case, bill.hospital, bill.lines)
    cases = explain.as_cases("S1", verdict, facts, netted_terms(bill, policy))
    assert read_cases(cases_text(cases).encode()) == cases


def test_an_equation_that_is_false_is_found():
    text = "   A 金额 amount = 所列金额 as charged, round(0.3333 × 7) = 2.34"
    assert untrue(text) == [text]
    assert untrue(text.replace("2.34", "2.33")) == []
    assert untrue("   本行 this line = 基金 fund 1.00 − 个人 individual 2.00 = 基金 fund 1.00")


def line_told(*policy: tuple[str, Any], **line: Any) -> str:
    return arithmetic_told(a_bill(a_line(**line)), policy_with(dict(policy)))


def test_an_amount_within_the_tolerance_is_told_as_charged_beside_the_product():
    text = line_told(price="0.3333", qty="7", amount_fen=234)
    assert "A 金额 amount = 所列金额 as charged 2.34；round(0.3333 × 7) = 2.33\n" in text
    text = line_told(code="BED", price="30", amount_fen=3001)
    assert "E 限价内 within the ceiling = P（单价未超 price not above 40.00） = 30.01\n" in text


def test_the_charged_amount_bounds_what_is_within_a_limit():
    text = line_told(code="BED", price="40.01", amount_fen=3999)
    assert "= min(P, round(min(40.01, 40.00) × 1)) = 39.99\n" in text
    text = line_told(code="NURSING", price="0.01", qty="1.5", amount_fen=0)
    assert "= min(A, round(0.01 × min(1.5, 1))) = 0.00\n" in text


def meal_told(last: date, **meal: Any) -> str:
    keys = {f"meal/{key}": value for key, value in meal.items()}
    text = arithmetic_told(a_bill(a_line(), case=on_leave_until(last)), policy_with(keys))
    (told,) = [line for line in text.splitlines() if line.startswith("住院伙食补助费")]
    return told


def test_days_at_two_meal_rates_are_told_one_term_for_each():
    told = meal_told(date(2026, 3, 6), after_paid_leave_per_day_fen=750)
    assert told.endswith(" 150.00（6 天 days × 15.00 + 8 天 days × 7.50，HOSPITAL）")


def test_a_stay_that_is_rounded_once_is_told_by_its_exact_rates():
    keys = {key.removeprefix("meal/"): value for key, value in OF_INDEX.items()}
    told = meal_told(date(2026, 12, 31), **keys, rounding="STAY")
    assert told.endswith(" 591.27（round(14 天 days × 1267/30)，HOSPITAL）")


def test_meal_rates_that_can_no_longer_be_told_are_no_product():
    policy = policy_with(AFTER_LEAVE)
    bill = a_bill(a_line(), case=on_leave_until(date(2026, 3, 6)))
    verdict = settle(bill, policy)
    assert isinstance(verdict, BillVerdict)
    text = printed(bill, verdict, NotTold("无", "none"))
    assert "150.00（14 天 days，逐日标准 daily rates，HOSPITAL）" in text
