"""存证导出核对 Verify an export of the evidence log, offline, with nothing but this file.

Needs Python 3.11 and its standard library alone; copy it anywhere and run

    python verify_log.py EXPORT [--key NAME+ID+KEY] [--witness NAME+ID+KEY …]

It recomputes every leaf, what its salt opens, the tree at every checkpoint, the proofs between
checkpoints and all signatures (Ed25519, RFC 8032), and names the first line that is not as it
was written. Without --key the key in the export's own header is believed: compare it with the
one you were given in person. So it is with witnesses: without --witness anybody may have made
the cosignatures, which then show nothing; with it there must be one at least, and every one be
of a witness that was given.

Every line of an export is one of these, its parts separated by tabs:

    gs-evidence-1  KEY  ENTRIES  DIGEST-OF-THIS-LINE
    leaf  NUMBER  HASH  KIND … C_EFFECT  SALT  EFFECT       SALT and EFFECT "-" when not opened
    checkpoint  SIZE  NOTE                                  NOTE in base64
    cosignature  SIZE  WITNESS-KEY  NOTE
    proof  OLD-SIZE  SIZE  HASH,HASH,…

Behind a checkpoint stand the cosignatures of the same size, and behind every checkpoint but the
first the proof that it continues the one before. Only two things may be gone unnoticed, for
nothing says that they were ever there: a cosignature, and the signatures over the last leaves,
which are then counted as standing after the last checkpoint.
"""

import argparse
import os
import sys
from base64 import b64decode, b64encode
from binascii import Error as BadBase64
from binascii import hexlify, unhexlify
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from hashlib import sha256, sha512
from pathlib import Path
from typing import BinaryIO, Final

FORMAT: Final = b"gs-evidence-1"
_KINDS: Final = (FORMAT + b"\t", b"checkpoint\t", b"cosignature\t", b"proof\t")
_LEAF_PARTS: Final = 16
_START: Final = b"\x00" + b"\x00\x00\x00\x09gs-leaf-1"
_COMMITMENT: Final = b"\x00\x00\x00\x20"
_COSIGNED: Final = 4
_ONE_PROCESS: Final = 8 << 20  # bytes that are not worth a second process


class Bad(Exception):
    """A line that is not as it was written."""

    def __init__(self, line: int, said: str) -> None:
        super().__init__(f"line {line}: {said}")
        self.line, self.said = line, said


# --- Ed25519 (RFC 8032 §5.1), slowly and in plain integers ------------------------------------

