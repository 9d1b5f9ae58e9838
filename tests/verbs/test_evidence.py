"""gateway evidence export and verify over a store that had a story, and was then tampered with."""

import asyncio
import io
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Table, select

from gateway.domain.case import CaseState
from gateway.evidence.verify_log import verify as verify_export
from gateway.flows.keep_log import keep
from gateway.flows.plan import applied
from gateway.flows.release_held import release_all
from gateway.flows.transaction import job_unit
from gateway.store.tables import APPEND_ONLY, leaf, message, metadata, outbox, settlement
from gateway.store.unit import Insert
from gateway.verbs import evidence, evidence_verify
from gateway.verbs.evidence_rows import COMPARED
from gateway.verbs.evidence_verify import Examined
from tests.flows.conftest import data, preparations, store
from tests.flows.office import LINES, Office, office_in, settings_in
from tests.store.hands import by_hand, unguarded
from tests.store.rows import a_row

__all__ = ["data", "preparations", "store"]

UNTOLD = [metadata.tables[n] for n in ("mapping_history", "application", "application_answer")]
"""History that the story below has no message for: rows of it are written by a job."""

FENCED = "H002-20260302-FENCED-1"
"""The id of a message that is reversed before it comes."""


async def story(office: Office) -> None:
    """Settled, reversed, held and released, an id fenced before its message came, an operator's
    acts, a key revoked."""
    await office.recognised("C1", 1)
    stay = await office.billed("H001", "V1", 1)
    heard = await office.commit("H001", stay, *LINES)
    await office.reverse("H001", heard.message_id, "settlement.commit")
    await keep(office.desk.log)
    await office.report("C2", 2)
    held = await office.billed("H002", "V2", 2)
    await office.commit("H002", held, *LINES)
    await office.reverse("H002", FENCED, "settlement.commit")
    await office.decide("C2", CaseState.RECOGNISED)
    await release_all(office.desk)
    await office.hospital("H003")
    rows = tuple(Insert(table, [a_row(table)]) for table in UNTOLD)
    plan = applied(subject="history", writes=rows)
    await office.desk.database.commit(job_unit(office.desk, plan, "job", {}))
    await keep(office.desk.log)
    await office.report("C3", 3)


@pytest.fixture
async def told(data: Path) -> Path:
    async with office_in(data) as office:
        await story(office)
    return data


def verified(data: Path) -> tuple[int, str]:
    out = io.StringIO()
    return evidence_verify.run(settings_in(data), out), out.getvalue()


def test_a_store_that_nobody_touched_is_explained_by_its_log(told: Path) -> None:
    assert verified(told) == (0, "相符：日志、历史与状态 / GOOD: log, history and state\n")


def test_an_export_is_verified_by_the_script(told: Path, tmp_path: Path) -> None:
    out = io.StringIO()
    path = tmp_path / "log.export"
    assert evidence.write(settings_in(told), path, 0, out) == 0
    found = verify_export(str(path))
    sealing = path.read_text("utf-8").count("\tsealing\t")
    assert found.entries - sealing == found.opened >= 30
    assert sealing > 0
    assert found.unsigned == 0
    assert evidence.check(path, found.key, (), out) == 0
    assert "相符 GOOD log.export" in out.getvalue()


def test_an_export_is_for_its_owner_alone(told: Path, tmp_path: Path) -> None:
    path = tmp_path / "log.export"
    assert evidence.write(settings_in(told), path, 0, io.StringIO()) == 0
    assert path.stat().st_mode & 0o777 == 0o600


