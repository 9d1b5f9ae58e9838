"""Assistive devices 辅助器具: the institution's own bill, caps, lives, and who sees whom."""

import asyncio
from datetime import date
from typing import Any

import pytest
from sqlalchemy import select

from gateway.clock import at_business
from gateway.domain.admission import BillState
from gateway.domain.bill import BillLine, Relation
from gateway.domain.case import ApprovalKind, AuthorityKind, CaseState, TreatmentKind
from gateway.domain.codes import Outcome
from gateway.domain.commands import (
    CancelSettlement,
    DecideApproval,
    DecideLines,
    LineDecision,
    StopBenefit,
)
from gateway.domain.split import Payer
from gateway.flows.release_held import release_all
from gateway.store import tables
from tests.flows import test_cuts as cutting
from tests.flows.office import AGENCY, LINES, Heard, Office, at_barrier
from tests.flows.test_readjudication import approved, proposals
from tests.store.conftest import ASKS_NO_STORE
from tests.world import bill_line

pytestmark = ASKS_NO_STORE

FIRST, SECOND = "D001", "D002"
HAND, CHAIR = "A0002", "A0004"
FITTED, TOO_EARLY = date(2026, 3, 2), date(2026, 11, 2)


async def shop(office: Office, party_id: str) -> None:
    await office.hospital(party_id, capabilities=["DEVICE"])


async def confirmed(office: Office, **given: Any) -> Heard:
    values: dict[str, Any] = {
        "approval_no": "P1",
        "case_no": "C1",
        "kind": ApprovalKind.DEVICE,
        "granted": True,
        "authority_kind": AuthorityKind.ASSESSMENT_COMMITTEE,
        "authority": "示例市劳动能力鉴定委员会（虚构）",
        "by": "虚构经办",
        "valid_from": date(2026, 3, 1),
        "valid_to": date(2027, 12, 31),
        "device_codes": (HAND,),
    }
    return await office.say(AGENCY, "approval.decide", DecideApproval(**(values | given)))


def hand(day: date, **more: Any) -> BillLine:
    return bill_line("L1", HAND, "7200.00", "1", day, consent=Payer.INDIVIDUAL, **more)


async def fitted(office: Office, party_id: str, visit_no: str, day: date) -> str:
    """A device fitted on a day: registered, charged and handed over, ready to commit."""
    if office.desk.clock.now() < at_business(day, 11):
        office.move_to(day, 11)
    return await office.billed(
        party_id,
        visit_no,
        1,
        (hand(day),),
        treatment=TreatmentKind.DEVICE,
        admitted_at=at_business(day, 10),
    )


async def settled(office: Office, party_id: str, visit_no: str, day: date) -> Heard:
    stay = await fitted(office, party_id, visit_no, day)
    return await office.commit(party_id, stay, hand(day))


async def opened(office: Office) -> None:
    await office.recognised("C1", 1)
    await shop(office, FIRST)
    await shop(office, SECOND)


def borne(heard: Heard) -> tuple[int, int]:
    assert heard.result.bill_state is BillState.SETTLED, heard.result
    return heard.result.split.fund_fen, heard.result.split.individual_fen


async def test_a_device_waits_for_the_committee_and_has_no_meal_allowance(office: Office) -> None:
    await opened(office)
    stay = await fitted(office, FIRST, "V1", FITTED)
    registered = await office.rows(select(tables.admission.c.state))
    assert registered == [{"state": "PENDING_CHECK"}]
    held = await office.commit(FIRST, stay, hand(FITTED))
    assert held.code == "HELD"
    await confirmed(office)
    while await release_all(office.desk):
        pass
    [row] = await office.rows(select(tables.settlement))
    assert (row["fund_fen"], row["individual_fen"], row["meal_fen"]) == (570_000, 150_000, 0)