_P: Final = 2**255 - 19
_L: Final = 2**252 + 27742317777372353535851937790883648493
_D: Final = -121665 * pow(121666, _P - 2, _P) % _P
_ROOT: Final = pow(2, (_P - 1) // 4, _P)
Point = tuple[int, int, int, int]
_ZERO: Final[Point] = (0, 1, 1, 0)


def _added(p: Point, q: Point) -> Point:
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % _P, (p[1] + p[0]) * (q[1] + q[0]) % _P
    c, d = 2 * p[3] * q[3] * _D % _P, 2 * p[2] * q[2] % _P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _doubled(p: Point) -> Point:
    a, b, c = p[0] * p[0] % _P, p[1] * p[1] % _P, 2 * p[2] * p[2] % _P
    h = a + b
    e, g = h - (p[0] + p[1]) * (p[0] + p[1]) % _P, a - b
    f = c + g
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _point(encoded: bytes) -> Point | None:
    y, sign = int.from_bytes(encoded, "little") & ((1 << 255) - 1), encoded[31] >> 7
    if y >= _P:
        return None
    square = (y * y - 1) * pow(_D * y * y + 1, _P - 2, _P) % _P
    x = pow(square, (_P + 3) // 8, _P)
    if (x * x - square) % _P:
        x = x * _ROOT % _P
    if (x * x - square) % _P or (x == 0 and sign):
        return None
    x = _P - x if x & 1 != sign else x
    return x, y, 1, x * y % _P


_BASE: Final = _point(
    bytes.fromhex("5866666666666666666666666666666666666666666666666666666666666666")
)


def _sum(first: int, p: Point, second: int, q: Point) -> Point:
    """first·p + second·q, both at once."""
    table = (_ZERO, p, q, _added(p, q))
    found = _ZERO
    for at in range(max(first, second).bit_length() - 1, -1, -1):
        found = _doubled(found)
        which = (first >> at & 1) | (second >> at & 1) << 1
        if which:
            found = _added(found, table[which])
    return found


def ed25519(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether the key signed the message."""
    if len(public) != 32 or len(signature) != 64 or _BASE is None:
        return False
    key, commitment = _point(public), _point(signature[:32])
    scalar = int.from_bytes(signature[32:], "little")
    if key is None or commitment is None or scalar >= _L:
        return False
    challenge = int.from_bytes(sha512(signature[:32] + public + message).digest(), "little") % _L
    negative = (-key[0] % _P, key[1], key[2], -key[3] % _P)
    found = _sum(scalar, _BASE, challenge, negative)
    same_x = (found[0] * commitment[2] - commitment[0] * found[2]) % _P == 0
    return same_x and (found[1] * commitment[2] - commitment[1] * found[2]) % _P == 0


# --- signed notes (C2SP signed-note, tlog-checkpoint, tlog-cosignature) -----------------------


@dataclass(frozen=True)
class Key:
    """A named Ed25519 key, as `NAME+ID+KEY`."""

    name: str
    public: bytes
    kind: int

    @classmethod
    def read(cls, text: str) -> "Key":
        """Raises ValueError."""
        name, _, rest = text.partition("+")
        said_id, _, encoded = rest.partition("+")
        whole = plain(encoded)
        found = cls(name, whole[1:], whole[0] if whole else 0)
        if found.key_id.hex() != said_id or len(found.public) != 32:
            raise ValueError("not a key")
        return found

    @property
    def key_id(self) -> bytes:
        return sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.public).digest()[:4]

    def opened(self, note: str) -> tuple[int, bytes]:
        """The size and root of a note that this key signed. Raises ValueError."""
        body, _, line = note.partition("\n\n")
        body += "\n"
        start = f"\u2014 {self.name} "
        whole = plain(line[len(start) : -1])
        if not line.startswith(start) or not line.endswith("\n") or whole[:4] != self.key_id:
            raise ValueError("not signed by the key")
        signed, signature = body, whole[4:]
        if self.kind == _COSIGNED:
            seconds, signature = int.from_bytes(signature[:8], "big"), signature[8:]
            signed = f"cosignature/v1\ntime {seconds}\n{body}"
        if not ed25519(self.public, signed.encode(), signature):
            raise ValueError("the signature is wrong")
        _, size, root, *_ = body.split("\n")
        return int(size), plain(root)


def plain(text: str) -> bytes:
    """Base64 as it is written only one way. Raises ValueError."""
    try:
        found = b64decode(text, validate=True)
    except BadBase64:
        raise ValueError("not base64") from None
    if b64encode(found).decode() != text:
        raise ValueError("not base64")
    return found


# --- the tree (RFC 9162 §2.1) -----------------------------------------------------------------


def node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


class Tree:
    """Every whole subtree over the leaves, level by level."""

    def __init__(self, leaves: list[bytes]) -> None:
        self.levels = [leaves]
        while len(self.levels[-1]) > 1:
            below = self.levels[-1]
            pairs = zip(below[::2], below[1::2], strict=False)
            self.levels.append([sha256(b"\x01" + a + b).digest() for a, b in pairs])

    def root(self, size: int) -> bytes:
        """The root when the tree had this many leaves."""
        first, parts = 0, list[bytes]()
        while first < size:
            level = (size - first).bit_length() - 1
            parts.append(self.levels[level][first >> level])
            first += 1 << level
        if not parts:
            return sha256(b"").digest()
        whole = parts.pop()
        while parts:
            whole = node(parts.pop(), whole)
        return whole


def is_consistent(old: int, before: bytes, new: int, after: bytes, path: list[bytes]) -> bool:
    """Whether the path shows the old tree to be the beginning of the new one (§2.1.4.2)."""
    if not 0 < old < new or not path:
        return False
    hashes = [before, *path] if old & (old - 1) == 0 else path
    at, last = old - 1, new - 1
    while at % 2:
        at, last = at >> 1, last >> 1
    left = whole = hashes[0]
    for one in hashes[1:]:
        if last == 0:
            return False
        if at % 2 or at == last:
            left, whole = node(one, left), node(one, whole)
            while at and not at % 2:
                at, last = at >> 1, last >> 1
        else:
            whole = node(whole, one)
        at, last = at >> 1, last >> 1
    return last == 0 and (left, whole) == (before, after)


# --- lines ------------------------------------------------------------------------------------


@dataclass
class Part:
    """What a run of lines holds: the hashes of its leaves, and its other lines by number."""

    first: int = -1
    lines: int = 0
    hashes: bytearray = field(default_factory=bytearray)
    opened: int = 0
    others: list[tuple[int, int, bytes]] = field(default_factory=list)
    """Line, how many leaves stood before it in this part, and its bytes."""
    bad: str = ""
    """What is wrong with its last line, at which reading ended."""


def read_part(path: str, start: int, end: int) -> Part:
    """The lines from one byte to another, or to the first that is bad by itself."""
    part = Part()
    with open(path, "rb") as file:
        file.seek(start)
        try:
            # What stands at the very beginning of a file begins with the first leaf.
            _read(file, end - start, part, -1 if start == 0 else None)
        except Bad as bad:
            # Not raised: a line above it may show only against the tree that it is bad as well.
            part.bad = bad.said
    return part


def _read(file: BinaryIO, left: int, part: Part, number: int | None) -> None:
    for line in file:
        if left <= 0:
            return
        left -= len(line)
        part.lines += 1
        if not line.startswith(b"leaf\t"):
            if not line.startswith(_KINDS):
                raise Bad(part.lines, "no line of an export")
            part.others.append((part.lines, len(part.hashes) // 32, line))
            continue
        said, found, opened = _leaf(line, part.lines)
        if number is not None and said != number + 1:
            raise Bad(part.lines, f"leaf {said} stands where leaf {number + 1} should")
        if not part.hashes:
            part.first = said
        number = said
        part.hashes += found
        part.opened += opened


def _leaf(line: bytes, at: int) -> tuple[int, bytes, bool]:
    """A leaf's number and hash, and whether its effect was opened; recomputed from all parts."""
    parts = line[:-1].split(b"\t")
    if len(parts) != _LEAF_PARTS or line[-1:] != b"\n":
        raise Bad(at, "not a leaf line")
    number = parts[1]
    if not number.isdigit() or (number[:1] == b"0" and number != b"0"):
        raise Bad(at, "a leaf without its number")
    try:
        committed = _plain_hex(b"".join(parts[11:14]))
        opened = parts[14] != b"-" or parts[15] != b"-"
        if opened and sha256(_plain_hex(parts[14]) + parts[15]).digest() != committed[64:]:
            raise ValueError("its effect is not what it commits to")
        found = sha256(_content(parts, committed)).digest()
        if hexlify(found) != parts[2]:
            raise ValueError("it is not what its hash says")
    except ValueError as fault:
        raise Bad(at, f"leaf {int(number)}: {fault}") from None
    return int(number), found, opened


def _plain_hex(text: bytes) -> bytes:
    """Hexadecimal as it is written only one way. Raises ValueError."""
    found = unhexlify(text)
    if hexlify(found) != text:
        raise ValueError("not hexadecimal")
    return found


def _content(parts: list[bytes], committed: bytes) -> bytes:
    """What the hash of a leaf is made of. Raises ValueError."""
    if len(parts[11]) != 64 or len(parts[12]) != 64 or len(committed) != 96:
        raise ValueError("a commitment of another length")
    pieces = [_START]
    for one in parts[3:11]:
        pieces.append(len(one).to_bytes(4, "big"))
        pieces.append(one)
    pieces += (
        _COMMITMENT,
        committed[:32],
        _COMMITMENT,
        committed[32:64],
        _COMMITMENT,
        committed[64:],
    )
    return b"".join(pieces)


# --- the whole --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Verified:
    """What was verified."""

    key: str
    entries: int
    opened: int
    checkpoints: int
    cosignatures: int
    proofs: int
    unsigned: int
    """Leaves at the end that no checkpoint covers."""
    witnesses: dict[str, int]
    """The keys that cosigned, with the leaves that each covers."""
    root: str


def verify(path: str, key: str = "", witnesses: Sequence[str] = (), processes: int = 0) -> Verified:
    """Verify an export. Raises Bad, with the first line that is not as it was written."""
    try:
        parts = _parts(path, processes or min(os.cpu_count() or 1, 2))
        return _judged(parts, key, witnesses)
    except Bad:
        # A part counts its own lines, and which line is the first is known from the top only.
        return _judged([read_part(path, 0, os.path.getsize(path))], key, witnesses)


def _parts(path: str, processes: int) -> list[Part]:
    size = os.path.getsize(path)
    if size < _ONE_PROCESS or processes < 2:
        return [read_part(path, 0, size)]
    ends = [*_cuts(path, size, processes), size]
    starts = [0, *ends[:-1]]
    with ProcessPoolExecutor(processes) as pool:
        return list(pool.map(read_part, [path] * len(ends), starts, ends))


def _cuts(path: str, size: int, processes: int) -> Iterator[int]:
    """Where lines begin near the equal parts of a file."""
    with open(path, "rb") as file:
        for number in range(1, processes):
            file.seek(size * number // processes)
            file.readline()
            yield file.tell()


def _judged(parts: Sequence[Part], given: str, witnesses: Sequence[str]) -> Verified:
    others, leaves, lines = _joined(parts)
    header = others.pop(0) if others else (1, 0, b"")
    key, entries = _header(header, given)
    tree = Tree(leaves)
    found = _Others(key, tree, witnesses)
    for line, before, content in others:
        found.take(line, before, content)
    for part in parts:
        if part.bad:
            raise Bad(lines, part.bad)
    found.end()
    if len(leaves) != entries:
        raise Bad(lines, f"{len(leaves)} leaves, the header says {entries}")
    if witnesses and not found.witnesses:
        raise Bad(lines, "up to here no witness that was given has cosigned")
    return Verified(
        key=found.said_key,
        entries=entries,
        opened=sum(part.opened for part in parts),
        checkpoints=found.checkpoints,
        cosignatures=found.cosignatures,
        proofs=found.proofs,
        witnesses=found.witnesses,
        unsigned=entries - found.covered,
        root=tree.root(entries).hex(),
    )


def _joined(parts: Sequence[Part]) -> tuple[list[tuple[int, int, bytes]], list[bytes], int]:
    """Every other line with its number and the leaves before it; the leaves; the last line."""
    others, leaves, lines = [], list[bytes](), 0
    for part in parts:
        others += [(lines + at, len(leaves) + before, line) for at, before, line in part.others]
        if part.hashes and part.first != len(leaves):
            raise Bad(lines + 1, f"leaf {part.first} stands where leaf {len(leaves)} should")
        whole = bytes(part.hashes)
        leaves += [whole[at : at + 32] for at in range(0, len(whole), 32)]
        lines += part.lines
    return others, leaves, lines


def _header(header: tuple[int, int, bytes], given: str) -> tuple[Key, int]:
    line, _, content = header
    start, _, digest = content.rpartition(b"\t")
    if line != 1 or sha256(start).hexdigest().encode() + b"\n" != digest:
        raise Bad(1, "the header is not as it was written")
    kind, _, named = start.partition(b"\t")
    if kind != FORMAT:
        raise Bad(1, "an export of another kind")
    try:
        text, entries = named.decode().split("\t")
        key, count = Key.read(text), int(entries)
    except ValueError:
        raise Bad(1, "the header names no key") from None
    if given and text != given:
        raise Bad(1, "the header names another key than the one given")
    return key, count


class _Others:
    """Checkpoints, cosignatures and proofs against the tree that was recomputed."""

    def __init__(self, key: Key, tree: Tree, witnesses: Sequence[str]) -> None:
        self._key, self._tree, self._known = key, tree, witnesses
        self.witnesses: dict[str, int] = {}
        self._before = self.covered = 0  # sizes of the last two checkpoints
        self._unproved = 0  # the line of a checkpoint whose proof has not come yet
        self.checkpoints = self.cosignatures = self.proofs = 0

    @property
    def said_key(self) -> str:
        kind = b64encode(bytes([self._key.kind]) + self._key.public).decode()
        return f"{self._key.name}+{self._key.key_id.hex()}+{kind}"

    def take(self, line: int, before: int, content: bytes) -> None:
        """Raises Bad."""
        try:
            words = content.decode().split("\t")
            if not words[-1].endswith("\n"):
                raise ValueError("the line is cut short")
            words[-1] = words[-1][:-1]
            self._one(line, before, words)
        except (ValueError, IndexError) as fault:
            kind = content[:40].partition(b"\t")[0].decode(errors="replace")
            where = f"after leaf {before - 1}: " if before else ""
            raise Bad(line, f"{where}{kind!r} is not as it was written ({fault})") from None

    def end(self) -> None:
        """Nothing is missing behind the last checkpoint so far. Raises Bad."""
        if self._unproved:
            said = f"the checkpoint of {self.covered} leaves has no proof that it continues the one"
            raise Bad(self._unproved, f"{said} of {self._before}")

    def _one(self, line: int, before: int, words: list[str]) -> None:
        match words:
            case ["checkpoint", size, note]:
                self._checkpoint(line, before, size, note)
            case ["cosignature", size, key, note]:
                self._cosignature(before, size, key, note)
            case ["proof", old, new, path]:
                self._proof(old, new, path)
            case _:
                raise ValueError("no such line")

    def _checkpoint(self, line: int, before: int, said: str, note: str) -> None:
        self.end()
        self._signed(self._key, said, note, before)
        if self.checkpoints:
            if before == self.covered:
                raise ValueError("it stands here twice")
            self._unproved = line
        self._before, self.covered = self.covered, before
        self.checkpoints += 1

    def _cosignature(self, before: int, said: str, key: str, note: str) -> None:
        witness = Key.read(key)
        if witness.kind != _COSIGNED:
            raise ValueError("not a witness")
        if self._known and key not in self._known:
            raise ValueError(f"{key} is no witness that was given")
        if before != self.covered:
            raise ValueError(f"no checkpoint of {before} leaves stands before it")
        self._signed(witness, said, note, before)
        self.witnesses[key] = before
        self.cosignatures += 1

    def _signed(self, key: Key, said: str, note: str, before: int) -> None:
        if said != str(before):
            raise ValueError(f"it stands at {before} leaves")
        size, root = key.opened(plain(note).decode())
        if size != before:
            raise ValueError(f"it was signed at {size} leaves")
        if root != self._tree.root(size):
            raise ValueError(
                f"the leaves {self.covered} to {size - 1} are not those that were signed"
            )

    def _proof(self, old: str, new: str, path: str) -> None:
        if not self._unproved or (old, new) != (str(self._before), str(self.covered)):
            raise ValueError("no checkpoints of its sizes wait for it")
        hashes = [plain(one) for one in path.split(",")]
        before, after = self._tree.root(self._before), self._tree.root(self.covered)
        if not is_consistent(self._before, before, self.covered, after, hashes):
            raise ValueError("it proves nothing")
        self._unproved = 0
        self.proofs += 1


def run(
    path: str, key: str = "", witnesses: Sequence[str] = (), processes: int = 0
) -> tuple[int, str]:
    """Verify and say so in words: 0, or 1 with the first bad line."""
    try:
        found = verify(path, key, witnesses, processes)
    except Bad as bad:
        return 1, f"不符 BAD {Path(path).name} {bad}\n"
    compared = "" if witnesses else "; anybody may have made it: compare with --witness"
    said = (
        f"相符 GOOD {Path(path).name}\n"
        f"  key          {found.key}\n"
        f"  entries      {found.entries} ({found.opened} opened, "
        f"{found.unsigned} after the last checkpoint)\n"
        f"  checkpoints  {found.checkpoints} ({found.cosignatures} cosignatures)\n"
        f"  proofs       {found.proofs}\n"
    )
    for witness, covered in found.witnesses.items():
        said += f"  witness      {witness} (of {covered} entries{compared})\n"
    return 0, f"{said}  root         {found.root}\n"


def options(parser: argparse.ArgumentParser) -> None:
    """The keys that somebody was given, on the command line."""
    named = "NAME+ID+KEY"
    parser.add_argument("--key", default="", metavar=named, help="日志公钥 / the log's key")
    parser.add_argument(
        "--witness",
        action="append",
        default=[],
        metavar=named,
        help="副署方公钥，可多次 / the key of a witness, may be repeated",
    )


def main() -> int:
    """The command line of this file by itself."""
    parser = argparse.ArgumentParser(description="核对存证导出 / verify an evidence export")
    parser.add_argument("export")
    options(parser)
    given = parser.parse_args()
    code, said = run(given.export, given.key, given.witness)
    sys.stdout.write(said)
    return code


if __name__ == "__main__":
    sys.exit(main())
