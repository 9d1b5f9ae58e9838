"""Whose insurance counts, and what a bill says of it."""

from dataclasses import replace
from datetime import date
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.bill import BillVerdict
from gateway.domain.case import (
    ROLES,
    Arrears,
    CaseFacts,
    EmployerRole,
    EmploymentTie,
    Grade,
    Joined,
    OtherEmployer,
)
from gateway.policy.model import Policy
from gateway.rules.employment import EmployersDisagree, as_liable, disagreeing
from gateway.rules.settle import settle
from tests.rules.facts import (
    a_bill,
    a_case,
    a_hospital,
    a_line,
    a_stay,
    example_policy,
    policy_with,
)

LENT = OtherEmployer(
    "E2", EmploymentTie.SECONDMENT, EmployerRole.ORIGINAL, date(2026, 1, 1), insured_at_injury=True
)
TOOK_OVER = OtherEmployer("E3", EmploymentTie.SUCCESSION, EmployerRole.SUCCESSOR, date(2026, 3, 2))
AND_AGAIN = OtherEmployer("E4", EmploymentTie.SUCCESSION, EmployerRole.SUCCESSOR, date(2026, 3, 4))


def liable(*others: OtherEmployer) -> str:
    return as_liable(a_case(others=others), example_policy(), a_stay()).employer_no


def test_the_last_successor_of_the_employer_that_was_liable_is_liable() -> None:
    assert liable() == "E1"
    assert liable(TOOK_OVER) == "E3"
    assert liable(AND_AGAIN, TOOK_OVER, LENT) == "E4"


def statement(no: str, told: tuple[EmploymentTie, EmployerRole], **facts: Any) -> OtherEmployer:
    return OtherEmployer(no, *told, **facts)


STATEMENTS = st.lists(
    st.builds(
        statement,
        st.sampled_from(("E2", "E3", "E4")),
        st.sampled_from([(tie, role) for tie, roles in ROLES.items() for role in sorted(roles)]),
        since=st.sampled_from((date(2026, 1, 1), date(2026, 2, 1))),
        insured_at_injury=st.sampled_from((True, False, None)),
    ),
    max_size=4,
    unique_by=lambda one: one.employer_no,
)


@given(STATEMENTS, st.randoms(use_true_random=False))
def test_who_answers_does_not_depend_on_the_order_of_the_statements(
    told: list[OtherEmployer], random: Random
) -> None:
    shuffled = random.sample(told, len(told))
    bills = [a_bill(a_line(), case=a_case(others=tuple(one))) for one in (told, shuffled)]
    one, other = (settle(bill, example_policy()) for bill in bills)
    assert one == other


def test_two_who_answer_are_a_question_that_names_both_and_no_guess() -> None:
    several = (EmploymentTie.SEVERAL, EmployerRole.AT_INJURY)
    told = tuple(statement(no, several, since=date(2026, 1, 1)) for no in ("E3", "E2"))
    case = a_case(others=told)
    with pytest.raises(EmployersDisagree, match=r"E2 .* \| E3 "):
        as_liable(case, example_policy(), a_stay())
    assert disagreeing(case, example_policy()) == told[::-1]


def settled(case: CaseFacts, policy: Policy) -> BillVerdict:
    verdict = settle(a_bill(a_line(), case=case), policy)
    assert isinstance(verdict, BillVerdict), verdict
    return verdict


def test_arrears_paid_inside_the_stay_stand_among_the_grounds_as_our_reading() -> None:
    owed = Arrears(date(2026, 1, 1), date(2026, 3, 3))
    grounds = settled(
        a_case(injured_on=date(2026, 2, 1), arrears=(owed,)), example_policy()
    ).grounds
    told = [(one.key, one.our_reading) for one in grounds]
    assert told == [("arrears/policy", False), ("law/arrears_paid", True)]


def test_a_settlement_names_the_liable_employer_and_the_article() -> None:
    verdict = settled(a_case(others=(LENT,)), example_policy())
    assert verdict.liable_employer == "E2"
    (ground,) = verdict.grounds
    assert (ground.key, ground.value) == ("employer/liable_when_seconded", "ORIGINAL")
    assert ground.law.endswith("第四十三条第三款")


