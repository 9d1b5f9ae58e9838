"""Find identity numbers in bytes: as they stand, in UTF-16, in hex, in base64, deflated."""

import re
import zlib
from base64 import b64decode
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path

_LENGTH = 18
_PLAIN = re.compile(rb"[0-9]{17,}[Xx]?")
_HEX = re.compile(rb"(?:3[0-9]){17,}(?:[57]8)?")
_BASE64 = re.compile(rb"[A-Za-z0-9+/]{24,}")
_DEFLATED = re.compile(rb"x[\x01\x5e\x9c\xda]")
_INFLATED_BYTES = 4_000_000


def numbers_in(content: bytes) -> set[str]:
    """Every run of 18 characters that could be an identity number, however it is written."""
    found: set[str] = set()
    for form in _forms(content.strip(b"\0")):
        for run in _PLAIN.findall(form):
            text = run.decode().upper()
            found |= {text[at : at + _LENGTH] for at in range(len(text) - _LENGTH + 1)}
    return found


def _forms(content: bytes) -> Iterator[bytes]:
    yield content
    if b"\0" in content:
        yield content.replace(b"\0", b"")
    for run in _HEX.findall(content):
        yield bytes.fromhex(run.decode()[: len(run) // 2 * 2])
    for run in _BASE64.findall(content):
        yield from (_decoded(run[skipped:]) for skipped in range(4))
    for start in _DEFLATED.finditer(content):
        yield _inflated(content[start.start() : start.start() + _INFLATED_BYTES])


def _decoded(run: bytes) -> bytes:
    return b64decode(run[: len(run) // 4 * 4])


def _inflated(content: bytes) -> bytes:
    """What the deflated bytes begin with; random bytes that look like a start give little."""
    opener, parts = zlib.decompressobj(), []
    try:
        for at in range(0, len(content), 512):
            parts.append(opener.decompress(content[at : at + 512]))
            if opener.eof:
                break
    except zlib.error:
        return b"".join(parts)
    return b"".join(parts)


def hits(files: Iterable[Path], wanted: frozenset[str]) -> list[str]:
    """The names of the files that show one of the numbers; the same bytes are read once."""
    clean, shown = set[bytes](), []
    for one in files:
        content = one.read_bytes()
        digest = sha256(content).digest()
        if digest in clean:
            continue
        if wanted & numbers_in(content):
            shown.append(one.name)
        else:
            clean.add(digest)
    return shown
