"""Lines keep what hangs on them: their refunds, and what the agency decided about them."""

from datetime import date
from typing import Any

import pytest

from gateway.domain.admission import BillState
from gateway.domain.bill import BillLine, Relation
from gateway.domain.case import ApprovalKind, AuthorityKind
from gateway.domain.codes import Outcome
from gateway.domain.commands import (
    AnswerCut,
    DecideApproval,
    DecideCut,
    DecideLines,
    LineDecision,
    PreviewSettlement,
)
from gateway.domain.cut import CutOutcome
from gateway.domain.split import Payer
from gateway.store.cuts import cuts_of_stay
from gateway.store.stays import related_lines
from tests.flows.office import AGENCY, DAY, Heard, Office
from tests.store.conftest import ASKS_NO_STORE
from tests.world import bill_line

pytestmark = ASKS_NO_STORE

HOSPITAL, SERIAL = "H001", 101
LINE = bill_line("L1", "I0001", "12.00", "2", DAY)
OTHER = bill_line("L2", "I0001", "12.00", "2", DAY)
RESCUE = bill_line("L1", "NOT-IN-CATALOGUE", "98.00", "1", DAY)


def refund(line_id: str, of: str) -> BillLine:
    return bill_line(line_id, "I0001", "12.00", "-1", DAY, refund_of=of)


async def stay_with(office: Office, *lines: BillLine, visit_no: str = "V1") -> str:
    """A recognised worker's stay with these lines."""
    await office.recognised("C1", SERIAL)
    stay: str = (await office.register(HOSPITAL, visit_no, SERIAL)).result.admission_id
    await office.upload(HOSPITAL, stay, *lines)
    return stay


async def decide(office: Office, stay: str, line_id: str = "L1", **decision: Any) -> Heard:
    line = LineDecision(line_id=line_id, **decision)
    command = DecideLines(
        admission_id=stay,
        by="虚构",
        reason="虚构",
        lines=(line,),
        clause="虚构协议第一条",
        evidence="虚构证据",
    )
    return await office.say(AGENCY, "lines.decide", command)


async def uphold(office: Office, stay: str) -> None:
    """The cut of the stay, answered and upheld."""
    async with office.desk.database.reading() as reader:
        (cut,) = await cuts_of_stay(reader, stay)
    await office.say(HOSPITAL, "cut.answer", AnswerCut(cut_no=cut.cut_no, accepted=True, by="丙"))
    decision = DecideCut(
        cut_no=cut.cut_no,
        outcome=CutOutcome.UPHELD,
        by="另一人",
        reason="虚构",
        hearing_held=False,
    )
    assert (await office.say(AGENCY, "cut.decide", decision)).outcome is Outcome.APPLIED


async def uploaded(office: Office, stay: str, line: BillLine) -> tuple[str, str]:
    """How the upload of one line is answered: status and code."""
    (answer,) = (await office.upload(HOSPITAL, stay, line)).result.answers
    return answer.status, answer.finding.code if answer.finding else ""


async def kept(office: Office, stay: str, line_id: str = "L1") -> BillLine:
    async with office.desk.database.reading() as reader:
        return (await related_lines(reader, stay, [line_id]))[line_id]


async def settled(office: Office, stay: str, *lines: BillLine) -> Any:
    """The settlement of the stay, discharged and committed."""
    await office.discharge(HOSPITAL, stay)
    result = (await office.commit(HOSPITAL, stay, *lines)).result
    assert result.bill_state is BillState.SETTLED
    return result


# --- refunds -----------------------------------------------------------------------------------


DRESSING = bill_line("L1", "I0001", "0.335", "3", DAY)
"""三次各 0.335 元，合计 1.01 元；每退一次进位为 0.34 元。"""


def one_back(line_id: str, amount_fen: int = -34) -> BillLine:
    back = bill_line(line_id, "I0001", "0.335", "-1", DAY, refund_of="L1")
    return back._replace(amount_fen=amount_fen)


async def test_the_refund_of_the_last_gives_back_what_the_rounded_refunds_left(
    office: Office,
) -> None:
    stay = await stay_with(office, DRESSING, one_back("R1"), one_back("R2"))
    (told,) = (await office.upload(HOSPITAL, stay, one_back("R3"))).result.answers
    asked = told.finding
    assert (asked.code, asked.got, asked.expected) == ("REFUND_EXCEEDS_ORIGINAL", "-0.34", "-0.33")
    last = one_back("R3", -33)
    assert await uploaded(office, stay, last) == ("accepted", "")
    assert await uploaded(office, stay, last) == ("unchanged", "")
    result = await settled(office, stay, DRESSING, one_back("R1"), one_back("R2"), last)
    assert result.split.total_fen == 0
    assert [line.split.fund_fen for line in result.lines] == [101, -34, -34, -33]


