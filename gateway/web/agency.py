"""The agency listener: the agency's core system, by certificate and message signature."""

from fastapi import FastAPI

from gateway.domain.party import PartyKind
from gateway.flows.desk import Desk
from gateway.web.messages import message_app
from gateway.web.witness import serve_witness


def agency_app(desk: Desk) -> FastAPI:
    """The agency core's messages: whatever releases money is signed; and its cosignatures."""
    app = message_app(desk, desk.agency_codec, frozenset({PartyKind.AGENCY}))
    serve_witness(app, desk)
    return app
