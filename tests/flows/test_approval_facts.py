"""approval.decide and what waits for it: who decides, where, for how long."""

import json
from datetime import date
from typing import Any

import pytest
from sqlalchemy import select

from gateway.domain.admission import BillState
from gateway.domain.case import ApprovalKind, AuthorityKind, TreatmentKind
from gateway.domain.codes import Outcome
from gateway.domain.commands import DecideApproval, ModifyAdmission, QueryCase
from gateway.domain.split import Payer, all_to
from gateway.flows.administer import NotDone
from gateway.flows.release_held import release_all
from gateway.store import tables
from tests.flows.office import AGENCY, DAY, LINES, Heard, Office
from tests.store.conftest import ASKS_NO_STORE
from tests.world import bill_line, person

pytestmark = ASKS_NO_STORE

HOSPITAL, ELSEWHERE = "H001", "H900"
LAST = date(2026, 12, 31)


async def decide(office: Office, kind: ApprovalKind, **given: Any) -> Heard:
    """An approval of the case C1 by the agency, from the day of admission on."""
    values: dict[str, Any] = {
        "approval_no": "P1",
        "case_no": "C1",
        "kind": kind,
        "granted": True,
        "authority_kind": AuthorityKind.AGENCY,
        "authority": "示例市工伤保险经办机构（虚构）",
        "by": "虚构经办",
        "valid_from": date(2026, 3, 1),
        "valid_to": LAST,
    }
    return await office.say(AGENCY, "approval.decide", DecideApproval(**(values | given)))


async def bill_state(office: Office, stay: str) -> str:
    query = select(tables.admission).where(tables.admission.c.admission_id == stay)
    [row] = await office.rows(query)
    return str(row["bill_state"])


def found(heard: Heard) -> list[tuple[str, str, str, str]]:
    return [(one.code, one.field, one.got, one.expected) for one in heard.result.findings]


# --- who decides ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "by", "who"),
    [
        (ApprovalKind.RELAPSE, "AGENCY", "ASSESSMENT_COMMITTEE"),
        (ApprovalKind.REHABILITATION, "AGENCY", "ASSESSMENT_COMMITTEE"),
        (ApprovalKind.DEVICE, "AGENCY", "ASSESSMENT_COMMITTEE"),
        (ApprovalKind.PAID_LEAVE_EXTENSION, "AGENCY", "ASSESSMENT_COMMITTEE"),
        (ApprovalKind.REMOTE_RESIDENCE, "ASSESSMENT_COMMITTEE", "AGENCY"),
        (ApprovalKind.CROSS_PROVINCE, "ASSESSMENT_COMMITTEE", "AGENCY"),
        (ApprovalKind.EMERGENCY, "ASSESSMENT_COMMITTEE", "AGENCY"),
    ],
)
async def test_an_approval_by_another_authority_is_refused_and_told_who_decides(
    office: Office, kind: ApprovalKind, by: str, who: str
) -> None:
    await office.recognised("C1", 1)
    codes = ("A0002",) if kind is ApprovalKind.DEVICE else ()
    given = {"hospitals": ("H002",), "device_codes": codes}
    heard = await decide(office, kind, authority_kind=AuthorityKind(by), **given)
    assert heard.outcome is Outcome.REFUSED
    assert found(heard) == [("WRONG_AUTHORITY", "AuthorityKind", by, who)]
    heard = await decide(office, kind, authority_kind=AuthorityKind(who), **given)
    assert heard.outcome is Outcome.APPLIED


async def test_a_relapse_waits_until_the_committee_has_confirmed_it(office: Office) -> None:
    await office.recognised("C1", 1)
    stay = await office.billed(HOSPITAL, "V1", 1, treatment=TreatmentKind.RELAPSE)
    assert await bill_state(office, stay) == "OPEN"
    kind = ApprovalKind.RELAPSE
    assert (await decide(office, kind)).code == "WRONG_AUTHORITY"
    assert (await office.commit(HOSPITAL, stay, *LINES)).code == "HELD"
    await decide(office, kind, authority_kind=AuthorityKind.ASSESSMENT_COMMITTEE)
    while await release_all(office.desk):
        pass
    assert await bill_state(office, stay) == "SETTLED"


# --- where ---------------------------------------------------------------------------------------


