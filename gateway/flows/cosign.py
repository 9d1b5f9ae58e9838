"""The agency as witness: it asks for the log's head with a proof, and signs what it verified.

An agency that cosigned a checkpoint has seen that the log only grew; whoever rewrites the log
later needs the agency as well (protocol §5, C2SP tlog-witness and tlog-cosignature).
"""

from contextlib import suppress
from datetime import timedelta
from typing import Final

from gateway.clock import instant
from gateway.domain.party import PartyKind
from gateway.evidence.note import BadNote, base64, stamped
from gateway.evidence.tree import consistency_spans, proof
from gateway.flows.desk import Desk
from gateway.flows.identify import connected
from gateway.flows.log import spans_read
from gateway.store import log as rows
from gateway.store import tables
from gateway.store.registry import party_by_id
from gateway.store.unit import Insert, KeyTaken

_SECOND_US: Final = 1_000_000  # microseconds of a second
_SKEW: Final = timedelta(minutes=5)  # the clocks of two machines


class NotCosigned(Exception):
    """The cosignature was not taken."""


async def is_witness(desk: Desk, tls_fingerprint: str) -> bool:
    """Whether the connection is the agency's own."""
    async with desk.database.reading() as reader:
        key = await connected(reader, tls_fingerprint)
        if key is None:
            return False
        party = await party_by_id(reader, key.party_id)
    return party is not None and party.kind is PartyKind.AGENCY


async def to_cosign(desk: Desk, since: int) -> str:
    """The last checkpoint with the proof that it continues the one of this size (0: none), as a
    witness takes it: the old size, the hashes, and after a blank line the note. "" while there
    is no checkpoint, or none as large."""
    async with desk.database.reading() as reader:
        head = await rows.head(reader)
        last = await rows.last_signed(reader, head.log) if head else None
        if head is None or last is None or not 0 <= since <= last.size:
            return ""
        spans = consistency_spans(since, last.size)
        path = proof(spans, await spans_read(reader, head.log, spans))
    return "\n".join([f"old {since}", *map(base64, path)]) + f"\n\n{last.note}"


async def take_cosignature(desk: Desk, note: str) -> int:
    """Keep the witness's line under a checkpoint of ours; the size it saw. Raises NotCosigned."""
    witness = desk.log.witness
    if witness is None:
        raise NotCosigned("no witness is known")
    try:
        seen = witness.checkpoint(note)
        line = f"{note.splitlines()[-1]}\n"
        seconds = stamped(line)
    except BadNote as bad:
        raise NotCosigned(str(bad)) from None
    if instant(seconds * _SECOND_US) > desk.clock.now() + _SKEW:
        raise NotCosigned("its time has not come")
    async with desk.database.reading() as reader:
        head = await rows.head(reader)
        signed = await rows.signed_at(reader, head.log, seen.size) if head else None
    if signed is None or not signed.note.startswith(f"{seen.body}\n"):
        raise NotCosigned("no checkpoint of ours")
    row = {
        "log": signed.log,
        "size": seen.size,
        "witness": witness.text,
        "line": line,
        "at_us": seconds * _SECOND_US,
    }
    # The same checkpoint cosigned twice is as good as once.
    with suppress(KeyTaken):
        await desk.log.commit(Insert(tables.cosignature, [row]))
    return seen.size
