"""The embedded store: SQLite in WAL with synchronous=FULL, one writer, query-only readers.

Each has a thread with a connection of its own; a query, or a transaction, is one piece of work for
it. Whoever waits may be cancelled: the work goes on to its end, and no connection changes hands.
"""

import asyncio
import errno
import fcntl
import logging
import os
import sqlite3
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Final, Self, TypeVar

from sqlalchemy import (
    Connection,
    CursorResult,
    Dialect,
    Engine,
    Executable,
    Table,
    create_engine,
    event,
)
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import StaticPool

from gateway.store.apply import Statements, apply, named, run, update, updated
from gateway.store.database import IN_ONE_PIECE, Answer, Database, Reader, Work, answer_of
from gateway.store.personal import Vault
from gateway.store.prepared import prepared
from gateway.store.unit import Change, KeyTaken, Row, StaleFacts, StoreFailed, Unit

_PRAGMAS: Final = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    "trusted_schema=OFF",
    "secure_delete=ON",
    "temp_store=MEMORY",
    "busy_timeout=5000",
)
_BY_HAND: Final[dict[str, Any]] = {"isolation_level": "AUTOCOMMIT", "hide_parameters": True}
_READERS: Final = 4
_PRIMARY: Final = 0xFF
_FILE_FAILED: Final = (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_TAKEN: Final = (sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_UNIQUE)
_log = logging.getLogger(__name__)
_T = TypeVar("_T")


class AlreadyRunning(Exception):
    """Another process holds this database."""


class ProcessLock:
    """One process per database: the lock file's holder writes its process id there."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._handle: int | None = None

    def take(self) -> None:
        """Raises AlreadyRunning when another process holds the lock."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(handle)
            if error.errno in (errno.EAGAIN, errno.EACCES):
                raise AlreadyRunning(str(self._path)) from None
            raise
        os.truncate(handle, 0)
        os.write(handle, f"{os.getpid()}\n".encode())
        self._handle = handle

    def release(self) -> None:
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


def engine_for(path: Path, *, read_only: bool, size: int) -> AsyncEngine:
    """An engine whose connections have every pragma set. Transactions are begun by hand."""
    engine = create_async_engine(
        f"sqlite+aiosqlite:///{path}", pool_size=size, max_overflow=0, **_BY_HAND
    )
    _set_pragmas(engine.sync_engine, _asking() if read_only else _PRAGMAS)
    return engine


def _asking() -> tuple[str, ...]:
    return (*_PRAGMAS, "query_only=ON")


def _threaded(path: Path, pragmas: Sequence[str], **given: Any) -> Engine:
    """The same for threads that have a connection each."""
    engine = create_engine(
        f"sqlite:///{path}", connect_args={"check_same_thread": False}, **given, **_BY_HAND
    )
    _set_pragmas(engine, pragmas)
    return engine


@contextmanager
def asking(path: Path) -> Iterator[Connection]:
    """A query-only connection that answers in this thread."""
    engine = _threaded(path, _asking())
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def _set_pragmas(engine: Engine, pragmas: Sequence[str]) -> None:
    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _: Any) -> None:
        cursor = connection.cursor()
        for pragma in pragmas:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()


class SqliteDialect:
    """What SQLite says in its own words."""

    def insert(self, table: Table) -> Any:
        return insert(table)

    def is_taken(self, error: IntegrityError) -> bool:
        return _sqlite_code(error) in _TAKEN

    async def change_all(self, connection: Statements, changes: Sequence[Change]) -> int:
        first = changes[0]
        statement = update(first.table, named(first.where), tuple(first.values))
        given = [updated(one.where, one.values) for one in changes]
        return (await run(connection, statement, *given)).rowcount


