"""A request that is cancelled at any await leaves its message unseen or final, and no open
transaction behind (protocol §4)."""

import asyncio
from collections.abc import Coroutine, Generator
from itertools import count
from types import coroutine
from typing import Any

from sqlalchemy import func, select, text

from gateway.store.tables import settlement
from tests.flows.office import LINES, Office
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
def cancelled_at(turn: int, work: Coroutine[Any, Any, Any]) -> Generator[Any, Any, Any]:
    """The work, cancelled when it waits for the `turn`-th time."""
    step, given = work.send, None
    for number in count():
        try:
            waited = step(given)
        except StopIteration as done:
            return done.value
        if number == turn:
            _current().cancel()
        try:
            yield waited
            step, given = work.send, None
        except BaseException as thrown:
            step, given = work.throw, thrown


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
        again = await office.hear(request)
        while again.code == "IN_PROGRESS":
            await asyncio.sleep(0.01)
            again = await office.hear(request)
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
