"""Which store a deployment has: SQLite in its data directory, or the PostgreSQL it names."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.settings import Settings
from gateway.store.database import Database
from gateway.store.personal import Vault
from gateway.store.postgres import PostgresDatabase, engine_at
from gateway.store.sqlite import SqliteDatabase, engine_for


def database_of(settings: Settings, vault: Vault) -> Database:
    """The deployment's store, not yet open."""
    if settings.database_url:
        return PostgresDatabase(settings.database_url, vault)
    return SqliteDatabase(settings.database_path, vault)


@asynccontextmanager
async def query_only(settings: Settings) -> AsyncIterator[AsyncConnection]:
    """A query-only connection to an existing store, with or without a server at work on it.

    Raises FileNotFoundError when SQLite's file is not there; makes no file.
    """
    if settings.database_url:
        engine = engine_at(settings.database_url, read_only=True, size=1)
    elif settings.database_path.exists():
        engine = engine_for(settings.database_path, read_only=True, size=1)
    else:
        raise FileNotFoundError(settings.database_path.name)
    try:
        async with engine.connect() as connection:
            yield connection
    finally:
        await engine.dispose()
