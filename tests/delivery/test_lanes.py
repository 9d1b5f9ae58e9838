"""Lanes under load: many writers, several delivering processes, a receiver away for a day."""

import asyncio
import os
import tracemalloc
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from random import Random

import pytest

from gateway.clock import micros
from gateway.delivery import breaker as breaker_module
from gateway.delivery import worker as worker_module
from gateway.delivery.scribe import number_lanes
from gateway.delivery.worker import Worker
from gateway.ports import Channel, ChannelBusy
from gateway.store.database import Database
from gateway.store.deliveries import DONE, PARKED, WAITING
from gateway.store.postgres import PostgresDatabase
from gateway.store.tables import lane, mapping_book, outbox
from gateway.store.unit import Change, Insert, KeyTaken, StaleFacts, Unit, Upsert
from tests.delivery.lanes import (
    Post,
    SetClock,
    a_message,
    a_worker,
    committed,
    committed_each,
    kept,
    names,
    refusal,
    states,
)
from tests.store.conftest import POSTGRESQL, reopened
from tests.store.hands import by_hand

SEED = 20261122
WRITERS, EACH = 8, 15
SUBJECTS, RECEIVERS = ("S1", "S2", "S3"), ("AGENCY", "H1", "H2")


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def timer(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The machine's timer as the breakers read it: the test sets the only element."""
    now = [1000.0]
    monkeypatch.setattr(breaker_module, "elapsed_s", lambda since=0.0: now[0] - since)
    return now


@asynccontextmanager
async def at_work(*workers: Worker) -> AsyncIterator[None]:
    """The workers run inside the block."""
    stop = asyncio.Event()
    tasks = [asyncio.create_task(worker.run(asyncio.Event(), stop)) for worker in workers]
    try:
        yield
    finally:
        stop.set()
        await asyncio.gather(*tasks)


async def all_done(database: Database, count: int, wait_s: float = 60) -> None:
    async with asyncio.timeout(wait_s):
        while Counter((await states(database)).values())[DONE] < count:
            await asyncio.sleep(0.05)


# --- eight writers ---


class Writers:
    """Each adds to a subject what follows from the version it read, as every flow does."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)  # noqa: S311
        self._versions: dict[str, int] = dict.fromkeys(SUBJECTS, 1)
        self.written: defaultdict[tuple[str, str], list[str]] = defaultdict(list)

    async def begin(self, database: Database) -> None:
        books = [{"hospital": name, "version": 1} for name in SUBJECTS]
        await database.commit(Unit("T0", 2026, writes=(Insert(mapping_book, books),)))

    async def write(self, database: Database) -> None:
        for _ in range(EACH):
            while not await self._written(database, self._random.choice(SUBJECTS)):
                await asyncio.sleep(self._random.random() / 500)

    async def _written(self, database: Database, subject: str) -> bool:
        version, receiver = self._versions[subject], self._random.choice(RECEIVERS)
        await asyncio.sleep(self._random.random() / 500)
        name = f"{receiver}.{subject}.{version:04d}"
        seen = {"hospital": subject, "version": version}
        moved = Change(mapping_book, seen, {"version": version + 1})
        told = Insert(outbox, [a_message(name, receiver=receiver, subject=subject)])
        try:
            await database.commit(Unit(f"T{name}", 2026, writes=(moved, told)))
        except (StaleFacts, KeyTaken):
            return False
        self._versions[subject] = max(self._versions[subject], version + 1)
        self.written[receiver, subject].append(name)
        return True


class Unreliable(Post):
    """Receivers that lose one message in five, or its receipt."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self._random = Random(seed)  # noqa: S311
        self.receipted: defaultdict[str, list[str]] = defaultdict(list)
        self.hearing: set[str] = set()

    async def channel_for(self, receiver: str) -> Channel | None:
        return _Losing(self, receiver)

    async def heard_by(self, receiver: str, message: bytes) -> bytes:
        assert receiver not in self.hearing, "two push the same lane"
        self.hearing.add(receiver)
        try:
            await asyncio.sleep(self._random.random() / 500)
            if self._random.random() < 0.1:
                raise ChannelBusy("lost on its way")
            received = self.heard(receiver, message)
            self.receipted[receiver].append(message.decode().split()[1])
            if self._random.random() < 0.1:
                raise ChannelBusy("the receipt was lost")
            return received
        finally:
            self.hearing.discard(receiver)


class _Losing:
    def __init__(self, post: Unreliable, receiver: str) -> None:
        self._post, self._receiver = post, receiver

    async def send(self, message: bytes) -> bytes:
        return await self._post.heard_by(self._receiver, message)


def first_times(names: list[str]) -> list[str]:
    """Each once, where it came first."""
    return list(dict.fromkeys(names))


async def test_of_eight_writers_nothing_is_lost_and_nothing_comes_out_of_order(
    database: Database, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two delivering processes, where the store takes two, and receivers that lose messages."""
    monkeypatch.setattr(worker_module, "delay_s", lambda attempts: 0.0)
    monkeypatch.setattr(breaker_module, "_REST_S", 0.01)
    writers, post = Writers(SEED), Unreliable(SEED)
    await writers.begin(database)
    async with AsyncExitStack() as stack:
        others = [database]
        if isinstance(database, PostgresDatabase):
            others.append(await stack.enter_async_context(reopened(database)))
        workers = [a_worker(one, clock, post) for one in others]
        await stack.enter_async_context(at_work(*workers))
        await asyncio.gather(*(writers.write(others[n % len(others)]) for n in range(WRITERS)))
        await all_done(database, WRITERS * EACH)
    for (receiver, subject), written in writers.written.items():
        came = [name for name in post.receipted[receiver] if f".{subject}." in name]
        assert first_times(came) == sorted(written), f"seed {SEED}"
    assert sum(map(len, writers.written.values())) == WRITERS * EACH


async def test_a_scribe_that_lost_the_lead_numbers_nothing_behind_its_successor(
    database: Database, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It read, somebody else numbered something, and only then does it commit."""
    await committed_each(database, names(3))
    await number_lanes(database, clock)
    await committed(database, a_message("M004"))
    commit, moved = database.commit, Upsert(lane, [{"receiver": "AGENCY", "last_seq": 9}])

    async def late(unit: Unit) -> None:
        monkeypatch.setattr(database, "commit", commit)
        await commit(Unit("T9", 2026, writes=(moved,)))
        await commit(unit)

    monkeypatch.setattr(database, "commit", late)
    assert await number_lanes(database, clock) == 0
    assert (await kept(database))["M004"]["lane_seq"] is None
    assert await number_lanes(database, clock) == 1
    assert (await kept(database))["M004"]["lane_seq"] == 10


# --- several delivering processes ---

SEVERAL = pytest.mark.parametrize("database", [POSTGRESQL], indirect=True)
"""SQLite takes one process."""


@pytest.fixture
async def two(database: Database) -> AsyncIterator[tuple[PostgresDatabase, PostgresDatabase]]:
    """The same store as two processes have it."""
    async with reopened(database) as other:
        yield database, other  # type: ignore[misc]


@SEVERAL
async def test_a_lane_that_one_process_holds_is_skipped_by_the_other(
    two: tuple[Database, Database], clock: SetClock
) -> None:
    one, other = two
    await committed(one, a_message("A-1"), a_message("H-1", receiver="H1", position=1))
    await number_lanes(one, clock)
    post = Post()
    async with one.lane("AGENCY") as ours, one.lane("NOBODY") as nobodys:
        assert (ours, nobodys) == (True, False)
        assert await a_worker(other, clock, post).turn() == 1
        assert post.order == ["H-1"]
        # The lane is locked and never a message: it is acknowledged and numbered meanwhile.
        await committed(one, a_message("A-2", position=2))
        assert await number_lanes(other, clock) == 1
    assert await a_worker(other, clock, post).turn() == 2
    assert post.order == ["H-1", "A-1", "A-2"]


@SEVERAL
async def test_the_lane_of_a_process_that_died_is_free(
    two: tuple[Database, Database], clock: SetClock
) -> None:
    one, other = two
    await committed(one, a_message("A-1"))
    await number_lanes(one, clock)
    async with one.lane("AGENCY") as ours:
        assert ours
        async with by_hand(other) as hand:
            await hand.exec_driver_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE state = 'idle in transaction' AND datname = current_database() "
                "AND query LIKE '%lane_lock%'"
            )
        assert await a_worker(other, clock, Post()).turn() == 1


@SEVERAL
async def test_what_one_process_commits_wakes_the_other(two: tuple[Database, Database]) -> None:
    one, other = two
    woken = asyncio.Event()
    listening = asyncio.create_task(other.listening(woken.set))
    await _told_until(one, woken, "once it listens")
    await asyncio.sleep(0.1)
    woken.clear()
    # What brings no work wakes nobody.
    await number_lanes(one, SetClock())
    await asyncio.sleep(0.1)
    assert not woken.is_set()
    await committed(one, a_message("and from then on"))
    await asyncio.wait_for(woken.wait(), 5)
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)


