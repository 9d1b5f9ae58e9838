"""One seed: everybody's story in this weather, and what held at its end."""

import asyncio
import gc
import logging
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from random import Random
from unittest.mock import patch

from gateway.store.database import Database
from gateway.store.sqlite import SqliteDatabase
from tests.simulation.base import Base
from tests.simulation.loop import SimLoop
from tests.simulation.machine import simulated
from tests.simulation.world import Outcome, World


def run(seed: int, base: Base) -> Outcome:
    """Play one seed to its end."""
    outcome, loop = Outcome(seed), SimLoop(Random(seed))  # noqa: S311
    with _undisturbed(), _query_by_query(), _folder() as folder:
        world = World(loop, base, folder, outcome)
        asyncio.set_event_loop(loop)
        try:
            with simulated(loop, world.line) as time:
                loop.run_until_complete(world.story(time))
        except Exception as fault:
            outcome.found.faults.append(f"{type(fault).__name__}: {fault}")
        finally:
            asyncio.set_event_loop(None)
            loop.close()
    return outcome


@contextmanager
def _undisturbed() -> Iterator[None]:
    """No collector runs destructors in the middle of a seed, and nobody writes a log."""
    gc.disable()
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)
        gc.enable()


def _query_by_query() -> AbstractContextManager[object]:
    """A decision's queries are answered one by one, each after drawn time. A thread asks them one
    after the other too, while the writer commits between two of them; done whole on the loop,
    nothing would ever come between."""
    return patch.object(SqliteDatabase, "in_one_piece", Database.in_one_piece)


@contextmanager
def _folder() -> Iterator[Path]:
    memory = Path("/dev/shm")  # noqa: S108
    folder = Path(tempfile.mkdtemp(dir=memory if memory.is_dir() else None))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)
