"""When a cut may be answered and decided, by whom, and what is left of it."""

from datetime import date
from typing import Any

import pytest

from gateway.domain.commands import AnswerCut
from gateway.domain.cut import PENDING, TRANSITIONS, CutState
from gateway.domain.findings import Finding
from gateway.policy.model import PolicyGap
from gateway.rules.cuts import answer_by, answer_faults, decision_faults, state_after, upheld_ids
from tests.rules.cut_rows import LAST, SERVED, a_cut, answer, decision
from tests.rules.facts import example_policy, policy_with
from tests.rules.tables import rows


@pytest.mark.parametrize("row", rows("cuts.toml"))
def test_a_cut_is_answered_and_decided_as_the_table_says(row: dict[str, Any]) -> None:
    cut, today = a_cut(row), row.get("day", SERVED)
    if "answer" in row:
        found = answer_faults(cut, answer(row["answer"]))
    else:
        command = decision(row["decide"])
        found = decision_faults(cut, command, today)
        if not found:
            assert sorted(upheld_ids(cut, command)) == row["upheld"]
            assert (state_after(command) is CutState.UPHELD) is bool(row["upheld"])
    assert [f"{one.code} {one.field}" for one in found] == row.get("faults", [])


NOT_HEARD = {"outcome": "WITHDRAWN"}
HEARD = {"outcome": "UPHELD", "hearing_held": True}


@pytest.mark.parametrize(
    ("state", "told", "found"),
    [
        ("ANSWERED", HEARD, ("HearingOn", "", "HearingHeld = true ⇔ HearingOn")),
        (
            "ANSWERED",
            NOT_HEARD | {"hearing_on": date(2026, 3, 3)},
            ("HearingOn", "2026-03-03", "HearingHeld = true ⇔ HearingOn"),
        ),
        (
            "ANSWERED",
            HEARD | {"hearing_on": date(2026, 3, 1)},
            ("HearingOn", "2026-03-01", "2026-03-02 – 2026-03-05"),
        ),
        (
            "PROPOSED",
            NOT_HEARD | {"hearing_held": True, "hearing_on": date(2026, 3, 4)},
            ("HearingOn", "2026-03-04", "- – 2026-03-05"),
        ),
        ("ANSWERED", {"outcome": "UPHELD", "line_ids": ["L2", "L1"]}, ("LineId", "L1 L2", "-")),
        ("ANSWERED", {"outcome": "REDUCED"}, ("LineId", "0", "1 – 1")),
    ],
)
def test_what_a_decision_says_wrongly_is_told_with_what_is_right(
    state: str, told: dict[str, Any], found: tuple[str, str, str]
) -> None:
    faults = decision_faults(a_cut({"state": state}), decision(told), date(2026, 3, 5))
    assert faults == [Finding("VALUE_CONFLICT", *found)]


def test_a_fault_repeats_no_name_and_names_a_line_that_is_not_in_the_cut() -> None:
    cut = a_cut({"state": "ANSWERED"})
    (same,) = decision_faults(cut, decision({"outcome": "WITHDRAWN", "by": "甲"}), SERVED)
    assert (same.code, same.got) == ("CUT_SAME_PERSON", "")
    unknown = decision({"outcome": "REDUCED", "line_ids": ["L1", "L9"]})
    assert decision_faults(cut, unknown, SERVED) == [
        Finding("LINE_NOT_FOUND", "LineId", "L9", "", "L9")
    ]


@pytest.mark.parametrize(
    ("row", "reason", "found"),
    [
        ({}, "", Finding("VALUE_CONFLICT", "Reason", "", "Accepted = true | Reason")),
        (
            {"state": "ANSWERED", "statements": 20},
            "有医嘱",
            Finding("VALUE_CONFLICT", "CutNo", "", "<= 20 statements"),
        ),
        (
            {"state": "PROPOSED"},
            "有医嘱",
            Finding("CUT_STATE", "CutNo", "PROPOSED", "NOTICED | WITHDRAWN"),
        ),
        ({"state": "WITHDRAWN"}, "有医嘱", Finding("CUT_STATE", "CutNo", "WITHDRAWN", "-")),
    ],
)
def test_what_a_statement_lacks_is_told(row: dict[str, Any], reason: str, found: Finding) -> None:
    said = AnswerCut(cut_no="K1", accepted=False, by="丙", reason=reason)
    assert answer_faults(a_cut(row), said) == [found]


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
