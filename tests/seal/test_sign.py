"""Signing: canonical bytes in, the same bytes plus one Signature out."""

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from lxml import etree

from gateway.seal import authority, names
from gateway.seal.sign import Signer, load_signer

from .makers import (
    IDENTIFIER,
    Party,
    canonical,
    content,
    hospital,
    opened,
    rsa_hospital,
    stranger,
    twin,
)


@pytest.mark.parametrize("by", [hospital, rsa_hospital])
def test_the_fast_signer_says_what_its_slow_twin_says(by) -> None:
    fast = etree.fromstring(by().signer.seal(content(), IDENTIFIER))
    slow = etree.fromstring(twin(content(), by()))
    for root in (fast, slow):
        opened(etree.tostring(root), by())
        root.find(f".//{names.ds('SignatureValue')}").text = ""
    assert canonical(fast) == canonical(slow)


def test_a_sealed_message_is_itself_canonical() -> None:
    raw = hospital().signer.seal(content(), IDENTIFIER)
    assert raw.startswith(b"<Message ")
    assert canonical(etree.fromstring(raw)) == raw


def test_the_content_is_left_as_it_was_written() -> None:
    raw = hospital().signer.seal(content(), IDENTIFIER)
    assert raw.startswith(content()[: -len(b"</Message>")] + b"<ds:Signature ")
    assert raw.endswith(b"</ds:Signature></Message>")


@pytest.mark.parametrize(
    "wrong",
    [
        b"",
        b'<?xml version="1.0"?>' + content(),
        content() + b"\n",
        content().replace(b"Message ", b"Message  "),
        content().replace(names.MESSAGE.encode(), b"urn:other"),
        content().replace(b'Id="m-1"', b'Id="m-2"'),
    ],
)
def test_content_that_is_not_a_canonical_message_is_not_signed(wrong: bytes) -> None:
    with pytest.raises(ValueError, match="canonical"):
        hospital().signer.seal(wrong, IDENTIFIER)


@pytest.mark.parametrize("identifier", ["1", "", 'a" b="', "a b"])
def test_a_malformed_id_is_not_signed(identifier: str) -> None:
    with pytest.raises(ValueError, match="malformed"):
        hospital().signer.seal(content(), identifier)


def test_a_signer_refuses_the_certificate_of_another_key() -> None:
    with pytest.raises(ValueError, match="does not belong"):
        Signer(hospital().key, stranger().certificate)


def test_a_signer_refuses_a_curve_outside_the_profile() -> None:
    with pytest.raises(ValueError, match="outside the profile"):
        Signer(ec.generate_private_key(ec.SECP384R1()), hospital().certificate)


def test_a_signer_is_loaded_from_its_two_files(tmp_path) -> None:
    _write(tmp_path, hospital())
    signer = load_signer(tmp_path / "signer.key", tmp_path / "signer.pem")
    assert opened(signer.seal(content(), IDENTIFIER)).header.sender == "H0001"


def test_a_key_of_an_unknown_kind_is_not_loaded(tmp_path) -> None:
    _write(tmp_path, hospital())
    other = ed25519.Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    (tmp_path / "signer.key").write_bytes(other)
    with pytest.raises(ValueError, match="outside the profile"):
        load_signer(tmp_path / "signer.key", tmp_path / "signer.pem")


def _write(directory, party: Party) -> None:
    authority.write_private_key(directory / "signer.key", party.key)
    pem = party.certificate.public_bytes(serialization.Encoding.PEM)
    (directory / "signer.pem").write_bytes(pem)
