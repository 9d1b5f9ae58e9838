"""Suspicions on their way: into the reply, the store and the sheet; and a hold until cleared."""

from typing import Any

import pytest
from sqlalchemy import select

from gateway.domain.admission import BillState, Diagnosis, HoldReason
from gateway.domain.bill import BillLine, Suspicion
from gateway.domain.codes import Outcome
from gateway.domain.commands import DecideLines, RegisterDischarge
from gateway.flows.release_held import release_all
from gateway.store import tables
from gateway.store.frozen import thawed_verdict
from gateway.store.settlements import settlement_by_id
from gateway.store.stays import lines_of, stay_file
from tests.flows.office import AGENCY, DAY, Office
from tests.store.conftest import ASKS_NO_STORE
from tests.world import bill_line

pytestmark = ASKS_NO_STORE

HOSPITAL, SERIAL = "H001", 101
TWICE = (
    bill_line("L1", "I0001", "12.00", "1", DAY),
    bill_line("L2", "I0001", "12.00", "1", DAY),
)
FOUND = Suspicion("A01", ("L1", "L2"), "I0001 2026-03-02 × 2")


async def stayed(office: Office, *lines: BillLine, **discharge: Any) -> str:
    """A recognised worker's stay with these lines, discharged."""
    await office.recognised("C1", SERIAL)
    stay: str = (await office.register(HOSPITAL, "V1", SERIAL)).result.admission_id
    await office.upload(HOSPITAL, stay, *lines)
    now = office.desk.clock.now()
    left = RegisterDischarge(admission_id=stay, discharged_at=now, way="治愈", **discharge)
    await office.say(HOSPITAL, "discharge.register", left)
    return stay


async def test_a_suspicion_is_in_the_reply_and_with_the_settlement(office: Office) -> None:
    stay = await stayed(office, *TWICE)
    heard = await office.commit(HOSPITAL, stay, *TWICE)
    assert heard.result.bill_state is BillState.SETTLED
    assert FOUND in heard.result.suspicions
    async with office.desk.database.reading() as reader:
        kept = await settlement_by_id(reader, heard.result.settlement_id)
    assert kept is not None
    assert thawed_verdict(kept["detail"]).suspicions == heard.result.suspicions


@pytest.fixture
async def held(office: Office) -> str:
    """A bill that basic insurance has settled already: held for a person."""
    stay = await stayed(office, TWICE[0], bmi_settlement_no="BMI0001")
    heard = await office.commit(HOSPITAL, stay, TWICE[0])
    assert (heard.result.bill_state, heard.result.hold) == (BillState.HELD, HoldReason.AUDIT)
    assert heard.result.suspicions == (Suspicion("A24", (), "BMI0001"),)
    return stay


async def test_the_agency_is_told_of_a_bill_that_its_audit_holds(office: Office, held: str) -> None:
    query = select(tables.outbox).where(tables.outbox.c.receiver == AGENCY)
    told = [row for row in await office.rows(query) if row["command"] == "settlement.result"]
    assert len(told) == 1


async def test_a_held_suspicion_is_released_by_the_person_who_clears_it(
    office: Office, held: str
) -> None:
    cleared = DecideLines(admission_id=held, by="虚构", reason="已退回医保", cleared=("A24",))
    heard = await office.say(AGENCY, "lines.decide", cleared)
    assert heard.outcome is Outcome.APPLIED
    await release_all(office.desk)
    (row,) = await office.rows(select(tables.settlement))
    assert (row["admission_id"], row["fund_fen"]) == (held, 1200)


async def test_a_hold_stays_while_another_rule_is_cleared(office: Office, held: str) -> None:
    other = DecideLines(admission_id=held, by="虚构", reason="虚构", cleared=("A13",))
    await office.say(AGENCY, "lines.decide", other)
    await release_all(office.desk)
    assert await office.rows(select(tables.settlement)) == []


async def test_a_decision_about_nothing_is_refused(office: Office, held: str) -> None:
    heard = await office.say(
        AGENCY, "lines.decide", DecideLines(admission_id=held, by="虚构", reason="虚构")
    )
    assert (heard.outcome, heard.code) == (Outcome.REFUSED, "VALUE_CONFLICT")


async def test_another_stay_of_the_person_is_seen_but_its_hospital_is_not_told(
    office: Office,
) -> None:
    await office.recognised("C1", SERIAL)
    other = await office.billed("H002", "V9", SERIAL)
    stay = await office.billed(HOSPITAL, "V1", SERIAL, (TWICE[0],))
    heard = await office.commit(HOSPITAL, stay, TWICE[0])
    (found,) = [one for one in heard.result.suspicions if one.code == "A13"]
    assert found.evidence == "2026-03-01 – 2026-03-02"
    assert b"H002" not in heard.sealed
    assert other.encode() not in heard.sealed


async def test_order_dose_doctor_death_and_reported_injury_reach_the_rules(office: Office) -> None:
    told = bill_line(
        "L1",
        "I0001",
        "12.00",
        "1",
        DAY,
        order_no="O1",
        daily_dose=20_000,
        take_home=True,
        doctor_code="D1",
    )
    await office.recognised("C1", SERIAL, diagnoses=(Diagnosis("S62.801", "腕", True),))
    stay = (await office.register(HOSPITAL, "V1", SERIAL)).result.admission_id
    await office.upload(HOSPITAL, stay, told)
    left = RegisterDischarge(admission_id=stay, discharged_at=office.desk.clock.now(), way="死亡")
    await office.say(HOSPITAL, "discharge.register", left)
    async with office.desk.database.reading() as reader:
        file = await stay_file(reader, stay)
        (line,) = await lines_of(reader, stay)
    assert file is not None
    assert file.case is not None
    assert (file.stay.died, file.case.diagnosis_codes) == (True, frozenset({"S62.801"}))
    kept = (line.order_no, line.daily_dose, line.take_home, line.doctor_code)
    assert kept == ("O1", 20_000, True, "D1")
    heard = await office.commit(HOSPITAL, stay, told)
    assert Suspicion("A12", (), "S8 ∉ S6") in heard.result.suspicions