async def test_a_device_waits_for_the_confirmation_that_names_it(office: Office) -> None:
    await opened(office)
    await confirmed(office, device_codes=(CHAIR,))
    stay = await fitted(office, FIRST, "V1", FITTED)
    held = await office.commit(FIRST, stay, hand(FITTED))
    assert held.code == "HELD"
    assert held.result.note == (
        f"approval DEVICE of {HAND} on {FITTED} by ASSESSMENT_COMMITTEE; P1 is for another device"
    )
    await confirmed(office, approval_no="P2")
    while await release_all(office.desk):
        pass
    [row] = await office.rows(select(tables.settlement))
    assert row["fund_fen"] == 570_000


async def test_a_device_given_back_is_no_longer_the_funds(office: Office) -> None:
    await opened(office)
    await confirmed(office, device_codes=(CHAIR, HAND))
    stay = await fitted(office, FIRST, "V1", FITTED)
    back = hand(FITTED)._replace(
        line_id="R1", quantity=-10_000, amount_fen=-720_000, refund_of="L1"
    )
    await office.upload(FIRST, stay, back)
    assert borne(await office.commit(FIRST, stay, hand(FITTED), back)) == (0, 0)


async def test_a_hospital_without_a_device_agreement_does_not_fit_devices(office: Office) -> None:
    await opened(office)
    await confirmed(office)
    heard = await office.register("H001", "V1", 1, treatment=TreatmentKind.DEVICE)
    assert heard.code == "NON_AGREEMENT_OR_OUT_OF_REGION"
    heard = await office.register(FIRST, "V1", 1)
    assert heard.code == "NON_AGREEMENT_OR_OUT_OF_REGION"


async def test_a_device_on_the_bill_of_a_hospital_without_its_agreement_waits_for_the_agency(
    office: Office,
) -> None:
    await opened(office)
    await confirmed(office, device_codes=(HAND,))
    stay = await office.billed("H001", "V1", 1, (hand(FITTED),))
    held = await office.commit("H001", stay, hand(FITTED))
    assert held.result.note == "L1 Relation capability DEVICE"
    seen = (LineDecision(line_id="L1", relation=Relation.INJURY),)
    command = DecideLines(admission_id=stay, by="经办", reason="虚构", lines=seen)
    assert (await office.say(AGENCY, "lines.decide", command)).code == "OK"
    await release_all(office.desk)
    [row] = await office.rows(select(tables.settlement))
    assert row["fund_fen"] == 570_000


async def test_a_drug_on_the_bill_of_an_institution_for_devices_waits_for_the_agency(
    office: Office,
) -> None:
    await opened(office)
    await confirmed(office)
    given = {"treatment": TreatmentKind.DEVICE, "admitted_at": at_business(FITTED, 8)}
    stay = await office.billed(FIRST, "V1", 1, LINES[:1], **given)
    held = await office.commit(FIRST, stay, LINES[0])
    assert held.result.note == "L1 Relation capability MEDICAL"


@pytest.mark.parametrize(
    ("day", "fund_fen"),
    [
        (TOO_EARLY, 0),
        (date(2027, 3, 2), 0),
        (date(2027, 3, 3), 570_000),
    ],
    ids=["after eight months", "the last day of its life", "the day after"],
)
async def test_a_device_is_replaced_once_its_life_has_ended(
    office: Office, day: date, fund_fen: int
) -> None:
    await opened(office)
    await confirmed(office)
    assert borne(await settled(office, FIRST, "V1", FITTED)) == (570_000, 150_000)
    again = await settled(office, SECOND, "V2", day)
    assert borne(again) == (fund_fen, 720_000 - fund_fen)
    reasons = again.result.lines[0].reasons
    assert reasons == (("OVER_CEILING",) if fund_fen else ("LIFE_NOT_ENDED",))


async def test_a_device_that_the_fund_did_not_pay_begins_no_life(office: Office) -> None:
    await opened(office)
    await confirmed(office)
    await settled(office, FIRST, "V1", FITTED)
    assert borne(await settled(office, SECOND, "V2", TOO_EARLY))[0] == 0
    assert borne(await settled(office, FIRST, "V3", date(2027, 3, 3)))[0] == 570_000