async def test_a_refund_that_leaves_some_gives_back_its_price_times_quantity(
    office: Office,
) -> None:
    stay = await stay_with(office, DRESSING, one_back("R1"))
    assert await uploaded(office, stay, one_back("R2", -33)) == ("rejected", "LINE_AMOUNT_MISMATCH")
    await office.upload(HOSPITAL, stay, one_back("R2"))
    (told,) = (await office.upload(HOSPITAL, stay, one_back("R3", -32))).result.answers
    asked = told.finding
    assert (asked.code, asked.expected) == ("LINE_AMOUNT_MISMATCH", "-0.34 | -0.33")


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (refund("L2", of="L2"), "REFUND_TARGET"),
        (refund("L1", of="L2"), "LINE_HAS_REFUNDS"),
        (bill_line("R1", "I0001", "12.00", "1", DAY), "LINE_HAS_REFUNDS"),
    ],
    ids=["of itself", "original with refunds", "refund into original"],
)
async def test_a_line_never_stops_being_what_a_refund_needs(
    office: Office, line: BillLine, code: str
) -> None:
    stay = await stay_with(office, LINE, OTHER, refund("R1", of="L1"))
    assert await uploaded(office, stay, line) == ("rejected", code)
    await office.discharge(HOSPITAL, stay)
    wanted = PreviewSettlement(admission_id=stay, expected_count=3, expected_amount_fen=3600)
    heard = await office.say(HOSPITAL, "settlement.preview", wanted)
    assert heard.result.split.total_fen == 3600


async def test_a_sum_that_no_reply_can_write_is_refused(office: Office) -> None:
    stay = await stay_with(office)
    huge = [bill_line(f"L{no}", "I0001", "500000000000", "1", DAY) for no in (1, 2)]
    assert (await office.upload(HOSPITAL, stay, huge[0])).outcome is Outcome.APPLIED
    heard = await office.upload(HOSPITAL, stay, huge[1])
    assert (heard.outcome, heard.code) == (Outcome.REFUSED, "TOTAL_MISMATCH")


# --- what the agency decided -------------------------------------------------------------------


@pytest.mark.parametrize(
    "other",
    [
        LINE._replace(code="I0002"),
        LINE._replace(price=LINE.price * 2, amount_fen=4800),
        LINE._replace(quantity=LINE.quantity * 2, amount_fen=4800),
        bill_line("L1", "I0001", "12.00", "2", date(2026, 3, 1)),
    ],
    ids=["code", "price", "quantity", "day"],
)
async def test_a_line_charged_otherwise_is_decided_anew(office: Office, other: BillLine) -> None:
    stay = await stay_with(office, LINE._replace(relation=Relation.UNDETERMINED))
    await decide(office, stay, relation=Relation.INJURY, violation="NO_ORDER")
    await uphold(office, stay)
    other = other._replace(relation=Relation.UNDETERMINED)
    assert await uploaded(office, stay, other) == ("replaced", "")
    line = await kept(office, stay)
    assert (line.reviewed, line.relation) == (False, Relation.UNDETERMINED)
    assert line.violation == "NO_ORDER"


@pytest.mark.parametrize(
    ("signed", "met"),
    [
        ({}, True),
        ({"consent": Payer.INDIVIDUAL, "consent_on": date(2026, 3, 2)}, None),
    ],
    ids=["the same", "signed afterwards"],
)
async def test_what_was_found_met_of_an_unsigned_line_is_not_found_of_a_signed_one(
    office: Office, signed: dict[str, Any], met: bool | None
) -> None:
    stay = await stay_with(office, LINE)
    await decide(office, stay, limit_met=True)
    await uploaded(office, stay, LINE._replace(name="虚构", **signed))
    line = await kept(office, stay)
    assert (line.limit_met, line.reviewed) == (met, False)


async def test_another_name_leaves_the_line_decided(office: Office) -> None:
    stay = await stay_with(office, LINE._replace(relation=Relation.UNDETERMINED))
    await decide(office, stay, relation=Relation.INJURY)
    assert await uploaded(office, stay, LINE._replace(name="虚构")) == ("replaced", "")
    assert (await kept(office, stay)).reviewed


@pytest.mark.parametrize("against", [Relation.UNRELATED, Relation.UNDETERMINED])
async def test_what_was_decided_against_a_line_outlives_every_upload(
    office: Office, against: Relation
) -> None:
    stay = await stay_with(office, LINE)
    await decide(office, stay, relation=against)
    for _ in range(2):
        await uploaded(office, stay, LINE._replace(quantity=10_000, amount_fen=1200))
        await uploaded(office, stay, LINE)
    assert (await kept(office, stay)).relation is against


