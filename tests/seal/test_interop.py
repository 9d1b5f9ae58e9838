"""Other signers and verifiers: signxml (Python) and xmlsec1 (C) agree with us."""

import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from lxml import etree
from signxml import CanonicalizationMethod, XMLSigner, methods

from gateway.seal import authority, keys, names
from gateway.seal.broken import SealBroken

from .makers import (
    IDENTIFIER,
    Party,
    canonical,
    content,
    hospital,
    line,
    opened,
    rsa_hospital,
)

needs_xmlsec1 = pytest.mark.skipif(
    shutil.which("xmlsec1") is None,
    reason="the program xmlsec1 is missing: install the Debian package xmlsec1",
)
ROOT = f"{names.MESSAGE}:Message"
BILL = content("<Up>" + "".join(line(i) for i in range(20)) + "<Note>“甲”&amp;乙</Note></Up>")


@pytest.fixture(params=[hospital, rsa_hospital], ids=["P-256", "RSA-3072"])
def by(request) -> Party:
    return request.param()


def signed_by_signxml(raw: bytes, by: Party) -> bytes:
    signer = XMLSigner(
        method=methods.enveloped,
        signature_algorithm=keys.method(by.key.public_key()).rsplit("#")[1],
        digest_algorithm="sha256",
        c14n_algorithm=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
    )
    root = etree.fromstring(raw)
    signed = signer.sign(root, key=by.key, cert=[by.certificate], reference_uri=f"#{IDENTIFIER}")
    return etree.tostring(signed)


def template(raw: bytes, by: Party) -> bytes:
    """An unsigned message with an empty Signature for xmlsec1 to fill in."""
    empty = etree.fromstring(by.signer.seal(raw, IDENTIFIER))
    for name in ("DigestValue", "SignatureValue", "X509Certificate"):
        empty.find(f".//{names.ds(name)}").text = ""
    return etree.tostring(empty)


def xmlsec1(*arguments: str | Path) -> subprocess.CompletedProcess[bytes]:
    command = ["xmlsec1", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, timeout=30, check=False)


def pem(directory: Path, by: Party) -> Path:
    authority.write_private_key(directory / "signer.key", by.key)
    path = directory / "signer.pem"
    path.write_bytes(by.certificate.public_bytes(serialization.Encoding.PEM))
    return path


def verified_by_xmlsec1(directory: Path, raw: bytes, by: Party) -> bool:
    message = directory / "message.xml"
    message.write_bytes(raw)
    certificate = pem(directory, by)
    done = xmlsec1("--verify", "--pubkey-cert-pem", certificate, "--id-attr:Id", ROOT, message)
    return done.returncode == 0


def test_a_message_signed_by_signxml_is_accepted(by) -> None:
    sealed = opened(signed_by_signxml(BILL, by), by)
    assert canonical(sealed.root) == BILL


@needs_xmlsec1
def test_a_message_signed_by_xmlsec1_is_accepted(by, tmp_path) -> None:
    certificate = pem(tmp_path, by)
    (tmp_path / "template.xml").write_bytes(template(BILL, by))
    done = xmlsec1(
        "--sign",
        "--privkey-pem",
        f"{tmp_path / 'signer.key'},{certificate}",
        "--id-attr:Id",
        ROOT,
        "--output",
        tmp_path / "signed.xml",
        tmp_path / "template.xml",
    )
    assert done.returncode == 0, done.stderr.decode()
    sealed = opened((tmp_path / "signed.xml").read_bytes(), by)
    assert canonical(sealed.root) == BILL


@needs_xmlsec1
def test_xmlsec1_verifies_ours_and_refuses_one_changed_digit(by, tmp_path) -> None:
    raw = by.signer.seal(BILL, IDENTIFIER)
    changed = raw.replace(b"<Amount>7.00", b"<Amount>9.00")
    assert changed != raw
    assert verified_by_xmlsec1(tmp_path, raw, by)
    assert not verified_by_xmlsec1(tmp_path, changed, by)
    with pytest.raises(SealBroken):
        opened(changed, by)