async def test_a_device_that_the_employer_bears_by_law_begins_a_life(office: Office) -> None:
    await office.report("C1", 1, injured_on=date(2026, 1, 1))
    late = {"applied_on": date(2026, 4, 20), "accepted_on": date(2026, 4, 24)}
    office.move_to(date(2026, 4, 30), 9)
    await office.decide("C1", CaseState.RECOGNISED, **late)
    await shop(office, FIRST)
    await shop(office, SECOND)
    await confirmed(office)
    first = (await settled(office, FIRST, "V1", FITTED)).result
    assert (first.split.employer_fen, first.split.individual_fen) == (570_000, 150_000)
    second = (await settled(office, SECOND, "V2", TOO_EARLY)).result
    assert (second.split.fund_fen, second.lines[0].reasons) == (0, ("LIFE_NOT_ENDED",))


async def test_a_device_settled_after_a_later_one_leaves_the_later_one_to_be_decided_again(
    office: Office,
) -> None:
    await opened(office)
    await confirmed(office)
    waiting = await fitted(office, FIRST, "V1", FITTED)
    later = await settled(office, SECOND, "V2", TOO_EARLY)
    assert borne(later)[0] == 570_000
    assert borne(await office.commit(FIRST, waiting, hand(FITTED)))[0] == 570_000
    while await release_all(office.desk):
        pass
    [row] = await proposals(office)
    assert row["settlement_id"] == later.result.settlement_id
    assert (row["fund_fen"], row["individual_fen"]) == (-570_000, 570_000)


async def test_a_held_device_released_after_a_later_one_does_the_same(office: Office) -> None:
    await opened(office)
    waiting = await fitted(office, FIRST, "V1", FITTED)
    assert (await office.commit(FIRST, waiting, hand(FITTED))).code == "HELD"
    await confirmed(office, approval_no="P2", valid_from=TOO_EARLY)
    later = await settled(office, SECOND, "V2", TOO_EARLY)
    await confirmed(office)
    while await release_all(office.desk):
        pass
    [row] = await proposals(office)
    assert row["settlement_id"] == later.result.settlement_id
    assert (row["fund_fen"], row["individual_fen"]) == (-570_000, 570_000)


async def test_a_cancelled_device_runs_no_life_and_does_not_come_back_beside_another(
    office: Office,
) -> None:
    await opened(office)
    await confirmed(office)
    first = await settled(office, FIRST, "V1", FITTED)
    cancel = CancelSettlement(
        settlement_id=first.result.settlement_id, reason="虚构", operator="op1"
    )
    cancelled = await office.say(FIRST, "settlement.cancel", cancel)
    assert cancelled.outcome is Outcome.APPLIED
    assert borne(await settled(office, SECOND, "V2", TOO_EARLY))[0] == 570_000
    back = await office.reverse(FIRST, cancelled.message_id, "settlement.cancel")
    assert back.code == "REVERSE_TOO_LATE"


async def test_a_cancelled_device_comes_back_when_no_other_was_paid_since(office: Office) -> None:
    await opened(office)
    await confirmed(office)
    first = await settled(office, FIRST, "V1", FITTED)
    cancel = CancelSettlement(
        settlement_id=first.result.settlement_id, reason="虚构", operator="op1"
    )
    cancelled = await office.say(FIRST, "settlement.cancel", cancel)
    back = await office.reverse(FIRST, cancelled.message_id, "settlement.cancel")
    assert back.outcome is Outcome.APPLIED
    assert borne(await settled(office, SECOND, "V2", TOO_EARLY))[0] == 0


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
async def test_of_two_devices_settled_at_once_the_fund_pays_one(
    office: Office, order: tuple[int, int]
) -> None:
    await opened(office)
    await confirmed(office)
    stays = [
        (FIRST, await fitted(office, FIRST, "V1", FITTED)),
        (SECOND, await fitted(office, SECOND, "V2", FITTED)),
    ]
    desk, barrier = at_barrier(office.desk, order)
    asked = [
        await office.request(party_id, "settlement.commit", office.commit_of(stay, hand(FITTED)))
        for party_id, stay in stays
    ]
    heard = await asyncio.gather(*(office.hear(one, desk) for one in asked))
    assert barrier.arrived == 2
    assert sorted(borne(one)[0] for one in heard) == [0, 570_000]


