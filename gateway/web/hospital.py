"""The hospital listener: HIS or carrier, client certificate required."""

from fastapi import FastAPI

from gateway.domain.party import PartyKind
from gateway.flows.desk import Desk
from gateway.web.messages import message_app


def hospital_app(desk: Desk) -> FastAPI:
    """Hospitals' messages; the signing key is always the hospital's own."""
    return message_app(desk, desk.hospital_codec, frozenset({PartyKind.HOSPITAL}))
