"""10,000 raced pairs of an original and its reversal: both prepared before either commits.

The reversal is prepared first, so that it finds its target unseen and wants to fence the id;
then the original. Both wait at the store, and go on in random order.
"""

import asyncio
from collections import Counter
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from sqlalchemy import select

from gateway.domain.commands import RegisterDischarge, ReverseTransaction
from gateway.store import tables
from tests.flows.office import LINES, Heard, Office, at_barrier

PAIRS_OF_SETTLEMENTS, PAIRS_OF_DISCHARGES = 200, 800
UNDONE, FENCED = ("OK", "OK"), ("REVERSED_BEFORE_ARRIVAL", "TOMBSTONED")


async def raced(office: Office, name: str, command: Any, target: str, order: list[int]) -> Any:
    """Original and reversal meet at the store; the codes of both answers."""
    desk, barrier = at_barrier(office.desk, order)
    reverse = ReverseTransaction(target_message_id=target, target_command=name, reason="虚构")
    said = await office.request("H001", "transaction.reverse", reverse, f"R-{target}")
    reversal = asyncio.create_task(office.hear(said, desk))
    await barrier.until(1)
    said = await office.request("H001", name, command, target)
    original = asyncio.create_task(office.hear(said, desk))
    heard: list[Heard] = await asyncio.gather(original, reversal)
    assert barrier.arrived == 2
    return tuple(one.code for one in heard)


async def raced_many(office: Office, name: str, commands: Any, pairs: int, seed: int) -> None:
    """One winner each; both kinds of winner occur."""
    random, outcomes = Random(seed), Counter[Any]()  # noqa: S311
    for number in range(pairs):
        order = random.sample([0, 1], 2)
        outcomes[await raced(office, name, commands(number), f"T{seed}-{number}", order)] += 1
    assert outcomes.keys() == {UNDONE, FENCED}
    await assert_each_id_has_one_fate(office, outcomes, f"T{seed}-")


async def assert_each_id_has_one_fate(office: Office, outcomes: Counter[Any], prefix: str) -> None:
    kept, undo = tables.message, tables.undo
    like = kept.c.message_id.like(f"{prefix}%")
    rows = await office.rows(select(kept.c.message_id, kept.c.state).where(like))
    ours = undo.c.message_id.like(f"{prefix}%")
    undone = await office.rows(select(undo.c.message_id).where(ours))
    applied = {row["message_id"] for row in rows if row["state"] == "APPLIED"}
    fenced = {row["message_id"] for row in rows if row["state"] == "TOMBSTONE"}
    assert len(rows) == outcomes.total()
    assert applied == {row["message_id"] for row in undone}
    assert (len(applied), len(fenced)) == (outcomes[UNDONE], outcomes[FENCED])


async def a_stay(office: Office, *, discharged: bool) -> str:
    await office.recognised("C1", 1)
    stay: str = (await office.register("H001", "V1", 1)).result.admission_id
    await office.upload("H001", stay, *LINES)
    if discharged:
        await office.discharge("H001", stay)
    return stay


@pytest.mark.parametrize("seed", range(10))
async def test_of_a_raced_settlement_and_its_reversal_one_wins(office: Office, seed: int) -> None:
    stay = await a_stay(office, discharged=True)
    command = office.commit_of(stay, *LINES)

    def numbered(number: int) -> Any:
        return replace(command, bill_no=f"B{number}")

    await raced_many(office, "settlement.commit", numbered, PAIRS_OF_SETTLEMENTS, seed)
    live = await office.rows(select(tables.settlement).where(tables.settlement.c.live == 1))
    assert live == []
    await assert_nothing_is_owed(office)


@pytest.mark.parametrize("seed", range(100, 110))
async def test_of_a_raced_discharge_and_its_reversal_one_wins(office: Office, seed: int) -> None:
    stay = await a_stay(office, discharged=False)
    at = office.desk.clock.now()

    def numbered(number: int) -> Any:
        return RegisterDischarge(admission_id=stay, discharged_at=at, way=f"治愈{number}")

    await raced_many(office, "discharge.register", numbered, PAIRS_OF_DISCHARGES, seed)
    [row] = await office.rows(select(tables.admission))
    assert row["discharged_us"] is None


async def assert_nothing_is_owed(office: Office) -> None:
    balance: Counter[str] = Counter()
    for row in await office.rows(select(tables.transfer)):
        balance[row["debit"]] += row["amount_fen"]
        balance[row["credit"]] -= row["amount_fen"]
    assert set(balance.values()) <= {0}
