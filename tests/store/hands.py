"""Somebody who has the store in hands and goes round the gateway, on either store."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from gateway.store.database import Database
from gateway.store.postgres import engine_at
from gateway.store.sqlite import SqliteDatabase, engine_for


def address(database: Database) -> str:
    """The address of a PostgreSQL store, as the settings would say it."""
    return database.engines[0].url.render_as_string(hide_password=False)


@asynccontextmanager
async def by_hand(database: Database) -> AsyncIterator[AsyncConnection]:
    """A connection that may write everything; what it did is kept at its end."""
    engine = _engine(database)
    async with engine.connect() as connection:
        yield connection
        await connection.commit()
    await engine.dispose()


def _engine(database: Database) -> AsyncEngine:
    if isinstance(database, SqliteDatabase):
        return engine_for(database.path, read_only=False, size=1)
    return engine_at(address(database), read_only=False, size=1)


async def unguarded(connection: AsyncConnection, table: str) -> None:
    """Take the guard against changes from a table of history."""
    where = f" ON {table}" if connection.dialect.name == "postgresql" else ""
    await connection.exec_driver_sql(f"DROP TRIGGER {table}_no_update{where}")
