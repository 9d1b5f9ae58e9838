"""What belongs to a person: every dealing, and every record whose key has to go with them."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Table, and_, false, func, or_, select

from gateway.domain.admission import AdmissionState, BillState
from gateway.domain.case import CaseState
from gateway.domain.cut import CutState
from gateway.store.data_keys import SEALED, Place, keyset
from gateway.store.database import Reader
from gateway.store.deliveries import WAITING
from gateway.store.jobs import OPEN
from gateway.store.personal import Unopened
from gateway.store.tables import (
    admission,
    application,
    application_answer,
    audit,
    cut,
    leaf,
    message,
    outbox,
    person,
    person_index,
    purge,
    readjudication,
    reconcile_run,
    release_job,
    settlement,
    work_case,
)
from gateway.store.unit import Row

_LIVE_CASES: Final = (
    CaseState.REPORTED,
    CaseState.APPLIED,
    CaseState.SUPPLEMENTING,
    CaseState.ACCEPTED,
    CaseState.SUSPENDED,
)
_GONE: Final = (AdmissionState.REFUSED, AdmissionState.CANCELLED)
_CLOSED_CUTS: Final = (CutState.UPHELD, CutState.WITHDRAWN)
_TOLD_AT: Final = {
    message: message.c.received_us,
    leaf: leaf.c.received_us,
    audit: audit.c.at_us,
    outbox: outbox.c.created_us,
    reconcile_run: reconcile_run.c.at_us,
}
"""Tables whose bytes may name anybody, each with when its rows were written."""


@dataclass(frozen=True, slots=True)
class Dealings:
    """The ids of everything the gateway did for one person."""

    person_id: str
    cases: frozenset[str]
    stays: frozenset[str]
    settlements: frozenset[str]
    applications: frozenset[str]
    others: frozenset[str]
    transactions: frozenset[str] = frozenset()

    @property
    def subjects(self) -> frozenset[str]:
        return (
            frozenset({self.person_id})
            | (self.cases | self.stays | self.settlements)
            | (self.applications | self.others)
        )


async def dealings_of(reader: Reader, person_id: str) -> Dealings:
    """Everything that hangs on the person, and the transactions that spoke of it."""
    cases = await _ids(reader, work_case.c.case_no, work_case.c.person_id == person_id)
    stays = await _ids(reader, admission.c.admission_id, admission.c.person_id == person_id)
    bills = await _ids(reader, settlement.c.settlement_id, settlement.c.person_id == person_id)
    asked = or_(application.c.case_no.in_(cases), application.c.admission_id.in_(stays))
    wanted = await _ids(reader, application.c.application_id, asked)
    cuts = await _ids(reader, cut.c.cut_no, cut.c.admission_id.in_(stays))
    again = readjudication.c.admission_id.in_(stays)
    proposals = await _ids(reader, readjudication.c.proposal_id, again)
    found = Dealings(person_id, cases, stays, bills, wanted, cuts | proposals)
    told = [
        await _ids(reader, table.c.tx_id, table.c.subject.in_(found.subjects))
        for table in (message, audit, outbox)
    ]
    spoken = frozenset[str]().union(*told)
    return Dealings(person_id, cases, stays, bills, wanted, cuts | proposals, spoken)


async def _ids(
    reader: Reader, column: ColumnElement[str], where: ColumnElement[bool]
) -> frozenset[str]:
    rows = await reader.rows(select(column.label("id")).where(where).distinct())
    return frozenset(row["id"] for row in rows)


async def open_dealings(reader: Reader, of: Dealings) -> list[str]:
    """What is not at its end yet, each by its id."""
    unanswered = (
        ~select(application_answer.c.application_id)
        .where(application_answer.c.application_id == application.c.application_id)
        .exists()
    )
    billed = and_(admission.c.bill_state == BillState.OPEN, admission.c.state.not_in(_GONE))
    waiting = admission.c.bill_state.in_((BillState.HELD, BillState.MANUAL))
    unposted = cut.c.posted_fen != cut.c.upheld_fen
    asked = (
        (
            work_case.c.case_no,
            work_case.c.case_no.in_(of.cases),
            work_case.c.state.in_(_LIVE_CASES),
        ),
        (admission.c.admission_id, admission.c.admission_id.in_(of.stays), or_(billed, waiting)),
        (
            cut.c.cut_no,
            cut.c.admission_id.in_(of.stays),
            or_(cut.c.state.not_in(_CLOSED_CUTS), unposted),
        ),
        (
            readjudication.c.proposal_id,
            readjudication.c.admission_id.in_(of.stays),
            readjudication.c.open.is_not(None),
        ),
        (
            release_job.c.job_id,
            release_job.c.admission_id.in_(of.stays),
            release_job.c.state == OPEN,
        ),
        (outbox.c.message_id, outbox.c.subject.in_(of.subjects), outbox.c.state == WAITING),
        (
            application.c.application_id,
            application.c.application_id.in_(of.applications),
            unanswered,
        ),
    )
    found = [await _ids(reader, column, and_(mine, still)) for column, mine, still in asked]
    return sorted(frozenset[str]().union(*found))


async def last_dealt_us(reader: Reader, of: Dealings) -> int:
    """When the gateway last did anything about the person; 0 for never."""
    query = select(func.max(audit.c.at_us).label("at_us")).where(
        audit.c.subject.in_(of.subjects), audit.c.action.not_in(_LOOKED_AT)
    )
    row = await reader.row(query)
    return int(row["at_us"] or 0) if row else 0


_LOOKED_AT: Final = (
    *("person.read", "case.query", "transaction.query", "record.read", "person.find"),
    *("fees.query", "settlement.preview", "cut.query", "approval.query", "inbox.pull"),
)
"""To have been looked up is no dealing: it keeps nobody's record longer."""


