"""At least once, in order within a subject, and done only on the receiver's receipt."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256

import pytest
from sqlalchemy import select

from gateway.clock import micros
from gateway.delivery import breaker as breaker_module
from gateway.delivery import worker as worker_module
from gateway.delivery.worker import Worker
from gateway.store.database import Database
from gateway.store.deliveries import DONE, PARKED, WAITING
from gateway.store.tables import leaf, outbox
from gateway.store.unit import Change, StoreFailed, Unit
from tests.delivery.lanes import (
    START,
    Post,
    SetClock,
    a_message,
    a_worker,
    committed,
    committed_each,
    kept,
    names,
    refusal,
    sealed,
    silence,
    states,
)
from tests.store.conftest import reopened


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def post() -> Post:
    return Post()


@pytest.fixture
def worker(database: Database, clock: SetClock, post: Post) -> Worker:
    return a_worker(database, clock, post)


@pytest.fixture
def timer(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The machine's timer as the breakers read it: the test sets the only element."""
    now = [1000.0]
    monkeypatch.setattr(breaker_module, "elapsed_s", lambda since=0.0: now[0] - since)
    return now


# --- receipts ---


async def test_a_receipted_message_is_done_with_its_receipt_kept(
    database: Database, worker: Worker, post: Post
) -> None:
    await committed(database, a_message("M1"))
    assert await worker.turn() == 1
    row = (await kept(database))["M1"]
    assert (row["state"], row["receipt"], row["done_us"]) == (DONE, b"<receipt/>", micros(START))
    assert await worker.turn() == 0
    assert post.order == ["M1"]


async def test_without_a_receipt_the_same_bytes_go_again_and_again(
    database: Database, worker: Worker, post: Post, clock: SetClock
) -> None:
    await committed(database, a_message("M1"))
    post.answers("M1", silence, silence, silence)
    for _ in range(3):
        assert await worker.turn() == 0
        clock.move(minutes=6)
    assert (await kept(database))["M1"]["attempts"] == 3
    assert await worker.turn() == 1
    assert post.sent == [("AGENCY", sealed("M1"))] * 4


async def test_a_try_that_failed_says_why_and_waits_its_time(
    database: Database, worker: Worker, post: Post
) -> None:
    await committed(database, a_message("M1"))
    post.answers("M1", silence)
    await worker.turn()
    row = (await kept(database))["M1"]
    assert (row["state"], row["last_error"]) == (WAITING, "no receipt: ReadTimeout")
    assert row["next_us"] > micros(START)
    assert row["receipt"] is None
    await worker.turn()
    assert post.order == ["M1"]


async def test_a_receiver_without_an_address_is_looked_up_again_later(
    database: Database, worker: Worker, post: Post, clock: SetClock
) -> None:
    await committed(database, a_message("M1"))
    post.unreachable = {"AGENCY"}
    assert await worker.turn() == 0
    assert (await kept(database))["M1"]["last_error"] == "no channel"
    post.unreachable = set()
    clock.move(minutes=6)
    assert await worker.turn() == 1


async def test_what_is_pulled_is_never_pushed(
    database: Database, worker: Worker, post: Post
) -> None:
    await committed(database, a_message("M1", channel="pull"))
    assert await worker.turn() == 0
    assert post.sent == []


# --- order ---


async def test_a_subjects_messages_arrive_in_order_of_commit(
    database: Database, worker: Worker, post: Post
) -> None:
    await committed_each(database, names(70))
    assert await worker.turn() == 70
    assert post.order == names(70)


async def test_a_message_waits_for_the_one_before_it_and_other_subjects_do_not(
    database: Database, worker: Worker, post: Post, clock: SetClock
) -> None:
    await committed(database, a_message("A-1"), a_message("A-2", position=1))
    await committed(database, a_message("B-1", subject="B1"))
    post.answers("A-1", silence)
    await worker.turn()
    assert await states(database) == {"A-1": WAITING, "A-2": WAITING, "B-1": DONE}
    clock.move(minutes=6)
    await worker.turn()
    assert post.order == ["A-1", "B-1", "A-1", "A-2"]


