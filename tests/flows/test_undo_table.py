"""Every row of the second table of protocol §2: what a reversal may undo, and while what holds."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from sqlalchemy import select

from gateway.domain.application import Wanted
from gateway.domain.case import (
    ApprovalKind,
    AuthorityKind,
    CaseState,
    EmployerRole,
    EmploymentTie,
)
from gateway.domain.catalogue import Kind
from gateway.domain.codes import Outcome
from gateway.domain.commands import (
    AckInbox,
    ApplyApproval,
    CancelAdmission,
    CancelApproval,
    CancelDischarge,
    CancelSettlement,
    CheckAdmission,
    DecideApproval,
    DecideLines,
    DecideMappings,
    DecidePaidLeave,
    LineDecision,
    MapCatalogue,
    ModifyAdmission,
    NameEmployer,
    ReportCard,
    ReportPayment,
    StopBenefit,
    UpdateEmployer,
    VoidFees,
)
from gateway.domain.mapping import MappingClaim, MappingDecision
from gateway.domain.payments import PriorPayer, PriorPayment
from gateway.flows.dispatch import COMMANDS, READS
from gateway.flows.release_held import release_all
from gateway.store import tables
from gateway.store.unit import Change
from tests.flows.office import AGENCY, DAY, LINES, Heard, Office
from tests.flows.test_cuts import answer, decide, raised
from tests.flows.test_payments import with_policy
from tests.world import bill_line, person


async def admission(office: Office, stay: str) -> dict[str, Any]:
    query = select(tables.admission).where(tables.admission.c.admission_id == stay)
    [row] = await office.rows(query)
    return row


async def settlements(office: Office, stay: str) -> list[dict[str, Any]]:
    query = select(tables.settlement).where(tables.settlement.c.admission_id == stay)
    return await office.rows(query.order_by(tables.settlement.c.settled_us))


async def cancel(office: Office, settlement_id: str) -> Heard:
    command = CancelSettlement(settlement_id=settlement_id, reason="虚构", operator="op1")
    return await office.say("H001", "settlement.cancel", command)


async def cancel_discharge(office: Office, stay: str) -> Heard:
    command = CancelDischarge(admission_id=stay, reason="虚构")
    return await office.say("H001", "discharge.cancel", command)


def assert_undone(heard: Heard) -> None:
    assert (heard.outcome, heard.code, heard.result.effect) == (Outcome.APPLIED, "OK", "UNDONE")


def assert_refused(heard: Heard, code: str) -> None:
    assert (heard.outcome, heard.code) == (Outcome.REFUSED, code)


# --- admission.register --


@pytest.mark.parametrize(
    ("state", "insured", "decision"),
    [
        ("HELD", True, None),
        ("PENDING_CHECK", None, CaseState.RECOGNISED),
        ("CONFIRMED", True, CaseState.RECOGNISED),
    ],
)
async def test_a_registration_is_undone_while_nothing_hangs_on_it(
    office: Office, state: str, insured: bool | None, decision: CaseState | None
) -> None:
    await office.report("C1", 1, insured_at_injury=insured)
    if decision:
        await office.decide("C1", decision)
    heard = await office.register("H001", "V1", 1)
    assert heard.result.state == state
    assert_undone(await office.reverse("H001", heard.message_id, "admission.register"))
    assert (await admission(office, heard.result.admission_id))["state"] == "CANCELLED"
    again = await office.register("H001", "V1", 1)
    assert again.outcome is Outcome.APPLIED


async def test_a_registration_with_a_line_is_not_undone_until_the_line_is_void(
    office: Office,
) -> None:
    await office.recognised("C1", 1)
    heard = await office.register("H001", "V1", 1)
    stay = heard.result.admission_id
    await office.upload("H001", stay, *LINES)
    assert_refused(
        await office.reverse("H001", heard.message_id, "admission.register"), "HAS_DEPENDENTS"
    )
    void = VoidFees(admission_id=stay, line_ids=("L1", "L2"), reason="虚构")
    await office.say("H001", "fees.void", void)
    assert_undone(await office.reverse("H001", heard.message_id, "admission.register"))


async def test_a_registration_with_a_settlement_is_not_undone(office: Office) -> None:
    await office.recognised("C1", 1)
    heard = await office.register("H001", "V1", 1)
    stay = heard.result.admission_id
    await office.upload("H001", stay, *LINES)
    await office.discharge("H001", stay)
    await office.commit("H001", stay, *LINES)
    reversal = await office.reverse("H001", heard.message_id, "admission.register")
    assert_refused(reversal, "HAS_DEPENDENTS")
    assert (await admission(office, stay))["state"] == "CLOSED"


async def test_a_registration_that_was_cancelled_is_undone_already(office: Office) -> None:
    await office.recognised("C1", 1)
    heard = await office.register("H001", "V1", 1)
    command = CancelAdmission(admission_id=heard.result.admission_id, reason="虚构")
    cancelled = await office.say("H001", "admission.cancel", command)
    reversal = await office.reverse("H001", heard.message_id, "admission.register")
    assert_refused(reversal, "ALREADY_REVERSED")
    assert reversal.result.by == cancelled.message_id
    assert (await office.hear(heard.said)).code == "SUPERSEDED"


async def test_there_is_nothing_to_reverse_in_a_refused_registration(office: Office) -> None:
    await office.report("C1", 1, insured_at_injury=False)
    heard = await office.register("H001", "V1", 1)
    assert_refused(heard, "NOT_INSURED_OR_ARREARS")
    reversal = await office.reverse("H001", heard.message_id, "admission.register")
    assert_refused(reversal, "NOTHING_TO_REVERSE")


# --- settlement.commit --


async def test_a_held_bill_is_undone_and_opens_again(office: Office) -> None:
    await office.report("C1", 1)
    stay = await office.billed("H001", "V1", 1)
    held = await office.commit("H001", stay, *LINES)
    assert held.code == "HELD"
    assert_undone(await office.reverse("H001", held.message_id, "settlement.commit"))
    assert (await admission(office, stay))["bill_state"] == "OPEN"
    assert (await office.hear(held.said)).code == "SUPERSEDED"
    more = bill_line("L3", "I0001", "12.00", "1", DAY)
    assert (await office.upload("H001", stay, more)).outcome is Outcome.APPLIED


async def test_a_settled_bill_is_undone_by_a_negative_row(office: Office) -> None:
    await office.recognised("C1", 1)
    stay = await office.billed("H001", "V1", 1)
    settled = await office.commit("H001", stay, *LINES)
    reversal = await office.reverse("H001", settled.message_id, "settlement.commit")
    assert_undone(reversal)
    assert reversal.result.settlement.split == settled.result.split.negated()
    assert reversal.result.settlement.reverses == settled.result.settlement_id
    first, second = await settlements(office, stay)
    assert (first["live"], first["state"]) == (None, "REVERSED")
    assert (second["total_fen"], second["reverses"]) == (-12200, first["settlement_id"])
    row = await admission(office, stay)
    assert (row["state"], row["bill_state"]) == ("CONFIRMED", "OPEN")


async def test_a_bill_settled_after_being_held_is_undone_by_its_first_message(
    office: Office,
) -> None:
    await office.report("C1", 1)
    stay = await office.billed("H001", "V1", 1)
    held = await office.commit("H001", stay, *LINES)
    await office.decide("C1", CaseState.RECOGNISED)
    await release_all(office.desk)
    assert (await admission(office, stay))["bill_state"] == "SETTLED"
    assert_undone(await office.reverse("H001", held.message_id, "settlement.commit"))
    assert (await office.hear(held.said)).code == "SUPERSEDED"


@pytest.mark.parametrize("state", ["FILED", "PAID"])
async def test_a_filed_settlement_is_not_undone(office: Office, state: str) -> None:
    await office.recognised("C1", 1)
    stay = await office.billed("H001", "V1", 1)
    settled = await office.commit("H001", stay, *LINES)
    settlement_id = settled.result.settlement_id
    await office.write(
        Change(tables.settlement, {"settlement_id": settlement_id}, {"state": state})
    )
    reversal = await office.reverse("H001", settled.message_id, "settlement.commit")
    assert_refused(reversal, "REVERSE_TOO_LATE")
    assert_refused(await cancel(office, settlement_id), "REVERSE_TOO_LATE")
    assert (await office.hear(settled.said)).sealed == settled.sealed


async def test_a_settlement_that_was_cancelled_is_undone_already(office: Office) -> None:
    await office.recognised("C1", 1)
    stay = await office.billed("H001", "V1", 1)
    settled = await office.commit("H001", stay, *LINES)
    cancelled = await cancel(office, settled.result.settlement_id)
    reversal = await office.reverse("H001", settled.message_id, "settlement.commit")
    assert_refused(reversal, "ALREADY_REVERSED")
    assert reversal.result.by == cancelled.message_id
    again = await cancel(office, settled.result.settlement_id)
    assert_refused(again, "ALREADY_REVERSED")
    assert [one.got for one in again.result.findings] == [cancelled.message_id]


async def test_after_a_reversal_the_bill_may_be_settled_anew(office: Office) -> None:
    await office.recognised("C1", 1)
    stay = await office.billed("H001", "V1", 1)
    first = await office.commit("H001", stay, *LINES)
    await office.reverse("H001", first.message_id, "settlement.commit")
    second = await office.commit("H001", stay, *LINES)
    assert (second.code, second.result.split) == ("OK", first.result.split)
    late = await office.reverse("H001", first.message_id, "settlement.commit")
    assert_refused(late, "ALREADY_REVERSED")
    assert (await admission(office, stay))["bill_state"] == "SETTLED"


# --- settlement.cancel --


async def cancelled_bill(office: Office) -> tuple[str, Heard, Heard]:
    await office.recognised("C1", 1)
    stay = await office.billed("H001", "V1", 1)
    settled = await office.commit("H001", stay, *LINES)
    return stay, settled, await cancel(office, settled.result.settlement_id)


async def test_a_cancelled_settlement_is_reinstated_by_a_new_row(office: Office) -> None:
    stay, settled, cancelled = await cancelled_bill(office)
    reversal = await office.reverse("H001", cancelled.message_id, "settlement.cancel")
    assert_undone(reversal)
    back = reversal.result.settlement
    assert back.reinstates == settled.result.settlement_id
    assert (back.split, back.lines) == (settled.result.split, settled.result.lines)
    rows = await settlements(office, stay)
    assert [(row["live"], row["total_fen"]) for row in rows] == [
        (None, 12200),
        (None, -12200),
        (1, 12200),
    ]
    row = await admission(office, stay)
    assert (row["state"], row["bill_state"]) == ("CLOSED", "SETTLED")


async def test_a_reinstated_settlement_names_the_suspicions_that_the_first_one_named(
    office: Office,
) -> None:
    with_policy(office, audit__hold=())
    twice = [bill_line(one, "I0001", "12.00", "1", DAY) for one in ("L1", "L2")]
    await office.recognised("C1", 1)
    stay = await office.billed("H001", "V1", 1, tuple(twice))
    settled = await office.commit("H001", stay, *twice)
    cancelled = await cancel(office, settled.result.settlement_id)
    reversal = await office.reverse("H001", cancelled.message_id, "settlement.cancel")
    assert "A01" in {one.code for one in settled.result.suspicions}
    assert reversal.result.settlement.suspicions == settled.result.suspicions


async def test_a_reinstated_settlement_can_be_cancelled_again(office: Office) -> None:
    _, _, cancelled = await cancelled_bill(office)
    reversal = await office.reverse("H001", cancelled.message_id, "settlement.cancel")
    again = await cancel(office, reversal.result.settlement.settlement_id)
    assert again.outcome is Outcome.APPLIED
    assert_refused(
        await office.reverse("H001", cancelled.message_id, "settlement.cancel"),
        "ALREADY_REVERSED",
    )


async def test_a_cancellation_is_not_undone_beside_a_newer_settlement(office: Office) -> None:
    stay, _, cancelled = await cancelled_bill(office)
    await office.commit("H001", stay, *LINES)
    assert_refused(
        await office.reverse("H001", cancelled.message_id, "settlement.cancel"),
        "REVERSE_TOO_LATE",
    )


@pytest.mark.parametrize("change", ["a line more", "a line less", "a line changed"])
async def test_a_cancellation_is_not_undone_after_a_change_of_lines(
    office: Office, change: str
) -> None:
    stay, _, cancelled = await cancelled_bill(office)
    if change == "a line more":
        await office.upload("H001", stay, bill_line("L3", "I0001", "12.00", "1", DAY))
    elif change == "a line less":
        void = VoidFees(admission_id=stay, line_ids=("L2",), reason="虚构")
        await office.say("H001", "fees.void", void)
    else:
        await office.upload("H001", stay, bill_line("L2", "NOT-IN-CATALOGUE", "97.00", "1", DAY))
    assert_refused(
        await office.reverse("H001", cancelled.message_id, "settlement.cancel"),
        "REVERSE_TOO_LATE",
    )


async def test_a_cancellation_is_undone_after_lines_came_and_went(office: Office) -> None:
    stay, _, cancelled = await cancelled_bill(office)
    await office.upload("H001", stay, bill_line("L3", "I0001", "12.00", "1", DAY))
    void = VoidFees(admission_id=stay, line_ids=("L3",), reason="虚构")
    await office.say("H001", "fees.void", void)
    assert_undone(await office.reverse("H001", cancelled.message_id, "settlement.cancel"))


async def test_a_cancellation_is_not_undone_once_the_case_is_not_payable(office: Office) -> None:
    _, _, cancelled = await cancelled_bill(office)
    await office.decide("C1", CaseState.REVOKED)
    assert_refused(
        await office.reverse("H001", cancelled.message_id, "settlement.cancel"),
        "REVERSE_TOO_LATE",
    )


async def test_a_cancellation_is_not_undone_after_another_discharge(office: Office) -> None:
    stay, _, cancelled = await cancelled_bill(office)
    await cancel_discharge(office, stay)
    assert_refused(
        await office.reverse("H001", cancelled.message_id, "settlement.cancel"),
        "REVERSE_TOO_LATE",
    )


# --- discharge.register and discharge.cancel --


async def discharged(office: Office) -> tuple[str, Heard]:
    await office.recognised("C1", 1)
    stay = (await office.register("H001", "V1", 1)).result.admission_id
    await office.upload("H001", stay, *LINES)
    return stay, await office.discharge("H001", stay)


async def test_a_discharge_is_undone(office: Office) -> None:
    stay, heard = await discharged(office)
    assert_undone(await office.reverse("H001", heard.message_id, "discharge.register"))
    assert (await admission(office, stay))["discharged_us"] is None
    assert (await office.hear(heard.said)).code == "SUPERSEDED"


@pytest.mark.parametrize("case", ["settled", "held"])
async def test_a_discharge_is_not_undone_once_its_bill_is_committed(
    office: Office, case: str
) -> None:
    stay, heard = await discharged(office)
    if case == "held":
        await office.decide("C1", CaseState.REVOKED)
    committed = await office.commit("H001", stay, *LINES)
    assert committed.outcome is Outcome.APPLIED
    assert_refused(
        await office.reverse("H001", heard.message_id, "discharge.register"), "HAS_DEPENDENTS"
    )


async def test_a_discharge_that_was_cancelled_is_undone_already(office: Office) -> None:
    stay, heard = await discharged(office)
    cancelled = await cancel_discharge(office, stay)
    reversal = await office.reverse("H001", heard.message_id, "discharge.register")
    assert_refused(reversal, "ALREADY_REVERSED")
    assert reversal.result.by == cancelled.message_id
    assert (await office.hear(heard.said)).code == "SUPERSEDED"


async def test_a_cancelled_discharge_is_restored_to_the_same_instant(office: Office) -> None:
    stay, _ = await discharged(office)
    before = (await admission(office, stay))["discharged_us"]
    cancelled = await cancel_discharge(office, stay)
    assert_undone(await office.reverse("H001", cancelled.message_id, "discharge.cancel"))
    assert (await admission(office, stay))["discharged_us"] == before
    assert (await office.commit("H001", stay, *LINES)).code == "OK"


async def test_a_restored_discharge_can_be_cancelled_again(office: Office) -> None:
    stay, _ = await discharged(office)
    cancelled = await cancel_discharge(office, stay)
    await office.reverse("H001", cancelled.message_id, "discharge.cancel")
    assert (await cancel_discharge(office, stay)).outcome is Outcome.APPLIED
    assert (await admission(office, stay))["discharged_us"] is None


@pytest.mark.parametrize("settled", [False, True], ids=["discharged anew", "settled since"])
async def test_a_cancelled_discharge_is_not_restored_over_a_newer_one(
    office: Office, settled: bool
) -> None:
    stay, _ = await discharged(office)
    cancelled = await cancel_discharge(office, stay)
    await office.discharge("H001", stay)
    if settled:
        await office.commit("H001", stay, *LINES)
    assert_refused(
        await office.reverse("H001", cancelled.message_id, "discharge.cancel"), "HAS_DEPENDENTS"
    )


# --- transaction.reverse and every other changing command --


async def test_a_reversal_is_never_reversed(office: Office) -> None:
    _, heard = await discharged(office)
    reversal = await office.reverse("H001", heard.message_id, "discharge.register")
    assert_refused(
        await office.reverse("H001", reversal.message_id, "transaction.reverse"), "NOT_REVERSIBLE"
    )


async def test_a_reversal_cannot_name_itself(office: Office) -> None:
    own = office.new_message_id("H001")
    assert_refused(await office.reverse("H001", own, "transaction.reverse", own), "NOT_REVERSIBLE")


def assert_instead(reversal: Heard, command: str) -> None:
    """The refusal names the command that corrects what cannot be reversed."""
    assert [one.expected for one in reversal.result.findings] == [command]


def payment_of(stay: str) -> ReportPayment:
    paid = PriorPayment(payment_no="V1", payer=PriorPayer.EMPLOYER, eligible_fen=100, paid_on=DAY)
    return ReportPayment(admission_id=stay, by="经办", reason="虚构", payment=paid)


def commands_about_the_case() -> dict[str, tuple[str, Any, str]]:
    """What the agency tells of a case and its employers beside the decision."""
    return {
        "case.employer": (
            AGENCY,
            NameEmployer(
                case_no="C1",
                tie=EmploymentTie.SUCCESSION,
                role=EmployerRole.SUCCESSOR,
                employer_no="E2",
                employer_name="虚构承继单位",
                since=DAY,
                by="经办",
                reason="虚构",
            ),
            "case.employer",
        ),
        "case.leave": (
            AGENCY,
            DecidePaidLeave(case_no="C1", first=DAY, last=DAY, by="经办", notice_no="L1"),
            "case.leave",
        ),
        "employer.update": (
            AGENCY,
            UpdateEmployer(employer_no="E1", arrears_since=date(2026, 3, 10)),
            "employer.update",
        ),
        "benefit.stop": (
            AGENCY,
            StopBenefit(
                case_no="C1",
                valid_from=date(2026, 4, 1),
                ground="虚构",
                notice_no="N1",
                served_on=DAY,
            ),
            "benefit.stop",
        ),
    }


CLAIM = MappingClaim(
    hospital_code="HY-1", hospital_name="换药", code="I0001", kind=Kind.ITEM, valid_from=DAY
)
APPLICATION = ApplyApproval(
    person=person(1),
    wanted=Wanted(
        kind=ApprovalKind.REMOTE_RESIDENCE, wanted_from=DAY, wanted_to=DAY, place="虚构县"
    ),
)


def mapping_and_applying() -> dict[str, tuple[str, Any, str]]:
    return {
        "catalog.map": ("H001", MapCatalogue(rows=(CLAIM,)), "catalog.map"),
        "mapping.decide": (
            AGENCY,
            DecideMappings(
                hospital="H001",
                by="经办",
                rows=(
                    MappingDecision(hospital_code="HY-0", valid_from=DAY, version=1, accepted=True),
                ),
            ),
            "mapping.decide",
        ),
        "approval.apply": ("H001", APPLICATION, "approval.cancel"),
    }


def commands_of(stay: str) -> dict[str, tuple[str, Any, str]]:
    """Every other changing command: who sends it, what, and what to call instead."""
    new_line = bill_line("L9", "I0001", "12.00", "1", DAY)
    return {
        "admission.modify": (
            "H001",
            ModifyAdmission(admission_id=stay, bed="12"),
            "admission.modify",
        ),
        "admission.cancel": ("H001", CancelAdmission(admission_id="", reason="虚构"), ""),
        "fees.upload": ("H001", new_line, "fees.void"),
        "fees.void": (
            "H001",
            VoidFees(admission_id=stay, line_ids=("L2",), reason="虚构"),
            "fees.upload",
        ),
        "inbox.ack": ("H001", AckInbox(receipts=(("G1", "ZGlnZXN0"),)), ""),
        "admission.check": (
            AGENCY,
            CheckAdmission(admission_id=stay, by="经办", reason="虚构"),
            "admission.check",
        ),
        "lines.decide": (
            AGENCY,
            DecideLines(
                admission_id=stay,
                by="经办",
                reason="虚构",
                lines=(LineDecision(line_id="L1", violation=""),),
            ),
            "lines.decide",
        ),
        "payment.report": (AGENCY, payment_of(stay), "payment.report"),
        "cut.answer": ("H001", None, "cut.answer"),
        "cut.decide": (AGENCY, None, "cut.decide"),
        "approval.decide": (
            AGENCY,
            DecideApproval(
                approval_no="P1",
                case_no="C1",
                kind=ApprovalKind.RELAPSE,
                granted=True,
                authority_kind=AuthorityKind.ASSESSMENT_COMMITTEE,
                authority="999900",
                by="经办",
                valid_from=DAY,
                valid_to=date(2026, 12, 31),
            ),
            "approval.decide",
        ),
        **commands_about_the_case(),
        **mapping_and_applying(),
    }


REVERSIBLE = {
    "admission.register",
    "settlement.commit",
    "settlement.cancel",
    "discharge.register",
    "discharge.cancel",
}
SPECIAL = {
    *("transaction.reverse", "case.report", "case.decide", "person.card", "admission.cancel"),
    "approval.cancel",
}


def test_every_changing_command_has_its_row() -> None:
    assert COMMANDS.keys() - READS == REVERSIBLE | SPECIAL | commands_of("").keys()


CUTS = {"cut.answer", "cut.decide"}


@pytest.mark.parametrize("name", sorted(CUTS))
async def test_what_was_said_of_a_cut_is_said_anew_not_reversed(office: Office, name: str) -> None:
    await office.recognised("C1", 1)
    stay = (await office.register("H001", "V1", 1)).result.admission_id
    await office.upload("H001", stay, *LINES)
    cut_no = await raised(office, stay)
    heard = await answer(office, cut_no)
    if name == "cut.decide":
        heard = await decide(office, cut_no)
    sender, _, instead = commands_of(stay)[name]
    reversal = await office.reverse(sender, heard.message_id, name)
    assert_refused(reversal, "NOT_REVERSIBLE")
    assert_instead(reversal, instead)


@pytest.mark.parametrize("name", sorted(commands_of("").keys() - SPECIAL - CUTS))
async def test_every_other_command_says_what_to_call_instead(office: Office, name: str) -> None:
    await office.report("C1", 1, insured_at_injury=None)
    await office.decide("C1", CaseState.RECOGNISED)
    stay = (await office.register("H001", "V1", 1)).result.admission_id
    await office.upload("H001", stay, *LINES)
    earlier = MapCatalogue(rows=(replace(CLAIM, hospital_code="HY-0"),))
    await office.say("H001", "catalog.map", earlier)
    sender, command, instead = commands_of(stay)[name]
    if name == "fees.upload":
        heard = await office.upload("H001", stay, command)
    else:
        heard = await office.say(sender, name, command)
    assert heard.outcome is Outcome.APPLIED, heard.code
    reversal = await office.reverse(sender, heard.message_id, name)
    assert_refused(reversal, "NOT_REVERSIBLE")
    assert_instead(reversal, instead)


async def test_a_cancelled_registration_is_registered_anew_not_reversed(office: Office) -> None:
    await office.recognised("C1", 1)
    stay = (await office.register("H001", "V1", 1)).result.admission_id
    command = CancelAdmission(admission_id=stay, reason="虚构")
    heard = await office.say("H001", "admission.cancel", command)
    reversal = await office.reverse("H001", heard.message_id, "admission.cancel")
    assert_refused(reversal, "NOT_REVERSIBLE")
    assert_instead(reversal, "admission.register")


async def test_a_cancelled_application_is_applied_for_anew_not_reversed(office: Office) -> None:
    await office.recognised("C1", 1)
    applied = await office.say("H001", "approval.apply", APPLICATION)
    cancel = CancelApproval(application_id=applied.result.subject, reason="虚构")
    heard = await office.say("H001", "approval.cancel", cancel)
    reversal = await office.reverse("H001", heard.message_id, "approval.cancel")
    assert_refused(reversal, "NOT_REVERSIBLE")
    assert_instead(reversal, "approval.apply")
    assert (await office.say("H001", "approval.apply", APPLICATION)).code == "OK"


@pytest.mark.parametrize("name", ["case.report", "case.decide"])
async def test_what_the_agency_said_of_a_case_is_corrected_by_a_new_decision(
    office: Office, name: str
) -> None:
    said = await office.report("C1", 1)
    if name == "case.decide":
        said = await office.decide("C1", CaseState.RECOGNISED)
    reversal = await office.reverse(AGENCY, said.message_id, name)
    assert_refused(reversal, "NOT_REVERSIBLE")
    assert_instead(reversal, "case.decide")


async def test_a_lost_card_is_found_by_a_new_message(office: Office) -> None:
    await office.report("C1", 1)
    lost = ReportCard(person=person(1), lost=True, at=office.desk.clock.now(), channel="TELEPHONE")
    heard = await office.say(AGENCY, "person.card", lost)
    assert_refused(await office.reverse(AGENCY, heard.message_id, "person.card"), "NOT_REVERSIBLE")
    found = await office.say(AGENCY, "person.card", replace(lost, lost=False))
    assert found.result.state == "FOUND"
