"""What holds around a settled bill: payee, outcome, frozen facts, undoing in order, the book."""

import json
from dataclasses import replace
from datetime import date, timedelta
from types import MappingProxyType
from typing import Any

import pytest
from sqlalchemy import select

from gateway.domain.admission import PaidAtDischargeBy
from gateway.domain.bill import Payout
from gateway.domain.case import CaseState, ThirdParty
from gateway.domain.codes import Outcome
from gateway.domain.commands import (
    CancelDischarge,
    CancelSettlement,
    HospitalRow,
    ModifyAdmission,
    ReconcileDetails,
)
from gateway.domain.results import Settlement
from gateway.flows.administer import NotDone
from gateway.flows.release_held import release_all
from gateway.store import tables
from gateway.store.frozen import thawed_verdict
from tests.flows.office import AGENCY, DAY, LINES, Heard, Office
from tests.world import DIAGNOSIS, bill_line, person

NOBODY, EMPLOYER = PaidAtDischargeBy.NOBODY, PaidAtDischargeBy.EMPLOYER


async def billed(office: Office) -> str:
    await office.recognised("C1", 1)
    return await office.billed("H001", "V1", 1)


async def cancel(office: Office, settlement_id: str) -> Heard:
    command = CancelSettlement(settlement_id=settlement_id, reason="虚构", operator="op1")
    heard = await office.say("H001", "settlement.cancel", command)
    assert heard.outcome is Outcome.APPLIED, heard.code
    return heard


# --- who is paid ------------------------------------------------------------------------------


async def held_and_taken_back(office: Office, paid_by: PaidAtDischargeBy) -> str:
    """A bill that was held, its commit reversed, and whose case is recognised now."""
    await office.report("C1", 1)
    stay = await office.billed("H001", "V1", 1)
    held = await office.commit("H001", stay, *LINES, paid_at_discharge_by=paid_by)
    assert held.code == "HELD"
    await office.reverse("H001", held.message_id, "settlement.commit")
    await office.decide("C1", CaseState.RECOGNISED)
    await release_all(office.desk)
    return stay


@pytest.mark.parametrize(
    ("first", "then", "payee"),
    [
        (EMPLOYER, NOBODY, "employer"),
        (NOBODY, EMPLOYER, "employer"),
        (EMPLOYER, PaidAtDischargeBy.INDIVIDUAL, "individual"),
        (NOBODY, NOBODY, "hospital"),
    ],
)
async def test_who_paid_while_the_bill_was_held_is_paid_by_a_later_commit(
    office: Office, first: PaidAtDischargeBy, then: PaidAtDischargeBy, payee: str
) -> None:
    stay = await held_and_taken_back(office, first)
    settled = await office.commit("H001", stay, *LINES, paid_at_discharge_by=then)
    assert (settled.code, medical_payees(settled.result.payout)) == ("OK", [payee])


async def test_who_paid_is_remembered_when_the_bill_is_held_again(office: Office) -> None:
    stay = await held_and_taken_back(office, EMPLOYER)
    await office.decide("C1", CaseState.REVOKED)
    assert (await office.commit("H001", stay, *LINES)).code == "HELD"
    await office.decide("C1", CaseState.ACCEPTED)
    await office.decide("C1", CaseState.RECOGNISED)
    await release_all(office.desk)
    [row] = await office.kept(tables.settlement, select(tables.settlement))
    payout = thawed_verdict(json.loads(row["detail"])).payout
    assert medical_payees(payout) == ["employer"]


def medical_payees(payout: Payout) -> list[str]:
    """Who gets medical fees of the fund."""
    return [one.payee for one in payout.shares if one.medical_fen]


# --- what a query finds -----------------------------------------------------------------------


async def test_the_outcome_of_a_commit_is_found_after_another_commit(office: Office) -> None:
    await office.report("C1", 1)
    stay = await office.billed("H001", "V1", 1)
    first = await office.commit("H001", stay, *LINES)
    await office.decide("C1", CaseState.RECOGNISED)
    await release_all(office.desk)
    outcome_id = (await office.query("H001", first.message_id)).result.outcome_message_id
    assert outcome_id
    [row] = await office.rows(select(tables.settlement))
    await cancel(office, row["settlement_id"])
    second = await office.commit("H001", stay, *LINES)
    found = (await office.query("H001", first.message_id)).result
    assert found.outcome_message_id == outcome_id
    found = (await office.query("H001", second.message_id)).result
    assert (found.bill_state, found.outcome_message_id) == ("SETTLED", "")


# --- what is frozen ---------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["HELD", "SETTLED"])
async def test_diagnoses_are_frozen_with_the_bill(office: Office, state: str) -> None:
    stay = await billed(office)
    if state == "HELD":
        await office.decide("C1", CaseState.REVOKED)
    committed = await office.commit("H001", stay, *LINES)
    assert committed.result.bill_state == state
    command = ModifyAdmission(admission_id=stay, diagnoses=(DIAGNOSIS,))
    heard = await office.say("H001", "admission.modify", command)
    assert (heard.outcome, heard.code) == (Outcome.REFUSED, "LINES_FROZEN")


async def test_a_bed_may_still_change_while_the_bill_is_held(office: Office) -> None:
    stay = await billed(office)
    await office.decide("C1", CaseState.REVOKED)
    await office.commit("H001", stay, *LINES)
    heard = await office.say(
        "H001", "admission.modify", ModifyAdmission(admission_id=stay, bed="9")
    )
    assert heard.outcome is Outcome.APPLIED


