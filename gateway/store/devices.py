"""Assistive devices that the fund paid for a person before 辅助器具: the lives still running."""

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
    """Devices of these codes in the person's other settlements, as far as the fund still pays for
    them by what stands of each, deltas included.

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
    """Codes and days of the lines that the fund still bears a part of, refunds taken off."""
    lines = {line.line_id: line for line in thawed_facts(detail).lines}
    fund: dict[tuple[str, date], int] = defaultdict(int)
    for verdict in thawed_verdict(detail).lines:
        line = lines[verdict.line_id]
        original = lines[line.refund_of] if line.refund_of else line
        if original.code in codes:
            fund[original.code, original.service_day] += verdict.split.fund_fen
    return sorted(key for key, fen in fund.items() if fen > 0)


def device_moves(file: StayFile) -> tuple[Change, ...]:
    """The person's version moves with each settled device: of two for one person, settled at
    two institutions at once, the second sees the first."""
    where = {"person_id": file.stay.person_id, "version": file.person_version}
    return (Change(person, where, {"version": file.person_version + 1}),)
