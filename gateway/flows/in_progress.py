"""Messages being processed now. A lock, never a row: a crash leaves no trace of it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

Key = tuple[str, str]


class InProgress:
    """Which (sender, message id) is being worked on."""

    def __init__(self) -> None:
        self._events: dict[Key, asyncio.Event] = {}

    def __contains__(self, key: Key) -> bool:
        return key in self._events

    @asynccontextmanager
    async def holding(self, key: Key) -> AsyncIterator[None]:
        """Hold the key; the caller has checked that nobody holds it."""
        done = self._events[key] = asyncio.Event()
        try:
            yield
        finally:
            del self._events[key]
            done.set()

    async def finished(self, key: Key, wait_s: float) -> bool:
        """Whether the key is free within the time."""
        event = self._events.get(key)
        if event is None:
            return True
        try:
            async with asyncio.timeout(wait_s):
                await event.wait()
        except TimeoutError:
            return False
        return True
