"""The embedded store: durable, one writer, and honest when a request or the disk fails."""

import asyncio
import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Table, select, text

from gateway.store.database import Database
from gateway.store.personal import KeyRing, Vault
from gateway.store.sqlite import AlreadyRunning, ProcessLock, SqliteDatabase
from gateway.store.tables import catalogue_edition, commit_probe, lane
from gateway.store.unit import Change, Insert, StoreFailed, Unit, Upsert
from tests.store.rows import a_row

PRAGMAS = {
    "journal_mode": "wal",
    "synchronous": 2,  # FULL
    "foreign_keys": 1,
    "trusted_schema": 0,
    "secure_delete": 1,
    "temp_store": 2,  # MEMORY
}


def a_database(path: Path) -> SqliteDatabase:
    return SqliteDatabase(path, Vault(KeyRing(path.parent / "keys", "999900")))


def adding(*names: str) -> Unit:
    rows = [{"receiver": name, "last_seq": 1} for name in names]
    return Unit("T1", 2026, writes=(Insert(lane, rows),))


async def names(database: Database, table: Table = lane) -> list[str]:
    async with database.reading() as reader:
        return [row["receiver"] for row in await reader.rows(select(table))]


# --- how connections are set up ---


@pytest.mark.parametrize("pragma", PRAGMAS)
async def test_every_reader_is_strict(migrated: Path, tmp_path: Path, pragma: str) -> None:
    path = Path(shutil.copy(migrated, tmp_path))
    async with a_database(path) as opened, opened.reading() as reader:
        [row] = await reader.rows(text(f"PRAGMA {pragma}"))
    assert list(row.values()) == [PRAGMAS[pragma]]


@pytest.mark.parametrize("pragma", PRAGMAS)
def test_the_writer_is_durable_and_strict(migrated: Path, tmp_path: Path, pragma: str) -> None:
    writer = a_database(Path(shutil.copy(migrated, tmp_path))).engines[1]
    with writer.connect() as connection:
        found = connection.scalar(text(f"PRAGMA {pragma}"))
    writer.dispose()
    assert found == PRAGMAS[pragma]


async def test_a_reader_cannot_write(database: Database) -> None:
    async with database.reading() as reader:
        with pytest.raises(Exception, match=r"read-?only"):
            await reader.rows(lane.insert().values(receiver="A", last_seq=1))
    assert await names(database) == []


async def test_what_was_committed_is_there_after_opening_again(
    migrated: Path, tmp_path: Path
) -> None:
    path = Path(shutil.copy(migrated, tmp_path))
    async with a_database(path) as first:
        await first.commit(adding("A"))
    async with a_database(path) as again:
        assert await names(again) == ["A"]


# --- cancelled requests ---


@pytest.mark.parametrize("turns", range(6))
async def test_a_cancelled_request_has_its_outcome_stored_and_leaves_no_transaction_open(
    database: Database, turns: int
) -> None:
    request = asyncio.create_task(database.commit(adding("cancelled")))
    await asyncio.sleep(0)
    for _ in range(turns):
        await asyncio.sleep(0.0005)
    request.cancel()
    await asyncio.gather(request, return_exceptions=True)
    await database.commit(adding("next"))
    async with asyncio.timeout(10):
        while sorted(await names(database)) != ["cancelled", "next"]:
            await asyncio.sleep(0.01)


async def test_a_cancelled_request_that_fails_stops_nobody(database: Database) -> None:
    await database.commit(adding("A"))
    request = asyncio.create_task(database.commit(adding("A")))
    await asyncio.sleep(0)
    request.cancel()
    with pytest.raises(asyncio.CancelledError):
        await request
    await database.commit(adding("B"))
    assert await names(database) == ["A", "B"]


async def test_a_cancelled_reader_leaves_its_place_to_others(database: Database) -> None:
    async def reading() -> None:
        async with database.reading() as reader:
            await reader.rows(select(lane))
            await asyncio.sleep(60)

    for _ in range(8):
        readers = [asyncio.create_task(reading()) for _ in range(4)]
        await asyncio.sleep(0.01)
        for one in readers:
            one.cancel()
        await asyncio.gather(*readers, return_exceptions=True)
    async with asyncio.timeout(10):
        assert await names(database) == []


