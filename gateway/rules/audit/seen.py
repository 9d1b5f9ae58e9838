"""What an audit rule sees: the stay, its netted lines that count, and the catalogue."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from operator import attrgetter
from typing import NamedTuple

from gateway.domain.admission import Stay
from gateway.domain.bill import BillLine
from gateway.domain.case import TreatmentKind
from gateway.domain.party import Party
from gateway.rules.concerns import Concern
from gateway.rules.context import Context, Lines, Rows

service_day, amount_fen = attrgetter("service_day"), attrgetter("amount_fen")
_by_day = attrgetter("service_day", "occurred_at", "line_id")


class Hit(NamedTuple):
    """What a rule found: the lines, none for the stay as a whole, and the evidence."""

    line_ids: tuple[str, ...]
    evidence: str


@dataclass(frozen=True, slots=True)
class Seen:
    """A bill as the audit sees it: the netted lines that count, and for each concern those
    whose catalogue row raises it, with the row. Lines are in order of time.

    A line that is unrelated, was given back whole, or was confirmed as a violation already is
    not among them.
    """

    stay: Stay
    hospital: Party
    context: Context
    others: tuple[Stay, ...]

    @property
    def last_day(self) -> date:
        return self.stay.last_day

    @property
    def lines(self) -> Sequence[BillLine]:
        return self.context.counted

    def of(self, concern: Concern) -> Lines:
        """The lines of this concern with their catalogue rows, in order."""
        return self.context.concerned(concern)

    def rows(self, concern: Concern) -> Rows:
        """The catalogue rows of this concern, each with its lines in order."""
        return self.context.rows(concern)


def look(stay: Stay, hospital: Party, context: Context, others: tuple[Stay, ...]) -> Seen:
    """The bill of the context. The fitting of a device is no stay: it neither overlaps one nor
    splits it."""
    if stay.treatment is TreatmentKind.DEVICE:
        others = ()
    others = tuple(one for one in others if one.treatment is not TreatmentKind.DEVICE)
    return Seen(stay, hospital, context, others)


def hit(lines: Iterable[BillLine], evidence: str) -> Hit:
    """A hit on lines, in order."""
    return Hit(tuple(line.line_id for line in lines), evidence)


def by_day(lines: Iterable[BillLine]) -> dict[date, list[BillLine]]:
    """The lines of each day in order of time, days in order."""
    days: dict[date, list[BillLine]] = defaultdict(list)
    for line in sorted(lines, key=_by_day):
        days[line.service_day].append(line)
    return dict(days)
