"""One message through the web layer alone: what is signed, what is a problem, what is counted."""

import json
import threading
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from adapters.hospital_xml import HospitalXml
from adapters.sandbox.keys import PartyKeys
from gateway import app, logs
from gateway.clock import SystemClock, machine_now
from gateway.domain.commands import PullInbox, ReadPerson
from gateway.domain.message import Heading
from gateway.flows import exchange
from gateway.seal import profile
from gateway.seal.offline import verify_offline
from gateway.settings import Settings
from gateway.store.unit import StoreFailed, Unit
from gateway.web import admin, messages
from gateway.web.hospital import hospital_app
from gateway.web.messages import PATH
from tests.world import person

ASK = ReadPerson(person=person(1))


class Desk:
    """A gateway without sockets and a hospital H001 whose connection is a line in the scope."""

    def __init__(self, gateway: app.Gateway, keys: PartyKeys) -> None:
        self.gateway, self.keys = gateway, keys
        self.app = hospital_app(gateway.desk)

    def sealed(self, name: str = "person.read", command: Any = ASK, **head: Any) -> bytes:
        now = machine_now()
        values: dict[str, Any] = {
            "message_id": "M-1",
            "command": name,
            "sender": "H001",
            "receiver": self.gateway.settings.receiver,
            "sent_at": now,
            "expires_at": now + timedelta(hours=1),
        }
        content = HospitalXml().command_message(Heading(**(values | head)), command)
        return self.keys.signer().seal(content, "m1")

    async def post(self, raw: bytes, purpose: str = "tls", method: str = "POST") -> httpx.Response:
        """The answer over a connection that showed the certificate of this purpose, or none."""

        async def connected(scope: Any, receive: Any, send: Any) -> None:
            if purpose:
                pem = self.keys.certificate(purpose).read_bytes()
                der = x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER)
                scope["extensions"] = {"tls": {"client_cert": der}}
            await self.app(scope, receive, send)

        transport = httpx.ASGITransport(app=connected, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="https://gateway") as http:
            return await http.request(method, PATH, content=raw)

    def counted(self, line: str) -> bool:
        return line in self.gateway.metrics.text().decode().splitlines()


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    settings = Settings(data_dir=tmp_path / "data", environment="test")
    async with app.opened(settings, SystemClock()) as gateway:
        given = {"party": "H001", "kind": "hospital", "name": "虚构医院"}
        await admin.perform(gateway.office, "party.add", given)
        keys = PartyKeys("H001", tmp_path / "H001")
        for purpose in ("tls", "message"):
            request = {
                "party": "H001",
                "purpose": purpose,
                "csr": keys.request(purpose).read_text(),
            }
            pem = await admin.perform(gateway.office, "key.enrol", request)
            keys.certificate(purpose).write_text(pem)
        yield Desk(gateway, keys)


async def test_a_believed_message_gets_a_signed_reply_that_nobody_keeps(desk: Desk) -> None:
    answer = await desk.post(desk.sealed())
    sealed = verify_offline(answer.content, desk.gateway.deployment.ca.read_bytes())
    assert (answer.status_code, sealed.header.in_reply_to) == (200, "M-1")
    assert answer.headers["content-type"] == "application/xml"
    assert answer.headers["cache-control"] == "no-store"
    assert desk.counted('gw_requests_total{code="OK",op="person.read"} 1.0')


@pytest.mark.parametrize(
    ("purpose", "status", "code"),
    [("", 403, "CONNECTION_UNKNOWN"), ("message", 403, "CONNECTION_UNKNOWN")],
)
async def test_a_connection_that_proves_nobody_is_a_problem(
    desk: Desk, purpose: str, status: int, code: str
) -> None:
    answer = await desk.post(desk.sealed(), purpose)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert desk.counted(f'gw_signature_failures_total{{reason="{code}"}} 1.0')


async def test_an_unbelieved_message_is_counted_by_its_code_only(desk: Desk) -> None:
    answer = await desk.post(desk.sealed().replace(b"M-1", b"M-2"))
    assert (answer.status_code, answer.json()["code"]) == (401, "SIGNATURE_INVALID")
    assert answer.headers["www-authenticate"] == "XMLDSig"
    assert desk.counted('gw_signature_failures_total{reason="SIGNATURE_INVALID"} 1.0')
    assert b"M-2" not in desk.gateway.metrics.text()


async def test_a_key_is_judged_before_its_signature_costs_anything(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.seal.keys.signed_by", _never)
    answer = await desk.post(desk.sealed(sender="H-NOBODY"))
    assert answer.json()["code"] == "KEY_UNKNOWN"


def _never(*_: object) -> bool:
    raise AssertionError("a signature was checked with a key that is not the sender's")


async def test_a_store_that_fails_is_answered_with_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def failing(_: object) -> None:
        raise StoreFailed("disk")

    monkeypatch.setattr(desk.gateway.desk.database, "commit", failing)
    answer = await desk.post(desk.sealed())
    assert (answer.status_code, answer.json()["code"]) == (500, "GATEWAY_FAILED")
    assert answer.json()["outcome"] == "UNKNOWN"
    assert desk.counted('gw_requests_total{code="GATEWAY_FAILED",op="person.read"} 1.0')


async def test_what_is_logged_of_a_failed_store_names_the_transaction(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    begun: list[str] = []

    async def failing(unit: Unit) -> None:
        begun.append(unit.tx_id)
        raise StoreFailed("disk")

    caplog.handler.setFormatter(logs.JsonLine())
    monkeypatch.setattr(desk.gateway.desk.database, "commit", failing)
    await desk.post(desk.sealed())
    [told] = [json.loads(line) for line in caplog.text.splitlines() if "not answered" in line]
    assert told["tx"] == begun[0]


async def test_a_fault_of_ours_is_a_problem_without_a_trace(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def failing(*_: object) -> None:
        raise LookupError("secret place")

    monkeypatch.setattr("gateway.web.messages.identify", failing)
    answer = await desk.post(desk.sealed())
    assert (answer.status_code, answer.json()["code"]) == (500, "GATEWAY_FAILED")
    assert b"secret" not in answer.content
    assert b"Lookup" not in answer.content


async def test_the_xml_of_a_message_stays_with_one_thread_that_answers_nobody(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[str] = []

    def noted(work: Callable[..., Any]) -> Callable[..., Any]:
        def noting(*given: Any) -> Any:
            threads.append(threading.current_thread().name)
            return work(*given)

        return noting

    monkeypatch.setattr(messages, "envelope", noted(profile.envelope))
    monkeypatch.setattr(exchange, "content_of", noted(exchange.content_of))
    for _ in range(3):
        threads.clear()
        await desk.post(desk.sealed("inbox.pull", PullInbox(limit=1)))
        read_by, understood_by = threads
        assert read_by == understood_by
        assert read_by.startswith("store-reader")


@pytest.mark.parametrize("method", ["GET", "PUT", "HEAD"])
async def test_only_post_is_answered(desk: Desk, method: str) -> None:
    assert (await desk.post(b"", method=method)).status_code == 405
