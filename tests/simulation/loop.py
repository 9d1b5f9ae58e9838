"""An event loop whose time is virtual and whose order is drawn from a seed.

Nothing waits: when nothing is ready the clock jumps to the next timer. What is ready runs in
drawn order, so that every interleaving which two independent tasks may have comes up in some
seed. Disk and network take drawn time at each call (`latency_s`): without it a check-then-act
fault was found by 0 of 300 seeds, with it by 207.
"""

import asyncio
import heapq
from collections.abc import Callable
from contextvars import Context, ContextVar
from random import Random
from typing import Any

PROCESS: ContextVar["Process | None"] = ContextVar("process", default=None)
"""Whose work is being done; a crash ends all of it."""
_SLOW = 0.02  # of the calls of a disk or a thread
_SLOW_S, _FAST_S = 0.4, 0.01


class Stuck(Exception):
    """Nothing is ready and no timer runs: everybody waits for everybody."""


class Process:
    """What dies together: the tasks in the order in which they were made."""

    def __init__(self) -> None:
        self.tasks: list[asyncio.Task[Any]] = []
        self.dead = False


class SimLoop(asyncio.BaseEventLoop):
    """One seed's loop. `random` is the only source of chance in the run."""

    _ready: Any
    _scheduled: Any
    _stopping: bool

    def __init__(self, random: Random) -> None:
        super().__init__()
        self.random, self._virtual_s = random, 0.0
        self.set_task_factory(_made)

    def time(self) -> float:
        return self._virtual_s

    def latency_s(self) -> float:
        """How long a disk or a thread takes for one call: mostly little, sometimes very long."""
        longest = _SLOW_S if self.random.random() < _SLOW else _FAST_S
        return self.random.random() * longest

    def run_in_executor(self, _: Any, work: Callable[..., Any], *given: Any) -> Any:
        """A thread's work is done at once; that it is done is known later."""
        future = self.create_future()
        self.call_later(self.latency_s(), settled, future, *outcome(work, *given))
        return future

    def _write_to_self(self) -> None:
        """There is no other thread to wake this one."""

    def _run_once(self) -> None:
        self._due()
        ready = list(self._ready)
        self._ready.clear()
        self.random.shuffle(ready)
        for handle in ready:
            if not handle._cancelled:
                handle._run()

    def _due(self) -> None:
        """What its timer has called is ready; time moves on only when nothing else is."""
        timers = self._scheduled
        while timers and timers[0]._cancelled:
            heapq.heappop(timers)._scheduled = False
        if not self._ready and not self._stopping:
            if not timers:
                raise Stuck
            self._virtual_s = max(self._virtual_s, timers[0]._when)
        while timers and timers[0]._when <= self._virtual_s:
            timer = heapq.heappop(timers)
            timer._scheduled = False
            self._ready.append(timer)


def _made(loop: Any, work: Any, context: Context | None = None) -> "asyncio.Task[Any]":
    task = asyncio.Task(work, loop=loop, context=context)
    process = PROCESS.get() if context is None else context.get(PROCESS)
    if process is not None:
        process.tasks.append(task)
    return task


def outcome(work: Callable[..., Any], *given: Any) -> tuple[Any, Exception | None]:
    """What the work returned, and what it raised."""
    try:
        return work(*given), None
    except Exception as error:
        return None, error


def settled(future: "asyncio.Future[Any]", result: Any, error: Exception | None) -> None:
    """The future takes its outcome unless nobody waits any more."""
    if future.done():
        return
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(result)
