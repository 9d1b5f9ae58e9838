"""A hospital applies for an approval, the agency answers, and both learn what became of it."""

import asyncio
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from sqlalchemy import select

from gateway.domain.application import NEEDS, Application, ApplicationState, PlannedItem, Wanted
from gateway.domain.case import ApprovalKind, AuthorityKind, CaseState, TreatmentKind
from gateway.domain.codes import Outcome
from gateway.domain.commands import (
    ApplyApproval,
    CancelApproval,
    DecideApproval,
    QueryApprovals,
    QueryCase,
)
from gateway.store import tables
from tests.flows.office import AGENCY, DAY, LINES, Heard, Office, at_barrier
from tests.world import DIAGNOSIS, person

APRIL = date(2026, 4, 30)
K = ApprovalKind
FULL: dict[str, Any] = {
    "place": "虚构康复医院",
    "opinion": "虚构意见",
    "effect": "恢复行走",
    "cost_fen": 90000,
    "items": (PlannedItem(name="运动疗法", code="I0001", times=20, price=45_000_000),),
    "diagnoses": (DIAGNOSIS,),
}


def wanted(kind: ApprovalKind = K.REHABILITATION, **given: Any) -> Wanted:
    return Wanted(**({"kind": kind, "wanted_from": DAY, "wanted_to": APRIL} | FULL | given))


async def apply(office: Office, content: Wanted | None = None, **given: Any) -> Heard:
    values: dict[str, Any] = {"person": person(1), "wanted": content or wanted()}
    return await office.say("H001", "approval.apply", ApplyApproval(**(values | given)))


async def applied(office: Office, content: Wanted | None = None) -> str:
    heard = await apply(office, content)
    assert heard.code == "OK", heard.result
    number: str = heard.result.subject
    return number


def decision(application_id: str, *, granted: bool = True, **given: Any) -> DecideApproval:
    values: dict[str, Any] = {
        "approval_no": "AP1",
        "case_no": "C1",
        "kind": K.REHABILITATION,
        "granted": granted,
        "authority_kind": AuthorityKind.ASSESSMENT_COMMITTEE,
        "authority": "虚构市劳动能力鉴定委员会",
        "by": "虚构审批",
        "valid_from": DAY,
        "valid_to": APRIL,
        "application_id": application_id,
        "reason": "" if granted else "暂无康复指征",
    }
    return DecideApproval(**(values | given))


async def decide(office: Office, application_id: str, **given: Any) -> Heard:
    return await office.say(AGENCY, "approval.decide", decision(application_id, **given))


async def cancel(office: Office, application_id: str, hospital: str = "H001") -> Heard:
    command = CancelApproval(application_id=application_id, reason="改期")
    return await office.say(hospital, "approval.cancel", command)


async def seen(office: Office, party: str = "H001", **asked: Any) -> tuple[Application, ...]:
    heard = await office.say(party, "approval.query", QueryApprovals(**asked))
    found: tuple[Application, ...] = heard.result.applications
    return found


async def notices(office: Office, receiver: str, command: str) -> list[Any]:
    query = select(tables.outbox).where(
        tables.outbox.c.command == command, tables.outbox.c.receiver == receiver
    )
    rows = await office.kept(tables.outbox, query.order_by(tables.outbox.c.created_us))
    return [office.opened(receiver, row["sealed"])[1] for row in rows]


async def approvals(office: Office) -> list[str]:
    heard = await office.say("H001", "case.query", QueryCase(person=person(1)))
    return [one.approval_no for case in heard.result.cases for one in case.approvals]


# --- applying ---


async def test_an_application_waits_and_is_shown_to_the_agency_whole(office: Office) -> None:
    await office.recognised("C1", 1)
    heard = await apply(office)
    assert (heard.outcome, heard.result.state) == (Outcome.APPLIED, "APPLIED")
    (shown,) = await notices(office, AGENCY, "approval.received")
    assert (shown.name, shown.application.wanted) == (person(1).name, wanted())
    (own,) = await seen(office)
    assert (own.application_id, own.state) == (heard.result.subject, ApplicationState.APPLIED)
    assert (own.case_no, own.applied_on, own.wanted) == ("C1", DAY, wanted())


@pytest.mark.parametrize(
    ("kind", "missing"), [(kind, name) for kind, names in NEEDS.items() for name in names]
)
async def test_each_kind_says_what_it_needs(
    office: Office, kind: ApprovalKind, missing: str
) -> None:
    await office.recognised("C1", 1)
    stay = await office.billed("H001", "V1", 1)
    lines = {"admission_id": stay, "line_ids": ("L2",)}
    whole = wanted(kind, **lines)
    empty = Wanted(kind=kind, wanted_from=DAY, wanted_to=DAY)
    heard = await apply(office, replace(whole, **{missing: getattr(empty, missing)}))
    assert (heard.code, len(heard.result.findings)) == ("APPLICATION_INCOMPLETE", 1)
    assert (await apply(office, whole)).code == "OK"


