"""PostgreSQL: what is particular to it, against real servers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from sqlalchemy import select

from gateway.store import append_only, tables
from gateway.store.migrate import migrate_at
from gateway.store.personal import KeyRing, Vault
from gateway.store.postgres import PostgresDatabase, engine_at
from gateway.store.tables import APPEND_ONLY, lane, metadata
from gateway.store.unit import Change, Guard, Insert, StaleFacts, StoreFailed, Unit
from tests import postgres
from tests.store.hands import address, by_hand

ROUNDS = 40
MAY_CHANGE = {"leaf_index", "record_key", "key_id"}
SESSIONS = "SELECT state FROM pg_stat_activity WHERE datname = current_database()"


def vault(folder: Path) -> Vault:
    return Vault(KeyRing(folder / "keys", "999900"))


@pytest.fixture
async def store(migrated_url: str, tmp_path: Path) -> AsyncIterator[PostgresDatabase]:
    url = postgres.new_database(migrated_url)
    async with PostgresDatabase(url, vault(tmp_path)) as made:
        yield made
    postgres.drop(url)


def plain(database: PostgresDatabase) -> str:
    """The address as another program would write it."""
    return address(database).replace("+asyncpg", "")


def adding(*names: str) -> Unit:
    rows = [{"receiver": name, "last_seq": 1} for name in names]
    return Unit("T1", 2026, writes=(Insert(lane, rows),))


def raising(name: str, seen: str) -> Unit:
    """Raise the one when the other is still as it was seen."""
    guard = Guard(lane, {"receiver": seen}, {"last_seq": 1})
    change = Change(lane, {"receiver": name, "last_seq": 1}, {"last_seq": 2})
    return Unit("T1", 2026, guards=(guard,), writes=(change,))


async def heads(database: PostgresDatabase) -> dict[str, int]:
    async with database.reading() as reader:
        return {row["receiver"]: row["last_seq"] for row in await reader.rows(select(lane))}


async def test_of_two_that_each_change_what_the_other_saw_one_is_refused(
    store: PostgresDatabase,
) -> None:
    """Write skew: each transaction alone is good, both together are not."""
    for number in range(ROUNDS):
        one, other = f"A{number}", f"B{number}"
        await store.commit(adding(one, other))
        outcomes = await asyncio.gather(
            store.commit(raising(one, other)),
            store.commit(raising(other, one)),
            return_exceptions=True,
        )
        assert sorted(type(outcome).__name__ for outcome in outcomes) == ["NoneType", "StaleFacts"]
        found = await heads(store)
        assert sorted((found[one], found[other])) == [1, 2]


async def test_a_counter_that_many_raise_is_raised_by_one_at_a_time(
    store: PostgresDatabase,
) -> None:
    await store.commit(adding("A"))
    change = Change(lane, {"receiver": "A", "last_seq": 1}, {"last_seq": 2})
    many = [store.commit(Unit("T1", 2026, writes=(change,))) for _ in range(12)]
    outcomes = await asyncio.gather(*many, return_exceptions=True)
    assert outcomes.count(None) == 1
    assert {type(outcome) for outcome in outcomes if outcome} == {StaleFacts}


@pytest.mark.parametrize("turns", range(0, 60, 4))
async def test_a_request_cancelled_at_any_await_leaves_no_transaction_open(
    store: PostgresDatabase, turns: int
) -> None:
    request = asyncio.create_task(store.commit(adding("cancelled")))
    for _ in range(turns + 1):
        await asyncio.sleep(0)
    request.cancel()
    await asyncio.gather(request, return_exceptions=True)
    other = await asyncpg.connect(plain(store))
    try:
        async with asyncio.timeout(10):
            while not await other.fetch("SELECT 1 FROM lane WHERE receiver = 'cancelled'"):
                await asyncio.sleep(0.01)
        states = [row["state"] for row in await other.fetch(SESSIONS)]
    finally:
        await other.close()
    assert not any(str(state).startswith("idle in transaction") for state in states)


async def cut_off(database: PostgresDatabase) -> None:
    """End every connection to the database, and wait until they are gone."""
    others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    other = await asyncpg.connect(plain(database))
    try:
        await other.execute(f"SELECT pg_terminate_backend(pid) {others}")
        async with asyncio.timeout(10):
            while await other.fetchval(f"SELECT count(*) {others}"):
                await asyncio.sleep(0.01)
    finally:
        await other.close()


async def test_connections_lost_between_two_uses_are_no_loss(store: PostgresDatabase) -> None:
    await store.commit(adding("A"))
    assert set(await heads(store)) == {"A"}
    await cut_off(store)
    assert set(await heads(store)) == {"A"}
    await store.commit(adding("B"))
    assert set(await heads(store)) == {"A", "B"}


async def test_one_leads_until_its_connection_dies_and_then_another(
    store: PostgresDatabase, tmp_path: Path
) -> None:
    async with PostgresDatabase(address(store), vault(tmp_path)) as second:
        assert [await store.leads(), await second.leads(), await store.leads()] == [
            True,
            False,
            True,
        ]
        await cut_off(store)
        async with asyncio.timeout(10):
            while not await second.leads():
                await asyncio.sleep(0.01)
        assert not await store.leads()
    assert await store.leads()


@pytest.mark.parametrize("value", [1.0, 12.34, "12"])
async def test_an_amount_is_a_whole_number_or_nothing_at_all(
    store: PostgresDatabase, value: Any
) -> None:
    """The driver alone would cut a fraction off in silence."""
    row = {"receiver": "A", "last_seq": value}
    with pytest.raises(StoreFailed):
        await store.commit(Unit("T1", 2026, writes=(Insert(lane, [row]),)))
    assert await heads(store) == {}


async def test_without_a_server_nothing_is_acknowledged_and_afterwards_all_goes_on(
    tmp_path: Path,
) -> None:
    folder = postgres.new_folder()
    server = await asyncio.to_thread(postgres.start, folder, {})
    try:
        url = server.replace("postgresql:", "postgresql+asyncpg:") + "/postgres"
        await migrate_at(url)
        async with PostgresDatabase(url, vault(tmp_path)) as database:
            await database.commit(adding("before"))
            await asyncio.to_thread(postgres.stop, folder, "immediate")
            with pytest.raises(StoreFailed):
                await database.commit(adding("meanwhile"))
            with pytest.raises(StoreFailed):
                await heads(database)
            port = int(server.rsplit(":", 1)[1])
            await asyncio.to_thread(postgres.start, folder, {}, port)
            await database.commit(adding("after"))
            assert set(await heads(database)) == {"before", "after"}
            assert not database.broken.is_set()
    finally:
        await asyncio.to_thread(postgres.remove, folder)


# --- the schema ---

_SCHEMA = {
    "columns": "SELECT table_name, column_name, data_type, is_nullable, is_identity, "
    "collation_name "
    "FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 2",
    "indexes": "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1",
    "constraints": "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) "
    "FROM pg_constraint WHERE connamespace = 'public'::regnamespace ORDER BY 1, 2",
    "triggers": "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1",
    "functions": "SELECT prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace",
}


async def _described(url: str, question: str) -> list[tuple[Any, ...]]:
    other = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        rows = [tuple(row) for row in await other.fetch(_SCHEMA[question])]
    finally:
        await other.close()
    return [row for row in rows if "alembic_version" not in str(row)]


@pytest.mark.parametrize("question", _SCHEMA)
async def test_migrations_and_tables_agree_on_everything(migrated_url: str, question: str) -> None:
    created = postgres.new_database()
    engine = engine_at(created, read_only=False)
    async with engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
    await engine.dispose()
    found, expected = await _described(migrated_url, question), await _described(created, question)
    postgres.drop(created)
    assert found == expected
    assert found
    if question == "functions":
        assert [source for (source,) in found] == [append_only.POSTGRESQL_FUNCTION.split("$$")[1]]


async def test_a_database_is_migrated_once(migrated_url: str) -> None:
    assert await migrate_at(migrated_url) is False


@pytest.mark.parametrize("name", APPEND_ONLY)
@pytest.mark.parametrize("act", ["DELETE FROM {}", "TRUNCATE {}"])
async def test_history_is_never_deleted(store: PostgresDatabase, name: str, act: str) -> None:
    await _one_row(store, name)
    other = await asyncpg.connect(plain(store))
    try:
        with pytest.raises(asyncpg.PostgresError, match=f"{name} is append-only"):
            await other.execute(act.format(name))
    finally:
        await other.close()


@pytest.mark.parametrize("name", APPEND_ONLY)
async def test_a_column_of_history_changes_only_if_it_may(
    store: PostgresDatabase, name: str
) -> None:
    await _one_row(store, name)
    other = await asyncpg.connect(plain(store))
    names = {column.name for column in metadata.tables[name].columns}
    try:
        for column in names & MAY_CHANGE:
            await other.execute(f"UPDATE {name} SET {column} = {column}")  # noqa: S608
        for column in names - MAY_CHANGE:
            with pytest.raises(asyncpg.PostgresError, match=f"{name} is append-only"):
                await other.execute(f"UPDATE {name} SET {column} = {column}")  # noqa: S608
    finally:
        await other.close()


async def _one_row(database: PostgresDatabase, name: str) -> None:
    """One row with something in every column."""
    table = tables.metadata.tables[name]
    made = {int: 1, str: "x", bytes: b"x"}
    row = {column.name: made[column.type.python_type] for column in table.columns}
    if name == "transfer":
        row["credit"] = "y"
    async with by_hand(database) as connection:
        await connection.execute(table.insert(), row)


async def test_a_pool_that_runs_out_is_a_store_that_fails_and_works_again(
    store: PostgresDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool: Any = store.readers.sync_engine.pool
    monkeypatch.setattr(pool, "_timeout", 0.1)
    async with AsyncExitStack() as busy:
        for _ in range(pool.size()):
            await busy.enter_async_context(store.reading())
        with pytest.raises(StoreFailed):
            await heads(store)
    assert await heads(store) == {}
