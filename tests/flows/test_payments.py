"""payment.report: who paid before the fund does, and what becomes of the bill that waits for it."""

import asyncio
import io
import json
import shutil
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from sqlalchemy import select

from gateway.domain.admission import BillState, HoldReason
from gateway.domain.bill import BillVerdict, Payee, PayeeShare
from gateway.domain.case import CaseState, ThirdParty
from gateway.domain.commands import (
    CancelAdmission,
    CancelSettlement,
    PreviewSettlement,
    RegisterDischarge,
    ReportPayment,
)
from gateway.domain.payments import PriorPayer, PriorPayment
from gateway.domain.results import Settlement
from gateway.flows.release_held import release_all
from gateway.policy.load import SHIPPED, archive, load_archive
from gateway.rules.settle import Bill, settle
from gateway.store import tables
from gateway.store.frozen import thawed_facts, thawed_verdict
from gateway.store.unit import Insert
from gateway.verbs import replay
from tests.flows.office import AGENCY, DAY, Heard, Office, at_turnstile
from tests.flows.test_ledger import per_account
from tests.flows.test_readjudication import approved, proposals, told_of
from tests.store.conftest import ASKS_NO_STORE
from tests.world import bill_line

pytestmark = ASKS_NO_STORE

HOSPITAL = "H001"
LINES = (bill_line("L1", "I0001", "12.00", "10", DAY),)
"""120.00 of eligible fees; the example region adds 20.00 of meals for the one day."""
BMI = "BMI0001"


def paid(payer: PriorPayer, eligible_fen: int, **more: Any) -> PriorPayment:
    values = {"payment_no": f"V-{payer}", "payer": payer, "eligible_fen": eligible_fen}
    return PriorPayment(**values | {"paid_on": DAY} | more)


def by_insurance(eligible_fen: int, **more: Any) -> PriorPayment:
    return paid(PriorPayer.BASIC_INSURANCE, eligible_fen, settlement_no=BMI, **more)


async def report(office: Office, stay: str, payment: PriorPayment, **more: Any) -> Heard:
    values = {"admission_id": stay, "by": "经办", "reason": "虚构凭据", "payment": payment}
    return await office.say(AGENCY, "payment.report", ReportPayment(**values | more))


async def stayed(office: Office, **discharge: Any) -> str:
    """A recognised worker's stay with its line, discharged."""
    await office.recognised("C1", 1)
    stay: str = (await office.register(HOSPITAL, "V1", 1)).result.admission_id
    await office.upload(HOSPITAL, stay, *LINES)
    left = RegisterDischarge(
        admission_id=stay, discharged_at=office.desk.clock.now(), way="治愈", **discharge
    )
    await office.say(HOSPITAL, "discharge.register", left)
    return stay


def with_policy(office: Office, **values: Any) -> Office:
    """The same office under other values of policy; two words of a key are joined by `__`."""
    policy = office.desk.policy
    changed = dict(policy.parameters)
    for name, amount in values.items():
        key = name.replace("__", "/")
        last = changed[key].values[0]
        changed[key] = replace(changed[key], values=(replace(last, amount=amount),))
    office.desk = replace(office.desk, policy=replace(policy, parameters=MappingProxyType(changed)))
    return office


async def outcome(office: Office) -> Settlement:
    """What the hospital's inbox tells of the released bill."""
    await release_all(office.desk)
    rows = await office.kept(
        tables.outbox, select(tables.outbox).where(tables.outbox.c.receiver == HOSPITAL)
    )
    _, told = office.opened(HOSPITAL, rows[-1]["sealed"])
    assert isinstance(told, Settlement)
    return told


def medical(bill: Settlement) -> dict[Payee, int]:
    assert bill.payout is not None
    return {one.payee: one.medical_fen for one in bill.payout.shares if one.medical_fen}


# --- basic insurance --------------------------------------------------------------------------


