"""验签 From exact bytes to `Sealed`: the strict message profile (protocol §1).

One parser, one tree: what a reader of `Sealed` sees is the very tree whose canonical form was
hashed, without its Signature. Nothing else in the gateway turns received bytes into elements.
"""

import base64
import hashlib
import hmac
import re
from dataclasses import InitVar, dataclass, field
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from lxml import etree

from gateway.seal import gate, header, keys, names, signature
from gateway.seal.broken import (
    ALGORITHM_REFUSED,
    KEY_UNKNOWN,
    MESSAGE_NOT_XML,
    PROFILE_VIOLATED,
    SIGNATURE_INVALID,
    SealBroken,
)
from gateway.seal.header import Header
from gateway.seal.keys import PublicKey
from gateway.seal.signature import Signature

__all__ = ["MAX_DEPTH", "Envelope", "Header", "PublicKey", "Sealed", "envelope", "kept_header"]

MAX_DEPTH: Final = 32

_PARTS: Final = [names.message("Header"), names.message("Body"), names.ds("Signature")]
_IDENTIFIER: Final = re.compile(names.ID)
_TOO_DEEP: Final = etree.XPath("boolean(" + "/*" * (MAX_DEPTH + 1) + ")")
# The root's own Id is the only attribute of this kind: one cannot be duplicated.
_IDENTIFYING: Final = etree.XPath(
    "count(//@*[namespace-uri() != '' or translate(local-name(), 'ID', 'id') = 'id'])"
)
_OPENED: Final = object()


@dataclass(frozen=True, slots=True, eq=False)
class Sealed:
    """已验签报文 A message whose signature has been verified; only `Envelope.verify` makes one.

    `raw` are the exact bytes received; `root` and `body` (the one child of Body) are what was
    hashed; `digest` is the base64 SHA-256 of the canonical content without Signature, computed
    by us; `fingerprint` is the SHA-256 of the signer's certificate in hex.
    """

    raw: bytes = field(repr=False)
    root: etree._Element = field(repr=False)
    header: Header
    body: etree._Element = field(repr=False)
    digest: str
    fingerprint: str
    token: InitVar[object]

    def __post_init__(self, token: object) -> None:
        """Keep everybody else from calling unverified bytes sealed."""
        if token is not _OPENED:
            raise TypeError("Sealed is made by Envelope.verify only.")


@dataclass(frozen=True, slots=True, eq=False)
class Envelope:
    """待验报文 A message of the right shape that nobody may believe yet.

    `claimed_sender` ("" when malformed) and `claimed_fingerprint` serve the key look-up only.
    """

    raw: bytes = field(repr=False)
    root: etree._Element = field(repr=False)
    signature: Signature = field(repr=False)

    @property
    def claimed_sender(self) -> str:
        """声称的发送方 Header/Sender as written."""
        return header.claimed_sender(self.root[0])

    @property
    def claimed_fingerprint(self) -> str:
        """声称的证书指纹 SHA-256 of the certificate in KeyInfo, in lower-case hex."""
        return self.signature.fingerprint

    def certificate(self) -> x509.Certificate:
        """KeyInfo 证书 The hinted certificate; raises `SealBroken` KEY_UNKNOWN if unreadable."""
        try:
            return x509.load_der_x509_certificate(self.signature.certificate)
        except ValueError:
            raise unknown_key() from None

    def verify(self, public_key: PublicKey) -> Sealed:
        """验签 Verify with a key from **our** registry; the certificate of KeyInfo must hold it.

        The caller finds the key by `claimed_sender` **and** `claimed_fingerprint`: the rest of
        the hinted certificate is not signed, only the registry knows which one is genuine.
        Raises `SealBroken`: ALGORITHM_REFUSED (key too weak, or of another kind than the
        signature method), KEY_UNKNOWN, SIGNATURE_INVALID, PROFILE_VIOLATED (header syntax).
        """
        _check_key(self, public_key)
        if not keys.signed_by(public_key, self.signature.value, self.signature.signed_info):
            raise _invalid()
        digest = hashlib.sha256(etree.tostring(self.root, method="c14n", exclusive=True)).digest()
        if not hmac.compare_digest(digest, self.signature.digest):
            raise _invalid()
        return Sealed(
            raw=self.raw,
            root=self.root,
            header=header.read(self.root[0]),
            body=self.root[1][0],
            digest=base64.b64encode(digest).decode("ascii"),
            fingerprint=self.signature.fingerprint,
            token=_OPENED,
        )