async def test_an_approval_of_a_place_names_one_and_a_referral_names_whose_opinion_it_is(
    office: Office,
) -> None:
    await office.recognised("C1", 1)
    await office.hospital("H404", agreement_from="2026-03-02")
    kind = ApprovalKind.REFERRAL
    assert found(await decide(office, kind)) == [
        ("PLACE_NEEDED", "Hospital", "", "Hospital | Area"),
        ("OPINION_NEEDED", "OpinionBy", "", ""),
    ]
    for stranger in ("NOBODY", "H404", AGENCY):
        heard = await decide(office, kind, hospitals=("H002",), opinion_by=stranger)
        assert found(heard) == [("OPINION_NEEDED", "OpinionBy", stranger, "")]
    heard = await decide(office, kind, hospitals=("H002", "H003"), opinion_by="H001")
    assert heard.outcome is Outcome.APPLIED
    assert (await decide(office, ApprovalKind.REMOTE_RESIDENCE)).code == "PLACE_NEEDED"
    filed = await decide(office, ApprovalKind.CROSS_PROVINCE, area="330800")
    assert filed.outcome is Outcome.APPLIED


async def test_a_hospital_learns_who_decided_and_which_places_are_named(office: Office) -> None:
    await office.recognised("C1", 1)
    await decide(office, ApprovalKind.REFERRAL, hospitals=("H003", "H002"), opinion_by="H001")
    await decide(office, ApprovalKind.CROSS_PROVINCE, approval_no="P2", area="330800")
    heard = await office.say(HOSPITAL, "case.query", QueryCase(person=person(1)))
    [case] = heard.result.cases
    told = {one.approval_no: one for one in case.approvals}
    assert told["P1"].hospitals == ("H002", "H003")
    assert told["P1"].authority_kind is AuthorityKind.AGENCY
    assert (told["P2"].hospitals, told["P2"].area) == ((), "330800")


async def test_a_registration_without_agreement_is_refused_with_what_is_missing(
    office: Office,
) -> None:
    await office.recognised("C1", 1)
    await office.hospital("H404", agreement_from="")
    heard = await office.register("H404", "V1", 1)
    assert (heard.outcome, heard.code) == (Outcome.REFUSED, "NON_AGREEMENT_OR_OUT_OF_REGION")
    assert heard.result.note == "approval of the place on 2026-03-01 by AGENCY"
    await decide(office, ApprovalKind.REFERRAL, hospitals=("H404",), opinion_by="H001")
    assert (await office.register("H404", "V1", 1)).result.state == "CONFIRMED"


async def test_a_county_is_a_code_of_six_digits(office: Office) -> None:
    for wrong in ("33080", "3308022", "柯城"):
        with pytest.raises(NotDone, match="six digits"):
            await office.hospital("H404", county=wrong)
    await office.hospital("H404", county="999901")
    query = select(tables.party.c.county).where(tables.party.c.party_id == "H404")
    assert await office.rows(query) == [{"county": "999901"}]


# --- of which devices ----------------------------------------------------------------------------

COMMITTEE: dict[str, Any] = {"authority_kind": AuthorityKind.ASSESSMENT_COMMITTEE}
_CODES = "目录编码 / codes of the catalogue"


async def test_a_confirmation_of_devices_that_names_none_is_refused(office: Office) -> None:
    await office.recognised("C1", 1)
    heard = await decide(office, ApprovalKind.DEVICE, **COMMITTEE)
    assert (heard.outcome, found(heard)) == (
        Outcome.REFUSED,
        [("VALUE_CONFLICT", "DeviceCode", "", _CODES)],
    )
    named = await decide(office, ApprovalKind.DEVICE, **COMMITTEE, device_codes=("A0002",))
    assert named.outcome is Outcome.APPLIED
    taken_back = await decide(office, ApprovalKind.DEVICE, **COMMITTEE, granted=False)
    assert taken_back.outcome is Outcome.APPLIED


async def test_an_approval_of_anything_else_that_names_devices_is_refused(office: Office) -> None:
    await office.recognised("C1", 1)
    codes = ("A0002", "A0003")
    heard = await decide(office, ApprovalKind.RELAPSE, **COMMITTEE, device_codes=codes)
    assert (heard.outcome, found(heard)) == (
        Outcome.REFUSED,
        [("VALUE_CONFLICT", "DeviceCode", "A0002 A0003", "-")],
    )


