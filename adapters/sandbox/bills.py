"""住院费用明细 Bills of made-up stays: a ward's routine, and what happened once.

A bill follows from its plan alone: the same plan and the same first day give the same lines.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from adapters.sandbox.shelf import Good, Shelf
from gateway.clock import at_business
from gateway.domain.bill import BillLine, Relation
from gateway.domain.money import price, quantity, times
from gateway.domain.split import Payer

_FIRST_HOUR, _HOURS = 9, 13
_MINUTE_STEP, _MINUTES = 7, 60


@dataclass(frozen=True, slots=True)
class Charge:
    """One charge of a plan: a good by its title, on a day of the stay (0 is the first).

    `at` is a unit price in yuan instead of the price list's; `code` charges something that is
    in no catalogue; `back` is the quantity given back the day after.
    """

    title: str
    on: int = 0
    count: str = "1"
    at: str = ""
    code: str = ""
    consent: Payer | None = None
    relation: Relation = Relation.INJURY
    prescription: str = ""
    back: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """A stay's charges: `once`, then each day `daily` and as much of `often` as fills the bill."""

    nights: int
    lines: int
    daily: tuple[str, ...]
    often: tuple[str, ...]
    once: tuple[Charge, ...] = ()


def composed(plan: Plan, shelf: Shelf, first_day: date, department: str) -> tuple[BillLine, ...]:
    """The bill: exactly `plan.lines` lines, line ids L0001 and on, refunds after all others."""
    charges = (*plan.once, *_routine(plan))
    lines, refunds = [], []
    for number, charge in enumerate(charges, start=1):
        line = _line(charge, shelf, first_day, number, department)
        lines.append(line)
        if charge.back:
            refunds.append(_refund(line, charge.back))
    return (*lines, *refunds)


def _routine(plan: Plan) -> Iterator[Charge]:
    """What fills the bill, spread evenly over the nights."""
    refunds = sum(1 for charge in plan.once if charge.back)
    wanted = plan.lines - len(plan.once) - refunds
    each, more = divmod(wanted, plan.nights)
    for day in range(plan.nights):
        for turn in range(each + (day < more)):
            yield Charge(_turn(plan, day, turn), day)


def _turn(plan: Plan, day: int, turn: int) -> str:
    if turn < len(plan.daily):
        return plan.daily[turn]
    return plan.often[(day + turn - len(plan.daily)) % len(plan.often)]


def _line(charge: Charge, shelf: Shelf, first_day: date, number: int, department: str) -> BillLine:
    good = _outside(charge) if charge.code else shelf.good(charge.title)
    day, count = first_day + timedelta(days=charge.on), quantity(charge.count)
    unit_price = price(charge.at) if charge.at else good.price
    hour, minute = _FIRST_HOUR + number % _HOURS, number * _MINUTE_STEP % _MINUTES
    return BillLine(
        line_id=f"L{number:04d}",
        occurred_at=at_business(day, hour, minute),
        service_day=day,
        code=good.code,
        name=good.name,
        quantity=count,
        price=unit_price,
        amount_fen=times(unit_price, count),
        category=good.category,
        unit=good.unit,
        spec=good.spec,
        prescription_no=charge.prescription,
        department=department,
        relation=charge.relation,
        consent=charge.consent,
        consent_on=day if charge.consent else None,
    )


def _outside(charge: Charge) -> Good:
    """Something that no catalogue lists."""
    return Good(charge.code, charge.title, "支", "", "自费", 0)


def _refund(line: BillLine, back: str) -> BillLine:
    """Part of a line given back a day later, under a line id of its own."""
    count = -quantity(back)
    later = line.occurred_at + timedelta(days=1)
    return line._replace(
        line_id=f"{line.line_id}R",
        occurred_at=later,
        service_day=line.service_day + timedelta(days=1),
        quantity=count,
        amount_fen=times(line.price, count),
        refund_of=line.line_id,
    )


_NURSE: Final = ("住院诊查费", "静脉输液", "一次性输液器")
"""What every bed day of the made-up wards brings."""


def ward(bed: str, care: str) -> tuple[str, ...]:
    """A bed day: bed, nursing, and what comes with it."""
    return (bed, care, *_NURSE)
