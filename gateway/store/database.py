"""The embedded store: SQLite in WAL with synchronous=FULL, one writer task, query-only readers.

A transaction is shielded from the request that wants it: the writer task owns the
only writing connection, so a cancelled request leaves no open transaction behind.
"""

import asyncio
import errno
import fcntl
import logging
import os
import sqlite3
from collections.abc import AsyncIterator, Hashable, Iterable, Sequence
from contextlib import asynccontextmanager
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import Any, Final, Self

from sqlalchemy import (
    Executable,
    Table,
    and_,
    bindparam,
    event,
    literal_column,
    select,
)
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from gateway.store.personal import Vault
from gateway.store.tables import message
from gateway.store.unit import (
    Change,
    Guard,
    Insert,
    KeyTaken,
    Remove,
    Row,
    StaleFacts,
    StoreFailed,
    Unit,
    Upsert,
    Write,
)

_PRAGMAS: Final = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    "trusted_schema=OFF",
    "secure_delete=ON",
    "temp_store=MEMORY",
    "busy_timeout=5000",
)
_READERS: Final = 4
_PRIMARY: Final = 0xFF
_FILE_FAILED: Final = (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_TAKEN: Final = (sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_UNIQUE)
_log = logging.getLogger(__name__)


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
        f"sqlite+aiosqlite:///{path}",
        poolclass=AsyncAdaptedQueuePool,
        pool_size=size,
        max_overflow=0,
        isolation_level="AUTOCOMMIT",
        hide_parameters=True,
    )

    @event.listens_for(engine.sync_engine, "connect")
    def _prepare(connection: Any, _: Any) -> None:
        cursor = connection.cursor()
        for pragma in _PRAGMAS:
            cursor.execute(f"PRAGMA {pragma}")
        if read_only:
            cursor.execute("PRAGMA query_only=ON")
        cursor.close()

    return engine


class Database:
    """Readers for everyone and one writer; `commit` is the only way to write."""

    def __init__(self, path: Path, vault: Vault) -> None:
        self.path, self.vault = path, vault
        self._readers = engine_for(path, read_only=True, size=_READERS)
        self._writer = engine_for(path, read_only=False, size=1)
        self._queue: asyncio.Queue[tuple[Unit, asyncio.Future[None]] | None] = asyncio.Queue(256)
        self._task: asyncio.Task[None] | None = None
        self.broken = asyncio.Event()

    async def __aenter__(self) -> Self:
        # Alone, before any reader: changing a new file to WAL takes it exclusively.
        async with self._writer.connect():
            pass
        self._task = asyncio.create_task(self._write_all(), name="store-writer")
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._queue.put(None)
        if self._task is not None:
            await self._task
        await self._readers.dispose()
        await self._writer.dispose()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator["Reader"]:
        """A query-only connection; consistency comes from the guards at commit."""
        async with self._readers.connect() as connection:
            yield Reader(connection, self.vault)

    async def commit(self, unit: Unit) -> None:
        """Run the transaction; returns only when it is durable.

        Raises StaleFacts, KeyTaken, or StoreFailed (then nobody may answer as if done).
        """
        self._refuse_when_broken()
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        await self._queue.put((unit, done))
        await asyncio.shield(done)

    async def _write_all(self) -> None:
        async with self._writer.connect() as connection:
            while (item := await self._queue.get()) is not None:
                unit, done = item
                try:
                    self._refuse_when_broken()
                    await _run(connection, unit, self.vault)
                except Exception as error:
                    self._failed(done, error)
                else:
                    if not done.cancelled():
                        done.set_result(None)

    def _refuse_when_broken(self) -> None:
        if self.broken.is_set():
            raise StoreFailed("the store has stopped")

    def _failed(self, done: "asyncio.Future[None]", error: Exception) -> None:
        if not isinstance(error, StaleFacts | KeyTaken | StoreFailed):
            _log.error("transaction failed", extra={"error": type(error).__name__})
            if _unsound(error):
                # After a failed fsync nobody knows what is on disk: stop, never retry.
                self.broken.set()
            error = StoreFailed(type(error).__name__)
        if not done.cancelled():
            done.set_exception(error)


