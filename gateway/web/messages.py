"""One message over HTTPS: limits → seal → identity → flow → writer; both listeners share it."""

import logging
from functools import lru_cache
from typing import Final, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from fastapi import FastAPI, Request, Response

from gateway.clock import elapsed_s
from gateway.domain.commands import Command
from gateway.domain.message import Heading
from gateway.domain.party import PartyKind
from gateway.flows import exchange as flow
from gateway.flows.desk import Desk
from gateway.flows.identify import Identified, NotIdentified, connection, identify
from gateway.flows.off_loop import with_xml
from gateway.ports import Codec
from gateway.seal.broken import SealBroken
from gateway.seal.keys import PublicKey
from gateway.seal.profile import Envelope, Sealed, envelope, unknown_key
from gateway.web import problems, receipts
from gateway.web.mtls import fingerprint

PATH: Final = "/api/v1/messages"
_log = logging.getLogger(__name__)


def message_app(desk: Desk, codec: Codec, kinds: frozenset[PartyKind]) -> FastAPI:
    """The listener of one dialect: one path, the command is read from the signed header."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    problems.install(app)

    async def post(request: Request) -> Response:
        raw = await request.body()
        return await _answer(desk, codec, kinds, raw, fingerprint(request.scope))

    # As a plain route: there are no parameters for the framework to find and check.
    app.add_route(PATH, post, methods=["POST"])
    return app


async def _answer(
    desk: Desk, codec: Codec, kinds: frozenset[PartyKind], raw: bytes, tls_fingerprint: str
) -> Response:
    """A signed reply, or an unsigned problem while nobody can be believed."""
    started, command = elapsed_s(), "unknown"
    try:
        believed = await _believed(desk, codec, kinds, raw, tls_fingerprint)
        command = believed.heading.command
        reply = await flow.exchange(desk, believed)
    except SealBroken as broken:
        return _unbelieved(desk, broken.code)
    except NotIdentified as unknown:
        return _unbelieved(desk, unknown.code)
    except flow.Unanswered:
        _log.error("message not answered: the store failed", extra={"command": command})
        desk.meter.answered(command, "GATEWAY_FAILED", elapsed_s(started))
        return problems.problem("GATEWAY_FAILED")
    desk.meter.answered(command, reply.code, elapsed_s(started))
    answer = problems.signed(reply.sealed, reply.outcome, reply.code)
    if reply.receipt_of:
        answer.headers.update(await receipts.beside(desk, believed, reply.receipt_of))
    return answer


def _unbelieved(desk: Desk, code: str) -> Response:
    desk.meter.not_believed(code)
    return problems.problem(code)


async def _believed(
    desk: Desk, codec: Codec, kinds: frozenset[PartyKind], raw: bytes, tls_fingerprint: str
) -> flow.Request:
    """The verified message with who sent it over which connection."""
    received_at = desk.clock.now()
    identified, said = await desk.database.in_one_piece(
        lambda: _verified(desk, codec, kinds, raw, tls_fingerprint)
    )
    tls_key, mandate = connection(desk, identified, said.heading.command)
    return flow.Request(
        heading=said.heading,
        digest=said.digest,
        raw=raw,
        content=said.content,
        codec=codec,
        party=identified.party,
        message_key=identified.message_key,
        tls_key=tls_key,
        mandate=mandate,
        received_at=received_at,
    )


class _Said(NamedTuple):
    """What was signed, without its XML."""

    heading: Heading
    digest: str
    content: Command | flow.Unfit


async def _verified(
    desk: Desk, codec: Codec, kinds: frozenset[PartyKind], raw: bytes, tls_fingerprint: str
) -> tuple[Identified, _Said]:
    """Who speaks, and what was signed by the key that is registered for it."""
    sent = await with_xml(len(raw), lambda: envelope(raw))
    identified = await identify(
        desk, kinds, sent.claimed_sender, sent.claimed_fingerprint, tls_fingerprint
    )
    public_key = _public_key(identified.message_key.certificate_pem)
    return identified, await with_xml(len(raw), lambda: _said(codec, sent, public_key))


def _said(codec: Codec, sent: Envelope, public_key: PublicKey) -> _Said:
    sealed = sent.verify(public_key)
    command = sealed.header.command
    content = flow.content_of(codec, command, sealed.root, sealed.body)
    return _Said(_heading(sealed), sealed.digest, content)


@lru_cache(maxsize=1024)
def _public_key(certificate_pem: str) -> PublicKey:
    """The key of a registered certificate; the registry takes RSA and P-256 only."""
    key = x509.load_pem_x509_certificate(certificate_pem.encode()).public_key()
    if not isinstance(key, RSAPublicKey | EllipticCurvePublicKey):
        raise unknown_key()
    return key


def _heading(sealed: Sealed) -> Heading:
    header = sealed.header
    return Heading(
        message_id=header.message_id,
        command=header.command,
        sender=header.sender,
        receiver=header.receiver,
        sent_at=header.sent_at,
        expires_at=header.expires_at,
        known_checkpoint=header.known_checkpoint or "",
    )
