"""Keys are renewed while everybody goes on: nothing is lost, and the old ones open nothing."""

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from gateway.clock import machine_now
from gateway.domain.case import CaseState
from gateway.domain.commands import ReadPerson
from gateway.flows import renew_keys
from gateway.flows.administer import NotDone
from gateway.flows.renew_keys import put_under_new_keys
from gateway.store.data_keys import SEALED, counts_under
from gateway.store.personal import KeyRing, Unopened
from gateway.store.tables import audit, leaf, metadata, person_index
from gateway.store.unit import StoreFailed
from tests.flows.office import LINES, Office
from tests.world import person

OLD, NEW = "999900-2026", "999900-2026.2"
OLD_INDEX, NEW_INDEX = "999900-index", "999900-index.2"
WHO = {"by": "甲", "reason": "每年更换"}


def ring(office: Office) -> KeyRing:
    return office.desk.database.vault.ring


async def renewed(office: Office, kind: str) -> None:
    await office.act("data_key.renew", kind=kind, **WHO)


async def counts(office: Office) -> dict[str, int]:
    async with office.desk.database.reading() as reader:
        return await counts_under(reader)


def aged(office: Office, key_id: str) -> None:
    """The key's file is of yesterday."""
    path: Path = office.gateway.settings.keys_dir / f"{key_id}.aes"
    os.utime(path, (machine_now().timestamp() - 86_400,) * 2)


async def opened(office: Office) -> list[tuple[str, dict[str, Any]]]:
    """What every record says, apart from the keys it lies under."""
    found = []
    for table in SEALED:
        for row in await office.kept(table, select(table).order_by(*table.primary_key)):
            said = {name: value for name, value in row.items() if name not in _KEYS}
            found.append((table.name, said))
    return found


_KEYS = {"key_id", "record_key", "leaf_index"}


async def known(office: Office, serial: int) -> bool:
    heard = await office.say("H001", "person.read", ReadPerson(person=person(serial)))
    return bool(heard.result.known)


# --- record keys ---


async def test_every_record_says_the_same_under_the_new_key_and_the_old_one_opens_none(
    office: Office,
) -> None:
    await office.report("C1", 1)
    stay = await office.billed("H001", "V1", 1)
    await office.commit("H001", stay, *LINES)
    before = await opened(office)
    await renewed(office, "record")
    assert await put_under_new_keys(office.desk) >= len(before)
    assert (await counts(office)).get(OLD, 0) == 0
    assert [one for one in await opened(office) if one in before] == before
    aged(office, NEW)
    await office.act("data_key.retire", key=OLD, **WHO)
    assert ring(office).ids() == {NEW, OLD_INDEX}
    assert (await office.decide("C1", CaseState.RECOGNISED)).code == "OK"


async def test_bills_are_settled_while_the_key_is_put_under_them(office: Office) -> None:
    await office.report("C1", 1)
    await office.decide("C1", CaseState.RECOGNISED)
    await renewed(office, "record")
    walk = asyncio.create_task(put_under_new_keys(office.desk))
    for number in range(4):
        stay = await office.billed("H001", f"V{number}", 1)
        heard = await office.commit("H001", stay, *LINES)
        assert (heard.outcome, heard.result.bill_state) == ("APPLIED", "SETTLED")
    await walk
    await put_under_new_keys(office.desk)
    found = await counts(office)
    assert found.get(OLD, 0) == 0
    assert found[NEW] == len(await opened(office))


