"""A request that is cancelled at any await leaves its message unseen or final, and no open
transaction behind (protocol §4)."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Generator
from itertools import count
from types import coroutine
from typing import Any

from sqlalchemy import func, select, text

from gateway.flows.exchange import Request
from gateway.store.tables import settlement
from tests.flows.office import LINES, Heard, Office
from tests.store.conftest import POSTGRESQL

_IDLE = text(
    "SELECT count(*) AS idle FROM pg_stat_activity"
    " WHERE datname = current_database() AND state LIKE 'idle in transaction%'"
)
_PATIENCE_S = 10
FEWEST = {"sqlite": 2, POSTGRESQL: 5}
"""So often at least a commit waits: for what it reads, on SQLite in one piece, and for its
transaction."""


@coroutine
def watched(
    work: Coroutine[Any, Any, Any], at_wait: Callable[[int], object]
) -> Generator[Any, Any, Any]:
    """The work; whenever it waits, `at_wait` is told for how many times it had waited before."""
    step, given = work.send, None
    for number in count():
        try:
            waited = step(given)
        except StopIteration as done:
            return done.value
        at_wait(number)
        try:
            yield waited
            step, given = work.send, None
        except BaseException as thrown:
            step, given = work.throw, thrown


def cancelled_at(turn: int, work: Coroutine[Any, Any, Any]) -> Awaitable[Any]:
    """The work, cancelled when it waits for the `turn`-th time."""
    return watched(work, lambda number: _current().cancel() if number == turn else None)


def _current() -> asyncio.Task[Any]:
    task = asyncio.current_task()
    assert task is not None
    return task


async def was_cancelled(turn: int, work: Coroutine[Any, Any, Any]) -> bool:
    """Whether the work waited so often, and was cancelled then."""
    outcomes = await asyncio.gather(_run(turn, work), return_exceptions=True)
    return isinstance(outcomes[0], asyncio.CancelledError)


async def _run(turn: int, work: Coroutine[Any, Any, Any]) -> Any:
    return await cancelled_at(turn, work)


async def said_again(office: Office, request: Request) -> Heard:
    """What the sender hears at last: what it had said may still be worked on."""
    async with asyncio.timeout(_PATIENCE_S):
        while (again := await office.hear(request)).code == "IN_PROGRESS":
            await asyncio.sleep(0.01)
    return again


async def idle(office: Office) -> int:
    """How many transactions are open on the server although nobody works on them."""
    (row,) = await office.rows(_IDLE)
    found: int = row["idle"]
    return found


async def test_a_commit_cancelled_at_each_await_is_settled_once_when_resent(
    office: Office, store: str
) -> None:
    for turn in count():
        await office.recognised(f"C{turn}", turn)
        stay = await office.billed("H001", f"V{turn}", turn)
        command = office.commit_of(stay, *LINES)
        request = await office.request("H001", "settlement.commit", command, f"COMMIT-{turn}")
        stopped = await was_cancelled(turn, office.hear(request))
        again = await said_again(office, request)
        assert again.code == "OK"
        live = select(func.count().label("live")).where(
            settlement.c.admission_id == stay, settlement.c.live == 1
        )
        assert await office.rows(live) == [{"live": 1}]
        if not stopped:
            break
    assert turn >= FEWEST[store]
    if store == POSTGRESQL:
        async with asyncio.timeout(_PATIENCE_S):
            while await idle(office):
                await asyncio.sleep(0.01)
