"""The leaf of a transaction (gs-leaf-1): who said what, when, and what it changed.

`C = SHA-256(32-byte salt ‖ exact bytes)`, zero when absent; the leaf hash is
SHA-256(0x00 ‖ leaf). Salts are personal: with the record key destroyed, the
commitments say nothing while the tree stays whole.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from secrets import token_bytes
from typing import Any, Final

_VERSION: Final = b"gs-leaf-1"
_ABSENT: Final = bytes(32)
_SALT: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """What a leaf commits to; absent bytes are empty."""

    kind: str
    tx_id: str
    sender: str
    receiver: str
    message_id: str
    received_us: int
    assurance: str
    signer: str
    request: bytes = b""
    reply: bytes = b""
    effect: bytes = b""


def leaf_row(exchange: Exchange) -> Mapping[str, Any]:
    """The stored leaf: commitments, hash, and the salts that open them."""
    salts = [token_bytes(_SALT) for _ in range(3)]
    parts = (exchange.request, exchange.reply, exchange.effect)
    committed = [commitment(salt, part) for salt, part in zip(salts, parts, strict=True)]
    return {
        "tx_id": exchange.tx_id,
        "kind": exchange.kind,
        "sender": exchange.sender,
        "receiver": exchange.receiver,
        "message_id": exchange.message_id,
        "received_us": exchange.received_us,
        "assurance": exchange.assurance,
        "signer": exchange.signer,
        "request_commitment": committed[0],
        "reply_commitment": committed[1],
        "effect_commitment": committed[2],
        "leaf_hash": sha256(b"\x00" + leaf_bytes(exchange, committed)).digest(),
        "leaf_index": None,
        "salts": b"".join(salts),
        "effect": exchange.effect,
    }


def commitment(salt: bytes, content: bytes) -> bytes:
    """The commitment to exact bytes; zero bytes commit to nothing."""
    return sha256(salt + content).digest() if content else _ABSENT


def leaf_bytes(exchange: Exchange, committed: list[bytes]) -> bytes:
    """The leaf, every part length-prefixed in order."""
    texts = (
        exchange.kind,
        exchange.tx_id,
        exchange.sender,
        exchange.receiver,
        exchange.message_id,
        str(exchange.received_us),
        exchange.assurance,
        exchange.signer,
    )
    parts = (_VERSION, *(text.encode() for text in texts), *committed)
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)
