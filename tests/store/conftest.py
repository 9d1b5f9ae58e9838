"""An empty store of the test's own, copied from one that was migrated once."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.store.database import Database
from gateway.store.migrate import migrate
from gateway.store.personal import KeyRing, Vault


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("migrated") / "gateway.db"
    migrate(path)
    return path


@pytest.fixture
async def database(migrated: Path, tmp_path: Path) -> AsyncIterator[Database]:
    path = Path(shutil.copy(migrated, tmp_path / "gateway.db"))
    async with Database(path, Vault(KeyRing(tmp_path / "keys", "999900"))) as made:
        yield made