@pytest.mark.parametrize("kind", ApprovalKind)
def test_every_kind_of_approval_needs_something_said(kind: ApprovalKind) -> None:
    assert NEEDS[kind]


async def test_every_fault_is_told_at_once(office: Office) -> None:
    await office.recognised("C1", 1)
    heard = await apply(office, Wanted(kind=K.REHABILITATION, wanted_from=APRIL, wanted_to=DAY))
    assert [(one.code, one.field) for one in heard.result.findings] == [
        ("APPLICATION_INCOMPLETE", "Item"),
        ("APPLICATION_INCOMPLETE", "Effect"),
        ("APPLICATION_INCOMPLETE", "Cost"),
        ("APPLICATION_DAYS", "To"),
    ]


async def test_a_transfer_that_lies_ahead_was_not_made(office: Office) -> None:
    await office.recognised("C1", 1)
    heard = await apply(office, wanted(K.REFERRAL, transferred_on=date(2026, 3, 3)))
    assert heard.code == "FUTURE_DATE"


async def test_nobody_and_a_person_without_a_case_are_answered_alike(office: Office) -> None:
    await office.register("H001", "V2", 2)
    findings = []
    for serial in (2, 3):
        heard = await apply(office, person=person(serial))
        findings.append((heard.code, heard.result.findings))
    assert findings[0] == findings[1]
    assert findings[0][0] == "PERSON_MISMATCH"


async def test_the_name_and_the_credential_must_be_right(office: Office) -> None:
    await office.recognised("C1", 1)
    for given, code in (
        ({"name": "另一人"}, "PERSON_MISMATCH"),
        ({"credential": "MEDICAL_E_CREDENTIAL"}, "CREDENTIAL_REFUSED"),
    ):
        heard = await apply(office, person=replace(person(1), **given))
        assert heard.code == code


async def test_of_several_cases_one_is_named(office: Office) -> None:
    await office.recognised("C1", 1)
    await office.recognised("C2", 1)
    assert (await apply(office)).code == "CASE_AMBIGUOUS"
    assert (await apply(office, case_no="C9")).code == "CASE_NOT_FOUND"
    assert (await apply(office, case_no="C2")).code == "OK"


async def test_a_stay_is_the_hospitals_own_and_of_the_case(office: Office) -> None:
    await office.recognised("C1", 1)
    await office.recognised("C2", 2)
    theirs = (await office.register("H002", "V1", 1)).result.admission_id
    others = (await office.register("H001", "V2", 2)).result.admission_id
    assert (await apply(office, wanted(admission_id=theirs))).code == "ADMISSION_NOT_FOUND"
    assert (await apply(office, wanted(admission_id=others))).code == "VALUE_CONFLICT"


async def test_lines_for_rescue_are_there(office: Office) -> None:
    await office.recognised("C1", 1)
    stay = await office.billed("H001", "V1", 1)
    item = wanted(K.EMERGENCY_ITEM, admission_id=stay, line_ids=("L2", "L9"))
    heard = await apply(office, item)
    assert (heard.code, heard.result.findings[0].got) == ("LINE_NOT_FOUND", "L9")


async def test_the_same_application_waits_once(office: Office) -> None:
    await office.recognised("C1", 1)
    first = await applied(office)
    heard = await apply(office)
    assert (heard.code, heard.result.findings[0].got) == ("APPLICATION_WAITS", first)
    assert (await apply(office, wanted(wanted_from=date(2026, 3, 3)))).code == "OK"
    await cancel(office, first)
    assert (await apply(office)).code == "OK"


async def test_of_two_that_race_one_waits(office: Office) -> None:
    await office.recognised("C1", 1)
    desk, _ = at_barrier(office.desk)
    command = ApplyApproval(person=person(1), wanted=wanted())
    asked = [await office.request("H001", "approval.apply", command) for _ in range(2)]
    heard = await asyncio.gather(*(office.hear(one, desk) for one in asked))
    assert sorted(one.code for one in heard) == ["APPLICATION_WAITS", "OK"]


async def test_devices_may_be_applied_for_side_by_side(office: Office) -> None:
    await office.recognised("C1", 1)
    await applied(office, wanted(K.DEVICE))
    assert (await apply(office, wanted(K.DEVICE))).code == "OK"


