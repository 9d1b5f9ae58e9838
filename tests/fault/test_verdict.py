"""What must be zero and is not makes a run fail, whichever figure it is."""

from collections import Counter

import pytest

from tests.fault.verdict import ZERO, told


@pytest.mark.parametrize("figure", ZERO)
def test_every_figure_that_must_be_zero_makes_a_failure(figure: str) -> None:
    found = told(Counter({"acknowledged": 3, figure: 2}), "seed 1")
    assert found == {"acknowledged": 3, figure: 2, "failed: seed 1": 2}


def test_what_breaks_nothing_is_no_failure() -> None:
    assert told(Counter(acknowledged=3), "seed 1") == {"acknowledged": 3}