async def test_a_device_is_no_stay_that_overlaps_another(office: Office) -> None:
    await opened(office)
    await confirmed(office)
    office.move_to(FITTED, 11)
    device = await office.register(
        FIRST, "V1", 1, treatment=TreatmentKind.DEVICE, admitted_at=at_business(FITTED, 10)
    )
    stay = await office.billed("H001", "V9", 1)
    await office.upload(FIRST, device.result.admission_id, hand(FITTED))
    office.move_to(date(2026, 3, 6))
    await office.discharge(FIRST, device.result.admission_id)
    fitted_bill = await office.commit(FIRST, device.result.admission_id, hand(FITTED))
    hospital_bill = await office.commit("H001", stay, *LINES)
    other = await office.billed("H002", "V8", 1)
    second_bill = await office.commit("H002", other, *LINES)
    for heard in (fitted_bill, hospital_bill):
        assert "A13" not in [one.code for one in heard.result.suspicions]
    assert "A13" in [one.code for one in second_bill.result.suspicions]


async def stopped(office: Office) -> None:
    """It turns out that benefits were stopped on the day of the first device."""
    stop = StopBenefit(
        case_no="C1",
        valid_from=FITTED,
        valid_to=FITTED,
        ground="拒绝治疗",
        notice_no="N1",
        served_on=FITTED,
    )
    await office.say(AGENCY, "benefit.stop", stop)
    await release_all(office.desk)


async def cut_away(office: Office, stay: str) -> str:
    """The only line of a device's bill is upheld as a violation; the number of the cut."""
    await cutting.find(office, stay)
    [one] = await cutting.cuts(office, stay, FIRST)
    await cutting.answer(office, one.cut_no, FIRST)
    assert (await cutting.decide(office, one.cut_no)).outcome is Outcome.APPLIED
    return one.cut_no


async def test_a_device_that_an_upheld_cut_took_from_the_fund_runs_no_life(office: Office) -> None:
    await opened(office)
    await confirmed(office)
    await cut_away(office, (await settled(office, FIRST, "V1", FITTED)).result.admission_id)
    assert borne(await settled(office, SECOND, "V2", TOO_EARLY)) == (570_000, 150_000)


async def test_a_cut_decided_after_the_next_device_lets_that_one_be_looked_at_again(
    office: Office,
) -> None:
    await opened(office)
    await confirmed(office)
    first = await settled(office, FIRST, "V1", FITTED)
    second = await settled(office, SECOND, "V2", TOO_EARLY)
    assert borne(second)[0] == 0
    await cut_away(office, first.result.admission_id)
    await release_all(office.desk)
    [row] = await proposals(office, state="PROPOSED")
    assert (row["settlement_id"], row["fund_fen"]) == (second.result.settlement_id, 570_000)


async def test_a_device_that_a_delta_took_from_the_fund_runs_no_life(office: Office) -> None:
    await opened(office)
    await confirmed(office)
    assert borne(await settled(office, FIRST, "V1", FITTED))[0] == 570_000
    await stopped(office)
    assert (await approved(office))["fund_fen"] == -570_000
    again = await settled(office, SECOND, "V2", TOO_EARLY)
    assert borne(again) == (570_000, 150_000)
    assert again.result.lines[0].reasons == ("OVER_CEILING",)


async def test_a_device_taken_back_lets_the_next_one_be_looked_at_again(office: Office) -> None:
    await opened(office)
    await confirmed(office)
    first = await settled(office, FIRST, "V1", FITTED)
    second = await settled(office, SECOND, "V2", TOO_EARLY)
    assert borne(second)[0] == 0
    cancel = CancelSettlement(
        settlement_id=first.result.settlement_id, reason="虚构", operator="op1"
    )
    assert (await office.say(FIRST, "settlement.cancel", cancel)).outcome is Outcome.APPLIED
    await release_all(office.desk)
    [row] = await proposals(office, state="PROPOSED")
    assert (row["settlement_id"], row["fund_fen"]) == (second.result.settlement_id, 570_000)
    assert (row["individual_fen"], row["proposed_by"]) == (-570_000, "")
