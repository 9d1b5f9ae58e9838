"""Messages pushed over the real wire: to the agency, and to a hospital that can be called."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from fastapi import Response
from sqlalchemy import select

from adapters.hospital_xml import HospitalXml
from adapters.sandbox.agency import Core, server_tls
from adapters.sandbox.client import Client
from gateway.clock import machine_now
from gateway.domain.case import CaseState
from gateway.seal import authority
from gateway.seal.sign import Signer
from gateway.store.tables import outbox
from gateway.web.mtls import client_certificate, make_server
from tests import postgres
from tests.store.conftest import SQLITE, STORES
from tests.web.running import running
from tests.world import World, bill_line, world

DAY = date(2026, 3, 2)
LINES = (bill_line("L1", "I0001", "12.00", "2", DAY),)


@pytest.fixture(params=STORES)
async def town(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    embedded = request.param == SQLITE
    url = "" if embedded else postgres.new_database(request.getfixturevalue("migrated_url"))
    async with world(tmp_path, database_url=url) as made:
        yield made
    if url:
        postgres.drop(url)


class Proxy:
    """Before a receiver: answers 200 with a page of its own until it lets messages through."""

    def __init__(self, inner: Any) -> None:
        self._inner, self.through = inner, False
        self.bodies: list[bytes] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            part = await receive()
            body, more = body + part.get("body", b""), part.get("more_body", False)
        self.bodies.append(body)
        if not self.through:
            await Response("<html>200 OK</html>", media_type="text/html")(scope, receive, send)
            return

        async def again() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        await self._inner(scope, again, send)


@asynccontextmanager
async def callable_hospital(
    town: World, before: Callable[[Any], Any] = lambda app: app
) -> AsyncIterator[tuple[Client, Core, Any]]:
    """A hospital with a listener of its own, at which messages are pushed to it."""
    ca, codec = town.gateway.deployment.ca, HospitalXml()
    core = Core(party_id="H001", trust=ca.read_bytes(), codec=codec, now=town.clock.now)
    tls = server_tls(town.folder / "core.pem", town.folder / "core.key", ca)
    app = before(core.app())
    listener = make_server(app, "127.0.0.1", 0, tls)
    url = f"https://localhost:{listener.port}/messages"
    given = {"agreement_from": "2025-01-01", "capabilities": ["MEDICAL"], "callback": url}
    keys = await town.enrol("hospital", "H001", **given)
    core.signer = keys.signer()
    async with running(listener):
        yield town.client(keys), core, app


async def rows(town: World, receiver: str) -> list[dict[str, Any]]:
    query = select(outbox).where(outbox.c.receiver == receiver).order_by(outbox.c.lane_seq)
    async with town.desk.database.reading() as reader:
        return await reader.opened(outbox, query)


async def test_a_hospital_with_an_address_gets_the_outcome_of_its_held_bill_pushed(
    town: World,
) -> None:
    async with callable_hospital(town) as (hospital, core, _):
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


async def settled_later(town: World, hospital: Client, case: str, serial: int) -> None:
    """A bill that is held and then released: its outcome is pushed to the hospital."""
    await town.report(case, serial)
    stay = (await town.register(hospital, f"V-{case}", serial)).result.admission_id
    await town.upload(hospital, stay, *LINES)
    await town.discharge(hospital, stay)
    assert (await town.commit(hospital, stay, *LINES)).code == "HELD"
    await town.decide(case, CaseState.RECOGNISED)


def rolled_over(town: World) -> None:
    """The gateway signs with another key of another algorithm from now on."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=3072)
    name = town.gateway.settings.gateway_id
    csr = authority.make_csr(key, name).public_bytes(Encoding.PEM)
    nows = (town.clock.now(), machine_now())
    certificate = town.gateway.deployment.issue(csr, "message", [name], nows)
    signer = Signer(key, certificate)
    town.desk.sealer = replace(town.desk.sealer, signer=signer)  # type: ignore[type-var]
    town.desk.signer_fingerprint = authority.fingerprint(certificate)


async def test_a_proxys_200_is_no_receipt_and_after_a_roll_over_the_same_bytes_go_again(
    town: World,
) -> None:
    async with callable_hospital(town, Proxy) as (hospital, core, proxy):
        await settled_later(town, hospital, "C1", 1)

        async def tried() -> bool:
            return any(row["attempts"] > 1 for row in await rows(town, "H001"))

        await town.until(tried, 60)
        before = await rows(town, "H001")
        assert {(row["state"], row["receipt"]) for row in before} == {("WAITING", None)}
        assert all(row["last_error"].startswith("no receipt") for row in before if row["attempts"])
        assert core.received == {}
        rolled_over(town)
        await settled_later(town, hospital, "C2", 2)
        proxy.through = True

        async def delivered() -> bool:
            after = await rows(town, "H001")
            ended = len(after) > len(before) and {row["state"] for row in after} == {"DONE"}
            return ended and len(core.received) == len(after)

        await town.until(delivered, 120)
        after = {row["message_id"]: row for row in await rows(town, "H001")}
    assert [after[row["message_id"]]["sealed"] for row in before] == [r["sealed"] for r in before]
    assert set(proxy.bodies) == {row["sealed"] for row in after.values()}
    algorithms = {b"rsa-sha256" in row["sealed"] for row in after.values()}
    assert algorithms == {True, False}


class Door:
    """Before a receiver: notes the certificate by which each message came."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.shown: list[bytes | None] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.shown.append(client_certificate(scope))
        await self._inner(scope, receive, send)


def renewed(town: World) -> bytes:
    """A new key and certificate by which we call others; the certificate, DER."""
    made, name = town.gateway.deployment, town.gateway.settings.gateway_id
    key, nows = authority.new_key(), (town.clock.now(), machine_now())
    certificate = made.issue(authority.make_csr(key, name), "tls_client", [name], nows)
    kept, private = made.client
    authority.write_private_key(private, key)
    kept.write_bytes(certificate.public_bytes(Encoding.PEM))
    return certificate.public_bytes(Encoding.DER)


async def test_a_renewed_certificate_of_ours_is_shown_without_a_restart(town: World) -> None:
    async with callable_hospital(town, Door) as (hospital, core, door):

        async def delivered() -> bool:
            kept = await rows(town, "H001")
            return len(core.received) == len(kept) > 0

        await settled_later(town, hospital, "C1", 1)
        await town.until(delivered)
        before, ours = len(door.shown), renewed(town)
        await settled_later(town, hospital, "C2", 2)

        async def delivered_again() -> bool:
            return len(door.shown) > before and await delivered()

        await town.until(delivered_again)
    assert ours not in door.shown[:before]
    assert set(door.shown[before:]) == {ours}
