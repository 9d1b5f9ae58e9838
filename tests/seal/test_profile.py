"""The message profile: what is accepted, what is handed on, and what is refused with which code."""

import base64
import copy
import re
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from lxml import etree

from gateway.seal import authority, names
from gateway.seal.broken import SealBroken
from gateway.seal.profile import MAX_DEPTH, Header, Sealed, envelope

from .makers import (
    FROM,
    HOSPITAL,
    IDENTIFIER,
    UNTIL,
    Party,
    canonical,
    content,
    genuine,
    header,
    hospital,
    opened,
    resigned,
    root_authority,
    rsa_hospital,
    sealed_bytes,
    stranger,
    twin,
)


def refusal(raw: bytes, by: Party | None = None) -> str:
    with pytest.raises(SealBroken) as refused:
        opened(raw, by)
    return refused.value.code


def test_what_is_handed_on_is_exactly_what_was_hashed() -> None:
    raw = sealed_bytes()
    sealed = opened(raw)
    assert sealed.raw == raw
    assert canonical(sealed.root) == content()
    assert sealed.root.find(names.ds("Signature")) is None
    assert sealed.body.tag == names.message("Pay")
    assert sealed.body is sealed.root[1][0]


def test_the_digest_is_the_one_the_signer_wrote() -> None:
    raw = sealed_bytes()
    written = re.search(rb"<ds:DigestValue>([^<]+)<", raw)
    assert written is not None
    assert opened(raw).digest == written[1].decode()


def test_the_fingerprint_names_the_certificate_that_signed() -> None:
    expected = authority.fingerprint(hospital().certificate)
    assert envelope(sealed_bytes()).claimed_fingerprint == expected
    assert opened(sealed_bytes()).fingerprint == expected


def test_the_claimed_sender_is_read_before_verification() -> None:
    assert envelope(sealed_bytes()).claimed_sender == HOSPITAL


@pytest.mark.parametrize("sender", ["", "H 1", "医院", "x" * 65])
def test_a_malformed_claimed_sender_is_empty(sender: str) -> None:
    assert envelope(sealed_bytes(Sender=sender)).claimed_sender == ""


def test_the_header_is_read_in_utc() -> None:
    assert opened(sealed_bytes()).header == Header(
        message_id="20260302-0001",
        command="settlement.commit",
        sender=HOSPITAL,
        receiver="GS-TEST",
        sent_at=datetime(2026, 3, 2, tzinfo=UTC),
        expires_at=datetime(2026, 3, 2, 1, tzinfo=UTC),
    )


def test_a_reply_carries_its_binding() -> None:
    digest = base64.b64encode(bytes(32)).decode()
    read = opened(
        sealed_bytes(
            InReplyTo="20260302-0001",
            RequestDigest=digest,
            Outcome="APPLIED",
            Code="OK",
            ReceivedAt="2026-03-02T08:00:00.123456+08:00",
            ProvableBy="2026-03-02T00:01:00Z",
            KnownCheckpoint="gs-log 12 abc=",
        )
    ).header
    assert (read.in_reply_to, read.request_digest) == ("20260302-0001", digest)
    assert (read.outcome, read.code) == ("APPLIED", "OK")
    assert read.received_at == "2026-03-02T08:00:00.123456+08:00"
    assert read.provable_by == "2026-03-02T00:01:00Z"
    assert read.known_checkpoint == "gs-log 12 abc="


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("MessageId", ""),
        ("MessageId", "a b"),
        ("MessageId", "x" * 65),
        ("MessageId", "号码"),
        ("MessageId", "１２３"),
        ("MessageId", "a\n"),
        ("Command", "Settlement"),
        ("Command", "a..b"),
        ("Command", "x" * 65),
        ("Sender", "a/b"),
        ("Receiver", ""),
        ("SentAt", "2026-03-02"),
        ("SentAt", "2026-03-02T08:00:00"),
        ("SentAt", "2026-02-30T08:00:00Z"),
        ("SentAt", "0001-01-01T00:00:00+08:00"),
        ("SentAt", "２026-03-02T08:00:00Z"),
        ("ExpiresAt", "2026-03-02 08:00:00Z"),
        ("ExpiresAt", "20260302T080000Z"),
        ("InReplyTo", "a b"),
        ("RequestDigest", "abc="),
        ("Outcome", "applied"),
        ("Code", "not-a-code"),
        ("ReceivedAt", "yesterday"),
        ("ProvableBy", "2026-13-02T08:00:00Z"),
    ],
)
def test_a_malformed_header_field_is_refused(field: str, text: str) -> None:
    assert refusal(sealed_bytes(**{field: text})) == "PROFILE_VIOLATED"


