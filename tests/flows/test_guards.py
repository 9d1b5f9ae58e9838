"""Every fact that a decision used is compared in its transaction (protocol §4).

For each operation and each fact it compares: somebody changes the fact after the decision and
before its commit. The transaction is refused as stale; and without that one comparison it would
have been committed, so that none is there for nothing.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import pytest
from sqlalchemy import Table

from gateway.domain.case import CaseState
from gateway.domain.commands import CancelSettlement
from gateway.flows.release_held import release_all
from gateway.store.unit import Change, Guard, Row, Unit
from tests.flows.office import LINES, Office, Recorder

Act = Callable[[], Awaitable[object]]
Prepared = Callable[[Office, int], Awaitable[Act]]
OTHERWISE = {
    "version": 1_000_000,
    "state": "REVERSED",
    "valid_to": "2098-12-31",
}
"""What somebody else writes meanwhile, by the column that is compared: of several the first."""


@dataclass(frozen=True, slots=True)
class Fact:
    """A row that a transaction compares, as the `place`-th of its table."""

    table: Table
    place: int
    key: Row
    column: str

    @property
    def name(self) -> tuple[str, int]:
        return self.table.name, self.place


def facts(unit: Unit) -> list[Fact]:
    """The rows that the transaction compares, by guards and by the changes it makes."""
    found: list[Fact] = []
    for compared in (*unit.guards, *(one for one in unit.writes if isinstance(one, Change))):
        row = compared.key if isinstance(compared, Guard) else compared.where
        values = compared.values if isinstance(compared, Guard) else compared.where
        key = {name: row[name] for name in compared.table.info["row_key"]}
        column = next((name for name in OTHERWISE if name in values), None)
        if column and not any(_is(compared.table, key, one) for one in found):
            place = 1 + sum(one.table is compared.table for one in found)
            found.append(Fact(compared.table, place, key, column))
    return found


def unguarded(unit: Unit, fact: Fact) -> Unit:
    """The transaction without any comparison of that row."""
    guards = tuple(one for one in unit.guards if not _is(one.table, one.key, fact))
    writes = tuple(
        replace(one, where=fact.key)
        if isinstance(one, Change) and _is(one.table, one.where, fact)
        else one
        for one in unit.writes
    )
    return replace(unit, guards=guards, writes=writes)


def _is(table: Table, row: Row, fact: Fact) -> bool:
    return table is fact.table and fact.key.items() <= row.items()


class Overtaken:
    """A store in which one fact changes between the first decision that uses it and its commit."""

    def __init__(self, database: Any, name: tuple[str, int], dropped: bool) -> None:
        self._database, self._name, self._dropped = database, name, dropped
        self.ended = ""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)

    async def commit(self, unit: Unit) -> None:
        fact = next((one for one in facts(unit) if one.name == self._name), None)
        if fact and not self.ended:
            await self._overtake(unguarded(unit, fact) if self._dropped else unit, fact)
        else:
            await self._database.commit(unit)

    async def _overtake(self, unit: Unit, fact: Fact) -> None:
        values = {fact.column: OTHERWISE[fact.column]}
        other = Change(fact.table, fact.key, values)
        await self._database.commit(Unit("T-OTHER", 2026, writes=(other,)))
        self.ended = "STALE"
        await self._database.commit(unit)
        self.ended = "COMMITTED"


async def registering(office: Office, serial: int) -> Act:
    await office.recognised(f"C{serial}", serial)
    return lambda: office.register("H001", f"V{serial}", serial)


async def uploading(office: Office, serial: int) -> Act:
    stay = (await (await registering(office, serial))()).result.admission_id
    return lambda: office.upload("H001", stay, *LINES)


async def discharging(office: Office, serial: int) -> Act:
    stay = (await (await registering(office, serial))()).result.admission_id
    await office.upload("H001", stay, *LINES)
    return lambda: office.discharge("H001", stay)


async def settling(office: Office, serial: int) -> Act:
    await office.recognised(f"C{serial}", serial)
    stay = await office.billed("H001", f"V{serial}", serial)
    return lambda: office.commit("H001", stay, *LINES)


async def holding(office: Office, serial: int) -> Act:
    await office.report(f"C{serial}", serial)
    stay = await office.billed("H001", f"V{serial}", serial)
    return lambda: office.commit("H001", stay, *LINES)


async def deciding(office: Office, serial: int) -> Act:
    await (await holding(office, serial))()
    return lambda: office.decide(f"C{serial}", CaseState.RECOGNISED)


async def releasing(office: Office, serial: int) -> Act:
    await (await deciding(office, serial))()
    return lambda: release_all(office.desk)


async def cancelling(office: Office, serial: int) -> Act:
    heard = await (await settling(office, serial))()
    cancel = CancelSettlement(settlement_id=heard.result.settlement_id, reason="虚构", operator="o")
    return lambda: office.say("H001", "settlement.cancel", cancel)


async def reversing(office: Office, serial: int) -> Act:
    heard = await (await settling(office, serial))()
    return lambda: office.reverse("H001", heard.message_id, "settlement.commit")


KEYS = [("party_key", 1), ("party_key", 2), ("party", 1)]
EDITIONS = [("catalogue_edition", number) for number in range(1, 5)]
CASE, PERSON, STAY = ("work_case", 1), ("person", 1), ("admission", 1)
USED: dict[Prepared, list[tuple[str, int]]] = {
    registering: [*KEYS, PERSON, CASE],
    uploading: [*KEYS, STAY],
    discharging: [*KEYS, STAY],
    settling: [*KEYS, CASE, PERSON, *EDITIONS, STAY],
    holding: [*KEYS, CASE, PERSON, *EDITIONS, STAY],
    deciding: [*KEYS, CASE],
    releasing: [CASE, PERSON, *EDITIONS, STAY, ("release_job", 1)],
    cancelling: [*KEYS, STAY, ("settlement", 1)],
    reversing: [*KEYS, STAY, ("settlement", 1)],
}
"""Which rows each operation compares; of several of a table, which."""
FIRST = {name for used in USED.values() for name in used if name[1] == 1}
"""Of several alike, all are raced where a bill is settled, else the first."""


async def overtaken(
    office: Office, prepared: Prepared, serial: int, name: tuple[str, int], dropped: bool
) -> str:
    """How the first transaction that uses the fact ends when the fact changes before it."""
    act = await prepared(office, serial)
    desk = office.desk
    store = Overtaken(desk.database, name, dropped)
    office.desk = replace(desk, database=store)  # type: ignore[arg-type]
    await act()
    office.desk = desk
    return store.ended


@pytest.mark.parametrize("prepared", USED, ids=lambda one: one.__name__)
async def test_a_fact_that_changed_meanwhile_is_noticed_by_its_own_comparison(
    office: Office, prepared: Prepared
) -> None:
    raced = [name for name in USED[prepared] if name in FIRST or prepared is settling]
    ended = [
        (name, await overtaken(office, prepared, serial, name, dropped))
        for serial, (name, dropped) in enumerate(product(raced, (False, True)), 1)
    ]
    assert ended == [(name, end) for name in raced for end in ("STALE", "COMMITTED")]


@pytest.mark.parametrize("prepared", USED, ids=lambda one: one.__name__)
async def test_these_are_all_the_facts_it_compares(office: Office, prepared: Prepared) -> None:
    act = await prepared(office, 1)
    recorder = Recorder(office.desk.database)
    office.desk = replace(office.desk, database=recorder)  # type: ignore[arg-type]
    await act()
    assert {fact.name for unit in recorder.units for fact in facts(unit)} == set(USED[prepared])