async def manual(office: Office) -> tuple[str, Heard]:
    """A bill for which the region wants a manual claim: a third party is liable."""
    stay = await billed(office)
    policy = office.desk.policy
    found = policy.parameters["third_party/policy"]
    by_hand = tuple(replace(value, amount="MANUAL") for value in found.values)
    changed = {**policy.parameters, "third_party/policy": replace(found, values=by_hand)}
    office.desk.policy = replace(policy, parameters=MappingProxyType(changed))
    await office.decide("C1", CaseState.REVOKED)
    await office.decide("C1", CaseState.ACCEPTED)
    await office.decide("C1", CaseState.RECOGNISED, third_party=ThirdParty.CONFIRMED_PAID)
    return stay, await office.commit("H001", stay, *LINES)


async def test_the_agency_learns_of_a_bill_for_manual_reimbursement(office: Office) -> None:
    stay, heard = await manual(office)
    assert (heard.outcome, heard.code) == (Outcome.APPLIED, "MANUAL")
    query = select(tables.outbox).where(tables.outbox.c.command == "settlement.result")
    [row] = await office.kept(tables.outbox, query)
    _, told = office.opened(AGENCY, bytes(row["sealed"]))
    assert (row["receiver"], told.admission_id, told.bill_state) == (AGENCY, stay, "MANUAL")


async def test_a_bill_for_manual_reimbursement_freezes_lines_and_discharge(office: Office) -> None:
    stay, _ = await manual(office)
    more = bill_line("L3", "I0001", "12.00", "1", DAY)
    assert (await office.upload("H001", stay, more)).code == "LINES_FROZEN"
    assert (await cancel_discharge(office, stay)).code == "HAS_DEPENDENTS"


# --- undoing in order -------------------------------------------------------------------------


async def cancel_discharge(office: Office, stay: str) -> Heard:
    command = CancelDischarge(admission_id=stay, reason="虚构")
    return await office.say("H001", "discharge.cancel", command)


async def test_only_the_latest_cancelled_discharge_is_restored(office: Office) -> None:
    stay = await billed(office)
    first = await cancel_discharge(office, stay)
    await office.discharge("H001", stay)
    second = await cancel_discharge(office, stay)
    heard = await office.reverse("H001", first.message_id, "discharge.cancel")
    assert (heard.outcome, heard.code) == (Outcome.REFUSED, "HAS_DEPENDENTS")
    heard = await office.reverse("H001", second.message_id, "discharge.cancel")
    assert heard.outcome is Outcome.APPLIED


async def test_a_reinstated_settlement_is_recorded_as_going_from_open_to_settled(
    office: Office,
) -> None:
    stay = await billed(office)
    settled = await office.commit("H001", stay, *LINES)
    cancelled = await cancel(office, settled.result.settlement_id)
    await office.reverse("H001", cancelled.message_id, "settlement.cancel")
    query = select(tables.audit).where(tables.audit.c.subject == stay)
    moves = [
        (row["action"], row["from_state"], row["to_state"])
        for row in await office.rows(query.order_by(tables.audit.c.at_us))
        if row["action"] in ("settlement.cancel", "transaction.reverse")
    ]
    assert sorted(moves) == [
        ("settlement.cancel", "SETTLED", "OPEN"),
        ("transaction.reverse", "OPEN", "SETTLED"),
    ]


# --- the day's book ---------------------------------------------------------------------------


def booked(one: Settlement, **changed: Any) -> HospitalRow:
    assert one.business_day is not None
    row = HospitalRow(
        settlement_id=one.settlement_id,
        day=one.business_day,
        id_no=person(1).id_no,
        reversed=False,
        split=one.split,
        meal_fen=one.meal.amount_fen if one.meal else 0,
    )
    return replace(row, **changed)


async def details(office: Office, day: date, *rows: HospitalRow) -> list[tuple[str, str]]:
    command = ReconcileDetails(day=day, rows=rows)
    heard = await office.say("H001", "reconcile.details", command)
    return [(one.kind, one.settlement_id) for one in heard.result.differences]


async def test_a_reversal_of_the_next_day_is_no_difference_of_the_day(office: Office) -> None:
    stay = await billed(office)
    one = (await office.commit("H001", stay, *LINES)).result
    office.move_to(DAY + timedelta(days=1))
    await cancel(office, one.settlement_id)
    office.move_to(DAY + timedelta(days=2))
    assert await details(office, DAY, booked(one)) == []


@pytest.mark.parametrize("known_to", ["hospital", "centre", "both"])
async def test_a_reversal_of_an_old_settlement_is_matched_or_a_state_that_differs(
    office: Office, known_to: str
) -> None:
    stay = await billed(office)
    one: Settlement = (await office.commit("H001", stay, *LINES)).result
    day = DAY + timedelta(days=10)
    office.move_to(day)
    if known_to != "hospital":
        await cancel(office, one.settlement_id)
    office.move_to(day + timedelta(days=1))
    theirs = booked(one)
    reversal = replace(
        theirs, reversed=True, day=day, split=one.split.negated(), meal_fen=-theirs.meal_fen
    )
    rows = () if known_to == "centre" else (reversal,)
    expected = [] if known_to == "both" else [("STATUS_DIFF", one.settlement_id)]
    assert await details(office, day, *rows) == expected


# --- names ------------------------------------------------------------------------------------


async def test_nobody_is_registered_under_the_gateways_own_id(office: Office) -> None:
    with pytest.raises(NotDone, match="the gateway's own id"):
        await office.add("hospital", office.desk.gateway_id)