async def test_a_bill_basic_insurance_paid_waits_for_its_report_and_is_then_given_back(
    office: Office,
) -> None:
    with_policy(office, bmi_refund__hospital_refunds_first=False)
    stay = await stayed(office, bmi_settlement_no=BMI)
    held = await office.commit(HOSPITAL, stay, *LINES)
    assert (held.result.bill_state, held.result.hold) == (BillState.HELD, HoldReason.AUDIT)
    assert (await report(office, stay, by_insurance(9000))).code == "OK"
    assert (await report(office, stay, paid(PriorPayer.INDIVIDUAL, 3000))).code == "OK"
    settled = await outcome(office)
    assert settled.split.fund_fen == 12000
    assert medical(settled) == {Payee.BASIC_INSURANCE: 9000, Payee.INDIVIDUAL: 3000}
    booked = await office.rows(select(tables.transfer))
    owed = {row["credit"]: row["amount_fen"] for row in booked if "medical" in row["debit"]}
    assert owed == {"2101/basic_insurance": 9000, "2101/individual": 3000}


async def test_a_bill_waits_until_the_hospital_has_given_back_first(office: Office) -> None:
    stay = await stayed(office, bmi_settlement_no=BMI)
    await office.commit(HOSPITAL, stay, *LINES)
    early = by_insurance(9000, paid_on=date(2025, 12, 31))
    assert (await report(office, stay, early)).code == "OK"
    await release_all(office.desk)
    [row] = await office.rows(select(tables.admission))
    assert (row["bill_state"], row["hold_reason"]) == ("HELD", "PRIOR_PAYMENT")
    await report(office, stay, replace(early, given_back_on=DAY))
    settled = await outcome(office)
    assert settled.bill_state is BillState.SETTLED
    assert medical(settled) == {Payee.HOSPITAL: 12000}


async def test_from_2026_the_made_up_region_gives_back_by_itself(office: Office) -> None:
    stay = await stayed(office, bmi_settlement_no=BMI)
    await office.commit(HOSPITAL, stay, *LINES)
    await report(office, stay, by_insurance(9000))
    assert medical(await outcome(office)) == {Payee.BASIC_INSURANCE: 9000, Payee.HOSPITAL: 3000}


async def test_the_agency_is_told_of_a_bill_that_waits_for_a_prior_payment(office: Office) -> None:
    with_policy(office, audit__hold=())
    stay = await stayed(office, bmi_settlement_no=BMI)
    held = await office.commit(HOSPITAL, stay, *LINES)
    assert (held.result.hold, held.result.note) == (HoldReason.PRIOR_PAYMENT, BMI)
    rows = await office.kept(
        tables.outbox, select(tables.outbox).where(tables.outbox.c.receiver == AGENCY)
    )
    told = [office.opened(AGENCY, row["sealed"])[1] for row in rows]
    assert [one.hold for one in told if isinstance(one, Settlement)] == [HoldReason.PRIOR_PAYMENT]


# --- the third party --------------------------------------------------------------------------


async def test_what_a_third_party_paid_is_taken_off_once_it_is_reported(office: Office) -> None:
    with_policy(office, third_party__policy="DIRECT")
    await office.recognised("C1", 1)
    await office.decide("C1", CaseState.RECOGNISED, third_party=ThirdParty.CONFIRMED_PAID)
    stay = await office.billed(HOSPITAL, "V1", 1, LINES)
    held = await office.commit(HOSPITAL, stay, *LINES)
    assert held.result.hold is HoldReason.THIRD_PARTY
    payment = paid(PriorPayer.THIRD_PARTY, 5000, other_fen=8000)
    await report(office, stay, payment)
    settled = await outcome(office)
    assert settled.split == (7000, 0, 0, 0, 5000)
    assert settled.payout is not None
    assert (settled.payout.third_party_paid_fen, settled.payout.taken_off_fen) == (5000, 5000)
    assert settled.payout.recoverable_fen == 7000
    assert medical(settled) == {Payee.HOSPITAL: 7000}


