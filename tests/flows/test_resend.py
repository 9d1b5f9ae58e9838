"""A message that comes again: after a restart, after three days, signed with another key of
another algorithm. It is the same message, and is answered by what became of it.

Here the bytes are really signed and go through the listener's own application.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from httpx import ASGITransport, AsyncClient
from lxml import etree

from gateway.domain.commands import ReverseTransaction
from gateway.domain.message import Heading
from gateway.seal import authority
from gateway.seal.keys import PrivateKey
from gateway.seal.sign import Signer
from gateway.web.hospital import hospital_app
from gateway.web.messages import PATH
from tests.flows.office import LINES, Office, office_in

HOSPITAL, TARGET = "H009", "H009-TARGET"
LIVE, REFUSED, UNDONE, TOMBSTONE = "APPLIED live", "REFUSED", "APPLIED undone", "TOMBSTONE"
CODES = {UNDONE: "SUPERSEDED", TOMBSTONE: "REVERSED_BEFORE_ARRIVAL"}
STATES = pytest.mark.parametrize("state", [LIVE, REFUSED, UNDONE, TOMBSTONE])


@cache
def rsa_key() -> PrivateKey:
    """Made once: it takes a while."""
    return rsa.generate_private_key(public_exponent=65537, key_size=3072)


ALGORITHMS: dict[str, Callable[[], PrivateKey]] = {"rsa": rsa_key, "ecdsa": authority.new_key}


@dataclass(slots=True)
class Listener:
    """The application of the hospitals' listener, and one hospital that signs."""

    office: Office
    tls: bytes
    signers: dict[str, Signer]
    command: Any = None
    heading: Heading | None = None

    async def post(self, signer: Signer, name: str, command: Any, heading: Heading) -> Any:
        """Status, code and exact bytes of the answer."""
        codec: Any = self.office.desk.hospital_codec
        sealed = signer.seal(codec.command_message(heading, command), "m1")
        served = with_certificate(hospital_app(self.office.desk), self.tls)
        async with AsyncClient(transport=ASGITransport(served), base_url="https://gateway") as one:
            reply = await one.post(PATH, content=sealed)
        return reply.status_code, _code(reply.content), reply.content

    async def target(self, signer: Signer) -> Any:
        """The settlement.commit, with the very same content each time."""
        assert self.heading is not None
        return await self.post(signer, "settlement.commit", self.command, self.heading)

    async def reverse(self, signer: Signer) -> Any:
        command = ReverseTransaction(
            target_message_id=TARGET, target_command="settlement.commit", reason="虚构"
        )
        heading = self.headed("transaction.reverse", "H009-UNDOING")
        return await self.post(signer, "transaction.reverse", command, heading)

    def headed(self, name: str, message_id: str) -> Heading:
        now = self.office.desk.clock.now()
        return Heading(
            message_id=message_id,
            command=name,
            sender=HOSPITAL,
            receiver=self.office.desk.receiver,
            sent_at=now,
            expires_at=now + timedelta(hours=12),
        )


def _code(content: bytes) -> str | None:
    """The code of a signed answer; what is unsigned has none that counts."""
    signed = content.startswith(b"<")
    return etree.fromstring(content).findtext("{*}Header/{*}Code") if signed else None


def with_certificate(served: Any, certificate: bytes) -> Any:
    """The application behind a connection on which this certificate was shown."""

    async def over_tls(scope: Any, receive: Any, send: Any) -> None:
        await served({**scope, "extensions": {"tls": {"client_cert": certificate}}}, receive, send)

    return over_tls


async def enrolled(office: Office, purpose: str, key: PrivateKey) -> x509.Certificate:
    """The certificate that the operator issues for the hospital's key."""
    csr = authority.make_csr(key, HOSPITAL).public_bytes(serialization.Encoding.PEM)
    given = {"party": HOSPITAL, "purpose": purpose, "csr": csr.decode()}
    return x509.load_pem_x509_certificate((await office.act("key.enrol", **given)).encode())


async def signer_of(office: Office, algorithm: str) -> Signer:
    key = ALGORITHMS[algorithm]()
    return Signer(key, await enrolled(office, "message", key))


@asynccontextmanager
async def said_in(data: Path, algorithm: str, state: str) -> AsyncIterator[Any]:
    """A gateway in which the message was said, signed with a key of this algorithm."""
    async with office_in(data) as office:
        given = {"kind": "hospital", "agreement_from": "2025-01-01", "capabilities": ["MEDICAL"]}
        await office.act("party.add", party=HOSPITAL, name="虚构医院", **given)
        tls = await enrolled(office, "tls", authority.new_key())
        signers = {name: await signer_of(office, name) for name in ALGORITHMS}
        await office.unsigned_keys(HOSPITAL)
        await office.recognised("C1", 1)
        stay = await office.billed(HOSPITAL, "V1", 1)
        listener = Listener(office, tls.public_bytes(serialization.Encoding.DER), signers)
        count = 99 if state == REFUSED else len(LINES)
        listener.command = office.commit_of(stay, *LINES, expected_count=count)
        listener.heading = listener.headed("settlement.commit", TARGET)
        signer = signers[algorithm]
        first = None if state == TOMBSTONE else await listener.target(signer)
        if state in (UNDONE, TOMBSTONE):
            assert (await listener.reverse(signer))[0] == 200
        yield listener, signer, first


def assert_same_message(again: Any, first: Any, state: str) -> None:
    """The stored bytes while the effect lives, and what became of it when it does not."""
    if state in CODES:
        assert again[1] == CODES[state]
    else:
        assert again == first


@STATES
async def test_a_resend_after_a_restart_is_the_same_message(data: Path, state: str) -> None:
    async with said_in(data, "ecdsa", state) as (before, signer, first):
        pass
    async with office_in(data) as office:
        again = Listener(office, before.tls, {}, before.command, before.heading)
        assert_same_message(await again.target(signer), first, state)


@STATES
async def test_a_resend_after_three_days_is_the_same_message(data: Path, state: str) -> None:
    async with said_in(data, "ecdsa", state) as (listener, signer, first):
        listener.office.gateway.clock.move(timedelta(days=3))
        assert_same_message(await listener.target(signer), first, state)


@STATES
@pytest.mark.parametrize(("old", "new"), [("rsa", "ecdsa"), ("ecdsa", "rsa")])
async def test_a_resend_signed_with_a_key_of_another_algorithm_is_the_same_message(
    data: Path, state: str, old: str, new: str
) -> None:
    async with said_in(data, old, state) as (listener, signer, first):
        named = {"fingerprint": authority.fingerprint(signer.certificate), "verb": "revoke"}
        await listener.office.act("key.change", **named)
        assert (await listener.target(signer))[0] == 401
        assert_same_message(await listener.target(listener.signers[new]), first, state)


async def test_a_message_that_never_came_is_expired_after_three_days(data: Path) -> None:
    async with said_in(data, "ecdsa", LIVE) as (listener, signer, _):
        listener.heading = listener.headed("settlement.commit", "H009-LATE")
        listener.office.gateway.clock.move(timedelta(days=3))
        status, code, first = await listener.target(signer)
        assert (status, code) == (422, "EXPIRED")
        assert (await listener.target(signer))[2] == first
