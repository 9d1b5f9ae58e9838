"""Whose insurance counts, and what a bill says of it."""

from datetime import date

from gateway.domain.bill import BillVerdict
from gateway.domain.case import Arrears, CaseFacts, EmployerRole, EmploymentTie, OtherEmployer
from gateway.policy.model import Policy
from gateway.rules.employment import as_liable
from gateway.rules.settle import settle
from tests.rules.facts import a_bill, a_case, a_line, a_stay, example_policy, policy_with

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