@pytest.mark.parametrize(
    "head",
    [
        "",
        header().replace("<Sender>H0001</Sender>", ""),
        header() + "<Sender>H0002</Sender>",
        header() + "<Note>1</Note>" * 33,
        header().replace("H0001", "<b>H0001</b>"),
        header().replace("<Sender>H0001</Sender>", "<Sender>H0001<b></b></Sender>"),
    ],
)
def test_a_header_with_fields_missing_repeated_or_nested_is_refused(head: str) -> None:
    raw = hospital().signer.seal(content(head=head), IDENTIFIER)
    assert refusal(raw) == "PROFILE_VIOLATED"


def test_nobody_else_can_make_a_sealed() -> None:
    good = opened(sealed_bytes())
    with pytest.raises(TypeError, match=r"Envelope\.verify"):
        Sealed(good.raw, good.root, good.header, good.body, good.digest, good.fingerprint, object())


def test_a_sealed_shown_in_a_log_shows_no_content() -> None:
    shown = repr(opened(sealed_bytes("<Pay><Name>canary</Name></Pay>")))
    assert "canary" not in shown
    assert "20260302-0001" in shown
    assert "canary" not in repr(envelope(sealed_bytes("<Pay><Name>canary</Name></Pay>")))


def test_a_message_may_be_verified_twice() -> None:
    sent = envelope(sealed_bytes())
    key = hospital().key.public_key()
    assert sent.verify(key).digest == sent.verify(key).digest


def test_white_space_that_was_signed_is_kept() -> None:
    pretty = content().replace(b"><", b">\n  <")
    raw = hospital().signer.seal(pretty, IDENTIFIER)
    assert canonical(opened(raw).root) == pretty


def test_white_space_after_the_signature_is_accepted_only_if_signed() -> None:
    root = genuine()
    root[2].tail = "\n"
    assert refusal(etree.tostring(root)) == "SIGNATURE_INVALID"
    unsigned = copy.deepcopy(root)
    unsigned.remove(unsigned[2])
    spaced = content().replace(b"</Message>", b"\n</Message>")
    signed = twin(spaced, hospital()).replace(b"</Body>\n<ds:", b"</Body><ds:")
    moved = signed.replace(b"</ds:Signature></Message>", b"</ds:Signature>\n</Message>")
    assert canonical(opened(moved).root) == spaced


@pytest.mark.parametrize("by", [hospital, rsa_hospital])
def test_one_changed_digit_breaks_the_seal(by) -> None:
    raw = by().signer.seal(content(), IDENTIFIER)
    opened(raw, by())
    assert refusal(raw.replace(b"100.00", b"900.00"), by()) == "SIGNATURE_INVALID"


def test_a_changed_signature_value_breaks_the_seal() -> None:
    raw = sealed_bytes()
    other = sealed_bytes()
    value = re.compile(rb"<ds:SignatureValue>([^<]+)<")
    exchanged = raw.replace(value.search(raw)[1], value.search(other)[1])
    assert exchanged != raw
    opened(exchanged)
    halves = base64.b64decode(value.search(raw)[1])
    for wrong in (halves[32:] + halves[:32], bytes(64), halves + b"\0", halves[:-1], b"\xff" * 64):
        changed = raw.replace(value.search(raw)[1], base64.b64encode(wrong))
        assert refusal(changed) == "SIGNATURE_INVALID"


def test_a_key_is_unknown_when_the_attached_certificate_holds_another() -> None:
    assert refusal(sealed_bytes(), stranger()) == "KEY_UNKNOWN"


