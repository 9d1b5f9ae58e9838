"""What an audit rule sees: the stay, its netted lines that count, and the catalogue."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from gateway.domain.admission import Stay
from gateway.domain.bill import BillLine
from gateway.domain.catalogue import CatalogueRow, Kind
from gateway.domain.party import Party
from gateway.rules.resolve import Context

_BED = "床位"


class Hit(NamedTuple):
    """What a rule found: the lines, none for the stay as a whole, and the evidence."""

    line_ids: tuple[str, ...]
    evidence: str


@dataclass(frozen=True, slots=True)
class Seen:
    """A bill as the audit sees it. `lines` are net of refunds, without what was given back
    whole, is unrelated, or was confirmed as a violation already."""

    stay: Stay
    hospital: Party
    context: Context
    lines: tuple[BillLine, ...]
    others: tuple[Stay, ...]

    @property
    def last_day(self) -> date:
        return self.stay.last_day

    def row(self, line: BillLine) -> CatalogueRow | None:
        """The catalogue row of the line on its day."""
        return self.context.row(line.code, line.service_day)

    def of_kind(self, kind: Kind) -> tuple[BillLine, ...]:
        """The lines whose catalogue row is of the kind."""
        found = ((line, self.row(line)) for line in self.lines)
        return tuple(line for line, row in found if row is not None and row.kind is kind)

    @property
    def beds(self) -> tuple[BillLine, ...]:
        """The lines of beds, by the name in the catalogue of facilities."""
        return tuple(
            line
            for line in self.of_kind(Kind.FACILITY)
            if (row := self.row(line)) is not None and _BED in row.name
        )


def hit(lines: Iterable[BillLine], evidence: str) -> Hit:
    """A hit on lines, in order."""
    return Hit(tuple(line.line_id for line in lines), evidence)


def by_day(lines: Iterable[BillLine]) -> dict[date, list[BillLine]]:
    """The lines of each day, days in order."""
    days: dict[date, list[BillLine]] = defaultdict(list)
    for line in sorted(lines, key=lambda one: one.service_day):
        days[line.service_day].append(line)
    return dict(days)
