"""What the store tells about its own health, asked of a real database."""

import pytest

from gateway.settings import Settings
from gateway.store import health
from gateway.store.database import Database
from gateway.store.migrate import head, served
from gateway.store.tables import admission, commit_probe, metadata, outbox
from gateway.store.unit import Insert, StoreFailed, Unit
from tests import postgres
from tests.store.rows import a_row


def waiting(number: int, receiver: str, created_us: int, done_us: int | None = None) -> dict:
    return a_row(
        outbox,
        message_id=f"m{number}",
        receiver=receiver,
        channel="push",
        created_us=created_us,
        done_us=done_us,
    )


async def add(database: Database, table, *rows: dict) -> None:
    await database.commit(Unit(tx_id="t", year=2026, writes=(Insert(table, rows),)))


async def test_the_probe_writes_one_row_however_often_it_runs(database) -> None:
    await health.probe_commit(database, 1, 2026)
    await health.probe_commit(database, 2, 2026)
    async with database.reading() as reader:
        assert [row["at_us"] for row in await reader.rows(commit_probe.select())] == [2]


async def test_the_probe_fails_when_the_store_has_stopped(database) -> None:
    database.broken.set()
    with pytest.raises(StoreFailed):
        await health.probe_commit(database, 1, 2026)


async def test_a_lane_counts_what_is_undelivered_and_dates_the_oldest(database) -> None:
    rows = [
        waiting(1, "AGENCY", 30),
        waiting(2, "AGENCY", 20),
        waiting(3, "AGENCY", 10, done_us=15),
        waiting(4, "H0001", 40),
    ]
    await add(database, outbox, *[{**row, "lane_seq": at} for at, row in enumerate(rows)])
    async with database.reading() as reader:
        assert await health.lanes(reader) == (
            health.Lane("AGENCY", "push", 2, 20),
            health.Lane("H0001", "push", 1, 40),
        )


async def test_held_bills_are_counted_and_the_oldest_dated(database) -> None:
    async with database.reading() as reader:
        assert await health.held(reader) == health.Held(0, None)
    rows = [
        a_row(admission, admission_id="a", visit_no="1", bill_state="HELD", registered_us=7),
        a_row(admission, admission_id="b", visit_no="2", bill_state="HELD", registered_us=5),
        a_row(admission, admission_id="c", visit_no="3", bill_state="OPEN", registered_us=1),
    ]
    await add(database, admission, *rows)
    async with database.reading() as reader:
        assert await health.held(reader) == health.Held(2, 5)


async def test_a_migrated_database_is_at_the_head(database) -> None:
    async with database.reading() as reader:
        assert await health.revision(reader) == head() == served()[0]


async def test_an_empty_database_is_at_no_revision(tmp_path) -> None:
    (tmp_path / "gateway.db").touch()
    async with health.inspecting(Settings(data_dir=tmp_path)) as reader:
        assert await health.revision(reader) is None


async def test_an_empty_postgresql_is_at_no_revision_and_a_migrated_one_at_the_head(
    tmp_path, migrated_url
) -> None:
    empty = postgres.new_database()
    for url, expected in ((empty, None), (migrated_url, head())):
        async with health.inspecting(Settings(data_dir=tmp_path, database_url=url)) as reader:
            assert await health.revision(reader) == expected
    postgres.drop(empty)


async def test_inspecting_works_beside_a_running_server_and_makes_no_file(embedded) -> None:
    await health.probe_commit(embedded, 9, 2026)
    folder = embedded.path.parent
    before = sorted(path.name for path in folder.rglob("*"))
    async with health.inspecting(Settings(data_dir=folder)) as reader:
        assert [row["at_us"] for row in await reader.rows(commit_probe.select())] == [9]
    assert sorted(path.name for path in folder.rglob("*")) == before


async def test_inspecting_cannot_write(embedded) -> None:
    async with health.inspecting(Settings(data_dir=embedded.path.parent)) as reader:
        for table in metadata.sorted_tables[:1]:
            with pytest.raises(Exception, match="readonly"):
                await reader.rows(table.delete())


async def test_inspecting_what_is_not_there_makes_nothing(tmp_path) -> None:
    with pytest.raises(FileNotFoundError):
        async with health.inspecting(Settings(data_dir=tmp_path)):
            pass
    assert list(tmp_path.iterdir()) == []
