"""Receipts over HTTPS: the proof of one's own message, and of nobody else's."""

import json
from base64 import b64encode
from collections.abc import Callable, Iterable
from dataclasses import replace
from hashlib import sha256
from typing import Any

import httpx
import pytest

from gateway.clock import machine_now, micros
from gateway.domain.party import KeyPurpose
from gateway.evidence.tree import HASH, WIDTH, Tile
from gateway.flows import administer
from gateway.flows import receipts as flow
from gateway.flows.keep_log import keep
from gateway.store.tables import leaf, message
from gateway.web import receipts
from gateway.web.hospital import hospital_app
from tests.flows.conftest import data, office, preparations, store
from tests.flows.office import LINES, Heard, Office
from tests.store.hands import by_hand
from tests.web.proved import opened, proves

__all__ = ["data", "office", "preparations", "store"]


@pytest.fixture
def connected(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Whose certificate the connection shows: those of the office exist as fingerprints only."""

    def as_party(party_id: str) -> None:
        shown = sha256(f"{party_id} {KeyPurpose.TLS}".encode()).hexdigest()
        monkeypatch.setattr(receipts, "fingerprint", lambda _: shown)

    return as_party


async def asked(office: Office, sender: str, message_id: str, known: str = "") -> httpx.Response:
    transport = httpx.ASGITransport(app=hospital_app(office.desk))
    headers = {receipts.KNOWN: b64encode(known.encode()).decode()} if known else {}
    path = receipts.PATH.format(sender=sender, message_id=message_id)
    async with httpx.AsyncClient(transport=transport, base_url="https://gateway") as http:
        return await http.get(path, headers=headers)


async def settled(office: Office, **header: Any) -> Heard:
    await office.recognised("C1", 1)
    stay = await office.billed("H001", "V1", 1)
    command = office.commit_of(stay, *LINES)
    return await office.say("H001", "settlement.commit", command, **header)


async def test_a_receipt_proves_the_message_to_whoever_has_the_logs_key(
    office: Office, connected: Callable[[str], None]
) -> None:
    heard = await settled(office)
    await keep(office.desk.log)
    connected("H001")
    answer = await asked(office, "H001", heard.message_id)
    assert answer.status_code == 200
    found = json.loads(answer.content)
    assert proves(office, found, request=heard.said.raw, reply=heard.sealed)
    assert not proves(office, found, request=heard.said.raw, reply=heard.sealed + b" ")


@pytest.mark.parametrize("how", ["in the message", "in the request"])
async def test_a_receipt_continues_the_checkpoint_its_asker_knew(
    office: Office, connected: Callable[[str], None], how: str
) -> None:
    await keep(office.desk.log)
    known = office.desk.log.published
    heard = await settled(
        office, **({"known_checkpoint": known} if how == "in the message" else {})
    )
    await keep(office.desk.log)
    connected("H001")
    given = known if how == "in the request" else ""
    found = json.loads((await asked(office, "H001", heard.message_id, given)).content)
    assert opened(office, found).continues(known)


async def test_a_receipt_of_a_billion_leaves_fits_beside_a_reply(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the longest names and a checkpoint to continue: hashes are what it is made of."""
    heard = await settled(office, message_id="M" * 64)
    await keep(office.desk.log)
    found = await flow.proved(office.desk, "H001", heard.message_id)
    signed = replace(found.signed, size=1_000_000_000)

    async def full(_: Any, __: int, wanted: Iterable[Tile]) -> dict[Tile, bytes]:
        return {one: bytes(HASH * WIDTH) for one in wanted}

    monkeypatch.setattr("gateway.store.log.tiles", full)
    known = f"{found.origin['origin']}\n333333333\n"
    last = replace(found, number=715_827_882, signed=signed)
    told = await flow.receipt(office.desk, last, known)
    assert len(json.loads(told)["consistency"]["hashes"]) > 20
    assert 3000 < len(told) < flow.LONGEST


async def test_before_its_checkpoint_a_message_has_no_receipt_yet(
    office: Office, connected: Callable[[str], None]
) -> None:
    heard = await settled(office)
    connected("H001")
    answer = await asked(office, "H001", heard.message_id)
    assert (answer.status_code, answer.json()["code"]) == (202, "RECEIPT_NOT_READY")
    assert answer.headers["retry-after"]


async def test_anothers_receipt_is_answered_as_one_that_is_not_there(
    office: Office, connected: Callable[[str], None]
) -> None:
    heard = await settled(office)
    await keep(office.desk.log)
    connected("H002")
    forbidden = await asked(office, "H001", heard.message_id)
    unknown = await asked(office, "H001", "NO-SUCH-MESSAGE")
    connected("H001")
    own = await asked(office, "H001", "NO-SUCH-MESSAGE")
    assert forbidden.status_code == 404
    assert forbidden.content == unknown.content == own.content


async def test_a_message_whose_person_was_purged_has_no_receipt_any_more(
    office: Office, connected: Callable[[str], None]
) -> None:
    """Nothing opens what its leaf commits to; to fetch it failed with a fault of ours."""
    heard = await settled(office)
    await keep(office.desk.log)
    async with by_hand(office.desk.database) as connection:
        for table in (message, leaf):
            await connection.execute(table.update().values(record_key=None))
    connected("H001")
    answer = await asked(office, "H001", heard.message_id)
    assert (answer.status_code, answer.json()["code"]) == (404, "RECEIPT_UNKNOWN")


async def test_a_connection_that_shows_nothing_gets_nothing(
    office: Office, connected: Callable[[str], None]
) -> None:
    heard = await settled(office)
    await keep(office.desk.log)
    answer = await asked(office, "H001", heard.message_id)
    assert (answer.status_code, answer.json()["code"]) == (404, "RECEIPT_UNKNOWN")


async def test_a_connections_key_is_judged_by_the_clock_that_tls_goes_by(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Business is in March; the certificate is of today."""
    heard = await settled(office)
    await keep(office.desk.log)
    now_us, fresh = micros(machine_now()), "f" * 64
    key = administer.Certified(fresh, "", now_us, now_us + 3_600_000_000)
    await administer.register_key(office.desk, "H001", KeyPurpose.TLS, key)
    monkeypatch.setattr(receipts, "fingerprint", lambda _: fresh)
    assert (await asked(office, "H001", heard.message_id)).status_code == 200


async def test_a_carrier_with_a_mandate_asks_for_its_hospital(
    office: Office, connected: Callable[[str], None]
) -> None:
    heard = await settled(office)
    await keep(office.desk.log)
    await office.add("carrier", "V001")
    connected("V001")
    assert (await asked(office, "H001", heard.message_id)).status_code == 404
    given = {"carrier": "V001", "hospital": "H001", "commands": ["*"]}
    await office.act("mandate.add", **given, valid_from="2026-01-01", valid_to="2026-12-31")
    assert (await asked(office, "H001", heard.message_id)).status_code == 200
