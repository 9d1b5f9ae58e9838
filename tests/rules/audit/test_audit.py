"""What each audit rule finds and what it leaves alone; the table has a hit and a miss of each."""

import tomllib
from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from gateway.domain.admission import HoldReason
from gateway.domain.audit_rules import AUDIT_RULES, MOST_HITS, MOST_SUSPECT_LINES
from gateway.domain.bill import BillLine, BillVerdict, Suspicion
from gateway.domain.reasons import VIOLATIONS
from gateway.policy.model import Policy
from gateway.rules.audit import RULES
from gateway.rules.entitlement import Hold
from gateway.rules.settle import Bill, settle
from tests.rules.facts import a_bill, a_case, a_line, a_stay, policy_with
from tests.rules.tables import audited_by, bill_of

TABLE = tomllib.loads((Path(__file__).parent / "audit.toml").read_text(encoding="utf-8"))["row"]
ROWS = [pytest.param(row, id=row["name"]) for row in TABLE]


def policy(*enabled: str, hold: tuple[str, ...] = (), **values: Any) -> Policy:
    """The example region with these rules on; every limit that they ask for is made up."""
    return policy_with({"audit/enabled": enabled, "audit/hold": hold} | values)


def found(bill: Bill, chosen: Policy) -> tuple[Suspicion, ...]:
    verdict = settle(bill, chosen)
    assert isinstance(verdict, (BillVerdict, Hold)), verdict
    return verdict.suspicions


@pytest.mark.parametrize("row", ROWS)
def test_a_rule_finds_what_the_table_says(row: dict[str, Any]):
    hits = [
        {"lines": list(one.line_ids), "evidence": one.evidence}
        for one in found(bill_of(row), audited_by(row))
    ]
    assert hits == row.get("hits", [])


def test_every_rule_has_a_row_that_hits_and_one_that_does_not():
    for hit in (True, False):
        assert {row["rule"] for row in TABLE if bool(row.get("hits")) is hit} == set(AUDIT_RULES)
    assert list(RULES) == list(AUDIT_RULES)


def test_no_two_rows_have_one_name():
    names = [row["name"] for row in TABLE]
    assert len(names) == len(set(names))


def test_only_what_arithmetic_or_the_catalogue_decides_is_automatic():
    automatic = {code for code, rule in AUDIT_RULES.items() if rule.automatic}
    assert automatic == {"A03", "A11", "A19"}


BY_THE_CATALOGUE = {"OUT_OF_CATALOGUE", "OVER_QTY", "OVER_CEILING", "LIMIT_NOT_MET"}
"""Reasons that arithmetic, a column or the printed limit of the catalogue alone decides."""


@pytest.mark.parametrize("row", ROWS)
def test_no_rule_moves_money_without_a_persons_decision(row: dict[str, Any]):
    """Every bill of the table, with all rules and with none: the same fen to the same payers;
    and nothing is the hospital's but by the catalogue or a violation that persons confirmed."""
    bill = bill_of(row)
    on, off = settle(bill, policy(*AUDIT_RULES)), settle(bill, policy())
    if isinstance(off, Hold):
        # What waits for something else waits with and without the audit.
        assert isinstance(on, Hold)
        assert on.reason is off.reason
        return
    assert isinstance(on, BillVerdict)
    assert isinstance(off, BillVerdict)
    assert (on.split, on.lines, on.meal) == (off.split, off.lines, off.meal)
    confirmed = {line.line_id for line in bill.lines if line.violation}
    for line in on.lines:
        if line.line_id not in confirmed:
            assert VIOLATIONS.isdisjoint(line.reasons)
            assert not line.split.hospital_fen or not BY_THE_CATALOGUE.isdisjoint(line.reasons)


TWICE = (a_line(line_id="L1"), a_line(line_id="L2"))


def test_a_suspicion_moves_no_money():
    on, off = (settle(a_bill(*TWICE), policy(*codes)) for codes in (("A01",), ()))
    assert isinstance(on, BillVerdict)
    assert isinstance(off, BillVerdict)
    assert (on.split, on.lines, off.suspicions) == (off.split, off.lines, ())
    assert on.suspicions == (Suspicion("A01", ("L1", "L2"), "TABLET 2026-03-05 × 2"),)


def test_a_region_without_a_text_has_no_rule_on():
    silent = policy_with(silent=["audit/enabled", "audit/hold"])
    verdict = settle(a_bill(*TWICE), silent)
    assert isinstance(verdict, BillVerdict)
    assert verdict.suspicions == ()


def test_a_rule_that_is_on_without_its_number_holds_the_bill_with_the_key():
    bare = policy_with({"audit/enabled": ("A22",)}, silent=["audit/high_cost_fen"])
    held = settle(a_bill(*TWICE), bare)
    assert isinstance(held, Hold)
    assert (held.reason, held.key) == (HoldReason.POLICY_GAP, "audit/high_cost_fen")


