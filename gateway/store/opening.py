"""Which store a deployment has: SQLite in its data directory, or the PostgreSQL it names.

A store is bound to its pooling region for ever: the act of opening its first log names it, and
persons, policy, catalogues and keys in it are that region's.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import Connection, inspect, select
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.settings import Settings, region_named
from gateway.store.database import Database
from gateway.store.personal import Vault
from gateway.store.postgres import PostgresDatabase, engine_at
from gateway.store.sqlite import SqliteDatabase, asking, engine_for
from gateway.store.tables import log_origin


class OtherRegion(Exception):
    """The store is of another pooling region than the one that the deployment is set to."""

    def __init__(self, kept: str, asked: str) -> None:
        super().__init__(kept, asked)
        self.zh = f"此库属于统筹地区 {kept}，而 GATEWAY_REGION 是 {asked}：请改正其一"
        self.en = (
            f"this store is of pooling region {kept}, and GATEWAY_REGION is {asked}: "
            "correct the one or the other"
        )


def database_of(settings: Settings, vault: Vault) -> Database:
    """The deployment's store, not yet open."""
    if settings.database_url:
        return PostgresDatabase(settings.database_url, vault)
    return SqliteDatabase(settings.database_path, vault)


@asynccontextmanager
async def query_only(settings: Settings) -> AsyncIterator[AsyncConnection]:
    """A query-only connection to an existing store, with or without a server at work on it.

    Raises FileNotFoundError when SQLite's file is not there, and OtherRegion; makes no file.
    """
    if settings.database_url:
        engine = engine_at(settings.database_url, read_only=True, size=1)
    elif settings.database_path.exists():
        engine = engine_for(settings.database_path, read_only=True, size=1)
    else:
        raise FileNotFoundError(settings.database_path.name)
    try:
        async with engine.connect() as connection:
            _refuse_other(await connection.run_sync(_first_log), settings.region)
            yield connection
    finally:
        await engine.dispose()


async def need_region(settings: Settings) -> None:
    """Raises OtherRegion; nothing for a store that is not there yet."""
    if settings.database_url:
        async with query_only(settings):
            return
    if settings.database_path.exists():
        with asking(settings.database_path) as connection:
            _refuse_other(_first_log(connection), settings.region)


def _refuse_other(first: str, asked: str) -> None:
    kept = region_named(first.rpartition("/")[0])
    if kept not in ("", asked):
        raise OtherRegion(kept, asked)


def _first_log(connection: Connection) -> str:
    """The name of the first log; "" before there is one."""
    if not inspect(connection).has_table(log_origin.name):
        return ""
    query = select(log_origin.c.origin).order_by(log_origin.c.log).limit(1)
    return connection.execute(query).scalar() or ""
