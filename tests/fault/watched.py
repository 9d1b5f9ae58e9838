"""A child of the nursery under strace: what it writes, and a syscall of it that goes wrong."""

import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Final

from tests.fault.nursery import Nursery
from tests.fault.worker import GO, JOURNAL, READY

WRITES: Final = ("pwrite64", "fdatasync", "fsync", "ftruncate", "unlink")
"""Every call by which SQLite changes its files or makes them durable."""
_RENAMES: Final = ("rename", "renameat", "renameat2")
_PATIENCE_S: Final = 120.0
_LIMIT: Final = 70_000  # characters of one write shown: no page of SQLite is longer


@cache
def missing() -> str:
    """Why nothing can be watched here; "" when it can."""
    if shutil.which("strace") is None:
        return "no strace: .ci/run installs it"
    tried = subprocess.run(
        ["strace", "-qq", "-e", "none", "true"], capture_output=True, check=False
    )
    return "" if tried.returncode == 0 else "strace may not trace here (ptrace is forbidden)"


def database(home: Path) -> tuple[Path, Path]:
    """The files of the store: the database and what was committed since."""
    path = (home / "gateway" / "gateway.db").resolve()
    return path, path.with_name(path.name + "-wal")


def run_watched(nursery: Nursery, home: Path, words: Sequence[str], **task: Any) -> str:
    """Run the steps in a child, watched from its gate until its end; what strace wrote."""
    for name in (READY, GO, "trace"):
        (home / name).unlink(missing_ok=True)
    os.mkfifo(home / GO)
    child = nursery.born("tests.fault.worker:steps", home / "log", folder=str(home), **task)
    _until(lambda: (home / READY).exists() or child.poll() is not None, home)
    with _strace(child.pid, home, words):
        (home / GO).write_bytes(b"go")
        child.ended(_PATIENCE_S)
    return (home / "trace").read_text()


@contextmanager
def _strace(pid: int, home: Path, words: Sequence[str]) -> Iterator[None]:
    command = ["strace", "-f", "-y", "-o", str(home / "trace"), "-p", str(pid), *words]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as strace:
        assert strace.stderr is not None
        told = strace.stderr.readline()
        assert "attached" in told, told
        yield
        strace.communicate(timeout=_PATIENCE_S)


def _until(condition: Any, home: Path) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, (home / "log").read_text()
        time.sleep(0.002)
    assert (home / READY).exists(), (home / "log").read_text()


def every_file() -> list[str]:
    """Words of strace: the calls that write the files of the store, or the file of the log's head,
    which is written beside and then takes its name."""
    return ["-e", f"trace={','.join((*WRITES, *_RENAMES))}"]


def everything(home: Path) -> list[str]:
    """Words of strace: every write with its bytes, and what is heard between."""
    paths = [word for path in (*database(home), home / JOURNAL) for word in ("-P", str(path))]
    calls = ",".join((*WRITES, "write"))
    return ["-xx", "-s", str(_LIMIT), "-e", f"trace={calls}", *paths]


_CALL: Final = re.compile(r"^(\d+) +(\w+)\((.*)$")
_RESUMED: Final = re.compile(r"^(\d+) +<\.\.\. (\w+) resumed>(.*)$")


def calls(trace: str) -> Iterator[tuple[str, str]]:
    """The calls that returned, in the order in which they did: name, and arguments with result."""
    begun: dict[str, str] = {}
    for line in trace.splitlines():
        if (resumed := _RESUMED.match(line)) is not None:
            yield resumed[2], begun.pop(resumed[1], "") + resumed[3]
        elif (call := _CALL.match(line)) is not None:
            if call[3].endswith("<unfinished ...>"):
                begun[call[1]] = call[3].removesuffix("<unfinished ...>")
            else:
                yield call[2], call[3]
