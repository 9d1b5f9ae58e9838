"""No money transaction touches a row that other patients' bills touch (protocol §4).

Two patients of one hospital go the same way: registered, billed, held, released, settled,
taken back. What the transactions of the one write, no transaction of the other writes.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from gateway.domain.case import CaseState
from gateway.domain.commands import CancelSettlement
from gateway.flows.release_held import release_all
from gateway.store.tables import lane, settlement
from gateway.store.unit import Change, Insert, Remove, Unit, Upsert, Write
from tests.flows.office import LINES, Office, Recorder
from tests.store.conftest import SQLITE

# A transaction is the same data on both stores.
pytestmark = pytest.mark.parametrize("store", [SQLITE], indirect=True)

HOT = {
    *("message", "leaf", "audit", "outbox"),
    *("admission", "bill_line", "settlement", "transfer", "undo"),
    *("person", "work_case", "release_job"),
}
"""What is written while bills are registered, settled and undone: each row for one patient."""

Touched = set[tuple[str, tuple[Any, ...]]]


def touched(units: Iterable[Unit]) -> Touched:
    """Every row that the transactions write, by table and key."""
    rows = {("message", _key(("sender", "message_id"), u.message)) for u in units if u.message}
    for unit in units:
        for write in unit.writes:
            rows |= {(write.table.name, key) for key in keys(write)}
    return rows


def keys(write: Write) -> set[tuple[Any, ...]]:
    named = write.table.info["row_key"]
    match write:
        case Insert(_, rows) | Upsert(_, rows):
            return {_key(named, row) for row in rows}
        case Change(_, where, _):
            return {_key(named, where)}
        case Remove(_, gone):
            return {_key(named, row) for row in gone}


def _key(names: Iterable[str], row: Any) -> tuple[Any, ...]:
    return tuple(row[name] for name in names)


async def gone_through(office: Office, serial: int) -> list[Unit]:
    """Every transaction of one patient's bill, from registration to its reversal."""
    recorder = Recorder(office.desk.database)
    office.desk = replace(office.desk, database=recorder)  # type: ignore[arg-type]
    case, visit = f"C{serial}", f"V{serial}"
    await office.report(case, serial)
    recorder.units.clear()
    stay = await office.billed("H001", visit, serial)
    assert (await office.commit("H001", stay, *LINES)).code == "HELD"
    bill = list(recorder.units)
    await office.decide(case, CaseState.RECOGNISED)
    recorder.units.clear()
    await release_all(office.desk)
    settled = await office.rows(_settlements(stay))
    cancel = CancelSettlement(settlement_id=settled[0]["settlement_id"], reason="虚", operator="o")
    assert (await office.say("H001", "settlement.cancel", cancel)).code == "OK"
    again = await office.commit("H001", stay, *LINES)
    assert (await office.reverse("H001", again.message_id, "settlement.commit")).code == "OK"
    await release_all(office.desk)  # what it left for later is this patient's too
    return bill + recorder.units


def _settlements(stay: str) -> Any:
    return settlement.select().where(settlement.c.admission_id == stay)


async def test_two_patients_bills_share_no_row(office: Office) -> None:
    one, other = await gone_through(office, 1), await gone_through(office, 2)
    assert touched(one) & touched(other) == set()
    assert {table for table, _ in touched(one)} == HOT


async def test_a_shared_counter_is_noticed(office: Office) -> None:
    """What the test above would say if a settlement numbered its receiver's lane by itself."""
    one, other = await gone_through(office, 1), await gone_through(office, 2)
    counter = Upsert(lane, [{"receiver": "AGENCY", "last_seq": 1}])
    counted = [[replace(unit, writes=(*unit.writes, counter)) for unit in way]
               for way in (one, other)]  # fmt: skip
    assert touched(counted[0]) & touched(counted[1]) == {("lane", ("AGENCY",))}
