"""Receipts: what was promised by a signed reply, proved after commit (protocol §5).

A receipt is no part of the reply: it holds the leaf, the salts that open request and reply, the
audit path to a checkpoint, and that this checkpoint continues one the asker knew.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from gateway.evidence.leaf import Exchange, leaf_bytes
from gateway.evidence.note import base64, tlog_proof
from gateway.evidence.tree import consistency_spans, inclusion_spans, proof, tiles_of
from gateway.flows.desk import Desk
from gateway.flows.identify import connected
from gateway.store import log as rows
from gateway.store.database import Reader
from gateway.store.log import Signed
from gateway.store.registry import mandates_of

_SALT: Final = 32  # bytes of a salt, as evidence/leaf.py makes them
_FORM: Final = "gs-receipt-1"
_EXCHANGED: Final = tuple(
    name for name in Exchange.__slots__ if name not in ("request", "reply", "effect")
)


class NoReceipt(Exception):
    """There is none for the asker; unknown and forbidden are answered alike."""


class NotYet(Exception):
    """The transaction is committed and no checkpoint covers it yet."""


@dataclass(frozen=True, slots=True)
class Proved:
    """A message's leaf with its place in the log that has it."""

    row: Mapping[str, Any]
    origin: Mapping[str, Any]
    number: int
    signed: Signed


async def may_ask(desk: Desk, tls_fingerprint: str, sender: str) -> bool:
    """Whether the connection is the sender's own, or a carrier's with a mandate for it today."""
    async with desk.database.reading() as reader:
        key = await connected(reader, tls_fingerprint)
        if key is None:
            return False
        if key.party_id == sender:
            return True
        mandates = await mandates_of(reader, key.party_id)
    return any(
        hospital == sender and one.allows("transaction.query", desk.today)
        for hospital, one in mandates
    )


async def proved(desk: Desk, sender: str, message_id: str) -> Proved:
    """The stored message's leaf and the checkpoint over it. Raises NoReceipt and NotYet."""
    async with desk.database.reading() as reader:
        row = await rows.leaf_of_message(reader, sender, message_id)
        if row is None:
            raise NoReceipt(message_id)
        if row["leaf_index"] is None:
            raise NotYet(message_id)
        origins = await rows.origins(reader)
        origin = [one for one in origins if one["first_index"] <= row["leaf_index"]][-1]
        number = row["leaf_index"] - origin["first_index"]
        signed = await rows.last_signed(reader, origin["log"])
    if signed is None or signed.size <= number:
        raise NotYet(message_id)
    return Proved(row, origin, number, signed)


async def receipt(desk: Desk, found: Proved, known: str) -> dict[str, Any]:
    """The receipt as its parts; `known` is a checkpoint that the asker has, or ""."""
    row, log = found.row, found.origin["log"]
    committed = [row[f"{name}_commitment"] for name in ("request", "reply", "effect")]
    exchange = Exchange(**{name: row[name] for name in _EXCHANGED})
    async with desk.database.reading() as reader:
        spans = inclusion_spans(found.number, found.signed.size)
        path = proof(spans, await rows.tiles(reader, log, tiles_of(spans)))
        continued = await _continued(reader, found, known)
    return {
        "form": _FORM,
        "leaf": base64(leaf_bytes(exchange, committed)),
        "salts": _salts(row),
        "proof": tlog_proof(found.number, path, found.signed.note),
        "consistency": continued,
    }


def _salts(row: Mapping[str, Any]) -> dict[str, str]:
    """What opens the exact bytes of request and reply; the effect tells of others too."""
    salts = bytes(row["salts"])
    return {"request": base64(salts[:_SALT]), "reply": base64(salts[_SALT : _SALT + _SALT])}


async def _continued(reader: Reader, found: Proved, known: str) -> dict[str, Any] | None:
    """That the checkpoint continues the one the asker knew of this log."""
    name, _, rest = known.partition("\n")
    said = rest.partition("\n")[0]
    if name != found.origin["origin"] or not said.isdecimal():
        return None
    old = int(said)
    if not 0 < old <= found.signed.size:
        return None
    spans = consistency_spans(old, found.signed.size)
    tiles = await rows.tiles(reader, found.origin["log"], tiles_of(spans))
    return {"from": old, "hashes": [base64(one) for one in proof(spans, tiles)]}
