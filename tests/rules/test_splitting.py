"""Writing one line as several moves no more than the rounding of each."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.split import Payer, Split, total
from gateway.rules.line import Bearers, Terms, decide
from tests.rules.test_properties import BEARERS, TERMS


def parts_of(quantity: int, cuts: list[int]) -> list[int]:
    """The quantity cut at these ten-thousandths of it."""
    at = [0, *sorted(quantity * cut // 10_000 for cut in cuts), quantity]
    return [later - earlier for earlier, later in pairwise(at)]


@given(TERMS, BEARERS, st.lists(st.integers(0, 10_000), min_size=1, max_size=8))
def test_a_line_split_in_n_changes_the_total_by_half_a_fen_each_and_a_payer_by_three(
    terms: Terms, who: Bearers, cuts: list[int]
):
    whole_line = terms._replace(quantity_limit=None)
    parts = parts_of(whole_line.quantity, cuts)
    split = total([decide(whole_line._replace(quantity=part), who).split for part in parts])
    moved = Split(*split).minus(decide(whole_line, who).split)
    # In half fen: (n + 1) × 0.005 yuan is n + 1 of them, (n + 1) × 0.015 yuan three times that.
    assert 2 * abs(moved.total_fen) <= len(parts) + 1
    assert all(2 * abs(moved.borne_by(payer)) <= 3 * (len(parts) + 1) for payer in Payer)
