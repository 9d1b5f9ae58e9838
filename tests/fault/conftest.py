"""A nursery, and what a short call of a part needs."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fault.call import Call
from tests.fault.figures import Progress
from tests.fault.nursery import nursery


@pytest.fixture(scope="module")
def call(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Call]:
    """A call of a part that remembers nothing and may last a minute."""
    folder: Path = tmp_path_factory.mktemp("fault")
    with nursery() as born:
        yield Call(born, folder, Progress("test", folder), 1, time.monotonic() + 60)