# --- advances ---------------------------------------------------------------------------------


async def test_meals_that_the_employer_advanced_go_back_to_it_and_the_rest_to_the_worker(
    office: Office,
) -> None:
    with_policy(office, meal__channel="AGENCY")
    stay = await stayed(office)
    await report(office, stay, paid(PriorPayer.EMPLOYER, 2000, meal_fen=500))
    settled = (await office.commit(HOSPITAL, stay, *LINES)).result
    meal = settled.meal.amount_fen
    assert settled.payout.shares == (
        PayeeShare(Payee.HOSPITAL, 10000, 0),
        PayeeShare(Payee.EMPLOYER, 2000, 500),
        PayeeShare(Payee.INDIVIDUAL, 0, meal - 500),
    )


async def test_every_transfer_to_every_payee_is_turned_round_by_the_reversal(
    office: Office,
) -> None:
    stay = await stayed(office)
    await report(office, stay, by_insurance(4000))
    await report(office, stay, paid(PriorPayer.EMPLOYER, 2000, meal_fen=500))
    first = (await office.commit(HOSPITAL, stay, *LINES)).result
    preview_like = medical(first)
    command = CancelSettlement(settlement_id=first.settlement_id, reason="虚构", operator="op1")
    back = (await office.say(HOSPITAL, "settlement.cancel", command)).result
    assert medical(back) == {payee: -fen for payee, fen in preview_like.items()}
    rows = await office.rows(select(tables.transfer))
    forward = {
        (row["debit"], row["credit"], row["amount_fen"])
        for row in rows
        if row["subject"] == first.settlement_id
    }
    turned = {
        (row["credit"], row["debit"], row["amount_fen"])
        for row in rows
        if row["subject"] == back.settlement_id
    }
    assert forward == turned
    assert len(forward) == 5


async def test_a_settlement_with_prior_payments_is_recomputed_bit_for_bit(office: Office) -> None:
    stay = await stayed(office)
    await report(office, stay, by_insurance(4000))
    await office.commit(HOSPITAL, stay, *LINES)
    [row] = await office.kept(tables.settlement, select(tables.settlement))
    detail = json.loads(row["detail"])
    facts, stored = thawed_facts(detail), thawed_verdict(detail)
    assert facts.stay.payments == (by_insurance(4000),)
    async with office.desk.database.reading() as reader:
        editions = await office.desk.shelf.between(reader, DAY, DAY)
    bill = Bill(facts.stay, facts.case, facts.hospital, facts.lines, editions, facts.others)
    again = settle(bill, office.desk.policy)
    assert isinstance(again, BillVerdict)
    assert again.payout == stored.payout


async def test_a_preview_pays_the_payees_that_the_settlement_then_pays(office: Office) -> None:
    stay = await stayed(office)
    await report(office, stay, by_insurance(4000))
    await report(office, stay, paid(PriorPayer.EMPLOYER, 2000, meal_fen=500))
    wanted = PreviewSettlement(admission_id=stay, expected_count=1, expected_amount_fen=12000)
    preview = (await office.say(HOSPITAL, "settlement.preview", wanted)).result
    settled = (await office.commit(HOSPITAL, stay, *LINES)).result
    assert preview.payout == settled.payout
    assert len(settled.payout.shares) == 3


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
async def test_a_payment_reported_while_the_bill_settles_is_in_it_or_is_proposed(
    office: Office, order: tuple[int, int]
) -> None:
    stay = await stayed(office)
    desk, barrier = at_turnstile(office.desk, order)
    commit = await office.request(HOSPITAL, "settlement.commit", office.commit_of(stay, *LINES))
    payment = paid(PriorPayer.EMPLOYER, 2000)
    command = ReportPayment(admission_id=stay, by="经办", reason="虚构", payment=payment)
    told = await office.request(AGENCY, "payment.report", command)
    tasks = [asyncio.ensure_future(office.hear(commit, desk))]
    await barrier.until(1)
    tasks.append(asyncio.ensure_future(office.hear(told, desk)))
    settled, reported = await asyncio.gather(*tasks)
    assert (settled.code, reported.code) == ("OK", "OK")
    await release_all(office.desk)
    waiting = [row["cause"] for row in await proposals(office)]
    if order == (1, 0):
        assert medical(settled.result) == {Payee.HOSPITAL: 10000, Payee.EMPLOYER: 2000}
        assert waiting == []
    else:
        assert medical(settled.result) == {Payee.HOSPITAL: 12000}
        assert waiting == ["PAYMENT"]


