"""A process that has imported everything and forks a child for each task: a gateway to be killed
costs no start of the interpreter. It has one thread, so that a fork takes nobody's lock along."""

import importlib
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import PIPE
from typing import Any


class Nursery:
    """The parent of children that run `module:function(**arguments)` until they end or die."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def born(self, task: str, log: Path, **arguments: Any) -> "Child":
        """A new child at its task; what it writes to standard error is kept in the log."""
        order = {"task": task, "log": str(log), "arguments": arguments}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return Child(int(self._process.stdout.readline()), log)


class Child:
    """A process that is not ours to wait for: its end is seen through a descriptor."""

    def __init__(self, pid: int, log: Path) -> None:
        self.pid, self.log = pid, log
        self._descriptor = os.pidfd_open(pid)

    def kill(self) -> None:
        """kill -9, and gone when this returns."""
        signal.pidfd_send_signal(self._descriptor, signal.SIGKILL)
        self.ended(30)

    def ended(self, patience_s: float) -> None:
        """Wait for its end. Raises AssertionError when it goes on living."""
        watch = select.poll()
        watch.register(self._descriptor, select.POLLIN)
        if not watch.poll(patience_s * 1000):
            raise AssertionError(f"still alive after {patience_s} s: {self.log.read_text()}")
        os.close(self._descriptor)

    def poll(self) -> int | None:
        """None while it lives, as of any process."""
        watch = select.poll()
        watch.register(self._descriptor, select.POLLIN)
        return 0 if watch.poll(0) else None


@contextmanager
def nursery() -> Iterator[Nursery]:
    """A nursery with the gateway and this harness imported."""
    words = [sys.executable, "-m", "tests.fault.nursery"]
    with subprocess.Popen(words, stdin=PIPE, stdout=PIPE, text=True) as process:
        yield Nursery(process)
        # Without orders it ends by itself.
        process.communicate(timeout=30)


def _tend() -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    importlib.import_module("tests.fault.worker")
    for line in sys.stdin:
        order = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _live(order)
        # Known by its descriptor before anybody may kill it.
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()


def _live(order: dict[str, Any]) -> None:
    """The child: no status tells how it ended, its journal does."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for descriptor in (1, 2):
        os.dup2(log, descriptor)
    nowhere = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nowhere, 0)
    module, _, name = order["task"].partition(":")
    try:
        getattr(importlib.import_module(module), name)(**order["arguments"])
    except BaseException:
        sys.excepthook(*sys.exc_info())
        sys.stderr.flush()
    os._exit(0)


if __name__ == "__main__":
    _tend()
