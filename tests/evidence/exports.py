"""An export of made-up leaves, of any length, and what is done to one byte of it."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.evidence import export, tree
from gateway.evidence.leaf import Exchange, leaf_row, row_salt
from gateway.evidence.note import COSIGNED, Checkpoint, NoteSigner

LOG = NoteSigner("GATEWAY.999900.test/1", Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
WITNESS = NoteSigner("AGENCY", Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33))), COSIGNED)
EFFECT = (
    '[["settlement","insert",[{"amount_fen":%d,"detail":"%064x","settlement_id":"S%d"}]],'
    '["audit","insert",[{"action":"settlement.commit","code":"OK","seq":0,"subject":"医%d"}]]]'
)


def leaves(count: int) -> Iterator[dict[str, object]]:
    """Rows of the leaf table as a busy gateway writes them."""
    for number in range(count):
        exchange = Exchange(
            kind="message",
            tx_id=f"T{number:024X}",
            sender=f"H{number % 97:03}",
            receiver="GATEWAY.999900.test",
            message_id=f"20260302-{number:08}",
            received_us=1_772_409_600_000_000 + number,
            assurance="signed",
            signer=f"{number % 97:064x}",
            request=b"<Message/>",
            reply=b"<Message/>",
            effect=(EFFECT % (number, number, number, number)).encode(),
        )
        yield dict(leaf_row(exchange, row_salt()))


def write(path: Path, count: int, every: int) -> None:
    """An export of so many leaves with a checkpoint, a cosignature and a proof every so many."""
    hashes: list[bytes] = []
    tiles: dict[tree.Tile, bytes] = {}
    grown_to = last = 0
    with path.open("w", encoding="utf-8") as file:
        file.write(export.header_line(LOG.verifier.text, count))
        for number, row in enumerate(leaves(count), 1):
            file.write(export.leaf_line(number - 1, row))
            hashes.append(bytes(row["leaf_hash"]))  # type: ignore[call-overload]
            if number % every and number != count:
                continue
            tiles |= tree.grown(grown_to, tiles, hashes)
            grown_to, hashes = number, []
            at = Checkpoint(LOG.name, number, tree.root(number, tiles))
            file.write(export.checkpoint_line(number, LOG.note(at)))
            cosigned = f"{at.body}\n{WITNESS.cosignature(at, 1_772_409_600)}"
            file.write(export.cosignature_line(number, WITNESS.verifier.text, cosigned))
            if last:
                path_of = tree.proof(tree.consistency_spans(last, number), tiles)
                file.write(export.proof_line(last, number, path_of))
            last = number


@dataclass(frozen=True)
class Tampered:
    """One byte that is another now."""

    offset: int
    line: int
    """The line it is in, from 1."""


def tampered(content: bytearray, chance: random.Random) -> Tampered:
    """Change one byte anywhere to another value."""
    offset = chance.randrange(len(content))
    line = content.count(b"\n", 0, offset) + 1
    content[offset] ^= chance.randrange(1, 256)
    return Tampered(offset, line)
