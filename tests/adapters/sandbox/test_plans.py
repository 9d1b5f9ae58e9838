"""The made-up bills have exactly the lines asked for, inside the stay, and are always the same."""

from datetime import date, timedelta

import pytest

from adapters.sandbox import plans
from adapters.sandbox.bills import Plan, composed
from gateway.domain.bill import BillLine
from gateway.domain.catalogue import Level
from gateway.domain.money import times
from tests.adapters.sandbox.shelves import shelf

ADMITTED = date(2026, 3, 2)
PLANS = {
    "forearm": plans.forearm(20),
    "tibia": plans.tibia(300),
    "polytrauma": plans.polytrauma(3000, 30),
    "hand": plans.hand(40),
    "finger": plans.finger(24),
    "ankle": plans.ankle(24),
    "heel": plans.heel(24),
    "humerus": plans.humerus(24),
    "knee": plans.knee(60, 29),
    "shoulder": plans.shoulder(24),
    "training": plans.training(120, 30),
}


def bill(plan: Plan, level: Level = Level.TERTIARY) -> tuple[BillLine, ...]:
    return composed(plan, shelf(level), ADMITTED, "骨科")


@pytest.fixture(params=PLANS.values(), ids=PLANS)
def plan(request: pytest.FixtureRequest) -> Plan:
    found: Plan = request.param
    return found


@pytest.mark.parametrize("level", Level)
def test_a_bill_has_exactly_its_lines_at_every_level(plan: Plan, level: Level) -> None:
    lines = bill(plan, level)
    assert len(lines) == len({line.line_id for line in lines}) == plan.lines


def test_every_line_falls_inside_the_stay(plan: Plan) -> None:
    last = ADMITTED + timedelta(days=plan.nights)
    assert all(ADMITTED <= line.service_day <= last for line in bill(plan))


def test_every_amount_is_price_times_quantity(plan: Plan) -> None:
    assert all(line.amount_fen == times(line.price, line.quantity) for line in bill(plan))


def test_every_day_of_a_stay_is_charged(plan: Plan) -> None:
    days = {line.service_day for line in bill(plan)}
    assert {ADMITTED + timedelta(days=n) for n in range(plan.nights)} <= days


def test_the_same_plan_gives_the_same_bill(plan: Plan) -> None:
    assert bill(plan) == bill(plan)


def test_a_refund_gives_back_part_of_its_original() -> None:
    lines = {line.line_id: line for line in bill(PLANS["polytrauma"])}
    refunds = [line for line in lines.values() if line.refund_of]
    assert refunds
    for refund in refunds:
        original = lines[refund.refund_of]
        assert -original.quantity <= refund.quantity < 0
        assert (original.code, original.price) == (refund.code, refund.price)


def test_the_large_bill_names_the_lines_that_the_story_speaks_of() -> None:
    lines = {line.line_id: line for line in bill(PLANS["polytrauma"])}
    assert lines[plans.RESCUE_LINE].code == "X-RESCUE"
    doubled = lines[plans.DOUBLE_LINE]
    twins = [
        line for line in lines.values() if (line.code, line.service_day) == (doubled.code, ADMITTED)
    ]
    assert len(twins) == 2
