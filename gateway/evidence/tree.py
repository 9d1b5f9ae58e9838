"""The Merkle tree of the log (RFC 9162 §2.1), kept in tiles of 256 hashes (C2SP tlog-tiles).

A tile row holds every hash of one level out of eight; what lies between is computed from a
tile, so a checkpoint, a proof and an append each need a handful of tiles whatever the size.
"""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Final

HASH: Final = 32
_HEIGHT: Final = 8  # levels of a tile, as the tiles of other logs
WIDTH: Final = 1 << _HEIGHT
EMPTY_ROOT: Final = sha256(b"").digest()

Node = tuple[int, int]
"""A whole subtree: its level (0 is a leaf) and its place among those of the level."""
Span = tuple[int, int]
"""Leaves from the first to before the second."""
Tile = tuple[int, int]
"""A tile: its row (0 holds the leaves) and its place in the row."""
Tiles = Mapping[Tile, bytes]


def leaf_hash(leaf: bytes) -> bytes:
    """The hash of a leaf's exact bytes."""
    return sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of two subtrees that stand beside each other."""
    return sha256(b"\x01" + left + right).digest()


# --- which subtrees a proof is made of -------------------------------------------------------


def inclusion_spans(index: int, size: int) -> list[Span]:
    """The subtrees of the audit path of a leaf, the nearest first (RFC 9162 §2.1.3.1)."""
    if not 0 <= index < size:
        raise ValueError(f"leaf {index} is not in a tree of {size}")
    first, last, path = 0, size, list[Span]()
    while last - first > 1:
        middle = first + _left(last - first)
        if index < middle:
            path.append((middle, last))
            last = middle
        else:
            path.append((first, middle))
            first = middle
    return path[::-1]


def consistency_spans(old: int, new: int) -> list[Span]:
    """The subtrees that show the old tree to be the beginning of the new one (§2.1.4.1).

    Nothing is shown of an empty tree or of the same one.
    """
    if not 0 <= old <= new:
        raise ValueError(f"a tree of {old} is not the beginning of one of {new}")
    if old in (0, new):
        return []
    first, last, whole, path = 0, new, True, list[Span]()
    while old != last:
        middle = first + _left(last - first)
        if old <= middle:
            path.append((middle, last))
            last = middle
        else:
            path.append((first, middle))
            first, whole = middle, False
    return path[::-1] if whole else [(first, last), *path[::-1]]


def _left(size: int) -> int:
    """The largest power of two below the size."""
    return 1 << ((size - 1).bit_length() - 1)


def nodes(span: Span) -> list[Node]:
    """The whole subtrees a span consists of, from left to right."""
    first, last = span
    found = []
    while first < last:
        level = (last - first).bit_length() - 1
        found.append((level, first >> level))
        first += 1 << level
    return found


def tiles_of(spans: Iterable[Span]) -> set[Tile]:
    """The tiles in which the subtrees of the spans are found."""
    return {_tile(node)[0] for span in spans for node in nodes(span)}


def _tile(node: Node) -> tuple[Tile, int, int]:
    """The tile of a subtree, and from which to before which of its hashes it goes."""
    level, index = node
    row, above = divmod(level, _HEIGHT)
    first = index << above
    number, place = divmod(first, WIDTH)
    return (row, number), place, place + (1 << above)


# --- hashes ----------------------------------------------------------------------------------


def span_hash(span: Span, tiles: Tiles) -> bytes:
    """The hash of a span. LookupError when a tile is missing or too short."""
    parts = [_node(node, tiles) for node in nodes(span)]
    if not parts:
        return EMPTY_ROOT
    whole = parts.pop()
    while parts:
        whole = node_hash(parts.pop(), whole)
    return whole


def root(size: int, tiles: Tiles) -> bytes:
    """The root of the tree of this size."""
    return span_hash((0, size), tiles)


def proof(spans: Sequence[Span], tiles: Tiles) -> list[bytes]:
    """The hashes of a proof."""
    return [span_hash(span, tiles) for span in spans]


def _node(node: Node, tiles: Tiles) -> bytes:
    tile, first, last = _tile(node)
    row = tiles[tile]
    if len(row) < last * HASH:
        raise LookupError(f"tile {tile} ends before hash {last}")
    return whole_hash([row[at : at + HASH] for at in range(first * HASH, last * HASH, HASH)])


def whole_hash(row: list[bytes]) -> bytes:
    """The hash of a whole subtree over its hashes, a power of two of them."""
    while len(row) > 1:
        row = [node_hash(row[at], row[at + 1]) for at in range(0, len(row), 2)]
    return row[0]


# --- growing ---------------------------------------------------------------------------------


def last_tiles(size: int) -> list[Tile]:
    """The tiles at the edge of a tree of this size: all that an append has to know."""
    edge, row, count = list[Tile](), 0, size
    while count:
        if count % WIDTH:
            edge.append((row, count // WIDTH))
        row, count = row + 1, count // WIDTH
    return edge


def grown(size: int, tiles: Tiles, added: Sequence[bytes]) -> dict[Tile, bytes]:
    """The tiles that change when leaves (their hashes) are added to a tree of this size."""
    changed: dict[Tile, bytes] = {}
    row, count, new = 0, size, list(added)
    while new:
        full = []
        for number in range(count // WIDTH, (count + len(new) - 1) // WIDTH + 1):
            known = tiles.get((row, number), b"") if number == count // WIDTH else b""
            content = _filled(row, number, count, known, new)
            changed[row, number] = content
            if len(content) == WIDTH * HASH:
                full.append(whole_hash(_hashes(content)))
        row, count, new = row + 1, count // WIDTH, full
    return changed


def _filled(row: int, number: int, count: int, known: bytes, new: Sequence[bytes]) -> bytes:
    """A tile with what it held of `count` hashes of its row and what is new."""
    held = max(count - number * WIDTH, 0)
    if len(known) < held * HASH:
        raise LookupError(f"tile {(row, number)} ends before hash {held}")
    first = number * WIDTH + held - count
    more = new[first : first + WIDTH - held]
    return known[: held * HASH] + b"".join(more)


def _hashes(content: bytes) -> list[bytes]:
    return [content[at : at + HASH] for at in range(0, len(content), HASH)]
