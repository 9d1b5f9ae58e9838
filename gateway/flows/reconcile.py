"""reconcile.totals and reconcile.details: a hospital's day compared with ours (对账).

Totals can agree while details do not: a digest over the rows is compared as well.
The latest run of a day counts; earlier runs stay as they were.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from gateway.domain.codes import Outcome
from gateway.domain.commands import ReconcileDetails, ReconcileTotals
from gateway.domain.findings import Finding
from gateway.domain.results import DetailsCompared, Result, TotalsCompared
from gateway.domain.split import total
from gateway.flows.desk import Caller, Desk, new_id
from gateway.flows.plan import Act, Plan, refused
from gateway.rules.reconcile import CentreRow, Row, compare_details, compare_totals, detail_digest
from gateway.store import tables
from gateway.store.frozen import plain
from gateway.store.rows import canonical
from gateway.store.settlements import around_day, named, split_of
from gateway.store.unit import Insert


async def reconcile_totals(desk: Desk, caller: Caller, command: ReconcileTotals) -> Plan:
    """Count, signed sums and detail digest of the day, ours beside the hospital's."""
    if command.day >= desk.today:
        return refused(Finding("DAY_NOT_OVER", "Day", command.day.isoformat()))
    rows = [row for row in await _rows(desk, caller, command.day) if row.day == command.day]
    ours = ReconcileTotals(
        day=command.day,
        count=len(rows),
        split=total([row.split for row in rows]),
        meal_fen=sum(row.meal_fen for row in rows),
        detail_digest=detail_digest(rows),
    )
    differing = compare_totals(ours, command)
    result = TotalsCompared(
        day=command.day,
        matched=not differing,
        count=ours.count,
        split=ours.split,
        meal_fen=ours.meal_fen,
        detail_digest=ours.detail_digest,
        differing=tuple(differing),
    )
    detail = {"hospital": plain(command), "centre": plain(ours), "differing": list(differing)}
    return _run(desk, caller, command.day, "totals", result, len(differing), detail)


async def reconcile_details(desk: Desk, caller: Caller, command: ReconcileDetails) -> Plan:
    """Every difference of the day with its class, both values, cause and who acts."""
    if command.day >= desk.today:
        return refused(Finding("DAY_NOT_OVER", "Day", command.day.isoformat()))
    centre = await _rows(desk, caller, command.day)
    both: list[Row] = [*command.rows, *centre]
    reversed_ids = {row.settlement_id for row in both if row.reversed}
    compared = [*centre, *await _named(desk, caller, reversed_ids)]
    matched, differences = compare_details(command.rows, compared, command.day)
    result = DetailsCompared(day=command.day, matched=matched, differences=differences)
    detail = {
        "hospital": [plain(row) for row in command.rows],
        "centre": [plain(row) for row in centre],
        "differences": [plain(one) for one in differences],
    }
    return _run(desk, caller, command.day, "details", result, len(differences), detail)


async def _rows(desk: Desk, caller: Caller, day: date) -> Sequence[CentreRow]:
    async with desk.database.reading() as reader:
        rows = await around_day(reader, caller.party_id, day)
    return [centre_row(row) for row in rows]


async def _named(desk: Desk, caller: Caller, settlement_ids: set[str]) -> Sequence[CentreRow]:
    """What reversals speak of, however old: else either side's reversal would stand alone."""
    async with desk.database.reading() as reader:
        rows = await named(reader, caller.party_id, settlement_ids)
    return [centre_row(row) for row in rows]


def centre_row(row: Mapping[str, Any]) -> CentreRow:
    """Our row of a settlement, or of its reversal under the number it reverses."""
    return CentreRow(
        settlement_id=row["reverses"] or row["settlement_id"],
        day=date.fromisoformat(row["business_day"]),
        id_no=row["id_no"],
        reversed=row["reverses"] is not None,
        split=split_of(dict(row)),
        meal_fen=row["meal_fen"],
    )


def _run(
    desk: Desk,
    caller: Caller,
    day: date,
    kind: str,
    result: Result,
    differences: int,
    detail: Mapping[str, Any],
) -> Plan:
    """The answer, and the run kept for the agency's report."""
    row = {
        "run_id": new_id("C"),
        "hospital": caller.party_id,
        "day": day.isoformat(),
        "kind": kind,
        "at_us": desk.now_us,
        "matched": int(differences == 0),
        "differences": differences,
        "detail": canonical(detail),
    }
    act = Act(action=f"reconcile.{kind}", subject=caller.party_id, code=day.isoformat())
    return Plan(
        outcome=Outcome.ANSWERED,
        code="OK",
        result=result,
        subject=caller.party_id,
        writes=(Insert(tables.reconcile_run, [row]),),
        acts=(act,),
    )
