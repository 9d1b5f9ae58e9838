"""What holds on one day of a spell holds on all of them, and only there is it shared."""

from datetime import date
from itertools import groupby

from gateway.domain.bill import BillLine, BillVerdict
from gateway.rules.settle import settle
from gateway.rules.spells import Spells
from tests.rules.facts import EDITIONS, a_bill, a_line, a_stay, example_policy, policy_with


def test_a_spell_ends_where_a_value_an_edition_or_a_fact_begins_or_ends():
    stay = a_stay(admitted_on=date(2026, 3, 2), discharged_on=date(2026, 3, 5))
    spells = Spells(policy_with(), EDITIONS, (stay,))
    days = [date(2026, 3, day) for day in range(1, 8)]
    numbers = [spells.number(day) - spells.number(days[0]) for day in days]
    assert numbers == [0, 1, 2, 2, 3, 4, 4]
    turn = (date(2025, 12, 30), date(2025, 12, 31), date(2026, 1, 1), date(2026, 1, 2))
    assert len({spells.number(day) for day in turn}) == 4


def decisions(*lines: BillLine) -> list[object]:
    """The citations of the lines, each object once: lines share them or do not."""
    verdict = settle(a_bill(*lines), example_policy())
    assert isinstance(verdict, BillVerdict)
    return [shared for shared, _ in groupby(id(line.citations) for line in verdict.lines)]


def test_lines_charged_alike_share_one_decision_in_a_bill_and_others_do_not():
    assert len(decisions(a_line(line_id="1"), a_line(line_id="2"))) == 1
    assert len(decisions(a_line(line_id="1"), a_line(line_id="2", violation="NO_ORDER"))) == 2
