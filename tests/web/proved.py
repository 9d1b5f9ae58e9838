"""A receipt as a stranger reads it, who has the log's key and the bytes it speaks of."""

from base64 import b64decode
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from gateway.evidence import tree
from gateway.evidence.note import Checkpoint, Verifier
from tests.evidence.proofs import is_consistent, root_from_inclusion
from tests.flows.office import Office


@dataclass(frozen=True)
class Opened:
    """A receipt whose checkpoint was verified with the log's key."""

    found: dict[str, Any]
    log: Verifier
    index: int
    path: list[bytes]
    at: Checkpoint

    @property
    def in_log(self) -> bool:
        """Whether the audit path leads from the leaf to the signed root."""
        leaf = tree.leaf_hash(b64decode(self.found["leaf"]))
        return root_from_inclusion(leaf, self.index, self.at.size, self.path) == self.at.root

    def commits_to(self, **said: bytes) -> bool:
        """Whether the leaf commits to exactly these bytes, each opened by its salt."""
        leaf = b64decode(self.found["leaf"])
        salts = {name: b64decode(salt) for name, salt in self.found["salts"].items()}
        return all(sha256(salts[name] + content).digest() in leaf for name, content in said.items())

    def continues(self, known: str) -> bool:
        """Whether the checkpoint continues this one."""
        before, told = self.log.checkpoint(known), self.found["consistency"]
        hashes = [b64decode(one) for one in told["hashes"]]
        return told["from"] == before.size and is_consistent(
            before.size, before.root, self.at.size, self.at.root, hashes
        )


def opened(office: Office, found: dict[str, Any]) -> Opened:
    """Read the proof (C2SP tlog-proof) and verify its checkpoint."""
    head, _, note = found["proof"].partition("\n\n")
    first, index, *path = head.split("\n")
    assert (found["form"], first) == ("gs-receipt-1", "c2sp.org/tlog-proof@v1")
    # What the log's owner publishes is all that the stranger has of it.
    log = Verifier.read(office.desk.log.signer.named(note.partition("\n")[0]).verifier.text)
    number = int(index.removeprefix("index "))
    return Opened(found, log, number, [b64decode(one) for one in path], log.checkpoint(note))


def proves(office: Office, found: dict[str, Any], **said: bytes) -> bool:
    """Whether these bytes are in the log."""
    read = opened(office, found)
    return read.in_log and read.commits_to(**said)
