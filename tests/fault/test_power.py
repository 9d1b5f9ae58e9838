"""A loss of power at any moment: what was acknowledged is there, and nothing is half there.

`make fault PART=power` replays 10,000 images; here are a few, with the faults it must find.
"""

import pytest

from tests.fault import power, watched
from tests.fault.call import Call
from tests.fault.story import STORY

pytestmark = pytest.mark.skipif(bool(watched.missing()), reason=watched.missing() or "-")


def test_no_image_loses_an_acknowledgement(call: Call) -> None:
    one = power.recorded(call.nursery, call.fresh(), 1)
    assert one.acknowledged == sum(bool(step.command) for step in STORY)
    assert dict(power.batch(one, range(40))) == {"power_loss_images": 40}


@pytest.mark.parametrize("fault", power.CONTROLS)
def test_a_fault_built_in_is_seen(call: Call, fault: str) -> None:
    assert power.caught(call, fault)
