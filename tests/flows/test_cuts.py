"""Cuts on their way: raised, noticed, answered, decided; and what they do to bill and ledger."""

import asyncio
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from gateway.domain.admission import BillState, DaySpan, HoldReason, PaidAtDischargeBy
from gateway.domain.bill import BillLine, Relation
from gateway.domain.case import CaseState
from gateway.domain.codes import Outcome
from gateway.domain.commands import (
    AnswerCut,
    CancelSettlement,
    DecideCut,
    DecideLines,
    LineDecision,
    QueryCuts,
)
from gateway.domain.cut import Cut, CutOutcome, CutState
from gateway.domain.results import Settlement
from gateway.domain.split import Payer, Split
from gateway.flows import move_cuts as move_cuts_module
from gateway.flows.move_cuts import move_cuts
from gateway.flows.release_held import release_all, sweep
from gateway.store import tables
from gateway.store.stays import related_lines
from tests.flows.office import AGENCY, DAY, Heard, Office, at_barrier, at_turnstile
from tests.rules.facts import policy_with
from tests.world import bill_line

HOSPITAL, SERIAL = "H001", 101
LINE = bill_line("L1", "I0001", "12.00", "2", DAY)
OTHER = bill_line("L2", "I0001", "12.00", "1", DAY)
LAST_DAY = date(2026, 3, 9)
"""Seven days after the notice of 2 March in the made-up region."""


async def stay_with(office: Office, *lines: BillLine, serial: int = SERIAL) -> str:
    await office.recognised(f"C{serial}", serial)
    stay: str = (await office.register(HOSPITAL, f"V{serial}", serial)).result.admission_id
    await office.upload(HOSPITAL, stay, *lines)
    await office.discharge(HOSPITAL, stay)
    return stay


async def find(office: Office, stay: str, *line_ids: str, **given: Any) -> Heard:
    values: dict[str, Any] = {
        "admission_id": stay,
        "by": "甲",
        "reason": "虚构",
        "lines": tuple(
            LineDecision(line_id=one, violation="DUPLICATE_CHARGE") for one in line_ids or ("L1",)
        ),
        "rule": "A01",
        "clause": "虚构协议第一条",
        "evidence": "虚构证据",
    }
    return await office.say(AGENCY, "lines.decide", DecideLines(**(values | given)))


async def cuts(office: Office, stay: str, party: str = HOSPITAL) -> tuple[Cut, ...]:
    heard = await office.say(party, "cut.query", QueryCuts(admission_id=stay))
    assert heard.outcome is Outcome.ANSWERED
    found: tuple[Cut, ...] = heard.result.cuts
    return found


async def raised(office: Office, stay: str, *line_ids: str, **given: Any) -> str:
    """The number of a cut just raised."""
    heard = await find(office, stay, *line_ids, **given)
    assert heard.outcome is Outcome.APPLIED, heard.result
    return (await cuts(office, stay))[-1].cut_no


def answer_of(cut_no: str, **given: Any) -> AnswerCut:
    values: dict[str, Any] = {"cut_no": cut_no, "accepted": False, "by": "丙", "reason": "有医嘱"}
    return AnswerCut(**(values | given))


async def answer(office: Office, cut_no: str, party: str = HOSPITAL, **given: Any) -> Heard:
    return await office.say(party, "cut.answer", answer_of(cut_no, **given))


def decision_of(cut_no: str, outcome: CutOutcome = CutOutcome.UPHELD, **given: Any) -> DecideCut:
    values: dict[str, Any] = {
        "cut_no": cut_no,
        "outcome": outcome,
        "by": "乙",
        "reason": "虚构",
        "hearing_held": False,
    }
    return DecideCut(**(values | given))


async def decide(office: Office, cut_no: str, *outcome: CutOutcome, **given: Any) -> Heard:
    return await office.say(AGENCY, "cut.decide", decision_of(cut_no, *outcome, **given))


async def final(office: Office, stay: str, *outcome: CutOutcome, **given: Any) -> Cut:
    """A cut of the first line from its proposal to the decision."""
    cut_no = await raised(office, stay)
    await answer(office, cut_no)
    heard = await decide(office, cut_no, *outcome, **given)
    assert heard.outcome is Outcome.APPLIED, heard.result
    decided: Cut = heard.result
    return decided


