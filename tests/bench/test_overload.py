"""Under five times its capacity the gateway goes on working, and what it refuses never was."""

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from gateway.settings import Settings
from gateway.web.limits import Allowance
from tests.bench.overload import HIGHEST, OVER, Load, Run, built, flooded, measured
from tests.e2e.deployed import Deployed, deployed

LEAST = 0.75
"""Of capacity by CPU, of short runs beside everything else; `python -m tests.bench.overload`
measures at length."""
PLACES = Settings().requests_at_once
WAITS_S = Allowance.waits_s


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    with deployed(tmp_path_factory.mktemp("overload")) as running:
        yield running


@pytest.fixture(scope="module")
def load(gateway: Deployed) -> Load:
    return asyncio.run(built(gateway))


@pytest.fixture(scope="module")
def flood(load: Load) -> float:
    """Messages in a second, several times what the gateway answers."""
    return OVER * asyncio.run(load.capacity(1, HIGHEST)).per_second


def stored(gateway: Deployed) -> tuple[set[str], set[str]]:
    """The ids of all messages kept, and of all lines."""
    uri = f"{gateway.settings.database_path.as_uri()}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True)) as connection:
        messages = connection.execute("SELECT message_id FROM message")
        return {row[0] for row in messages}, {
            row[0] for row in connection.execute("SELECT line_id FROM bill_line")
        }


def check_effects(gateway: Deployed, run: Run) -> None:
    """What was answered has its effect; what was refused has none, and its id is free."""
    messages, lines = stored(gateway)
    assert set(run.answered) <= messages & lines
    assert not set(run.refused) & (messages | lines)


def test_under_five_times_its_capacity_it_answers_nearly_as_many(
    gateway: Deployed, load: Load
) -> None:
    found = asyncio.run(measured(load, rounds=1, lasts_s=4))
    assert set(found.capacity.statuses.values()) == {200}
    assert set(found.overload.statuses.values()) == {200, 503}
    assert found.goodput_by_cpu >= LEAST, f"{found.capacity}; {found.overload}"
    check_effects(gateway, found.overload)
    # Little's law: with a place nobody waits for more than those who had one before.
    longest_s = WAITS_S + 3 * PLACES / found.overload.per_second
    assert max(found.overload.waits_s) <= longest_s


def test_a_refused_message_is_answered_when_it_is_sent_again(
    gateway: Deployed, load: Load, flood: float
) -> None:
    async def twice() -> Run:
        flooding = await load.overload(flood, 4, load.hospitals[:1])
        assert flooding.refused
        return await load.again(flooding.refused[:5])

    run = asyncio.run(twice())
    assert list(run.statuses.values()) == [200] * 5
    check_effects(gateway, run)


def test_a_hospital_that_floods_does_not_starve_another(
    gateway: Deployed, load: Load, flood: float
) -> None:
    flooding, honest = asyncio.run(flooded(load, rate=flood, lasts_s=4))
    assert len(flooding.refused) + len(flooding.unsent) > len(flooding.answered)
    assert len(honest.statuses) >= 3
    assert set(honest.statuses.values()) == {200}
    assert max(honest.waits_s) < WAITS_S < max(flooding.waits_s)
    check_effects(gateway, flooding + honest)
