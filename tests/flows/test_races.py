"""Races between messages: whoever commits first wins, and the other decides anew."""

import asyncio
import os
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from random import Random
from typing import Any

import pytest
from sqlalchemy import select

from gateway.domain.case import CaseState
from gateway.domain.commands import CancelSettlement, DecideCase, ReverseTransaction, UploadFees
from gateway.flows.desk import Desk
from gateway.flows.release_held import release_all, sweep
from gateway.store import tables
from tests.flows.office import DAY, LINES, Office, at_barrier
from tests.store.conftest import SQLITE
from tests.world import bill_line

ROUNDS = 100 if "GATEWAY_WHOLE_RACES" in os.environ else 30
"""`make races` runs them all."""
_PATIENCE_S = 30

Act = Callable[[Desk], Awaitable[Any]]


async def raced(office: Office, order: Sequence[int], *acts: Act) -> list[Any]:
    """Every act is prepared before the first commits; they go on in the order given."""
    desk, barrier = at_barrier(office.desk, order)
    tasks = []
    async with asyncio.timeout(_PATIENCE_S):
        for number, act in enumerate(acts, 1):
            tasks.append(asyncio.ensure_future(act(desk)))
            await barrier.until(number)
        done = await asyncio.gather(*tasks)
    assert barrier.arrived == len(acts)
    return done


def orders(seed: int, count: int) -> list[list[int]]:
    """As many random orders as rounds; each position comes first at least once."""
    random = Random(seed)  # noqa: S311
    drawn = [random.sample(range(count), count) for _ in range(ROUNDS)]
    assert {order[0] for order in drawn} == set(range(count))
    return drawn


def assert_each_won(store: str, winners: list[int], drawn: list[list[int]]) -> None:
    """Both acts win sometimes. SQLite's one writer takes them as they come; between two open
    transactions PostgreSQL decides."""
    assert set(winners) == {0, 1}
    if store == SQLITE:
        assert winners == [order[0] for order in drawn]


def assert_each_ended(store: str, seen: Counter[str], endings: set[str]) -> None:
    """The same by how the first act ended; under load PostgreSQL may always prefer one."""
    assert seen.keys() == endings if store == SQLITE else seen.keys() <= endings


async def saying(office: Office, sender: str, name: str, command: Any, message_id: str = "") -> Act:
    request = await office.request(sender, name, command, message_id)

    async def act(desk: Desk) -> Any:
        return (await office.hear(request, desk)).code

    return act


async def reversing(office: Office, target: str, command: str) -> Act:
    wanted = ReverseTransaction(target_message_id=target, target_command=command, reason="虚构")
    return await saying(office, "H001", "transaction.reverse", wanted)


async def committing(office: Office, stay: str, message_id: str = "") -> Act:
    command = office.commit_of(stay, *LINES)
    return await saying(office, "H001", "settlement.commit", command, message_id)


async def the_stay(office: Office) -> dict[str, Any]:
    [row] = await office.rows(select(tables.admission))
    return row


async def live(office: Office) -> list[dict[str, Any]]:
    return await office.rows(select(tables.settlement).where(tables.settlement.c.live == 1))


async def assert_balanced(office: Office) -> None:
    """Every settlement with what took it back sums to zero on each account, save the live one."""
    balance: Counter[str] = Counter()
    for row in await office.rows(select(tables.transfer)):
        balance[row["debit"]] += row["amount_fen"]
        balance[row["credit"]] -= row["amount_fen"]
    owed = sum(row["fund_fen"] + row["meal_fen"] for row in await live(office))
    assert balance["2101/hospital/H001"] == -owed
    assert balance["5101/medical"] + balance["5101/meal"] == owed


@pytest.fixture
async def stay(office: Office) -> str:
    await office.recognised("C1", 1)
    return await office.billed("H001", "V1", 1)


async def test_of_a_cancellation_and_a_reversal_one_wins_and_names_the_winner(
    office: Office, store: str, stay: str
) -> None:
    winners = []
    for order in orders(1, 2):
        settled = await office.commit("H001", stay, *LINES)
        cancel = CancelSettlement(
            settlement_id=settled.result.settlement_id, reason="虚构", operator="op1"
        )
        ended = await raced(
            office,
            order,
            await saying(office, "H001", "settlement.cancel", cancel),
            await reversing(office, settled.message_id, "settlement.commit"),
        )
        assert sorted(ended) == ["ALREADY_REVERSED", "OK"]
        winners.append(ended.index("OK"))
        assert await live(office) == []
    assert_each_won(store, winners, orders(1, 2))
    await assert_balanced(office)


async def test_of_two_commits_of_a_bill_one_settles(office: Office, store: str, stay: str) -> None:
    winners = []
    for order in orders(2, 2):
        ids = [office.new_message_id("H001") for _ in order]
        acts = [await committing(office, stay, message_id) for message_id in ids]
        ended = await raced(office, order, *acts)
        assert sorted(ended) == ["OK", "SETTLED_ALREADY"]
        winners.append(ended.index("OK"))
        assert len(await live(office)) == 1
        await office.reverse("H001", ids[winners[-1]], "settlement.commit")
    assert_each_won(store, winners, orders(2, 2))
    await assert_balanced(office)


