"""密钥 The two kinds of key we accept, and what each may sign (protocol §1)."""

from typing import Final, TypeGuard

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)

from gateway.seal import names

PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey
PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

OLD_RSA_BITS: Final = 2048
NEW_RSA_BITS: Final = 3072
_COORDINATE: Final = 32
_ECDSA: Final = ec.ECDSA(hashes.SHA256())


def strong(key: object, rsa_bits: int) -> TypeGuard[PublicKey]:
    """密钥强度 Whether this is a P-256 key, or an RSA key of at least `rsa_bits`."""
    if isinstance(key, rsa.RSAPublicKey):
        return key.key_size >= rsa_bits
    return isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1)


def method(key: PublicKey) -> str:
    """签名算法 The one SignatureMethod this key may be used with."""
    return names.RSA_SHA256 if isinstance(key, rsa.RSAPublicKey) else names.ECDSA_SHA256


def signed_by(key: PublicKey, value: bytes, data: bytes) -> bool:
    """验签 Whether `value` is this key's signature over `data`; ECDSA values are raw r‖s."""
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(value, data, padding.PKCS1v15(), hashes.SHA256())
        else:
            key.verify(_der(value), data, _ECDSA)
    except InvalidSignature:
        return False
    return True


def sign(key: PrivateKey, data: bytes) -> bytes:
    """签名 The XML-DSig signature value over `data`; ECDSA values are raw r‖s (RFC 4050 order)."""
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(data, padding.PKCS1v15(), hashes.SHA256())
    r, s = decode_dss_signature(key.sign(data, _ECDSA))
    return r.to_bytes(_COORDINATE, "big") + s.to_bytes(_COORDINATE, "big")


def _der(value: bytes) -> bytes:
    if len(value) != 2 * _COORDINATE:
        raise InvalidSignature
    r, s = value[:_COORDINATE], value[_COORDINATE:]
    return encode_dss_signature(int.from_bytes(r, "big"), int.from_bytes(s, "big"))
