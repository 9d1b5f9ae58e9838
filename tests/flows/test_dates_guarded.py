"""Dates that cannot be: what lies ahead, what precedes the injury, what is out of order."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from gateway.clock import at_business
from gateway.domain.admission import AdmissionRefusal, BillState, HoldReason
from gateway.domain.bill import Relation
from gateway.domain.case import CaseState
from gateway.domain.codes import Outcome
from gateway.domain.commands import (
    CheckAdmission,
    DecideLines,
    LineDecision,
    PreviewSettlement,
    RegisterDischarge,
)
from gateway.flows.release_held import release_all
from gateway.store import tables
from tests.flows.office import AGENCY, DAY, LINES, Heard, Office, office_in

BEFORE = date(2026, 2, 27)
TOMORROW = date(2026, 3, 3)


async def the_stay(office: Office) -> dict[str, Any]:
    [row] = await office.rows(select(tables.admission))
    return row


async def left(office: Office, stay: str, ahead: timedelta) -> Heard:
    at = office.desk.clock.now() + ahead
    command = RegisterDischarge(admission_id=stay, discharged_at=at, way="治愈")
    return await office.say("H001", "discharge.register", command)


async def previewed(office: Office, stay: str, **given: Any) -> Heard:
    amount = sum(line.amount_fen for line in LINES)
    command = PreviewSettlement(
        admission_id=stay, expected_count=len(LINES), expected_amount_fen=amount, **given
    )
    return await office.say("H001", "settlement.preview", command)


# --- what lies ahead --------------------------------------------------------------------------


async def test_an_admission_ahead_is_refused(office: Office) -> None:
    await office.recognised("C1", 1)
    heard = await office.register("H001", "V1", 1, admitted_at=at_business(date(2030, 1, 1), 9))
    assert (heard.outcome, heard.code) == (Outcome.REFUSED, "FUTURE_DATE")
    assert [one.field for one in heard.result.findings] == ["AdmittedAt"]
    assert await office.rows(select(tables.admission)) == []


async def test_a_discharge_ahead_is_refused_but_clocks_may_differ_by_minutes(
    office: Office,
) -> None:
    await office.recognised("C1", 1)
    stay = (await office.register("H001", "V1", 1)).result.admission_id
    assert (await left(office, stay, timedelta(days=90))).code == "FUTURE_DATE"
    assert (await left(office, stay, timedelta(minutes=6))).code == "FUTURE_DATE"
    assert (await the_stay(office))["discharged_us"] is None
    assert (await left(office, stay, timedelta(minutes=4))).code == "OK"


async def test_a_line_of_a_day_that_has_not_begun_is_rejected_alone(office: Office) -> None:
    await office.recognised("C1", 1)
    stay = (await office.register("H001", "V1", 1)).result.admission_id
    ahead = LINES[0]._replace(occurred_at=at_business(TOMORROW, 10), service_day=TOMORROW)
    heard = await office.upload("H001", stay, ahead, LINES[1])
    answers = {one.line_id: one for one in heard.result.answers}
    assert answers["L1"].finding.code == "FUTURE_DATE"
    assert answers["L2"].status == "accepted"
    assert heard.result.kept_count == 1


# --- what precedes the injury -----------------------------------------------------------------


async def test_a_stay_begun_before_the_injury_waits_for_the_agency(office: Office) -> None:
    await office.recognised("C1", 1)
    heard = await office.register("H001", "V1", 1, admitted_at=at_business(BEFORE, 9))
    assert heard.result.state == "PENDING_CHECK"
    assert heard.result.note == "admitted before the injury"


@pytest.mark.parametrize("confirmed", [False, True])
async def test_its_bill_is_paid_only_when_the_agency_confirmed_it(
    office: Office, confirmed: bool
) -> None:
    await office.recognised("C1", 1)
    stay = await office.billed("H001", "V1", 1, admitted_at=at_business(BEFORE, 9))
    if confirmed:
        command = CheckAdmission(admission_id=stay, by="经办", reason="虚构", refusal=None)
        await office.say(AGENCY, "admission.check", command)
    heard = await office.commit("H001", stay, *LINES)
    assert heard.result.bill_state == ("SETTLED" if confirmed else "HELD")


async def test_a_report_takes_only_the_waiting_stays_since_the_injury(office: Office) -> None:
    earlier = await office.register("H001", "V1", 1, admitted_at=at_business(BEFORE, 9))
    later = await office.register("H001", "V2", 1)
    await office.report("C1", 1)
    rows = await office.rows(select(tables.admission))
    linked = {row["admission_id"]: row["case_no"] for row in rows}
    assert linked == {earlier.result.admission_id: "", later.result.admission_id: "C1"}


# --- outside the stay -------------------------------------------------------------------------


async def test_fees_of_the_day_before_the_admission_wait_until_the_agency_saw_them(
    office: Office,
) -> None:
    await office.recognised("C1", 1, injured_on=BEFORE)
    eve = date(2026, 3, 1)
    line = LINES[0]._replace(occurred_at=at_business(eve, 10), service_day=eve)
    stay = await office.billed("H001", "V1", 1, (line,), admitted_at=at_business(DAY, 8))
    held = (await office.commit("H001", stay, line)).result
    assert (held.bill_state, held.hold) == (BillState.HELD, HoldReason.LINES_IN_REVIEW)
    assert held.note == "L1 Relation scope/outpatient ∉ 2026-03-02 – 2026-03-02"
    seen = (LineDecision(line_id="L1", relation=Relation.INJURY),)
    command = DecideLines(admission_id=stay, by="经办", reason="连续救治（虚构）", lines=seen)
    assert (await office.say(AGENCY, "lines.decide", command)).code == "OK"
    await release_all(office.desk)
    [row] = await office.rows(select(tables.settlement))
    assert row["fund_fen"] == line.amount_fen


# --- a case's own days ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "fields"),
    [
        ({"accepted_on": date(2026, 3, 1)}, ["AcceptedOn"]),
        ({"applied_on": BEFORE}, ["AppliedOn"]),
        ({"decided_on": date(2026, 3, 1)}, ["DecidedOn"]),
        ({"decided_on": TOMORROW}, ["DecidedOn"]),
        (
            {"applied_on": TOMORROW, "accepted_on": TOMORROW, "decided_on": TOMORROW},
            ["AppliedOn", "AcceptedOn", "DecidedOn"],
        ),
    ],
)
async def test_a_decision_out_of_order_or_ahead_is_refused(
    office: Office, given: dict[str, Any], fields: list[str]
) -> None:
    await office.report("C1", 1)
    heard = await office.decide("C1", CaseState.RECOGNISED, **given)
    assert (heard.outcome, heard.code) == (Outcome.REFUSED, "VALUE_CONFLICT")
    assert [one.field for one in heard.result.findings] == fields


async def test_a_later_decision_may_not_precede_the_acceptance_on_record(office: Office) -> None:
    await office.report("C1", 1)
    await office.decide("C1", CaseState.ACCEPTED)
    given = {"applied_on": None, "accepted_on": None, "decided_on": date(2026, 3, 1)}
    heard = await office.decide("C1", CaseState.RECOGNISED, **given)
    assert heard.code == "VALUE_CONFLICT"


async def test_a_report_ahead_is_refused(office: Office) -> None:
    tomorrow = at_business(TOMORROW, 9)
    heard = await office.report("C1", 1, injured_on=TOMORROW, reported_at=tomorrow)
    assert (heard.outcome, heard.code) == (Outcome.REFUSED, "VALUE_CONFLICT")
    assert [one.field for one in heard.result.findings] == ["InjuredOn", "ReportedAt"]


# --- previews ---------------------------------------------------------------------------------


async def test_a_preview_to_a_day_before_the_admission_is_refused(office: Office) -> None:
    await office.recognised("C1", 1)
    stay = (await office.register("H001", "V1", 1)).result.admission_id
    await office.upload("H001", stay, *LINES)
    heard = await previewed(office, stay, discharged_at=at_business(BEFORE, 9))
    assert (heard.outcome, heard.code) == (Outcome.REFUSED, "DISCHARGE_BEFORE_ADMISSION")


async def test_a_preview_says_whether_the_bill_is_open_or_settled(office: Office) -> None:
    await office.recognised("C1", 1)
    stay = await office.billed("H001", "V1", 1)
    assert (await previewed(office, stay)).result.bill_state == "OPEN"
    settled = (await office.commit("H001", stay, *LINES)).result
    again = (await previewed(office, stay)).result
    assert (again.bill_state, again.split) == ("SETTLED", settled.split)


async def test_a_preview_of_a_bill_still_to_be_released_says_held(office: Office) -> None:
    await office.report("C1", 1)
    stay = await office.billed("H001", "V1", 1)
    await office.commit("H001", stay, *LINES)
    await office.decide("C1", CaseState.RECOGNISED)
    command = CheckAdmission(admission_id=stay, by="经办", reason="虚构", refusal=None)
    await office.say(AGENCY, "admission.check", command)
    held = (await previewed(office, stay)).result
    assert (held.bill_state, held.hold) == ("HELD", "CASE_UNDECIDED")
    await release_all(office.desk)
    assert (await previewed(office, stay)).result.bill_state == "SETTLED"


# --- a recognition refused, revoked and taken anew --------------------------------------------


async def not_recognised(office: Office) -> str:
    """A registration and a bill refused by the release, for want of recognition."""
    await office.report("C1", 1)
    stay = await office.billed("H001", "V1", 1)
    await office.commit("H001", stay, *LINES)
    await office.decide("C1", CaseState.NOT_RECOGNISED)
    await release_all(office.desk)
    row = await the_stay(office)
    assert (row["state"], row["refusal"]) == ("REFUSED", "NO_RECOGNITION_RECORD")
    assert (row["bill_state"], row["live"]) == ("REFUSED", None)
    return stay


async def anew(office: Office, *states: CaseState) -> None:
    for state in states:
        await office.decide("C1", state)
        await release_all(office.desk)


async def test_a_recognition_taken_anew_reopens_registration_and_bill(office: Office) -> None:
    stay = await not_recognised(office)
    await anew(office, CaseState.REVOKED)
    row = await the_stay(office)
    assert (row["state"], row["refusal"], row["live"]) == ("HELD", "", 1)
    await anew(office, CaseState.ACCEPTED, CaseState.RECOGNISED)
    assert (await the_stay(office))["state"] == "CONFIRMED"
    heard = await office.commit("H001", stay, *LINES)
    assert (heard.code, heard.result.bill_state) == ("OK", "SETTLED")


async def test_a_visit_registered_anew_meanwhile_keeps_its_place(office: Office) -> None:
    old = await not_recognised(office)
    await office.decide("C1", CaseState.REVOKED)
    new = (await office.register("H001", "V1", 1)).result.admission_id
    await anew(office, CaseState.ACCEPTED, CaseState.RECOGNISED)
    rows = await office.rows(select(tables.admission))
    assert {row["admission_id"]: row["state"] for row in rows} == {
        old: "REFUSED",
        new: "CONFIRMED",
    }


async def test_a_registration_refused_in_its_reply_stays_refused(office: Office) -> None:
    await office.report("C1", 1)
    await office.decide("C1", CaseState.NOT_RECOGNISED)
    assert (await office.register("H001", "V1", 1)).code == "NO_RECOGNITION_RECORD"
    await anew(office, CaseState.REVOKED, CaseState.ACCEPTED, CaseState.RECOGNISED)
    assert (await the_stay(office))["state"] == "REFUSED"


async def test_a_refusal_of_another_ground_is_final(office: Office) -> None:
    await office.report("C1", 1)
    stay = (await office.register("H001", "V1", 1)).result.admission_id
    command = CheckAdmission(
        admission_id=stay, by="经办", reason="虚构", refusal=AdmissionRefusal.OTHER
    )
    await office.say(AGENCY, "admission.check", command)
    await anew(office, CaseState.RECOGNISED, CaseState.REVOKED, CaseState.ACCEPTED)
    assert (await the_stay(office))["state"] == "REFUSED"


async def test_a_bill_ended_at_release_forgets_what_it_waited_for(tmp_path: Path) -> None:
    async with office_in(tmp_path) as office:
        await office.add("agency", AGENCY)
        await office.hospital("H001")
        await office.recognised("C1", 1)
        stay = await office.billed("H001", "V1", 1)
        await office.commit("H001", stay, *LINES)
        assert (await the_stay(office))["hold_key"].startswith("catalogue/")
        for state in (CaseState.REVOKED, CaseState.ACCEPTED, CaseState.NOT_RECOGNISED):
            await office.decide("C1", state)
        await release_all(office.desk)
        row = await the_stay(office)
        assert row["bill_state"] == "REFUSED"
        assert (row["hold_reason"], row["hold_key"], row["hold_day"]) == ("", "", None)
