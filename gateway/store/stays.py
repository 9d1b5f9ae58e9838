"""Stays with their bill, lines and case: everything a decision about them needs."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, or_, select

from gateway.domain.admission import AdmissionState, BillState, Stay
from gateway.domain.bill import BillLine
from gateway.domain.case import CaseFacts
from gateway.domain.party import Party
from gateway.store.cases import facts_of, subjects
from gateway.store.database import Reader
from gateway.store.rows import (
    admission_detail,
    case_of,
    cut,
    labelled,
    line_of,
    party_of,
    stay_of,
)
from gateway.store.tables import admission, bill_line, party, person, settlement, work_case
from gateway.store.unit import Guard

_UPLOAD_PAGE = 500


@dataclass(frozen=True, slots=True)
class StayFile:
    """A stay, the row it was read from, its hospital and its case."""

    stay: Stay
    row: dict[str, Any]
    hospital: Party
    case: CaseFacts | None
    person_version: int
    live_settlement: str

    @property
    def bill_state(self) -> BillState:
        return BillState(self.row["bill_state"])

    @property
    def guard(self) -> Guard:
        """The stay must still be as it was read."""
        key = {"admission_id": self.stay.admission_id}
        return Guard(admission, key, {"version": self.stay.version})

    @property
    def case_guards(self) -> tuple[Guard, ...]:
        """The case (or, while there is none, the person) must still be as it was read."""
        if self.case is None:
            key = {"person_id": self.stay.person_id}
            return (Guard(person, key, {"version": self.person_version}),)
        return (case_guard(self.case),)


def case_guard(case: CaseFacts) -> Guard:
    return Guard(work_case, {"case_no": case.case_no}, {"version": case.version})


async def stay_file(reader: Reader, admission_id: str) -> StayFile | None:
    """Everything about one stay but its lines, in two queries."""
    found = await _files(reader, admission.c.admission_id == admission_id)
    return found[0] if found else None


async def stays_of_person(reader: Reader, person_id: str) -> list[StayFile]:
    return await _files(reader, admission.c.person_id == person_id)


async def stays_of_case(reader: Reader, case_no: str) -> list[StayFile]:
    return await _files(reader, admission.c.case_no == case_no)


async def waiting_stays(reader: Reader) -> list[str]:
    """Stays whose registration or bill waits for something, for the sweep."""
    waiting = [AdmissionState.HELD.value, AdmissionState.PENDING_CHECK.value]
    query = select(admission.c.admission_id).where(
        or_(admission.c.bill_state == BillState.HELD.value, admission.c.state.in_(waiting))
    )
    return [row["admission_id"] for row in await reader.rows(query)]


async def live_visit(reader: Reader, hospital: str, visit_no: str) -> str | None:
    """The live registration of a visit, if any."""
    row = await reader.row(
        select(admission.c.admission_id).where(
            admission.c.hospital == hospital,
            admission.c.visit_no == visit_no,
            admission.c.live == 1,
        )
    )
    return None if row is None else str(row["admission_id"])


async def _files(reader: Reader, condition: Any) -> list[StayFile]:
    query = (
        select(
            *labelled(admission, "a"),
            *labelled(party, "p"),
            *labelled(work_case, "c"),
            person.c.card_lost.label("card_lost"),
            person.c.version.label("person_version"),
            settlement.c.settlement_id.label("live_settlement"),
        )
        .select_from(admission)
        .join(party, party.c.party_id == admission.c.hospital)
        .outerjoin(person, person.c.person_id == admission.c.person_id)
        .outerjoin(work_case, work_case.c.case_no == admission.c.case_no)
        .outerjoin(
            settlement,
            and_(settlement.c.admission_id == admission.c.admission_id, settlement.c.live == 1),
        )
        .where(condition)
        .order_by(admission.c.admission_id)
    )
    rows = await reader.rows(query)
    facts = await facts_of(reader, _subjects(rows)) if rows else ()
    return [_file(reader, row, facts) for row in rows]


def _subjects(rows: Iterable[dict[str, Any]]) -> set[str]:
    return {
        name
        for row in rows
        if row["c_case_no"] is not None
        for name in subjects(row["c_case_no"], row["c_employer_no"])
    }


def _file(reader: Reader, row: dict[str, Any], facts: Sequence[dict[str, Any]]) -> StayFile:
    own, hospital = cut(row, admission, "a"), cut(row, party, "p")
    if own is None or hospital is None:
        raise AssertionError("a stay without its row or hospital")
    found = cut(row, work_case, "c")
    return StayFile(
        stay=stay_of(reader.vault, own),
        row=own,
        hospital=party_of(hospital),
        case=None if found is None else _case(found, facts, bool(row["card_lost"])),
        person_version=row["person_version"] or 0,
        live_settlement=row["live_settlement"] or "",
    )


def _case(found: dict[str, Any], facts: Sequence[dict[str, Any]], card_lost: bool) -> CaseFacts:
    mine = subjects(found["case_no"], found["employer_no"])
    return case_of(found, [one for one in facts if one["subject"] in mine], card_lost=card_lost)


def detail_of(reader: Reader, file: StayFile) -> dict[str, Any]:
    """The personal part of the stay."""
    return admission_detail(reader.vault, file.row)


async def lines_of(reader: Reader, admission_id: str) -> tuple[BillLine, ...]:
    """Every kept line of the stay."""
    query = select(bill_line).where(bill_line.c.admission_id == admission_id)
    return tuple(line_of(row) for row in await reader.rows(query))


async def related_lines(
    reader: Reader, admission_id: str, line_ids: Iterable[str]
) -> dict[str, BillLine]:
    """The lines of these ids and the refunds of these ids, by id."""
    wanted = list(line_ids)
    query = select(bill_line).where(
        bill_line.c.admission_id == admission_id,
        or_(bill_line.c.line_id.in_(wanted), bill_line.c.refund_of.in_(wanted)),
    )
    return {row["line_id"]: line_of(row) for row in await reader.rows(query)}


async def lines_after(
    reader: Reader, admission_id: str, line_id: str
) -> tuple[tuple[BillLine, ...], bool]:
    """At most 500 lines after a line id, and whether there are more."""
    query = (
        select(bill_line)
        .where(bill_line.c.admission_id == admission_id, bill_line.c.line_id > line_id)
        .order_by(bill_line.c.line_id)
        .limit(_UPLOAD_PAGE + 1)
    )
    rows = await reader.rows(query)
    return tuple(line_of(row) for row in rows[:_UPLOAD_PAGE]), len(rows) > _UPLOAD_PAGE
