"""Lines are decided alike on the days on which the same holds, and only on those."""

from datetime import timedelta

from gateway.domain.bill import BillLine, BillVerdict
from gateway.rules.settle import settle
from tests.rules.facts import ADMITTED, DISCHARGED, a_bill, a_line, example_policy


def test_a_turn_of_the_policy_begins_where_a_value_begins_or_ends():
    policy = example_policy()
    since = policy.value("line/ratio_drug", DISCHARGED).since
    assert policy.turn(since - timedelta(days=1)) < policy.turn(since)
    assert policy.turn(ADMITTED) == policy.turn(DISCHARGED)


def sources(*lines: BillLine) -> set[int]:
    """The identities of the citations of the lines: they share them or do not."""
    verdict = settle(a_bill(*lines), example_policy())
    assert isinstance(verdict, BillVerdict)
    return {id(line.citations) for line in verdict.lines}


def test_lines_charged_alike_share_one_decision_in_a_bill_and_others_do_not():
    assert len(sources(a_line(line_id="1"), a_line(line_id="2"))) == 1
    assert len(sources(a_line(line_id="1"), a_line(line_id="2", violation="NO_ORDER"))) == 2
