"""The figures can be made, and the two sides of each give the same answer."""

import asyncio
import os
from contextlib import closing
from pathlib import Path
from sqlite3 import connect

import asyncpg
import pytest

from tests import postgres
from tests.bench import replays
from tests.bench.gateway import Measured, bills_measured
from tests.bench.replays import LINES_OF_A_BILL, TURNS, Part, all_cores_over_one, in_turns
from tests.bench.rules import rules_over_bare_loop
from tests.bench.stored import FEW, stored_many_over_few
from tests.bench.town import town, town_on_postgresql


def test_the_rules_and_the_bare_loop_give_the_same_fen_and_a_ratio():
    figures = rules_over_bare_loop()
    assert figures["rules_300_over_bare_loop"] > 1
    assert figures["rules_300_over_bare_loop"] < 10
    assert figures["rules_300_cold_over_bare_loop"] > figures["rules_300_over_bare_loop"]


async def test_a_store_of_several_bills_is_replayed_on_one_core_and_on_all(tmp_path: Path):
    figures = await asyncio.to_thread(all_cores_over_one, tmp_path, 2 * LINES_OF_A_BILL)
    assert figures["replay_lines"] == 600
    assert min(figures["replay_one_core_s"], figures["replay_all_cores_s"]) > 0


async def test_cores_that_share_the_work_evenly_are_so_many_times_faster_than_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(replays, "_seconds", lambda _, some, cores: len(some) / cores)
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    figures = await asyncio.to_thread(all_cores_over_one, tmp_path, 2 * LINES_OF_A_BILL)
    assert figures["replay_cores"] == 4
    assert figures["replay_all_cores_over_one"] == 4.0


def test_who_goes_first_at_a_turn_has_no_part_in_the_ratio():
    parts: list[Part] = [(f"B{no}",) for no in range(2 * TURNS)]
    read: set[Part] = set()
    replayed: dict[int, list[Part]] = {1: [], 2: []}

    def slow_at_first(some: list[Part], cores: int) -> float:
        slow = not read.issuperset(some)
        read.update(some)
        replayed[cores] += some
        return 3.0 if slow else 1.0

    one, both = in_turns(parts, slow_at_first, 2)
    assert one == both == 2.0 * TURNS
    assert sorted(replayed[1]) == sorted(replayed[2]) == sorted(parts)


async def test_the_gateway_and_the_floor_settle_the_same_bills_to_the_same_fen(tmp_path: Path):
    found = await asyncio.to_thread(_measured, tmp_path)
    assert found.cpu_over_floor > 1
    assert found.floor_over_parse_c14n > 1


def _measured(folder: Path) -> Measured:
    with town(folder) as made:
        return bills_measured(made, folder / "floor", 20, 2)


async def test_the_postgresql_that_is_measured_writes_to_the_disk_what_it_commits(tmp_path: Path):
    assert await asyncio.to_thread(_how_safe, tmp_path) == ["on", "on", "on"]


def _how_safe(folder: Path) -> list[str]:
    with town_on_postgresql(folder) as (_, url):
        return postgres.waited(_shown(url, "fsync", "full_page_writes", "synchronous_commit"))


async def _shown(url: str, *names: str) -> list[str]:
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        return [await connection.fetchval(f"SHOW {name}") for name in names]
    finally:
        await connection.close()


async def test_copies_of_a_settled_bill_are_bills_of_their_own(tmp_path: Path):
    assert await asyncio.to_thread(_copies, tmp_path) == (FEW + 1, FEW + 1, FEW + 1)


_COUNTS = """
SELECT count(*), count(DISTINCT admission_id), count(total_fen = (
    SELECT sum(amount_fen) FROM bill_line WHERE bill_line.admission_id = settlement.admission_id
) OR NULL) FROM settlement WHERE settlement_id GLOB '*-[0-9]*'
"""


def _copies(folder: Path) -> tuple[int, int, int]:
    """Settlements copied, their stays, and those that are the sum of their own lines."""
    with town(folder) as made:
        stored_many_over_few(made, folder, FEW + 1, 1)
        with closing(connect(made.gateway.settings.database_path)) as store:
            found: tuple[int, int, int] = store.execute(_COUNTS).fetchone()
    return found
