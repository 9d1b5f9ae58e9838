"""What would hold up the loop is done by a thread."""

import threading

from gateway.flows.off_loop import LARGE_BYTES, off_loop, with_xml
from gateway.store.database import IN_ONE_PIECE


async def _thread_of(size: int) -> threading.Thread:
    return await off_loop(size, threading.current_thread)


async def test_what_is_small_is_done_here_and_what_is_large_by_a_thread() -> None:
    here = threading.current_thread()
    assert await _thread_of(LARGE_BYTES - 1) is here
    assert await _thread_of(LARGE_BYTES) is not here


async def test_a_thread_that_does_it_all_hands_nothing_on() -> None:
    before = IN_ONE_PIECE.set(object())
    try:
        assert await _thread_of(LARGE_BYTES) is threading.current_thread()
    finally:
        IN_ONE_PIECE.reset(before)


async def test_large_xml_always_has_the_same_thread() -> None:
    assert await with_xml(LARGE_BYTES - 1, threading.current_thread) is threading.current_thread()
    threads = [await with_xml(LARGE_BYTES, threading.current_thread) for _ in range(3)]
    assert len(set(threads)) == 1
    assert threads[0] is not threading.current_thread()