def envelope(raw: bytes, bounds: gate.Bounds = gate.RECEIVED) -> Envelope:
    """拆封 Check bytes against the gate and the profile; no key is needed and nothing believed.

    `bounds` are wider only for messages that we issued ourselves.
    Raises `SealBroken` with any code of the gate, MESSAGE_NOT_XML, PROFILE_VIOLATED or
    ALGORITHM_REFUSED. Linear in the size of the message. Source: protocol §1.
    """
    gate.check(raw, bounds)
    root = _parsed(raw)
    _check_root(root)
    sealed_with = signature.read(root[2], root.get("Id", ""))
    _check_content(root)
    _detach(root, root[2])
    return Envelope(raw, root, sealed_with)


def kept_header(raw: bytes) -> Header:
    """The Header of a message as it is kept: it was verified when it came."""
    return header.read(_parsed(raw)[0])


def unknown_key() -> SealBroken:
    """The refusal for a key that is not the sender's registered, active message key."""
    return SealBroken(
        KEY_UNKNOWN,
        "签名证书不是该发送方登记的报文证书。",
        "The signing certificate is not a registered message certificate of this sender.",
    )


def _parsed(raw: bytes) -> etree._Element:
    # A parser of its own for each message: a shared one makes threads wait for each other.
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        collect_ids=False,
        recover=False,
    )
    try:
        return etree.fromstring(raw, parser)
    except etree.XMLSyntaxError:
        # `from None`: the parser's message quotes what it read.
        raise SealBroken(
            MESSAGE_NOT_XML, "报文不是格式良好的 XML。", "The message is not well-formed XML."
        ) from None


def _check_root(root: etree._Element) -> None:
    parts = [part.tag for part in root] if len(root) == len(_PARTS) else []
    if root.tag != names.message("Message") or parts != _PARTS:
        raise _violated(
            "报文必须是 Message，依次含 Header、Body 和 Signature。",
            "The message must be a Message of Header, Body and Signature, in this order.",
        )
    if list(root.attrib) != ["Id"] or not _IDENTIFIER.fullmatch(root.get("Id", "")):
        raise _violated(
            "Message 必须且只能有合规的 Id 属性。",
            "The Message must have a well-formed Id attribute and no other.",
        )
    if len(root[1]) != 1 or not all(signature.blank(part) for part in (root, root[0], root[1])):
        raise _violated(
            "Body 必须恰好含一个元素，信封内不得有游离文本。",
            "The Body must hold exactly one element, and the envelope no stray text.",
        )


def _check_content(root: etree._Element) -> None:
    if _TOO_DEEP(root):
        raise _violated("元素嵌套超过 32 层。", "Elements are nested deeper than 32.")
    if _IDENTIFYING(root) != 1:
        raise _violated(
            "不得使用带命名空间的属性，也不得在根元素之外使用 Id。",
            "Attributes with a namespace, and an Id anywhere but on the root, are forbidden.",
        )
    if _has_foreign(root[0]) or _has_foreign(root[1]):
        raise _violated(
            "报文内容只能使用本网关的命名空间。",
            "The content may use the namespace of our messages only.",
        )


def _has_foreign(part: etree._Element) -> bool:
    foreign = (f"{{{names.DS}}}*", f"{{{names.XML}}}*", "{}*")
    return next(part.iter(*foreign), None) is not None


def _detach(root: etree._Element, element: etree._Element) -> None:
    # The enveloped-signature transform keeps the text after Signature; lxml would drop it.
    tail, element.tail = element.tail, None
    root.remove(element)
    if tail:
        root[-1].tail = (root[-1].tail or "") + tail


def _check_key(sent: Envelope, public_key: PublicKey) -> None:
    if not keys.strong(public_key, keys.OLD_RSA_BITS):
        raise _unfit()
    if keys.method(public_key) != sent.signature.method:
        raise _unfit()
    try:
        hinted = sent.certificate().public_key()
    except (ValueError, UnsupportedAlgorithm):
        raise unknown_key() from None
    if hinted != public_key:
        raise unknown_key()


def _unfit() -> SealBroken:
    return SealBroken(
        ALGORITHM_REFUSED,
        "密钥强度不足，或与签名算法不符。",
        "The key is too weak, or of another kind than the signature method.",
    )


def _invalid() -> SealBroken:
    return SealBroken(
        SIGNATURE_INVALID,
        "签名无效：内容或签名已被改动。",
        "The signature is invalid: the content or the signature was changed.",
    )


def _violated(zh: str, en: str) -> SealBroken:
    return SealBroken(PROFILE_VIOLATED, zh, en)