async def test_order_binds_a_subject_for_each_receiver_alone(
    database: Database, worker: Worker, post: Post
) -> None:
    await committed(database, a_message("to the agency"), a_message("H1-1", receiver="H1"))
    post.down = {"AGENCY"}
    await worker.turn()
    assert (await states(database))["H1-1"] == DONE


async def test_a_refused_message_parks_its_subject_only_and_visibly(
    database: Database,
    worker: Worker,
    post: Post,
    clock: SetClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await committed(database, a_message("A-1"), a_message("A-2", position=1))
    await committed(database, a_message("B-1", subject="B1"))
    post.answers("A-1", refusal)
    for _ in range(3):
        await worker.turn()
        clock.move(hours=1)
    assert await states(database) == {"A-1": PARKED, "A-2": WAITING, "B-1": DONE}
    assert post.order == ["A-1", "B-1"]
    assert (await kept(database))["A-1"]["last_error"] == "refused by the receiver"
    assert [record.message for record in caplog.records] == ["message parked"]


async def test_a_parked_message_let_go_again_leads_its_subject(
    database: Database, worker: Worker, post: Post
) -> None:
    await committed(database, a_message("A-1"), a_message("A-2", position=1))
    post.answers("A-1", refusal)
    await worker.turn()
    again = Change(outbox, {"message_id": "A-1", "state": PARKED}, {"state": WAITING})
    await database.commit(Unit("T2", 2026, writes=(again,)))
    assert await worker.turn() == 2
    assert post.order == ["A-1", "A-1", "A-2"]


# --- receivers that are down, or slow ---


async def test_after_five_failures_a_receiver_rests_and_others_go_on(
    database: Database, worker: Worker, post: Post, timer: list[float]
) -> None:
    for number in range(8):
        await committed(database, a_message(f"A-{number}", subject=f"S{number}"))
        await committed(database, a_message(f"H-{number}", receiver="H1", subject=f"S{number}"))
    post.down = {"AGENCY"}
    await worker.turn()
    sent = post.by_receiver()
    assert (len(sent["AGENCY"]), len(sent["H1"])) == (5, 8)
    timer[0] += 29
    await worker.turn()
    assert len(post.by_receiver()["AGENCY"]) == 5
    timer[0] += 1
    post.down = set()
    assert await worker.turn() == 3


async def test_a_resting_receivers_backlog_takes_nobodys_place(
    database: Database,
    worker: Worker,
    post: Post,
    timer: list[float],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(worker_module, "_PAGE", 6)
    for number in range(20):
        await committed(database, a_message(f"A-{number}", subject=f"S{number}"))
    await committed(database, a_message("H-1", receiver="H1"))
    post.down = {"AGENCY"}
    assert await asyncio.wait_for(worker.turn(), 10) == 1
    assert (await states(database))["H-1"] == DONE


async def test_a_slow_receiver_holds_up_nobody_else(
    database: Database, clock: SetClock, post: Post
) -> None:
    answered = asyncio.Event()

    class Slow:
        async def send(self, _: bytes) -> bytes:
            await answered.wait()
            return b"<receipt/>"

    async def channel_for(receiver: str):
        return Slow() if receiver == "AGENCY" else await post.channel_for(receiver)

    await committed(database, a_message("A-1"), a_message("H-1", receiver="H1", position=1))
    turn = asyncio.create_task(Worker(database, clock, channel_for, 0.01).turn())
    async with asyncio.timeout(10):
        while (await states(database))["H-1"] != DONE:
            await asyncio.sleep(0.01)
    assert (await states(database))["A-1"] == WAITING
    answered.set()
    assert await turn == 2


async def test_a_refusal_is_an_answer_and_opens_no_breaker(
    database: Database, worker: Worker, post: Post
) -> None:
    for number in range(8):
        await committed(database, a_message(f"A-{number}", subject=f"S{number}"))
        post.answers(f"A-{number}", refusal)
    await worker.turn()
    assert set((await states(database)).values()) == {PARKED}


# --- what happens meanwhile ---


async def test_a_message_acknowledged_while_it_was_sent_stays_done_as_it_was(
    database: Database, clock: SetClock, post: Post
) -> None:
    async def channel_for(_: str):
        return Acknowledging()

    class Acknowledging:
        async def send(self, _: bytes) -> bytes:
            change = Change(outbox, {"message_id": "M1"}, {"state": DONE, "done_us": 7})
            await database.commit(Unit("T2", 2026, writes=(change,)))
            return b"<receipt/>"

    await committed(database, a_message("M1"))
    await Worker(database, clock, channel_for, 0.01).turn()
    row = (await kept(database))["M1"]
    assert (row["state"], row["done_us"], row["receipt"]) == (DONE, 7, None)
    async with database.reading() as reader:
        assert await reader.rows(select(leaf.c.tx_id)) == []


async def test_the_backlog_survives_a_restart(
    database: Database, worker: Worker, post: Post, clock: SetClock
) -> None:
    await committed_each(database, names(3))
    post.down = {"AGENCY"}
    await worker.turn()
    await committed(database, a_message("M004"))
    post.down = set()
    clock.move(minutes=6)
    async with reopened(database) as again:
        assert await a_worker(again, clock, post).turn() == 4
    assert post.order == ["M001", *names(4)]


async def test_a_receipt_is_evidence_of_exactly_what_was_sent_and_answered(
    database: Database, worker: Worker
) -> None:
    await committed(database, a_message("M1"))
    await worker.turn()
    async with database.reading() as reader:
        [row] = await reader.opened(leaf, select(leaf))
    assert (row["kind"], row["message_id"], row["sender"]) == ("delivery", "M1", "AGENCY")
    salts = [row["salts"][at : at + 32] for at in (0, 32)]
    assert row["request_commitment"] == sha256(salts[0] + sealed("M1")).digest()
    assert row["reply_commitment"] == sha256(salts[1] + b"<receipt/>").digest()


# --- running ---


@asynccontextmanager
async def at_work(worker: Worker) -> AsyncIterator[tuple[asyncio.Event, asyncio.Task[None]]]:
    """The worker runs inside the block; it can be woken."""
    wake, stop = asyncio.Event(), asyncio.Event()
    task = asyncio.create_task(worker.run(wake, stop))
    try:
        yield wake, task
    finally:
        stop.set()
        wake.set()
        await task


async def until_done(database: Database, message_id: str) -> None:
    async with asyncio.timeout(10):
        while (await states(database)).get(message_id) != DONE:
            await asyncio.sleep(0.01)


async def test_a_running_worker_is_woken_and_stopped(
    database: Database, clock: SetClock, post: Post
) -> None:
    patient = Worker(database, clock, post.channel_for, 3600)
    async with at_work(patient) as (wake, task):
        await committed(database, a_message("M1"))
        wake.set()
        await until_done(database, "M1")
    assert task.done()


async def test_a_defect_on_the_way_to_one_receiver_ends_nothing(
    database: Database, clock: SetClock, post: Post, caplog: pytest.LogCaptureFixture
) -> None:
    async def channel_for(receiver: str):
        if receiver == "AGENCY":
            raise OSError("the trust file is away")
        return await post.channel_for(receiver)

    await committed(database, a_message("A-1"), a_message("H-1", receiver="H1", position=1))
    async with at_work(Worker(database, clock, channel_for, 0.01)) as (_, task):
        await until_done(database, "H-1")
        assert not task.done()
    assert (await kept(database))["A-1"]["last_error"] == "OSError"
    [record] = [one for one in caplog.records if one.levelno == logging.ERROR]
    assert (record.message, record.__dict__["error"]) == ("a push failed", "OSError")


async def test_a_store_that_fails_once_is_asked_again(
    database: Database, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures, commit = [StoreFailed("full")], database.commit

    async def failing_once(unit: Unit) -> None:
        if failures:
            raise failures.pop()
        await commit(unit)

    await committed(database, a_message("M1"))
    monkeypatch.setattr(database, "commit", failing_once)
    async with at_work(worker):
        await until_done(database, "M1")
    assert failures == []


async def test_delivery_ends_when_the_store_has_failed(database: Database, worker: Worker) -> None:
    await committed(database, a_message("M1"))
    database.broken.set()
    async with at_work(worker) as (_, task):
        await asyncio.wait_for(task, 10)
    with pytest.raises(StoreFailed):
        await worker.turn()
    assert await states(database) == {"M1": WAITING}