async def test_what_a_crash_left_is_found_and_finished(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    for serial in range(1, 6):
        await office.report(f"C{serial}", serial)
    await renewed(office, "record")
    monkeypatch.setattr(renew_keys, "_AT_ONCE", 2)
    with office.dying_after(3), pytest.raises(StoreFailed):
        await put_under_new_keys(office.desk)
    halfway = await counts(office)
    assert halfway[OLD] > 0
    assert halfway[NEW] > 0
    await put_under_new_keys(office.desk)
    assert (await counts(office)).get(OLD, 0) == 0
    assert await opened(office)


async def test_no_leaf_and_no_row_of_history_changes(office: Office) -> None:
    await office.report("C1", 1)
    hashes = select(leaf.c.tx_id, leaf.c.leaf_hash, leaf.c.effect).order_by(leaf.c.tx_id)
    before = await office.rows(hashes)
    await renewed(office, "record")
    await put_under_new_keys(office.desk)
    after = await office.rows(hashes)
    assert [row for row in after if row in before] == before


async def test_every_step_has_its_audit_row(office: Office) -> None:
    await office.report("C1", 1)
    under = (await counts(office))[OLD]
    await renewed(office, "record")
    await put_under_new_keys(office.desk)
    rows = await office.kept(audit, select(audit).where(audit.c.action.like("data_key.%")))
    assert [row["reason"] for row in rows if row["action"] == "data_key.renew"] == [
        "甲: 每年更换".encode()
    ]
    steps = [row for row in rows if row["action"] == "data_key.rewrap"]
    # The order to renew was itself written under the old key: its audit row and its leaf.
    assert sum(int(row["code"]) for row in steps) == under + 2
    assert {row["subject"] for row in steps} <= set(metadata.tables)


async def test_a_record_that_was_tampered_with_stays_and_keeps_its_key(office: Office) -> None:
    await office.report("C1", 1)
    await renewed(office, "record")
    vault, opening = office.desk.database.vault, office.desk.database.vault.rewrapped

    def refusing(table: Any, row: Any, key_id: str) -> bytes:
        if table.name == "person":
            raise Unopened("altered")
        return opening(table, row, key_id)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(vault, "rewrapped", refusing)
        aged(office, NEW)
        with pytest.raises(NotDone, match="1 rows are still under it"):
            await office.act("data_key.retire", key=OLD, **WHO)
    assert OLD in ring(office).ids()


@pytest.mark.parametrize("key", [OLD, "999900-2025", "nothing"])
async def test_a_key_without_a_successor_is_not_destroyed(office: Office, key: str) -> None:
    with pytest.raises(NotDone, match="has no successor"):
        await office.act("data_key.retire", key=key, **WHO)


async def test_an_old_key_outlives_every_transaction_that_may_still_use_it(office: Office) -> None:
    await renewed(office, "record")
    with pytest.raises(NotDone, match="made within the hour"):
        await office.act("data_key.retire", key=OLD, **WHO)


async def test_nobody_renews_a_key_without_a_name_and_a_reason(office: Office) -> None:
    for lacking in ({"by": " ", "reason": "x"}, {"by": "甲", "reason": ""}):
        with pytest.raises(NotDone, match="say who and why"):
            await office.act("data_key.renew", kind="record", **lacking)
    assert ring(office).ids() == {OLD, OLD_INDEX}


# --- look-up keys ---


async def test_everybody_is_found_before_during_and_after(office: Office) -> None:
    for serial in (1, 2):
        await office.report(f"C{serial}", serial)
    await renewed(office, "index")
    assert await known(office, 1)
    await office.report("C3", 3)
    assert (await counts(office))[NEW_INDEX] == 1
    await put_under_new_keys(office.desk)
    assert (await counts(office))[NEW_INDEX] == (await counts(office))[OLD_INDEX] == 3
    aged(office, NEW_INDEX)
    await office.act("data_key.retire", key=OLD_INDEX, **WHO)
    assert ring(office).index_ids() == (NEW_INDEX,)
    assert [await known(office, serial) for serial in (1, 2, 3)] == [True, True, True]
    rows = await office.rows(select(person_index.c.key_id).distinct())
    assert [row["key_id"] for row in rows] == [NEW_INDEX]


async def test_one_person_reported_twice_at_once_meanwhile_is_one(office: Office) -> None:
    await renewed(office, "index")
    heard = await asyncio.gather(*(office.report(f"C{number}", 9) for number in range(2)))
    assert {one.code for one in heard} == {"OK"}
    rows = await office.rows(select(person_index))
    assert len({row["person_id"] for row in rows}) == 1
    assert {row["key_id"] for row in rows} == {OLD_INDEX, NEW_INDEX}


async def test_no_third_look_up_key_comes_before_the_first_is_gone(office: Office) -> None:
    await renewed(office, "index")
    with pytest.raises(NotDone, match="retire the look-up key"):
        await renewed(office, "index")


async def test_a_look_up_key_stays_while_somebody_is_found_by_it_alone(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    await office.report("C1", 1)
    await renewed(office, "index")
    aged(office, NEW_INDEX)

    def refusing(*_: object) -> Any:
        raise Unopened("altered")

    monkeypatch.setattr(office.desk.database.vault, "open", refusing)
    with pytest.raises(NotDone, match="alone"):
        await office.act("data_key.retire", key=OLD_INDEX, **WHO)
    assert (await counts(office))[OLD_INDEX] == 1
