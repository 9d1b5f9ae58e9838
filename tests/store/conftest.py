"""An empty store of the test's own, copied from one that was migrated once: on SQLite and on
PostgreSQL."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gateway.store.database import Database
from gateway.store.migrate import migrate, migrate_at
from gateway.store.personal import KeyRing, Vault
from gateway.store.postgres import PostgresDatabase
from gateway.store.sqlite import SqliteDatabase
from tests import postgres
from tests.store.hands import address

SQLITE, POSTGRESQL = STORES = ("sqlite", "postgresql")
ASKS_NO_STORE = pytest.mark.parametrize(
    "store", STORES if "GATEWAY_WHOLE_STORES" in os.environ else [SQLITE], indirect=True
)
"""For modules that ask the rules and the words of an answer: what they ask of a store others ask
on both. `make stores` runs every one on both."""


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("migrated") / "gateway.db"
    migrate(path)
    return path


@pytest.fixture(scope="session")
def migrated_url() -> str:
    url = postgres.new_database()
    postgres.waited(migrate_at(url))
    return url


@pytest.fixture
async def embedded(migrated: Path, tmp_path: Path) -> AsyncIterator[SqliteDatabase]:
    """An empty SQLite store."""
    path = Path(shutil.copy(migrated, tmp_path / "gateway.db"))
    async with SqliteDatabase(path, _vault(tmp_path)) as made:
        yield made


@asynccontextmanager
async def reopened(database: Database) -> AsyncIterator[Database]:
    """The same store once more, as after a restart."""
    if isinstance(database, SqliteDatabase):
        again: Database = SqliteDatabase(database.path, database.vault)
    else:
        again = PostgresDatabase(address(database), database.vault)
    async with again:
        yield again


@pytest.fixture(params=STORES)
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    """An empty store of either kind."""
    if request.param == SQLITE:
        path = request.getfixturevalue("migrated")
        copy = Path(shutil.copy(path, tmp_path / "gateway.db"))
        async with SqliteDatabase(copy, _vault(tmp_path)) as made:
            yield made
        return
    url = postgres.new_database(request.getfixturevalue("migrated_url"))
    async with PostgresDatabase(url, _vault(tmp_path)) as made:
        yield made
    postgres.drop(url)


def _vault(folder: Path) -> Vault:
    return Vault(KeyRing(folder / "keys", "999900"))
