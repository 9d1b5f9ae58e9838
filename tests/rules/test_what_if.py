"""What a proposal changes is counted once, for the right hospital, reason and item."""

from dataclasses import replace
from datetime import date

from gateway.domain.admission import HoldReason, PaidAtDischargeBy
from gateway.domain.bill import BillVerdict
from gateway.domain.catalogue import Kind
from gateway.rules.entitlement import Hold, Manual, Refuse
from gateway.rules.settle import Bill, settle
from gateway.rules.what_if import Difference, Tally, Unsettled, compared, proposed_bill
from tests.rules.facts import (
    DRUGS,
    EDITIONS,
    FACILITIES,
    a_bill,
    a_line,
    a_row,
    an_edition,
    example_policy,
    policy_with,
)

BED = a_line(line_id="L1", code="BED", price="60", qty="14", consent="individual")
TABLET = a_line(line_id="L2", price="10")


def settled(bill: Bill) -> BillVerdict:
    verdict = settle(bill, example_policy())
    assert isinstance(verdict, BillVerdict)
    return verdict


def test_提高床位限价_基金多付_个人少付_其他项目不变():
    bill = a_bill(BED, TABLET)
    dearer = [a_row("BED", Kind.FACILITY, ceilings=((None, 50_000_000),))]
    new = proposed_bill(
        bill, [an_edition(Kind.FACILITY, dearer, date(2026, 1, 1))], date(2026, 1, 1)
    )
    found = compared("S1", bill, settled(bill), settled(new))
    assert found.items == {
        ("BED", "BED"): Tally(1, 1, 56000, 70000),
        ("TABLET", "TABLET"): Tally(1, 1, 1000, 1000),
    }
    assert found.reasons == {"OVER_CEILING": Tally(1, 1, 28000, 14000)}
    assert found.hospitals == {"H1": Tally(1, 1, 57000 + 21000, 71000 + 21000)}
    assert found.hospitals["H1"].difference_fen == 14000
    assert found.changed == ["S1"]


def test_a_proposed_edition_leaves_the_days_before_it_alone():
    bill = a_bill(BED)
    since = date(2026, 3, 6)
    edition = an_edition(Kind.FACILITY, [a_row("AIR", Kind.FACILITY)], since)
    new = proposed_bill(bill, [edition], since)
    old = next(one for one in new.editions if one.kind is Kind.FACILITY and one != edition)
    assert (old.valid_to, old.rows) == (date(2026, 3, 5), {row.code: row for row in FACILITIES})
    assert [one for one in new.editions if one.kind is not Kind.FACILITY] == [
        one for one in EDITIONS if one.kind is not Kind.FACILITY
    ]
    assert compared("S1", bill, settled(bill), settled(new)).changed == []


def test_an_edition_that_ended_before_keeps_its_end_and_a_later_one_makes_room():
    bill = a_bill(TABLET)
    since = date(2026, 1, 1)
    new = proposed_bill(bill, [an_edition(Kind.DRUG, DRUGS, since)], since)
    drugs = [one for one in new.editions if one.kind is Kind.DRUG]
    assert [(one.valid_from, one.valid_to) for one in drugs] == [
        (date(2025, 1, 1), date(2025, 12, 31)),
        (since, None),
    ]
    over = proposed_bill(bill, [an_edition(Kind.DRUG, DRUGS, since)], date(2025, 12, 31))
    (cut,) = [one for one in over.editions if one.kind is Kind.DRUG and one.valid_from < since]
    assert cut.valid_to == date(2025, 12, 30)
    later = proposed_bill(bill, [an_edition(Kind.DRUG, DRUGS, date(2027, 1, 1))], date(2027, 1, 1))
    first = next(one for one in later.editions if one.kind is Kind.DRUG)
    assert first.valid_to == date(2025, 12, 31)


def test_改动伙食标准_只改基金合计_不改项目():
    bill = a_bill(TABLET)
    other = settle(bill, policy_with({"meal/per_day_fen": 2000}))
    found = compared("S1", bill, settled(bill), other)
    assert found.meals == {"H1": Tally(1, 1, 21000, 28000)}
    assert found.items[("TABLET", "TABLET")].difference_fen == 0
    assert found.changed == ["S1"]


def test_a_bill_the_proposal_would_not_settle_is_named_and_in_no_sum():
    bill = a_bill(TABLET)
    told = {
        "HELD POLICY_GAP line/x 2026-03-05": Hold(
            HoldReason.POLICY_GAP, "line/x", date(2026, 3, 5)
        ),
        "REFUSED CASE_REFUSED": Refuse("CASE_REFUSED"),
        "MANUAL THIRD_PARTY": Manual("THIRD_PARTY"),
    }
    for text, outcome in told.items():
        found = compared("S1", bill, settled(bill), outcome)
        assert found == Difference(unsettled=[Unsettled("S1", "H1", text, 22000)])


def test_differences_add_up_in_any_grouping():
    bill = a_bill(BED, TABLET)
    one = compared("S1", bill, settled(bill), settled(bill))
    found = Difference()
    found.add(one)
    found.add(one)
    assert found.hospitals == {"H1": Tally(2, 2, 156000, 156000)}
    assert found.meals == {"H1": Tally(2, 2, 42000, 42000)}
    assert found.reasons == {"OVER_CEILING": Tally(2, 2, 56000, 56000)}
    assert found.items == {
        ("BED", "BED"): Tally(2, 2, 112000, 112000),
        ("TABLET", "TABLET"): Tally(2, 2, 2000, 2000),
    }
    assert found.changed == []


def test_another_payee_is_a_change_though_no_amount_of_the_bill_differs():
    bill = a_bill(BED, TABLET)
    other = settle(replace(bill, paid_by=PaidAtDischargeBy.INDIVIDUAL), example_policy())
    found = compared("S1", bill, settled(bill), other)
    assert found.changed == ["S1"]
    assert found.hospitals["H1"].difference_fen == 0
