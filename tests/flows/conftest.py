"""Every test of the flows has a gateway of its own, copied from one that was set up once: on
SQLite and on PostgreSQL."""

from collections.abc import AsyncIterator, Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from gateway.store.migrate import migrate_at
from tests import postgres
from tests.flows.office import Office, copied, forgotten, in_postgresql, office_in, prepare
from tests.store.conftest import POSTGRESQL, STORES

Preparations = Callable[[str], Path]


@pytest.fixture(scope="session")
def preparations(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Preparations]:
    """The gateway that was set up once for each store, when a test first asks for it."""
    made: list[Path] = []

    @cache
    def prepared_on(store: str) -> Path:
        made.append(tmp_path_factory.mktemp(f"prepared-{store}"))
        if store == POSTGRESQL:
            url = postgres.new_database()
            postgres.waited(migrate_at(url))
            in_postgresql(made[-1], url)
        return prepare(made[-1])

    yield prepared_on
    for folder in made:
        forgotten(folder)


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest) -> str:
    """Which store the test runs on."""
    chosen: str = request.param
    return chosen


@pytest.fixture
def data(store: str, preparations: Preparations, tmp_path: Path) -> Iterator[Path]:
    """The data of a gateway that nobody has opened yet."""
    yield copied(preparations(store), tmp_path)
    forgotten(tmp_path)


@pytest.fixture
async def office(data: Path) -> AsyncIterator[Office]:
    async with office_in(data) as made:
        yield made
