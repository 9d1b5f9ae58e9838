"""The steps printed for a line are those by which it was decided."""

from itertools import pairwise

from hypothesis import given

from gateway.domain.bill import STEP_LETTERS
from gateway.domain.money import ONE, portion, price, quantity, times
from gateway.domain.split import Payer, Split, all_to
from gateway.rules.line import Bearers, Terms, decide
from gateway.rules.trace import StepKind, trace
from tests.rules.test_properties import BEARERS, IN_CATALOGUE, TERMS, eligible_fen


@given(TERMS, BEARERS)
def test_the_last_step_is_the_decision_and_the_first_the_whole_amount(terms: Terms, who: Bearers):
    told = trace(terms, who)
    assert told.decided == decide(terms, who)
    assert told.steps[-1].split == told.decided.split
    assert told.steps[0].fen == told.decided.amount_fen
    assert tuple(reason for step in told.steps for reason in step.reasons) == told.decided.reasons


@given(TERMS, BEARERS)
def test_every_step_keeps_the_amount_and_never_gives_the_fund_more(terms: Terms, who: Bearers):
    steps = trace(terms, who).steps
    assert {step.split.total_fen for step in steps} == {steps[0].fen}
    assert all(later.fen <= earlier.fen for earlier, later in pairwise(steps))


@given(TERMS, BEARERS)
def test_the_figure_of_a_step_is_what_it_leaves_to_the_fund(terms: Terms, who: Bearers):
    """Without an approval for rescue, which leaves the fund more than what is eligible."""
    unapproved = terms._replace(emergency_approved=False)
    for step in trace(unapproved, who).steps:
        assert step.fen == step.split.fund_fen


@given(IN_CATALOGUE, BEARERS)
def test_e_is_what_the_catalogue_admits_and_f_its_ratio(terms: Terms, who: Bearers):
    figures = {step.kind: step.fen for step in trace(terms, who).steps}
    assert figures[StepKind.ELIGIBLE] == eligible_fen(terms)
    assert figures[StepKind.FUND] == portion(eligible_fen(terms), terms.ratio)
    assert figures[StepKind.FUND] == decide(terms, who).split.fund_fen


def test_the_letters_of_the_steps_are_those_that_a_stored_decision_is_told_by():
    assert "".join(StepKind) == STEP_LETTERS


def test_床位_60_元_14_天限价_40_元_本人签字_留下_560_元():
    terms = Terms(
        price("60"), quantity("14"), ceiling=price("40"), ratio=ONE, consent=Payer.INDIVIDUAL
    )
    told = trace(terms, Bearers(Payer.HOSPITAL))
    assert [(step.kind.value, step.fen) for step in told.steps] == [
        ("A", 84000),
        ("P", 84000),
        ("E", 56000),
        ("F", 56000),
    ]
    assert [step.reasons for step in told.steps] == [(), (), ("OVER_CEILING",), ()]
    assert told.steps[-1].split == Split(fund_fen=56000, individual_fen=28000)


def test_急救批准的超限价部分仍由基金支付_但不计入_e():
    terms = Terms(price("60"), quantity("1"), ceiling=price("40"), emergency_approved=True)
    told = trace(terms, Bearers(None))
    assert [(step.kind.value, step.fen) for step in told.steps[2:]] == [("E", 4000), ("F", 4000)]
    assert told.decided.split == all_to(Payer.FUND, 6000)


def test_目录外又逾期的急救药先归基金再归单位():
    terms = Terms(
        price("1280"), quantity("1"), in_catalogue=False, emergency_approved=True, late=True
    )
    told = trace(terms, Bearers(None))
    assert [(step.kind.value, step.fen) for step in told.steps] == [
        ("A", 128000),
        ("W", 128000),
        ("L", 0),
    ]
    assert told.decided.split == all_to(Payer.EMPLOYER, times(price("1280"), ONE))
