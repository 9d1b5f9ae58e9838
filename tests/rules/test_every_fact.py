"""Every flag and kind among the facts has rows: the facts are read from the types of the domain, so
that a new one without rows fails here.

A value has a row when a row tells it, and the row turns on it: told otherwise, the rules would
answer something else.
"""

from collections import defaultdict
from enum import StrEnum
from functools import cache
from typing import Any, Final

import pytest

from gateway.domain.case import ApprovalKind
from gateway.domain.party import PartyKind
from gateway.domain.split import Payer
from gateway.rules.settle import Bill
from tests.rules.asking import Row, answered, answered_with, every_row, the_bill
from tests.rules.reach import Place, fields_told, places
from tests.rules.tables import bill_of

ROWS: Final = [row for row in every_row() if row.of_case or row.ask == "audit"]
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
    "PaidLeave.extension": "是否延长在报送时核对（rules/paid_leave.py），标准只看末日",
}
"""Facts that decide no bill, each with its reason."""

ONLY_AT_DISCHARGE: Final = {
    "Stay.notified_by_employer": "只改变费用的承担方",
    "Stay.died": "死亡是出院时的事",
    "CaseFacts.underpaid": "只写在结算的依据里",
}
"""Flags that no registration tells, each with its reason."""


@cache
def turning() -> dict[str, dict[Fact, bool]]:
    """By question the facts that rows tell, and whether some row turns on it."""
    found: dict[str, dict[Fact, bool]] = defaultdict(dict)
    for row in ROWS:
        seen, given = found[row.ask], answered(row)
        for place in places(the_bill(row)):
            fact = place.name, place.value
            if place.name in VALUES and not seen.get(fact):
                seen[fact] = turns(row, place, given)
    return dict(found)


def turns(row: Row, place: Place, given: Any) -> bool:
    """Whether the row is answered otherwise than given when another value stands in the place."""
    others = [one for one in VALUES[place.name] if one is not place.value]
    return any(answered_with(row, place.with_value(one)) != given for one in others)


def _said(fact: Fact) -> str:
    return f"{fact[0]}={fact[1]}"


EVERY: Final = [(name, value) for name, values in VALUES.items() for value in values]


@pytest.mark.parametrize("fact", EVERY, ids=_said)
def test_every_value_of_a_flag_or_kind_has_a_row_that_turns_on_it(fact: Fact):
    told = [seen[fact] for seen in turning().values() if fact in seen]
    assert bool(told) is (fact not in NOT_TOLD)
    assert any(told) is (fact not in NOT_TOLD and fact[0] not in TURNS_NOTHING)


OF_BOTH: Final = [name for name in FLAGS if name.startswith(("Stay.", "CaseFacts."))]


@pytest.mark.parametrize("name", OF_BOTH)
def test_a_registration_and_a_bill_tell_every_value_of_the_flags_of_stay_and_case(name: str):
    told = turning()
    at_first = told["registration"].keys()
    later = told["discharge"].keys() | told["settle"].keys() | told["audit"].keys()
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
    given = answered(row)
    assert alone
    assert all(one.with_value(False).lines == bill.lines for one in alone)
    assert any(turns(row, one, given) for one in alone)
