"""Every invariant finds its own breach, planted into a store where all is well, and no other."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pytest
from sqlalchemy import Executable, text
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.delivery.scribe import number_lanes
from gateway.store.invariants import INVARIANTS, MOST, Violation, check_invariants
from gateway.store.tables import APPEND_ONLY
from tests.flows.office import LINES, Office
from tests.store.hands import by_hand, unguarded
from tests.world import id_number

BREACHES: Sequence[tuple[str, str, str]] = (
    ("I1", "message", "DELETE FROM leaf WHERE kind = 'message' AND message_id = 'COMMIT'"),
    ("I1", "leaf", "DELETE FROM message WHERE message_id = 'COMMIT'"),
    ("I2", "message", "INSERT INTO message SELECT * FROM message WHERE message_id = 'COMMIT'"),
    ("I2", "message", "UPDATE message SET state = 'SEEN' WHERE message_id = 'COMMIT'"),
    ("I2", "undo", "INSERT INTO undo SELECT * FROM undo"),
    ("I2", "undo", "UPDATE undo SET message_id = 'NEVER-SEEN'"),
    ("I3", "admission", "INSERT INTO admission SELECT * FROM admission"),
    ("I3", "settlement", "INSERT INTO settlement SELECT * FROM settlement WHERE live = 1"),
    ("I3", "admission", "UPDATE settlement SET live = NULL WHERE live = 1"),
    ("I3", "admission", "UPDATE admission SET bill_state = 'OPEN' WHERE bill_state = 'SETTLED'"),
    ("I4", "transfer", "UPDATE transfer SET amount_fen = 0"),
    ("I4", "transfer", "UPDATE transfer SET debit = credit"),
    ("I4", "transfer", "INSERT INTO transfer SELECT * FROM transfer"),
    ("I4", "transfer", "UPDATE transfer SET subject = 'NOTHING'"),
    ("I4", "settlement", "UPDATE transfer SET amount_fen = amount_fen + 1"),
    ("I4", "settlement", "DELETE FROM transfer"),
    ("I7", "settlement", "UPDATE settlement SET total_fen = total_fen - 1 WHERE kind = 'REVERSAL'"),
    ("I7", "settlement", "UPDATE settlement SET live = 2 WHERE kind = 'SETTLEMENT'"),
    ("I7", "settlement", "UPDATE transfer SET credit = 'X' WHERE credit LIKE '5101/%'"),
    ("I7", "settlement", "INSERT INTO settlement SELECT * FROM settlement WHERE kind = 'REVERSAL'"),
    ("I8", "lane", "DELETE FROM outbox WHERE lane_seq = 1"),
    ("I8", "lane", "UPDATE lane SET last_seq = last_seq + 1"),
    ("I8", "outbox", "UPDATE outbox SET lane_seq = 1"),
    ("I8", "outbox", "UPDATE outbox SET state = 'DONE' WHERE channel = 'push'"),
    ("I8", "outbox", "UPDATE outbox SET state = 'DONE' WHERE lane_seq > 1"),
    ("I8", "outbox", "UPDATE outbox SET tx_id = 'NONE'"),
    ("I8", "transfer", "UPDATE transfer SET tx_id = 'NONE'"),
    ("I8", "audit", "UPDATE audit SET tx_id = tx_id || '-'"),
    ("I9", "leaf", "INSERT INTO leaf SELECT * FROM leaf"),
    ("I9", "leaf", "UPDATE leaf SET leaf_index = 7"),
    ("I9", "leaf", "UPDATE leaf SET leaf_index = 7 WHERE message_id = 'COMMIT'"),
    ("I10", "settlement", "UPDATE settlement SET fund_fen = fund_fen + 1"),
    ("I10", "settlement", "UPDATE settlement SET fund_fen = -1, total_fen = -1"),
    ("I10", "admission", "DELETE FROM bill_line WHERE line_id = 'L1'"),
    ("I10", "settlement", "UPDATE admission SET amount_fen = amount_fen - 1"),
    ("I10", "settlement", "DELETE FROM policy_edition"),
    ("I10", "settlement", "DELETE FROM catalogue_edition"),
    ("I11", "settlement", "UPDATE settlement SET hospital = 'H002'"),
    ("I11", "admission", "UPDATE message SET sender = 'H002'"),
    ("I12", "outbox", "UPDATE outbox SET last_error = '不存在 NUMBER。'"),
    ("I12", "message", "UPDATE message SET message_id = 'NUMBER'"),
)


class Hand:
    """Rows as the hand that planted the fault sees them, before it lets go."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def rows(self, query: Executable) -> Iterable[Mapping[str, Any]]:
        return [dict(row) for row in (await self._connection.execute(query)).mappings()]


