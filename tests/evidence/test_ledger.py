"""The ledger: every row moves an amount between two accounts, and an undoing moves it back."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from gateway.domain.admission import PaidAtDischargeBy
from gateway.domain.bill import Payee, PayeeShare, Payout
from gateway.domain.case import CaseState
from gateway.domain.commands import CancelSettlement
from gateway.flows.release_held import release_all
from gateway.flows.settled import back, transfers
from gateway.store.tables import settlement, transfer
from tests.flows.office import LINES, Office

_FEN = st.integers(0, 10**12)


def balances(rows: Iterable[Any]) -> Counter[str]:
    """What every account received less what it gave, in fen."""
    balance: Counter[str] = Counter()
    for row in rows:
        balance[row["credit"]] += row["amount_fen"]
        balance[row["debit"]] -= row["amount_fen"]
    return balance


def as_row(one: Any) -> dict[str, Any]:
    return {name: getattr(one, name) for name in ("debit", "credit", "amount_fen")}


async def booked(office: Office, settlement_id: str) -> list[dict[str, Any]]:
    return await office.rows(select(transfer).where(transfer.c.subject == settlement_id))


# --- by construction ---


@given(shares=st.lists(st.builds(PayeeShare, st.sampled_from(Payee), _FEN, _FEN), max_size=4))
def test_what_the_fund_owes_is_owed_to_somebody_and_goes_back_whole(
    shares: list[PayeeShare],
) -> None:
    forward = transfers("S1", "H001", Payout(tuple(shares)), "2026-03-02")
    owed = balances(map(as_row, forward))
    assert sum(owed.values()) == 0
    whole = sum(one.medical_fen + one.meal_fen for one in shares)
    assert sum(amount for amount in owed.values() if amount > 0) == whole
    assert all(one.amount_fen > 0 and one.debit != one.credit for one in forward)
    returned = back(forward, "S2", "2026-03-03")
    assert {one.subject for one in returned} <= {"S2"}
    both = balances(map(as_row, (*forward, *returned)))
    assert set(both.values()) <= {0}


def test_nothing_owed_is_no_row() -> None:
    assert transfers("S1", "H001", Payout((PayeeShare(Payee.HOSPITAL, 0, 0),)), "d") == ()


# --- as booked ---


async def settled(office: Office) -> tuple[str, Any]:
    await office.recognised("C1", 1)
    stay = await office.billed("H001", "V1", 1)
    return stay, await office.commit("H001", stay, *LINES)


async def test_a_settlement_books_what_it_says_the_fund_pays(office: Office) -> None:
    _, heard = await settled(office)
    rows = await booked(office, heard.result.settlement_id)
    owed = balances(rows)
    fund, meal = heard.result.split.fund_fen, heard.result.meal.amount_fen
    assert fund > 0
    assert (owed["5101/medical"], owed["5101/meal"]) == (-fund, -meal)
    assert sum(owed.values()) == 0


@pytest.mark.parametrize("undo", ["reverse", "cancel"])
async def test_a_settlement_and_its_undoing_sum_to_zero_on_every_account(
    office: Office, undo: str
) -> None:
    _, heard = await settled(office)
    first = heard.result.settlement_id
    if undo == "reverse":
        await office.reverse("H001", heard.message_id, "settlement.commit")
    else:
        command = CancelSettlement(settlement_id=first, reason="虚构原因", operator="op1")
        await office.say("H001", "settlement.cancel", command)
    [negative] = await office.rows(select(settlement).where(settlement.c.reverses == first))
    forward = await booked(office, first)
    returned = await booked(office, negative["settlement_id"])
    assert turned(forward) == sorted_rows(returned) != []
    assert set(balances((*forward, *returned)).values()) == {0}


def turned(rows: Iterable[dict[str, Any]]) -> list[tuple[str, str, int]]:
    return sorted((row["credit"], row["debit"], row["amount_fen"]) for row in rows)


def sorted_rows(rows: Iterable[dict[str, Any]]) -> list[tuple[str, str, int]]:
    return sorted((row["debit"], row["credit"], row["amount_fen"]) for row in rows)


async def test_a_reversal_is_the_exact_negation_of_its_original(office: Office) -> None:
    _, heard = await settled(office)
    await office.reverse("H001", heard.message_id, "settlement.commit")
    first, second = await office.rows(select(settlement).order_by(settlement.c.settled_us))
    amounts = [name for name in first if name.endswith("_fen")]
    assert len(amounts) == 7
    assert {name: -first[name] for name in amounts} == {name: second[name] for name in amounts}
    assert (first["state"], second["kind"], second["reverses"]) == (
        "REVERSED",
        "REVERSAL",
        first["settlement_id"],
    )


async def test_a_settlement_in_force_again_is_booked_again(office: Office) -> None:
    _, heard = await settled(office)
    command = CancelSettlement(
        settlement_id=heard.result.settlement_id, reason="虚构原因", operator="op1"
    )
    cancelled = await office.say("H001", "settlement.cancel", command)
    again = await office.reverse("H001", cancelled.message_id, "settlement.cancel")
    assert again.outcome == "APPLIED", again.code
    [live] = await office.rows(select(settlement).where(settlement.c.live == 1))
    assert live["reinstates"] == heard.result.settlement_id
    rows = await booked(office, live["settlement_id"])
    assert sorted_rows(rows) == sorted_rows(await booked(office, heard.result.settlement_id))


@pytest.mark.parametrize(
    ("paid_by", "account"),
    [
        (PaidAtDischargeBy.NOBODY, "2101/hospital/H001"),
        (PaidAtDischargeBy.EMPLOYER, "2101/employer"),
        (PaidAtDischargeBy.INDIVIDUAL, "2101/individual"),
    ],
)
async def test_who_paid_at_discharge_is_owed_the_funds_share_of_a_held_bill(
    office: Office, paid_by: PaidAtDischargeBy, account: str
) -> None:
    await office.report("C1", 1)
    stay = await office.billed("H001", "V1", 1)
    await office.commit("H001", stay, *LINES, paid_at_discharge_by=paid_by)
    assert await office.rows(select(transfer)) == []
    await office.decide("C1", CaseState.RECOGNISED)
    await release_all(office.desk)
    [live] = await office.rows(select(settlement).where(settlement.c.live == 1))
    medical = [row for row in await office.rows(select(transfer)) if row["debit"] == "5101/medical"]
    assert [(row["credit"], row["amount_fen"]) for row in medical] == [(account, live["fund_fen"])]