class _Readers:
    """Threads that answer queries, one at a time or a whole piece of work with all that it asks.

    Each works on a connection that nobody else has meanwhile, the one used last first: its pages
    and statements are at hand.
    """

    def __init__(self, path: Path) -> None:
        self.engine = _threaded(path, _asking(), pool_size=_READERS, max_overflow=0)
        self._threads = ThreadPoolExecutor(_READERS, "store-reader")
        self._names: dict[str, tuple[str, ...]] = {}
        self.all: tuple[Connection, ...] = ()
        self._free: list[Connection] = []

    def open(self) -> None:
        self.all = tuple(self.engine.connect() for _ in range(_READERS))
        self._free = list(self.all)

    async def work(self, work: Work[_T]) -> _T:
        """What the work comes to, every query of it answered in the same thread."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._worked, work)

    def _worked(self, work: Work[_T]) -> _T:
        with self._one() as connection:
            before = IN_ONE_PIECE.set(connection)
            try:
                return _done(work())
            finally:
                IN_ONE_PIECE.reset(before)

    async def ask(self, query: Executable, given: Row | None) -> Answer:
        """Everything that the query finds now."""
        own = IN_ONE_PIECE.get()
        if own is not None:
            return self._found(own, query, given)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._answer, query, given)

    def _answer(self, query: Executable, given: Row | None) -> Answer:
        with self._one() as connection:
            return self._found(connection, query, given)

    @contextmanager
    def _one(self) -> Iterator[Connection]:
        connection = self._free.pop()
        try:
            yield connection
        finally:
            self._free.append(connection)

    def _found(self, connection: Connection, query: Executable, given: Row | None) -> Answer:
        """What is prepared goes to the driver itself: the library's own way takes four times as
        long as such a query."""
        known = None if given is None else prepared(query, connection.dialect)
        if given is None or known is None:
            return answer_of(connection.execute(query, given))
        driver: Any = connection.connection.driver_connection
        cursor = driver.execute(known.text, known.values(given))
        names = self._names.get(known.text)
        if names is None:
            names = self._names[known.text] = tuple(one[0] for one in cursor.description)
        return Answer(names, cursor.fetchall())

    def close(self) -> None:
        """Wait for the last answer."""
        self._threads.shutdown()
        for connection in self.all:
            connection.close()
        self.engine.dispose()


class SqliteDatabase(Database):
    """One process: readers for everyone and one writer task."""

    def __init__(self, path: Path, vault: Vault) -> None:
        super().__init__(vault)
        self.path = path
        self._readers = _Readers(path)
        self._writer = _threaded(path, _PRAGMAS, poolclass=StaticPool)
        self._queue: asyncio.Queue[tuple[Unit, asyncio.Future[None]] | None] = asyncio.Queue(256)
        self._task: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, "store-writer")

    @property
    def engines(self) -> tuple[Engine, ...]:
        return self._readers.engine, self._writer

    @property
    def asking(self) -> tuple[Connection, ...]:
        """Every connection of the readers, whose calls the library does not see."""
        return self._readers.all

    async def __aenter__(self) -> Self:
        # Alone, before any reader: changing a new file to WAL takes it exclusively.
        self._writer.connect().close()
        self._readers.open()
        self._task = asyncio.create_task(self._write_all(), name="store-writer")
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._queue.put(None)
        if self._task is not None:
            await self._task
        self._readers.close()
        self._writer.dispose()
        self._thread.shutdown()

    async def in_one_piece(self, work: Work[_T]) -> _T:
        """A thread does it, on the way there and back once, whatever it asks."""
        try:
            return await self._readers.work(work)
        except StoreFailed as failed:
            self._stop_if_unsound(failed.__cause__)
            raise

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Reader]:
        """Nothing is held between two queries. Raises StoreFailed when the file cannot be read."""
        try:
            yield Reader(self._readers.ask, self.vault)
        except (sqlite3.Error, DBAPIError) as error:
            if IN_ONE_PIECE.get() is None:
                self._stop_if_unsound(error)
            raise StoreFailed(type(error).__name__) from error

    def _stop_if_unsound(self, error: BaseException | None) -> None:
        """After a failed fsync, or a page that is not what was written, nobody knows what is on
        disk: stop, never retry. Only the loop's own thread may say so."""
        if _unsound(error):
            self.broken.set()

    async def leads(self) -> bool:
        """There is no other process."""
        return True

    async def listening(self, wake: Callable[[], None]) -> None:
        """There is nobody to be heard."""

    async def commit(self, unit: Unit) -> None:
        """Run the transaction; returns only when it is durable."""
        self.refuse_when_broken()
        self.refuse_when_stopped(unit)
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        await self._queue.put((unit, done))
        await asyncio.shield(done)

    async def _write_all(self) -> None:
        loop = asyncio.get_running_loop()
        with self._writer.connect() as connection:
            while (item := await self._queue.get()) is not None:
                unit, done = item
                try:
                    self.refuse_when_broken()
                    self.refuse_when_stopped(unit)
                    await loop.run_in_executor(self._thread, _run, connection, unit, self.vault)
                except Exception as error:
                    self._failed(done, error)
                else:
                    if not done.cancelled():
                        done.set_result(None)

    def _failed(self, done: "asyncio.Future[None]", error: Exception) -> None:
        if not isinstance(error, StaleFacts | KeyTaken | StoreFailed):
            _log.error("transaction failed", extra={"error": type(error).__name__})
            self._stop_if_unsound(error)
            error = StoreFailed(type(error).__name__)
        if not done.cancelled():
            done.set_exception(error)


_DIALECT: Final = SqliteDialect()


class _AtOnce:
    """The writer's connection as `apply` wants it: what it awaits is done already."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @property
    def dialect(self) -> Dialect:
        return self._connection.dialect

    async def execute(self, statement: Executable, given: Any = None) -> CursorResult[Any]:
        return self._connection.execute(statement, given)

    async def exec_driver_sql(self, statement: str, given: Any) -> CursorResult[Any]:
        return self._connection.exec_driver_sql(statement, given)


def _run(connection: Connection, unit: Unit, vault: Vault) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")
    try:
        _done(apply(_AtOnce(connection), unit, vault, _DIALECT))
        connection.exec_driver_sql("COMMIT")
    except BaseException:
        _roll_back(connection)
        raise


def _done(work: Coroutine[Any, Any, _T]) -> _T:
    """Run what awaits nothing that is not done at once, without a loop."""
    try:
        work.send(None)
    except StopIteration as end:
        done: _T = end.value
        return done
    work.close()
    raise RuntimeError("a piece of work for a thread waited for something")


def _roll_back(connection: Connection) -> None:
    """SQLite ends the transaction by itself after some errors: a ROLLBACK would hide them."""
    driver: Any = connection.connection.driver_connection
    if driver.in_transaction:
        connection.exec_driver_sql("ROLLBACK")


def _unsound(error: BaseException | None) -> bool:
    """Whether the file itself failed."""
    return _sqlite_code(error) & _PRIMARY in _FILE_FAILED


def _sqlite_code(error: BaseException | None) -> int:
    """SQLite's extended result code; 0 for what SQLite did not say."""
    said = error.orig if isinstance(error, DBAPIError) else error
    return int(getattr(said, "sqlite_errorcode", 0))
