"""What an audit rule sees: the stay, its netted lines that count, and the catalogue."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from gateway.domain.admission import Stay
from gateway.domain.bill import BillLine
from gateway.domain.case import TreatmentKind
from gateway.domain.catalogue import CatalogueRow, Kind
from gateway.domain.party import Party
from gateway.rules import limits
from gateway.rules.resolve import Context

_BED = "床位"


class Hit(NamedTuple):
    """What a rule found: the lines, none for the stay as a whole, and the evidence."""

    line_ids: tuple[str, ...]
    evidence: str


@dataclass(frozen=True, slots=True)
class Seen:
    """A bill as the audit sees it: the netted lines that count with their catalogue rows, and
    what the remarks of the drug list demand of them where they demand something.

    A line that is unrelated, was given back whole, or was confirmed as a violation already is
    not among them.
    """

    stay: Stay
    hospital: Party
    context: Context
    others: tuple[Stay, ...]
    lines: tuple[BillLine, ...]
    rows: Mapping[str, CatalogueRow]
    limited: tuple[tuple[BillLine, limits.Limits], ...]

    @property
    def last_day(self) -> date:
        return self.stay.last_day

    @property
    def listed(self) -> Iterator[tuple[BillLine, CatalogueRow]]:
        """The lines that stand in a catalogue, with their rows."""
        rows = self.rows
        return ((line, rows[line.line_id]) for line in self.lines if line.line_id in rows)

    def of_kind(self, kind: Kind) -> tuple[BillLine, ...]:
        """The lines whose catalogue row is of the kind."""
        return tuple(line for line, row in self.listed if row.kind is kind)

    @property
    def beds(self) -> tuple[BillLine, ...]:
        """The lines of beds, by the name in the catalogue of facilities."""
        return tuple(
            line for line, row in self.listed if row.kind is Kind.FACILITY and _BED in row.name
        )


def look(stay: Stay, hospital: Party, context: Context, others: tuple[Stay, ...]) -> Seen:
    """The bill of the context, each row looked up once. The fitting of a device is no stay: it
    neither overlaps one nor splits it."""
    if stay.treatment is TreatmentKind.DEVICE:
        others = ()
    others = tuple(one for one in others if one.treatment is not TreatmentKind.DEVICE)
    rows = {
        line.line_id: row
        for line in context.counted
        if (row := context.row(line.code, line.service_day)) is not None
    }
    limited = tuple(
        (line, read)
        for line in context.counted
        if (row := rows.get(line.line_id)) is not None
        and row.kind is Kind.DRUG
        and (read := limits.read(row.remark)) != limits.NONE
    )
    return Seen(stay, hospital, context, others, context.counted, rows, limited)


def hit(lines: Iterable[BillLine], evidence: str) -> Hit:
    """A hit on lines, in order."""
    return Hit(tuple(line.line_id for line in lines), evidence)


def by_day(lines: Iterable[BillLine]) -> dict[date, list[BillLine]]:
    """The lines of each day, days in order."""
    days: dict[date, list[BillLine]] = defaultdict(list)
    for line in sorted(lines, key=lambda one: one.service_day):
        days[line.service_day].append(line)
    return dict(days)
