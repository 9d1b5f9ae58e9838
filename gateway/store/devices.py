"""Assistive devices that a person was supplied with before 辅助器具: the lives still running."""

from collections import defaultdict
from collections.abc import Collection
from datetime import date
from typing import Any

from sqlalchemy import select

from gateway.domain.bill import SuppliedDevice
from gateway.store.database import Reader
from gateway.store.frozen import thawed_facts, thawed_verdict
from gateway.store.standing import standing_rows
from gateway.store.stays import StayFile
from gateway.store.tables import bill_line, person, settlement
from gateway.store.unit import Change


async def devices_supplied(
    reader: Reader, person_id: str, codes: Collection[str], admission_id: str
) -> tuple[SuppliedDevice, ...]:
    """Devices of these codes in the person's other settlements, as far as the fund, or the
    employer by law in its place, still pays for them by what stands of each, deltas included.

    A change of any of them moves the version of its stay, which the decision guards.
    """
    if not codes:
        return ()
    holding = select(bill_line.c.admission_id).where(bill_line.c.code.in_(list(codes)))
    rows = await standing_rows(
        reader,
        settlement.c.person_id == person_id,
        settlement.c.admission_id != admission_id,
        settlement.c.admission_id.in_(holding),
    )
    return tuple(
        SuppliedDevice(code, day, row["number"])
        for row in rows
        for code, day in _paid(row["detail"], codes)
    )


def _paid(detail: dict[str, Any], codes: Collection[str]) -> list[tuple[str, date]]:
    """Codes and days of the lines that the fund, or the employer by law in its place, still
    bears a part of, refunds taken off."""
    lines = {line.line_id: line for line in thawed_facts(detail).lines}
    verdicts = thawed_verdict(detail).lines
    by_law = {one.line_id for one in verdicts if one.by_law}
    borne: dict[tuple[str, date], int] = defaultdict(int)
    for verdict in verdicts:
        line, split = lines[verdict.line_id], verdict.split
        original = lines[line.refund_of] if line.refund_of else line
        in_place_fen = split.employer_fen if original.line_id in by_law else 0
        if original.code in codes:
            borne[original.code, original.service_day] += split.fund_fen + in_place_fen
    return sorted(key for key, fen in borne.items() if fen > 0)


def device_moves(file: StayFile) -> tuple[Change, ...]:
    """The person's version moves with each settled device: of two for one person, settled at
    two institutions at once, the second sees the first."""
    where = {"person_id": file.stay.person_id, "version": file.person_version}
    return (Change(person, where, {"version": file.person_version + 1}),)
