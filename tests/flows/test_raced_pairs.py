"""Raced pairs of an original and its reversal: both prepared before either commits. `make races`
runs 10,000 on each store, `make test` a quarter of those on SQLite and a part on PostgreSQL.

The reversal is prepared first, so that it finds its target unseen and wants to fence the id;
then the original. Both wait at the store, and go on in random order. 2,000 pairs run through
the whole exchange, 8,000 as the transactions that the flows prepare; of those, on PostgreSQL,
both are open and wait for the same key before either may have it.
"""

import asyncio
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.domain.commands import QueryTransaction, RegisterDischarge, ReverseTransaction
from gateway.domain.party import Party
from gateway.flows.desk import Caller
from gateway.flows.discharge import register_discharge
from gateway.flows.plan import Plan
from gateway.flows.reverse_transaction import reverse_transaction
from gateway.flows.transaction import Received, message_unit
from gateway.store import tables
from gateway.store.postgres import PostgresDatabase
from gateway.store.unit import Change, KeyTaken, Unit
from tests.flows.office import LINES, Heard, Office, at_barrier
from tests.store.conftest import STORES
from tests.store.hands import by_hand
from tests.store.rows import a_row

ITEMS, SETTLEMENTS, DISCHARGES, TRANSACTIONS = 4, 250, 250, 2000
WHOLE = "GATEWAY_WHOLE_RACES" in os.environ
PAIRS = [
    pytest.param(store, seed, id=f"{store}-{seed}")
    for store in STORES
    for seed in range(ITEMS if WHOLE else 1)
]
PART = 5
"""`make test` runs one item on each store, and on PostgreSQL of that the fifth part."""
QUERY = QueryTransaction(target_message_id="NONE")
_PATIENCE_S = 30
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
    async with asyncio.timeout(_PATIENCE_S):
        heard: list[Heard] = await asyncio.gather(original, reversal)
    assert barrier.arrived == 2
    return tuple(one.code for one in heard)


async def raced_many(office: Office, name: str, commands: Any, pairs: int, seed: int) -> None:
    """One winner each; both kinds of winner occur, but that PostgreSQL, which decides between
    two open transactions, may prefer one in a few rounds."""
    random, outcomes = Random(seed), Counter[Any]()  # noqa: S311
    for number in range(rounds(office, pairs)):
        order = random.sample([0, 1], 2)
        outcomes[await raced(office, name, commands(number), f"T{seed}-{number}", order)] += 1
    ends = {UNDONE, FENCED}
    assert outcomes.keys() == ends if every(office) else outcomes.keys() <= ends
    await assert_each_id_has_one_fate(office, outcomes, f"T{seed}-")


def rounds(office: Office, pairs: int) -> int:
    """How many rounds of an item this run takes."""
    return pairs if every(office) else pairs // PART


def every(office: Office) -> bool:
    """Whether this run takes all of them."""
    return WHOLE or not isinstance(office.desk.database, PostgresDatabase)


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


@pytest.mark.parametrize(("store", "seed"), PAIRS, indirect=["store"])
async def test_of_a_raced_settlement_and_its_reversal_one_wins(office: Office, seed: int) -> None:
    stay = await a_stay(office, discharged=True)
    command = office.commit_of(stay, *LINES)

    def numbered(number: int) -> Any:
        return replace(command, bill_no=f"B{number}")

    await raced_many(office, "settlement.commit", numbered, SETTLEMENTS, seed)
    live = await office.rows(select(tables.settlement).where(tables.settlement.c.live == 1))
    assert live == []
    await assert_nothing_is_owed(office)


@pytest.mark.parametrize(("store", "seed"), PAIRS, indirect=["store"])
async def test_of_a_raced_discharge_and_its_reversal_one_wins(office: Office, seed: int) -> None:
    stay = await a_stay(office, discharged=False)
    at = office.desk.clock.now()

    def numbered(number: int) -> Any:
        return RegisterDischarge(admission_id=stay, discharged_at=at, way=f"治愈{number}")

    await raced_many(office, "discharge.register", numbered, DISCHARGES, seed)
    [row] = await office.rows(select(tables.admission))
    assert row["discharged_us"] is None


