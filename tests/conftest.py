"""What holds for every test.

Property tests have no time limit for one example: many run beside each other on few cores,
and speed has measurements of its own. Files are written to memory where there is room: what a
loss of power takes is told by recorded images, not by waiting for a disk.
"""

import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from gateway.logs import JsonLine
from tests import postgres

_MEMORY = Path("/dev/shm")  # noqa: S108
_ROOM_BYTES = 4 * 1024**3

settings.register_profile("beside_others", deadline=None)
settings.load_profile("beside_others")


@pytest.fixture(autouse=True)
def _logs_as_before() -> Iterator[None]:
    """A verb that serves sends the logs of its process to standard error: of the next test none."""
    yield
    root = logging.getLogger()
    logging.captureWarnings(False)
    root.handlers = [one for one in root.handlers if not isinstance(one.formatter, JsonLine)]
    root.setLevel(logging.WARNING)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        _write_to_memory()
        postgres.announce()


def _write_to_memory() -> None:
    """Here and in every process begun here, unless somebody named another place."""
    if _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free >= _ROOM_BYTES:
        os.environ.setdefault("TMPDIR", str(_MEMORY))
        tempfile.tempdir = None


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        postgres.retire()
