"""What proves that a receiver has our message: its own signature over our id and digest."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from adapters.agency_xml import AgencyXml
from adapters.sandbox.agency import Core
from gateway.clock import micros
from gateway.domain.codes import Outcome
from gateway.domain.message import Binding, Heading
from gateway.domain.party import KeyPurpose, KeyState, RegisteredKey
from gateway.domain.results import Acknowledged
from gateway.ports import Unreadable
from gateway.seal import authority
from gateway.seal.offline import verify_offline
from gateway.seal.receipts import receipt_outcome
from tests.seal.makers import FROM, UNTIL, Party, party, trust_pem

NOW = datetime(2026, 3, 2, 1, tzinfo=UTC)
CODEC: Any = AgencyXml()
Verify = Callable[[bytes, bytes], str]


@cache
def owner(name: str) -> Party:
    return party(authority.new_key(), name)


def registered(name: str = "AGENCY", **changes: Any) -> RegisteredKey:
    key = owner(name)
    values: dict[str, Any] = {
        "fingerprint": authority.fingerprint(key.certificate),
        "party_id": name,
        "purpose": KeyPurpose.MESSAGE,
        "state": KeyState.ACTIVE,
        "version": 1,
        "certificate_pem": _pem(key),
        "valid_from_us": micros(FROM),
        "valid_to_us": micros(UNTIL),
    }
    return RegisteredKey(**(values | changes))


def _pem(key: Party) -> str:
    return key.certificate.public_bytes(Encoding.PEM).decode()


def notice(message_id: str = "G1") -> bytes:
    """One of our messages to the agency, signed by us."""
    content = CODEC.message(_heading(message_id, "GATEWAY", "AGENCY"), _told(message_id), None)
    return owner("GATEWAY").signer.seal(content, "m1")


def _told(message_id: str) -> Acknowledged:
    return Acknowledged(subject=message_id)


def _heading(message_id: str, sender: str, receiver: str) -> Heading:
    return Heading(
        message_id=message_id,
        command="settlement.result",
        sender=sender,
        receiver=receiver,
        sent_at=NOW,
        expires_at=datetime(2026, 3, 2, 2, tzinfo=UTC),
    )


def receipt(
    sent: bytes, signed_by: str = "AGENCY", in_the_name_of: str = "AGENCY", **changes: Any
) -> bytes:
    """A receipt of what was sent, with whatever of it changed."""
    ours = verify_offline(sent, trust_pem())
    values: dict[str, Any] = {
        "in_reply_to": ours.header.message_id,
        "request_digest": ours.digest,
        "outcome": Outcome.APPLIED,
        "code": "OK",
        "received_at": NOW,
    }
    heading = _heading("AR-1", in_the_name_of, "GATEWAY")
    content = CODEC.message(heading, _told("G1"), Binding(**(values | changes)))
    return owner(signed_by).signer.seal(content, "m1")


@pytest.fixture
def verify() -> Verify:
    return receipt_outcome(CODEC, "AGENCY", [registered()])


@pytest.mark.parametrize("outcome", [Outcome.APPLIED, Outcome.REFUSED, Outcome.NOT_PROCESSED])
def test_a_signed_answer_to_our_message_is_what_it_says(verify: Verify, outcome: Outcome) -> None:
    sent = notice()
    assert verify(sent, receipt(sent, outcome=outcome)) == outcome.value


def test_the_receipt_of_the_agencys_own_system_is_one(verify: Verify) -> None:
    core = Core(
        party_id="AGENCY",
        signer=owner("AGENCY").signer,
        trust=trust_pem(),
        codec=CODEC,
        now=lambda: NOW,
    )
    sent = notice()
    assert verify(sent, core.receipt(sent)) == "APPLIED"


@pytest.mark.parametrize(
    "answer",
    [b"", b"OK", b"<html><body>200 OK</body></html>", b"{}", b"<Message/>"],
    ids=["nothing", "a word", "a proxy's page", "JSON", "an empty message"],
)
def test_a_200_that_nobody_signed_is_no_receipt(verify: Verify, answer: bytes) -> None:
    with pytest.raises(ValueError, match=r"[A-Z_]+"):
        verify(notice(), answer)


def test_our_own_message_sent_back_is_no_receipt(verify: Verify) -> None:
    with pytest.raises(ValueError, match="not registered"):
        verify(notice(), notice())


@pytest.mark.parametrize(
    "changed",
    [{"in_reply_to": "G2"}, {"request_digest": "A" * 43 + "="}],
    ids=["another id", "another digest"],
)
def test_a_receipt_of_something_else_is_none_of_ours(
    verify: Verify, changed: dict[str, str]
) -> None:
    sent = notice()
    with pytest.raises(ValueError, match="another message"):
        verify(sent, receipt(sent, **changed))


def test_the_receipt_of_an_earlier_message_is_none_of_the_next(verify: Verify) -> None:
    earlier = receipt(notice("G1"))
    assert verify(notice("G1"), earlier) == "APPLIED"
    with pytest.raises(ValueError, match="another message"):
        verify(notice("G2"), earlier)


def test_another_partys_signature_in_the_receivers_name_is_no_receipt(verify: Verify) -> None:
    sent = notice()
    with pytest.raises(ValueError, match="not registered"):
        verify(sent, receipt(sent, signed_by="H0001"))


def test_the_receivers_key_in_another_partys_name_is_no_receipt(verify: Verify) -> None:
    sent = notice()
    with pytest.raises(ValueError, match="another party"):
        verify(sent, receipt(sent, in_the_name_of="H0001"))


@pytest.mark.parametrize(
    "changed",
    [
        {"state": KeyState.SUSPENDED},
        {"state": KeyState.REVOKED},
        {"purpose": KeyPurpose.TLS},
        {"valid_to_us": micros(FROM)},
    ],
    ids=["suspended", "revoked", "of TLS", "expired"],
)
def test_a_key_that_may_not_sign_now_signs_no_receipt(changed: dict[str, Any]) -> None:
    sent, verify = notice(), receipt_outcome(CODEC, "AGENCY", [registered(**changed)])
    with pytest.raises(ValueError, match="not registered"):
        verify(sent, receipt(sent))


def test_after_a_roll_over_either_key_signs_receipts() -> None:
    keys = [registered(), replace(registered("H0001"), party_id="AGENCY")]
    sent, verify = notice(), receipt_outcome(CODEC, "AGENCY", keys)
    for signed_by in ("AGENCY", "H0001"):
        assert verify(sent, receipt(sent, signed_by=signed_by)) == "APPLIED"


def test_one_changed_letter_is_no_receipt(verify: Verify) -> None:
    sent = notice()
    altered = receipt(sent).replace(b">APPLIED<", b">REFUSED<")
    with pytest.raises(ValueError, match=r"DIGEST|SIGNATURE"):
        verify(sent, altered)


def test_a_signed_message_that_answers_nothing_is_no_receipt(verify: Verify) -> None:
    content = CODEC.message(_heading("AR-1", "AGENCY", "GATEWAY"), _told("G1"), None)
    with pytest.raises((ValueError, Unreadable), match=r"answers nothing|faults"):
        verify(notice(), owner("AGENCY").signer.seal(content, "m1"))
