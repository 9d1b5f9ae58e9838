"""发证 The gateway's own certificate authority; one key serves one purpose (protocol §1)."""

import hashlib
import ipaddress
import os
import re
import tempfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final, Literal

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from gateway.seal import keys
from gateway.seal.broken import (
    KEY_TOO_WEAK,
    NAMES_REFUSED,
    PERIOD_REFUSED,
    REQUEST_FORGED,
    REQUEST_UNREADABLE,
    CertificateRefused,
)
from gateway.seal.keys import PrivateKey, PublicKey

Purpose = Literal["tls_client", "tls_server", "message"]

_EXTENDED_USE: Final = {
    "tls_client": ExtendedKeyUsageOID.CLIENT_AUTH,
    "tls_server": ExtendedKeyUsageOID.SERVER_AUTH,
}
_NAME: Final = re.compile(r"[A-Za-z0-9._:-]{1,64}")


def new_key() -> ec.EllipticCurvePrivateKey:
    """新密钥 A new P-256 private key."""
    return ec.generate_private_key(ec.SECP256R1())


def make_csr(key: PrivateKey, common_name: str) -> x509.CertificateSigningRequest:
    """证书申请 A signing request for this key, as a hospital would send it."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(_subject(common_name))
    return builder.sign(key, hashes.SHA256())


def create_authority(
    common_name: str, not_before: datetime, not_after: datetime
) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    """建立发证机构 A new root that may issue end certificates only; instants are aware."""
    key = new_key()
    name = _subject(common_name)
    builder = _builder(name, name, key.public_key(), not_before, not_after)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_usage(authority=True), critical=True)
    return key, builder.sign(key, hashes.SHA256())


def issue(
    ca_key: PrivateKey,
    ca_cert: x509.Certificate,
    csr: x509.CertificateSigningRequest | bytes | str,
    purpose: Purpose,
    names: Sequence[str],
    not_before: datetime,
    not_after: datetime,
) -> x509.Certificate:
    """签发 Issue an end certificate for the key of a request, and for nothing else of it.

    Subject and extensions are ours: `names[0]` becomes the common name (for message
    certificates it must be the sender's code), all names of a server its SAN. Raises
    `CertificateRefused` for an unreadable or unsigned request, a key that is neither P-256
    nor RSA ≥ 3072, unfit names, or a period outside the authority's.
    """
    public_key = _requested_key(csr)
    _check_names(names)
    _check_period(ca_cert, not_before, not_after)
    builder = _builder(_subject(names[0]), ca_cert.subject, public_key, not_before, not_after)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), True)
    builder = builder.add_extension(_usage(authority=False), critical=True)
    builder = _with_issuer(builder, ca_key)
    if purpose in _EXTENDED_USE:
        builder = builder.add_extension(x509.ExtendedKeyUsage([_EXTENDED_USE[purpose]]), False)
    if purpose == "tls_server":
        alternatives = x509.SubjectAlternativeName([_alternative(name) for name in names])
        builder = builder.add_extension(alternatives, critical=False)
    return builder.sign(ca_key, hashes.SHA256())


def fingerprint(certificate: x509.Certificate) -> str:
    """证书指纹 SHA-256 of the certificate's DER, in lower-case hex."""
    der = certificate.public_bytes(serialization.Encoding.DER)
    return hashlib.sha256(der).hexdigest()


def write_private_key(path: Path, key: PrivateKey | Ed25519PrivateKey) -> None:
    """写入私钥 Write the key as PKCS#8 PEM, mode 0600, whole or not at all; raises OSError."""
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    # mkstemp makes the file 0600 from its first moment.
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".key-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def _requested_key(csr: x509.CertificateSigningRequest | bytes | str) -> PublicKey:
    request = _request(csr)
    try:
        genuine, key = request.is_signature_valid, request.public_key()
    except (ValueError, UnsupportedAlgorithm):
        raise _unreadable() from None
    if not genuine:
        raise CertificateRefused(
            REQUEST_FORGED,
            "证书申请的签名无效，申请人未证明持有私钥。",
            "The request's signature is invalid: possession of the key is not shown.",
        )
    if not keys.strong(key, keys.NEW_RSA_BITS):
        raise CertificateRefused(
            KEY_TOO_WEAK,
            "新密钥必须是 P-256，或至少 3072 位的 RSA。",
            "A new key must be P-256, or RSA of at least 3072 bits.",
        )
    return key


def _request(
    csr: x509.CertificateSigningRequest | bytes | str,
) -> x509.CertificateSigningRequest:
    if isinstance(csr, x509.CertificateSigningRequest):
        return csr
    try:
        return x509.load_pem_x509_csr(csr.encode() if isinstance(csr, str) else csr)
    except ValueError:
        raise _unreadable() from None


def _unreadable() -> CertificateRefused:
    return CertificateRefused(
        REQUEST_UNREADABLE,
        "证书申请不是可读的 PEM 格式 CSR。",
        "The request is not a readable signing request in PEM.",
    )


def _check_names(names: Sequence[str]) -> None:
    if not names or not all(_NAME.fullmatch(name) for name in names):
        raise CertificateRefused(
            NAMES_REFUSED,
            "证书名称缺失，或含有字母、数字和 . _ : - 以外的字符，或超过 64 个字符。",
            "A name is missing, longer than 64, or holds more than letters, digits and . _ : -",
        )


def _check_period(ca_cert: x509.Certificate, not_before: datetime, not_after: datetime) -> None:
    first, last = ca_cert.not_valid_before_utc, ca_cert.not_valid_after_utc
    if not first <= not_before < not_after <= last:
        raise CertificateRefused(
            PERIOD_REFUSED,
            "证书有效期必须在发证机构的有效期之内。",
            "The certificate's period must lie within the authority's.",
        )


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    public_key: PublicKey,
    not_before: datetime,
    not_after: datetime,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(not_before)
        .not_valid_after(not_after)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
    )


def _with_issuer(builder: x509.CertificateBuilder, ca_key: PrivateKey) -> x509.CertificateBuilder:
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key())
    return builder.add_extension(identifier, critical=False)


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


def _subject(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