@SEVERAL
async def test_a_listener_that_lost_its_connection_hears_again(
    two: tuple[Database, Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.store.postgres._LISTEN_AGAIN_S", 0.05)
    one, other = two
    woken = asyncio.Event()
    listening = asyncio.create_task(other.listening(woken.set))
    await _told_until(one, woken, "before")
    async with by_hand(one) as hand:
        await hand.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND query LIKE 'LISTEN%'"
        )
    woken.clear()
    await _told_until(one, woken, "after")
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    assert set(Counter((await states(one)).values())) == {WAITING}


async def _told_until(database: Database, woken: asyncio.Event, prefix: str) -> None:
    """Commit until somebody heard of it."""
    async with asyncio.timeout(20):
        for number in range(1000):
            await committed(database, a_message(f"{prefix}-{number}"))
            await asyncio.sleep(0.1)
            if woken.is_set():
                return


# --- a receiver away for a day ---


async def test_after_a_day_without_the_receiver_everything_arrives_in_order(
    database: Database, clock: SetClock, timer: list[float]
) -> None:
    """24 hours by the business clock: every half hour something for each subject."""
    post, written = Post(), defaultdict[str, list[str]](list)
    worker, tries = a_worker(database, clock, post), []
    post.down = {"AGENCY"}
    for step in range(24 * 2):
        made = [a_message(f"{one}-{step:03d}", subject=one, position=at)
                for at, one in enumerate(SUBJECTS)]  # fmt: skip
        due = [row | {"next_us": micros(clock.now())} for row in made]
        await committed(database, *due)
        for one in SUBJECTS:
            written[one].append(f"{one}-{step:03d}")
        assert await worker.turn() == 0
        tries.append(len(post.sent))
        clock.move(minutes=30)
        timer[0] += 1800
    # A receiver that is away is asked now and then, however much waits for it.
    assert tries[-1] <= len(SUBJECTS) * len(tries)
    post.down, post.sent = set(), []
    total = sum(map(len, written.values()))
    assert await worker.turn() == total == len(post.sent)
    for one, names_of_one in written.items():
        assert [name for name in post.order if name.startswith(one)] == names_of_one
    assert set((await states(database)).values()) == {DONE}


async def test_the_backlog_is_on_the_disk_and_not_in_memory(
    database: Database, clock: SetClock, timer: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "_PAGE", 2)
    count, size = 120, 100_000
    for number in range(count):
        sealed = b"<sealed M%03d />" % number + os.urandom(size)
        await committed(database, a_message(f"M{number}", subject=f"S{number}", sealed=sealed))
    sizes = list[int]()

    class Counting:
        async def send(self, message: bytes) -> bytes:
            sizes.append(len(message))
            return b"<receipt/>"

    async def channel_for(_: str) -> Channel:
        return Counting()

    tracemalloc.start()
    try:
        assert await Worker(database, clock, channel_for, 0.01).turn() == count
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert sum(sizes) > count * size
    assert peak < sum(sizes) / 3


async def test_a_poisoned_subject_stays_behind_and_is_seen_while_hundreds_pass_it(
    database: Database, clock: SetClock, caplog: pytest.LogCaptureFixture
) -> None:
    post = Post()
    worker = a_worker(database, clock, post)
    await committed(database, a_message("P-1", subject="P"), a_message("P-2", subject="P"))
    post.answers("P-1", refusal)
    for number in range(100):
        await committed(database, a_message(f"G-{number:03d}", subject=f"G{number}"))
    assert await worker.turn() == 100
    found = await states(database)
    assert (found["P-1"], found["P-2"]) == (PARKED, WAITING)
    assert Counter(found.values()) == {DONE: 100, PARKED: 1, WAITING: 1}
    [record] = [one for one in caplog.records if one.message == "message parked"]
    assert (record.__dict__["subject"], record.levelname) == ("P", "ERROR")