async def test_a_hospital_learns_which_devices_are_confirmed(office: Office) -> None:
    await office.recognised("C1", 1)
    await decide(office, ApprovalKind.DEVICE, **COMMITTEE, device_codes=("A0003", "A0002"))
    heard = await office.say(HOSPITAL, "case.query", QueryCase(person=person(1)))
    [[approval]] = [case.approvals for case in heard.result.cases]
    assert approval.device_codes == ("A0002", "A0003")


# --- for how long --------------------------------------------------------------------------------


async def test_an_approval_taken_back_stays_good_for_the_days_before(office: Office) -> None:
    await office.recognised("C1", 1)
    committee = {"authority_kind": AuthorityKind.ASSESSMENT_COMMITTEE}
    kind = ApprovalKind.RELAPSE
    await decide(office, kind, **committee)
    taken = {"granted": False, "valid_from": date(2026, 3, 3)}
    assert (await decide(office, kind, **committee, **taken)).outcome is Outcome.APPLIED
    heard = await office.say(HOSPITAL, "case.query", QueryCase(person=person(1)))
    [[approval]] = [case.approvals for case in heard.result.cases]
    assert (approval.valid_from, approval.valid_to) == (date(2026, 3, 1), DAY)
    taken = {"granted": False, "valid_from": date(2026, 3, 1)}
    await decide(office, kind, **committee, **taken)
    heard = await office.say(HOSPITAL, "case.query", QueryCase(person=person(1)))
    assert [case.approvals for case in heard.result.cases] == [()]


# --- an emergency without agreement --------------------------------------------------------------

EMERGENCY_LINES = (
    bill_line("L1", "I0001", "12.00", "1", DAY),
    bill_line("L2", "I0001", "12.00", "1", date(2026, 3, 3)),
)


async def stable(office: Office, stay: str, day: date) -> Heard:
    command = ModifyAdmission(admission_id=stay, stable_on=day)
    return await office.say("H404", "admission.modify", command)


async def test_a_stable_emergency_that_is_not_moved_back_is_paid_to_that_day(
    office: Office,
) -> None:
    await office.recognised("C1", 1)
    await office.hospital("H404", agreement_from="")
    heard = await office.register("H404", "V1", 1, emergency=True)
    stay = heard.result.admission_id
    office.move_to(date(2026, 3, 4))
    await office.upload("H404", stay, *EMERGENCY_LINES)
    for wrong in (date(2026, 2, 28), date(2026, 3, 5)):
        assert found(await stable(office, stay, wrong)) == [
            ("VALUE_CONFLICT", "StableOn", str(wrong), "2026-03-01 – 2026-03-04")
        ]
    assert (await stable(office, stay, DAY)).outcome is Outcome.APPLIED
    await office.discharge("H404", stay)
    settled = await office.commit("H404", stay, *EMERGENCY_LINES)
    assert settled.result.bill_state is BillState.SETTLED
    reasons = {line.line_id: line.reasons for line in settled.result.lines}
    assert reasons == {"L1": (), "L2": ("NOT_MOVED_BACK",)}
    assert (settled.result.split.fund_fen, settled.result.split.other_fen) == (1200, 1200)
    assert settled.result.meal.days == 2
    assert (await stable(office, stay, DAY)).code == "LINES_FROZEN"


async def test_an_emergency_that_nobody_reported_in_time_is_the_employers(
    office: Office,
) -> None:
    office.move_to(date(2026, 3, 3))
    await office.recognised("C1", 1)
    await office.hospital("H404", agreement_from="")
    stay = await office.billed("H404", "V1", 1, LINES, emergency=True)
    refused = await office.commit("H404", stay, *LINES)
    assert (refused.outcome, refused.code) == (Outcome.REFUSED, "EMPLOYER_PAYS")
    assert refused.result.note == "emergency/late_report"


# --- an employer that told the hospital nothing ---------------------------------------------------

ALONE = (bill_line("L1", "SELF-1", "98.00", "6", DAY),)


async def notified(office: Office, stay: str, told: bool) -> Heard:
    command = ModifyAdmission(admission_id=stay, notified_by_employer=told)
    return await office.say(HOSPITAL, "admission.modify", command)


