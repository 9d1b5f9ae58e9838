"""What the seal tests are made of: certificates, canonical messages, and the slow twin signer."""

import base64
import copy
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from lxml import etree

from gateway.seal import authority, keys, names
from gateway.seal.keys import PrivateKey
from gateway.seal.profile import Sealed, envelope
from gateway.seal.sign import Signer

FROM = datetime(2025, 1, 1, tzinfo=UTC)
UNTIL = datetime(2035, 1, 1, tzinfo=UTC)
HOSPITAL = "H0001"
IDENTIFIER = "m-1"
DS = names.DS


@dataclass(frozen=True)
class Party:
    key: PrivateKey
    certificate: x509.Certificate

    @property
    def signer(self) -> Signer:
        return Signer(self.key, self.certificate)

    @property
    def der(self) -> str:
        der = self.certificate.public_bytes(serialization.Encoding.DER)
        return base64.b64encode(der).decode()


@cache
def root_authority():
    return authority.create_authority("test-ca", FROM, UNTIL)


def trust_pem() -> bytes:
    return root_authority()[1].public_bytes(serialization.Encoding.PEM)


def party(key: PrivateKey, name: str = HOSPITAL, purpose: authority.Purpose = "message") -> Party:
    ca_key, ca_cert = root_authority()
    request = authority.make_csr(key, name)
    return Party(key, authority.issue(ca_key, ca_cert, request, purpose, [name], FROM, UNTIL))


@cache
def hospital() -> Party:
    return party(authority.new_key())


@cache
def stranger() -> Party:
    return party(authority.new_key(), "H0002")


@cache
def rsa_hospital() -> Party:
    return party(rsa.generate_private_key(65537, 3072))


def header(**fields: str) -> str:
    texts = {
        "MessageId": "20260302-0001",
        "Command": "settlement.commit",
        "Sender": HOSPITAL,
        "Receiver": "GS-TEST",
        "SentAt": "2026-03-02T08:00:00+08:00",
        "ExpiresAt": "2026-03-02T09:00:00+08:00",
    } | fields
    return "".join(f"<{name}>{text}</{name}>" for name, text in texts.items())


def line(number: int) -> str:
    fields = "".join(f"<Field{i}>value-{number}-{i}</Field{i}>" for i in range(12))
    return f"<Line>{fields}<Amount>{number}.00</Amount></Line>"


def content(inside: str = "<Pay><Amount>100.00</Amount></Pay>", head: str | None = None) -> bytes:
    return (
        f'<Message xmlns="{names.MESSAGE}" Id="{IDENTIFIER}">'
        f"<Header>{header() if head is None else head}</Header>"
        f"<Body>{inside}</Body></Message>"
    ).encode()


def sealed_bytes(inside: str = "<Pay><Amount>100.00</Amount></Pay>", **fields: str) -> bytes:
    return hospital().signer.seal(content(inside, header(**fields)), IDENTIFIER)


def opened(raw: bytes, by: Party | None = None) -> Sealed:
    return envelope(raw).verify((by or hospital()).key.public_key())


def twin(raw: bytes, by: Party) -> bytes:
    """Sign the slow way: lxml builds the Signature and canonicalises everything."""
    root = etree.fromstring(raw)
    digest = base64.b64encode(hashlib.sha256(canonical(root)).digest()).decode()
    signature = etree.SubElement(root, f"{{{DS}}}Signature", nsmap={"ds": DS})
    signed_info = _child(signature, "SignedInfo")
    _child(signed_info, "CanonicalizationMethod", Algorithm=names.EXCLUSIVE_C14N)
    _child(signed_info, "SignatureMethod", Algorithm=keys.method(by.key.public_key()))
    reference = _child(signed_info, "Reference", URI=f"#{root.get('Id')}")
    transforms = _child(reference, "Transforms")
    _child(transforms, "Transform", Algorithm=names.ENVELOPED)
    _child(transforms, "Transform", Algorithm=names.EXCLUSIVE_C14N)
    _child(reference, "DigestMethod", Algorithm=names.SHA256)
    _child(reference, "DigestValue").text = digest
    value = keys.sign(by.key, canonical(signed_info))
    _child(signature, "SignatureValue").text = base64.b64encode(value).decode()
    data = _child(_child(signature, "KeyInfo"), "X509Data")
    _child(data, "X509Certificate").text = by.der
    return etree.tostring(root)


def canonical(element: etree._Element) -> bytes:
    return etree.tostring(element, method="c14n", exclusive=True)


def resigned(root: etree._Element, by: Party | None = None) -> bytes:
    """The tree with the digest and the signature value of its own Signature made right again."""
    signer = by or hospital()
    signature = root.find(f"{{{DS}}}Signature")
    bare = copy.deepcopy(root)
    bare.remove(bare.find(f"{{{DS}}}Signature"))
    digest = base64.b64encode(hashlib.sha256(canonical(bare)).digest()).decode()
    for element in signature.iter(f"{{{DS}}}DigestValue"):
        element.text = digest
    value = keys.sign(signer.key, canonical(signature.find(f"{{{DS}}}SignedInfo")))
    signature.find(f"{{{DS}}}SignatureValue").text = base64.b64encode(value).decode()
    return etree.tostring(root)


def genuine() -> etree._Element:
    return etree.fromstring(sealed_bytes())


def every(root: etree._Element) -> Iterator[etree._Element]:
    return root.iter("*")


def _child(parent: etree._Element, name: str, **attributes: str) -> etree._Element:
    return etree.SubElement(parent, f"{{{DS}}}{name}", attributes)