async def booked(office: Office, subject: str) -> list[tuple[str, str, int]]:
    query = select(tables.transfer).where(tables.transfer.c.subject == subject)
    rows = await office.rows(query.order_by(tables.transfer.c.tx_id, tables.transfer.c.seq))
    return [(row["debit"], row["credit"], row["amount_fen"]) for row in rows]


def delta_of(one: Cut) -> str:
    """The delta settlement that the decision in force posted, "" for none."""
    assert one.decision is not None
    return one.decision.delta_id


async def told(office: Office, receiver: str, command: str = "cut.changed") -> list[Any]:
    """The cuts that the receiver was told of, in order, opened from the outbox."""
    query = select(tables.outbox).where(
        tables.outbox.c.receiver == receiver, tables.outbox.c.command == command
    )
    rows = await office.kept(tables.outbox, query.order_by(tables.outbox.c.created_us))
    return [office.opened(receiver, row["sealed"])[1] for row in rows]


async def settlements_told(office: Office, receiver: str) -> list[Settlement]:
    return await told(office, receiver, "settlement.result")


# --- the way of one cut --------------------------------------------------------------------------


async def test_a_violation_moves_no_money_before_the_final_decision(office: Office) -> None:
    stay = await stay_with(office, LINE, OTHER)
    cut_no = await raised(office, stay)
    held = await office.commit(HOSPITAL, stay, LINE, OTHER)
    assert (held.code, held.result.hold, held.result.note) == ("HELD", HoldReason.AUDIT, cut_no)
    assert await office.rows(select(tables.settlement)) == []
    await answer(office, cut_no)
    await release_all(office.desk)
    assert await office.rows(select(tables.settlement)) == []
    await decide(office, cut_no)
    await release_all(office.desk)
    (row,) = await office.rows(select(tables.settlement))
    assert (row["hospital_fen"], row["fund_fen"]) == (2400, 1200)


async def test_a_withdrawn_cut_leaves_the_bill_as_it_would_have_been(office: Office) -> None:
    stay = await stay_with(office, LINE, OTHER)
    done = await final(office, stay, CutOutcome.WITHDRAWN)
    assert (done.state, done.upheld_fen) == (CutState.WITHDRAWN, 0)
    settled = await office.commit(HOSPITAL, stay, LINE, OTHER)
    assert settled.result.split.fund_fen == 3600


async def test_a_reduced_cut_stands_on_the_lines_that_it_names(office: Office) -> None:
    stay = await stay_with(office, LINE, OTHER)
    cut_no = await raised(office, stay, "L1", "L2")
    await answer(office, cut_no)
    heard = await decide(office, cut_no, CutOutcome.REDUCED, line_ids=("L2",))
    done = heard.result
    assert (done.state, done.amount_fen, done.upheld_fen) == (CutState.UPHELD, 3600, 1200)
    settled = await office.commit(HOSPITAL, stay, LINE, OTHER)
    assert (settled.result.split.fund_fen, settled.result.split.hospital_fen) == (2400, 1200)


async def test_the_hospital_is_served_a_signed_notice_with_basis_and_last_day(
    office: Office,
) -> None:
    stay = await stay_with(office, LINE)
    await raised(office, stay)
    for receiver in (HOSPITAL, AGENCY):
        (notice,) = await told(office, receiver)
        assert (notice.state, notice.noticed_on, notice.answer_by) == (
            CutState.NOTICED,
            DAY,
            LAST_DAY,
        )
        assert (notice.rule, notice.violation, notice.clause, notice.evidence) == (
            "A01",
            "DUPLICATE_CHARGE",
            "虚构协议第一条",
            "虚构证据",
        )
        assert [(one.line_id, one.amount_fen) for one in notice.lines] == [("L1", 2400)]