@pytest.mark.parametrize(
    ("words", "reason", "payer"),
    [
        ([False], "EMPLOYER_NOT_NOTIFIED", Payer.EMPLOYER),
        ([False, True], "OUT_OF_CATALOGUE", Payer.HOSPITAL),
        ([], "OUT_OF_CATALOGUE", Payer.HOSPITAL),
    ],
)
async def test_what_is_outside_the_catalogue_is_the_employers_that_told_the_hospital_nothing(
    office: Office, words: list[bool], reason: str, payer: Payer
) -> None:
    await office.recognised("C1", 1)
    stay = await office.billed(HOSPITAL, "V1", 1, ALONE)
    for told in words:
        assert (await notified(office, stay, told)).outcome is Outcome.APPLIED
    settled = await office.commit(HOSPITAL, stay, *ALONE)
    [line] = settled.result.lines
    assert (line.reasons, settled.result.split) == ((reason,), all_to(payer, 58_800))
    assert (await notified(office, stay, False)).code == "LINES_FROZEN"


# --- another province ----------------------------------------------------------------------------


async def across(office: Office) -> str:
    """A filed stay in another province, discharged with its lines."""
    await office.recognised("C1", 1)
    given = {"region": "330800", "capabilities": ["MEDICAL", "CROSS_PROVINCE"]}
    await office.hospital(ELSEWHERE, **given)
    refused = await office.register(ELSEWHERE, "V1", 1)
    assert refused.code == "TRANSFER_NOT_FILED"
    await decide(office, ApprovalKind.CROSS_PROVINCE, area="330800")
    return await office.billed(ELSEWHERE, "V1", 1, ACROSS)


ACROSS = (bill_line("L1", "LOCAL-1", "80.00", "1", DAY),)


async def test_a_stay_across_provinces_is_settled_by_the_catalogue_of_the_place(
    office: Office, tmp_path: Any
) -> None:
    stay = await across(office)
    held = await office.commit(ELSEWHERE, stay, *ACROSS)
    assert (held.code, held.result.hold_key) == ("HELD", "catalogue/drug")
    header = "kind,code,name,unit,payable,ceiling_tertiary,ceiling_secondary,ceiling_primary"
    drugs = "section,class_code,class_name,ab,seq,star,name,dosage_form,pay_standard,remark"
    files = {
        "drugs": f"{drugs},valid,page\n西药,,解热,甲,1,0,虚构药,口服,,,,\n",
        "rest": f"{header},ceiling,remark\n"
        "item,LOCAL-1,虚构项目,次,yes,60.00,,,,\n"
        "material,LOCAL-2,虚构材料,枚,yes,,,,,\n"
        "facility,LOCAL-3,虚构床位,日,yes,,,,,\n",
    }
    for name, text in files.items():
        (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
    given = {"path": str(tmp_path), "valid_from": "2025-01-01", "region": "330800"}
    await office.act("catalog.import", **given)
    while await release_all(office.desk):
        pass
    [row] = await office.kept(tables.settlement, select(tables.settlement))
    assert (row["fund_fen"], row["hospital_fen"], row["meal_fen"]) == (6000, 2000, 0)
    regions = select(tables.catalogue_edition).where(tables.catalogue_edition.c.region == "330800")
    used = {one["digest"] for one in await office.rows(regions)}
    assert set(json.loads(row["edition_digests"])) == used


async def test_our_own_editions_are_left_alone_by_those_of_another_region(
    office: Office, tmp_path: Any
) -> None:
    before = await office.rows(select(tables.catalogue_edition))
    file = tmp_path / "items.csv"
    header = "kind,code,name,unit,payable,ceiling_tertiary,ceiling_secondary,ceiling_primary"
    text = f"{header},ceiling,remark\nitem,LOCAL-1,虚构项目,次,yes,60.00,,,,\n"
    file.write_text(text, encoding="utf-8")
    given = {"path": str(file), "valid_from": "2026-01-01", "region": "330800"}
    await office.act("catalog.import", **given)
    after = await office.rows(select(tables.catalogue_edition))
    assert [one for one in after if one["region"] != "330800"] == before


async def test_a_stay_across_provinces_asks_for_the_filing_on_every_day(office: Office) -> None:
    stay = await across(office)
    shorter = {"area": "330800", "valid_to": date(2026, 3, 1)}
    await decide(office, ApprovalKind.CROSS_PROVINCE, **shorter)
    held = await office.commit(ELSEWHERE, stay, *ACROSS)
    assert held.result.note == "approval of the place on 2026-03-02 by AGENCY"
