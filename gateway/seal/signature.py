"""签名元素 The one shape of ds:Signature we accept (schemas/signature-profile.xsd)."""

import base64
import binascii
import hashlib
from dataclasses import dataclass
from typing import Final

from lxml import etree

from gateway.seal import names
from gateway.seal.broken import ALGORITHM_REFUSED, PROFILE_VIOLATED, SealBroken

_MAX_TEXT: Final = 16_384


@dataclass(frozen=True, slots=True)
class Signature:
    """签名内容 What a Signature element says, before any of it is believed.

    `signed_info` is its exclusive canonical form; `certificate` is the DER of KeyInfo, a hint.
    """

    signed_info: bytes
    method: str
    digest: bytes
    value: bytes
    certificate: bytes

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the hinted certificate, in lower-case hex."""
        return hashlib.sha256(self.certificate).hexdigest()


@dataclass(frozen=True, slots=True)
class _Shape:
    name: str
    children: tuple["_Shape", ...] = ()
    attribute: str = ""
    values: frozenset[str] = frozenset()


def _algorithm(name: str, *uris: str) -> _Shape:
    return _Shape(name, attribute="Algorithm", values=frozenset(uris))


_TRANSFORMS: Final = _Shape(
    "Transforms",
    (_algorithm("Transform", names.ENVELOPED), _algorithm("Transform", names.EXCLUSIVE_C14N)),
)
_REFERENCE: Final = _Shape(
    "Reference",
    (_TRANSFORMS, _algorithm("DigestMethod", names.SHA256), _Shape("DigestValue")),
    attribute="URI",
)
_SIGNED_INFO: Final = _Shape(
    "SignedInfo",
    (
        _algorithm("CanonicalizationMethod", names.EXCLUSIVE_C14N),
        _algorithm("SignatureMethod", names.RSA_SHA256, names.ECDSA_SHA256),
        _REFERENCE,
    ),
)
_KEY_INFO: Final = _Shape("KeyInfo", (_Shape("X509Data", (_Shape("X509Certificate"),)),))
_SIGNATURE: Final = _Shape("Signature", (_SIGNED_INFO, _Shape("SignatureValue"), _KEY_INFO))


def read(element: etree._Element, identifier: str) -> Signature:
    """读取签名 Read the Signature whose one Reference is the root with Id `identifier`.

    Raises `SealBroken` PROFILE_VIOLATED for any other shape and ALGORITHM_REFUSED for an
    algorithm, transform or digest outside the list of protocol §1.
    """
    _match(element, _SIGNATURE)
    signed_info, value, key_info = element
    _, method, reference = signed_info
    if reference.get("URI") != f"#{identifier}":
        raise SealBroken(
            PROFILE_VIOLATED,
            "签名引用必须指向报文根元素。",
            "The signature's Reference must be the root of the message.",
        )
    return Signature(
        signed_info=etree.tostring(signed_info, method="c14n", exclusive=True),
        method=method.get("Algorithm", ""),
        digest=_decoded(reference[2]),
        value=_decoded(value),
        certificate=_decoded(key_info[0][0]),
    )


def _match(element: etree._Element, shape: _Shape) -> None:
    if element.tag != names.ds(shape.name) or len(element) != len(shape.children):
        raise _misshapen()
    _match_attribute(element, shape)
    if (shape.children or shape.values) and not blank(element):
        raise _misshapen()
    for child, expected in zip(element, shape.children, strict=True):
        _match(child, expected)


def _match_attribute(element: etree._Element, shape: _Shape) -> None:
    if list(element.attrib) != ([shape.attribute] if shape.attribute else []):
        raise _misshapen()
    if shape.values and element.get(shape.attribute) not in shape.values:
        raise SealBroken(
            ALGORITHM_REFUSED,
            "签名使用了不允许的算法。",
            "The signature uses an algorithm outside the allowed list.",
        )


def blank(element: etree._Element) -> bool:
    """Whether the element has nothing but white space between its children."""
    texts = [element.text, *(child.tail for child in element)]
    return not any(text and text.strip(" \t\r\n") for text in texts)


def _decoded(element: etree._Element) -> bytes:
    text = "".join((element.text or "").split())
    if not text or len(text) > _MAX_TEXT:
        raise _misshapen()
    try:
        decoded = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise _misshapen() from None
    # Base64 has several spellings of one value; we accept the one that encoders write.
    if base64.b64encode(decoded).decode("ascii") != text:
        raise _misshapen()
    return decoded


def _misshapen() -> SealBroken:
    return SealBroken(
        PROFILE_VIOLATED,
        "签名元素不符合签名规范。",
        "The Signature element does not follow the signature profile.",
    )
