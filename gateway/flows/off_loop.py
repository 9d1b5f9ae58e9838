"""Work that would hold up the loop goes to a thread: large XML, bills of many lines.

lxml and zlib release the lock there; Python code at least lets the loop have its turn.
"""

import asyncio
from collections.abc import Callable
from typing import Final, TypeVar

LARGE_BYTES: Final = 64 * 1024  # from here on a message would hold up the event loop
LINE_BYTES: Final = 256
"""About what a bill line weighs as XML."""
_T = TypeVar("_T")


async def off_loop(size: int, work: Callable[[], _T]) -> _T:
    """Do the work here when the message is small, in a thread when it is large."""
    if size < LARGE_BYTES:
        return work()
    return await asyncio.to_thread(work)
