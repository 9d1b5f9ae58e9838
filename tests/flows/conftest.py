"""Every test of the flows has a gateway of its own, copied from one that was set up once."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.flows.office import Office, copied, office_in, prepare


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepare(tmp_path_factory.mktemp("prepared"))


@pytest.fixture
async def office(prepared: Path, tmp_path: Path) -> AsyncIterator[Office]:
    async with office_in(copied(prepared, tmp_path)) as made:
        yield made
