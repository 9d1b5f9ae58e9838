"""A fault at a system call that writes: nothing acknowledged is lost, the message said again is
answered once and for all. `make fault PART=syscall` tries every call of every operation."""

from itertools import islice

import pytest

from tests.fault import syscall, watched
from tests.fault.call import Call
from tests.fault.story import STORY
from tests.fault.syscall import FAULTS, Point

pytestmark = pytest.mark.skipif(bool(watched.missing()), reason=watched.missing() or "-")

KINDS = {"acknowledged", "syscall_kill_points", "syscall_error_points"}


def test_every_kind_of_call_can_fail_and_nothing_is_lost(call: Call) -> None:
    home = call.fresh()
    found = list(syscall.points(call, home, 0))
    assert {one.call for one in found} >= {"pwrite64", "fdatasync"}
    assert {one.fault for one in found} == set(FAULTS)
    for fault in FAULTS:
        last = max(one.number for one in found if one.call == "pwrite64")
        for point in (Point(0, "pwrite64", last, fault), Point(0, "fdatasync", 1, fault)):
            outcome = syscall.befallen(call, home, point)
            kind = "syscall_kill_points" if fault == FAULTS[0] else "syscall_error_points"
            assert dict(outcome) == {"acknowledged": 1, kind: 1}, str(point)


def test_the_file_of_the_logs_head_can_fail_and_nothing_is_lost(call: Call) -> None:
    step = [one.name for one in STORY].index("keep-log")
    home = list(islice(syscall.homes(call), step + 1))[-1]
    found = [one for one in syscall.points(call, home, step) if one.call in ("fsync", "rename")]
    assert {(one.call, one.number) for one in found} == {("fsync", 1), ("fsync", 2), ("rename", 1)}
    for point in found:
        assert dict(syscall.befallen(call, home, point)).keys() <= KINDS, str(point)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_call_that_never_comes_is_a_failure_and_no_point(call: Call, fault: str) -> None:
    point = Point(0, "pwrite64", 1000, fault)
    outcome = syscall.befallen(call, call.fresh(), point)
    assert dict(outcome) == {"acknowledged": 1, f"failed: nothing befell {point}": 1}


@pytest.mark.parametrize("fault", syscall.CONTROLS)
def test_a_fault_built_in_is_seen(call: Call, fault: str) -> None:
    assert syscall.caught(call, fault)