def test_the_employer_share_of_a_late_application_falls_on_the_liable_employer() -> None:
    late = a_case(others=(LENT,), applied_on=date(2026, 4, 20), accepted_on=date(2026, 4, 24))
    verdict = settled(late, example_policy())
    assert (verdict.split.employer_fen, verdict.liable_employer) == (1000, "E2")


def test_an_underpaid_premium_changes_no_medical_fee_and_the_bill_says_why() -> None:
    (ground,) = settled(a_case(underpaid=True), example_policy()).grounds
    assert (ground.key, ground.our_reading) == ("underpaid/policy", True)
    assert "差额为零" in ground.law
    (plain,) = settled(a_case(underpaid=True), policy_with({"underpaid/policy": "FUND"})).grounds
    assert "差额" not in plain.law


def test_an_occupational_disease_and_an_extended_limit_are_said_with_their_days() -> None:
    case = a_case(
        injured_on=date(2026, 1, 1),
        diagnosed_on=date(2026, 3, 1),
        applied_on=date(2026, 3, 1),
        application_extended_to=date(2026, 4, 30),
    )
    told = [(one.key, one.value) for one in settled(case, example_policy()).grounds]
    assert told == [
        ("case/diagnosed_on", "2026-03-01"),
        ("case/application_extended_to", "2026-04-30"),
    ]


def test_the_text_on_rosters_is_cited_only_for_one_received_on_the_very_day() -> None:
    policy = policy_with({"cover/from_day_after_roster": False})
    (ground,) = settled(a_case(roster_received_on=date(2026, 3, 1)), policy).grounds
    assert ground.key == "cover/from_day_after_roster"
    assert settled(a_case(roster_received_on=date(2026, 2, 28)), policy).grounds == ()


def test_a_roster_that_came_too_late_is_cited_beside_the_days_before_cover() -> None:
    """Also that of the employer that answers, where another one reported."""
    joined = Joined(date(2026, 2, 1), date(2026, 3, 3), "E2")
    lent = OtherEmployer(
        "E2",
        EmploymentTie.SECONDMENT,
        EmployerRole.ORIGINAL,
        date(2026, 1, 1),
        roster_received_on=date(2026, 3, 2),
    )
    told = settled(a_case(others=(lent,), joined=(joined,)), example_policy()).grounds
    keys = ["employer/liable_when_seconded", "cover/from_day_after_roster"]
    assert [one.key for one in told] == keys


def test_the_roster_of_who_took_over_and_joined_is_cited_beside_the_days_it_holds_back() -> None:
    joined = Joined(date(2026, 3, 2), date(2026, 3, 2), TOOK_OVER.employer_no)
    late = replace(TOOK_OVER, roster_received_on=date(2026, 3, 8))
    case = a_case(insured_at_injury=False, others=(late,), joined=(joined,))
    told = settled(case, example_policy()).grounds
    keys = ["employer/liable_after_succession", "cover/from_day_after_roster"]
    assert [one.key for one in told] == keys


def test_a_bill_says_by_which_texts_it_settles_in_spite_of_a_suit_or_ended_employment() -> None:
    case = a_case(
        litigation=True,
        grade=Grade.FIVE_TO_TEN,
        retired_on=date(2026, 2, 1),
        relation_ended_on=date(2026, 2, 1),
    )
    told = [(one.key, one.value) for one in settled(case, example_policy()).grounds]
    assert told == [
        ("litigation/policy", "CONTINUE"),
        ("medical_end/retired", "no"),
        ("medical_end/graded_relation_ended", "yes"),
    ]


def test_what_the_agency_confirmed_in_place_of_an_unknown_fact_cites_no_text() -> None:
    bill = a_bill(
        a_line(),
        stay=a_stay(confirmed_by_agency=True),
        case=a_case(relation_ended_on=date(2026, 2, 1)),
    )
    verdict = settle(bill, example_policy())
    assert isinstance(verdict, BillVerdict)
    assert verdict.grounds == ()


def test_a_stay_that_goes_on_after_the_agreement_lapsed_cites_the_text() -> None:
    suspended = a_hospital(suspended_from=date(2026, 3, 2))
    verdict = settle(a_bill(a_line(), hospital=suspended), example_policy())
    assert isinstance(verdict, BillVerdict)
    (ground,) = verdict.grounds
    assert (ground.key, ground.value) == ("agreement/suspended_stay_policy", "CONTINUE_IN_STAY")
