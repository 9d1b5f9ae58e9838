"""The demo is played once for all tests that look at what it left, in whatever process."""

import asyncio
import fcntl
import io
import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest

from gateway import cli
from gateway.settings import Settings
from gateway.verbs import demo

START = "2026-03-02T08:00:00+08:00"


@dataclass(frozen=True, slots=True)
class Played:
    """What a played demo left: its output folder, its store with the server stopped, and the
    lines that it showed."""

    out: Path
    home: Path
    shown: str

    @property
    def settings(self) -> Settings:
        return Settings(data_dir=self.home / "data")


@pytest.fixture(scope="session")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    """The story from the default start, played by the first process that asks."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "demo"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        shown = folder / "shown.txt"
        if not shown.exists():
            shown.write_text(_play(folder))
    return Played(folder / "out", folder / "home", shown.read_text())


def _play(folder: Path) -> str:
    for name in ("out", "home"):
        (folder / name).mkdir()
    say = io.StringIO()
    stage = demo.Stage(
        out=folder / "out",
        home=folder / "home",
        start=datetime.fromisoformat(START),
        verb=cli.main,
        say=say,
    )
    asyncio.run(demo.play(stage))
    return say.getvalue()