class Reader:
    """Runs the queries of store/*; opens personal columns."""

    def __init__(self, connection: AsyncConnection, vault: Vault) -> None:
        self._connection, self._vault = connection, vault

    @property
    def vault(self) -> Vault:
        return self._vault

    async def rows(self, query: Executable, given: Row | None = None) -> Sequence[dict[str, Any]]:
        """Every row of the query (with its parameters given) as a mapping by column name."""
        found = await self._connection.execute(query, given)
        return [dict(row) for row in found.mappings()]

    async def row(self, query: Executable) -> dict[str, Any] | None:
        """The first row, or None."""
        found = (await self._connection.execute(query)).mappings().first()
        return None if found is None else dict(found)

    async def opened(
        self, table: Table, query: Executable, given: Row | None = None
    ) -> list[dict[str, Any]]:
        """Every row of the table's own columns with the personal ones in clear."""
        return [self._vault.open(table, row) for row in await self.rows(query, given)]


async def _run(connection: AsyncConnection, unit: Unit, vault: Vault) -> None:
    await connection.exec_driver_sql("BEGIN IMMEDIATE")
    try:
        await _apply(connection, unit, vault)
        await connection.exec_driver_sql("COMMIT")
    except BaseException:
        await _roll_back(connection)
        raise


async def _roll_back(connection: AsyncConnection) -> None:
    """SQLite ends the transaction by itself after some errors: a ROLLBACK would hide them."""
    driver: Any = (await connection.get_raw_connection()).driver_connection
    if driver.in_transaction:
        await connection.exec_driver_sql("ROLLBACK")


async def _apply(connection: AsyncConnection, unit: Unit, vault: Vault) -> None:
    if unit.message is not None:
        await _insert_message(connection, unit.message, unit.guards, vault, unit.year)
    elif unit.guards:
        await _check(connection, unit.guards)
    for alike in _runs(unit.writes):
        await _write(connection, alike, vault, unit.year)


async def _insert_message(
    connection: AsyncConnection, row: Row, guards: Sequence[Guard], vault: Vault, year: int
) -> None:
    """The message row and every guarded fact in one statement: no row when a fact moved on."""
    shut = vault.shut(message, row, year)
    statement = _guarded_insert(tuple(shut), tuple(map(_shape, guards)))
    try:
        result = await connection.execute(statement, {**shut, **_guarded(guards)})
    except IntegrityError as error:
        _refuse_taken(message, error)
        raise
    if result.rowcount != 1:
        await _check(connection, guards)
        raise StaleFacts(message.name)


async def _check(connection: AsyncConnection, guards: Sequence[Guard]) -> None:
    """Every guarded fact in one query. Raises StaleFacts that names what moved on."""
    statement = _questions(tuple(map(_shape, guards)))
    answer = (await connection.execute(statement, _guarded(guards))).one()
    moved = [guard.table.name for guard, holds in zip(guards, answer, strict=True) if not holds]
    if moved:
        raise StaleFacts(", ".join(moved))


_Shape = tuple[Table, tuple[str, ...]]
"""Which columns of which table a guard compares: statements are built once for each shape."""


def _shape(guard: Guard) -> _Shape:
    return guard.table, (*guard.key, *guard.values)


def _guarded(guards: Sequence[Guard]) -> dict[str, Any]:
    """The values the guards compare, by parameter."""
    return {
        f"g{number}_{name}": value
        for number, guard in enumerate(guards)
        for name, value in {**guard.key, **guard.values}.items()
    }


@lru_cache(maxsize=256)
def _guarded_insert(columns: tuple[str, ...], shapes: tuple[_Shape, ...]) -> Executable:
    values = [bindparam(name, type_=message.c[name].type) for name in columns]
    whole = select(*values).where(*(_holds(number, one) for number, one in enumerate(shapes)))
    return message.insert().from_select(list(columns), whole)


@lru_cache(maxsize=256)
def _questions(shapes: tuple[_Shape, ...]) -> Executable:
    return select(*(_holds(number, one).label(f"g{number}") for number, one in enumerate(shapes)))


def _holds(number: int, shape: _Shape) -> Any:
    table, names = shape
    same = (
        table.c[name].is_not_distinct_from(bindparam(f"g{number}_{name}", type_=table.c[name].type))
        for name in names
    )
    return select(literal_column("1")).select_from(table).where(*same).exists()


def _runs(writes: Iterable[Write]) -> list[list[Write]]:
    """Changes of the same columns of one table that follow each other, together; every other
    write by itself: the number of statements does not grow with the rows."""
    runs = groupby(enumerate(writes), key=_kind)
    return [[write for _, write in run] for _, run in runs]


