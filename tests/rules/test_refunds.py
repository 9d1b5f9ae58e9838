"""Lines and their refunds."""

import pytest

from gateway.rules.refunds import netted
from tests.rules.facts import a_line

ORIGINAL = a_line(line_id="L1", qty="3", price="88.00")
REFUND = a_line(line_id="L2", qty="-1", price="88.00", refund_of="L1")


def test_a_refund_stands_with_its_original_whatever_the_order():
    (group,) = netted([REFUND, ORIGINAL]).pairs
    assert group.lines == (ORIGINAL, REFUND)
    assert (group.net.quantity, group.net.amount_fen) == (20_000, 17_600)


def test_an_original_without_refunds_is_net_of_nothing():
    (group,) = netted([ORIGINAL]).pairs
    assert group.steps == (ORIGINAL,)
    assert group.net == ORIGINAL


def test_lines_go_by_time_and_then_by_id():
    later = a_line(line_id="L0", day=ORIGINAL.service_day.replace(day=6))
    same_time = a_line(line_id="L9")
    ids = [line.line_id for line in netted([later, same_time, ORIGINAL]).originals]
    assert ids == ["L1", "L9", "L0"]


@pytest.mark.parametrize(
    "lines",
    [[REFUND], [ORIGINAL, REFUND, a_line(line_id="L3", qty="-1", refund_of="L2")]],
    ids=["its original is missing", "its original is a refund itself"],
)
def test_a_refund_without_an_original_never_vanishes_silently(lines: list):
    with pytest.raises(ValueError, match="which is no original"):
        netted(lines)
