"""The proof of one's own message (protocol §5): GET /api/v1/receipts/{Sender}/{MessageId}, and a
header beside the reply to a message that was answered before."""

import logging
from base64 import b64decode, b64encode
from binascii import Error as BadBase64
from http import HTTPStatus
from typing import Final

from fastapi import FastAPI, Request, Response

from gateway.flows import receipts
from gateway.flows.desk import Desk
from gateway.flows.exchange import Request as Said
from gateway.flows.off_loop import off_loop
from gateway.seal.profile import kept_header
from gateway.web import problems
from gateway.web.mtls import fingerprint

PATH: Final = "/api/v1/receipts/{sender}/{message_id}"
KNOWN: Final = "Known-Checkpoint"
"""The header in which the asker may name another checkpoint than its message did, in base64."""
HEADER: Final = "Log-Receipt"
"""The header beside a reply: the bytes that GET tells, in base64."""
_HEADERS: Final = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_log = logging.getLogger(__name__)


def serve_receipts(app: FastAPI, desk: Desk) -> None:
    """Add the path to a listener that knows who is connected."""

    @app.get(PATH)
    async def receipt(sender: str, message_id: str, request: Request) -> Response:
        known = _known(request.headers.get(KNOWN, ""))
        try:
            told = await _told(desk, sender, message_id, fingerprint(request.scope), known)
        except receipts.NoReceipt:
            return problems.problem("RECEIPT_UNKNOWN")
        except receipts.NotYet:
            return problems.problem("RECEIPT_NOT_READY")
        return Response(told, HTTPStatus.OK, _HEADERS, "application/json")


async def beside(desk: Desk, said: Said, message_id: str) -> dict[str, str]:
    """The header with the receipt of the sender's own message, when it is ready and GET would
    tell it on this connection. No answer fails for want of it."""
    sender, known = said.heading.sender, said.heading.known_checkpoint
    try:
        told = await _told(desk, sender, message_id, said.tls_key.fingerprint, known)
    except (receipts.NoReceipt, receipts.NotYet):
        return {}
    except Exception:
        _log.exception("no receipt beside the reply")
        return {}
    return {HEADER: b64encode(told).decode()} if len(told) <= receipts.LONGEST else {}


async def _told(
    desk: Desk, sender: str, message_id: str, tls_fingerprint: str, known: str
) -> bytes:
    if not await receipts.may_ask(desk, tls_fingerprint, sender):
        raise receipts.NoReceipt(message_id)
    found = await receipts.proved(desk, sender, message_id)
    return await receipts.receipt(desk, found, known or await _named(found.row["request"]))


async def _named(raw: bytes) -> str:
    """The checkpoint that a stored message named itself."""
    return await off_loop(len(raw), lambda: kept_header(raw).known_checkpoint or "")


def _known(text: str) -> str:
    try:
        return b64decode(text, validate=True).decode()
    except (BadBase64, ValueError):
        return ""