@pytest.fixture
async def settled(office: Office) -> Office:
    """One stay settled, one settled and taken back, one tombstone, all numbered in their lanes."""
    await office.recognised("C1", 1)
    stay = await office.billed("H001", "V1", 1)
    await office.commit("H001", stay, *LINES, message_id="COMMIT")
    other = await office.billed("H001", "V2", 1)
    await office.commit("H001", other, *LINES, message_id="TAKEN-BACK")
    await office.reverse("H001", "TAKEN-BACK", "settlement.commit")
    await office.reverse("H001", "NEVER-SENT", "settlement.commit")
    await number_lanes(office.desk.database, office.desk.clock)
    return office


async def test_all_is_well_after_settling_and_reversing(settled: Office) -> None:
    async with settled.desk.database.reading() as reader:
        assert await check_invariants(reader) == ()


async def test_every_breach_is_found_by_its_invariant(settled: Office) -> None:
    async with by_hand(settled.desk.database) as hand:
        for name, table, statement in BREACHES:
            found = await planted(hand, statement)
            assert (name, table) in {(one.invariant, one.table) for one in found}, statement
    assert {name for name, _, _ in BREACHES} == set(INVARIANTS)


async def planted(hand: AsyncConnection, statement: str) -> tuple[Violation, ...]:
    """What is found with the fault there; afterwards it never was."""
    if hand.dialect.name == "sqlite":
        await hand.exec_driver_sql("BEGIN")
    for table in ("message", "undo", "admission", "settlement", "leaf", "transfer", "outbox"):
        await keyless(hand, table)
    for table in set(APPEND_ONLY) - {"undo", "leaf", "transfer"}:
        await unguarded(hand, table)
    await hand.execute(text(statement.replace("NUMBER", id_number(1))))
    found = await check_invariants(Hand(hand))
    if hand.dialect.name == "sqlite":
        await hand.exec_driver_sql("ROLLBACK")
    await hand.rollback()
    return found


async def keyless(hand: AsyncConnection, table: str) -> None:
    """The table as it would be without any key, check or trigger."""
    await hand.exec_driver_sql(f"ALTER TABLE {table} RENAME TO {table}_0")
    await hand.exec_driver_sql(f"CREATE TABLE {table} AS SELECT * FROM {table}_0")  # noqa: S608


async def test_a_reply_that_a_sender_holds_must_be_there_word_for_word(settled: Office) -> None:
    heard = await settled.commit("H001", "NO-STAY", message_id="HELD")
    key = ("H001", "HELD")
    async with settled.desk.database.reading() as reader:
        assert await check_invariants(reader, {key: heard.sealed}) == ()
        other = await check_invariants(reader, {key: heard.sealed + b" "})
        gone = await check_invariants(reader, {("H001", "LOST"): heard.sealed})
    assert [(one.invariant, one.row) for one in (*other, *gone)] == [
        ("I1", "H001/HELD"),
        ("I1", "H001/LOST"),
    ]


async def test_a_reader_without_keys_cannot_vouch_for_replies(settled: Office) -> None:
    async with by_hand(settled.desk.database) as hand:
        with pytest.raises(TypeError, match="keys"):
            await check_invariants(Hand(hand), {("H001", "HELD"): b""})


async def test_a_hundred_rows_of_one_question_are_told_and_no_more(settled: Office) -> None:
    heard = {("H001", f"LOST-{number}"): b"" for number in range(MOST + 1)}
    async with settled.desk.database.reading() as reader:
        assert len(await check_invariants(reader, heard)) == MOST
