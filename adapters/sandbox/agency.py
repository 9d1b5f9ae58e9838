"""The agency's core system: receives pushed messages and answers each with a signed receipt."""

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, Protocol
from uuid import uuid4

from fastapi import FastAPI, Request, Response

from gateway.domain.codes import Outcome
from gateway.domain.message import Binding, Heading
from gateway.domain.results import Acknowledged, Result
from gateway.seal.broken import SealBroken
from gateway.seal.offline import verify_offline
from gateway.seal.sign import Signer

_LIFE: Final = timedelta(hours=1)


class ReceiverCodec(Protocol):
    """The receiver's side of a dialect."""

    def message(self, heading: Heading, result: Result, binding: Binding | None) -> bytes: ...

    def reply(self, body: Any, head: Any) -> tuple[Binding | None, Result]: ...


@dataclass(slots=True, kw_only=True)
class Core:
    """What the agency keeps: each message once by its id, in order of arrival."""

    party_id: str
    trust: bytes
    codec: ReceiverCodec
    now: Callable[[], datetime]
    signer: Signer | None = None
    journal: Path | None = None
    received: dict[str, Any] = field(default_factory=dict)

    def app(self) -> FastAPI:
        """POST /messages: verify, keep once, answer with a receipt bound to id and digest."""
        app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)

        @app.post("/messages")
        async def post(request: Request) -> Response:
            raw = await request.body()
            try:
                receipt = await asyncio.to_thread(self.receipt, raw)
                return Response(receipt, media_type="application/xml")
            except SealBroken as broken:
                return Response(broken.code, 400)

        return app

    def receipt(self, raw: bytes) -> bytes:
        """The signed receipt of a message. Raises SealBroken for what cannot be believed."""
        sealed = verify_offline(raw, self.trust)
        header = sealed.header
        if header.message_id not in self.received:
            _, self.received[header.message_id] = self.codec.reply(sealed.body, sealed.root[0])
            self._keep(header.message_id, "pushed", raw)
        now = self.now()
        heading = Heading(
            message_id=f"AR-{uuid4().hex[:20]}",
            command=header.command,
            sender=self.party_id,
            receiver=header.sender,
            sent_at=now,
            expires_at=now + _LIFE,
        )
        binding = Binding(
            in_reply_to=header.message_id,
            request_digest=sealed.digest,
            outcome=Outcome.APPLIED,
            code="OK",
            received_at=now,
        )
        content = self.codec.message(heading, Acknowledged(subject=header.message_id), binding)
        if self.signer is None:
            raise ValueError("the core system has no message key yet")
        receipt = self.signer.seal(content, "m1")
        self._keep(header.message_id, "receipt", receipt)
        return receipt

    def _keep(self, message_id: str, what: str, content: bytes) -> None:
        if self.journal is not None:
            self.journal.mkdir(parents=True, exist_ok=True)
            (self.journal / f"{message_id}.{what}.xml").write_bytes(content)


def server_tls(certificate: Path, key: Path, ca: Path) -> ssl.SSLContext:
    """The core system's own listener: only the gateway's certificate authority is let in."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate, key)
    context.load_verify_locations(ca)
    context.verify_mode = ssl.CERT_REQUIRED
    return context
