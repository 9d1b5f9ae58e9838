"""Checkpoints: size and root of the log as a signed note (C2SP signed-note, tlog-checkpoint).

The log's key signs nothing else, and the agency's witness key nothing but cosignatures.
"""

from base64 import b64decode, b64encode
from binascii import Error as BadBase64
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Final, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from gateway.evidence.tree import HASH

SIGNED, COSIGNED = 1, 4
"""The kinds of key in the C2SP registry: Ed25519 over the note, and over a dated note."""
_ID: Final = 4
_SIGNATURE: Final = 64
_STAMP: Final = 8  # of a cosignature: seconds since 1970
_DASH: Final = "\u2014 "


class BadNote(ValueError):
    """The text is no checkpoint that this key signed."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How large a log was and what its root was then."""

    origin: str
    size: int
    root: bytes

    @property
    def body(self) -> str:
        """What is signed."""
        return f"{self.origin}\n{self.size}\n{base64(self.root)}\n"

    @classmethod
    def read(cls, body: str) -> Self:
        """The checkpoint whose body this is, to the letter. Raises BadNote."""
        lines = body.split("\n")
        if len(lines) < 4 or not lines[1].isdecimal():
            raise BadNote("no checkpoint")
        found = cls(lines[0], int(lines[1]), plain(lines[2]))
        if found.body != body or len(found.root) != HASH:
            raise BadNote("no checkpoint")
        return found


@dataclass(frozen=True, slots=True)
class Verifier:
    """A named key that signs notes, as its owner publishes it (`name+id+key`)."""

    name: str
    public: bytes
    kind: int = SIGNED

    @property
    def key_id(self) -> bytes:
        named = self.name.encode() + b"\n" + bytes([self.kind]) + self.public
        return sha256(named).digest()[:_ID]

    @property
    def text(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{base64(bytes([self.kind]) + self.public)}"

    @classmethod
    def read(cls, text: str) -> Self:
        """The key of this text. Raises BadNote."""
        name, _, rest = text.partition("+")
        _, _, encoded = rest.partition("+")
        key = plain(encoded)
        found = cls(name, key[1:], key[0] if key else 0)
        if found.text != text or len(found.public) != HASH:
            raise BadNote("no verifier key")
        return found

    def checkpoint(self, note: str) -> Checkpoint:
        """The checkpoint of a note that this key signed; other signatures are not looked at.

        Raises BadNote.
        """
        body, signatures = _halves(note)
        for line in signatures:
            name, signature = _signature(line, self.key_id)
            if name == self.name and self._signed(signature, body):
                return Checkpoint.read(body)
        raise BadNote("not signed by this key")

    def _signed(self, signature: bytes, body: str) -> bool:
        if self.kind == COSIGNED:
            stamp, signature = signature[:_STAMP], signature[_STAMP:]
            body = _dated(body, int.from_bytes(stamp, "big"))
        key = Ed25519PublicKey.from_public_bytes(self.public)
        try:
            key.verify(signature, body.encode())
        except InvalidSignature:
            return False
        return True


def _halves(note: str) -> tuple[str, list[str]]:
    body, blank, rest = note.rpartition("\n\n")
    if not blank or not rest.endswith("\n"):
        raise BadNote("no signed note")
    return f"{body}\n", rest[:-1].split("\n")


def _signature(line: str, key_id: bytes) -> tuple[str, bytes]:
    """The name and signature of a line; "" when it is of another key. Raises BadNote."""
    name, _, encoded = line.removeprefix(_DASH).partition(" ")
    whole = plain(encoded)
    if not line.startswith(_DASH) or len(whole) <= _ID:
        raise BadNote("no signature line")
    return (name, whole[_ID:]) if whole[:_ID] == key_id else ("", b"")


def _dated(body: str, seconds: int) -> str:
    return f"cosignature/v1\ntime {seconds}\n{body}"


@dataclass(frozen=True, slots=True)
class NoteSigner:
    """A key with its name."""

    name: str
    key: Ed25519PrivateKey
    kind: int = SIGNED

    @property
    def verifier(self) -> Verifier:
        public = self.key.public_key().public_bytes_raw()
        return Verifier(self.name, public, self.kind)

    def named(self, name: str) -> "NoteSigner":
        """The same key under the name of another log."""
        return replace(self, name=name)

    def note(self, checkpoint: Checkpoint) -> str:
        """The checkpoint signed."""
        return f"{checkpoint.body}\n{self._line(self.key.sign(checkpoint.body.encode()))}"

    def cosignature(self, checkpoint: Checkpoint, seconds: int) -> str:
        """The line that says that at this time (seconds since 1970) the log was seen to be so."""
        signature = self.key.sign(_dated(checkpoint.body, seconds).encode())
        return self._line(seconds.to_bytes(_STAMP, "big") + signature)

    def _line(self, signature: bytes) -> str:
        return f"{_DASH}{self.name} {base64(self.verifier.key_id + signature)}\n"


def stamped(cosignature: str) -> int:
    """The seconds since 1970 that a cosignature line names. Raises BadNote."""
    whole = plain(cosignature.rpartition(" ")[2].rstrip("\n"))
    if len(whole) != _ID + _STAMP + _SIGNATURE:
        raise BadNote("no cosignature")
    return int.from_bytes(whole[_ID : _ID + _STAMP], "big")


def tlog_proof(index: int, path: list[bytes], note: str) -> str:
    """The audit path of a leaf with the checkpoint it leads to (C2SP tlog-proof)."""
    lines = ["c2sp.org/tlog-proof@v1", f"index {index}", *map(base64, path)]
    return "\n".join(lines) + f"\n\n{note}"


def base64(content: bytes) -> str:
    return b64encode(content).decode()


def plain(text: str) -> bytes:
    """The bytes of base64 as it is written only one way. Raises BadNote."""
    try:
        found = b64decode(text, validate=True)
    except (BadBase64, ValueError):
        raise BadNote("no base64") from None
    if base64(found) != text:
        raise BadNote("no base64")
    return found
