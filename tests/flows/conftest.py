"""Every test of the flows has a gateway of its own, copied from one that was set up once: on
SQLite and on PostgreSQL."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.store.migrate import migrate_at
from tests import postgres
from tests.flows.office import Office, copied, forgotten, in_postgresql, office_in, prepare
from tests.store.conftest import STORES


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepare(tmp_path_factory.mktemp("prepared"))


@pytest.fixture(scope="session")
def prepared_postgresql(tmp_path_factory: pytest.TempPathFactory) -> Path:
    url = postgres.new_database()
    postgres.waited(migrate_at(url))
    return prepare(in_postgresql(tmp_path_factory.mktemp("prepared-postgresql"), url))


@pytest.fixture(params=STORES)
async def office(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Office]:
    embedded = request.param == "sqlite"
    source = request.getfixturevalue("prepared" if embedded else "prepared_postgresql")
    async with office_in(copied(source, tmp_path)) as made:
        yield made
    forgotten(tmp_path)
