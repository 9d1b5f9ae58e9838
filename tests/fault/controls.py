"""Faults built in on purpose: a harness that does not fail with each of them proves nothing.

They are planted into the running process by the harness alone; the gateway has no switch.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from gateway.store import sqlite
from gateway.store.sqlite import SqliteDatabase
from gateway.store.unit import Unit


@contextmanager
def planted(fault: str) -> Iterator[None]:
    """The fault of this name in the code of this process; "" plants none."""
    if not fault:
        yield
        return
    with FAULTS[fault]():
        yield


def acknowledge_before_commit() -> Any:
    """The reply leaves while its transaction still waits for the writer."""

    async def commit(self: SqliteDatabase, unit: Unit) -> None:
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_later(0.01, self._queue.put_nowait, (unit, done))

    return patch.object(SqliteDatabase, "commit", commit)


def synchronous_normal() -> Any:
    """A commit is not synced before it is acknowledged."""
    pragmas = [one.replace("synchronous=FULL", "synchronous=NORMAL") for one in sqlite._PRAGMAS]
    return patch.object(sqlite, "_PRAGMAS", tuple(pragmas))


FAULTS = {
    "acknowledge-before-commit": acknowledge_before_commit,
    "synchronous-normal": synchronous_normal,
}
