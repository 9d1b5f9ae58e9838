"""Virtual time and drawn order: what the simulation stands on."""

import asyncio
from collections.abc import Coroutine
from random import Random
from typing import Any

import pytest

from tests.simulation.loop import SimLoop, Stuck


def played(seed: int, story: Coroutine[Any, Any, Any]) -> tuple[Any, float]:
    """What the story returned, and the virtual time at its end."""
    loop = SimLoop(Random(seed))  # noqa: S311
    try:
        return loop.run_until_complete(story), loop.time()
    finally:
        loop.close()


def test_three_days_pass_at_once() -> None:
    assert played(0, asyncio.sleep(3 * 86400, "done")) == ("done", 3 * 86400)


def test_who_waits_for_ever_is_found() -> None:
    with pytest.raises(Stuck):
        played(0, asyncio.Event().wait())


async def in_order() -> list[int]:
    order: list[int] = []

    async def one(number: int) -> None:
        order.append(number)

    await asyncio.gather(*map(one, range(5)))
    return order


def test_the_seed_draws_the_order() -> None:
    assert played(7, in_order()) == played(7, in_order())
    orders = {tuple(played(seed, in_order())[0]) for seed in range(40)}
    assert len(orders) > 20


async def paid_twice(*, slow: bool) -> bool:
    """Two tasks look whether it was paid, and then pay."""
    loop: Any = asyncio.get_running_loop()
    paid: list[int] = []

    async def pay(number: int) -> None:
        await asyncio.sleep(loop.random.random())
        if not paid:
            await asyncio.sleep(loop.latency_s() * 100 if slow else 0)
            paid.append(number)

    await asyncio.gather(pay(1), pay(2))
    return len(paid) > 1


def test_a_check_then_act_is_seen_only_when_storing_takes_time() -> None:
    assert any(played(seed, paid_twice(slow=True))[0] for seed in range(60))
    assert not any(played(seed, paid_twice(slow=False))[0] for seed in range(60))


def test_a_threads_work_takes_its_time() -> None:
    done, took = played(1, asyncio.to_thread(sum, [1, 2]))
    assert done == 3
    assert took > 0