async def test_both_sides_hear_of_each_step(office: Office) -> None:
    stay = await stay_with(office, LINE)
    await final(office, stay, hearing_held=True, hearing_on=DAY)
    states = [[one.state for one in await told(office, to)] for to in (HOSPITAL, AGENCY)]
    assert states == [
        [CutState.NOTICED, CutState.UPHELD],
        [CutState.NOTICED, CutState.ANSWERED],
    ]
    last = (await told(office, HOSPITAL))[-1]
    assert last.decision is not None
    assert (last.decision.by, last.decision.hearing_on) == ("乙", DAY)
    assert [one.reason for one in last.statements] == ["有医嘱"]


async def test_the_decision_prints_the_remedies(office: Office) -> None:
    stay = await stay_with(office, LINE)
    cut_no = await raised(office, stay)
    await answer(office, cut_no)
    sealed = (await decide(office, cut_no)).sealed.decode()
    for article in ("第五十五条第四项", "第八十三条第二款", "第五十二条", "第四十三条"):
        assert article in sealed


async def test_two_violations_are_two_cuts(office: Office) -> None:
    stay = await stay_with(office, LINE, OTHER)
    lines = (
        LineDecision(line_id="L1", violation="DUPLICATE_CHARGE"),
        LineDecision(line_id="L2", violation="NO_ORDER"),
    )
    await find(office, stay, lines=lines)
    found = await cuts(office, stay, AGENCY)
    assert sorted((one.violation, one.lines[0].line_id) for one in found) == [
        ("DUPLICATE_CHARGE", "L1"),
        ("NO_ORDER", "L2"),
    ]


async def test_the_bill_waits_until_the_last_of_its_cuts_is_decided(office: Office) -> None:
    stay = await stay_with(office, LINE, OTHER)
    first = await raised(office, stay, "L1")
    second = await raised(office, stay, "L2")
    held = await office.commit(HOSPITAL, stay, LINE, OTHER)
    assert sorted(held.result.note.split()) == sorted([first, second])
    for cut_no, settled in ((first, 0), (second, 1)):
        await decide(office, cut_no, CutOutcome.WITHDRAWN)
        await release_all(office.desk)
        assert len(await office.rows(select(tables.settlement))) == settled


# --- what a cut needs ----------------------------------------------------------------------------


@pytest.mark.parametrize("without", ["clause", "evidence"])
async def test_a_violation_without_basis_is_refused(office: Office, without: str) -> None:
    stay = await stay_with(office, LINE)
    heard = await find(office, stay, **{without: ""})
    assert (heard.outcome, heard.code) == (Outcome.REFUSED, "CUT_WITHOUT_BASIS")
    assert await cuts(office, stay) == ()


async def test_a_line_is_cut_once_at_a_time_and_never_twice(office: Office) -> None:
    stay = await stay_with(office, LINE, OTHER)
    cut_no = await raised(office, stay)
    assert (await find(office, stay)).code == "CUT_OPEN"
    await answer(office, cut_no)
    await decide(office, cut_no)
    assert (await find(office, stay)).code == "VALUE_CONFLICT"
    assert (await find(office, stay, "L2")).outcome is Outcome.APPLIED


async def test_one_message_cuts_a_line_for_one_violation(office: Office) -> None:
    stay = await stay_with(office, LINE)
    twice = tuple(LineDecision(line_id="L1", violation=one) for one in ("NO_ORDER", "HANGING_BED"))
    assert (await find(office, stay, lines=twice)).code == "CUT_OPEN"
    same = (LineDecision(line_id="L1", violation="NO_ORDER"),) * 2
    assert (await find(office, stay, lines=same)).outcome is Outcome.APPLIED
    (one,) = await cuts(office, stay)
    assert one.amount_fen == 2400


async def test_another_person_decides(office: Office) -> None:
    stay = await stay_with(office, LINE)
    cut_no = await raised(office, stay, by="Clerk One")
    await answer(office, cut_no)
    for name in ("Clerk One", "clerk  one", "Ｃｌｅｒｋ One"):
        assert (await decide(office, cut_no, by=name)).code == "CUT_SAME_PERSON"
    assert (await decide(office, cut_no, by="Clerk Two")).outcome is Outcome.APPLIED


async def test_a_line_under_a_cut_cannot_be_voided(office: Office) -> None:
    stay = await stay_with(office, LINE, OTHER)
    await raised(office, stay)
    heard = await office.say(HOSPITAL, "fees.void", office.void_of(stay, "L1"))
    assert (heard.outcome, heard.code) == (Outcome.REFUSED, "VALUE_CONFLICT")
    heard = await office.say(HOSPITAL, "fees.void", office.void_of(stay, "L2"))
    assert heard.outcome is Outcome.APPLIED


