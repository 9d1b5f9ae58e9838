"""PostgreSQL: any number of processes, SERIALIZABLE as a belt over the same guards.

A unit is data, so a transaction that another one overtook is simply run again. What never
happens twice is a COMMIT whose answer was lost: then nobody may answer as if it were done.
"""

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any, Final, Self, cast

from sqlalchemy import Engine, Executable, Table, bindparam, column, func, select
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.exc import DBAPIError, IntegrityError, StatementError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from gateway.store.apply import Statements, apply
from gateway.store.database import Answer, Ask, Database, Reader, asked_on
from gateway.store.jobs import brings_jobs
from gateway.store.personal import Vault
from gateway.store.tables import lane_lock, outbox
from gateway.store.unit import Change, Insert, KeyTaken, Row, StaleFacts, StoreFailed, Unit

DRIVER: Final = "postgresql+asyncpg"
_POOL: Final = 8
_TRIES: Final = 5
_FIRST_WAIT_MS: Final = 4
_LIMIT_S: Final = 30
_OVERTAKEN: Final = frozenset({"40001", "40P01"})
_TAKEN: Final = "23505"
_LEAD: Final = 0x6773_6C64
"""Whose advisory lock the lead is."""
_LANES: Final = 8
"""Lanes that one process holds at once."""
_CHANNEL: Final = "gateway_work"
_TOGETHER_S: Final = 0.01
_LISTEN_AGAIN_S: Final = 1.0
_log = logging.getLogger(__name__)
_SESSION: Final = {
    "application_name": "gateway",
    "timezone": "UTC",
    "statement_timeout": f"{_LIMIT_S}s",
    "idle_in_transaction_session_timeout": f"{_LIMIT_S}s",
    "synchronous_commit": "on",
    # A machine that vanished loses its locks, and so the lead, within a minute.
    "tcp_keepalives_idle": "30",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
    # Compiling a query costs more than any query here takes.
    "jit": "off",
}


class _Overtaken(Exception):
    """The transaction did not happen and may be run again."""


def engine_at(url: str, *, read_only: bool, size: int = _POOL) -> AsyncEngine:
    """An engine for readers (each query by itself) or for SERIALIZABLE transactions."""
    session = {**_SESSION, "default_transaction_read_only": "on" if read_only else "off"}
    return _engine(url, session, "AUTOCOMMIT" if read_only else "SERIALIZABLE", size)


class PostgresDialect:
    """What PostgreSQL says in its own words."""

    def insert(self, table: Table) -> Any:
        return insert(table)

    def is_taken(self, error: IntegrityError) -> bool:
        return _state(error) == _TAKEN

    async def change_all(self, connection: Statements, changes: Sequence[Change]) -> int:
        """One array a column: the statement is the same whatever the number of rows."""
        first = changes[0]
        table = first.table
        old = [name for name, value in first.where.items() if value is not None]
        empty = [table.c[name].is_(None) for name, value in first.where.items() if value is None]
        types = {f"old_{name}": table.c[name].type for name in old}
        types |= {f"new_{name}": table.c[name].type for name in first.values}
        arrays = [bindparam(f"all_{name}", type_=ARRAY(kind)) for name, kind in types.items()]
        rows = (
            func.unnest(*arrays)
            .table_valued(*(column(name, kind) for name, kind in types.items()), name="given")
            .render_derived()
        )
        statement = (
            table.update()
            .where(*empty, *(table.c[name] == rows.c[f"old_{name}"] for name in old))
            .values({name: rows.c[f"new_{name}"] for name in first.values})
        )
        given = {f"all_old_{name}": [one.where[name] for one in changes] for name in old}
        given |= {f"all_new_{n}": [one.values[n] for one in changes] for n in first.values}
        return (await connection.execute(statement, given)).rowcount


_DIALECT: Final = PostgresDialect()


