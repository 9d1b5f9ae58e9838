"""Receipts: what was promised by a signed reply, proved after commit (protocol §5).

A receipt is no part of the reply: it holds the leaf, the salts that open request and reply, the
audit path to a checkpoint, and that this checkpoint continues one the asker knew.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

from gateway.evidence.leaf import salt_of, stored_bytes
from gateway.evidence.note import base64, tlog_proof
from gateway.evidence.tree import consistency_spans, inclusion_spans, span_hash, tiles_of
from gateway.flows.desk import Desk
from gateway.flows.identify import connected
from gateway.flows.off_loop import off_loop
from gateway.store import log as rows
from gateway.store.database import Reader
from gateway.store.log import Signed
from gateway.store.registry import mandates_of

_FORM: Final = "gs-receipt-1"
LONGEST: Final = 4608
"""Bytes of a receipt that goes beside something else: 6 KiB in base64, which every client takes
in one header. A log of a billion leaves needs four thousand."""


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
        covered = await _covered(reader, [row])
    if not covered:
        raise NotYet(message_id)
    return covered[0]


async def _covered(reader: Reader, leaves: Sequence[Mapping[str, Any]]) -> list[Proved]:
    """Those of the leaves that a signed checkpoint covers, each with the last one of its log."""
    numbered = [row for row in leaves if row["leaf_index"] is not None]
    if not numbered:
        return []
    origins = await rows.origins(reader)
    placed = [(row, _origin(origins, row["leaf_index"])) for row in numbered]
    logs = sorted({origin["log"] for _, origin in placed})
    signed = {log: await rows.last_signed(reader, log) for log in logs}
    return [
        Proved(row, origin, row["leaf_index"] - origin["first_index"], last)
        for row, origin in placed
        if (last := signed[origin["log"]]) is not None
        and row["leaf_index"] < origin["first_index"] + last.size
    ]


def _origin(origins: Sequence[Mapping[str, Any]], index: int) -> Mapping[str, Any]:
    """The log that has the leaf of this number among all."""
    return [one for one in origins if one["first_index"] <= index][-1]


async def receipt(desk: Desk, found: Proved, known: str) -> bytes:
    """The receipt as it is told; `known` is a checkpoint that the asker has, or ""."""
    async with desk.database.reading() as reader:
        (told,) = await _told(reader, [found], known)
    return told


async def of_outgoing(desk: Desk, message_ids: Sequence[str], known: str) -> dict[str, bytes]:
    """The receipts of messages that the gateway sealed, by id: of those that a signed checkpoint
    covers, and none that is too long. Nothing is asked while there cannot be any."""
    if not message_ids or not desk.log.published:
        return {}
    async with desk.database.reading() as reader:
        found = await _covered(reader, await rows.sealing_leaves(reader, message_ids))
        told = dict[str, bytes]()
        for log in {one.signed.log for one in found}:
            those = [one for one in found if one.signed.log == log]
            ids = [one.row["message_id"] for one in those]
            told |= zip(ids, await _told(reader, those, known), strict=True)
    return {name: one for name, one in told.items() if len(one) <= LONGEST}


async def _told(reader: Reader, found: Sequence[Proved], known: str) -> list[bytes]:
    """The receipts of leaves of one log, in their order."""
    log, last = found[0].origin["log"], found[0].signed
    old = _size(known, found[0])
    since = consistency_spans(old, last.size)
    paths = [inclusion_spans(one.number, last.size) for one in found]
    tiles = await rows.tiles(reader, log, tiles_of(chain(since, *paths)))

    def told() -> list[bytes]:
        # Leaves beside each other share most of their paths.
        hashes = {span: span_hash(span, tiles) for span in {*since, *chain(*paths)}}
        shown = [base64(hashes[span]) for span in since]
        continued = {"from": old, "hashes": shown} if old else None
        return [
            _receipt(one, [hashes[span] for span in path], continued)
            for one, path in zip(found, paths, strict=True)
        ]

    return await off_loop(sum(map(len, tiles.values())), told)


def _size(known: str, found: Proved) -> int:
    """The size at which the asker knew this log; 0 for another log, or a size it never had."""
    name, _, rest = known.partition("\n")
    said = rest.partition("\n")[0]
    if name != found.origin["origin"] or not said.isdecimal():
        return 0
    return int(said) if int(said) <= found.signed.size else 0


def _receipt(found: Proved, path: list[bytes], continued: Mapping[str, Any] | None) -> bytes:
    parts = {
        "form": _FORM,
        "leaf": base64(stored_bytes(found.row)),
        "salts": _salts(found.row),
        "proof": tlog_proof(found.number, path, found.signed.note),
        "consistency": continued,
    }
    return json.dumps(parts).encode()


def _salts(row: Mapping[str, Any]) -> dict[str, str]:
    """What opens the exact bytes of request and reply; the effect tells of others too."""
    salts = bytes(row["salts"])
    return {part: base64(salt_of(salts, part)) for part in ("request", "reply")}
