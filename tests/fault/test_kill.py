"""kill -9 at random moments: what was acknowledged is there, word for word, and settled once.

`make fault PART=kill` kills a thousand times; here are a few.
"""

import asyncio

import pytest

from tests.fault import kill
from tests.fault.call import Call


async def test_a_gateway_killed_at_random_loses_nothing(call: Call, tmp_path) -> None:
    one = kill.Site(call, await kill.prepared(tmp_path / "deployed"), kill.Random(7))
    found = await kill.killed(one, 1.0) + await kill.killed(one, 1.0)
    assert found["random_kills"] == 2
    assert found["acknowledged"] == len(one.heard)
    assert found.keys() <= {"random_kills", "acknowledged"}
    assert one.refused == []


def test_the_next_start_finds_the_store_as_the_kill_left_it(call: Call) -> None:
    one = kill.site(call)
    asyncio.run(kill.killed(one, 1.0))
    assert (one.data / "gateway.db-wal").stat().st_size > 0


def test_a_refusal_is_a_breach_and_acknowledges_nothing(call: Call) -> None:
    one = kill.site(call, seed=2)
    del one.lanes[1:]
    one.lanes[0].known["admission_id"] = "NONE"
    one.lanes[0].stage = 1
    found = asyncio.run(kill.killed(one, 1.0))
    assert found["other_breaches"] == len(one.refused) > 0
    assert found["acknowledged"] == len(one.heard) - len(one.refused)


@pytest.mark.parametrize("fault", kill.CONTROLS)
def test_a_fault_built_in_is_seen(call: Call, fault: str) -> None:
    assert kill.caught(call, fault)