def _steadily(connection: AsyncConnection) -> Ask:
    """The connection may have been lost since its last use: it is asked once more."""
    ask = asked_on(connection)

    async def steadily(query: Executable, given: Row | None) -> Answer:
        try:
            return await ask(query, given)
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise
        await connection.rollback()
        return await ask(query, given)

    return steadily


class PostgresDatabase(Database):
    """Every commit is a task of its own, shielded from the request that wants it."""

    def __init__(self, url: str, vault: Vault) -> None:
        super().__init__(vault)
        self.readers = engine_at(url, read_only=True)
        self._writers = engine_at(url, read_only=False)
        self._running: set[asyncio.Task[None]] = set()
        self._leader = engine_at(url, read_only=True, size=1)
        self._ears = engine_at(url, read_only=True, size=1)
        self._lanes = _lanes_at(url)
        self._lanes_at_once = asyncio.Semaphore(_LANES)
        self._work, self._telling = asyncio.Event(), cast(asyncio.Task[None], None)
        self._leading, self._lead = asyncio.Lock(), cast(AsyncConnection | None, None)

    @property
    def engines(self) -> tuple[Engine, ...]:
        return self.readers.sync_engine, self._writers.sync_engine

    async def __aenter__(self) -> Self:
        self._telling = asyncio.create_task(self._tell(), name="store-tell")
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.gather(*self._running, return_exceptions=True)
        self._telling.cancel()
        await asyncio.gather(self._telling, return_exceptions=True)
        if self._lead is not None:
            await self._lead.invalidate()
            await self._lead.close()
        for engine in (self.readers, self._writers, self._leader, self._lanes, self._ears):
            await engine.dispose()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Reader]:
        """A query-only connection. Raises StoreFailed when the server does not answer."""
        try:
            async with self.readers.connect() as connection:
                yield Reader(_steadily(connection), self.vault)
        except (OSError, TimeoutError, PoolTimeout) as error:
            raise StoreFailed(type(error).__name__) from error
        except StatementError as error:
            # A connection made anew within a query fails with this, not with a driver's error.
            if not isinstance(error, DBAPIError) and not isinstance(error.orig, OSError):
                raise
            raise StoreFailed(type(error.orig).__name__) from error

    async def leads(self) -> bool:
        """The lead is a lock of the server's that lives and dies with one connection."""
        async with self._leading:
            if self._lead is not None and not await _answers(self._lead):
                self._lead = None
            if self._lead is None:
                self._lead = await self._taken()
            return self._lead is not None

    async def _taken(self) -> AsyncConnection | None:
        try:
            connection = await self._leader.connect()
        except (StatementError, OSError, TimeoutError):
            return None
        try:
            taken = await connection.execute(select(func.pg_try_advisory_lock(_LEAD)))
            if taken.scalar_one():
                return connection
        except (StatementError, OSError, TimeoutError):
            await connection.invalidate()
        await connection.close()
        return None

    @asynccontextmanager
    async def lane(self, receiver: str) -> AsyncIterator[bool]:
        """The lock is the lane's row, and ends with the connection at the latest."""
        wanted = select(lane_lock.c.receiver).where(lane_lock.c.receiver == receiver)
        async with self._lanes_at_once, self._lanes.connect() as connection:
            taken = await connection.execute(wanted.with_for_update(skip_locked=True))
            yield taken.first() is not None
            # Lost meanwhile: then the lock is gone as well.
            with suppress(DBAPIError, OSError):
                await connection.rollback()

    async def listening(self, wake: Callable[[], None]) -> None:
        """Until cancelled; a connection that is lost is made again."""
        while True:
            # Whatever the driver says of a lost connection: the polling goes on meanwhile.
            with suppress(Exception):
                await self._listen(wake)
            await asyncio.sleep(_LISTEN_AGAIN_S)

    async def _listen(self, wake: Callable[[], None]) -> None:
        """Until the connection is lost."""
        lost = asyncio.Event()
        async with self._ears.connect() as connection:
            ears: Any = (await connection.get_raw_connection()).driver_connection
            ears.add_termination_listener(lambda _: lost.set())
            await ears.add_listener(_CHANNEL, lambda *_: wake())
            try:
                await lost.wait()
            finally:
                await connection.invalidate()

    async def _tell(self) -> None:
        """Tell the other processes of committed work: after the commit and by another
        connection, since inside a transaction it would make all of them wait for each other."""
        while True:
            await self._work.wait()
            await asyncio.sleep(_TOGETHER_S)
            self._work.clear()
            with suppress(Exception):
                async with self.readers.connect() as connection:
                    await connection.exec_driver_sql(f"NOTIFY {_CHANNEL}")

    async def commit(self, unit: Unit) -> None:
        """Run the transaction; returns only when it is durable."""
        self.refuse_when_broken()
        self.refuse_when_stopped(unit)
        task = asyncio.create_task(self._commit(unit), name="store-commit")
        self._running.add(task)
        task.add_done_callback(self._ended)
        await asyncio.shield(task)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._running.discard(task)
        if not task.cancelled():
            # A request that was cancelled never asks: the outcome is read here, not warned of.
            task.exception()

    async def _commit(self, unit: Unit) -> None:
        wait_ms = _FIRST_WAIT_MS
        for _ in range(_TRIES):
            try:
                await self._once(unit)
            except _Overtaken:
                await asyncio.sleep((wait_ms + secrets.randbelow(wait_ms)) / 1000)
                wait_ms *= 2
            else:
                if _brings_work(unit):
                    self._work.set()
                return
        raise StaleFacts("overtaken by other transactions")

    async def _once(self, unit: Unit) -> None:
        with _told_apart():
            connection = await self._writers.connect()
        try:
            with _told_apart():
                await apply(connection, unit, self.vault, _DIALECT)
            with _told_apart(committing=True):
                await connection.commit()
        except asyncio.CancelledError:
            # Cut off in the middle: what the connection still does must not reach another user.
            await connection.invalidate()
            raise
        finally:
            await connection.close()