async def test_a_line_changed_since_is_cut_as_it_stands(office: Office) -> None:
    stay = await stay_with(office, LINE)
    cut_no = await raised(office, stay)
    more = LINE._replace(quantity=50_000, amount_fen=6000)
    await office.upload(HOSPITAL, stay, more)
    await answer(office, cut_no)
    done = (await decide(office, cut_no)).result
    assert (done.amount_fen, done.upheld_fen) == (6000, 6000)
    assert (await office.commit(HOSPITAL, stay, more)).result.split.hospital_fen == 6000


async def test_a_cut_takes_a_line_with_its_refunds(office: Office) -> None:
    back = bill_line("R1", "I0001", "12.00", "-1", DAY, refund_of="L1")
    stay = await stay_with(office, LINE, back)
    done = await final(office, stay)
    assert done.upheld_fen == 1200
    settled = (await office.commit(HOSPITAL, stay, LINE, back)).result
    assert (settled.split.hospital_fen, settled.split.fund_fen) == (1200, 0)


async def test_a_decision_may_also_say_what_a_line_treats(office: Office) -> None:
    stay = await stay_with(office, LINE._replace(relation=Relation.UNDETERMINED))
    line = LineDecision(line_id="L1", relation=Relation.INJURY, violation="NO_ORDER")
    await find(office, stay, lines=(line,))
    async with office.desk.database.reading() as reader:
        kept = (await related_lines(reader, stay, ["L1"]))["L1"]
    assert (kept.relation, kept.reviewed, kept.violation) == (Relation.INJURY, True, "")


# --- hearing -------------------------------------------------------------------------------------


async def test_nobody_decides_before_the_hospital_answered_or_its_days_are_over(
    office: Office,
) -> None:
    stay = await stay_with(office, LINE)
    cut_no = await raised(office, stay)
    office.move_to(LAST_DAY)
    assert (await decide(office, cut_no)).code == "CUT_NOT_HEARD"
    office.move_to(LAST_DAY + timedelta(days=1))
    assert (await decide(office, cut_no)).outcome is Outcome.APPLIED


async def test_the_days_to_answer_end_by_themselves_and_both_sides_hear_it(office: Office) -> None:
    stay = await stay_with(office, LINE)
    await raised(office, stay)
    office.move_to(LAST_DAY)
    assert await move_cuts(office.desk) == 0
    office.move_to(LAST_DAY + timedelta(days=1))
    assert await move_cuts(office.desk) == 1
    assert await move_cuts(office.desk) == 0
    (found,) = await cuts(office, stay)
    assert (found.state, found.heard_on) == (CutState.UNANSWERED, LAST_DAY)
    for receiver in (HOSPITAL, AGENCY):
        assert (await told(office, receiver))[-1].state is CutState.UNANSWERED


async def test_a_late_statement_is_heard_until_the_decision(office: Office) -> None:
    stay = await stay_with(office, LINE)
    cut_no = await raised(office, stay)
    office.move_to(LAST_DAY)
    await answer(office, cut_no, documents=("长期医嘱单",))
    office.move_to(LAST_DAY + timedelta(days=1))
    heard = await answer(office, cut_no, accepted=True, reason="")
    first, second = heard.result.statements
    assert (first.late, first.documents, second.late) == (False, ("长期医嘱单",), True)
    await decide(office, cut_no)
    assert (await answer(office, cut_no)).code == "CUT_STATE"


async def test_an_objection_says_why(office: Office) -> None:
    stay = await stay_with(office, LINE)
    cut_no = await raised(office, stay)
    assert (await answer(office, cut_no, reason="")).code == "VALUE_CONFLICT"
    assert (await answer(office, cut_no, accepted=True, reason="")).outcome is Outcome.APPLIED


