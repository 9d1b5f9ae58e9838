"""同一函数用上所有处理器 The same function over many parts on every core of the machine.

Children are spawned, never forked: a fork would copy the threads' locks of this process.
"""

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import TypeVar

from gateway.settings import Settings

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
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(many - 1, mp_context=spawn) as pool:
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