def _lanes_at(url: str) -> AsyncEngine:
    """Connections that hold a lane while its messages are on their way: they may be idle."""
    session = _SESSION | {"idle_in_transaction_session_timeout": "0"}
    return _engine(url, session, "READ COMMITTED", _LANES)


def _engine(url: str, session: Mapping[str, str], isolation: str, size: int) -> AsyncEngine:
    return create_async_engine(
        url,
        pool_size=size,
        max_overflow=0,
        isolation_level=isolation,
        hide_parameters=True,
        connect_args={"server_settings": dict(session), "command_timeout": _LIMIT_S},
    )


def _brings_work(unit: Unit) -> bool:
    """Whether something is to be delivered or released."""
    to_deliver = any(isinstance(one, Insert) and one.table is outbox for one in unit.writes)
    return to_deliver or brings_jobs(unit.writes)


async def _answers(connection: AsyncConnection) -> bool:
    """Whether the connection still lives; one that does not is closed."""
    try:
        await connection.execute(select(1))
    except (StatementError, OSError, TimeoutError):
        await connection.invalidate()
        await connection.close()
        return False
    return True


@contextmanager
def _told_apart(*, committing: bool = False) -> Iterator[None]:
    """Errors as what they mean: overtaken (run again), or failed (nobody knows).

    Before COMMIT was sent a lost connection leaves nothing behind.
    """
    try:
        yield
    except DBAPIError as error:
        if _state(error) in _OVERTAKEN or (error.connection_invalidated and not committing):
            raise _Overtaken from error
        _log.error("transaction failed", extra={"error": type(error.orig).__name__})
        raise StoreFailed(type(error.orig).__name__) from error
    except (StaleFacts, KeyTaken):
        raise
    except Exception as error:
        _log.error("transaction failed", extra={"error": type(error).__name__})
        raise StoreFailed(type(error).__name__) from error


def _state(error: DBAPIError) -> str:
    """The five characters of SQLSTATE; "" when the server said nothing."""
    return str(getattr(error.orig, "sqlstate", None) or "")
