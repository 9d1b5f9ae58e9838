"""Raced pairs, cancelled requests and forged messages, a few of each on both stores; and every
fault that they must find. `make fault PART=race` runs 20,000 rounds."""

import asyncio
from pathlib import Path

import pytest

from tests.fault import race, restarts
from tests.fault.call import Call


@pytest.mark.parametrize("kind", race.KINDS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("store", race.STORES)
def test_a_race_has_one_end(call: Call, store: str, kind: race.Round) -> None:
    assert asyncio.run(race.rounds(call, store, kind, 3)) == {"race_rounds": 3}


def test_a_store_restarted_at_once_under_load_loses_nothing(tmp_path: Path) -> None:
    found = asyncio.run(restarts.restarted(tmp_path, 1, 2))
    assert found.pop("acknowledged") > 0
    assert found == {"postgresql_restarts": 2}


def test_no_forged_message_is_believed() -> None:
    assert race.forged(600) == {}


@pytest.mark.parametrize("fault", race.CONTROLS)
def test_a_fault_built_in_is_seen(call: Call, fault: str) -> None:
    assert race.caught(call, fault)