@pytest.mark.parametrize("decided", [Relation.INJURY, Relation.UNDETERMINED])
async def test_a_hospital_may_always_say_that_a_line_is_not_for_the_injury(
    office: Office, decided: Relation
) -> None:
    stay = await stay_with(office, LINE)
    await decide(office, stay, relation=decided)
    unrelated = LINE._replace(relation=Relation.UNRELATED)
    assert await uploaded(office, stay, unrelated) == ("replaced", "")
    assert (await kept(office, stay)).relation is Relation.UNRELATED
    await uploaded(office, stay, LINE)
    taken_back = Relation.INJURY if decided is Relation.INJURY else Relation.UNRELATED
    line = await kept(office, stay)
    assert (line.relation, line.reviewed) == (taken_back, decided is not Relation.INJURY)


@pytest.mark.parametrize(
    "decision",
    [
        {"relation": Relation.UNRELATED},
        {"violation": "NO_ORDER"},
        {"limit_met": False},
    ],
    ids=["relation", "violation", "limit"],
)
async def test_a_decided_line_cannot_be_voided(office: Office, decision: dict[str, Any]) -> None:
    stay = await stay_with(office, LINE, OTHER)
    await decide(office, stay, **decision)
    heard = await office.say(HOSPITAL, "fees.void", office.void_of(stay, "L2", "L1"))
    assert (heard.outcome, heard.code) == (Outcome.REFUSED, "VALUE_CONFLICT")
    heard = await office.say(HOSPITAL, "fees.void", office.void_of(stay, "L2"))
    assert heard.outcome is Outcome.APPLIED


async def test_an_upheld_violation_outlives_other_decisions_about_the_line(office: Office) -> None:
    stay = await stay_with(office, LINE)
    await decide(office, stay, violation="NO_ORDER")
    await uphold(office, stay)
    await decide(office, stay, relation=Relation.INJURY)
    assert (await kept(office, stay)).violation == "NO_ORDER"
    heard = await office.say(HOSPITAL, "fees.void", office.void_of(stay, "L1"))
    assert heard.code == "VALUE_CONFLICT"
    assert (await settled(office, stay, LINE)).split.hospital_fen == 2400


# --- approvals for rescue ----------------------------------------------------------------------


async def approve(office: Office, *line_ids: str, **given: Any) -> Heard:
    values: dict[str, Any] = {
        "approval_no": "P1",
        "case_no": "C1",
        "kind": ApprovalKind.EMERGENCY_ITEM,
        "granted": True,
        "authority_kind": AuthorityKind.AGENCY,
        "authority": "999900",
        "by": "虚构",
        "valid_from": date(2026, 3, 1),
        "valid_to": date(2026, 3, 31),
        "line_ids": line_ids,
    }
    return await office.say(AGENCY, "approval.decide", DecideApproval(**(values | given)))


@pytest.mark.parametrize("refunded", [False, True], ids=["whole", "refunded"])
async def test_an_approved_rescue_line_is_the_funds(office: Office, refunded: bool) -> None:
    lines = [RESCUE._replace(quantity=20_000, amount_fen=19600)]
    stay = await stay_with(office, *lines)
    assert (await approve(office, "L1")).outcome is Outcome.APPLIED
    if refunded:
        back = RESCUE._replace(line_id="R1", quantity=-10_000, amount_fen=-9800, refund_of="L1")
        lines.append(back)
        await office.upload(HOSPITAL, stay, back)
    result = await settled(office, stay, *lines)
    assert result.split.fund_fen == result.split.total_fen == sum(one.amount_fen for one in lines)


async def test_a_rescue_line_charged_otherwise_is_no_longer_the_one_approved(
    office: Office,
) -> None:
    stay = await stay_with(office, RESCUE)
    await approve(office, "L1")
    dearer = RESCUE._replace(price=RESCUE.price * 100, amount_fen=RESCUE.amount_fen * 100)
    await office.upload(HOSPITAL, stay, dearer)
    assert (await settled(office, stay, dearer)).split.fund_fen == 0


async def test_a_rescue_approval_does_not_reach_another_stay(office: Office) -> None:
    first = await stay_with(office, RESCUE)
    await approve(office, "L1")
    second = await office.billed("H002", "V2", SERIAL, (RESCUE,))
    assert (await office.commit("H002", second, RESCUE)).result.split.fund_fen == 0
    assert (await settled(office, first, RESCUE)).split.fund_fen == 9800


async def test_a_rescue_approval_names_lines_that_are_there_in_one_stay(office: Office) -> None:
    await stay_with(office, RESCUE)
    assert (await approve(office, "L9")).code == "LINE_NOT_FOUND"
    assert (await approve(office, "L1", hospitals=("H002",))).code == "LINE_NOT_FOUND"
    other = (await office.register("H002", "V2", SERIAL)).result.admission_id
    await office.upload("H002", other, RESCUE)
    assert (await approve(office, "L1")).code == "VALUE_CONFLICT"
    assert (await approve(office, "L1", hospitals=("H002",))).outcome is Outcome.APPLIED
