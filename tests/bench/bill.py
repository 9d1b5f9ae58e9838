"""The bill that is measured: 300 lines of a hard fortnight, composed as the demo composes its own.

A ward's routine over 14 days (bed, nursing, drips, some fifty drugs and items in turn) around
what happened once: operations, implants above their ceiling that somebody signed for, things
outside the catalogue that nobody signed for, two refunds, a line that is not for the injury,
something charged twice, pieces of a prescription. 83 codes in 300 lines, so that a line is
charged alike 2 to 3 times on average; nursing has a limit per day. The sample catalogue and the
example region's policy, both as shipped, every audit rule that the region switched on.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from functools import cache

from adapters.catalog_file import sample_path
from adapters.catalog_file.read import read_catalogue
from adapters.catalog_file.write import edition_of
from adapters.sandbox import plans
from adapters.sandbox.bills import Plan, composed
from adapters.sandbox.shelf import Shelf
from gateway.domain.admission import Diagnosis, Sex
from gateway.domain.catalogue import CatalogueRow, Edition, Level
from gateway.domain.money import ONE
from gateway.rules.settle import Bill
from tests.rules.facts import REGION, a_bill, a_case, a_hospital, a_stay

LINES, NIGHTS = 300, 14
FIRST = date(2026, 3, 2)


@cache
def a_real_bill() -> Bill:
    """The bill, the same at each call."""
    editions = tuple(_editions())
    shelf = Shelf((row for one in editions for row in one.rows.values()), Level.TERTIARY)
    return a_bill(
        *composed(_plan(), shelf, FIRST, "骨科"),
        stay=a_stay(
            admitted_on=FIRST,
            discharged_on=FIRST + timedelta(days=NIGHTS),
            diagnoses=(Diagnosis("S82.100x001", "胫骨近端骨折", True),),
            born_on=date(1980, 5, 1),
            sex=Sex.MALE,
        ),
        case=a_case(injured_on=FIRST),
        hospital=a_hospital(level=Level.TERTIARY),
        editions=editions,
    )


def _plan() -> Plan:
    """The routine of intensive care and of an ordinary ward; what several injuries bring once."""
    hard = plans.polytrauma(LINES, NIGHTS)
    others = [plan(LINES) for plan in (plans.tibia, plans.forearm, plans.ankle, plans.heel)]
    often = [one for pair in zip(hard.often, others[0].often, strict=False) for one in pair]
    once = [charge for plan in (hard, *others) for charge in plan.once]
    return replace(hard, often=tuple(often), once=tuple(once))


def _editions() -> Iterable[Edition]:
    for one in read_catalogue(sample_path(), date(2025, 1, 1), None, REGION).editions:
        rows = [_limited(row) for row in one.rows.values()]
        yield edition_of(one.region, one.kind, one.valid_from, one.valid_to, rows)


def _limited(row: CatalogueRow) -> CatalogueRow:
    """Nursing is paid once a day."""
    return replace(row, qty_per_day=ONE) if row.name == "一级护理" else row
