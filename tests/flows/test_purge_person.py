"""A person is purged: nothing of them opens any more, and no leaf, ledger or sum has changed."""

from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from gateway.delivery.worker import Worker
from gateway.domain.case import CaseState
from gateway.domain.commands import HospitalRow, ReadPerson, ReconcileDetails
from gateway.domain.split import Split
from gateway.flows import purge_person
from gateway.flows.administer import NotDone
from gateway.flows.release_held import release_all
from gateway.store.data_keys import SEALED
from gateway.store.purging import dealings_of
from gateway.store.tables import leaf, outbox, person, person_index, purge, settlement, transfer
from gateway.store.unit import StoreFailed
from gateway.verbs import replay
from tests.delivery.lanes import Post
from tests.flows.office import DAY, LINES, Heard, Office, office_in
from tests.store.hands import by_hand
from tests.world import person as worker

NEXT_DAY = date(2026, 3, 3)
LONG_AFTER = date(2060, 1, 4)
ONE, OTHER = 1, 2
ASKING = {"by": "甲", "reason": "保管期满"}
CONFIRMING = {"by": "乙", "reason": "核对无误"}


@pytest.fixture
async def office(data: Path) -> AsyncIterator[Office]:
    """A gateway where records are kept for thirty years."""
    async with office_in(data, records_kept_years=30) as made:
        yield made


async def settled(office: Office, case_no: str, serial: int) -> Heard:
    """A bill held first, released by the decision, reconciled; everything was delivered."""
    await office.report(case_no, serial)
    stay = await office.billed("H001", f"V-{case_no}", serial)
    heard = await office.commit("H001", stay, *LINES)
    await office.decide(case_no, CaseState.RECOGNISED)
    await release_all(office.desk)
    row = HospitalRow(
        settlement_id="S-NOWHERE",
        day=DAY,
        id_no=worker(serial).id_no,
        reversed=False,
        split=Split(fund_fen=1),
        meal_fen=0,
    )
    if office.desk.today == DAY:
        office.move_to(NEXT_DAY)
    told = await office.say("H001", "reconcile.details", ReconcileDetails(day=DAY, rows=(row,)))
    assert told.code == "OK"
    await delivered(office)
    return heard


async def delivered(office: Office) -> None:
    """Every message to the agency has its receipt; a hospital has acknowledged its own."""
    post = Post()
    worker = Worker(office.desk.database, office.desk.clock, post.channel_for, 1.0)
    while await worker.turn():
        pass
    async with by_hand(office.desk.database) as connection:
        await connection.execute(update(outbox).values(state="DONE"))


async def id_of(office: Office, serial: int) -> str:
    rows = await office.kept(person, select(person).where(person.c.record_key.is_not(None)))
    found: str = next(
        row["person_id"] for row in rows if row["id_no"].decode() == worker(serial).id_no
    )
    return found


async def asked(office: Office, serial: int) -> str:
    text = await office.act("purge.ask", person=await id_of(office, serial), **ASKING)
    return text.split()[0]


async def purged(office: Office, serial: int) -> str:
    request = await asked(office, serial)
    return await office.act("purge.confirm", purge=request, **CONFIRMING)


async def said(office: Office) -> list[tuple[str, bytes]]:
    """Every sealed word that still opens, by table."""
    found = []
    for table in SEALED:
        query = select(table).where(table.c.record_key.is_not(None))
        for row in await office.kept(table, query):
            found += [(table.name, row[name]) for name in table.info["personal"] if row[name]]
    return found


def naming(words: list[tuple[str, bytes]], serial: int) -> set[str]:
    one = worker(serial)
    marks = (one.id_no.encode(), one.name.encode())
    return {table for table, word in words if any(mark in word for mark in marks)}


async def test_nothing_of_the_person_opens_and_everything_of_others_does(office: Office) -> None:
    await settled(office, "C1", ONE)
    await settled(office, "C2", OTHER)
    before = await said(office)
    spoke = {"message", "outbox", "person", "reconcile_run"}
    assert spoke <= naming(before, ONE)
    office.move_to(LONG_AFTER)
    await purged(office, ONE)
    after = await said(office)
    assert naming(after, ONE) == set()
    # Both stood in one reconciliation record; everything else of the other is there.
    assert naming(after, OTHER) == naming(before, OTHER) - {"reconcile_run"}


