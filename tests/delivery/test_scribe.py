"""Lanes are numbered after commit, in order of commit, one lane for each receiver."""

import asyncio

import pytest
from sqlalchemy import select

from gateway.clock import micros
from gateway.delivery import scribe
from gateway.delivery.scribe import number_lanes
from gateway.store.database import Database
from gateway.store.deliveries import DONE
from gateway.store.tables import lane
from tests.delivery.lanes import (
    START,
    SetClock,
    a_message,
    committed,
    committed_each,
    names,
    numbers,
)


async def test_a_message_has_no_number_before_its_transaction_is_committed(
    database: Database,
) -> None:
    await committed(database, a_message("M1"))
    assert await numbers(database) == {"M1": None}
    assert await number_lanes(database, SetClock()) == 1
    assert await numbers(database) == {"M1": 1}


async def test_the_order_is_that_of_commit_and_not_of_arrival(database: Database) -> None:
    arrived = micros(START)
    await committed(database, a_message("late but committed first", created_us=arrived + 9))
    await committed(database, a_message("early but committed last", created_us=arrived))
    await number_lanes(database, SetClock())
    assert await numbers(database) == {
        "late but committed first": 1,
        "early but committed last": 2,
    }


async def test_messages_of_one_transaction_keep_their_order(database: Database) -> None:
    await committed(database, *(a_message(name, position=at) for at, name in enumerate("zay")))
    await number_lanes(database, SetClock())
    assert await numbers(database) == {"z": 1, "a": 2, "y": 3}


async def test_each_receiver_counts_for_itself_without_a_gap(database: Database) -> None:
    for round_ in range(3):
        both = (a_message(f"{name}{round_}", receiver=name) for name in ("H1", "H2"))
        await committed(database, *both)
        await number_lanes(database, SetClock())
    found = await numbers(database)
    assert found == {f"{name}{at}": at + 1 for name in ("H1", "H2") for at in range(3)}
    async with database.reading() as reader:
        heads = await reader.rows(select(lane))
    assert {row["receiver"]: row["last_seq"] for row in heads} == {"H1": 3, "H2": 3}


async def test_a_number_is_given_once(database: Database) -> None:
    await committed_each(database, names(3))
    assert await number_lanes(database, SetClock()) == 3
    before = await numbers(database)
    assert await number_lanes(database, SetClock()) == 0
    assert await numbers(database) == before


async def test_a_long_backlog_is_numbered_page_by_page(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scribe, "_PAGE", 4)
    await committed_each(database, names(11))
    assert await number_lanes(database, SetClock()) == 11
    assert list((await numbers(database)).values()) == list(range(1, 12))


async def test_what_commits_meanwhile_is_numbered_after_what_was_there(
    database: Database,
) -> None:
    async def writing() -> None:
        await committed_each(database, names(60))

    async def numbering() -> None:
        while not writer.done():
            await number_lanes(database, SetClock())

    writer = asyncio.create_task(writing())
    await asyncio.gather(writer, numbering())
    await number_lanes(database, SetClock())
    assert await numbers(database) == {name: at for at, name in enumerate(names(60), 1)}


async def test_what_is_done_already_needs_no_number(database: Database) -> None:
    await committed(database, a_message("M1", state=DONE))
    assert await number_lanes(database, SetClock()) == 0
