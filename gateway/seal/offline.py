"""离线验签 Verify an archived message with nothing but the public root (`gateway verify`)."""

from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.x509.oid import NameOID

from gateway.seal.broken import KEY_UNKNOWN, SealBroken
from gateway.seal.gate import ISSUED
from gateway.seal.keys import OLD_RSA_BITS, PublicKey, strong
from gateway.seal.profile import Sealed, envelope


def verify_offline(raw: bytes, trust_pem: bytes, sender: str = "") -> Sealed:
    """离线验签 Verify a message by the certificate it carries and a trusted authority.

    With `sender`, only that party's message is believed: every party's certificate comes from
    the same authority, so a valid signature alone does not tell the gateway from a hospital.

    The certificate must be issued directly by an authority in `trust_pem`, be a message
    certificate (no TLS use), name the message's Sender, and be valid, like its issuer, at
    SentAt. Revocation is not known offline: the agency's list decides that.
    Raises `SealBroken`, KEY_UNKNOWN when the certificate is not to be trusted for this message,
    and ValueError when `trust_pem` holds no certificate.
    """
    trusted = x509.load_pem_x509_certificates(trust_pem)
    sent = envelope(raw, ISSUED)
    certificate = sent.certificate()
    issuer = _issuer(certificate, trusted)
    sealed = sent.verify(_message_key(certificate))
    sent_at = sealed.header.sent_at
    if not (_covers(certificate, sent_at) and _covers(issuer, sent_at)):
        raise _untrusted()
    if _common_names(certificate) != [sealed.header.sender]:
        raise _untrusted()
    if sender and sealed.header.sender != sender:
        raise _not_from_there()
    return sealed


def _issuer(certificate: x509.Certificate, trusted: list[x509.Certificate]) -> x509.Certificate:
    for authority in trusted:
        if _is_authority(authority) and _issued(certificate, authority):
            return authority
    raise _untrusted()


def _message_key(certificate: x509.Certificate) -> PublicKey:
    try:
        fit, key = _is_message_certificate(certificate), certificate.public_key()
    except (ValueError, UnsupportedAlgorithm, x509.ExtensionNotFound):
        raise _untrusted() from None
    if not fit or not strong(key, OLD_RSA_BITS):
        raise _untrusted()
    return key


def _issued(certificate: x509.Certificate, ca: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(ca)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _is_authority(ca: x509.Certificate) -> bool:
    try:
        usage = ca.extensions.get_extension_for_class(x509.KeyUsage).value
        return _is_ca(ca) and usage.key_cert_sign
    except x509.ExtensionNotFound:
        return False


def _is_ca(certificate: x509.Certificate) -> bool:
    return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def _is_message_certificate(certificate: x509.Certificate) -> bool:
    # Our message certificates carry no extended use at all, so that none can be stretched.
    extended = {extension.oid for extension in certificate.extensions}
    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    tls = x509.ExtendedKeyUsage.oid in extended
    return usage.digital_signature and not tls and not _is_ca(certificate)


def _covers(certificate: x509.Certificate, instant: datetime) -> bool:
    return certificate.not_valid_before_utc <= instant <= certificate.not_valid_after_utc


def _common_names(certificate: x509.Certificate) -> list[str | bytes]:
    attributes = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return [attribute.value for attribute in attributes]


def _not_from_there() -> SealBroken:
    return SealBroken(
        KEY_UNKNOWN,
        "签名有效，但报文不是所期望的发送方所发。",
        "The signature is valid, but the message is not from the sender that was expected.",
    )


def _untrusted() -> SealBroken:
    return SealBroken(
        KEY_UNKNOWN,
        "报文所附证书不能证明该发送方：须由受信任机构签发、为报文用途、在发送时有效。",
        "The attached certificate does not vouch for this sender: it must come from the trusted "
        "authority, be a message certificate, and be valid when the message was sent.",
    )