async def test_a_cut_of_another_hospital_is_no_cut(office: Office) -> None:
    stay = await stay_with(office, LINE)
    cut_no = await raised(office, stay)
    real, ghost = [await answer(office, one, "H002") for one in (cut_no, "K0")]
    assert (real.code, ghost.code) == ("CUT_NOT_FOUND", "CUT_NOT_FOUND")
    heard = await office.say("H002", "cut.query", QueryCuts(admission_id=stay))
    assert heard.code == "ADMISSION_NOT_FOUND"
    assert (await decide(office, "K0")).code == "CUT_NOT_FOUND"


# --- a region without the days to answer ---------------------------------------------------------


async def test_without_days_to_answer_no_notice_is_served_until_a_person_enters_them(
    office: Office,
) -> None:
    stay = await stay_with(office, LINE)
    desk = office.desk
    speaking = desk.policy
    desk.policy = policy_with(silent=["appeal/answer_days"])
    cut_no = await raised(office, stay)
    assert [one.state for one in await cuts(office, stay)] == [CutState.PROPOSED]
    assert (await answer(office, cut_no)).code == "CUT_STATE"
    assert (await decide(office, cut_no)).code == "CUT_STATE"
    assert await move_cuts(desk) == 0
    office.move_to(date(2026, 3, 5))
    desk.policy = speaking
    assert await move_cuts(desk) == 1
    (served,) = await cuts(office, stay)
    assert (served.state, served.noticed_on, served.answer_by) == (
        CutState.NOTICED,
        date(2026, 3, 5),
        date(2026, 3, 12),
    )


