"""Every flag and kind among the facts has rows: the facts are read from the types of the domain, so
that a new one without rows fails here.

A value has a row when a row tells it, and the row turns on it: told otherwise, the rules would
answer something else.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from enum import StrEnum
from functools import cache
from typing import Any, Final

import pytest

from gateway.domain.case import ApprovalKind
from gateway.domain.party import PartyKind
from gateway.domain.split import Payer
from gateway.rules.settle import Bill
from tests.rules.asking import Row, answered, answered_with, every_row, policy_for, the_bill
from tests.rules.reach import Place, fields_told, places
from tests.rules.tables import bill_of

_ASKED: Final = ("registration", "discharge", "settle", "audit")
ROWS: Final = sorted(
    (row for row in every_row() if row.ask in _ASKED), key=lambda row: _ASKED.index(row.ask)
)
"""The rows about a bill; those first that are answered soonest."""
VALUES: Final = {one.name: one.values for one in fields_told(Bill) if one.values}
FLAGS: Final = [name for name, values in VALUES.items() if True in values]
Fact = tuple[str, Any]

NOT_TOLD: Final[dict[Fact, str]] = {
    ("Party.kind", PartyKind.CARRIER): "住院的总是医院",
    ("Party.kind", PartyKind.AGENCY): "住院的总是医院",
    **{
        ("BillLine.consent", payer): "书面同意承担的只有用人单位和个人"
        for payer in (Payer.FUND, Payer.HOSPITAL, Payer.OTHER)
    },
}
"""Values that no bill has, each with its reason."""

TURNS_NOTHING: Final = {
    "Party.kind": "住院的总是医院",
    "CaseFacts.card_lost": "挂失只妨碍凭卡查询，不影响待遇",
    "PaidLeave.extension": "是否延长在报送时核对（rules/paid_leave.py），标准只看首日、末日",
}
"""Facts that decide no bill, each with its reason."""

ONLY_AT_DISCHARGE: Final = {
    "Stay.notified_by_employer": "只改变费用的承担方",
    "Stay.died": "死亡是出院时的事",
    "CaseFacts.underpaid": "只写在结算的依据里",
}
"""Flags that no registration tells, each with its reason."""


@cache
def told() -> dict[str, set[Fact]]:
    """The facts that the rows tell, by what they ask."""
    found: dict[str, set[Fact]] = defaultdict(set)
    for row in ROWS:
        found[row.ask] |= {(one.name, one.value) for one in _places(the_bill(row))}
    return dict(found)


@cache
def decisive() -> set[Fact]:
    """The facts on which some row turns."""
    found: set[Fact] = set()
    for row in ROWS:
        left = [one for one in _places(the_bill(row)) if (one.name, one.value) not in found]
        found |= {(one.name, one.value) for one in turned_by(row, left)}
    return found


def _places(bill: Bill) -> Iterator[Place]:
    return (one for one in places(bill) if one.name in VALUES)


def turned_by(row: Row, asked: Iterable[Place]) -> Iterator[Place]:
    """The places in which another value has the row answered otherwise."""
    policy, given = policy_for(row), answered(row)
    for place in asked:
        others = [one for one in VALUES[place.name] if one is not place.value]
        bills = map(place.with_value, others)
        if any(answered_with(row, bill, policy) != given for bill in bills):
            yield place


def _said(fact: Fact) -> str:
    return f"{fact[0]}={fact[1]}"


EVERY: Final = [(name, value) for name, values in VALUES.items() for value in values]


@pytest.mark.parametrize("fact", EVERY, ids=_said)
def test_every_value_of_a_flag_or_kind_has_a_row_that_turns_on_it(fact: Fact):
    assert any(fact in facts for facts in told().values()) is (fact not in NOT_TOLD)
    assert (fact in decisive()) is (fact not in NOT_TOLD and fact[0] not in TURNS_NOTHING)


OF_BOTH: Final = [name for name in FLAGS if name.startswith(("Stay.", "CaseFacts."))]


@pytest.mark.parametrize("name", OF_BOTH)
def test_a_registration_and_a_bill_tell_every_value_of_the_flags_of_stay_and_case(name: str):
    at_first = told()["registration"]
    later = set().union(*(facts for ask, facts in told().items() if ask != "registration"))
    every = {(name, value) for value in VALUES[name]}
    assert every <= later
    assert (every <= at_first) is (name not in ONLY_AT_DISCHARGE)


def test_what_is_left_out_is_there_to_be_told():
    assert set(NOT_TOLD) <= set(EVERY)
    assert {*TURNS_NOTHING, *ONLY_AT_DISCHARGE} <= set(VALUES)


def test_the_facts_are_found_in_the_types_of_the_domain_however_deep_they_lie():
    assert VALUES["Approval.kind"] == tuple(ApprovalKind)
    assert VALUES["Stay.notified_by_employer"] == (False, True, None)
    assert {"CatalogueRow.not_alone", "BillLine.take_home", "CaseFacts.underpaid"} <= set(FLAGS)
    dated = {one.name for one in fields_told(Bill) if one.dated}
    assert {"Stay.leave_days", "Stay.discharged_on", "Edition.valid_to"} <= dated
    assert not any(isinstance(value, StrEnum) for name in FLAGS for value in VALUES[name])


def test_a_value_is_exchanged_wherever_it_stands():
    row = Row("bill.toml", {"name": "1", "lines": [{"code": "TABLET"}, {"code": "PIECE-ALONE"}]})
    bill = bill_of(row.told)
    alone = [one for one in places(bill) if one.name == "CatalogueRow.not_alone" and one.value]
    assert alone
    assert all(one.with_value(False).lines == bill.lines for one in alone)
    assert any(turned_by(row, alone))
