"""A client of the gateway: signs, sends, and believes only a signed reply bound to its message.

Everything else (a time-out, an unsigned answer, a proxy's 200) is UNKNOWN: query, resend the
same message, or reverse it.
"""

import itertools
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, Protocol

import httpx
from lxml import etree

from gateway.domain.codes import Outcome
from gateway.domain.commands import Command
from gateway.domain.message import Binding, Heading
from gateway.domain.results import Result
from gateway.seal.broken import SealBroken
from gateway.seal.offline import verify_offline
from gateway.seal.profile import Sealed
from gateway.seal.sign import Signer

_LIFE: Final = timedelta(hours=12)
_TIMEOUT_S: Final = 120.0
_HANG_UP_S: Final = 0.001
_PATH: Final = "/api/v1/messages"
_XML: Final = {"content-type": "application/xml"}


class ClientCodec(Protocol):
    """The client's side of a dialect."""

    def command_message(self, heading: Heading, command: Command) -> bytes: ...

    def reply(self, body: Any, head: Any) -> tuple[Binding | None, Result]: ...


class Unknown(Exception):
    """Nothing that came back can be believed; `status` is the HTTP status, 0 without answer."""

    def __init__(self, status: int, body: bytes) -> None:
        super().__init__(f"结果不明 / outcome unknown (HTTP {status})")
        self.status, self.body = status, body


@dataclass(frozen=True, slots=True)
class Answer:
    """A believed reply with the exact bytes of both directions."""

    message_id: str
    status: int
    outcome: Outcome
    code: str
    result: Any
    sent: bytes
    received: bytes


@dataclass(slots=True, kw_only=True)
class Client:
    """One sender over one connection; `journal`, if given, keeps every message as a file."""

    party_id: str
    receiver: str
    url: str
    signer: Signer
    tls: ssl.SSLContext
    trust: bytes
    codec: ClientCodec
    now: Callable[[], datetime]
    journal: Path | None = None
    _numbers: Any = field(default_factory=lambda: itertools.count(1))
    _http: httpx.AsyncClient | None = None

    @property
    def gateway_id(self) -> str:
        """Who alone may answer: the first part of `Receiver`, which may itself have dots."""
        return self.receiver.rsplit(".", 2)[0]

    async def send(
        self, name: str, command: Command, message_id: str = "", **changed: Any
    ) -> Answer:
        """Send a new message and believe its reply. Raises Unknown."""
        message_id = message_id or self.new_message_id()
        return await self.post(message_id, self.sealed(name, command, message_id, **changed))

    def new_message_id(self) -> str:
        """The next id; a real client keeps it on disk before it sends."""
        return f"{self.party_id}-{next(self._numbers):06d}"

    def sealed(self, name: str, command: Command, message_id: str, **changed: Any) -> bytes:
        """The signed bytes of a command; header values may be given anew."""
        now = self.now()
        values: dict[str, Any] = {
            "message_id": message_id,
            "command": name,
            "sender": self.party_id,
            "receiver": self.receiver,
            "sent_at": now,
            "expires_at": now + _LIFE,
        }
        heading = Heading(**(values | changed))
        return self.signer.seal(self.codec.command_message(heading, command), "m1")

    async def post(self, message_id: str, sealed: bytes) -> Answer:
        """Send exact bytes, also again after an unknown outcome. Raises Unknown."""
        self.keep(message_id, "sent", sealed)
        try:
            reply = await self._client().post(self.url + _PATH, content=sealed, headers=_XML)
        except httpx.HTTPError:
            raise Unknown(0, b"") from None
        self.keep(message_id, "received", reply.content)
        return self._believed(message_id, sealed, reply.status_code, reply.content)

    async def hang_up(self, message_id: str, sealed: bytes) -> None:
        """Send exact bytes and drop the connection before the answer: the outcome is unknown."""
        self.keep(message_id, "sent", sealed)
        dropped = httpx.Timeout(_TIMEOUT_S, read=_HANG_UP_S)
        with suppress(httpx.ReadTimeout):
            await self._client().post(
                self.url + _PATH, content=sealed, headers=_XML, timeout=dropped
            )

    def _believed(self, message_id: str, sent: bytes, status: int, received: bytes) -> Answer:
        try:
            sealed = verify_offline(received, self.trust, self.gateway_id)
        except SealBroken:
            raise Unknown(status, received) from None
        if sealed.header.receiver != self.party_id:
            # A genuine reply to somebody else, in a dialect that we may not even read.
            raise Unknown(status, received)
        binding, result = self.codec.reply(sealed.body, sealed.root[0])
        if binding is None or binding.outcome is None or not _answers(binding, message_id, sent):
            raise Unknown(status, received)
        return Answer(message_id, status, binding.outcome, binding.code, result, sent, received)

    def opened(self, sealed: bytes) -> tuple[Sealed, Binding | None, Any]:
        """A message from the inbox: verified, with what it answers and what it tells."""
        message = verify_offline(sealed, self.trust, self.gateway_id)
        binding, result = self.codec.reply(message.body, message.root[0])
        return message, binding, result

    def _client(self) -> httpx.AsyncClient:
        if self._http is None:
            self._http = httpx.AsyncClient(verify=self.tls, timeout=_TIMEOUT_S, trust_env=False)
        return self._http

    async def close(self) -> None:
        if self._http is not None:
            await self._http.aclose()
            self._http = None

    def keep(self, message_id: str, direction: str, content: bytes) -> None:
        """Write a message into the journal, never over an earlier one."""
        if self.journal is None:
            return
        self.journal.mkdir(parents=True, exist_ok=True)
        taken = sum(1 for _ in self.journal.glob(f"{message_id}.{direction}*"))
        again = f"-{taken + 1}" if taken else ""
        # What is no message of ours is a problem document, as every unsigned answer.
        suffix = "xml" if content.startswith(b"<") else "json"
        (self.journal / f"{message_id}.{direction}{again}.{suffix}").write_bytes(content)


def _answers(binding: Binding, message_id: str, sent: bytes) -> bool:
    """Whether a reply is bound to the id and digest of what was sent."""
    return (binding.in_reply_to, binding.request_digest) == (message_id, digest_of(sent))


def digest_of(sealed: bytes) -> str:
    """The DigestValue of a message's Reference: its canonical content without Signature."""
    found = etree.fromstring(sealed, _PARSER).find(f".//{{{_DS}}}DigestValue")
    return (found.text or "") if found is not None else ""


_DS: Final = "http://www.w3.org/2000/09/xmldsig#"
_PARSER: Final = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
