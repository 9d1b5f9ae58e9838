"""运行状况的事实 What the store knows about its health: one probe writes, the rest only reads."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final
from uuid import uuid4

from sqlalchemy import ColumnElement, Executable, column, func, select, table
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.ext.compiler import compiles

from gateway.settings import Settings
from gateway.store.database import Database, Rows
from gateway.store.opening import query_only
from gateway.store.tables import admission, commit_probe, outbox
from gateway.store.types import INTEGER
from gateway.store.unit import Unit, Upsert

_PROBE: Final = 1
_VERSION: Final = table("alembic_version", column("version_num"))


class _Versioned(ColumnElement[int]):
    """1 when the store records its migration, else 0."""

    inherit_cache = True
    type = INTEGER


@compiles(_Versioned, "sqlite")
def _in_sqlite(*_: Any, **__: Any) -> str:
    return f"(SELECT count(*) FROM sqlite_master WHERE name = '{_VERSION.name}')"  # noqa: S608


@compiles(_Versioned, "postgresql")
def _in_postgresql(*_: Any, **__: Any) -> str:
    return f"(to_regclass('{_VERSION.name}') IS NOT NULL)::int"


@dataclass(frozen=True, slots=True)
class Lane:
    """The undelivered messages to one receiver over one channel; instants are UTC microseconds."""

    receiver: str
    channel: str
    depth: int
    oldest_us: int


@dataclass(frozen=True, slots=True)
class Held:
    """Bills now HELD 挂账, and the registration (UTC microseconds) of the oldest of their stays."""

    bills: int
    oldest_us: int | None


async def probe_commit(database: Database, at_us: int, year: int) -> None:
    """Write and make durable one row, as every settlement must be. Raises StoreFailed.

    `at_us` is the business instant in UTC microseconds, `year` that of its business day.
    """
    row = {"probe": _PROBE, "at_us": at_us}
    await database.commit(
        Unit(tx_id=uuid4().hex, year=year, writes=(Upsert(commit_probe, (row,)),))
    )


async def lanes(reader: Rows) -> tuple[Lane, ...]:
    """Every lane with something undelivered, parked messages included."""
    group = (outbox.c.receiver, outbox.c.channel)
    query = (
        select(
            *group,
            func.count().label("depth"),
            func.min(outbox.c.created_us).label("oldest_us"),
        )
        .where(outbox.c.done_us.is_(None))
        .group_by(*group)
        .order_by(*group)
    )
    return tuple(
        Lane(row["receiver"], row["channel"], row["depth"], row["oldest_us"])
        for row in await reader.rows(query)
    )


async def held(reader: Rows) -> Held:
    """The bills that wait for a condition (protocol §3)."""
    query = select(
        func.count().label("bills"), func.min(admission.c.registered_us).label("oldest_us")
    ).where(admission.c.bill_state == "HELD")
    (row,) = await reader.rows(query)
    return Held(row["bills"], row["oldest_us"])


async def revision(reader: Rows) -> str | None:
    """The migration the database is at; None when it records none."""
    (told,) = await reader.rows(select(_Versioned().label("versioned")))
    if not told["versioned"]:
        return None
    found = await reader.rows(select(_VERSION.c.version_num))
    return found[0]["version_num"] if found else None


class _Plain:
    """Reads without any key: nothing here is personal."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def rows(self, query: Executable) -> Sequence[Mapping[str, Any]]:
        found = await self._connection.execute(query)
        return [dict(row) for row in found.mappings()]


@asynccontextmanager
async def inspecting(settings: Settings) -> AsyncIterator[Rows]:
    """A query-only look at an existing store, with or without a server at work on it.

    Raises FileNotFoundError when there is none; makes no key and no file.
    """
    async with query_only(settings) as connection:
        yield _Plain(connection)
