"""`gateway sheet`, `gateway cuts`, `gateway reconciliation`: reports written to a file, server
running or not.

A report holds personal data: the file is for its owner alone, and stands whole or not at all.
"""

import asyncio
import sys
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final, TypeVar

from gateway.clock import at_business, instant, micros
from gateway.domain.commands import HospitalRow
from gateway.domain.masks import mask_card, mask_id, mask_name
from gateway.domain.results import Difference
from gateway.domain.split import Split
from gateway.reports.cuts import cuts_workbook
from gateway.reports.reconciliation import (
    BookRow,
    BookTotals,
    DayReport,
    ToldDifference,
    reconciliation_workbook,
)
from gateway.reports.sheet import Sheet, SheetLine, settlement_sheet
from gateway.reports.typeface import UnusableFont
from gateway.rules.reconcile import DIFFERENCE_KINDS, CentreRow, compare_details
from gateway.settings import Settings
from gateway.store.cases import case_detail
from gateway.store.cuts import cuts_between, cuts_of_stay
from gateway.store.database import Reader
from gateway.store.frozen import restored
from gateway.store.persons import person_by_id
from gateway.store.reconciliations import latest_runs
from gateway.store.registry import parties, party_by_id
from gateway.store.settlements import reversal_of
from gateway.verbs.own_file import own_file
from gateway.verbs.stored import NotTold, StoredBill, looking, message_of, stored_bill

WRITTEN: Final = 0
NOT_WRITTEN: Final = 1
_Row = TypeVar("_Row", HospitalRow, CentreRow)


def write_sheet(settings: Settings, settlement_id: str, out: Path) -> int:
    """Write the settlement sheet of one settlement or reversal as PDF to `out`.

    The exit code is 0, or 1 with a sentence on standard error; then `out` is as it was.
    """

    async def made() -> bytes:
        async with looking(settings) as reader:
            sheet = await _sheet(settings, reader, await stored_bill(reader, settlement_id))
        return settlement_sheet(sheet, settings.sheet_font)

    return _written(made, out)


def write_reconciliation(settings: Settings, day: str, out: Path) -> int:
    """Write the latest comparison of every hospital for the day (YYYY-MM-DD) as XLSX to `out`.

    The exit code is 0, or 1 with a sentence on standard error; then `out` is as it was.
    """

    async def made() -> bytes:
        wanted = _day(day)
        async with looking(settings) as reader:
            reports = await _reports(reader, wanted)
        if not reports:
            raise NotTold(f"{wanted} 没有对账记录", f"nothing was reconciled for {wanted}")
        return reconciliation_workbook(reports, max(one.compared_at for one in reports))

    return _written(made, out)


def write_cuts(settings: Settings, first: date, last: date, hospital: str, out: Path) -> int:
    """Write the cuts raised from the first to the last day, of one hospital or of all, as XLSX.

    The exit code is 0, or 1 with a sentence on standard error; then `out` is as it was.
    """

    async def made() -> bytes:
        span = micros(at_business(first)), micros(at_business(last + timedelta(days=1)))
        async with looking(settings) as reader:
            found = await cuts_between(reader, *span, hospital)
        if not found:
            raise NotTold(f"{first} – {last} 没有扣减", f"no cut was raised from {first} to {last}")
        return cuts_workbook(found, first, last)

    return _written(made, out)


def _written(made: Callable[[], Coroutine[Any, Any, bytes]], out: Path) -> int:
    try:
        content = asyncio.run(made())
        with own_file(out) as file:
            file.write(content)
    except (NotTold, UnusableFont) as told:
        sys.stderr.write(f"{told}\n")
        return NOT_WRITTEN
    except OSError as error:
        sys.stderr.write(f"无法写入 {out} / cannot write {out}: {error.strerror}\n")
        return NOT_WRITTEN
    return WRITTEN


# --- the settlement sheet --------------------------------------------------------------------


