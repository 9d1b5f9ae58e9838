"""The network between everybody: it delays, reorders, duplicates, loses and forges.

How bad it is, each seed draws for itself (`Weather`); when the story is over it heals.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from tests.simulation.loop import SimLoop


class Lost(Exception):
    """Nothing came back."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back: an HTTP status and a body."""

    status: int
    body: bytes


Serve = Callable[[bytes], Awaitable[Reply]]
"""A receiver. Raises Lost when it died over the message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weather:
    """How often a message meets what; `slow_s` is the usual travel, with a Pareto tail."""

    lost: float
    twice: float
    forged: float
    hung_up: float
    slow_s: float
    patience_s: float

    @classmethod
    def drawn(cls, random: Random) -> "Weather":
        """Each evil is absent in some seeds, so that it hides no other one; a reply can usually
        be heard before patience ends, else nobody ever learned an outcome."""
        return cls(
            lost=random.choice((0, 0.05, 0.2)),
            twice=random.choice((0, 0.1, 0.3)),
            forged=random.choice((0, 0.05, 0.2)),
            hung_up=random.choice((0, 0.5)),
            slow_s=(slow_s := random.choice((0.01, 0.1, 0.5))),
            patience_s=random.choice([one for one in _PATIENCES_S if one > _WAYS * slow_s]),
        )


_PATIENCES_S = (1.0, 4.0, 15.0)
_WAYS = 4  # there and back, each twice as long as the shortest travel
CALM = Weather(lost=0, twice=0, forged=0, hung_up=0, slow_s=0.01, patience_s=60.0)
_OK, _BAD_GATEWAY = 200, 502
_KEPT = 64  # replies of others, which a proxy may give again
_LONGEST_S = 40.0


class Network:
    """Carries requests and replies; `arrived` counts what reached whom."""

    def __init__(self, loop: SimLoop, weather: Weather) -> None:
        self._loop, self._random, self.weather = loop, loop.random, weather
        self.arrived: Counter[str] = Counter()
        self._seen: list[bytes] = []

    def heal(self) -> None:
        self.weather = CALM

    async def call(self, to: str, serve: Serve, raw: bytes) -> Reply:
        """Send a request and wait for what comes back. Raises Lost."""
        if self._meets(self.weather.forged):
            return await self._forged(to, serve, raw)
        if self._meets(self.weather.twice):
            self._later(self._carried(to, serve, raw))
        carrying = self._later(self._carried(to, serve, raw))
        patience_s = self.weather.patience_s
        await asyncio.wait([carrying], timeout=patience_s)
        if not carrying.done() and self._meets(self.weather.hung_up):
            carrying.cancel()
        if not carrying.done() or carrying.cancelled():
            raise Lost
        return carrying.result()

    async def _carried(self, to: str, serve: Serve, raw: bytes) -> Reply:
        """There and back, unless one of the ways loses it."""
        await self._travel()
        self.arrived[to] += 1
        reply = await serve(raw)
        self._seen = [*self._seen[-_KEPT:], reply.body]
        await self._travel()
        return reply

    async def _travel(self) -> None:
        weather = self.weather
        await asyncio.sleep(min(weather.slow_s * self._random.paretovariate(1.2), _LONGEST_S))
        if self._meets(weather.lost):
            raise Lost

    async def _forged(self, to: str, serve: Serve, raw: bytes) -> Reply:
        """A proxy answers by itself; the message may reach its receiver all the same."""
        if self._meets(0.5):
            self._later(self._carried(to, serve, raw))
        await asyncio.sleep(self.weather.slow_s)
        return self._random.choice(_FORGERIES)(self._random, self._seen, raw)

    def _meets(self, evil: float) -> bool:
        return self._random.random() < evil

    def _later(self, work: Any) -> "asyncio.Task[Reply]":
        task: asyncio.Task[Reply] = self._loop.create_task(work)
        task.add_done_callback(_heard)
        return task


def _heard(task: "asyncio.Task[Reply]") -> None:
    """Nobody may be waiting for what was lost; anything else is a defect of the simulation."""
    if not task.cancelled() and not isinstance(task.exception(), Lost | None):
        task.get_loop().call_exception_handler({"exception": task.exception()})


def _empty(_: Random, __: list[bytes], ___: bytes) -> Reply:
    return Reply(_OK, b"")


def _page(_: Random, __: list[bytes], ___: bytes) -> Reply:
    return Reply(_OK, b"<html><body>OK</body></html>")


def _problem(_: Random, __: list[bytes], ___: bytes) -> Reply:
    return Reply(_BAD_GATEWAY, b'{"status": 502, "outcome": "APPLIED"}')


def _mirror(_: Random, __: list[bytes], raw: bytes) -> Reply:
    """The sender's own message, well signed."""
    return Reply(_OK, raw)


def _of_another(random: Random, seen: list[bytes], _: bytes) -> Reply:
    """A genuine reply to some other message, or to this one as it was answered before."""
    return Reply(_OK, random.choice(seen) if seen else b"")


def _altered(random: Random, seen: list[bytes], raw: bytes) -> Reply:
    """A genuine reply with its outcome turned round."""
    body = _of_another(random, seen, raw).body
    return Reply(_OK, body.replace(b">REFUSED<", b">APPLIED<").replace(b">1", b">9"))


def _unsigned(random: Random, seen: list[bytes], raw: bytes) -> Reply:
    """A reply of the right form without its signature."""
    body = _of_another(random, seen, raw).body
    return Reply(_OK, body.partition(b"<ds:Signature")[0] + b"</Message>")


_FORGERIES = (_empty, _page, _problem, _mirror, _of_another, _altered, _unsigned)
