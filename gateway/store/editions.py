"""Catalogue and policy editions, kept whole under their digest."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import select

from gateway.domain.catalogue import Edition
from gateway.store.database import Reader
from gateway.store.entered import InLeaf
from gateway.store.tables import audit, catalogue_edition, leaf, policy_edition
from gateway.store.unit import Guard

IN_FORCE = "policy.keep"
"""The act by which a policy comes in force."""
_HEAD = (
    catalogue_edition.c.digest,
    catalogue_edition.c.region,
    catalogue_edition.c.kind,
    catalogue_edition.c.valid_from,
    catalogue_edition.c.valid_to,
)


async def edition_heads(reader: Reader, region: str) -> Sequence[dict[str, Any]]:
    """Digest, kind and days of every edition of the region in force, without content; one
    that was corrected is none of them and stays under its digest for what it settled."""
    table = catalogue_edition
    query = select(*_HEAD).where(table.c.region == region, table.c.live == 1)
    return await reader.rows(query.order_by("kind", "valid_from"))


async def heads_of(reader: Reader, digests: Iterable[str]) -> Sequence[dict[str, Any]]:
    """The same of the editions of these digests that are in force."""
    table = catalogue_edition
    query = select(*_HEAD).where(table.c.digest.in_(list(digests)), table.c.live == 1)
    return await reader.rows(query.order_by("digest"))


async def edition_content(reader: Reader, digest: str) -> bytes:
    """The stored bytes of an edition. LookupError when it is not here."""
    query = select(catalogue_edition.c.content).where(catalogue_edition.c.digest == digest)
    row = await reader.row(query)
    if row is None:
        raise LookupError(digest)
    return bytes(row["content"])


async def edition_contents(reader: Reader, digests: Iterable[str]) -> dict[str, bytes]:
    """The stored bytes of several editions by digest."""
    table = catalogue_edition
    query = select(table.c.digest, table.c.content).where(table.c.digest.in_(list(digests)))
    return {row["digest"]: bytes(row["content"]) for row in await reader.rows(query)}


async def policy_content(reader: Reader, digest: str) -> bytes | None:
    query = select(policy_edition.c.content).where(policy_edition.c.digest == digest)
    row = await reader.row(query)
    return None if row is None else bytes(row["content"])


async def policy_in_force(reader: Reader) -> str:
    """The digest of the policy that was put in force last; "" before the first.

    The log tells what came after what, and of acts that have no number yet the order in which
    they were entered: the clock may have stepped back.
    """
    query = select(audit.c.subject).join(leaf, leaf.c.tx_id == audit.c.tx_id)
    place = leaf.c.leaf_index
    order = place.is_(None).desc(), place.desc(), InLeaf().desc()
    row = await reader.row(query.where(audit.c.action == IN_FORCE).order_by(*order).limit(1))
    return "" if row is None else str(row["subject"])


def edition_guard(edition: Edition) -> Guard:
    """The edition must still hold for the same days, and not be corrected."""
    values: dict[str, Any] = {
        "live": 1,
        "valid_from": edition.valid_from.isoformat(),
        "valid_to": None if edition.valid_to is None else edition.valid_to.isoformat(),
    }
    return Guard(catalogue_edition, {"digest": edition.digest}, values)
