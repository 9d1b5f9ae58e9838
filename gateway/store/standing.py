"""现行结算 What stands: of each settlement in force, the last of its own row and its deltas.

`live` numbers the rows of a settlement in force: 1 is the settlement itself, each delta has the
next number, and what was taken back has none. The last row holds the facts, verdict, meal days and
editions that hold now. Nobody else reads `live` or the meal days of a row: whoever asked for 1
alone would read what a delta has changed since (tests/tidy/standing.py).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, NamedTuple, TypeAlias

from sqlalchemy import ColumnElement, FromClause, Select, and_, exists, false, func, or_, select

from gateway.clock import at_business, micros
from gateway.domain.readjudication import Cause
from gateway.store.database import Reader
from gateway.store.readjudications import open_proposals
from gateway.store.rows import days_of
from gateway.store.settlements import deltas_of, settlement_of
from gateway.store.tables import (
    admission,
    bill_line,
    catalogue_edition,
    readjudication,
    settlement,
)

UNDOABLE: Final = "SETTLED"
"""A filed settlement is no longer undone by its hospital: the agency adjusts."""

Condition: TypeAlias = ColumnElement[bool]
"""Which settlements are meant, for whoever only hands it on."""

_ITSELF: Final = 1
SUMMED: Final = (
    *("total_fen", "fund_fen", "employer_fen", "individual_fen", "hospital_fen", "other_fen"),
    "meal_fen",
)
"""The amounts that a settlement and its deltas have together."""
_LATEST: Final = ("rules_version", "policy_digest", "edition_digests", "meal_days", "detail")


@dataclass(frozen=True, slots=True)
class Standing:
    """A settlement, its deltas in order, and what is proposed of it and not decided yet."""

    original: dict[str, Any]
    deltas: Sequence[dict[str, Any]]
    proposals: Sequence[dict[str, Any]]

    @property
    def last(self) -> dict[str, Any]:
        """The row whose facts and verdict hold now."""
        return self.deltas[-1] if self.deltas else self.original

    @property
    def meal_days(self) -> frozenset[date]:
        """The days of the meal allowance that hold now."""
        return days_of(self.last["meal_days"])

    @property
    def undoable(self) -> bool:
        """Whether neither the settlement nor a delta of it was filed."""
        return all(row["state"] == UNDOABLE for row in (self.original, *self.deltas))

    @property
    def next_place(self) -> int:
        """The number in force of the next delta."""
        return _ITSELF + len(self.deltas) + 1

    @property
    def whole(self) -> dict[str, Any]:
        """The settlement as if settled once: amounts of all rows together, facts, verdict and
        editions of the last."""
        rows = (self.original, *self.deltas)
        sums = {name: sum(row[name] for row in rows) for name in SUMMED}
        return {**self.original, **sums, **{name: self.last[name] for name in _LATEST}}


async def standing(reader: Reader, original: dict[str, Any]) -> Standing:
    """The settlement with what was posted to it and what is proposed of it; of one taken back,
    as it stood."""
    number = original["settlement_id"]
    return Standing(original, await deltas_of(reader, number), await open_proposals(reader, number))


def itself(rows: FromClause) -> ColumnElement[bool]:
    """Whether a row of `settlement` is a settlement in force, not a delta of one: to count
    settlements and to name them, never to read what they say."""
    return rows.c.live == _ITSELF


def in_force(row: dict[str, Any]) -> bool:
    """The same of a row at hand."""
    return bool(row["live"] == _ITSELF)


def last_row(rows: FromClause) -> ColumnElement[bool]:
    """Whether a row of `settlement` is the last of its stay: the one that holds now."""
    later = settlement.alias()
    last = select(func.max(later.c.live)).where(later.c.admission_id == rows.c.admission_id)
    return rows.c.live == last.correlate(rows).scalar_subquery()


def number_of(rows: FromClause) -> ColumnElement[str]:
    """The number of the settlement that a row is of, be the row itself a delta."""
    return func.coalesce(rows.c.adjusts, rows.c.settlement_id)


LAST: Final = settlement.alias("last")
LAST_COLUMNS: Final = (
    number_of(LAST).label("live_settlement"),
    LAST.c.meal_days.label("standing_meal_days"),
)
"""What a stay tells of its settlement where it is joined with the last row of it."""


async def standing_rows(reader: Reader, *conditions: Condition) -> list[dict[str, Any]]:
    """The rows that hold now and meet the conditions, with their detail, each with the number of
    its settlement as `number`."""
    number = number_of(settlement).label("number")
    here = settlement.c.record_key.is_not(None)
    query = select(settlement, number).where(last_row(settlement), here, *conditions)
    return [settlement_of(reader, row) for row in await reader.rows(query.order_by("number"))]


async def standing_row(reader: Reader, number: str) -> dict[str, Any] | None:
    """The row that holds now of the settlement of this number, as it is kept, be the person
    purged: see `settlement_of`. None unless it is in force."""
    own = or_(settlement.c.settlement_id == number, settlement.c.adjusts == number)
    return await reader.row(select(settlement).where(last_row(settlement), own))


class Reach(NamedTuple):
    """How many settlements in force something new reaches, and the first and last day on which
    they were booked, as text."""

    settlements: int = 0
    first: str = ""
    last: str = ""


def reached_by_edition(head: Mapping[str, Any]) -> Condition:
    """Those with a service day of the edition that used its region's catalogues and stand without
    it. `head` is its row in the store."""
    of_region = select(catalogue_edition.c.digest).where(
        catalogue_edition.c.region == head["region"],
        LAST.c.edition_digests.contains(catalogue_edition.c.digest),
    )
    return and_(
        _served(head["valid_from"], head["valid_to"]),
        of_region.correlate(LAST).exists(),
        ~LAST.c.edition_digests.contains(head["digest"]),
    )


def reached_by_policy(digest: str, since: str) -> Condition:
    """Those that stand by the policy of this digest with a service day, or the discharge, on the
    day or later."""
    left = exists().where(
        admission.c.admission_id == settlement.c.admission_id,
        admission.c.discharged_us >= micros(at_business(date.fromisoformat(since), 0)),
    )
    return and_(LAST.c.policy_digest == digest, or_(_served(since, None), left))


def proposed_by_another(digest: str) -> Condition:
    """Those of which an earlier policy than the one of this digest proposes a change that nobody
    has decided."""
    return exists().where(
        readjudication.c.settlement_id == settlement.c.settlement_id,
        readjudication.c.cause == Cause.POLICY.value,
        readjudication.c.open == 1,
        readjudication.c.correction != digest,
    )


async def policies_standing(reader: Reader) -> list[str]:
    """The digest of every policy that a settlement in force stands by."""
    query = select(LAST.c.policy_digest).where(last_row(LAST)).distinct()
    return [row["policy_digest"] for row in await reader.rows(query.order_by("policy_digest"))]


def _served(first: str, last: str | None) -> Condition:
    line = exists().where(
        bill_line.c.admission_id == settlement.c.admission_id, bill_line.c.service_day >= first
    )
    return line if last is None else line.where(bill_line.c.service_day <= last)


async def reach(reader: Reader, conditions: Sequence[Condition]) -> Reach:
    """How many settlements meet any of the conditions."""
    booked = settlement.c.business_day
    [row] = await reader.rows(
        _reached(conditions, func.count(), func.min(booked), func.max(booked))
    )
    number, first, last = row.values()
    return Reach(number, first or "", last or "")


async def stays_reached(
    reader: Reader, conditions: Sequence[Condition], after: str, limit: int
) -> list[str]:
    """The stays of those settlements after the one named, in order; at most as many."""
    stay = settlement.c.admission_id
    query = _reached(conditions, stay).where(stay > after).order_by(stay).limit(limit)
    return [row["admission_id"] for row in await reader.rows(query)]


def _reached(conditions: Sequence[Condition], *columns: Any) -> Select[Any]:
    last = and_(LAST.c.admission_id == settlement.c.admission_id, last_row(LAST))
    query = select(*columns).select_from(settlement).join(LAST, last)
    return query.where(itself(settlement), or_(false(), *conditions))


async def numbers_in_force(
    reader: Reader, first: date, last: date, case_no: str | None = None
) -> list[str]:
    """Every settlement in force that was booked in the span, of one case or of all, those of
    persons purged since too: whoever counts settlements counts them."""
    rows = await reader.rows(_booked(first, last, case_no))
    return [row["settlement_id"] for row in rows]


async def purged_in_force(
    reader: Reader, first: date, last: date, case_no: str | None = None
) -> frozenset[str]:
    """Those of them whose person was purged: their facts are gone."""
    gone = settlement.c.record_key.is_(None)
    rows = await reader.rows(_booked(first, last, case_no).where(gone))
    return frozenset(row["settlement_id"] for row in rows)


def _booked(first: date, last: date, case_no: str | None) -> Select[Any]:
    query = select(settlement.c.settlement_id).where(
        itself(settlement),
        settlement.c.business_day.between(first.isoformat(), last.isoformat()),
    )
    if case_no is not None:
        query = query.where(settlement.c.case_no == case_no)
    return query.order_by("settlement_id")
