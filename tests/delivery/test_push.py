"""Messages pushed over the real wire: to the agency, and to a hospital that can be called."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from adapters.hospital_xml import HospitalXml
from adapters.sandbox.agency import Core, server_tls
from adapters.sandbox.client import Client
from gateway.domain.case import CaseState
from gateway.store.tables import outbox
from gateway.web.mtls import make_server
from tests.web.running import running
from tests.world import World, bill_line, world

DAY = date(2026, 3, 2)
LINES = (bill_line("L1", "I0001", "12.00", "2", DAY),)


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path) as made:
        yield made


@asynccontextmanager
async def callable_hospital(town: World) -> AsyncIterator[tuple[Client, Core]]:
    """A hospital with a listener of its own, at which messages are pushed to it."""
    ca, codec = town.gateway.deployment.ca, HospitalXml()
    core = Core(party_id="H001", trust=ca.read_bytes(), codec=codec, now=town.clock.now)
    tls = server_tls(town.folder / "core.pem", town.folder / "core.key", ca)
    listener = make_server(core.app(), "127.0.0.1", 0, tls)
    url = f"https://localhost:{listener.port}/messages"
    given = {"agreement_from": "2025-01-01", "capabilities": ["MEDICAL"], "callback": url}
    keys = await town.enrol("hospital", "H001", **given)
    core.signer = keys.signer()
    async with running(listener):
        yield town.client(keys), core


async def rows(town: World, receiver: str) -> list[dict[str, Any]]:
    query = select(outbox).where(outbox.c.receiver == receiver).order_by(outbox.c.lane_seq)
    async with town.desk.database.reading() as reader:
        return await reader.opened(outbox, query)


async def test_a_hospital_with_an_address_gets_the_outcome_of_its_held_bill_pushed(
    town: World,
) -> None:
    async with callable_hospital(town) as (hospital, core):
        await town.report("C1", 1)
        stay = (await town.register(hospital, "V1", 1)).result.admission_id
        await town.upload(hospital, stay, *LINES)
        await town.discharge(hospital, stay)
        held = await town.commit(hospital, stay, *LINES)
        assert held.code == "HELD"
        await town.decide("C1", CaseState.RECOGNISED)

        async def delivered() -> bool:
            states = [getattr(one, "bill_state", "") for one in core.received.values()]
            kept = await rows(town, "H001")
            return "SETTLED" in states and all(row["state"] == "DONE" for row in kept)

        await town.until(delivered)
        kept = await rows(town, "H001")
    assert {row["channel"] for row in kept} == {"push"}
    assert [row["message_id"] for row in kept] == list(core.received)
    assert all(b"<" in row["receipt"] for row in kept)


async def test_a_receipt_by_a_wrong_signer_is_none_and_the_same_bytes_go_again(
    town: World,
) -> None:
    hospital = await town.hospital("H001")
    await town.report("C1", 1)
    right, town.core.signer = town.core.signer, hospital.signer
    await town.register(hospital, "V1", 1)
    await town.decide("C1", CaseState.RECOGNISED)

    async def tried() -> bool:
        return any(row["attempts"] for row in await rows(town, "AGENCY"))

    await town.until(tried)
    [before] = [row for row in await rows(town, "AGENCY") if row["attempts"]]
    assert (before["state"], before["receipt"]) == ("WAITING", None)
    assert before["last_error"] == "no receipt: its key is not registered"
    town.core.signer = right

    async def delivered() -> bool:
        return [row["state"] for row in await rows(town, "AGENCY")] == ["DONE", "DONE"]

    await town.until(delivered, 90)
    after = await rows(town, "AGENCY")
    assert before["sealed"] in [row["sealed"] for row in after]
    assert [row["message_id"] for row in after] == list(town.core.received)
