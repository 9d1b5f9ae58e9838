"""The figures can be made, and the two sides of each give the same answer."""

import asyncio
from pathlib import Path

from tests.bench.replays import LINES_OF_A_BILL, all_cores_over_one
from tests.bench.rules import rules_over_bare_loop


def test_the_rules_and_the_bare_loop_give_the_same_fen_and_a_ratio():
    figures = rules_over_bare_loop()
    assert figures["rules_300_over_bare_loop"] > 1
    assert figures["rules_300_over_bare_loop"] < 10


async def test_a_store_of_several_bills_is_replayed_on_one_core_and_on_all(tmp_path: Path):
    figures = await asyncio.to_thread(all_cores_over_one, tmp_path, 2 * LINES_OF_A_BILL)
    assert figures["replay_lines"] == 600
    assert figures["replay_all_cores_over_one"] > 0