async def test_a_cut_that_cannot_be_moved_stops_no_other(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    stay = await stay_with(office, LINE, OTHER)
    first = await raised(office, stay, "L1")
    second = await raised(office, stay, "L2")
    office.move_to(LAST_DAY + timedelta(days=1))
    real = move_cuts_module.told

    def broken(desk: Any, one: Cut) -> Any:
        if one.cut_no == first:
            raise LookupError(first)
        return real(desk, one)

    monkeypatch.setattr(move_cuts_module, "told", broken)
    assert await move_cuts(office.desk) == 1
    states = {one.cut_no: one.state for one in await cuts(office, stay)}
    assert states == {first: CutState.NOTICED, second: CutState.UNANSWERED}


# --- a settled bill ------------------------------------------------------------------------------


async def settled(office: Office, *lines: BillLine, **given: Any) -> tuple[str, Any]:
    stay = await stay_with(office, *lines)
    heard = await office.commit(HOSPITAL, stay, *lines, **given)
    assert heard.result.bill_state is BillState.SETTLED
    return stay, heard


async def test_an_upheld_cut_of_a_settled_bill_takes_back_what_the_fund_paid(
    office: Office,
) -> None:
    stay, heard = await settled(office, LINE, OTHER)
    done = await final(office, stay)
    assert (done.settlement_id, done.posted_fen) == (heard.result.settlement_id, 2400)
    rows = await office.rows(select(tables.settlement).order_by(tables.settlement.c.live))
    assert [(row["live"], row["fund_fen"], row["hospital_fen"]) for row in rows] == [
        (1, 3600, 0),
        (2, -2400, 2400),
    ]
    assert await booked(office, delta_of(done)) == [("2101/hospital/H001", "5101/medical", 2400)]


async def test_both_sides_get_the_delta_that_a_cut_posted_and_its_clause(office: Office) -> None:
    stay, heard = await settled(office, LINE, OTHER)
    done = await final(office, stay)
    for receiver in (HOSPITAL, AGENCY):
        delta = (await settlements_told(office, receiver))[-1]
        assert (delta.settlement_id, delta.adjusts) == (
            delta_of(done),
            heard.result.settlement_id,
        )
        assert delta.split == Split(-2400, 0, 0, 2400, 0)
        assert [line.line_id for line in delta.lines] == ["L1"]
        assert done.cut_no in delta.note
        assert "虚构协议第一条" in delta.note


async def test_a_cut_that_changes_no_amount_posts_nothing_and_counts_all_the_same(
    office: Office,
) -> None:
    """The hospital bears a line without consent already; upheld, it is cut once."""
    absent = bill_line("L1", "NOT-IN-CATALOGUE", "98.00", "1", DAY)
    stay, _ = await settled(office, absent)
    done = await final(office, stay)
    assert (done.upheld_fen, done.posted_fen, delta_of(done)) == (9800, 0, "")
    assert len(await office.rows(select(tables.settlement))) == 1
    assert (await find(office, stay)).code == "VALUE_CONFLICT"


async def test_until_then_a_settled_bill_and_the_ledger_stay_as_they_are(office: Office) -> None:
    stay, _ = await settled(office, LINE)
    before = await office.rows(select(tables.transfer))
    cut_no = await raised(office, stay)
    await answer(office, cut_no)
    await sweep(office.desk)
    assert await office.rows(select(tables.transfer)) == before
    await decide(office, cut_no, CutOutcome.WITHDRAWN)
    assert await office.rows(select(tables.transfer)) == before


async def test_what_the_worker_was_paid_the_hospital_owes_the_fund(office: Office) -> None:
    await office.report("C1", SERIAL)
    stay = await office.billed(HOSPITAL, "V1", SERIAL, (LINE,))
    paid_by = PaidAtDischargeBy.INDIVIDUAL
    held = await office.commit(HOSPITAL, stay, LINE, paid_at_discharge_by=paid_by)
    assert held.code == "HELD"
    await office.decide("C1", CaseState.RECOGNISED)
    await release_all(office.desk)
    done = await final(office, stay)
    assert await booked(office, delta_of(done)) == [("2101/individual", "5101/medical", 2400)]
    assert await booked(office, done.cut_no) == [("1221/hospital/H001", "2101/individual", 2400)]
    await decide(office, done.cut_no, CutOutcome.WITHDRAWN)
    assert sorted(await booked(office, done.cut_no)) == [
        ("1221/hospital/H001", "2101/individual", 2400),
        ("2101/individual", "1221/hospital/H001", 2400),
    ]


async def test_what_others_paid_of_the_line_is_to_be_given_back(office: Office) -> None:
    signed = bill_line(
        "L1", "NOT-IN-CATALOGUE", "98.00", "1", DAY, consent=Payer.INDIVIDUAL, consent_on=DAY
    )
    stay, _ = await settled(office, signed)
    done = await final(office, stay)
    assert done.decision is not None
    assert (done.upheld_fen, done.posted_fen, done.decision.give_back_fen) == (9800, 0, 9800)
    assert await booked(office, done.cut_no) == []


async def test_a_settlement_with_an_upheld_cut_is_not_undone(office: Office) -> None:
    stay, heard = await settled(office, LINE)
    done = await final(office, stay)
    settlement_id = heard.result.settlement_id
    command = CancelSettlement(settlement_id=settlement_id, reason="虚构", operator="op1")
    assert (await office.say(HOSPITAL, "settlement.cancel", command)).code == "CUT_STANDS"
    reversal = await office.reverse(HOSPITAL, heard.message_id, "settlement.commit")
    assert reversal.code == "CUT_STANDS"
    back = await decide(office, done.cut_no, CutOutcome.WITHDRAWN)
    assert (back.result.state, back.result.posted_fen) == (CutState.WITHDRAWN, 0)
    assert await booked(office, back.result.decision.delta_id) == [
        ("5101/medical", "2101/hospital/H001", 2400)
    ]
    assert (await office.say(HOSPITAL, "settlement.cancel", command)).code == "OK"


async def test_a_settlement_undone_under_an_open_cut_waits_for_it_when_settled_anew(
    office: Office,
) -> None:
    stay, heard = await settled(office, LINE)
    cut_no = await raised(office, stay)
    await office.reverse(HOSPITAL, heard.message_id, "settlement.commit")
    again = await office.commit(HOSPITAL, stay, LINE)
    assert (again.code, again.result.note) == ("HELD", cut_no)
    await answer(office, cut_no)
    await decide(office, cut_no)
    await release_all(office.desk)
    rows = await office.rows(select(tables.settlement).where(tables.settlement.c.live == 1))
    assert [row["hospital_fen"] for row in rows] == [2400]
    assert await booked(office, cut_no) == []


async def test_an_upheld_cut_may_be_withdrawn_after_review_while_nothing_is_settled(
    office: Office,
) -> None:
    stay = await stay_with(office, LINE)
    done = await final(office, stay)
    assert (await decide(office, done.cut_no)).code == "CUT_STATE"
    back = (await decide(office, done.cut_no, CutOutcome.WITHDRAWN)).result
    assert [one.outcome for one in back.decisions] == [CutOutcome.UPHELD, CutOutcome.WITHDRAWN]
    assert (await office.commit(HOSPITAL, stay, LINE)).result.split.hospital_fen == 0


async def test_what_a_settlement_took_in_is_not_withdrawn_behind_its_back(office: Office) -> None:
    stay = await stay_with(office, LINE)
    done = await final(office, stay)
    await office.commit(HOSPITAL, stay, LINE)
    assert (await decide(office, done.cut_no, CutOutcome.WITHDRAWN)).code == "SETTLED_ALREADY"


async def test_on_a_settled_bill_only_violations_are_decided(office: Office) -> None:
    stay, _ = await settled(office, LINE)
    lines = (LineDecision(line_id="L1", relation=Relation.UNRELATED, violation="NO_ORDER"),)
    assert (await find(office, stay, lines=lines)).code == "SETTLED_ALREADY"
    assert (await find(office, stay, cleared=("A01",))).code == "SETTLED_ALREADY"
    assert (await find(office, stay)).outcome is Outcome.APPLIED


async def test_days_of_a_hanging_bed_on_a_settled_bill_are_refused_and_say_what_to_do(
    office: Office,
) -> None:
    stay, heard = await settled(office, LINE)
    spans = (DaySpan(DAY, DAY),)
    refused = await find(office, stay, lines=(), hanging_bed=spans, rule="")
    assert refused.code == "SETTLED_ALREADY"
    (finding,) = refused.result.findings
    assert (finding.field, finding.got) == ("HangingBed", heard.result.settlement_id)
    assert finding.expected == "Line/Violation = HANGING_BED"
    lines = (LineDecision(line_id="L1", violation="NO_ORDER"),)
    both = await find(office, stay, lines=lines, hanging_bed=spans)
    assert both.code == "SETTLED_ALREADY"
    assert (await find(office, stay)).outcome is Outcome.APPLIED


# --- races ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", [(0, 1), (1, 0)], ids=["cut first", "commit first"])
async def test_a_commit_racing_with_a_new_cut_sees_it_or_is_cut_as_settled(
    office: Office, order: tuple[int, int]
) -> None:
    stay = await stay_with(office, LINE)
    desk, barrier = at_turnstile(office.desk, order)
    command = DecideLines(
        admission_id=stay,
        by="甲",
        reason="虚构",
        lines=(LineDecision(line_id="L1", violation="NO_ORDER"),),
        clause="虚构协议第一条",
        evidence="虚构证据",
    )
    finding = await office.request(AGENCY, "lines.decide", command)
    committing = await office.request(HOSPITAL, "settlement.commit", office.commit_of(stay, LINE))
    one = asyncio.create_task(office.hear(finding, desk))
    await barrier.until(1)
    other = asyncio.create_task(office.hear(committing, desk))
    found, bill = await asyncio.gather(one, other)
    assert found.outcome is bill.outcome is Outcome.APPLIED
    (cut,) = await cuts(office, stay)
    if order == (0, 1):
        assert (bill.code, cut.settlement_id) == ("HELD", "")
    else:
        assert (bill.code, cut.settlement_id) == ("OK", bill.result.settlement_id)


async def test_two_decisions_at_once_are_one(office: Office) -> None:
    stay, _ = await settled(office, LINE)
    cut_no = await raised(office, stay)
    await answer(office, cut_no)
    desk, barrier = at_barrier(office.desk)
    requests = [await office.request(AGENCY, "cut.decide", decision_of(cut_no)) for _ in range(2)]
    one = asyncio.create_task(office.hear(requests[0], desk))
    await barrier.until(1)
    other = asyncio.create_task(office.hear(requests[1], desk))
    heard = await asyncio.gather(one, other)
    assert sorted(each.code for each in heard) == ["CUT_STATE", "OK"]
    rows = await office.rows(select(tables.settlement.c.fund_fen).order_by("settled_us"))
    assert [row["fund_fen"] for row in rows] == [2400, -2400]
