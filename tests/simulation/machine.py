"""The machine under the gateway, simulated: clock, chance, and no socket.

Only what the machine gives is replaced; every line of the gateway runs as it is. SQLite is the
real one, through the real driver: its threads alone are replaced by the loop, which does a query
or a transaction whole and tells of it after drawn time, before which the process may die.
"""

import asyncio
import random as chance
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from gateway.store import sqlite
from tests.simulation.loop import SimLoop

START = datetime(2026, 3, 2, 1, tzinfo=UTC)


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
            ("os", "urandom", drawn),
            ("random", "_urandom", drawn),
            ("gateway.clock", "datetime", time),
            ("gateway.clock", "monotonic", loop.time),
            ("gateway.store.sqlite", "_PRAGMAS", _LOOSE),
            ("gateway.store.migrate", "migrate", lambda _: False),
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


_LOOSE = tuple(one.replace("synchronous=FULL", "synchronous=OFF") for one in sqlite._PRAGMAS)
"""Only processes die here, never the machine: what the system was given, it keeps. That FULL is
needed is shown by images of a power loss."""