# --- after settlement -------------------------------------------------------------------------


async def directly(office: Office, folder: Path) -> None:
    """The policy of a region that settles directly where a third party is liable, in force."""
    root = folder / "policy"
    shutil.copytree(SHIPPED, root)
    word = root / "regions/999900_example/third_party/policy.toml"
    word.write_text(word.read_text(encoding="utf-8").replace('"MANUAL"', '"DIRECT"'))
    content = archive("999900", root)
    office.desk.policy = load_archive(content)
    row = {"digest": office.desk.policy.digest, "region": "999900", "content": content}
    row["stored_us"] = office.desk.now_us
    await office.write(Insert(tables.policy_edition, [row]))


async def of_third_party(office: Office, folder: Path) -> tuple[str, Settlement]:
    """A settled stay of which the agency learns that a third party is liable."""
    await directly(office, folder)
    stay = await stayed(office)
    heard = await office.commit(HOSPITAL, stay, *LINES)
    await office.decide("C1", CaseState.RECOGNISED, third_party=ThirdParty.CONFIRMED_PAID)
    await release_all(office.desk)
    return stay, heard.result


async def test_what_is_told_after_settlement_of_a_payment_before_it_leaves_the_fund_by_a_delta(
    office: Office, tmp_path: Path
) -> None:
    stay, one = await of_third_party(office, tmp_path)
    [waits] = await proposals(office)
    assert (waits["state"], waits["untold"]) == ("BY_HAND", "HELD THIRD_PARTY CONFIRMED_PAID")
    assert (await report(office, stay, paid(PriorPayer.THIRD_PARTY, 5000))).code == "OK"
    await release_all(office.desk)
    [gone, row] = await proposals(office)
    assert (gone["state"], row["state"], row["cause"]) == ("STALE", "PROPOSED", "PAYMENT")
    assert (row["fund_fen"], row["other_fen"], row["line_count"]) == (-5000, 5000, 0)
    touched = [one.cause for one in await told_of(office) if one.state == "TOUCHED"]
    assert touched == ["CASE", "PAYMENT"]
    delta = await approved(office)
    assert (delta["adjusts"], delta["fund_fen"]) == (one.settlement_id, -5000)
    booked = per_account(await office.rows(select(tables.transfer)))
    assert booked["5101/medical"] == 12000 - 5000
    said = io.StringIO()
    assert (
        await asyncio.to_thread(replay.run, office.gateway.settings, (), said, lambda: True, 1) == 0
    )


async def test_what_a_third_party_pays_after_the_settlement_a_person_recovers_and_no_hospital(
    office: Office, tmp_path: Path
) -> None:
    stay, _ = await of_third_party(office, tmp_path)
    before = per_account(await office.rows(select(tables.transfer)))
    office.move_to(DAY + timedelta(days=1))
    later = paid(PriorPayer.THIRD_PARTY, 5000, paid_on=DAY + timedelta(days=1))
    assert (await report(office, stay, later)).code == "OK"
    await release_all(office.desk)
    row = (await proposals(office))[-1]
    assert (row["state"], row["untold"], row["acts"]) == ("BY_HAND", "MANUAL THIRD_PARTY", "AGENCY")
    assert (row["fund_fen"], row["cuts_hospital"]) == (0, 0)
    assert per_account(await office.rows(select(tables.transfer))) == before


