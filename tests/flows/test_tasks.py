"""What goes on beside answering goes on whatever fails in one turn, and says so."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from gateway import tasks
from gateway.domain.admission import BillState
from gateway.domain.case import CaseState
from gateway.flows.keep_log import keep
from gateway.health import Status, invariants
from gateway.store import sqlite
from gateway.store.stays import stay_file
from gateway.tasks import Night, Tasks
from tests.flows.office import LINES, Office

_PATIENCE_S = 10.0
_OFTEN_S = 0.05


@asynccontextmanager
async def at_work(office: Office, name: str) -> AsyncIterator[Tasks]:
    """One of the tasks of delivery, at short intervals."""
    one = office.gateway
    often = {"delivery_poll_s": _OFTEN_S, "log_every_s": _OFTEN_S}
    made = Tasks(
        one.settings.model_copy(update=often), one.desk, one.deployment, one.clock, Night()
    )
    running = asyncio.create_task(getattr(made, name)())
    try:
        yield made
        assert not running.done()
    finally:
        made.ended.set()
        await running


async def bill_state(office: Office, stay: str) -> BillState | None:
    async with office.desk.database.reading() as reader:
        file = await stay_file(reader, stay)
    return file.bill_state if file else None


async def until(met: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(_PATIENCE_S):
        while not await met():
            await asyncio.sleep(_OFTEN_S)


async def test_reads_that_fail_do_not_end_the_release_of_held_bills(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    await office.report("C1", 1)
    stay = await office.billed("H001", "V1", 1)
    await office.commit("H001", stay, *LINES)
    real, failed = tasks.release_all, list[int]()

    async def failing(desk: Any) -> int:
        if len(failed) < 3:
            failed.append(1)
            raise LookupError("planted")
        return await real(desk)

    monkeypatch.setattr(tasks, "release_all", failing)
    async with at_work(office, "release"):
        await office.decide("C1", CaseState.RECOGNISED)

        async def settled() -> bool:
            return await bill_state(office, stay) is BillState.SETTLED

        await until(settled)
    assert len(failed) == 3


async def test_who_cannot_sign_the_log_stops_commits_in_time(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = office.desk.log
    await keep(log)

    def full(_: str) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(type(log.file), "write", lambda _, note: full(note))
    await office.report("C1", 1)
    async with at_work(office, "keep_log"):
        for _ in range(6):
            office.gateway.clock.move(timedelta(hours=1))
            await asyncio.sleep(2 * _OFTEN_S)

        async def stopped() -> bool:
            return office.desk.database.stopped == "LOG_STALLED"

        await until(stopped)


async def test_a_damaged_file_of_the_last_checkpoint_stops_commits(office: Office) -> None:
    log = office.desk.log
    await keep(log)
    note = log.file.read()
    log.file.write(note[:-6] + ("B" if note[-6] == "A" else "A") + note[-5:])
    await office.report("C1", 1)
    await keep(log)
    assert office.desk.database.stopped == "LOG_ROLLED_BACK"


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
async def test_a_page_that_is_not_what_was_written_stops_the_store(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    def malformed(*_: Any) -> None:
        error = sqlite3.DatabaseError("database disk image is malformed")
        error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
        raise error

    monkeypatch.setattr(sqlite._Readers, "_found", malformed)
    with pytest.raises(Exception, match="DatabaseError"):
        await bill_state(office, "S1")
    assert office.desk.database.broken.is_set()


async def test_a_nightly_check_that_breaks_off_is_told_and_begun_again(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = 0

    async def breaking_off(_: Any) -> tuple[()]:
        nonlocal begun
        begun += 1
        if begun == 1:
            raise TimeoutError
        return ()

    monkeypatch.setattr(tasks, "check_invariants", breaking_off)
    monkeypatch.setattr(tasks, "_CHECK_AGAIN_S", 0.2)
    async with at_work(office, "check_nightly") as made:
        await asyncio.sleep(2 * _OFTEN_S)
        office.gateway.clock.move(timedelta(days=1))

        async def unfinished() -> bool:
            return made.night.unfinished

        await until(unfinished)
        assert invariants(made.night.breaches, unfinished=True).status is Status.WARN

        async def finished() -> bool:
            return made.night.breaches == 0 and not made.night.unfinished

        await until(finished)
    assert begun == 2