async def records_of(reader: Reader, of: Dealings) -> AsyncIterator[tuple[Table, Sequence[Row]]]:
    """The person's own rows by table, the person left out: key and wrapped record key."""
    for table in SEALED:
        where = _belongs(table, of)
        query = keyset(table).where(where, table.c.record_key.is_not(None))
        rows = await reader.rows(query)
        if rows:
            yield table, rows


def _belongs(table: Table, of: Dealings) -> ColumnElement[bool]:
    owned: Mapping[Table, ColumnElement[bool]] = {
        work_case: work_case.c.case_no.in_(of.cases),
        admission: admission.c.admission_id.in_(of.stays),
        settlement: settlement.c.settlement_id.in_(of.settlements),
        cut: cut.c.admission_id.in_(of.stays),
        readjudication: readjudication.c.admission_id.in_(of.stays),
        application: application.c.application_id.in_(of.applications),
        application_answer: application_answer.c.application_id.in_(of.applications),
    }
    if table is leaf:
        # An outgoing message's own leaf bears the id of the message, and its receipt's tells it.
        sent = select(outbox.c.message_id).where(outbox.c.tx_id.in_(of.transactions))
        receipts = and_(leaf.c.kind == "delivery", leaf.c.message_id.in_(sent))
        return or_(leaf.c.tx_id.in_(of.transactions), leaf.c.tx_id.in_(sent), receipts)
    if table in (message, audit, outbox):
        return table.c.tx_id.in_(of.transactions)
    return owned.get(table, false())


async def naming(
    reader: Reader, table: Table, numbers: Sequence[bytes], until_us: int, after: Place, limit: int
) -> tuple[Place, list[Row]]:
    """The next rows written by then that say one of the numbers, and where the look came to;
    nowhere at the end."""
    query = keyset(table, after, limit).add_columns(*_said(table))
    rows = await reader.rows(
        query.where(_TOLD_AT[table] <= until_us, table.c.record_key.is_not(None))
    )
    place = tuple(rows[-1][name] for name in table.info["row_key"]) if rows else ()
    return place, [row for row in rows if _says(reader, table, row, numbers)]


SAYING: Final[tuple[Table, ...]] = tuple(_TOLD_AT)


def _said(table: Table) -> Iterable[Any]:
    return [table.c[name] for name in table.info["personal"]]


def _says(reader: Reader, table: Table, row: Row, numbers: Sequence[bytes]) -> bool:
    with suppress(Unopened):
        opened = reader.vault.open(table, row)
        words = [opened[name].upper() for name in table.info["personal"] if opened[name]]
        return any(number in word for word in words for number in numbers)
    return False


async def purge_by_id(reader: Reader, purge_id: str) -> dict[str, Any] | None:
    return await reader.row(select(purge).where(purge.c.purge_id == purge_id))


async def person_row(reader: Reader, person_id: str) -> dict[str, Any] | None:
    """The person as kept, unless purged or never there."""
    return await reader.row(
        select(person).where(person.c.person_id == person_id, person.c.record_key.is_not(None))
    )


async def tags_of(reader: Reader, person_id: str) -> Sequence[dict[str, Any]]:
    """The person's look-up tags, as keys of their rows."""
    columns = (person_index.c.key_id, person_index.c.tag)
    return await reader.rows(select(*columns).where(person_index.c.person_id == person_id))
