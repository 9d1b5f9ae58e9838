"""Stays with their bill, lines and case: everything a decision about them needs."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import Executable, and_, bindparam, exists, or_, select, union

from gateway.domain.admission import AdmissionState, BillState, HoldReason, Stay
from gateway.domain.bill import BillLine
from gateway.domain.case import CaseFacts
from gateway.domain.party import Party
from gateway.store.among import Among, among
from gateway.store.cases import FACTS_OF_CASE, ORDER_OF_FACTS, with_facts, with_other_employers
from gateway.store.database import Reader
from gateway.store.rows import (
    LINE_COLUMNS,
    admission_detail,
    case_of,
    cut,
    days_of,
    labelled,
    line_of,
    party_of,
    stay_of,
)
from gateway.store.settlements import settlement_of
from gateway.store.standing import LAST, LAST_COLUMNS, itself, last_row
from gateway.store.tables import (
    admission,
    bill_line,
    case_fact,
    party,
    person,
    readjudication,
    settlement,
    work_case,
)
from gateway.store.unit import Guard, Row

_UPLOAD_PAGE = 500


_DELTA: Final = settlement.alias("delta")
_FILES: Final = (
    select(
        *labelled(admission, "a"),
        *labelled(party, "p"),
        *labelled(work_case, "c"),
        *labelled(case_fact, "f"),
        person.c.card_lost.label("card_lost"),
        person.c.version.label("person_version"),
        *LAST_COLUMNS,
        or_(
            exists().where(readjudication.c.admission_id == admission.c.admission_id),
            exists().where(
                _DELTA.c.admission_id == admission.c.admission_id, _DELTA.c.adjusts.is_not(None)
            ),
        ).label("readjudicated"),
    )
    .select_from(admission)
    .join(party, party.c.party_id == admission.c.hospital)
    .outerjoin(person, person.c.person_id == admission.c.person_id)
    .outerjoin(work_case, work_case.c.case_no == admission.c.case_no)
    .outerjoin(case_fact, FACTS_OF_CASE)
    .outerjoin(LAST, and_(LAST.c.admission_id == admission.c.admission_id, last_row(LAST)))
    .order_by(admission.c.admission_id, *ORDER_OF_FACTS)
    .where(admission.c.record_key.is_not(None))
)
"""Stays with hospital, case, facts of the case and what stands of the settlement: a row per
fact."""

_JOINED: Final = settlement.alias("joined")
_JOINED_COLUMNS: Final = [column.label(f"j_{column.name}") for column in _JOINED.columns]


@dataclass(frozen=True, slots=True)
class StayFile:
    """A stay, the row it was read from, its hospital and its case."""

    stay: Stay
    row: dict[str, Any]
    hospital: Party
    case: CaseFacts | None
    person_version: int
    live_settlement: str
    standing_meal_days: frozenset[date]
    """The days of the meal allowance by the settlement in force and its deltas."""
    readjudicated: bool
    """Whether anything was ever proposed of a settlement of the stay, or posted to one."""

    @property
    def bill_state(self) -> BillState:
        return BillState(self.row["bill_state"])

    def unseen_with(self, settlement_id: str) -> str:
        """What the person's other settlements have to look at, with those of before that nobody
        looked at yet."""
        return f"{self.row['unseen']} {settlement_id}".strip()

    @property
    def guard(self) -> Guard:
        """The stay must still be as it was read."""
        return stay_guard(self.stay)

    @property
    def person_guard(self) -> Guard:
        """The person must still be as it was read: each registration moves it."""
        key = {"person_id": self.stay.person_id}
        return Guard(person, key, {"version": self.person_version})

    @property
    def case_guards(self) -> tuple[Guard, ...]:
        """The case (or, while there is none, the person) must still be as it was read."""
        if self.case is None:
            return (self.person_guard,)
        return (case_guard(self.case),)


def stay_guard(stay: Stay) -> Guard:
    return Guard(admission, {"admission_id": stay.admission_id}, {"version": stay.version})


def case_guard(case: CaseFacts) -> Guard:
    return Guard(work_case, {"case_no": case.case_no}, {"version": case.version})


_FILE: Final = _FILES.where(admission.c.admission_id == bindparam("admission_id"))
_OF_PERSON: Final = _FILES.where(admission.c.person_id == bindparam("person_id"))


async def stay_file(reader: Reader, admission_id: str) -> StayFile | None:
    """Everything about one stay but its lines."""
    found = await _files(reader, _FILE, {"admission_id": admission_id})
    return found[0] if found else None


async def stay_and_settlement(
    reader: Reader, admission_id: str, *, reversed_by: str = ""
) -> tuple[StayFile, dict[str, Any] | None] | None:
    """A stay with its live settlement, or with the one that the reversal named took back."""
    reversal = select(settlement.c.reverses).where(settlement.c.settlement_id == reversed_by)
    taken_back = _JOINED.c.settlement_id == reversal.scalar_subquery()
    wanted = taken_back if reversed_by else itself(_JOINED)
    query = (
        _FILES.where(admission.c.admission_id == admission_id)
        .outerjoin(_JOINED, and_(_JOINED.c.admission_id == admission.c.admission_id, wanted))
        .add_columns(*_JOINED_COLUMNS)
    )
    rows = await reader.rows(query)
    return await _with_settlement(reader, rows) if rows else None


async def stay_of_settlement(
    reader: Reader, settlement_id: str
) -> tuple[StayFile, dict[str, Any]] | None:
    """A settlement with its stay."""
    query = (
        _FILES.where(_JOINED.c.settlement_id == settlement_id)
        .join(_JOINED, _JOINED.c.admission_id == admission.c.admission_id)
        .add_columns(*_JOINED_COLUMNS)
    )
    rows = await reader.rows(query)
    if not rows:
        return None
    file, found = await _with_settlement(reader, rows)
    return (file, found) if found is not None else None


async def _with_settlement(
    reader: Reader, rows: Sequence[dict[str, Any]]
) -> tuple[StayFile, dict[str, Any] | None]:
    grouped = await with_other_employers(reader, with_facts(rows, "a_admission_id"))
    ((row, facts),) = grouped
    found = cut(row, settlement, "j")
    return _file(reader, row, facts), None if found is None else settlement_of(reader, found)


async def stays_of_person(reader: Reader, person_id: str) -> list[StayFile]:
    return await _files(reader, _OF_PERSON, {"person_id": person_id})


async def stays_of_cases(reader: Reader, case_nos: Iterable[str]) -> list[StayFile]:
    return await _files(reader, _FILES.where(admission.c.case_no.in_(list(case_nos))))


async def stays_held_for(reader: Reader, reason: HoldReason) -> list[StayFile]:
    """Stays whose bill waits for this reason."""
    held = admission.c.bill_state == BillState.HELD.value
    return await _files(reader, _FILES.where(held, admission.c.hold_reason == reason.value))


async def waiting_stays(reader: Reader) -> list[str]:
    """Stays whose registration or bill waits for something, for the sweep."""
    waiting = [AdmissionState.HELD.value, AdmissionState.PENDING_CHECK.value]
    query = select(admission.c.admission_id).where(
        or_(admission.c.bill_state == BillState.HELD.value, admission.c.state.in_(waiting))
    )
    return [row["admission_id"] for row in await reader.rows(query.order_by("admission_id"))]


# Not put in order by the store: it would go through every stay in that order.
_UNSEEN: Final = select(admission.c.admission_id).where(admission.c.unseen > "")


async def stays_unseen(reader: Reader) -> list[str]:
    """Stays with a settlement taken back, or in force again, that the person's other settlements
    have not seen yet."""
    return sorted([row["admission_id"] for row in await reader.rows(_UNSEEN, {})])


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


async def _files(reader: Reader, query: Executable, given: Row | None = None) -> list[StayFile]:
    rows = await reader.rows(query, given)
    found = await with_other_employers(reader, with_facts(rows, "a_admission_id"))
    return [_file(reader, row, facts) for row, facts in found]


def _file(reader: Reader, row: dict[str, Any], facts: Sequence[dict[str, Any]]) -> StayFile:
    own, hospital = cut(row, admission, "a"), cut(row, party, "p")
    if own is None or hospital is None:
        raise AssertionError("a stay without its row or hospital")
    found = cut(row, work_case, "c")
    return StayFile(
        stay=stay_of(reader.vault, own),
        row=own,
        hospital=party_of(hospital),
        case=None
        if found is None
        else case_of(reader.vault, found, facts, card_lost=bool(row["card_lost"])),
        person_version=row["person_version"] or 0,
        live_settlement=row["live_settlement"] or "",
        standing_meal_days=days_of(row["standing_meal_days"] or ""),
        readjudicated=bool(row["readjudicated"]),
    )


def detail_of(reader: Reader, file: StayFile) -> dict[str, Any]:
    """The personal part of the stay."""
    return admission_detail(reader.vault, file.row)


_OWN_LINES: Final = select(*[bill_line.c[name] for name in LINE_COLUMNS[1:]]).where(
    bill_line.c.admission_id == bindparam("admission_id")
)
_LINES: Final = _OWN_LINES.order_by(bill_line.c.line_id)
_AFTER: Final = _LINES.where(bill_line.c.line_id > bindparam("line_id")).limit(_UPLOAD_PAGE + 1)
_RELATED: Final = union(
    _OWN_LINES.where(Among(bill_line.c.line_id, "line_ids")),
    _OWN_LINES.where(bill_line.c.refund_of > "", Among(bill_line.c.refund_of, "line_ids")),
)
"""Each half by its own index."""


async def lines_of(reader: Reader, admission_id: str) -> tuple[BillLine, ...]:
    """Every kept line of the stay, by line id."""
    return await _lines(reader, _LINES, {"admission_id": admission_id})


async def related_lines(
    reader: Reader, admission_id: str, line_ids: Iterable[str]
) -> dict[str, BillLine]:
    """The lines of these ids and the refunds of these ids, by id."""
    given = {"admission_id": admission_id, "line_ids": among(line_ids)}
    return {line.line_id: line for line in await _lines(reader, _RELATED, given)}


async def lines_after(
    reader: Reader, admission_id: str, line_id: str
) -> tuple[tuple[BillLine, ...], bool]:
    """At most 500 lines after a line id, and whether there are more."""
    found = await _lines(reader, _AFTER, {"admission_id": admission_id, "line_id": line_id})
    return found[:_UPLOAD_PAGE], len(found) > _UPLOAD_PAGE


async def _lines(reader: Reader, query: Executable, given: Row) -> tuple[BillLine, ...]:
    """Found lines, of which every column but the stay's is asked."""
    return tuple(map(line_of, await reader.values(query, given)))
