"""The agency as witness of the log: GET its head with a proof, POST the cosignature (small)."""

from http import HTTPStatus
from typing import Final

from fastapi import FastAPI, Request, Response

from gateway.flows import cosign
from gateway.flows.desk import Desk
from gateway.web import problems
from gateway.web.mtls import fingerprint

HEAD: Final = "/api/v1/log/checkpoint"
COSIGNATURES: Final = "/api/v1/log/cosignatures"
_TEXT: Final = "text/plain; charset=utf-8"
_FRESH: Final = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def serve_witness(app: FastAPI, desk: Desk) -> None:
    """Add both paths to the listener of the agency."""

    @app.get(HEAD)
    async def head(request: Request, since: int = 0) -> Response:
        if not await cosign.is_witness(desk, fingerprint(request.scope)):
            return problems.problem("CONNECTION_UNKNOWN")
        told = await cosign.to_cosign(desk, since)
        if not told:
            return problems.problem("RECEIPT_NOT_READY")
        return Response(told, HTTPStatus.OK, _FRESH, _TEXT)

    @app.post(COSIGNATURES)
    async def cosigned(request: Request) -> Response:
        if not await cosign.is_witness(desk, fingerprint(request.scope)):
            return problems.problem("CONNECTION_UNKNOWN")
        try:
            note = (await request.body()).decode()
            size = await cosign.take_cosignature(desk, note)
        except (cosign.NotCosigned, UnicodeDecodeError):
            return problems.problem("SIGNATURE_INVALID")
        return Response(f"{size}\n", HTTPStatus.OK, _FRESH, _TEXT)