def test_an_unreadable_certificate_is_an_unknown_key() -> None:
    root = genuine()
    root.find(f".//{names.ds('X509Certificate')}").text = base64.b64encode(b"x" * 300).decode()
    assert refusal(etree.tostring(root)) == "KEY_UNKNOWN"


def test_a_key_of_the_other_kind_is_refused_before_it_is_used() -> None:
    assert refusal(sealed_bytes(), rsa_hospital()) == "ALGORITHM_REFUSED"
    raw = rsa_hospital().signer.seal(content(), IDENTIFIER)
    assert refusal(raw, hospital()) == "ALGORITHM_REFUSED"


@pytest.mark.parametrize(
    "weak",
    [
        rsa.generate_private_key(65537, 1024),  # noqa: S505 - weak on purpose
        ec.generate_private_key(ec.SECP384R1()),
        ec.generate_private_key(ec.SECP256K1()),
    ],
    ids=["RSA-1024", "P-384", "secp256k1"],
)
def test_a_weak_or_foreign_key_is_refused(weak) -> None:
    with pytest.raises(SealBroken) as refused:
        envelope(sealed_bytes()).verify(weak.public_key())
    assert refused.value.code == "ALGORITHM_REFUSED"


def test_an_old_rsa_key_of_2048_bits_still_verifies() -> None:
    key = rsa.generate_private_key(65537, 2048)
    ca_key, ca_cert = root_authority()
    subject = hospital().certificate.subject
    builder = x509.CertificateBuilder(ca_cert.subject, subject, key.public_key(), 7)
    builder = builder.not_valid_before(FROM).not_valid_after(UNTIL)
    old = Party(key, builder.sign(ca_key, hashes.SHA256()))
    assert opened(old.signer.seal(content(), IDENTIFIER), old).header.sender == HOSPITAL


def test_thirty_two_levels_pass_and_one_more_does_not() -> None:
    def nested(levels: int) -> bytes:
        return sealed_bytes("<a>" * levels + "</a>" * levels)

    assert opened(nested(MAX_DEPTH - 2)).body.tag == names.message("a")
    assert refusal(nested(MAX_DEPTH - 1)) == "PROFILE_VIOLATED"


@pytest.mark.parametrize(
    "inside",
    [
        "",
        "<Pay></Pay><Pay></Pay>",
        "stray<Pay></Pay>",
        "<Pay></Pay>stray",
        '<Pay xml:base="x"></Pay>',
        '<Pay xml:space="preserve"></Pay>',
        '<Pay xml:id="x"></Pay>',
        '<Pay Id="x"></Pay>',
        '<Pay id="x"></Pay>',
        '<Pay ID="x"></Pay>',
        '<Pay><a Id="m-1"></a></Pay>',
        "<Pay><xml:a></xml:a></Pay>",
        '<Pay><a xmlns="http://www.w3.org/2000/09/xmldsig#"></a></Pay>',
        '<a xmlns="http://www.w3.org/2000/09/xmldsig#"></a>',
    ],
)
def test_a_signed_body_outside_the_profile_is_refused(inside: str) -> None:
    assert refusal(sealed_bytes(inside)) == "PROFILE_VIOLATED"


@pytest.mark.parametrize("identifier", ["", "1", "a b", "a" * 81, "甲", "#m", "-a"])
def test_an_id_that_is_not_a_plain_name_is_refused(identifier: str) -> None:
    root = genuine()
    root.set("Id", identifier)
    root.find(f".//{names.ds('Reference')}").set("URI", f"#{identifier}")
    assert refusal(resigned(root)) == "PROFILE_VIOLATED"


def test_a_second_attribute_on_the_root_is_refused() -> None:
    root = genuine()
    root.set("Version", "1")
    assert refusal(resigned(root)) == "PROFILE_VIOLATED"


@pytest.mark.parametrize("raw", [b"<a>", b"<a></b>", b"<a>&bogus;</a>", b"<a b='1' b='2'/>"])
def test_broken_xml_is_not_xml(raw: bytes) -> None:
    assert refusal(raw) == "MESSAGE_NOT_XML"


def test_a_refusal_keeps_no_parser_message_that_quotes_content() -> None:
    with pytest.raises(SealBroken) as refused:
        envelope(b"<canary></other>")
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__
    assert "canary" not in str(refused.value)
