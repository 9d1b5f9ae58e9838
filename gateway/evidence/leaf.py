"""The leaf of a transaction (gs-leaf-1): who said what, when, and what it changed.

`C = SHA-256(32-byte salt ‖ exact bytes)`, zero when absent; the leaf hash is
SHA-256(0x00 ‖ leaf). Salts are personal: with the record key destroyed, the
commitments say nothing while the tree stays whole.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from hashlib import sha256
from secrets import token_bytes
from typing import Any, Final

_VERSION: Final = b"gs-leaf-1"
_ABSENT: Final = bytes(32)
_SALT: Final = 32
PARTS: Final = ("request", "reply", "effect")
"""What a leaf commits to, in this order."""
_SALTS: Final = (*PARTS, "rows")


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


TEXTS: Final = tuple(name for name in Exchange.__slots__ if name not in PARTS)
"""What a leaf tells in clear, in this order."""


def row_salt() -> bytes:
    """What the personal values of one transaction's rows are digested with."""
    return token_bytes(_SALT)


def told(row: Mapping[str, Any], personal: Collection[str], salt: bytes) -> dict[str, Any]:
    """A row as an effect tells it: personal values and bytes by their salted digest."""
    return {
        name: digested(salt, name, value)
        if value is not None and (name in personal or isinstance(value, bytes))
        else value
        for name, value in row.items()
    }


def digested(salt: bytes, column: str, value: str | bytes) -> str:
    """The digest of one value of one column."""
    content = value.encode() if isinstance(value, str) else value
    return sha256(salt + column.encode() + b"\x00" + content).hexdigest()


def leaf_row(exchange: Exchange, rows: bytes = b"") -> Mapping[str, Any]:
    """The stored leaf: commitments, hash, the salts that open them, and that of its rows."""
    salts = [token_bytes(_SALT) for _ in PARTS]
    contents = [getattr(exchange, part) for part in PARTS]
    committed = [commitment(salt, one) for salt, one in zip(salts, contents, strict=True)]
    return {
        **{name: getattr(exchange, name) for name in TEXTS},
        **{f"{part}_commitment": one for part, one in zip(PARTS, committed, strict=True)},
        "leaf_hash": sha256(b"\x00" + leaf_bytes(exchange, committed)).digest(),
        "leaf_index": None,
        "salts": b"".join([*salts, rows]),
        "effect": exchange.effect,
    }


def salt_of(salts: bytes, opened: str) -> bytes:
    """Of the stored salts that which opens one of the parts, or the personal values of "rows"."""
    at = _SALTS.index(opened) * _SALT
    return salts[at : at + _SALT]


def stored_bytes(row: Mapping[str, Any]) -> bytes:
    """The leaf as the columns of its row tell it."""
    exchange = Exchange(**{name: row[name] for name in TEXTS})
    return leaf_bytes(exchange, [bytes(row[f"{part}_commitment"]) for part in PARTS])


def commitment(salt: bytes, content: bytes) -> bytes:
    """The commitment to exact bytes; zero bytes commit to nothing."""
    return sha256(salt + content).digest() if content else _ABSENT


def leaf_bytes(exchange: Exchange, committed: list[bytes]) -> bytes:
    """The leaf, every part length-prefixed in order."""
    texts = (str(getattr(exchange, name)).encode() for name in TEXTS)
    parts = (_VERSION, *texts, *committed)
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)
