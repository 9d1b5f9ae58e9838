"""One deployment in several processes on PostgreSQL: each role serves its part."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from adapters.catalog_file import sample_path
from gateway.domain.commands import PullInbox, QueryTransaction
from tests import postgres
from tests.e2e.deployed import PORTS, Deployed, deployed
from tests.e2e.test_kill import agency_keys, billed, client, commit_of, decide, report

ROLES = ("hospital", "agency", "delivery")
_PATIENCE_S = 60.0


def gateway_said(url: str, folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    environment = os.environ | {"GATEWAY_DATABASE_URL": url, "GATEWAY_DATA_DIR": str(folder)}
    command = [sys.executable, "-m", "gateway", *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def url() -> Iterator[str]:
    made = postgres.new_database()
    yield made
    postgres.drop(made)


@pytest.fixture
def processes(tmp_path: Path, url: str) -> Iterator[dict[str, Deployed]]:
    """One process of each role, each with a folder of its own; keys and certificates shared."""
    assert gateway_said(url, tmp_path / "hospital" / "data", "migrate").returncode == 0
    with ExitStack() as running:
        made = {}
        for role in ROLES:
            if role != ROLES[0]:
                shared(tmp_path / ROLES[0] / "data", tmp_path / role / "data")
            started = deployed(tmp_path / role, role, database_url=url)
            made[role] = running.enter_context(started)
        yield made


def shared(source: Path, target: Path) -> None:
    target.mkdir(parents=True)
    for name in ("keys", "trust"):
        (target / name).symlink_to(source / name)


async def released(hospital: Any, message_id: str) -> Any:
    """What is known of a held bill once it is settled."""
    asked = QueryTransaction(target_message_id=message_id)
    async with asyncio.timeout(_PATIENCE_S):
        while True:
            found = (await hospital.send("transaction.query", asked)).result
            if found.outcome_message_id:
                return found
            await asyncio.sleep(0.1)


async def numbered(hospital: Any, message_id: str) -> None:
    """Wait until the message has its place in the hospital's inbox."""
    async with asyncio.timeout(_PATIENCE_S):
        while True:
            pulled = (await hospital.send("inbox.pull", PullInbox(limit=10))).result
            if message_id in [one.message_id for one in pulled.messages]:
                return
            await asyncio.sleep(0.1)


async def test_a_stay_goes_through_three_processes(processes: dict[str, Deployed]) -> None:
    """Held by one, recognised through another, released and numbered by the third."""
    front, office = processes["hospital"], processes["agency"]
    keys = front.hospital("H001")
    front.act("catalog.import", path=str(sample_path()), valid_from="2025-01-01")
    async with (
        client(office, agency_keys(office), "agency") as agency,
        client(front, keys, "hospital") as hospital,
    ):
        await report(agency, 1)
        stay = await billed(hospital, "V1")
        held = await hospital.send("settlement.commit", commit_of(stay))
        assert held.code == "HELD"
        await decide(agency, 1)
        found = await released(hospital, held.message_id)
        assert found.bill_state == "SETTLED"
        await numbered(hospital, found.outcome_message_id)
    assert [set(processes[role].ports) for role in ROLES] == [set(PORTS[role]) for role in ROLES]


def test_a_role_is_refused_on_sqlite(tmp_path: Path) -> None:
    said = gateway_said("", tmp_path, "serve", "--role", "hospital")
    assert said.returncode == 1
    assert "SQLite takes one process" in said.stdout + said.stderr


def test_a_database_that_is_not_migrated_is_not_served(tmp_path: Path, url: str) -> None:
    said = gateway_said(url, tmp_path, "serve")
    assert said.returncode == 1
    assert "gateway migrate first" in said.stdout + said.stderr