async def test_a_recognition_revoked_after_a_third_party_paid_is_computed_all_the_same(
    office: Office, tmp_path: Path
) -> None:
    stay, _ = await of_third_party(office, tmp_path)
    office.move_to(DAY + timedelta(days=1))
    later = paid(PriorPayer.THIRD_PARTY, 5000, paid_on=DAY + timedelta(days=1))
    await report(office, stay, later)
    await office.decide("C1", CaseState.REVOKED)
    await release_all(office.desk)
    [row] = await proposals(office, state="PROPOSED")
    assert (row["fund_fen"], row["other_fen"]) == (-12000, 12000)


async def test_a_payment_corrected_after_its_delta_is_proposed_the_other_way(
    office: Office, tmp_path: Path
) -> None:
    stay, _ = await of_third_party(office, tmp_path)
    await report(office, stay, paid(PriorPayer.THIRD_PARTY, 5000))
    await release_all(office.desk)
    await approved(office)
    # What the delta has looked at anew finds nothing; then the correction is told.
    await release_all(office.desk)
    assert await proposals(office, state="PROPOSED") == []
    await report(office, stay, paid(PriorPayer.THIRD_PARTY, 3000))
    await release_all(office.desk)
    [row] = await proposals(office, state="PROPOSED")
    assert (row["cause"], row["fund_fen"], row["other_fen"]) == ("PAYMENT", 2000, -2000)


async def test_what_a_third_party_paid_is_not_asked_of_an_employer_that_was_not_insured(
    office: Office, tmp_path: Path
) -> None:
    await directly(office, tmp_path)
    await office.recognised("C1", 1)
    await office.decide("C1", CaseState.RECOGNISED, third_party=ThirdParty.CONFIRMED_PAID)
    stay = await office.billed(HOSPITAL, "V1", 1, LINES)
    await report(office, stay, paid(PriorPayer.THIRD_PARTY, 5000))
    assert (await office.commit(HOSPITAL, stay, *LINES)).result.split == (7000, 0, 0, 0, 5000)
    await office.decide("C1", CaseState.RECOGNISED, insured_at_injury=False)
    await release_all(office.desk)
    [row] = await proposals(office)
    assert (row["fund_fen"], row["employer_fen"], row["other_fen"]) == (-7000, 7000, 0)
    delta = await approved(office)
    assert (delta["fund_fen"], delta["employer_fen"], delta["other_fen"]) == (-7000, 7000, 0)
    number = tables.settlement.c.settlement_id == delta["settlement_id"]
    [kept] = await office.kept(tables.settlement, select(tables.settlement).where(number))
    payout = thawed_verdict(json.loads(kept["detail"])).payout
    assert (payout.third_party_paid_fen, payout.taken_off_fen) == (5000, 5000)
    booked = per_account(await office.rows(select(tables.transfer)))
    assert booked["5101/medical"] == 0


async def test_a_payment_told_after_the_cancellation_keeps_the_settlement_from_coming_back(
    office: Office,
) -> None:
    stay = await stayed(office)
    one = (await office.commit(HOSPITAL, stay, *LINES)).result
    command = CancelSettlement(settlement_id=one.settlement_id, reason="虚构", operator="op1")
    cancelled = await office.say(HOSPITAL, "settlement.cancel", command)
    await report(office, stay, paid(PriorPayer.EMPLOYER, 2000))
    back = await office.reverse(HOSPITAL, cancelled.message_id, "settlement.cancel")
    assert back.code == "REVERSE_TOO_LATE"


# --- the command ------------------------------------------------------------------------------


