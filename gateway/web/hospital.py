"""The hospital listener: HIS or carrier, client certificate required."""

from fastapi import FastAPI

from gateway.domain.party import PartyKind
from gateway.flows.desk import Desk
from gateway.web.messages import message_app
from gateway.web.receipts import serve_receipts


def hospital_app(desk: Desk) -> FastAPI:
    """Hospitals' messages, signed by their own keys, and the receipts of those."""
    app = message_app(desk, desk.hospital_codec, frozenset({PartyKind.HOSPITAL}))
    serve_receipts(app, desk)
    return app
