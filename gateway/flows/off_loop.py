"""Work that would hold up the loop goes to a thread: large XML, bills of many lines.

lxml and zlib release the lock there; Python code at least lets the loop have its turn.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from gateway.store.database import IN_ONE_PIECE

LARGE_BYTES: Final = 64 * 1024  # from here on a message would hold up the event loop
LINE_BYTES: Final = 256
"""About what a bill line weighs as XML."""
_T = TypeVar("_T")
_XML: Final = ThreadPoolExecutor(1, "xml")


async def off_loop(size: int, work: Callable[[], _T]) -> _T:
    """Do the work here when the message is small or a thread does it all, else in a thread."""
    if size < LARGE_BYTES or IN_ONE_PIECE.get() is not None:
        return work()
    return await asyncio.to_thread(work)


async def with_xml(size: int, work: Callable[[], _T]) -> _T:
    """The same for work on trees of XML, which must not leave the thread that parsed them."""
    if size < LARGE_BYTES or IN_ONE_PIECE.get() is not None:
        return work()
    return await asyncio.get_running_loop().run_in_executor(_XML, work)