async def _sheet(settings: Settings, reader: Reader, bill: StoredBill) -> Sheet:
    facts = bill.facts
    person = await person_by_id(reader, facts.stay.person_id)
    if person is None:
        raise NotTold("没有这名职工的资料", "the worker's record is not here")
    agency = await party_by_id(reader, settings.agency_id)
    detail = await case_detail(reader, bill.row["case_no"])
    # A delta falls with the settlement it adjusts.
    reversal = await reversal_of(reader, bill.adjusts or bill.settlement_id)
    return Sheet(
        settlement=message_of(bill),
        hospital_name=facts.hospital.name,
        hospital_level=facts.hospital.level,
        agency_name=agency.name if agency else settings.agency_id,
        person_name=mask_name(person.name),
        id_no_masked=mask_id(person.id_no),
        card_no_masked=mask_card(person.card_no),
        employer_name=detail.get("employer_name", ""),
        liable_employer_name=detail.get("employers", {}).get(bill.verdict.liable_employer, ""),
        injured_on=facts.case.injured_on if facts.case else None,
        injured_parts=detail.get("injured_parts", ""),
        diagnoses=facts.stay.diagnoses,
        treatment=facts.stay.treatment,
        signer=settings.receiver,
        lines=sheet_lines(bill),
        message_id=bill.row["message_id"],
        reversed_by=reversal["settlement_id"] if reversal else "",
        cuts=tuple(await cuts_of_stay(reader, facts.stay.admission_id)),
    )


def sheet_lines(bill: StoredBill) -> tuple[SheetLine, ...]:
    """The lines in the order they were decided, each refund after its original."""
    charged = {line.line_id: line for line in bill.facts.lines}
    return tuple(SheetLine(charged[one.line_id], one) for one in bill.verdict.lines)


# --- the reconciliation ----------------------------------------------------------------------


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise NotTold("日期须写作 YYYY-MM-DD", "the day must be written YYYY-MM-DD") from None


async def _reports(reader: Reader, day: date) -> list[DayReport]:
    runs = await latest_runs(reader, day.isoformat())
    names = {party.party_id: party.name for party in await parties(reader)}
    by_hospital: dict[str, dict[str, Mapping[str, Any]]] = {}
    for run in runs:
        by_hospital.setdefault(run["hospital"], {})[run["kind"]] = run
    return [
        day_report(hospital, names.get(hospital, ""), day, kinds)
        for hospital, kinds in by_hospital.items()
    ]


def day_report(
    hospital: str, name: str, day: date, runs: Mapping[str, Mapping[str, Any]]
) -> DayReport:
    """One hospital's day from its latest runs of totals and details, either of which may lack."""
    totals = runs["totals"]["detail"] if "totals" in runs else None
    details = runs["details"]["detail"] if "details" in runs else None
    theirs = _rows(HospitalRow, details["hospital"]) if details else []
    ours = _rows(CentreRow, details["centre"]) if details else []
    found = [restored(Difference, one) for one in details["differences"]] if details else []
    return DayReport(
        hospital=hospital,
        hospital_name=name,
        day=day,
        compared_at=instant(max(run["at_us"] for run in runs.values())),
        theirs=_totals(totals["hospital"]) if totals else None,
        ours=_totals(totals["centre"]) if totals else None,
        differing=tuple(totals["differing"]) if totals else (),
        matched_rows=compare_details(theirs, ours, day)[0] if details else None,
        differences=tuple(_told(one) for one in found),
        rows=tuple(_book(day, theirs, ours)),
    )


def _rows(kind: type[_Row], data: Iterable[Mapping[str, Any]]) -> list[_Row]:
    return [restored(kind, {**row, "split": Split(*row["split"])}) for row in data]


def _totals(data: Mapping[str, Any]) -> BookTotals:
    return BookTotals(
        count=data["count"],
        split=Split(*data["split"]),
        meal_fen=data["meal_fen"],
        detail_digest=data["detail_digest"],
    )


def _told(one: Difference) -> ToldDifference:
    kind = DIFFERENCE_KINDS[one.kind]
    return ToldDifference(
        kind=one.kind,
        settlement_id=one.settlement_id,
        field=one.field,
        hospital_value=one.hospital_value,
        centre_value=one.centre_value,
        **kind._asdict(),
    )


def _book(day: date, theirs: Sequence[HospitalRow], ours: Sequence[CentreRow]) -> Iterator[BookRow]:
    """Both books of the day; of our neighbouring days, only what the hospital booked on it."""
    booked = {(row.settlement_id, row.reversed) for row in theirs}
    yield from (_book_row(row, hospital_side=True) for row in theirs)
    for row in ours:
        if row.day == day or (row.settlement_id, row.reversed) in booked:
            yield _book_row(row, hospital_side=False)


def _book_row(row: HospitalRow | CentreRow, *, hospital_side: bool) -> BookRow:
    return BookRow(
        hospital_side=hospital_side,
        settlement_id=row.settlement_id,
        day=row.day,
        reversed=row.reversed,
        id_no_masked=mask_id(row.id_no),
        split=row.split,
        meal_fen=row.meal_fen,
    )