def test_an_export_that_breaks_off_leaves_the_earlier_one(
    told: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "log.export"
    path.write_text("earlier")
    monkeypatch.delattr("gateway.evidence.export.leaf_line")
    with pytest.raises(AttributeError):
        evidence.write(settings_in(told), path, 0, io.StringIO())
    assert path.read_text() == "earlier"
    assert list(tmp_path.glob(".log.export*")) == []


def test_an_export_has_no_personal_value(told: Path, tmp_path: Path) -> None:
    path = tmp_path / "log.export"
    evidence.write(settings_in(told), path, 0, io.StringIO())
    content = path.read_text(encoding="utf-8")
    assert "settlement" in content
    for personal in ("虚构职工", "999900199001", "右小腿", "虚构原因"):
        assert personal not in content


def flipped(value: Any) -> Any:
    """The value with one byte changed."""
    if isinstance(value, int):
        return value ^ 1 << 20
    if isinstance(value, bytes):
        return bytes([*value[:-1], value[-1] ^ 1])
    return value[:-1] + chr(ord(value[-1]) ^ 1) if value else "x"


async def located(office: Office) -> list[str]:
    async with office.desk.database.reading() as reader:
        return [one async for one in Examined(reader).all(office.desk.log.file)]


async def changed(office: Office, table: Table, column: str) -> tuple[list[str], str, list[str]]:
    """One value of one row is another for a while: which row, and the faults while it is."""
    every = await office.rows(select(table).where(table.c[column].is_not(None)))
    row = every[len(every) // 2]
    named = table.info["row_key"]
    other = {**row, column: flipped(row[column])}
    async with by_hand(office.desk.database) as connection:
        here = [table.c[name] == row[name] for name in named]
        await connection.execute(table.update().where(*here).values({column: other[column]}))
    found = await located(office)
    async with by_hand(office.desk.database) as connection:
        here = [table.c[name] == other[name] for name in named]
        await connection.execute(table.update().where(*here).values({column: row[column]}))
    return [str(row[name]) for name in named], str(row.get("tx_id", "")), found


async def test_a_flipped_byte_in_any_table_of_history_is_located(data: Path) -> None:
    async with office_in(data) as office:
        await story(office)
        for name in APPEND_ONLY:
            async with by_hand(office.desk.database) as connection:
                await unguarded(connection, name)
        assert await located(office) == []
        for table in (metadata.tables[name] for name in APPEND_ONLY):
            for column in table.columns:
                if not await office.rows(select(table).where(column.is_not(None))):
                    assert (table.name, column.name) in EMPTY
                    continue
                key, tx_id, found = await changed(office, table, column.name)
                assert found, f"{table.name}.{column.name}"
                if table.name == "leaf" and column.name not in ("leaf_index", "tx_id"):
                    assert tx_id in found[0]
                elif column.name not in table.info["row_key"] and table.name in OF_ROWS:
                    assert [one for one in found if all(part in one for part in key)], found
        assert await located(office) == []


OF_ROWS = {table.name for table in COMPARED}
EMPTY = {
    *(("cosignature", name) for name in ("log", "size", "witness", "line", "at_us")),
    *(("application", "detail"), ("application", "transferred_on")),
    *(("application_answer", "reason"), ("application_answer", "granted")),
}
"""What the story leaves empty."""


@pytest.mark.parametrize("column", ["meal_fen", "settled_us", "state", "detail", "bill_no"])
async def test_an_edited_settlement_is_located(data: Path, column: str) -> None:
    async with office_in(data) as office:
        await story(office)
        [name], _, found = await changed(office, settlement, column)
    assert [one for one in found if one.startswith(f"settlement {name}: ")]


async def test_a_leaf_whose_key_was_destroyed_leaves_the_log_whole(told: Path) -> None:
    async with office_in(told) as office:
        one = (await office.rows(select(leaf).where(leaf.c.kind == "message")))[0]
        async with by_hand(office.desk.database) as connection:
            purged = leaf.update().where(leaf.c.tx_id == one["tx_id"])
            await connection.execute(purged.values(record_key=None))
    code, said = await asyncio.to_thread(verified, told)
    assert (code, "1 leaves whose keys were destroyed" in said) == (0, True), said


TOMB = message.c.state == "TOMBSTONE"


async def with_tombstones(told: Path, *forged: dict[str, Any], close: bool = False) -> str:
    """What is said of a store with rows beside its tombstone, or with the reversal's leaf shut."""
    async with office_in(told) as office, by_hand(office.desk.database) as connection:
        (row,) = (await connection.execute(select(message).where(TOMB))).mappings().all()
        for values in forged:
            await connection.execute(message.insert().values({**row, **values}))
        if close:
            its = leaf.c.message_id == row["undone_by"]
            await connection.execute(leaf.update().where(its).values(record_key=None))
    return (await asyncio.to_thread(verified, told))[1]


async def test_a_forged_tombstone_is_found(told: Path) -> None:
    said = await with_tombstones(told, {"message_id": "H002-FORGED"})
    assert said == "不符 BAD message H002 H002-FORGED: no leaf tells of it\n"


@pytest.mark.parametrize("column", ["command", "digest", "state", "code", "undone_by", "reply"])
async def test_an_edited_tombstone_is_located(told: Path, column: str) -> None:
    async with office_in(told) as office, by_hand(office.desk.database) as connection:
        edited = message.update().where(TOMB).values({column: "x" if column != "reply" else b"x"})
        await connection.execute(edited)
    code, said = await asyncio.to_thread(verified, told)
    assert (code, said.count("BAD message")) == (1, 1)
    assert f"message H002 {FENCED}: " in said


async def test_a_tombstone_that_is_gone_is_named(told: Path) -> None:
    async with office_in(told) as office, by_hand(office.desk.database) as connection:
        await connection.execute(message.delete().where(TOMB))
    assert (await asyncio.to_thread(verified, told)) == (
        1,
        f"不符 BAD message H002 {FENCED}: the row is gone\n",
    )


async def test_a_leaf_that_no_longer_tells_excuses_its_own_tombstone_and_no_other(
    told: Path,
) -> None:
    forged = {"message_id": "H002-FORGED", "undone_by": "H002-NOBODY"}
    said = await with_tombstones(told, forged, close=True)
    assert said == "不符 BAD message H002 H002-FORGED: no leaf tells of it\n"


ANSWERED_BY = "digest state code undone_by effect subject command tx_id".split()
"""Of a message that comes again."""
SENT = "receiver subject digest sealed in_reply_to".split()


@pytest.mark.parametrize(
    ("table", "column"),
    [*((message, name) for name in ANSWERED_BY), *((outbox, name) for name in SENT)],
    ids=str,
)
async def test_an_edited_message_or_message_of_ours_is_located(
    data: Path, table: Table, column: str
) -> None:
    async with office_in(data) as office:
        await story(office)
        key, _, found = await changed(office, table, column)
    row = f"{table.name} {' '.join(key)}: "
    assert [one for one in found if one.startswith(row)]


@pytest.mark.parametrize(
    "table",
    [*("transfer", "audit", "settlement", "admission", "work_case"), *("message", "outbox")],
)
async def test_a_row_that_is_gone_is_named(told: Path, table: str) -> None:
    async with office_in(told) as office:
        row = (await office.rows(select(metadata.tables[table])))[0]
        one = metadata.tables[table]
        key = one.info["row_key"]
        async with by_hand(office.desk.database) as connection:
            if table in APPEND_ONLY:
                await unguarded(connection, table)
                if connection.dialect.name == "sqlite":
                    await connection.exec_driver_sql(f"DROP TRIGGER {table}_no_delete")
            await connection.execute(
                one.delete().where(*(one.c[name] == row[name] for name in key))
            )
    code, said = await asyncio.to_thread(verified, told)
    assert code == 1
    assert f"{table} {' '.join(str(row[name]) for name in key)}: the row is gone" in said
