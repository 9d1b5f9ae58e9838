"""What is kept of other bills saves time and changes nothing."""

from collections.abc import Iterator
from functools import lru_cache
from random import Random
from typing import Any

import pytest

from gateway.domain.bill import BillVerdict
from gateway.domain.catalogue import Edition
from gateway.rules import context
from gateway.rules.entitlement import Hold
from gateway.rules.plain import Footing, Standing, standing
from gateway.rules.settle import settle
from tests.oracle import whole
from tests.oracle.built import bill_of, policy_of, shelf_of
from tests.oracle.stays import BILLS_IN_A_WORLD, Bill, stays
from tests.rules import tables
from tests.rules.facts import example_policy

WORLDS, CHARGED_ALIKE, BILLS = 2, 8, 150
SEEDS, MORE_SEEDS = range(3), range(12)


def charged_alike(seed: int) -> Iterator[tuple[int, int, Bill]]:
    """Bills of a few charges under many stays, cases, hospitals, policies and catalogues, in
    random order, with the world of their policy and that of their catalogue."""
    random = Random(seed)  # noqa: S311 - an order, not a secret
    every = stays(seed, WORLDS * BILLS_IN_A_WORLD)
    # Of a bill that ends before its lines are looked at nothing is kept.
    made = [bill for bill in every if bill["lines"] and "lines" in whole.settled(bill)]
    charges = [bill["lines"] for bill in made][:CHARGED_ALIKE]
    for _ in range(BILLS):
        bill = random.choice(made) | {"lines": random.choice(charges)}
        yield random.randrange(WORLDS), random.randrange(WORLDS), bill


class Office:
    """Policies and catalogues as the gateway holds them: loaded once, for all bills."""

    def __init__(self, seed: int) -> None:
        firsts = list(stays(seed, WORLDS * BILLS_IN_A_WORLD))[::BILLS_IN_A_WORLD]
        self.worlds = firsts
        self.policies = [policy_of(bill["policy"]) for bill in firsts]
        self.editions = [shelf_of(one) for one in firsts]

    def settled(self, policy: int, catalogue: int, bill: Bill) -> Any:
        """With everything that is kept of the bills before."""
        return self._settled(policy, self.editions[catalogue], bill)

    def settled_alone(self, policy: int, catalogue: int, bill: Bill) -> Any:
        """As if it were the first bill of all."""
        standing.cache_clear()
        return self._settled(policy, shelf_of(self.worlds[catalogue]), bill)

    def _settled(self, policy: int, editions: tuple[Edition, ...], bill: Bill) -> Any:
        text = self.policies[policy]
        return settle(bill_of(bill, editions, text), text)


def differing(seed: int) -> list[int]:
    """The bills of a seed, by their place, that other bills have changed."""
    office, asked = Office(seed), list(charged_alike(seed))
    standing.cache_clear()
    kept = [office.settled(*one) for one in asked]
    alone = [office.settled_alone(*one) for one in asked]
    pairs = zip(kept, alone, strict=True)
    return [place for place, (one, other) in enumerate(pairs) if one != other]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_bill_is_decided_the_same_after_any_other_bills(seed: int):
    assert differing(seed) == []


def test_bills_do_stand_on_the_grounds_of_other_bills():
    office = Office(0)
    standing.cache_clear()
    for one in charged_alike(0):
        office.settled(*one)
    assert standing.cache_info().hits > BILLS // 3


def test_what_is_known_of_a_hospitals_drug_is_not_said_of_a_device_institutions():
    approved = {"approvals": [{"kind": "DEVICE", "device_codes": ["PART-HAND"]}]}
    row = {"stay": {"treatment": "DEVICE"}, "case": approved, "lines": [{"code": "TABLET"}]}
    settled = settle(tables.bill_of(row | _agreed("MEDICAL", "DEVICE")), example_policy())
    held = settle(tables.bill_of(row | _agreed("DEVICE")), example_policy())
    assert isinstance(settled, BillVerdict)
    assert isinstance(held, Hold)


def _agreed(*kinds: str) -> dict[str, Any]:
    return {"hospital": {"capabilities": list(kinds)}}


@pytest.mark.parametrize(
    "forgotten",
    [
        *((name,) for name in ("level", "editions", "stopped", "notice", "moved_by")),
        ("fund_pays",),
        *((name,) for name in ("after_emergency", "outpatient")),
        # A day before the injury and the stay is an outpatient's too, but for devices.
        ("before_injury", "outpatient"),
        # What moves a day is never told apart from what says so.
        *((name, "moved_by") for name in ("before_cover", "in_arrears", "late")),
        # A policy is never told apart from what it says.
        ("policy", "said"),
    ],
    ids=" ".join,
)
def test_a_part_of_the_footing_that_is_forgotten_is_found(
    forgotten: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
):
    grounds: dict[tuple[Any, ...], Standing] = {}

    @lru_cache
    def careless(footing: Footing) -> Standing:
        parts = footing._asdict() | footing.holding._asdict()
        known_by = tuple(
            part for name, part in parts.items() if name not in ("holding", *forgotten)
        )
        return grounds.setdefault(known_by, Standing(footing))

    def clear() -> None:
        grounds.clear()
        careless.cache_clear()

    monkeypatch.setattr(context, "standing", careless)
    monkeypatch.setattr("tests.rules.test_plain.standing", type("Kept", (), {"cache_clear": clear}))
    assert any(differing(seed) for seed in MORE_SEEDS)
