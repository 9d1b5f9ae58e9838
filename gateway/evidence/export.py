"""An export of the log as plain lines, in the form that verify_log.py reads (and describes).

What salts open is the effect of each transaction: what was changed, personal values by digest.
Requests and replies are opened by those who have them, with the salts of their receipts.
"""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any, Final

from gateway.evidence.leaf import PARTS, TEXTS, salt_of
from gateway.evidence.note import base64
from gateway.evidence.verify_log import FORMAT

_CLOSED: Final = "-"


def header_line(key: str, entries: int) -> str:
    """The first line: the log's key, how many leaves follow, and the digest of this line."""
    start = f"{FORMAT.decode()}\t{key}\t{entries}"
    return f"{start}\t{sha256(start.encode()).hexdigest()}\n"


def leaf_line(number: int, row: Mapping[str, Any]) -> str:
    """A stored leaf as an entry; its salts and effect are in clear, or None when destroyed.

    Raises ValueError for a text that would not stand in a line.
    """
    texts = [str(row[name]) for name in TEXTS]
    commitments = [row[f"{part}_commitment"].hex() for part in PARTS]
    words = ["leaf", str(number), row["leaf_hash"].hex(), *texts, *commitments, *_effect(row)]
    line = "\t".join(words)
    if line.count("\t") != len(words) - 1 or "\n" in line:
        raise ValueError(f"leaf {number} has a text of several lines")
    return f"{line}\n"


def _effect(row: Mapping[str, Any]) -> tuple[str, str]:
    if not row["salts"] or not row["effect"]:
        return _CLOSED, _CLOSED
    return salt_of(row["salts"], "effect").hex(), row["effect"].decode()


def checkpoint_line(size: int, note: str) -> str:
    return f"checkpoint\t{size}\t{base64(note.encode())}\n"


def cosignature_line(size: int, witness: str, note: str) -> str:
    return f"cosignature\t{size}\t{witness}\t{base64(note.encode())}\n"


def proof_line(old: int, new: int, path: Sequence[bytes]) -> str:
    return f"proof\t{old}\t{new}\t{','.join(map(base64, path))}\n"
