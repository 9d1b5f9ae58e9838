"""Offline verification: a message, a public root, nothing else."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from gateway.seal import authority
from gateway.seal.broken import SealBroken
from gateway.seal.offline import verify_offline

from .makers import (
    FROM,
    HOSPITAL,
    IDENTIFIER,
    UNTIL,
    Party,
    content,
    header,
    hospital,
    party,
    root_authority,
    rsa_hospital,
    sealed_bytes,
    stranger,
    trust_pem,
)


def refusal(raw: bytes, trust: bytes | None = None) -> str:
    with pytest.raises(SealBroken) as refused:
        verify_offline(raw, trust or trust_pem())
    return refused.value.code


def test_a_message_is_verified_with_the_public_root_alone() -> None:
    assert verify_offline(sealed_bytes(), trust_pem()).header.sender == HOSPITAL


def test_the_root_is_found_among_several_certificates() -> None:
    _, other = authority.create_authority("other", FROM, UNTIL)
    pem = other.public_bytes(serialization.Encoding.PEM)
    leaf = hospital().certificate.public_bytes(serialization.Encoding.PEM)
    assert verify_offline(sealed_bytes(), pem + leaf + trust_pem()).header.sender == HOSPITAL


def test_an_rsa_signed_message_is_verified_too() -> None:
    raw = rsa_hospital().signer.seal(content(), IDENTIFIER)
    assert verify_offline(raw, trust_pem()).header.sender == HOSPITAL


def test_a_changed_digit_is_refused() -> None:
    assert refusal(sealed_bytes().replace(b"100.00", b"900.00")) == "SIGNATURE_INVALID"


def test_a_certificate_of_another_authority_is_refused() -> None:
    _, other = authority.create_authority("test-ca", FROM, UNTIL)
    assert refusal(sealed_bytes(), other.public_bytes(serialization.Encoding.PEM)) == "KEY_UNKNOWN"


def test_a_message_certificate_is_no_authority() -> None:
    leaf = hospital().certificate.public_bytes(serialization.Encoding.PEM)
    assert refusal(sealed_bytes(), leaf) == "KEY_UNKNOWN"


@pytest.mark.parametrize("purpose", ["tls_client", "tls_server"])
def test_a_tls_certificate_signs_no_messages(purpose) -> None:
    raw = party(authority.new_key(), purpose=purpose).signer.seal(content(), IDENTIFIER)
    assert refusal(raw) == "KEY_UNKNOWN"


def test_the_authority_itself_signs_no_messages() -> None:
    raw = Party(*root_authority()).signer.seal(content(), IDENTIFIER)
    assert refusal(raw) == "KEY_UNKNOWN"


def test_a_hospital_cannot_speak_in_the_name_of_another() -> None:
    raw = stranger().signer.seal(content(), IDENTIFIER)
    assert refusal(raw) == "KEY_UNKNOWN"


def test_a_certificate_without_our_extensions_is_refused() -> None:
    ca_key, ca_cert = root_authority()
    key = authority.new_key()
    subject = authority.make_csr(key, HOSPITAL).subject
    builder = x509.CertificateBuilder(ca_cert.subject, subject, key.public_key(), 7)
    builder = builder.not_valid_before(FROM).not_valid_after(UNTIL)
    raw = Party(key, builder.sign(ca_key, hashes.SHA256())).signer.seal(content(), IDENTIFIER)
    assert refusal(raw) == "KEY_UNKNOWN"


@pytest.mark.parametrize(
    ("sent_at", "good"),
    [
        (datetime(2026, 1, 1, tzinfo=UTC) - timedelta(seconds=1), False),
        (datetime(2026, 1, 1, tzinfo=UTC), True),
        (datetime(2026, 12, 31, tzinfo=UTC), True),
        (datetime(2026, 12, 31, tzinfo=UTC) + timedelta(seconds=1), False),
    ],
)
def test_the_certificate_must_be_valid_when_the_message_was_sent(sent_at, good) -> None:
    ca_key, ca_cert = root_authority()
    key = authority.new_key()
    since, until = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 12, 31, tzinfo=UTC)
    request = authority.make_csr(key, HOSPITAL)
    certificate = authority.issue(ca_key, ca_cert, request, "message", [HOSPITAL], since, until)
    sent = header(SentAt=sent_at.isoformat())
    raw = Party(key, certificate).signer.seal(content(head=sent), IDENTIFIER)
    if good:
        assert verify_offline(raw, trust_pem()).header.sent_at == sent_at
    else:
        assert refusal(raw) == "KEY_UNKNOWN"


def test_a_trust_file_without_certificate_is_an_operators_mistake() -> None:
    with pytest.raises(ValueError, match=r"PEM|certificate"):
        verify_offline(sealed_bytes(), b"nothing here")


def test_only_the_expected_sender_is_believed() -> None:
    assert verify_offline(sealed_bytes(), trust_pem(), HOSPITAL).header.sender == HOSPITAL
    with pytest.raises(SealBroken, match="not from the sender that was expected"):
        verify_offline(sealed_bytes(), trust_pem(), "GATEWAY")
