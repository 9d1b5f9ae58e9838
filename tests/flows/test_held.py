"""Held bills 挂账: every reason that can be reached, and the message that releases each once."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from sqlalchemy import select

from adapters.catalog_file import sample_path
from gateway.domain.admission import AdmissionRefusal, PaidAtDischargeBy
from gateway.domain.bill import Payee, Relation
from gateway.domain.case import ApprovalKind, AuthorityKind, CaseState, ThirdParty, TreatmentKind
from gateway.domain.codes import Outcome
from gateway.domain.commands import (
    CheckAdmission,
    DecideApproval,
    DecideLines,
    LineDecision,
    UpdateEmployer,
)
from gateway.flows.release_held import release_all, sweep
from gateway.store import tables
from gateway.store.unit import Remove
from tests.flows.office import AGENCY, DAY, LINES, Heard, Office, office_in
from tests.world import bill_line

Say = Callable[[Office, str], Awaitable[Heard]]


async def the_stay(office: Office) -> dict[str, Any]:
    [row] = await office.rows(select(tables.admission))
    return row


async def settlements(office: Office) -> list[dict[str, Any]]:
    return await office.rows(select(tables.settlement))


async def told(office: Office, receiver: str) -> list[Any]:
    """Every settlement.result written to a receiver: what it answers and what it says."""
    query = select(tables.outbox).where(
        tables.outbox.c.receiver == receiver, tables.outbox.c.command == "settlement.result"
    )
    rows = await office.kept(tables.outbox, query.order_by(tables.outbox.c.created_us))
    return [office.opened(receiver, bytes(row["sealed"])) for row in rows]


async def checked(office: Office, stay: str, refusal: AdmissionRefusal | None = None) -> Heard:
    command = CheckAdmission(admission_id=stay, by="经办", reason="虚构", refusal=refusal)
    return await office.say(AGENCY, "admission.check", command)


# --- one way into each reason, and the message that ends it -----------------------------------


async def undecided(office: Office) -> str:
    await office.report("C1", 1)
    return await office.billed("H001", "V1", 1)


async def recognised(office: Office, stay: str) -> Heard:
    return await office.decide("C1", CaseState.RECOGNISED)


async def without_a_case(office: Office) -> str:
    return await office.billed("H001", "V1", 1)


async def reported_and_recognised(office: Office, stay: str) -> Heard:
    await office.report("C1", 1)
    await release_all(office.desk)
    assert (await the_stay(office))["bill_state"] == "HELD"
    return await office.decide("C1", CaseState.RECOGNISED)


async def unchecked(office: Office) -> str:
    await office.report("C1", 1, insured_at_injury=None)
    await office.decide("C1", CaseState.RECOGNISED)
    return await office.billed("H001", "V1", 1)


async def suspected(office: Office) -> str:
    await office.recognised("C1", 1)
    stay = await office.billed("H001", "V1", 1)
    await office.decide("C1", CaseState.RECOGNISED, third_party=ThirdParty.SUSPECTED)
    return stay


async def cleared(office: Office, stay: str) -> Heard:
    return await office.decide("C1", CaseState.RECOGNISED, third_party=ThirdParty.NONE)


async def relapsed(office: Office) -> str:
    await office.recognised("C1", 1)
    stay = await office.billed("H001", "V1", 1, treatment=TreatmentKind.RELAPSE)
    await checked(office, stay)
    await release_all(office.desk)
    return stay


async def approved(office: Office, stay: str) -> Heard:
    command = DecideApproval(
        approval_no="P1",
        case_no="C1",
        kind=ApprovalKind.RELAPSE,
        granted=True,
        authority_kind=AuthorityKind.ASSESSMENT_COMMITTEE,
        authority="999900",
        by="经办",
        valid_from=date(2026, 3, 1),
        valid_to=date(2026, 12, 31),
    )
    return await office.say(AGENCY, "approval.decide", command)


async def undetermined(office: Office) -> str:
    await office.recognised("C1", 1)
    doubtful = LINES[0]._replace(relation=Relation.UNDETERMINED)
    return await office.billed("H001", "V1", 1, (doubtful, LINES[1]))


async def reviewed(office: Office, stay: str) -> Heard:
    command = DecideLines(
        admission_id=stay,
        by="经办",
        reason="虚构",
        lines=(LineDecision(line_id="L1", relation=Relation.INJURY),),
    )
    return await office.say(AGENCY, "lines.decide", command)


async def owing(office: Office) -> str:
    """Only a region that holds until everything is paid has this reason."""
    policy = office.desk.policy
    found = policy.parameters["arrears/policy"]
    held = tuple(replace(value, amount="HOLD_UNTIL_PAID") for value in found.values)
    changed = {**policy.parameters, "arrears/policy": replace(found, values=held)}
    office.desk.policy = replace(policy, parameters=MappingProxyType(changed))
    await office.recognised("C1", 1)
    stay = await office.billed("H001", "V1", 1)
    await employer(office, None)
    return stay


async def employer(office: Office, settled_on: date | None) -> Heard:
    command = UpdateEmployer(
        employer_no="E1", arrears_since=date(2026, 3, 1), settled_on=settled_on
    )
    return await office.say(AGENCY, "employer.update", command)


async def paid_up(office: Office, stay: str) -> Heard:
    return await employer(office, DAY)


WAYS: dict[str, tuple[str, Callable[[Office], Awaitable[str]], Say]] = {
    "undecided": ("CASE_UNDECIDED", undecided, recognised),
    "no case yet": ("CASE_UNDECIDED", without_a_case, reported_and_recognised),
    "unchecked": ("PENDING_CHECK", unchecked, checked),
    "suspected": ("THIRD_PARTY", suspected, cleared),
    "relapsed": ("APPROVAL", relapsed, approved),
    "undetermined": ("LINES_IN_REVIEW", undetermined, reviewed),
    "owing": ("ARREARS", owing, paid_up),
}
EVERY_WAY = pytest.mark.parametrize("way", WAYS)


@EVERY_WAY
async def test_a_bill_is_held_and_released_once_by_the_right_message(
    office: Office, way: str
) -> None:
    reason, into, out = WAYS[way]
    stay = await into(office)
    held = await office.commit("H001", stay, *LINES)
    assert (held.outcome, held.code) == (Outcome.APPLIED, "HELD"), held.code
    assert (held.result.bill_state, held.result.hold) == ("HELD", reason)
    assert (await out(office, stay)).outcome is Outcome.APPLIED
    await release_all(office.desk)
    row = await the_stay(office)
    assert (row["bill_state"], row["state"], row["hold_reason"]) == ("SETTLED", "CLOSED", "")
    assert row["ever_held"] == 1
    await release_all(office.desk)
    await sweep(office.desk)
    [settlement] = await settlements(office)
    assert (settlement["live"], settlement["message_id"]) == (1, held.message_id)


@EVERY_WAY
async def test_the_outcome_is_a_new_message_that_answers_the_commit(
    office: Office, way: str
) -> None:
    _, into, out = WAYS[way]
    stay = await into(office)
    held = await office.commit("H001", stay, *LINES)
    await out(office, stay)
    await release_all(office.desk)
    [(binding, outcome)] = await told(office, "H001")
    assert binding.in_reply_to == held.message_id
    assert (outcome.bill_state, outcome.total_fen) == ("SETTLED", 12200)
    assert [result.settlement_id for _, result in await told(office, AGENCY)] == [
        outcome.settlement_id
    ]
    found = (await office.query("H001", held.message_id)).result
    assert found.stored_reply == held.sealed
    assert found.bill_state == "SETTLED"
    [row] = await office.rows(
        select(tables.outbox).where(tables.outbox.c.message_id == found.outcome_message_id)
    )
    assert (row["receiver"], row["command"]) == ("H001", "settlement.result")


async def test_a_resent_commit_of_a_released_bill_still_answers_held(office: Office) -> None:
    stay = await undecided(office)
    held = await office.commit("H001", stay, *LINES)
    await recognised(office, stay)
    await release_all(office.desk)
    assert (await office.hear(held.said)).sealed == held.sealed


async def test_a_held_bill_freezes_its_lines_and_its_discharge(office: Office) -> None:
    stay = await undecided(office)
    await office.commit("H001", stay, *LINES)
    more = bill_line("L3", "I0001", "12.00", "1", DAY)
    assert (await office.upload("H001", stay, more)).code == "LINES_FROZEN"
    void = office.void_of(stay, "L1")
    assert (await office.say("H001", "fees.void", void)).code == "LINES_FROZEN"
    assert (await office.commit("H001", stay, *LINES)).code == "HELD_ALREADY"


async def test_an_unrelated_message_releases_nothing(office: Office) -> None:
    stay = await undecided(office)
    await office.commit("H001", stay, *LINES)
    await employer(office, None)
    await release_all(office.desk)
    row = await the_stay(office)
    assert (row["bill_state"], row["hold_reason"]) == ("HELD", "CASE_UNDECIDED")
    assert await settlements(office) == []


async def test_a_bill_that_waits_for_something_else_now_stays_held_silently(
    office: Office,
) -> None:
    await office.report("C1", 1, insured_at_injury=None)
    stay = await office.billed("H001", "V1", 1)
    await office.commit("H001", stay, *LINES)
    await recognised(office, stay)
    await release_all(office.desk)
    row = await the_stay(office)
    assert (row["bill_state"], row["hold_reason"]) == ("HELD", "PENDING_CHECK")
    assert await told(office, "H001") == []
    await checked(office, stay)
    await release_all(office.desk)
    assert (await the_stay(office))["bill_state"] == "SETTLED"


@pytest.mark.parametrize(
    ("paid_by", "payee", "account"),
    [
        (PaidAtDischargeBy.NOBODY, Payee.HOSPITAL, "2101/hospital/H001"),
        (PaidAtDischargeBy.EMPLOYER, Payee.EMPLOYER, "2101/employer"),
        (PaidAtDischargeBy.INDIVIDUAL, Payee.INDIVIDUAL, "2101/individual"),
    ],
)
async def test_the_fund_pays_whoever_paid_at_the_counter_while_the_bill_was_held(
    office: Office, paid_by: PaidAtDischargeBy, payee: Payee, account: str
) -> None:
    stay = await undecided(office)
    held = await office.commit("H001", stay, *LINES, paid_at_discharge_by=paid_by)
    assert held.code == "HELD"
    await recognised(office, stay)
    await release_all(office.desk)
    [(_, outcome)] = await told(office, "H001")
    shares = {one.payee: one.medical_fen for one in outcome.payout.shares if one.medical_fen}
    assert shares == {payee: outcome.split.fund_fen}
    medical = select(tables.transfer).where(tables.transfer.c.debit == "5101/medical")
    [row] = await office.rows(medical)
    assert (row["credit"], row["amount_fen"]) == (account, outcome.split.fund_fen)


async def test_a_bill_settled_at_once_is_paid_to_the_hospital(office: Office) -> None:
    await office.recognised("C1", 1)
    stay = await office.billed("H001", "V1", 1)
    paid_by = PaidAtDischargeBy.EMPLOYER
    settled = await office.commit("H001", stay, *LINES, paid_at_discharge_by=paid_by)
    assert [one.payee for one in settled.result.payout.shares] == [Payee.HOSPITAL]


# --- refused, and opened again ------------------------------------------------------------------


async def test_a_bill_refused_at_release_opens_again_by_a_new_commit(office: Office) -> None:
    await office.recognised("C1", 1)
    stay = await office.billed("H001", "V1", 1)
    await office.decide("C1", CaseState.REVOKED)
    await office.decide("C1", CaseState.ACCEPTED)
    held = await office.commit("H001", stay, *LINES)
    assert held.code == "HELD"
    await office.decide("C1", CaseState.NOT_RECOGNISED)
    await release_all(office.desk)
    row = await the_stay(office)
    assert (row["bill_state"], row["code"]) == ("REFUSED", "CASE_NOT_RECOGNISED")
    [(binding, outcome)] = await told(office, "H001")
    assert (binding.in_reply_to, outcome.bill_state) == (held.message_id, "REFUSED")
    for state in (CaseState.REVOKED, CaseState.ACCEPTED, CaseState.RECOGNISED):
        await office.decide("C1", state)
    await release_all(office.desk)
    assert (await the_stay(office))["bill_state"] == "REFUSED"
    again = await office.commit("H001", stay, *LINES)
    assert (again.code, again.result.bill_state) == ("OK", "SETTLED")


async def test_a_bill_refused_at_once_stays_open(office: Office) -> None:
    await office.recognised("C1", 1)
    stay = await office.billed("H001", "V1", 1)
    for state in (CaseState.REVOKED, CaseState.ACCEPTED, CaseState.NOT_RECOGNISED):
        await office.decide("C1", state)
    refused = await office.commit("H001", stay, *LINES)
    assert (refused.outcome, refused.code) == (Outcome.REFUSED, "CASE_NOT_RECOGNISED")
    assert (await the_stay(office))["bill_state"] == "OPEN"


async def test_a_refused_registration_takes_its_held_bill_with_it(office: Office) -> None:
    stay = await undecided(office)
    held = await office.commit("H001", stay, *LINES)
    await office.decide("C1", CaseState.NOT_RECOGNISED)
    await release_all(office.desk)
    row = await the_stay(office)
    assert (row["state"], row["refusal"]) == ("REFUSED", "NO_RECOGNITION_RECORD")
    assert row["bill_state"] == "REFUSED"
    [(binding, outcome)] = await told(office, "H001")
    assert (binding.in_reply_to, outcome.bill_state) == (held.message_id, "REFUSED")


# --- the sweep ------------------------------------------------------------------------------------


async def test_a_release_job_left_by_a_crash_is_done_after_the_restart(data: Path) -> None:
    async with office_in(data) as office:
        stay = await undecided(office)
        held = await office.commit("H001", stay, *LINES)
        await recognised(office, stay)
    async with office_in(data) as office:
        await release_all(office.desk)
        [settlement] = await settlements(office)
        assert settlement["message_id"] == held.message_id


async def test_the_sweep_finds_what_no_job_names(office: Office) -> None:
    stay = await undecided(office)
    await office.commit("H001", stay, *LINES)
    await recognised(office, stay)
    # What a lost job leaves: a bill that waits, and nothing that says so.
    jobs = await office.rows(select(tables.release_job))
    await office.write(Remove(tables.release_job, [{"job_id": job["job_id"]} for job in jobs]))
    assert await release_all(office.desk) == 0
    await sweep(office.desk)
    await sweep(office.desk)
    assert (await the_stay(office))["bill_state"] == "SETTLED"
    assert len(await settlements(office)) == 1


async def test_a_day_outside_every_edition_holds_until_one_covers_it(
    tmp_path: Path,
) -> None:
    async with office_in(tmp_path) as office:
        await office.add("agency", AGENCY)
        await office.hospital("H001")
        await office.recognised("C1", 1)
        stay = await office.billed("H001", "V1", 1)
        held = await office.commit("H001", stay, *LINES)
        assert (held.code, held.result.hold) == ("HELD", "POLICY_GAP")
        assert held.result.hold_day == DAY
        assert held.result.hold_key.startswith("catalogue/")
        row = await the_stay(office)
        assert (row["hold_key"], row["hold_day"]) == (held.result.hold_key, DAY.isoformat())
        await office.act("catalog.import", path=str(sample_path()), valid_from="2026-03-03")
        await release_all(office.desk)
        assert (await the_stay(office))["bill_state"] == "HELD"
        before = {"valid_from": "2026-03-02", "valid_to": "2026-03-02"}
        await office.act("catalog.import", path=str(sample_path()), **before)
        await release_all(office.desk)
        assert (await the_stay(office))["bill_state"] == "SETTLED"
