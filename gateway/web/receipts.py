"""GET /api/v1/receipts/{Sender}/{MessageId}: the proof of one's own message (protocol §5)."""

import json
from base64 import b64decode
from binascii import Error as BadBase64
from http import HTTPStatus
from typing import Final

from fastapi import FastAPI, Request, Response

from gateway.flows import receipts
from gateway.flows.desk import Desk
from gateway.seal.profile import kept_header
from gateway.web import problems
from gateway.web.mtls import fingerprint

PATH: Final = "/api/v1/receipts/{sender}/{message_id}"
KNOWN: Final = "Known-Checkpoint"
"""The header in which the asker may name another checkpoint than its message did, in base64."""
_HEADERS: Final = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def serve_receipts(app: FastAPI, desk: Desk) -> None:
    """Add the path to a listener that knows who is connected."""

    @app.get(PATH)
    async def receipt(sender: str, message_id: str, request: Request) -> Response:
        known = _known(request.headers.get(KNOWN, ""))
        try:
            return await _told(desk, sender, message_id, fingerprint(request.scope), known)
        except receipts.NoReceipt:
            return problems.problem("RECEIPT_UNKNOWN")
        except receipts.NotYet:
            return problems.problem("RECEIPT_NOT_READY")


async def _told(
    desk: Desk, sender: str, message_id: str, tls_fingerprint: str, known: str
) -> Response:
    if not await receipts.may_ask(desk, tls_fingerprint, sender):
        raise receipts.NoReceipt(message_id)
    found = await receipts.proved(desk, sender, message_id)
    parts = await receipts.receipt(
        desk, found, known or kept_header(found.row["request"]).known_checkpoint or ""
    )
    return Response(json.dumps(parts), HTTPStatus.OK, _HEADERS, "application/json")


def _known(text: str) -> str:
    try:
        return b64decode(text, validate=True).decode()
    except (BadBase64, ValueError):
        return ""
