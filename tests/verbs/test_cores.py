"""Work on all cores: every part once, in order, by children warm at once where that is safe."""

import asyncio
import subprocess
import sys
import time
from multiprocessing import parent_process
from pathlib import Path
from typing import Final

import pytest

from gateway.settings import Settings
from gateway.verbs.cores import on_all_cores

LEARNT: Final = list[str]()
"""What a process knows since it started; a child forked from it knows the same."""
_PATIENCE_S, _PAUSE_S = 60.0, 0.01


def numbered(_: Settings, part: int) -> int:
    return part


@pytest.mark.parametrize("many", [0, 1, 2, 7])
async def test_every_part_is_told_once_in_its_order(tmp_path: Path, many: int):
    settings, parts = Settings(data_dir=tmp_path), range(many)
    found = await asyncio.to_thread(list, on_all_cores(numbered, settings, parts, 2))
    assert found == list(parts)


def told_by_the_child(settings: Settings, part: str) -> str:
    """What the child knows; the parent does nothing until the child has begun."""
    begun = settings.data_dir / "begun"
    if parent_process() is not None:
        begun.touch()
        return f"a child that knows {LEARNT}"
    given_up = time.monotonic() + _PATIENCE_S
    while not begun.exists() and time.monotonic() < given_up:
        time.sleep(_PAUSE_S)
    return "the parent"


_PROCESS: Final = """
import _thread, sys, threading
from pathlib import Path
from gateway.settings import Settings
from gateway.verbs.cores import on_all_cores
from tests.verbs.test_cores import LEARNT, told_by_the_child

LEARNT.append("everything")
stopped = threading.Event()
if sys.argv[2:]:
    # As a library starts one: the count of this language's own threads does not know it.
    _thread.start_new_thread(stopped.wait, (float(sys.argv[2]),))
settings = Settings(data_dir=Path(sys.argv[1]))
print(next(on_all_cores(told_by_the_child, settings, ("1", "2"), 2)))
stopped.set()
"""


@pytest.mark.parametrize(
    ("beside", "told"),
    [
        ((), "a child that knows ['everything']"),
        (("60",), "a child that knows []"),
        (("0.05",), "a child that knows ['everything']"),
    ],
    ids=["alone", "beside another thread", "beside one that is about to end"],
)
def test_a_child_is_warm_at_once_unless_other_threads_run(
    tmp_path: Path, beside: tuple[str, ...], told: str
):
    command = [sys.executable, "-W", "error", "-c", _PROCESS, str(tmp_path), *beside]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=_PATIENCE_S)
    assert done.stdout.strip() == told