async def test_the_leaves_and_the_ledger_are_what_they_were(office: Office) -> None:
    await settled(office, "C1", ONE)
    office.move_to(LONG_AFTER)
    person_id = await id_of(office, ONE)
    hashes = select(leaf.c.tx_id, leaf.c.leaf_hash).order_by(leaf.c.received_us, leaf.c.tx_id)
    booked = select(transfer).order_by(transfer.c.tx_id, transfer.c.seq)
    sums = select(settlement.c.settlement_id, settlement.c.total_fen, settlement.c.fund_fen)
    before = [await office.rows(query) for query in (hashes, booked, sums)]
    await purged(office, ONE)
    after = [await office.rows(query) for query in (hashes, booked, sums)]
    assert [row for row in after[0] if row in before[0]] == before[0]
    assert after[1:] == before[1:]
    async with office.desk.database.reading() as reader:
        assert (await dealings_of(reader, person_id)).settlements


async def test_what_opens_the_leaves_of_messages_sent_is_gone_with_the_person(
    office: Office,
) -> None:
    await settled(office, "C1", ONE)
    await settled(office, "C2", OTHER)
    had = await still_opening(office, "delivery")
    office.move_to(LONG_AFTER)
    await purged(office, ONE)
    kept = select(outbox.c.message_id).where(outbox.c.record_key.is_not(None))
    theirs = {row["message_id"] for row in await office.rows(kept)}
    assert await still_opening(office, "sealing") == theirs != set()
    assert await still_opening(office, "delivery") == had & theirs != had


async def still_opening(office: Office, kind: str) -> set[str]:
    """The messages whose leaves of this kind open."""
    opens = select(leaf.c.message_id).where(leaf.c.record_key.is_not(None), leaf.c.kind == kind)
    return {row["message_id"] for row in await office.rows(opens)}


async def test_the_purged_is_nobody_and_may_come_again_as_somebody_new(office: Office) -> None:
    await settled(office, "C1", ONE)
    office.move_to(LONG_AFTER)
    before = await id_of(office, ONE)
    await purged(office, ONE)
    heard = await office.say("H001", "person.read", ReadPerson(person=worker(ONE)))
    assert heard.result.known is False
    assert await office.rows(select(person_index)) == []
    await office.report("C9", ONE, injured_on=LONG_AFTER)
    assert await id_of(office, ONE) != before


async def test_a_resend_hears_that_its_outcome_stands(office: Office) -> None:
    heard = await settled(office, "C1", ONE)
    office.move_to(LONG_AFTER)
    await purged(office, ONE)
    again = await office.hear(heard.said)
    assert (again.outcome, again.code) == ("APPLIED", "PURGED")
    found = await office.query("H001", heard.message_id)
    assert found.result.state == "APPLIED"
    assert not found.result.stored_reply


async def test_what_computes_the_past_leaves_the_purged_out(office: Office) -> None:
    await settled(office, "C1", ONE)
    await settled(office, "C2", OTHER)
    office.move_to(LONG_AFTER)
    await purged(office, ONE)
    ids = await replay._all(office.gateway.settings)
    rows = await office.rows(select(settlement.c.settlement_id))
    assert (len(ids), len(rows)) == (1, 2)


async def test_a_correction_over_a_span_names_the_purged_and_looks_at_the_rest(
    office: Office,
) -> None:
    heard = await settled(office, "C1", ONE)
    await settled(office, "C2", OTHER)
    office.move_to(LONG_AFTER)
    await purged(office, ONE)
    text = await office.act("readjudication.propose", cause="CASE", by="甲")
    rows = await office.rows(select(settlement).where(settlement.c.record_key.is_(None)))
    assert [row["admission_id"] for row in rows] == [heard.result.admission_id]
    assert text.splitlines() == [
        f"不能重算 not computable {rows[0]['settlement_id']}: 职工已清除 / the worker was purged",
        "重算 2 笔，0 项建议，1 笔不能重算 / 2 looked at, 0 proposals, 1 not computable",
    ]


