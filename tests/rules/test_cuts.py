"""When a cut may be answered and decided, by whom, and what is left of it."""

from datetime import date
from typing import Any

import pytest

from gateway.clock import at_business
from gateway.domain.commands import AnswerCut, DecideCut
from gateway.domain.cut import PENDING, TRANSITIONS, Cut, CutLine, CutOutcome, CutState, Statement
from gateway.policy.model import PolicyGap
from gateway.rules.cuts import answer_by, answer_faults, decision_faults, state_after, upheld_ids
from tests.rules.facts import example_policy, policy_with
from tests.rules.tables import rows

SERVED, LAST = date(2026, 3, 2), date(2026, 3, 9)


def a_cut(row: dict[str, Any]) -> Cut:
    state = CutState(row.get("state", "NOTICED"))
    served = state is not CutState.PROPOSED
    said = Statement(
        accepted=False, by="丙", reason="", documents=(), at=at_business(SERVED, 9), late=False
    )
    return Cut(
        cut_no="K1",
        version=1,
        admission_id="A1",
        visit_no="V1",
        hospital="H1",
        settlement_id="",
        state=state,
        violation="NO_ORDER",
        rule="A16",
        clause="虚构协议第一条",
        evidence="虚构",
        raised_by=row.get("raised_by", "甲"),
        reason="虚构",
        raised_at=at_business(SERVED, 9),
        lines=(CutLine("L1", "TABLET", "虚构", 1000), CutLine("L2", "TABLET", "虚构", 2000)),
        noticed_on=SERVED if served else None,
        answer_by=LAST if served else None,
        statements=(said,) * row.get("statements", 0),
    )


def decision(told: dict[str, Any]) -> DecideCut:
    facts = {"by": "乙", "reason": "虚构", "hearing_held": False} | told
    facts["outcome"] = CutOutcome(facts["outcome"])
    return DecideCut(cut_no="K1", **facts | {"line_ids": tuple(facts.get("line_ids", ()))})


@pytest.mark.parametrize("row", rows("cuts.toml"))
def test_a_cut_is_answered_and_decided_as_the_table_says(row: dict[str, Any]) -> None:
    cut, today = a_cut(row), row.get("day", SERVED)
    if "answer" in row:
        said = {"accepted": False, "by": "丙", "reason": "有医嘱"} | row["answer"]
        found = answer_faults(cut, AnswerCut(cut_no="K1", **said))
    else:
        command = decision(row["decide"])
        found = decision_faults(cut, command, today)
        if not found:
            assert sorted(upheld_ids(cut, command)) == row["upheld"]
            assert (state_after(command) is CutState.UPHELD) is bool(row["upheld"])
    assert [f"{one.code} {one.field}" for one in found] == row.get("faults", [])


def test_the_day_of_service_is_not_counted_and_the_last_day_is_the_hospitals() -> None:
    assert answer_by(example_policy(), SERVED) == LAST
    cut = a_cut({})
    assert (cut.overdue(LAST), cut.overdue(date(2026, 3, 10))) == (False, True)


def test_where_no_text_gives_the_days_to_answer_there_are_none() -> None:
    with pytest.raises(PolicyGap) as gap:
        answer_by(policy_with(silent=["appeal/answer_days"]), SERVED)
    assert (gap.value.key, gap.value.day) == ("appeal/answer_days", SERVED)


def test_every_pending_cut_can_be_withdrawn_and_only_a_heard_one_upheld() -> None:
    assert all(CutState.WITHDRAWN in TRANSITIONS[state] for state in PENDING)
    upheld = {state for state in CutState if CutState.UPHELD in TRANSITIONS[state]}
    assert upheld == {CutState.ANSWERED, CutState.UNANSWERED}
