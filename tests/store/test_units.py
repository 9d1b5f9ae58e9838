"""One transaction: all of it or nothing, guarded by every fact it was decided from."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import Table, select

from gateway.store.database import Database
from gateway.store.tables import (
    admission,
    bill_line,
    lane,
    mandate,
    message,
    outbox,
    party,
    party_key,
    settlement,
    transfer,
    undo,
    work_case,
)
from gateway.store.unit import (
    Change,
    Guard,
    Insert,
    KeyTaken,
    Remove,
    Row,
    StaleFacts,
    StoreFailed,
    Unit,
    Upsert,
    Write,
)
from tests.store.rows import a_row

GUARDED = (message, work_case, admission, settlement, party_key, party, mandate)


def unit(*writes: Write, **more: Any) -> Unit:
    return Unit("T1", 2026, writes=writes, **more)


async def rows(database: Database, table: Table) -> list[dict[str, Any]]:
    async with database.reading() as reader:
        return [dict(row) for row in await reader.rows(select(table))]


def lanes(**numbers: int) -> list[Row]:
    return [{"receiver": name, "last_seq": number} for name, number in numbers.items()]


async def numbers(database: Database) -> dict[str, int]:
    return {row["receiver"]: row["last_seq"] for row in await rows(database, lane)}


def moved(name: str, old: int, new: int) -> Change:
    return Change(lane, {"receiver": name, "last_seq": old}, {"last_seq": new})


def a_message(message_id: str) -> Row:
    return a_row(message, sender="H1", message_id=message_id, request=b"<q/>", reply=b"<r/>")


# --- guards ---------------------------------------------------------------------------------


@pytest.mark.parametrize("table", GUARDED, ids=lambda table: table.name)
@pytest.mark.parametrize("kept", [True, False], ids=["with a message row", "without one"])
async def test_a_fact_that_moved_on_is_noticed_and_nothing_is_written(
    database: Database, table: Table, kept: bool
) -> None:
    key, fact = table.info["row_key"], _a_fact(table)
    row = a_row(table, **{fact: "as it is"} if table.c[fact].type.python_type is str else {})
    await database.commit(unit(Insert(table, [row])))
    guard = Guard(table, {name: row[name] for name in key}, {fact: _other(row[fact])})
    more = {"message": a_message("M1")} if kept else {}
    with pytest.raises(StaleFacts, match=table.name):
        await database.commit(unit(Insert(lane, lanes(A=1)), guards=(guard,), **more))
    assert await rows(database, lane) == []
    assert [one["message_id"] for one in await rows(database, message)].count("M1") == 0


@pytest.mark.parametrize("table", GUARDED, ids=lambda table: table.name)
async def test_a_fact_that_still_holds_lets_the_transaction_through(
    database: Database, table: Table
) -> None:
    row, fact = a_row(table), _a_fact(table)
    await database.commit(unit(Insert(table, [row])))
    key = {name: row[name] for name in table.info["row_key"]}
    guard = Guard(table, key, {fact: row[fact]})
    whole = unit(Insert(lane, lanes(A=1)), message=a_message("M1"), guards=(guard,))
    await database.commit(whole)
    assert await numbers(database) == {"A": 1}


def _a_fact(table: Table) -> str:
    return "version" if "version" in table.c else "state"


def _other(value: Any) -> Any:
    return value + 1 if isinstance(value, int) else value + "!"


async def test_a_row_that_is_gone_is_a_fact_that_moved_on(database: Database) -> None:
    gone = Guard(party, {"party_id": "H1"}, {"version": 1})
    with pytest.raises(StaleFacts):
        await database.commit(unit(guards=(gone,)))


async def test_a_guard_tells_nothing_from_something(database: Database) -> None:
    row = a_row(party, party_id="H1", suspended_from=None)
    await database.commit(unit(Insert(party, [row])))

    def not_suspended(day: str | None) -> Guard:
        return Guard(party, {"party_id": "H1"}, {"suspended_from": day})

    await database.commit(unit(guards=(not_suspended(None),)))
    with pytest.raises(StaleFacts):
        await database.commit(unit(guards=(not_suspended("2026-03-02"),)))


async def test_one_fact_of_many_that_moved_on_is_named(database: Database) -> None:
    await database.commit(unit(Insert(party, [a_row(party)]), Insert(admission, [a_row(admission)])))
    guards = (
        Guard(party, {"party_id": "x"}, {"version": 0}),
        Guard(admission, {"admission_id": "x"}, {"version": 7}),
    )
    with pytest.raises(StaleFacts) as stale:
        await database.commit(unit(guards=guards))
    assert str(stale.value) == "admission"


async def test_of_two_transactions_from_one_version_the_second_is_stale(
    database: Database,
) -> None:
    await database.commit(unit(Insert(party, [a_row(party, party_id="H1", version=1)])))
    both = [
        database.commit(unit(Change(party, {"party_id": "H1", "version": 1}, values)))
        for values in ({"version": 2, "name": "first"}, {"version": 2, "name": "second"})
    ]
    first, second = await asyncio.gather(*both, return_exceptions=True)
    assert first is None
    assert isinstance(second, StaleFacts)
    assert [row["name"] for row in await rows(database, party)] == ["first"]


# --- changes --------------------------------------------------------------------------------


@pytest.mark.parametrize("old", [0, 2], ids=["older", "newer"])
async def test_a_change_of_another_version_writes_nothing(database: Database, old: int) -> None:
    await database.commit(unit(Insert(lane, lanes(A=1))))
    with pytest.raises(StaleFacts, match="lane"):
        await database.commit(unit(moved("A", old, 9)))
    assert await numbers(database) == {"A": 1}


async def test_of_many_changes_alike_one_stale_takes_all_back(database: Database) -> None:
    await database.commit(unit(Insert(lane, lanes(A=1, B=1, C=1))))
    changes = [moved("A", 1, 2), moved("B", 7, 8), moved("C", 1, 2)]
    with pytest.raises(StaleFacts, match="lane"):
        await database.commit(unit(*changes))
    assert await numbers(database) == {"A": 1, "B": 1, "C": 1}


async def test_many_changes_alike_each_reach_their_own_row(database: Database) -> None:
    await database.commit(unit(Insert(lane, lanes(A=1, B=2, C=3))))
    await database.commit(unit(*(moved(name, at, at * 10) for name, at in zip("ABC", (1, 2, 3)))))
    assert await numbers(database) == {"A": 10, "B": 20, "C": 30}


async def test_a_later_failure_takes_back_what_was_written_before(database: Database) -> None:
    await database.commit(unit(Insert(lane, lanes(A=1))))
    with pytest.raises(StaleFacts):
        await database.commit(unit(Insert(lane, lanes(B=1)), moved("A", 1, 2), moved("C", 1, 2)))
    assert await numbers(database) == {"A": 1}


async def test_a_personal_column_is_changed_under_the_records_own_key(database: Database) -> None:
    row = a_row(outbox, message_id="G1", sealed=b"<sent/>", receipt=None)
    await database.commit(unit(Insert(outbox, [row])))
    [before] = await rows(database, outbox)
    change = Change(outbox, {"message_id": "G1"}, {"receipt": b"<receipt/>", "state": "DONE"})
    await database.commit(unit(change))
    [after] = await rows(database, outbox)
    assert after["record_key"] == before["record_key"]
    assert b"receipt" not in after["receipt"]
    opened = database.vault.open(outbox, after)
    assert (opened["sealed"], opened["receipt"]) == (b"<sent/>", b"<receipt/>")


async def test_a_personal_column_of_no_row_cannot_be_changed(database: Database) -> None:
    with pytest.raises(StaleFacts, match="outbox"):
        await database.commit(unit(Change(outbox, {"message_id": "G1"}, {"receipt": b"x"})))


# --- keys -----------------------------------------------------------------------------------


async def test_an_id_is_taken_once_and_its_second_effect_does_not_happen(
    database: Database,
) -> None:
    await database.commit(unit(Insert(lane, lanes(A=1)), message=a_message("M1")))
    with pytest.raises(KeyTaken, match="message"):
        await database.commit(unit(Insert(lane, lanes(B=1)), message=a_message("M1")))
    assert await numbers(database) == {"A": 1}


async def test_ids_that_differ_in_case_only_are_two(database: Database) -> None:
    await database.commit(unit(message=a_message("M1")))
    await database.commit(unit(message=a_message("m1")))
    assert len(await rows(database, message)) == 2


async def test_one_effect_is_undone_once(database: Database) -> None:
    await database.commit(unit(Insert(undo, [a_row(undo, effect="S1", message_id="a")])))
    with pytest.raises(KeyTaken, match="undo"):
        await database.commit(unit(Insert(undo, [a_row(undo, effect="S1", message_id="b")])))


async def test_a_stay_has_one_live_settlement(database: Database) -> None:
    def live(settlement_id: str) -> Insert:
        row = a_row(settlement, settlement_id=settlement_id, admission_id="A", live=1)
        return Insert(settlement, [row])

    await database.commit(unit(live("S1")))
    with pytest.raises(KeyTaken, match="settlement"):
        await database.commit(unit(live("S2")))


async def test_a_change_into_a_taken_key_is_told_as_such(database: Database) -> None:
    live = [a_row(settlement, settlement_id="S1", admission_id="A", live=1)]
    dead = [a_row(settlement, settlement_id="S2", admission_id="A", live=None)]
    await database.commit(unit(Insert(settlement, live), Insert(settlement, dead)))
    with pytest.raises(KeyTaken, match="settlement"):
        await database.commit(unit(Change(settlement, {"settlement_id": "S2"}, {"live": 1})))


@pytest.mark.parametrize(
    "broken",
    [
        {"amount_fen": 0},
        {"amount_fen": -1},
        {"amount_fen": 12.34},
        {"debit": "same", "credit": "same"},
        {"subject": None},
    ],
    ids=["nothing", "negative", "not whole", "to itself", "of nothing"],
)
async def test_a_transfer_that_cannot_be_is_no_taken_key_but_a_failure(
    database: Database, broken: dict[str, Any]
) -> None:
    row = a_row(transfer, amount_fen=1, debit="a", credit="b") | broken
    with pytest.raises(StoreFailed):
        await database.commit(unit(Insert(lane, lanes(A=1)), Insert(transfer, [row])))
    assert await rows(database, transfer) == await rows(database, lane) == []
    await database.commit(unit(Insert(lane, lanes(A=1))))


async def test_payers_that_do_not_add_up_to_the_bill_are_not_stored(database: Database) -> None:
    row = a_row(settlement, total_fen=100, fund_fen=99)
    with pytest.raises(StoreFailed):
        await database.commit(unit(Insert(settlement, [row])))
    assert await rows(database, settlement) == []


# --- upserts and removals ---------------------------------------------------------------------


async def test_an_upsert_replaces_rows_of_its_keys_and_adds_the_others(database: Database) -> None:
    await database.commit(unit(Insert(lane, lanes(A=1, B=1))))
    await database.commit(unit(Upsert(lane, lanes(A=5, C=3))))
    assert await numbers(database) == {"A": 5, "B": 1, "C": 3}


async def test_an_upsert_puts_no_personal_column_in_clear(database: Database) -> None:
    row = a_row(outbox, message_id="G1", sealed=b"<canary/>")
    with pytest.raises(StoreFailed):
        await database.commit(unit(Upsert(outbox, [row])))
    assert await rows(database, outbox) == []


async def test_a_removal_takes_the_named_rows_only(database: Database) -> None:
    kept = [("A1", "L1"), ("A1", "L2"), ("A1", "L3"), ("A2", "L1")]
    lines = [a_row(bill_line, admission_id=stay, line_id=line) for stay, line in kept]
    await database.commit(unit(Insert(bill_line, lines)))
    keys = [{"admission_id": "A1", "line_id": line} for line in ("L1", "L3")]
    await database.commit(unit(Remove(bill_line, keys)))
    left = {(row["admission_id"], row["line_id"]) for row in await rows(database, bill_line)}
    assert left == {("A1", "L2"), ("A2", "L1")}


async def test_a_removal_by_keys_that_differ_in_two_columns_is_refused(database: Database) -> None:
    keys = [{"admission_id": "A1", "line_id": "L1"}, {"admission_id": "A2", "line_id": "L2"}]
    with pytest.raises(StoreFailed):
        await database.commit(unit(Remove(bill_line, keys)))
