"""The machine under the gateway, simulated: clock, chance, disk, and no socket.

Only what the machine gives is replaced; every line of the gateway runs as it is. SQLite is the
real one, through the real driver: its thread alone is replaced by the loop, which does each call
of the driver after drawn time and tells of it after more.
"""

import asyncio
import random as chance
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from gateway.policy.load import load
from gateway.store import migrate, sqlite
from tests.simulation.loop import PROCESS, SimLoop, outcome, settled

START = datetime(2026, 3, 2, 1, tzinfo=UTC)


class Disk:
    """In place of the driver's thread and its queue: one call after the other, each in time."""

    def __init__(self) -> None:
        self._loop: Any = asyncio.get_running_loop()
        self._free_at, self._open = 0.0, list[sqlite3.Connection]()
        self._process = PROCESS.get()
        if self._process is not None:
            self._process.disks.append(self)

    def put_nowait(self, call: tuple["asyncio.Future[Any] | None", Callable[[], Any]]) -> None:
        now = self._loop.time()
        if self._dead or (now >= self._free_at and not _touches_disk(call[1])):
            self._do(*call)
            return
        self._free_at = max(now, self._free_at) + self._loop.latency_s()
        self._loop.call_at(self._free_at, self._do, *call)

    def _do(self, future: "asyncio.Future[Any] | None", call: Callable[[], Any]) -> None:
        done = outcome(self._alive, call)
        if isinstance(done[0], sqlite3.Connection):
            self._open.append(done[0])
        if future is None:
            return
        if _statement(call) == "COMMIT" and not self._dead:
            # Between this and its being known, the process may die.
            self._loop.call_later(self._loop.latency_s(), settled, future, *done)
        else:
            settled(future, *done)

    @property
    def _dead(self) -> bool:
        return self._process is not None and self._process.dead

    def _alive(self, call: Callable[[], Any]) -> Any:
        if self._dead and not self._open:
            raise sqlite3.OperationalError("the process is dead")
        return call()

    def cut(self) -> None:
        """The process died: what was not committed is gone."""
        for connection in self._open:
            connection.close()


def _touches_disk(call: Callable[[], Any]) -> bool:
    """Cursors are made, read out and closed in memory: what was fetched is there already."""
    work = getattr(call, "func", call)
    return getattr(work, "__name__", "") not in ("cursor", "fetchall", "close")


def _statement(call: Callable[[], Any]) -> Any:
    given = getattr(call, "args", ())
    return given[0] if given else None


class _NoThread:
    def __init__(self, **_: Any) -> None: ...

    def start(self) -> None: ...


class Time:
    """The machine's clock: virtual time on from the start, and whatever stepped it."""

    def __init__(self, loop: SimLoop) -> None:
        self._loop, self._moved = loop, timedelta(0)

    def now(self, _: Any = None) -> datetime:
        return START + timedelta(seconds=self._loop.time()) + self._moved

    def step(self, by: timedelta) -> None:
        """Somebody sets the clock, forward or back; timers do not notice."""
        self._moved += by

    def __call__(self, *given: Any, **named: Any) -> datetime:
        return datetime(*given, **named)  # noqa: DTZ001


class Served:
    """In place of a listener with its socket: the application it would serve."""

    def __init__(self, served: Any, *_: Any, uds: Any = None) -> None:
        self.app, self.port, self.started = served, 0, True


async def _serving(_: list[Served]) -> None:
    await asyncio.Event().wait()


def _no_tls(*_: Any, **__: Any) -> Any:
    return SimpleNamespace(context=None)


@contextmanager
def simulated(loop: SimLoop, line: Callable[..., Any]) -> Iterator[Time]:
    """Inside, the machine is the loop's. `line` is how the gateway calls another party."""
    time, drawn = Time(loop), loop.random.randbytes
    state = chance.getstate()
    chance.seed(loop.random.random())
    with ExitStack() as stack:
        for place, name, instead in (
            ("aiosqlite.core", "SimpleQueue", Disk),
            ("aiosqlite.core", "Thread", _NoThread),
            ("os", "urandom", drawn),
            ("random", "_urandom", drawn),
            ("gateway.clock", "datetime", time),
            ("gateway.clock", "monotonic", loop.time),
            ("gateway.store.sqlite", "_PRAGMAS", _LOOSE),
            ("gateway.store.migrate", "migrate", lambda _: False),
            ("gateway.store.migrate", "head", _head),
            ("gateway.app", "load", _policy),
            ("gateway.app", "make_server", Served),
            ("gateway.app", "tls_context", _no_tls),
            ("gateway.app", "serve", _serving),
            ("gateway.tasks", "client_context", _no_tls),
            ("gateway.tasks", "Line", line),
        ):
            stack.enter_context(patch(f"{place}.{name}", instead))
        try:
            yield time
        finally:
            chance.setstate(state)


_head, _policy = cache(migrate.head), cache(load)
_LOOSE = tuple(one.replace("synchronous=FULL", "synchronous=OFF") for one in sqlite._PRAGMAS)
"""Only processes die here, never the machine: what the system was given, it keeps. That FULL is
needed is shown by images of a power loss."""
