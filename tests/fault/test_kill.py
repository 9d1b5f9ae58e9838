"""kill -9 at random moments: what was acknowledged is there, word for word, and settled once.

`make fault PART=kill` kills a thousand times; here are a few.
"""

import pytest

from tests.fault import kill
from tests.fault.call import Call


async def test_a_gateway_killed_at_random_loses_nothing(call: Call, tmp_path) -> None:
    one = kill.Site(call, await kill.prepared(tmp_path / "deployed"), kill.Random(7))
    found = await kill.killed(one, 1.0) + await kill.killed(one, 1.0)
    assert found["random_kills"] == 2
    assert found["acknowledged"] == len(one.heard)
    assert found.keys() <= {"random_kills", "acknowledged"}
    assert [lane.refused for lane in one.lanes] == [[]] * kill.LANES


@pytest.mark.parametrize("fault", kill.CONTROLS)
def test_a_fault_built_in_is_seen(call: Call, fault: str) -> None:
    assert kill.caught(call, fault)
