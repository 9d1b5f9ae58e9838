"""签名 Sign what a writer wrote in canonical form: its digest is the SHA-256 of those bytes."""

import base64
import hashlib
import re
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from gateway.seal import keys, names
from gateway.seal.keys import PrivateKey

_END: Final = b"</Message>"
_SIGNATURE: Final = b"<ds:Signature "
_IDENTIFIER: Final = re.compile(names.ID)
_SIGNED_INFO: Final = (
    '<ds:CanonicalizationMethod Algorithm="{c14n}"></ds:CanonicalizationMethod>'
    '<ds:SignatureMethod Algorithm="{method}"></ds:SignatureMethod>'
    '<ds:Reference URI="#%s"><ds:Transforms>'
    '<ds:Transform Algorithm="{enveloped}"></ds:Transform>'
    '<ds:Transform Algorithm="{c14n}"></ds:Transform>'
    '</ds:Transforms><ds:DigestMethod Algorithm="{sha256}"></ds:DigestMethod>'
    "<ds:DigestValue>%s</ds:DigestValue></ds:Reference></ds:SignedInfo>"
)


class Signer:
    """签名者 One message key with its certificate.

    Raises ValueError when the certificate holds another key or the key is of a kind or size the
    profile does not know (P-256, RSA ≥ 2048).
    """

    def __init__(self, private_key: PrivateKey, certificate: x509.Certificate) -> None:
        public_key = private_key.public_key()
        if not keys.strong(public_key, keys.OLD_RSA_BITS):
            raise ValueError("密钥类型或强度不符 The key's kind or size is outside the profile.")
        if certificate.public_key() != public_key:
            raise ValueError("证书与私钥不配 The certificate does not belong to the private key.")
        self._private_key = private_key
        self.certificate = certificate
        self._signed_info = _SIGNED_INFO.format(
            c14n=names.EXCLUSIVE_C14N,
            method=keys.method(public_key),
            enveloped=names.ENVELOPED,
            sha256=names.SHA256,
        )
        self._key_info = _key_info(certificate)

    def seal(self, content: bytes, message_id_attr: str) -> bytes:
        """签名 Insert the Signature before `</Message>` and return the whole message.

        `content` must already be the exclusive canonical form of
        `<Message xmlns="urn:gongshang:settlement:v1" Id="…">…</Message>` without Signature, and
        `message_id_attr` its Id. Raises ValueError when it begins or ends otherwise.
        """
        _check_frame(content, message_id_attr)
        digest = base64.b64encode(hashlib.sha256(content).digest()).decode("ascii")
        inside = self._signed_info % (message_id_attr, digest)
        # Apart from its parent SignedInfo declares its prefix itself: so it is canonical.
        canonical = f'<ds:SignedInfo xmlns:ds="{names.DS}">{inside}'
        value = base64.b64encode(keys.sign(self._private_key, canonical.encode("ascii")))
        return b"".join(
            (
                content[: -len(_END)],
                f'<ds:Signature xmlns:ds="{names.DS}"><ds:SignedInfo>{inside}'.encode("ascii"),
                b"<ds:SignatureValue>%b</ds:SignatureValue>" % value,
                self._key_info,
                _END,
            )
        )


def content_of(sealed: bytes) -> bytes:
    """签名内容 What `Signer.seal` was given: for messages that we sealed ourselves only."""
    return sealed[: sealed.rindex(_SIGNATURE)] + _END


def load_signer(key_pem_path: Path, cert_path: Path) -> Signer:
    """读取签名密钥 Load a Signer from an unencrypted PKCS#8 PEM key and a PEM certificate.

    Raises OSError when a file cannot be read and ValueError when the pair is not usable.
    """
    key = serialization.load_pem_private_key(key_pem_path.read_bytes(), password=None)
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise ValueError("密钥类型不符 The key's kind is outside the profile.")
    return Signer(key, x509.load_pem_x509_certificate(cert_path.read_bytes()))


def _check_frame(content: bytes, message_id_attr: str) -> None:
    if not _IDENTIFIER.fullmatch(message_id_attr):
        raise ValueError("Id 属性不合规 The Id attribute is malformed.")
    start = f'<Message xmlns="{names.MESSAGE}" Id="{message_id_attr}">'.encode("ascii")
    if not (content.startswith(start) and content.endswith(_END)):
        raise ValueError("内容不是规范形式 The content is not a Message in canonical form.")


def _key_info(certificate: x509.Certificate) -> bytes:
    der = base64.b64encode(certificate.public_bytes(serialization.Encoding.DER))
    return (
        b"<ds:KeyInfo><ds:X509Data><ds:X509Certificate>%b</ds:X509Certificate>"
        b"</ds:X509Data></ds:KeyInfo></ds:Signature>" % der
    )
