"""Proposals of re-adjudication 重审建议: what a correction would change, and who decided."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import select

from gateway.domain.readjudication import ProposalState
from gateway.store.database import Reader
from gateway.store.tables import readjudication


async def proposal_by_id(reader: Reader, proposal_id: str) -> dict[str, Any] | None:
    """The proposal with its detail (facts and verdict, as of a settlement) as parsed JSON."""
    query = select(readjudication).where(readjudication.c.proposal_id == proposal_id)
    found = await reader.opened(readjudication, query)
    return _told(dict(found[0])) if found else None


def _told(row: dict[str, Any]) -> dict[str, Any]:
    reason = row["reason"] or b""
    text = reason.decode() if isinstance(reason, bytes) else reason
    return {**row, "detail": msgspec.json.decode(row["detail"]), "reason": text}


async def open_proposals(reader: Reader, settlement_id: str) -> Sequence[dict[str, Any]]:
    """What is proposed of a settlement and not decided yet, without detail."""
    query = select(readjudication).where(
        readjudication.c.settlement_id == settlement_id, readjudication.c.open == 1
    )
    return await reader.rows(query.order_by("proposal_id"))


async def kept_proposals(reader: Reader, follows: str, outcome: str) -> Sequence[dict[str, Any]]:
    """The proposal of this very change on this very basis, unless it went stale."""
    query = select(readjudication).where(
        readjudication.c.follows == follows,
        readjudication.c.outcome == outcome,
        readjudication.c.kept == 1,
    )
    return await reader.rows(query)


async def rejected_before(reader: Reader, row: Mapping[str, Any]) -> list[str]:
    """The earlier proposals of the same settlement that a person rejected."""
    table = readjudication.c
    query = select(table.proposal_id).where(
        table.settlement_id == row["settlement_id"],
        table.state == ProposalState.REJECTED.value,
        table.proposed_us < row["proposed_us"],
    )
    return [one["proposal_id"] for one in await reader.rows(query.order_by("proposal_id"))]


async def proposals(reader: Reader, state: str | None) -> Sequence[dict[str, Any]]:
    """Every proposal in one state, or in any, oldest first, without detail."""
    query = select(readjudication)
    if state is not None:
        query = query.where(readjudication.c.state == state)
    return await reader.rows(query.order_by("proposed_us", "proposal_id"))
