"""sqlite3 as SQLAlchemy's asynchronous engines want it: a statement is one visit to a thread.

A statement and all its rows are one piece of work. Readers do it in threads of their own, so
that a long query holds up nobody; the writer, which is in a thread already for its whole
transaction, does it there and then (`driven`).
"""

import asyncio
import sqlite3
from collections import deque
from collections.abc import Callable, Coroutine, Iterator, Sequence
from concurrent.futures import Executor
from typing import Any, TypeVar

from sqlalchemy.engine.interfaces import AdaptedConnection
from sqlalchemy.util import await_only

_T = TypeVar("_T")
_Do = Callable[[Callable[[], None]], None]


class Driver:
    """What SQLAlchemy takes for the module of a driver; everything else is sqlite3's."""

    paramstyle = "qmark"
    has_stop = True

    def __init__(self, threads: Executor | None) -> None:
        self._threads = threads

    def __getattr__(self, name: str) -> Any:
        return getattr(sqlite3, name)

    def connect(self, *args: Any, **given: Any) -> "_Connection":
        connection = sqlite3.connect(*args, **(given | {"check_same_thread": False}))
        return _Connection(connection, self._do)

    def _do(self, work: Callable[[], None]) -> None:
        """Done here, or in a thread while the loop goes on."""
        if self._threads is None:
            await_only(_at_once(work))
        else:
            await_only(asyncio.get_running_loop().run_in_executor(self._threads, work))


async def _at_once(work: Callable[[], None]) -> None:
    work()


def driven(work: Coroutine[Any, Any, _T]) -> _T:
    """The result of a coroutine that waits for nothing but a driver without threads."""
    try:
        work.send(None)
    except StopIteration as done:
        result: _T = done.value
        return result
    work.close()
    raise RuntimeError("it waits for something")


class _Connection(AdaptedConnection):
    """A connection whose statements are done where the driver says."""

    __slots__ = ("_do",)

    def __init__(self, connection: sqlite3.Connection, do: _Do) -> None:
        self._connection: Any = connection
        self._do = do

    @property
    def isolation_level(self) -> Any:
        return self._connection.isolation_level

    @isolation_level.setter
    def isolation_level(self, value: Any) -> None:
        self._connection.isolation_level = value

    def create_function(self, *args: Any, **given: Any) -> None:
        self._connection.create_function(*args, **given)

    def cursor(self, server_side: bool = False) -> "_Cursor":
        return _Cursor(self._connection, self._do)

    def rollback(self) -> None:
        self._connection.rollback()

    def commit(self) -> None:
        self._connection.commit()

    def close(self) -> None:
        self._connection.close()

    def terminate(self) -> None:
        self._connection.close()


class _Cursor:
    """A cursor that has all its rows as soon as it was executed."""

    __slots__ = ("_cursor", "_do", "_rows", "arraysize")

    def __init__(self, connection: sqlite3.Connection, do: _Do) -> None:
        self._cursor, self._do = connection.cursor(), do
        self._rows: deque[Any] = deque()
        self.arraysize = 1

    @property
    def description(self) -> Any:
        return self._cursor.description

    @property
    def rowcount(self) -> int:
        return self._cursor.rowcount

    @property
    def lastrowid(self) -> int | None:
        return self._cursor.lastrowid

    def execute(self, statement: str, given: Any = ()) -> None:
        def work() -> None:
            self._cursor.execute(statement, given or ())
            if self._cursor.description:
                self._rows = deque(self._cursor.fetchall())

        self._do(work)

    def executemany(self, statement: str, given: Sequence[Any]) -> None:
        def work() -> None:
            self._cursor.executemany(statement, given)

        self._do(work)

    def setinputsizes(self, *_: Any) -> None:
        """SQLite has no use for it."""

    def __iter__(self) -> Iterator[Any]:
        while self._rows:
            yield self._rows.popleft()

    def fetchone(self) -> Any:
        return self._rows.popleft() if self._rows else None

    def fetchmany(self, size: int | None = None) -> list[Any]:
        return [self._rows.popleft() for _ in range(min(size or 1, len(self._rows)))]

    def fetchall(self) -> list[Any]:
        rows = list(self._rows)
        self._rows.clear()
        return rows

    def close(self) -> None:
        self._cursor.close()

    async def _async_soft_close(self) -> None:
        """The rows are here already."""