def test_a_rule_that_holds_holds_the_bill_until_a_person_reviewed_every_line_of_it():
    holding = policy("A01", hold=("A01",))
    held = settle(a_bill(*TWICE), holding)
    assert held == Hold(
        HoldReason.AUDIT, note="A01", suspicions=found(a_bill(*TWICE), policy("A01"))
    )
    one, both = (_reviewed(TWICE, ids) for ids in (("L1",), ("L1", "L2")))
    assert isinstance(settle(one, holding), Hold)
    assert isinstance(settle(both, holding), BillVerdict)


def _reviewed(lines: Iterable[BillLine], ids: Iterable[str], **told: Any) -> Bill:
    """The bill of the lines, these of them reviewed."""
    looked_at = set(ids)
    return a_bill(*(line._replace(reviewed=line.line_id in looked_at) for line in lines), **told)


def test_a_hold_ends_only_when_every_line_was_reviewed_also_those_that_it_did_not_name():
    """A16: sixty lines under no order are one suspicion, which names the first of them."""
    lines = [a_line(line_id=f"L{no:02}") for no in range(3 * MOST_SUSPECT_LINES)]
    holding = policy("A16", hold=("A16",))
    looked_at: list[str] = []
    for _ in range(3):
        held = settle(_reviewed(lines, looked_at), holding)
        assert isinstance(held, Hold)
        (one,) = held.suspicions
        assert (one.evidence, len(one.line_ids)) == (str(len(lines)), MOST_SUSPECT_LINES)
        assert set(one.line_ids).isdisjoint(looked_at)
        looked_at += one.line_ids
    assert isinstance(settle(_reviewed(lines, looked_at), holding), BillVerdict)


def test_a_hold_with_many_hits_ends_only_when_the_lines_of_every_hit_were_reviewed():
    """A17: every line before the stay is a hit of its own; those after the first are one."""
    count = MOST_HITS + MOST_SUSPECT_LINES + 5
    before = date(2026, 2, 28)
    told = {"case": a_case(injured_on=before)}
    lines = [a_line(line_id=f"L{no:02}", day=before) for no in range(count)]
    outpatients = {"scope/outpatient": "DIRECT"}
    holding = policy("A17", hold=("A17",), **outpatients)
    first = settle(_reviewed(lines, (), **told), holding)
    assert isinstance(first, Hold)
    named = [line_id for one in first.suspicions for line_id in one.line_ids]
    second = settle(_reviewed(lines, named, **told), holding)
    assert isinstance(second, Hold)
    assert [one.line_ids for one in second.suspicions] == [(line.line_id,) for line in lines[-5:]]
    everything = settle(_reviewed(lines, (one.line_id for one in lines), **told), holding)
    assert isinstance(everything, BillVerdict)
    assert len(everything.suspicions) == MOST_HITS + 1


def test_a_suspicion_about_the_stay_waits_for_a_person_to_clear_the_rule():
    """A21 names no line, so that reviewed lines do not answer it."""
    late, lines = a_stay(registered_late=True), (a_line(reviewed=True),)
    holding = policy("A21", hold=("A21",))
    assert isinstance(settle(a_bill(*lines, stay=late), holding), Hold)
    cleared = replace(late, cleared=frozenset({"A21"}))
    assert isinstance(settle(a_bill(*lines, stay=cleared), holding), BillVerdict)


def test_a_rule_that_a_person_cleared_for_the_stay_holds_no_more():
    bill = a_bill(*TWICE, stay=a_stay(cleared=frozenset({"A01"})))
    verdict = settle(bill, policy("A01", hold=("A01",)))
    assert isinstance(verdict, BillVerdict)
    assert [one.code for one in verdict.suspicions] == ["A01"]


def test_an_automatic_rule_never_holds_for_it_only_repeats_what_was_decided():
    bill = a_bill(a_line(code="MATERNITY"))
    verdict = settle(bill, policy("A11", hold=("A11",)))
    assert isinstance(verdict, BillVerdict)
    assert [one.code for one in verdict.suspicions] == ["A11"]


def test_many_hits_are_told_together_and_name_the_first_lines():
    count = MOST_HITS + MOST_SUSPECT_LINES + 5
    lines = (a_line(line_id=f"L{no:03}", code="MATERNITY") for no in range(count))
    hits = found(a_bill(*lines), policy("A11"))
    assert len(hits) == MOST_HITS + 1
    assert hits[-1].evidence == f"+ {MOST_SUSPECT_LINES + 5}"
    assert len(hits[-1].line_ids) == MOST_SUSPECT_LINES
