"""What was resolved for one bill serves the next only where the law makes no difference."""

from dataclasses import replace
from datetime import date
from random import Random

import pytest

from gateway.domain.bill import BillVerdict
from gateway.domain.case import CaseState
from gateway.policy.model import Policy
from gateway.rules import resolve
from gateway.rules.settle import Bill, settle
from gateway.rules.spells import Spells
from tests.bench.bill import a_real_bill
from tests.rules.facts import EDITIONS, a_bill, a_case, a_line, a_stay, example_policy, policy_with
from tests.rules.tables import bill_of, rows

BILLS = [
    bill_of(param.values[0])
    for param in rows("bill.toml")
    if not {"policy", "silent"} & set(param.values[0])
]


def unused() -> Policy:
    """The example region's policy with nothing resolved under it yet."""
    return replace(example_policy())


def test_a_bill_is_decided_after_all_others_as_if_it_were_the_first():
    shared, order = unused(), [*BILLS, a_real_bill()] * 2
    Random(20261122).shuffle(order)  # noqa: S311 - an order, not a secret
    assert [settle(bill, shared) for bill in order] == [settle(bill, unused()) for bill in order]


def test_bills_of_equal_standing_share_their_decisions_and_others_do_not():
    policy = unused()

    def source(bill: Bill) -> object:
        verdict = settle(bill, policy)
        assert isinstance(verdict, BillVerdict)
        return verdict.lines[0].citations

    first = source(a_bill(a_line()))
    again = a_bill(a_line(line_id="X"), stay=a_stay(admission_id="A9", person_id="P9"))
    deemed = a_bill(a_line(), case=a_case(state=CaseState.DEEMED))
    assert source(again) is first
    assert source(deemed) == first
    assert source(deemed) is not first


def test_a_spell_ends_where_a_value_an_edition_or_a_fact_begins_or_ends():
    stay = a_stay(admitted_on=date(2026, 3, 2), discharged_on=date(2026, 3, 5))
    spells = Spells(policy_with(), EDITIONS, (stay,))
    days = [date(2026, 3, day) for day in range(1, 8)]
    numbers = [spells.number(day) - spells.number(days[0]) for day in days]
    assert numbers == [0, 1, 2, 2, 3, 4, 4]
    turn = (date(2025, 12, 30), date(2025, 12, 31), date(2026, 1, 1), date(2026, 1, 2))
    assert len({spells.number(day) for day in turn}) == 4


def test_what_is_kept_begins_anew_when_it_is_full(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(resolve, "MOST_SPELLS", 1)
    monkeypatch.setattr(resolve, "MOST_KINDS", 1)
    full, bill = unused(), a_real_bill()
    assert settle(bill, full) == settle(bill, unused())
    spells = [one for one in full.prepared.values() if isinstance(one, resolve.Spell)]
    assert [len(spell.kinds) for spell in spells] == [1]
