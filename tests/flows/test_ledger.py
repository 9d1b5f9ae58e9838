"""The ledger: debits equal credits by construction, and a reversal is the exact negation."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from gateway.domain.case import CaseState
from gateway.domain.commands import CancelSettlement
from gateway.flows.release_held import release_all
from gateway.store import tables
from gateway.store.unit import Insert, StoreFailed
from tests.flows.office import LINES, Office


async def transfers(office: Office, subject: str) -> list[dict[str, Any]]:
    query = select(tables.transfer).where(tables.transfer.c.subject == subject)
    return await office.rows(query.order_by(tables.transfer.c.seq))


def per_account(*rows: list[dict[str, Any]]) -> Counter[str]:
    balance: Counter[str] = Counter()
    for row in (row for listed in rows for row in listed):
        balance[row["debit"]] += row["amount_fen"]
        balance[row["credit"]] -= row["amount_fen"]
    return balance


async def settled(office: Office) -> Any:
    await office.recognised("C1", 1)
    stay = await office.billed("H001", "V1", 1)
    return await office.commit("H001", stay, *LINES)


async def test_a_settlement_books_what_the_fund_owes(office: Office) -> None:
    result = (await settled(office)).result
    balance = per_account(await transfers(office, result.settlement_id))
    assert balance == {
        "5101/medical": result.split.fund_fen,
        "5101/meal": result.meal.amount_fen,
        "2101/hospital/H001": -(result.split.fund_fen + result.meal.amount_fen),
    }
    assert balance.total() == 0


@pytest.mark.parametrize("way", ["cancel", "reverse"])
async def test_a_reversal_is_the_exact_negation(office: Office, way: str) -> None:
    heard = await settled(office)
    forward = await transfers(office, heard.result.settlement_id)
    if way == "cancel":
        command = CancelSettlement(
            settlement_id=heard.result.settlement_id, reason="虚构", operator="op1"
        )
        undone = (await office.say("H001", "settlement.cancel", command)).result
    else:
        reversal = await office.reverse("H001", heard.message_id, "settlement.commit")
        undone = reversal.result.settlement
    back = await transfers(office, undone.settlement_id)
    assert [(row["debit"], row["credit"], row["amount_fen"]) for row in back] == [
        (row["credit"], row["debit"], row["amount_fen"]) for row in forward
    ]
    assert set(per_account(forward, back).values()) == {0}


async def test_the_rows_of_a_settlement_and_its_reversal_sum_to_zero(office: Office) -> None:
    heard = await settled(office)
    await office.reverse("H001", heard.message_id, "settlement.commit")
    first, second = await office.rows(
        select(tables.settlement).order_by(tables.settlement.c.settled_us)
    )
    amounts = [name for name in first if name.endswith("_fen")]
    assert len(amounts) == 7
    assert {first[name] + second[name] for name in amounts} == {0}


async def test_a_reversal_is_booked_on_its_own_day(office: Office) -> None:
    heard = await settled(office)
    office.gateway.clock.move(timedelta(days=3))
    reversal = await office.reverse("H001", heard.message_id, "settlement.commit")
    back = await transfers(office, reversal.result.settlement.settlement_id)
    assert {row["business_day"] for row in back} == {"2026-03-05"}
    forward = await transfers(office, heard.result.settlement_id)
    assert {row["business_day"] for row in forward} == {"2026-03-02"}


async def test_a_reinstated_settlement_books_the_same_again(office: Office) -> None:
    heard = await settled(office)
    command = CancelSettlement(
        settlement_id=heard.result.settlement_id, reason="虚构", operator="op1"
    )
    cancelled = await office.say("H001", "settlement.cancel", command)
    back = await office.reverse("H001", cancelled.message_id, "settlement.cancel")
    again = await transfers(office, back.result.settlement.settlement_id)
    first = await transfers(office, heard.result.settlement_id)
    assert per_account(again) == per_account(first)


async def test_the_whole_book_owes_what_live_settlements_say(office: Office) -> None:
    heard = await settled(office)
    await office.reverse("H001", heard.message_id, "settlement.commit")
    await office.report("C2", 2)
    stay = await office.billed("H002", "V1", 2)
    await office.commit("H002", stay, *LINES)
    await office.decide("C2", CaseState.RECOGNISED)
    await release_all(office.desk)
    balance = per_account(await office.rows(select(tables.transfer)))
    [live] = await office.rows(select(tables.settlement).where(tables.settlement.c.live == 1))
    assert balance["2101/hospital/H001"] == 0
    assert balance["2101/hospital/H002"] == -(live["fund_fen"] + live["meal_fen"])


@pytest.mark.parametrize(
    "wrong", [{"amount_fen": 0}, {"amount_fen": -1}, {"credit": "5101/medical"}], ids=str
)
async def test_imbalance_cannot_be_represented(office: Office, wrong: dict[str, Any]) -> None:
    row = {
        "tx_id": "T1",
        "seq": 0,
        "subject": "S1",
        "debit": "5101/medical",
        "credit": "2101/hospital/H001",
        "amount_fen": 1,
        "business_day": "2026-03-02",
    }
    with pytest.raises(StoreFailed):
        await office.write(Insert(tables.transfer, [row | wrong]))
    assert await office.rows(select(tables.transfer)) == []
