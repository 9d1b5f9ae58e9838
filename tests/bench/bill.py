"""The bills that are measured: 300 lines of a hard fortnight, composed as the demo's are.

A ward's routine over 14 days (bed, nursing, drips, some fifty drugs and items in turn) around
what happened once: operations, implants above their ceiling that somebody signed for, things
outside the catalogue that nobody signed for, two refunds, a line that is not for the injury,
something charged twice, pieces of a prescription. 70 codes in 300 lines, so that a thing is
charged 4 times on average; nursing has a limit per day. The sample catalogue and the example
region's policy, both as shipped, every audit rule that the region switched on.

No two bills are the same: each person's stay begins on another day, the case was decided on
another, the routine runs in another order and a third of it in other quantities. The hospital's
price list is the same, as it is.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from random import Random

from adapters.catalog_file import sample_path
from adapters.catalog_file.read import read_catalogue
from adapters.catalog_file.write import edition_of
from adapters.sandbox import plans
from adapters.sandbox.bills import Plan, composed
from adapters.sandbox.shelf import Shelf
from gateway.domain.admission import Diagnosis, Sex
from gateway.domain.bill import BillLine
from gateway.domain.catalogue import CatalogueRow, Edition, Level
from gateway.domain.money import ONE, times
from gateway.rules.settle import Bill
from tests.rules.facts import REGION, a_bill, a_case, a_hospital, a_stay

LINES, NIGHTS = 300, 14
FIRST, DAYS = date(2026, 3, 2), 60
"""The first day on which a stay begins, and after how many none does."""


def a_real_bill(number: int = 0, lines: int = LINES) -> Bill:
    """The bill of this number, the same at each call."""
    random = Random(number)  # noqa: S311 - a mix of charges, not a secret
    first = FIRST + timedelta(days=random.randrange(DAYS))
    shelf, editions = _hospital()
    return a_bill(
        *_varied(composed(_plan(random, lines), shelf, first, "骨科"), random),
        stay=a_stay(
            admission_id=f"A{number}",
            admitted_on=first,
            discharged_on=first + timedelta(days=NIGHTS),
            diagnoses=(Diagnosis("S82.100x001", "胫骨近端骨折", True),),
            born_on=date(1980, 5, 1),
            sex=Sex.MALE,
        ),
        case=a_case(injured_on=first, decided_on=first + timedelta(days=random.randrange(30))),
        hospital=a_hospital(level=Level.TERTIARY),
        editions=editions,
    )


@cache
def _hospital() -> tuple[Shelf, tuple[Edition, ...]]:
    editions = tuple(_editions())
    return Shelf((row for one in editions for row in one.rows.values()), Level.TERTIARY), editions


def _varied(lines: Iterable[BillLine], random: Random) -> Iterator[BillLine]:
    """The lines, a third of the ordinary ones in another quantity."""
    lines = list(lines)
    fixed = {line.refund_of or line.line_id for line in lines if line.refund_of or line.consent}
    for line in lines:
        if line.refund_of or line.line_id in fixed or random.randrange(3):
            yield line
        else:
            count = line.quantity * random.choice((2, 3, 5))
            yield line._replace(quantity=count, amount_fen=times(line.price, count))


def _plan(random: Random, lines: int) -> Plan:
    """The routine of intensive care and of an ordinary ward; what several injuries bring once,
    in a bill that has room for it."""
    hard = plans.polytrauma(lines, NIGHTS)
    others = [plan(lines) for plan in (plans.tibia, plans.forearm, plans.ankle, plans.heel)]
    often = [one for pair in zip(hard.often, others[0].often, strict=False) for one in pair]
    random.shuffle(often)
    once = [charge for plan in (hard, *others) for charge in plan.once]
    if len(once) > lines // 2:
        return replace(hard, often=tuple(often))
    return replace(hard, often=tuple(often), once=tuple(once))


def _editions() -> Iterable[Edition]:
    for one in read_catalogue(sample_path(), date(2025, 1, 1), None, REGION).editions:
        rows = [_limited(row) for row in one.rows.values()]
        yield edition_of(one.region, one.kind, one.valid_from, one.valid_to, rows)


def _limited(row: CatalogueRow) -> CatalogueRow:
    """Nursing is paid once a day."""
    return replace(row, qty_per_day=ONE) if row.name == "一级护理" else row
