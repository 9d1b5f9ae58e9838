"""What leaves something to release."""

import pytest

from gateway.store.jobs import brings_jobs
from gateway.store.tables import admission, release_job, settlement
from gateway.store.unit import Change, Insert, Write

STAY = {"admission_id": "A1"}


@pytest.mark.parametrize(
    ("writes", "brings"),
    [
        ((Insert(release_job, [STAY]),), True),
        ((Insert(settlement, [STAY]), Change(admission, STAY, {"unseen": "S1"})), True),
        ((Change(admission, STAY, {"unseen": ""}),), False),
        ((Change(admission, STAY, {"version": 2}), Insert(settlement, [STAY])), False),
        ((), False),
    ],
    ids=["a job", "not seen yet", "seen", "neither", "nothing"],
)
def test_a_job_or_what_was_not_seen_yet_wakes_the_release(
    writes: tuple[Write, ...], brings: bool
) -> None:
    assert brings_jobs(writes) is brings