async def test_a_record_that_does_not_open_stops_no_other(office: Office) -> None:
    await settled(office, "C1", ONE)
    await settled(office, "C2", OTHER)
    torn = update(settlement).where(settlement.c.case_no == "C1").values(detail=b"0")
    async with by_hand(office.desk.database) as connection:
        await connection.execute(torn)
    text = await office.act("readjudication.propose", cause="CASE", by="甲")
    assert ": 记录打不开 / the record does not open\n重算 2 笔，0 项建议，1 笔不能重算" in text


# --- what stands against it ---


@pytest.mark.parametrize(
    ("day", "why"),
    [(date(2056, 3, 2), "kept until 2056-03-02"), (date(2056, 3, 3), "")],
)
async def test_records_are_kept_to_the_last_day_of_the_term(
    office: Office, day: date, why: str
) -> None:
    await settled(office, "C1", ONE)
    office.move_to(day)
    if not why:
        assert await asked(office, ONE)
        return
    with pytest.raises(NotDone, match=why):
        await asked(office, ONE)


async def test_without_a_term_nobody_is_purged(data: Path) -> None:
    async with office_in(data) as unset:
        await unset.report("C1", ONE)
        unset.move_to(LONG_AFTER)
        with pytest.raises(NotDone, match="GATEWAY_RECORDS_KEPT_YEARS"):
            await asked(unset, ONE)


async def test_an_open_case_and_an_open_bill_hold_the_record(office: Office) -> None:
    await office.report("C1", ONE)
    stay = await office.billed("H001", "V1", ONE)
    office.move_to(LONG_AFTER)
    with pytest.raises(NotDone, match="still open: ") as told:
        await asked(office, ONE)
    assert {"C1", stay} <= set(str(told.value).split(": ")[1].split(", "))


async def test_a_message_not_yet_delivered_holds_the_record(office: Office) -> None:
    await settled(office, "C1", ONE)
    office.move_to(LONG_AFTER)
    person_id = await id_of(office, ONE)
    async with office.desk.database.reading() as reader:
        subjects = (await dealings_of(reader, person_id)).subjects
    async with by_hand(office.desk.database) as connection:
        mine = outbox.c.subject.in_(subjects)
        await connection.execute(update(outbox).where(mine).values(state="WAITING"))
    with pytest.raises(NotDone, match="still open"):
        await asked(office, ONE)


async def test_one_alone_purges_nobody(office: Office) -> None:
    await settled(office, "C1", ONE)
    office.move_to(LONG_AFTER)
    request = await asked(office, ONE)
    with pytest.raises(NotDone, match="does not confirm it"):
        await office.act("purge.confirm", purge=request, by=" 甲 ", reason="同一人")
    assert naming(await said(office), ONE)


async def test_a_dealing_between_asking_and_confirming_stops_it(office: Office) -> None:
    await settled(office, "C1", ONE)
    office.move_to(LONG_AFTER)
    request = await asked(office, ONE)
    await office.report("C2", ONE, injured_on=LONG_AFTER)
    with pytest.raises(NotDone, match="C2"):
        await office.act("purge.confirm", purge=request, **CONFIRMING)
    assert "person" in naming(await said(office), ONE)


async def test_an_unknown_request_or_person_is_told(office: Office) -> None:
    with pytest.raises(NotDone, match="there is no request"):
        await office.act("purge.confirm", purge="X-NOTHING", **CONFIRMING)
    with pytest.raises(NotDone, match="there is no person"):
        await office.act("purge.ask", person="P-NOTHING", **ASKING)


async def test_what_a_crash_left_is_finished_by_confirming_again(office: Office) -> None:
    await settled(office, "C1", ONE)
    office.move_to(LONG_AFTER)
    request = await asked(office, ONE)
    with office.dying_after(3), pytest.raises(StoreFailed):
        await office.act("purge.confirm", purge=request, **CONFIRMING)
    assert "person" in naming(await said(office), ONE)
    await office.act("purge.confirm", purge=request, **CONFIRMING)
    assert naming(await said(office), ONE) == set()
    rows: list[dict[str, Any]] = await office.kept(purge, select(purge))
    assert [(row["state"], row["asked_by"], row["confirmed_by"]) for row in rows] == [
        (purge_person.DONE, "甲", "乙")
    ]
    with pytest.raises(NotDone, match="done already"):
        await office.act("purge.confirm", purge=request, **CONFIRMING)