async def test_many_at_once_are_written_one_after_the_other(database: Database) -> None:
    await asyncio.gather(*(database.commit(adding(f"R{number:03d}")) for number in range(300)))
    assert len(await names(database)) == 300


# --- failures ---


async def test_a_refused_transaction_leaves_the_writer_usable(database: Database) -> None:
    defective = Unit("T1", 2026, writes=(Insert(lane, [{"receiver": "A", "last_seq": 1.5}]),))
    for _ in range(3):
        with pytest.raises(StoreFailed):
            await database.commit(defective)
    assert not database.broken.is_set()
    await database.commit(adding("B"))
    assert await names(database) == ["B"]


@contextmanager
def full_disk(largest: int) -> Iterator[None]:
    """No file of this process grows beyond so many bytes: the system refuses the write."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)


async def test_an_io_error_stops_the_store_and_acknowledges_nothing(
    embedded: SqliteDatabase,
) -> None:
    database = embedded
    await database.commit(adding("before"))
    large = a_row(catalogue_edition, content=os.urandom(4 * 1024 * 1024))
    with full_disk(_wal(database).stat().st_size + 64 * 1024):
        with pytest.raises(StoreFailed):
            await database.commit(Unit("T1", 2026, writes=(Insert(catalogue_edition, [large]),)))
    assert database.broken.is_set()
    with pytest.raises(StoreFailed, match="stopped"):
        await database.commit(adding("after"))
    async with a_database(database.path) as again:
        assert await names(again) == ["before"]
        async with again.reading() as reader:
            assert await reader.row(select(catalogue_edition.c.digest)) is None


async def test_what_waited_behind_the_io_error_is_not_acknowledged_either(
    embedded: SqliteDatabase,
) -> None:
    database = embedded
    await database.commit(adding("before"))
    large = a_row(catalogue_edition, content=os.urandom(4 * 1024 * 1024))
    failing = Unit("T1", 2026, writes=(Insert(catalogue_edition, [large]),))
    with full_disk(_wal(database).stat().st_size + 64 * 1024):
        first, second = await asyncio.gather(
            database.commit(failing), database.commit(adding("behind")), return_exceptions=True
        )
    assert isinstance(first, StoreFailed)
    assert isinstance(second, StoreFailed)
    assert await names(database) == ["before"]


def _wal(database: SqliteDatabase) -> Path:
    return database.path.with_name(database.path.name + "-wal")


async def test_stale_facts_and_taken_keys_do_not_stop_the_store(database: Database) -> None:
    await database.commit(adding("A"))
    for unit, expected in ((adding("A"), "KeyTaken"), (_stale(), "StaleFacts")):
        with pytest.raises(Exception, match="lane") as raised:
            await database.commit(unit)
        assert raised.type.__name__ == expected
    assert not database.broken.is_set()


def _stale() -> Unit:
    return Unit("T1", 2026, writes=(Change(lane, {"receiver": "Z"}, {"last_seq": 2}),))


# --- one process ---


def test_a_second_process_is_refused_while_the_first_lives(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with _holder(path) as process:
        with pytest.raises(AlreadyRunning):
            ProcessLock(path).take()
        assert path.read_text() == f"{process.pid}\n"
    lock = ProcessLock(path)
    lock.take()
    assert path.read_text() == f"{os.getpid()}\n"
    lock.release()
    assert path.stat().st_mode & 0o777 == 0o600


@contextmanager
def _holder(path: Path) -> Iterator["subprocess.Popen[str]"]:
    """Another process that holds the lock, killed without a chance to let go of it."""
    program = (
        "import sys, time; from pathlib import Path\n"
        "from gateway.store.sqlite import ProcessLock\n"
        "ProcessLock(Path(sys.argv[1])).take(); print('held', flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", program, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


async def test_a_probe_may_be_written_over_and_over(database: Database) -> None:
    for at in (1, 2):
        probe: dict[str, Any] = {"probe": 1, "at_us": at}
        await database.commit(Unit("T1", 2026, writes=(Upsert(commit_probe, [probe]),)))
    async with database.reading() as reader:
        assert await reader.rows(select(commit_probe)) == [{"probe": 1, "at_us": 2}]