async def test_a_document_reported_again_replaces_what_was_known_and_withdrawn_is_gone(
    office: Office,
) -> None:
    stay = await stayed(office)
    await report(office, stay, paid(PriorPayer.EMPLOYER, 2000))
    await report(office, stay, paid(PriorPayer.EMPLOYER, 2500))
    assert await known(office) == [2500]
    heard = await report(office, stay, paid(PriorPayer.EMPLOYER, 2500), withdrawn=True)
    assert heard.code == "OK"
    assert await known(office) == []
    acts = await office.rows(select(tables.audit).where(tables.audit.c.action == "payment.report"))
    assert [row["to_state"] for row in acts] == ["employer", "employer", "WITHDRAWN"]


async def known(office: Office) -> list[int]:
    [row] = await office.kept(tables.admission, select(tables.admission))
    payments = json.loads(row["detail"]).get("payments", ())
    return [one["eligible_fen"] for one in payments]


TOMORROW = DAY + timedelta(days=1)
BEFORE = DAY - timedelta(days=1)
WRONG = {
    "a negative amount": (paid(PriorPayer.EMPLOYER, -1), ["EligiblePaid"]),
    "no amount at all": (paid(PriorPayer.EMPLOYER, 0), ["EligiblePaid"]),
    "meals by the worker": (paid(PriorPayer.INDIVIDUAL, 1, meal_fen=1), ["MealPaid"]),
    "basic insurance without its settlement": (
        paid(PriorPayer.BASIC_INSURANCE, 1),
        ["BmiSettlementNo"],
    ),
    "an employer with a settlement of basic insurance": (
        paid(PriorPayer.EMPLOYER, 1, settlement_no=BMI, insurance_year=2026, given_back_on=DAY),
        ["BmiSettlementNo", "InsuranceYear", "GivenBackOn"],
    ),
    "paid tomorrow": (paid(PriorPayer.EMPLOYER, 1, paid_on=TOMORROW), ["PaidOn"]),
    "given back before it was paid": (by_insurance(1, given_back_on=BEFORE), ["GivenBackOn"]),
    "asked for after it was given back": (
        by_insurance(1, paid_on=BEFORE, reversal_requested_on=DAY, given_back_on=BEFORE),
        ["GivenBackOn"],
    ),
}


@pytest.mark.parametrize("wrong", sorted(WRONG))
async def test_a_payment_that_contradicts_itself_is_refused_with_every_fault(
    office: Office, wrong: str
) -> None:
    payment, fields = WRONG[wrong]
    stay = await stayed(office)
    heard = await report(office, stay, payment)
    assert heard.code == "VALUE_CONFLICT"
    assert [one.field for one in heard.result.findings] == fields
    assert await known(office) == []


async def test_one_settlement_of_basic_insurance_is_one_payment(office: Office) -> None:
    stay = await stayed(office)
    await report(office, stay, by_insurance(4000))
    heard = await report(office, stay, by_insurance(4000, payment_no="V9"))
    [finding] = heard.result.findings
    assert (finding.field, finding.expected) == ("BmiSettlementNo", "V-basic_insurance")


async def test_only_a_payment_on_record_can_be_taken_back(office: Office) -> None:
    stay = await stayed(office)
    heard = await report(office, stay, paid(PriorPayer.EMPLOYER, 1), withdrawn=True)
    assert [one.field for one in heard.result.findings] == ["PaymentNo"]


async def test_an_unknown_and_a_cancelled_stay_are_not_touched(office: Office) -> None:
    nowhere = await report(office, "A-NONE", paid(PriorPayer.EMPLOYER, 1))
    assert nowhere.code == "ADMISSION_NOT_FOUND"
    await office.recognised("C1", 1)
    other: str = (await office.register("H002", "V2", 1)).result.admission_id
    gone = CancelAdmission(admission_id=other, reason="虚构")
    await office.say("H002", "admission.cancel", gone)
    assert (await report(office, other, paid(PriorPayer.EMPLOYER, 1))).code == "ADMISSION_STATE"
