"""What a child of the nursery does: open a gateway, take steps of the story, die on the way."""

import asyncio
import os
from pathlib import Path

from gateway import cli
from tests.fault.controls import planted
from tests.fault.story import STORY, kept_text, take
from tests.flows.office import office_in

JOURNAL, READY, GO = "journal", "ready", "go"
_PUT_OFF_S = 1.0


def steps(folder: str, first: int, last: int, bills: int, fault: str = "", gate: str = "") -> None:
    """Take the steps from `first` up to `last` for each of the bills, one bill after the other.

    At the gate (before the store is "opened", or "before" the first step) it waits for whoever
    wants to watch.
    """
    home = Path(folder)
    with planted(fault):
        asyncio.run(_take(home, range(first, last), bills, gate, _PUT_OFF_S if fault else 0.0))


async def _take(home: Path, numbers: range, bills: int, gate: str, put_off_s: float) -> None:
    journal = os.open(home / JOURNAL, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def keep(key: tuple[str, str], sealed: bytes) -> None:
        os.write(journal, kept_text(key, sealed))

    if gate == "opened":
        _wait(home)
    async with office_in(home) as office:
        if gate == "before":
            _wait(home)
        for serial in range(bills):
            for number in numbers:
                await take(office, STORY[number], serial, keep)
        if gate == "before":
            # What a fault puts off has its time; what closing writes, power loss replays.
            await asyncio.sleep(put_off_s)
            os._exit(0)


def serve(environment: dict[str, str], fault: str = "") -> None:
    """The gateway as its operator starts it."""
    os.environ.update(environment)
    with planted(fault):
        cli.main(["serve"])


def _wait(home: Path) -> None:
    """Say that the watched part begins, and let the watcher say when."""
    (home / READY).touch()
    with (home / GO).open("rb") as go:
        go.read()
