"""Settlements: one row each, reversals as negative rows, the decided lines in the detail."""

from collections.abc import Collection, Sequence
from datetime import date, timedelta
from typing import Any

import msgspec
from sqlalchemy import or_, select

from gateway.domain.split import Split
from gateway.store.database import Reader
from gateway.store.personal import Unopened
from gateway.store.tables import person, settlement

_PARTS = ("fund_fen", "employer_fen", "individual_fen", "hospital_fen", "other_fen")


def split_of(row: dict[str, Any]) -> Split:
    return Split(*(row[part] for part in _PARTS))


async def settlement_by_id(reader: Reader, settlement_id: str) -> dict[str, Any] | None:
    """The settlement's row with its detail (facts, verdict) as parsed JSON."""
    query = select(settlement).where(settlement.c.settlement_id == settlement_id)
    row = await reader.row(query)
    return None if row is None else settlement_of(reader, row)


async def kept_row(reader: Reader, settlement_id: str) -> dict[str, Any] | None:
    """The settlement's row as it is kept: see `settlement_of`."""
    return (await settlements_by_id(reader, [settlement_id])).get(settlement_id)


async def settlements_by_id(
    reader: Reader, settlement_ids: Collection[str]
) -> dict[str, dict[str, Any]]:
    """The rows of these settlements by their number, in one look, as they are kept: see
    `settlement_of`."""
    query = select(settlement).where(settlement.c.settlement_id.in_(settlement_ids))
    return {row["settlement_id"]: row for row in await reader.rows(query)}


def settlement_of(reader: Reader, row: dict[str, Any]) -> dict[str, Any]:
    """The settlement's row with its detail opened and parsed. Raises Unopened."""
    opened = reader.vault.open(settlement, row)
    if opened["detail"] is None:
        raise Unopened("there is no detail")
    return {**opened, "detail": msgspec.json.decode(opened["detail"])}


async def reversal_of(reader: Reader, settlement_id: str) -> dict[str, Any] | None:
    """The negative row that reverses a settlement, if any."""
    return await reader.row(select(settlement).where(settlement.c.reverses == settlement_id))


async def reinstating(reader: Reader, settlement_id: str) -> dict[str, Any] | None:
    """The row by which a settlement that was taken back is in force again, if any."""
    return await reader.row(select(settlement).where(settlement.c.reinstates == settlement_id))


async def deltas_of(reader: Reader, settlement_id: str) -> list[dict[str, Any]]:
    """Every delta posted to a settlement, each after the one it follows, with its detail; all
    of them are in force, or all were undone with the settlement."""
    return [settlement_of(reader, row) for row in await kept_deltas(reader, settlement_id)]


async def last_delta(reader: Reader, settlement_id: str) -> dict[str, Any] | None:
    """The last delta posted to a settlement, as it is kept; None where none was."""
    deltas = await kept_deltas(reader, settlement_id)
    return deltas[-1] if deltas else None


async def kept_deltas(reader: Reader, settlement_id: str) -> list[dict[str, Any]]:
    """The same rows as they are kept."""
    query = select(settlement).where(settlement.c.adjusts == settlement_id)
    by_place = {row["follows"]: row for row in await reader.rows(query)}
    found, place = [], settlement_id
    while place in by_place:
        found.append(by_place[place])
        place = by_place[place]["settlement_id"]
    return found


async def all_ids(reader: Reader) -> list[str]:
    """Every settlement and reversal of a person not purged since, for replaying."""
    here = settlement.c.record_key.is_not(None)
    query = select(settlement.c.settlement_id).where(here).order_by("settlement_id")
    return [row["settlement_id"] for row in await reader.rows(query)]


async def around_day(reader: Reader, hospital: str, day: date) -> Sequence[dict[str, Any]]:
    """The hospital's settlements and reversals from the day before to the day after,
    each with the person's identity number."""
    first, last = (day - timedelta(days=1)).isoformat(), (day + timedelta(days=1)).isoformat()
    return await _of_hospital(reader, hospital, settlement.c.business_day.between(first, last))


async def named(
    reader: Reader, hospital: str, settlement_ids: Collection[str]
) -> Sequence[dict[str, Any]]:
    """The hospital's settlements of these ids and the reversals of them, whatever their day,
    each with the person's identity number."""
    ids = sorted(settlement_ids)
    wanted = or_(settlement.c.settlement_id.in_(ids), settlement.c.reverses.in_(ids))
    return await _of_hospital(reader, hospital, wanted)


async def _of_hospital(reader: Reader, hospital: str, condition: Any) -> Sequence[dict[str, Any]]:
    query = select(settlement).where(settlement.c.hospital == hospital, condition)
    rows = await reader.rows(query.order_by(settlement.c.settlement_id))
    numbers = await _id_numbers(reader, {row["person_id"] for row in rows})
    return [{**row, "id_no": numbers.get(row["person_id"], "")} for row in rows]


async def _id_numbers(reader: Reader, person_ids: set[str]) -> dict[str, str]:
    if not person_ids:
        return {}
    here = person.c.record_key.is_not(None)
    query = select(person).where(person.c.person_id.in_(person_ids), here)
    found = await reader.opened(person, query)
    return {row["person_id"]: (row["id_no"] or b"").decode() for row in found}
