"""医院结算账 What a hospital books: each signed settlement and reversal, and each day's totals."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from gateway.domain.commands import HospitalRow, ReconcileTotals
from gateway.domain.results import Settlement
from gateway.domain.split import total
from gateway.rules.reconcile import detail_digest


@dataclass(slots=True)
class Book:
    """Rows in the order of booking, and the settlements in force by their number."""

    rows: list[HospitalRow] = field(default_factory=list)
    live: dict[str, Settlement] = field(default_factory=dict)

    def settled(self, settlement: Settlement, id_no: str, day: date | None = None) -> None:
        """Book a settlement, on its own business day unless the HIS booked it on another."""
        self.live[settlement.settlement_id] = settlement
        self.rows.append(
            HospitalRow(
                settlement_id=settlement.settlement_id,
                day=day or _day(settlement),
                id_no=id_no,
                reversed=False,
                split=settlement.split,
                meal_fen=_meal_fen(settlement),
            )
        )

    def reversed(self, reversal: Settlement, id_no: str) -> None:
        """Book a reversal: the row of what it takes back again, negative, under its number."""
        taken_back = self.live.pop(reversal.reverses)
        self.rows.append(
            HospitalRow(
                settlement_id=reversal.reverses,
                day=_day(reversal),
                id_no=id_no,
                reversed=True,
                split=reversal.split,
                meal_fen=-_meal_fen(taken_back),
            )
        )

    def on(self, day: date) -> list[HospitalRow]:
        """The rows booked on the day."""
        return [row for row in self.rows if row.day == day]


def totals(day: date, rows: Sequence[HospitalRow]) -> ReconcileTotals:
    """The day's count, signed sums and detail digest."""
    return ReconcileTotals(
        day=day,
        count=len(rows),
        split=total([row.split for row in rows]),
        meal_fen=sum(row.meal_fen for row in rows),
        detail_digest=detail_digest(rows),
    )


def _day(settlement: Settlement) -> date:
    if settlement.business_day is None:
        raise ValueError("a settlement names its business day")
    return settlement.business_day


def _meal_fen(settlement: Settlement) -> int:
    return settlement.meal.amount_fen if settlement.meal else 0
