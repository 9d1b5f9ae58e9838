"""The application of a listener, and a hospital whose messages are really signed."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient, Response
from lxml import etree

from gateway.domain.commands import ReverseTransaction
from gateway.domain.message import Heading
from gateway.flows.desk import Desk
from gateway.seal import authority
from gateway.seal.keys import PrivateKey
from gateway.seal.sign import Signer
from gateway.web.hospital import hospital_app
from gateway.web.messages import PATH
from tests.flows.office import LINES, Office, office_in

HOSPITAL, TARGET = "H009", "H009-TARGET"
LIVE, REFUSED, UNDONE, TOMBSTONE = "APPLIED live", "REFUSED", "APPLIED undone", "TOMBSTONE"


@cache
def rsa_key() -> PrivateKey:
    """Made once: it takes a while."""
    return rsa.generate_private_key(public_exponent=65537, key_size=3072)


ALGORITHMS: dict[str, Callable[[], PrivateKey]] = {"rsa": rsa_key, "ecdsa": authority.new_key}


@dataclass(slots=True)
class Listener:
    """The application of a listener, and one party that signs: H009 on the hospitals' own."""

    office: Office
    tls: bytes
    signers: dict[str, Signer]
    command: Any = None
    heading: Heading | None = None
    app: Callable[[Desk], FastAPI] = hospital_app

    async def post(self, signer: Signer, name: str, command: Any, heading: Heading) -> Any:
        """Status, code and exact bytes of the answer."""
        reply = await self.answered(self.sealed(signer, command, heading))
        return reply.status_code, _code(reply.content), reply.content

    def sealed(self, signer: Signer, command: Any, heading: Heading) -> bytes:
        """The exact bytes of the hospital's message."""
        codec: Any = self.office.desk.codec_for(heading.sender)
        return signer.seal(codec.command_message(heading, command), "m1")

    async def answered(self, sealed: bytes, tls: bytes = b"") -> Response:
        """The answer over the hospital's own connection, or another's."""
        async with self.connected(tls or self.tls) as http:
            return await http.post(PATH, content=sealed)

    def connected(self, tls: bytes) -> AsyncClient:
        """A client on whose connection this certificate was shown."""
        served = with_certificate(self.app(self.office.desk), tls)
        return AsyncClient(transport=ASGITransport(served), base_url="https://gateway")

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

    def headed(self, name: str, message_id: str, sender: str = HOSPITAL) -> Heading:
        now = self.office.desk.clock.now()
        return Heading(
            message_id=message_id,
            command=name,
            sender=sender,
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


async def enrolled(
    office: Office, purpose: str, key: PrivateKey, party: str = HOSPITAL
) -> x509.Certificate:
    """The certificate that the operator issues for the party's key."""
    csr = authority.make_csr(key, party).public_bytes(serialization.Encoding.PEM)
    given = {"party": party, "purpose": purpose, "csr": csr.decode()}
    return x509.load_pem_x509_certificate((await office.act("key.enrol", **given)).encode())


async def signer_of(office: Office, algorithm: str, party: str = HOSPITAL) -> Signer:
    key = ALGORITHMS[algorithm]()
    return Signer(key, await enrolled(office, "message", key, party))


async def connection_of(office: Office, party: str) -> bytes:
    """A new certificate of the party for its connections, DER."""
    certificate = await enrolled(office, "tls", authority.new_key(), party)
    return certificate.public_bytes(serialization.Encoding.DER)


@asynccontextmanager
async def said_in(data: Path, algorithm: str, state: str) -> AsyncIterator[Any]:
    """A gateway in which the message was said, signed with a key of this algorithm."""
    async with office_in(data) as office:
        given = {"kind": "hospital", "agreement_from": "2025-01-01", "capabilities": ["MEDICAL"]}
        await office.act("party.add", party=HOSPITAL, name="虚构医院", **given)
        tls = await connection_of(office, HOSPITAL)
        signers = {name: await signer_of(office, name) for name in ALGORITHMS}
        await office.unsigned_keys(HOSPITAL)
        await office.recognised("C1", 1)
        stay = await office.billed(HOSPITAL, "V1", 1)
        listener = Listener(office, tls, signers)
        count = 99 if state == REFUSED else len(LINES)
        listener.command = office.commit_of(stay, *LINES, expected_count=count)
        listener.heading = listener.headed("settlement.commit", TARGET)
        signer = signers[algorithm]
        first = None if state == TOMBSTONE else await listener.target(signer)
        if state in (UNDONE, TOMBSTONE):
            assert (await listener.reverse(signer))[0] == 200
        yield listener, signer, first
