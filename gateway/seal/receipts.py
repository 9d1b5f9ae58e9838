"""签收回执 Whether a receiver's answer proves that it has our message.

Only a reply signed by the receiver's own usable message key, addressed to the sender of what
was sent and bound to its id and digest, is a receipt; a 200 from a proxy is none (protocol §4).
"""

import hashlib
import re
from base64 import b64encode
from collections.abc import Callable, Sequence
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from gateway.clock import machine_now, micros
from gateway.domain.message import Binding
from gateway.domain.party import KeyPurpose, RegisteredKey
from gateway.ports import Codec
from gateway.seal.broken import SealBroken
from gateway.seal.profile import Sealed, envelope
from gateway.seal.sign import content_of

_MESSAGE_ID: Final = re.compile(rb"<MessageId>([^<]+)</MessageId>")
"""The first in a message of ours is that of its header, which comes first."""


def receipt_outcome(
    codec: Codec, receiver: str, keys: Sequence[RegisteredKey]
) -> Callable[[bytes, bytes], str]:
    """From sent and received bytes to the receipt's outcome; ValueError when it proves nothing."""
    usable = {key.fingerprint: key for key in keys if _usable(key)}

    def outcome(sent: bytes, received: bytes) -> str:
        sealed = _verified(received, usable)
        if sealed.header.sender != receiver:
            raise ValueError("signed by another party")
        binding, _ = codec.reply(sealed.body, sealed.root[0])
        return _bound(binding, content_of(sent))

    return outcome


def _usable(key: RegisteredKey) -> bool:
    return key.purpose is KeyPurpose.MESSAGE and key.usable_at(micros(machine_now()))


def _verified(received: bytes, usable: dict[str, RegisteredKey]) -> Sealed:
    try:
        reply = envelope(received)
        key = usable.get(reply.claimed_fingerprint)
        if key is None:
            raise ValueError("its key is not registered")
        public = x509.load_pem_x509_certificate(key.certificate_pem.encode()).public_key()
        if not isinstance(public, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
            raise ValueError("its key is of another kind")
        return reply.verify(public)
    except SealBroken as broken:
        raise ValueError(broken.code) from None


def _bound(binding: Binding | None, ours: bytes) -> str:
    """The outcome of an answer to this canonical content of ours."""
    if binding is None or binding.outcome is None:
        raise ValueError("it answers nothing")
    digest = b64encode(hashlib.sha256(ours).digest()).decode()
    named = _MESSAGE_ID.search(ours)
    if named is None or (binding.in_reply_to, binding.request_digest) != (
        named[1].decode(),
        digest,
    ):
        raise ValueError("it answers another message")
    return binding.outcome.value