async def test_two_reversals_of_a_settlement_undo_it_once(office: Office, stay: str) -> None:
    for order in orders(3, 2):
        settled = await office.commit("H001", stay, *LINES)
        acts = [await reversing(office, settled.message_id, "settlement.commit") for _ in order]
        ended = await raced(office, order, *acts)
        assert sorted(ended) == ["ALREADY_REVERSED", "OK"]
    await assert_balanced(office)


async def undecided_again(office: Office) -> None:
    await office.decide("C1", CaseState.REVOKED)
    await office.decide("C1", CaseState.ACCEPTED)
    await release_all(office.desk)


async def test_a_release_racing_with_a_reversal_happens_once_or_not_at_all(
    office: Office, stay: str
) -> None:
    seen = Counter[str]()
    for order in orders(4, 2):
        await undecided_again(office)
        held = await office.commit("H001", stay, *LINES)
        assert held.code == "HELD"
        await office.decide("C1", CaseState.RECOGNISED)
        ended = await raced(
            office,
            order,
            release_all,
            await reversing(office, held.message_id, "settlement.commit"),
        )
        assert ended[1] == "OK"
        assert await live(office) == []
        row = await the_stay(office)
        assert (row["state"], row["bill_state"]) == ("CONFIRMED", "OPEN")
        own = tables.settlement.c.message_id == held.message_id
        released = await office.rows(select(tables.settlement).where(own))
        seen["released first" if released else "never released"] += 1
    assert seen.keys() == {"released first", "never released"}
    await assert_balanced(office)


async def test_two_releases_of_a_bill_settle_it_once(office: Office, stay: str) -> None:
    for order in orders(5, 2):
        await undecided_again(office)
        held = await office.commit("H001", stay, *LINES)
        await office.decide("C1", CaseState.RECOGNISED)
        await raced(office, order, release_all, sweep)
        assert len(await live(office)) == 1
        await office.reverse("H001", held.message_id, "settlement.commit")
    told = select(tables.outbox.c.message_id).where(tables.outbox.c.receiver == "H001")
    outcomes = await office.rows(told.where(tables.outbox.c.command == "settlement.result"))
    assert len(outcomes) == ROUNDS
    await assert_balanced(office)


@pytest.mark.parametrize("seed", [6, 7])
async def test_a_decision_racing_with_a_hold_is_never_missed(
    office: Office, store: str, stay: str, seed: int
) -> None:
    seen = Counter[str]()
    for order in orders(seed, 2):
        await undecided_again(office)
        recognised = await deciding(office, CaseState.RECOGNISED)
        commit_id = office.new_message_id("H001")
        ended = await raced(office, order, await committing(office, stay, commit_id), recognised)
        seen[ended[0]] += 1
        await release_all(office.desk)
        assert len(await live(office)) == 1
        await office.reverse("H001", commit_id, "settlement.commit")
    assert_each_ended(store, seen, {"HELD", "OK"})
    await assert_balanced(office)


async def deciding(office: Office, state: CaseState) -> Act:
    command = DecideCase(
        case_no="C1",
        state=state,
        decided_on=office.desk.today,
        authority="999900",
        reason="虚构决定",
    )
    return await saying(office, "AGENCY", "case.decide", command)


async def test_a_decision_racing_with_a_registration_is_never_missed(
    office: Office, store: str
) -> None:
    await office.report("C1", 1)
    await office.decide("C1", CaseState.ACCEPTED)
    seen = Counter[str]()
    for number, order in enumerate(orders(8, 2)):
        recognised = await deciding(office, CaseState.RECOGNISED)
        message_id = office.new_message_id("H001")
        register = await registering(office, f"V{number}", message_id)
        await raced(office, order, register, recognised)
        before = await office.rows(visit(f"V{number}"))
        await release_all(office.desk)
        [row] = await office.rows(visit(f"V{number}"))
        seen[before[0]["state"]] += 1
        assert row["state"] == "CONFIRMED"
        await undecided_again(office)
    assert_each_ended(store, seen, {"HELD", "CONFIRMED"})


def visit(visit_no: str) -> Any:
    return select(tables.admission).where(tables.admission.c.visit_no == visit_no)


async def registering(office: Office, visit_no: str, message_id: str) -> Act:
    command = office.registration(visit_no, 1)
    return await saying(office, "H001", "admission.register", command, message_id)


async def test_a_line_racing_with_a_commit_is_in_the_bill_or_refused(
    office: Office, stay: str
) -> None:
    """Nothing is settled without a line that was kept, and no line is kept after it."""
    for number, order in enumerate(orders(9, 2)):
        line = bill_line("L3", "I0001", "12.00", str(number + 1), DAY)
        upload = await saying(
            office, "H001", "fees.upload", UploadFees(admission_id=stay, lines=(line,))
        )
        commit_id = office.new_message_id("H001")
        ended = await raced(office, order, await committing(office, stay, commit_id), upload)
        lines = await office.rows(select(tables.bill_line))
        if ended[0] == "OK":
            assert ended[1] == "ADMISSION_STATE"
            await office.reverse("H001", commit_id, "settlement.commit")
        else:
            assert (ended[1], len(lines)) == ("OK", 3)
            await office.say("H001", "fees.void", office.void_of(stay, "L3"))
    await assert_balanced(office)