async def test_a_device_is_applied_for_by_its_code(office: Office) -> None:
    await office.recognised("C1", 1)
    named = PlannedItem(name="部分手假肢", code="A0002")
    heard = await apply(office, wanted(K.DEVICE, items=(named, PlannedItem(name="轮椅"))))
    assert [(one.code, one.field) for one in heard.result.findings] == [
        ("APPLICATION_INCOMPLETE", "Code")
    ]
    massage = PlannedItem(name="推拿")
    assert (await apply(office, wanted(K.DEVICE, items=(named,)))).code == "OK"
    assert (await apply(office, wanted(items=(massage,)))).code == "OK"


@pytest.mark.parametrize(("to", "code"), [(APRIL, "APPLICATION_DAYS"), (date(2026, 5, 1), "OK")])
async def test_a_prolongation_goes_beyond_the_approval_it_prolongs(
    office: Office, to: date, code: str
) -> None:
    await office.recognised("C1", 1)
    await decide(office, await applied(office))
    assert (await apply(office, wanted(prolongs="AP1", wanted_to=to))).code == code


async def test_only_an_approval_of_its_kind_is_prolonged(office: Office) -> None:
    await office.recognised("C1", 1)
    await decide(office, await applied(office))
    for content in (wanted(prolongs="AP9"), wanted(K.RELAPSE, prolongs="AP1")):
        heard = await apply(office, replace(content, wanted_to=date(2026, 5, 31)))
        assert heard.code == "APPROVAL_NOT_FOUND"


# --- deciding ---


async def test_a_grant_gives_the_approval_and_tells_the_hospital_in_reply(office: Office) -> None:
    await office.recognised("C1", 1)
    application_id = await applied(office)
    assert (await decide(office, application_id)).code == "OK"
    assert await approvals(office) == ["AP1"]
    (told,) = await notices(office, "H001", "approval.changed")
    assert (told.application_id, told.granted, told.approval_no) == (application_id, True, "AP1")
    assert (told.valid_from, told.valid_to) == (DAY, APRIL)
    (own,) = await seen(office)
    assert (own.state, own.granted, own.answered_on) == (ApplicationState.DECIDED, True, DAY)
    query = select(tables.outbox.c.in_reply_to).where(tables.outbox.c.command == "approval.changed")
    request = select(tables.application.c.message_id)
    assert await office.rows(query) == [
        {"in_reply_to": row["message_id"]} for row in await office.rows(request)
    ]


async def test_a_hospital_is_told_which_of_its_devices_are_confirmed(office: Office) -> None:
    await office.recognised("C1", 1)
    items = (PlannedItem(name="部分手假肢", code="A0002"), PlannedItem(name="轮椅", code="A0003"))
    application_id = await applied(office, wanted(K.DEVICE, items=items))
    unnamed = await decide(office, application_id, kind=K.DEVICE)
    assert [(one.code, one.field) for one in unnamed.result.findings] == [
        ("VALUE_CONFLICT", "DeviceCode")
    ]
    assert [one.state for one in await seen(office)] == [ApplicationState.APPLIED]
    assert (
        await decide(office, application_id, kind=K.DEVICE, device_codes=("A0002",))
    ).code == "OK"
    (told,) = await notices(office, "H001", "approval.changed")
    assert (told.granted, told.device_codes) == (True, ("A0002",))


async def test_a_refusal_of_a_device_names_none(office: Office) -> None:
    await office.recognised("C1", 1)
    application_id = await applied(office, wanted(K.DEVICE))
    assert (await decide(office, application_id, kind=K.DEVICE, granted=False)).code == "OK"
    (told,) = await notices(office, "H001", "approval.changed")
    assert (told.granted, told.device_codes) == (False, ())


async def test_a_refusal_says_why_and_leaves_no_approval(office: Office) -> None:
    await office.recognised("C1", 1)
    application_id = await applied(office)
    assert (await decide(office, application_id, granted=False, reason="")).code == (
        "REASON_MISSING"
    )
    assert (await decide(office, application_id, granted=False)).code == "OK"
    assert await approvals(office) == []
    (own,) = await seen(office)
    assert (own.state, own.granted, own.reason) == (
        ApplicationState.DECIDED,
        False,
        "暂无康复指征",
    )


async def test_a_refusal_does_not_take_back_another_approval_of_its_number(office: Office) -> None:
    await office.recognised("C1", 1)
    await decide(office, await applied(office))
    later = await applied(office, wanted(prolongs="AP1", wanted_to=date(2026, 5, 31)))
    await decide(office, later, granted=False)
    assert await approvals(office) == ["AP1"]


