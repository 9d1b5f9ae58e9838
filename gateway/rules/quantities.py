"""How much of a thing a stay may use: quantities per day and per stay.

Counted over netted lines in order of time and line id, so that neither the order of a message
nor a refund changes whose quantity is over.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from typing import Protocol

from gateway.domain.bill import BillLine
from gateway.domain.catalogue import CatalogueRow


class HasRow(Protocol):
    """Whatever knows its catalogue row."""

    @property
    def row(self) -> CatalogueRow: ...


def allowances(limited: Iterable[tuple[BillLine, HasRow]]) -> dict[str, int]:
    """The quantity in 10^-4 that each netted line with a limit may still use, by line id."""
    allowed: dict[str, int] = {}
    per_day: dict[tuple[str, date], int] = defaultdict(int)
    per_stay: dict[str, int] = defaultdict(int)
    for line, listed in limited:
        row, code, day = listed.row, line.code, line.service_day
        left = [
            limit - used
            for limit, used in (
                (row.qty_per_day, per_day[code, day]),
                (row.qty_per_stay, per_stay[code]),
            )
            if limit is not None
        ]
        allowed[line.line_id] = max(min(left), 0)
        used_now = min(line.quantity, allowed[line.line_id])
        per_day[code, day] += used_now
        per_stay[code] += used_now
    return allowed