@pytest.mark.parametrize(("store", "seed"), PAIRS, indirect=["store"])
async def test_of_two_raced_transactions_one_commits(office: Office, seed: int) -> None:
    random, winners = Random(seed), Counter[str]()  # noqa: S311
    stay = await a_stay(office, discharged=False)
    party = (await office.request("H001", "transaction.query", QUERY)).party
    async with by_hand(office.desk.database) as other:
        for number in range(rounds(office, TRANSACTIONS)):
            target = f"T{seed}-{number}"
            units = await prepared_pair(office, party, stay, target)
            order = random.sample(sorted(units), 2)
            ended = await both_tried(office, other, target, [units[name] for name in order])
            won = [name for name, error in zip(order, ended, strict=True) if error is None]
            assert [type(error) for error in ended if error is not None] == [KeyTaken]
            winners.update(won)
            if won == ["original"]:
                await taken_back(office, stay)
    assert set(winners) == {"original", "reversal"}
    assert winners.total() == rounds(office, TRANSACTIONS)
    kept = await office.rows(select(tables.message.c.state, tables.message.c.message_id))
    fates = Counter(row["state"] for row in kept if row["message_id"].startswith("T"))
    assert fates == {"APPLIED": winners["original"], "TOMBSTONE": winners["reversal"]}


async def both_tried(
    office: Office, other: AsyncConnection, target: str, units: Sequence[Unit]
) -> list[BaseException | None]:
    """How both commits end. SQLite's one writer keeps them apart by itself; in PostgreSQL
    another transaction has the key until both wait for it, and then lets go."""
    database = office.desk.database
    if not isinstance(database, PostgresDatabase):
        commits = [database.commit(unit) for unit in units]
        return await asyncio.gather(*commits, return_exceptions=True)
    key = {"sender": "H001", "message_id": target, "key_id": ""}
    await other.execute(tables.message.insert(), a_row(tables.message, **key))
    commits = [asyncio.ensure_future(database.commit(unit)) for unit in units]
    async with asyncio.timeout(_PATIENCE_S):
        while (await other.execute(_WAITING)).scalar_one() < len(units):
            await asyncio.sleep(0)
    await other.rollback()
    return await asyncio.gather(*commits, return_exceptions=True)


_WAITING = text(
    "SELECT count(*) FROM pg_locks WHERE locktype = 'transactionid' AND NOT granted "
    "AND transactionid::text = pg_current_xact_id()::xid::text"
)
"""How many transactions wait for the end of this one."""


async def prepared_pair(office: Office, party: Party, stay: str, target: str) -> dict[str, Unit]:
    """The transactions of a discharge and of its reversal, neither having seen the other."""
    at = office.desk.clock.now()
    reverse = ReverseTransaction(
        target_message_id=target, target_command="discharge.register", reason="虚构"
    )
    discharge = RegisterDischarge(admission_id=stay, discharged_at=at, way="治愈")
    caller = Caller(party=party, message_id=f"R-{target}", command="transaction.reverse")
    fencing = unit_of(office, caller, await reverse_transaction(office.desk, caller, reverse))
    caller = replace(caller, message_id=target, command="discharge.register")
    plan = await register_discharge(office.desk, caller, discharge)
    return {"original": unit_of(office, caller, plan), "reversal": fencing}


def unit_of(office: Office, caller: Caller, plan: Plan) -> Unit:
    received = Received(
        sender=caller.party_id,
        message_id=caller.message_id,
        command=caller.command,
        digest=caller.message_id,
        raw=b"<Message/>",
        received_us=office.desk.now_us,
        signer="f" * 64,
        changing=True,
    )
    return message_unit(office.desk, received, plan, b"<Message/>", {})


async def taken_back(office: Office, stay: str) -> None:
    """The stay as before the discharge, so that the next pair finds it so."""
    values = {"discharged_us": None, "discharge_message_id": ""}
    change = Change(tables.admission, {"admission_id": stay}, values)
    await office.desk.database.commit(Unit("T-TEST", 2026, writes=(change,)))


async def assert_nothing_is_owed(office: Office) -> None:
    balance: Counter[str] = Counter()
    for row in await office.rows(select(tables.transfer)):
        balance[row["debit"]] += row["amount_fen"]
        balance[row["credit"]] -= row["amount_fen"]
    assert set(balance.values()) <= {0}
