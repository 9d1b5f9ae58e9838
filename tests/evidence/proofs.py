"""What a stranger does with a proof: the other half of `gateway.evidence.tree` (RFC 9162 §2.1)."""

from collections.abc import Sequence

from gateway.evidence import verify_log
from gateway.evidence.tree import node_hash


def root_from_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """The root that the audit path of a leaf's hash leads to; None for a path of another
    length (RFC 9162 §2.1.3.2)."""
    if not 0 <= index < size:
        return None
    at, last, found = index, size - 1, leaf
    for one in path:
        if last == 0:
            return None
        if at % 2 or at == last:
            found = node_hash(one, found)
            while at and not at % 2:
                at, last = at >> 1, last >> 1
        else:
            found = node_hash(found, one)
        at, last = at >> 1, last >> 1
    return found if last == 0 else None


def is_consistent(
    old: int, old_root: bytes, new: int, new_root: bytes, path: Sequence[bytes]
) -> bool:
    """Whether the path shows the old tree to be the beginning of the new one, by the script that
    strangers run; it is asked of two trees, and here a tree may be empty or the same."""
    if old in (0, new):
        return not path and (old == 0 or old_root == new_root)
    return verify_log.is_consistent(old, old_root, new, new_root, list(path))