async def test_a_decision_is_about_the_case_and_kind_applied_for(office: Office) -> None:
    await office.recognised("C1", 1)
    await office.recognised("C2", 2)
    application_id = await applied(office)
    heard = await decide(office, application_id, case_no="C2", kind=K.RELAPSE)
    assert [one.field for one in heard.result.findings] == ["CaseNo", "Kind"]
    assert (await decide(office, "Q-NONE")).code == "APPLICATION_NOT_FOUND"


async def test_a_decision_that_is_faulty_in_itself_leaves_the_application_waiting(
    office: Office,
) -> None:
    await office.recognised("C1", 1)
    application_id = await applied(office)
    heard = await decide(office, application_id, valid_to=date(2026, 3, 1))
    assert heard.outcome is Outcome.REFUSED
    assert [one.state for one in await seen(office)] == [ApplicationState.APPLIED]


async def test_an_application_is_decided_once(office: Office) -> None:
    await office.recognised("C1", 1)
    application_id = await applied(office)
    await decide(office, application_id)
    assert (await decide(office, application_id, granted=False)).code == "APPLICATION_STATE"
    assert (await cancel(office, application_id)).code == "APPLICATION_STATE"
    assert await approvals(office) == ["AP1"]


async def test_a_cancelled_application_is_not_decided(office: Office) -> None:
    await office.recognised("C1", 1)
    application_id = await applied(office)
    assert (await cancel(office, application_id)).result.state == "CANCELLED"
    assert (await decide(office, application_id)).code == "APPLICATION_STATE"
    (told,) = await notices(office, AGENCY, "approval.changed")
    assert (told.state, told.reason) == (ApplicationState.CANCELLED, "改期")
    assert await approvals(office) == []


async def test_a_decision_and_a_cancellation_that_race_leave_one_answer(office: Office) -> None:
    await office.recognised("C1", 1)
    application_id = await applied(office)
    desk, _ = at_barrier(office.desk)
    asked = [
        await office.request(AGENCY, "approval.decide", decision(application_id)),
        await office.request(
            "H001", "approval.cancel", CancelApproval(application_id=application_id, reason="改期")
        ),
    ]
    heard = await asyncio.gather(*(office.hear(one, desk) for one in asked))
    assert sorted(one.code for one in heard) == ["APPLICATION_STATE", "OK"]
    granted = heard[0].code == "OK"
    assert await approvals(office) == (["AP1"] if granted else [])
    assert len(await office.rows(select(tables.application_answer))) == 1


async def test_a_grant_looks_at_the_held_bill_again_and_a_refusal_leaves_it(
    office: Office,
) -> None:
    await office.recognised("C1", 1)
    heard = await office.register("H001", "V1", 1, treatment=TreatmentKind.REHABILITATION)
    stay = heard.result.admission_id
    await office.upload("H001", stay, *LINES)
    await office.discharge("H001", stay)
    assert (await office.commit("H001", stay, *LINES)).code == "HELD"
    jobs = select(tables.release_job).where(tables.release_job.c.cause.like("approval.decide%"))
    await decide(office, await applied(office), granted=False)
    assert await office.rows(jobs) == []
    await decide(office, await applied(office))
    assert [row["admission_id"] for row in await office.rows(jobs)] == [stay]


async def test_an_approval_without_an_application_is_decided_as_before(office: Office) -> None:
    await office.recognised("C1", 1)
    assert (await decide(office, "")).code == "OK"
    assert await approvals(office) == ["AP1"]
    assert await office.rows(select(tables.application_answer)) == []


# --- who sees what ---


async def test_another_hospital_neither_sees_nor_cancels_it(office: Office) -> None:
    await office.recognised("C1", 1)
    application_id = await applied(office)
    assert await seen(office, "H002") == ()
    assert await seen(office, "H002", application_id=application_id) == ()
    assert (await cancel(office, application_id, "H002")).code == "APPLICATION_NOT_FOUND"
    assert len(await seen(office, AGENCY)) == 1


async def test_applications_are_found_by_state_and_page(office: Office) -> None:
    await office.recognised("C1", 1)
    first = await applied(office)
    second = await applied(office, wanted(K.RELAPSE))
    await cancel(office, first)
    waiting = await seen(office, state=ApplicationState.APPLIED)
    assert [one.application_id for one in waiting] == [second]
    gone = await seen(office, state=ApplicationState.CANCELLED)
    assert [one.application_id for one in gone] == [first]
    in_order = [one.application_id for one in await seen(office)]
    assert in_order == sorted((first, second))
    rest = await seen(office, after=in_order[0])
    assert [one.application_id for one in rest] == in_order[1:]


async def test_an_undecided_case_may_be_applied_for(office: Office) -> None:
    await office.report("C1", 1)
    assert (await apply(office)).code == "OK"
    await office.decide("C1", CaseState.RECOGNISED)
    assert len(await seen(office)) == 1