def _kind(numbered: tuple[int, Write]) -> Hashable:
    number, write = numbered
    if not isinstance(write, Change) or not write.values.keys().isdisjoint(
        write.table.info["personal"]
    ):
        return number
    return write.table.name, tuple(write.where), tuple(write.values)


async def _write(
    connection: AsyncConnection, alike: Sequence[Write], vault: Vault, year: int
) -> None:
    match alike[0]:
        case Insert(table, rows):
            await _insert(connection, table, rows, vault, year)
        case Upsert(table, rows):
            await connection.execute(_upsert(table, rows[0]), list(rows))
        case Change(table, where, values) if len(alike) == 1:
            await _change(connection, table, where, values, vault, year)
        case Change():
            await _change_all(connection, [one for one in alike if isinstance(one, Change)])
        case Remove(table, keys):
            await _remove(connection, table, keys)


async def _insert(
    connection: AsyncConnection, table: Table, rows: Sequence[Row], vault: Vault, year: int
) -> None:
    if not rows:
        return
    shut = [vault.shut(table, row, year) for row in rows]
    try:
        await connection.execute(table.insert(), shut)
    except IntegrityError as error:
        _refuse_taken(table, error)
        raise


def _upsert(table: Table, row: Row) -> Executable:
    statement = sqlite_insert(table)
    key = table.info["row_key"]
    replaced = {name: statement.excluded[name] for name in row if name not in key}
    return statement.on_conflict_do_update(index_elements=list(key), set_=replaced)


async def _change(
    connection: AsyncConnection, table: Table, where: Row, values: Row, vault: Vault, year: int
) -> None:
    match_row = and_(*(table.c[name].is_not_distinct_from(v) for name, v in where.items()))
    personal = set(table.info["personal"])
    if personal and personal <= values.keys():
        # Nothing of the old record is left: a new record key needs no look at the old one.
        whole = vault.shut(table, {**where, **values}, year)
        values = {name: whole[name] for name in (*values, "key_id", "record_key")}
    elif not personal.isdisjoint(values):
        found = (await connection.execute(select(table).where(match_row))).mappings().first()
        if found is None:
            raise StaleFacts(table.name)
        values = vault.reshut(table, dict(found), values)
    try:
        result = await connection.execute(table.update().where(match_row).values(**values))
    except IntegrityError as error:
        _refuse_taken(table, error)
        raise
    if result.rowcount != 1:
        raise StaleFacts(table.name)


async def _change_all(connection: AsyncConnection, changes: Sequence[Change]) -> None:
    """Several rows of one table, each named by the same columns, in one statement."""
    table, where, values = changes[0].table, changes[0].where, changes[0].values
    same = (table.c[name].is_not_distinct_from(bindparam(f"old_{name}")) for name in where)
    new: dict[str, Any] = {name: bindparam(f"new_{name}") for name in values}
    rows = [
        {f"old_{name}": value for name, value in one.where.items()}
        | {f"new_{name}": value for name, value in one.values.items()}
        for one in changes
    ]
    try:
        result = await connection.execute(table.update().where(*same).values(**new), rows)
    except IntegrityError as error:
        _refuse_taken(table, error)
        raise
    if result.rowcount != len(rows):
        raise StaleFacts(table.name)


async def _remove(connection: AsyncConnection, table: Table, keys: Sequence[Row]) -> None:
    shared = {name for name in keys[0] if len({key[name] for key in keys}) == 1}
    listed = [name for name in keys[0] if name not in shared] or [next(iter(keys[0]))]
    if len(listed) > 1:
        raise ValueError("keys of a removal may differ in one column only")
    same = [table.c[name] == keys[0][name] for name in shared]
    column = table.c[listed[0]]
    await connection.execute(
        table.delete().where(*same, column.in_([key[listed[0]] for key in keys]))
    )


def _unsound(error: Exception) -> bool:
    """Whether the file itself failed."""
    return _sqlite_code(error) & _PRIMARY in _FILE_FAILED


def _refuse_taken(table: Table, error: IntegrityError) -> None:
    """Raises KeyTaken for a taken key; any other broken constraint is a defect of ours."""
    if _sqlite_code(error) in _TAKEN:
        raise KeyTaken(table.name) from error


def _sqlite_code(error: Exception) -> int:
    """SQLite's extended result code; 0 for what SQLite did not say."""
    if not isinstance(error, DBAPIError):
        return 0
    return int(getattr(error.orig, "sqlite_errorcode", 0))
