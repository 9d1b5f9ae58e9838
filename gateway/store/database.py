"""The store as everyone sees it: readers for all, and `commit`, the only way to write.

What is particular to SQLite or PostgreSQL is in store/sqlite.py and store/postgres.py.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from contextvars import ContextVar
from typing import Any, Final, NamedTuple, Protocol, Self, TypeVar

from sqlalchemy import CursorResult, Engine, Executable, Table
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.store.personal import Vault
from gateway.store.unit import Row, Stopped, StoreFailed, Unit

_T = TypeVar("_T")
Work = Callable[[], Coroutine[Any, Any, _T]]
"""What is run when its turn comes."""

IN_ONE_PIECE: Final[ContextVar[Any]] = ContextVar("in one piece", default=None)
"""The connection of a thread that does a whole piece of work for the store, which may wait for
nothing else; None anywhere else."""


class Database(ABC):
    """An open store. `broken` is set when its files failed and nothing may be acknowledged.

    `stopped` names why commits stand still, as a registered code; "" while they go on.
    """

    def __init__(self, vault: Vault) -> None:
        self.vault = vault
        self.broken = asyncio.Event()
        self.stopped = ""

    @property
    @abstractmethod
    def engines(self) -> tuple[Engine, ...]:
        """Every engine there is, so that all calls of the driver can be counted."""

    @abstractmethod
    async def __aenter__(self) -> Self: ...

    @abstractmethod
    async def __aexit__(self, *_: object) -> None: ...

    @abstractmethod
    async def commit(self, unit: Unit) -> None:
        """Run the transaction; returns only when it is durable.

        Raises StaleFacts, KeyTaken, Stopped, or StoreFailed (then nobody may answer as if done).
        """

    @abstractmethod
    async def leads(self) -> bool:
        """Whether this process, and no other, numbers, delivers and releases; it asks for the
        lead when nobody has it. What it then writes is guarded as everything is."""

    @asynccontextmanager
    async def lane(self, receiver: str) -> AsyncIterator[bool]:
        """Whether inside the block this process, and no other, delivers to the receiver. Where
        one process has the store it always is."""
        yield True

    @abstractmethod
    async def listening(self, wake: Callable[[], None]) -> None:
        """Call `wake` whenever another process committed work for those who deliver and release.
        Only a help: who works looks for work at every poll as well."""

    def refuse_when_broken(self) -> None:
        """Raises StoreFailed once the store has stopped."""
        if self.broken.is_set():
            raise StoreFailed("the store has stopped")

    def refuse_when_stopped(self, unit: Unit) -> None:
        """Raises Stopped while commits stand still, but for the log's own bookkeeping."""
        if self.stopped and not unit.of_the_log:
            raise Stopped(self.stopped)

    async def in_one_piece(self, work: Work[_T]) -> _T:
        """Run what computes, and awaits nothing but queries."""
        return await work()

    @abstractmethod
    def reading(self) -> AbstractAsyncContextManager["Reader"]:
        """Whoever only asks; consistency comes from the guards at commit."""


class Answer(NamedTuple):
    """The names of a query's columns, and its rows."""

    names: Sequence[str]
    rows: Sequence[Sequence[Any]]


Ask = Callable[[Executable, Row | None], Awaitable[Answer]]
"""Has a query answered, with its parameters given."""


def asked_on(connection: AsyncConnection) -> Ask:
    """Have queries answered on this connection."""

    async def ask(query: Executable, given: Row | None) -> Answer:
        return answer_of(await connection.execute(query, given))

    return ask


def answer_of(result: CursorResult[Any]) -> Answer:
    """Everything that the query found."""
    return Answer(tuple(result.keys()), result.fetchall())


class Rows(Protocol):
    """Whatever answers a query with mappings by column name."""

    async def rows(self, query: Executable) -> Sequence[Mapping[str, Any]]: ...


class Reader:
    """Runs the queries of store/*; opens personal columns."""

    def __init__(self, ask: Ask, vault: Vault) -> None:
        self._ask, self._vault = ask, vault

    @property
    def vault(self) -> Vault:
        return self._vault

    async def rows(self, query: Executable, given: Row | None = None) -> Sequence[dict[str, Any]]:
        """Every row of the query (with its parameters given) as a mapping by column name."""
        names, rows = await self._ask(query, given)
        return [dict(zip(names, row, strict=True)) for row in rows]

    async def values(self, query: Executable, given: Row | None = None) -> Sequence[Sequence[Any]]:
        """Every row of the query as its values in the order asked: where rows are many."""
        return (await self._ask(query, given)).rows

    async def row(self, query: Executable, given: Row | None = None) -> dict[str, Any] | None:
        """The first row, or None."""
        names, rows = await self._ask(query, given)
        return dict(zip(names, rows[0], strict=True)) if rows else None

    async def opened(
        self, table: Table, query: Executable, given: Row | None = None
    ) -> list[dict[str, Any]]:
        """Every row of the table's own columns with the personal ones in clear."""
        return [self._vault.open(table, row) for row in await self.rows(query, given)]
