"""同一函数用上所有处理器 The same function over many parts on every core of the machine.

A child is forked, warm at once, where this process has one thread alone, as a verb has. Beside
other threads, a library's own among them, it is spawned: a fork would copy their locks.
"""

import multiprocessing
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from threading import Event
from typing import Final, TypeVar

from gateway.clock import elapsed_s
from gateway.settings import Settings

_ENDING_S: Final = 0.2
_PAUSE_S: Final = 0.001
P = TypeVar("P")
R = TypeVar("R")


def on_all_cores(
    work: Callable[[Settings, P], R], settings: Settings, parts: Sequence[P], cores: int = 0
) -> Iterator[R]:
    """`work(settings, part)` for each part, in the order of the parts.

    `cores` 0 is every core of the machine; one part, or one core, stays in this process.
    `work` must be a function of a module.
    """
    many = min(cores or os.cpu_count() or 1, len(parts))
    if many <= 1:
        yield from (work(settings, part) for part in parts)
        return
    context = multiprocessing.get_context(_start())
    with ProcessPoolExecutor(many - 1, mp_context=context) as pool:
        begun = [pool.submit(work, settings, part) for part in parts]
        here = dict[int, R]()
        try:
            # This process works as well, from the other end, while its children still start.
            for number in reversed(range(len(parts))):
                if not begun[number].cancel():
                    break
                here[number] = work(settings, parts[number])
            for number, one in enumerate(begun):
                yield here[number] if number in here else one.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _start() -> str:
    """How a child may start here; only on Linux are the system's own libraries safe to fork."""
    return "fork" if sys.platform == "linux" and _alone() else "spawn"


def _alone() -> bool:
    """Whether this process has one thread. One that is about to end, as that of a connection just
    closed, is waited for: else chance would choose between a warm child and a cold one."""
    began, pause = elapsed_s(), Event()
    while len(os.listdir("/proc/self/task")) > 1:
        if elapsed_s(began) > _ENDING_S:
            return False
        pause.wait(_PAUSE_S)
    return True
