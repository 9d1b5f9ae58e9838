"""对账 A hospital's day against ours, as a reconciling clerk would judge it."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from gateway.domain.commands import HospitalRow, ReconcileTotals
from gateway.domain.split import Split
from gateway.rules.reconcile import CentreRow, compare_details, compare_totals, detail_digest

DAY = date(2026, 3, 2)


def theirs(settlement_id: str, fund_fen: int, **changed: object) -> HospitalRow:
    row = HospitalRow(
        settlement_id=settlement_id,
        day=DAY,
        id_no="A",
        reversed=False,
        split=Split(fund_fen=fund_fen),
        meal_fen=0,
    )
    return replace(row, **changed)  # type: ignore[arg-type]


def ours(settlement_id: str, fund_fen: int, **changed: object) -> CentreRow:
    row = CentreRow(settlement_id, DAY, "A", False, Split(fund_fen=fund_fen), 0)
    return replace(row, **changed)  # type: ignore[arg-type]


def totals(rows: list[HospitalRow] | list[CentreRow]) -> ReconcileTotals:
    fund = sum(row.split.fund_fen for row in rows)
    return ReconcileTotals(
        day=DAY,
        count=len(rows),
        split=Split(fund_fen=fund),
        meal_fen=0,
        detail_digest=detail_digest(rows),
    )


def kinds(hospital: list[HospitalRow], centre: list[CentreRow]) -> list[tuple[str, str]]:
    _, differences = compare_details(hospital, centre, DAY)
    return [(one.kind, one.settlement_id) for one in differences]


def test_e26_equal_totals_hide_three_differences_that_the_digest_and_details_show() -> None:
    hospital = [theirs("S1", 10000), theirs("S2", 20000), theirs("S3", 5000)]
    centre = [ours("S1", 10000), ours("S2", 18000), ours("S4", 7000)]
    assert compare_totals(totals(centre), totals(hospital)) == ("detail_digest",)
    matched, differences = compare_details(hospital, centre, DAY)
    assert matched == 1
    assert [(one.kind, one.settlement_id) for one in differences] == [
        ("AMOUNT_DIFF", "S2"),
        ("CENTRE_ONLY", "S4"),
        ("HOSPITAL_ONLY", "S3"),
    ]
    assert (differences[0].hospital_value, differences[0].centre_value) == ("200.00", "180.00")


def test_a_day_that_agrees_has_no_difference_and_one_digest() -> None:
    hospital, centre = [theirs("S1", 100), theirs("S2", 5)], [ours("S2", 5), ours("S1", 100)]
    assert compare_totals(totals(centre), totals(hospital)) == ()
    assert compare_details(hospital, centre, DAY) == (2, ())


def test_a_reversal_only_we_know_is_a_status_difference_said_once() -> None:
    centre = [ours("S1", 100), ours("S1", -100, reversed=True)]
    assert kinds([theirs("S1", 100)], centre) == [("STATUS_DIFF", "S1")]


def test_a_reversal_only_the_hospital_knows_is_a_status_difference() -> None:
    hospital = [theirs("S1", 100), theirs("S1", -100, reversed=True)]
    assert kinds(hospital, [ours("S1", 100)]) == [("STATUS_DIFF", "S1")]


def test_a_reversal_both_sides_know_agrees() -> None:
    hospital = [theirs("S1", 100), theirs("S1", -100, reversed=True)]
    centre = [ours("S1", 100), ours("S1", -100, reversed=True)]
    assert compare_details(hospital, centre, DAY) == (2, ())


def test_a_row_booked_for_another_person_is_a_person_difference_that_repeats_no_number() -> None:
    _, differences = compare_details([theirs("S1", 100, id_no="B")], [ours("S1", 100)], DAY)
    assert [(one.kind, one.hospital_value, one.centre_value) for one in differences] == [
        ("PERSON_DIFF", "", "")
    ]


def test_a_row_booked_twice_is_a_duplicate() -> None:
    assert kinds([theirs("S1", 100), theirs("S1", 100)], [ours("S1", 100)]) == [("DUPLICATE", "S1")]


@pytest.mark.parametrize("shift", [-1, 1])
def test_a_row_we_book_on_the_neighbouring_day_is_a_date_difference(shift: int) -> None:
    moved = ours("S1", 100, day=DAY + timedelta(days=shift))
    assert kinds([theirs("S1", 100)], [moved]) == [("DATE_DIFF", "S1")]


def test_our_rows_of_the_neighbouring_days_are_not_asked_for() -> None:
    assert kinds([], [ours("S1", 100, day=DAY - timedelta(days=1))]) == []


def test_a_row_without_meal_allowance_differs_by_the_meal() -> None:
    _, differences = compare_details([theirs("S1", 100)], [ours("S1", 100, meal_fen=1500)], DAY)
    assert [(one.kind, one.field, one.centre_value) for one in differences] == [
        ("AMOUNT_DIFF", "meal", "15.00")
    ]


def test_what_we_reversed_on_a_later_day_is_no_difference_of_the_day() -> None:
    tomorrow = DAY + timedelta(days=1)
    centre = [ours("S1", 100), ours("S1", -100, reversed=True, day=tomorrow)]
    assert compare_details([theirs("S1", 100)], centre, DAY) == (1, ())


OLD = DAY - timedelta(days=30)


def test_an_old_settlement_that_the_hospital_alone_reversed_is_a_status_difference() -> None:
    hospital = [theirs("S1", -100, reversed=True)]
    assert kinds(hospital, [ours("S1", 100, day=OLD)]) == [("STATUS_DIFF", "S1")]


def test_an_old_settlement_that_we_alone_reversed_is_a_status_difference() -> None:
    centre = [ours("S1", 100, day=OLD), ours("S1", -100, reversed=True)]
    assert kinds([], centre) == [("STATUS_DIFF", "S1")]


def test_an_old_settlement_that_both_sides_reversed_agrees() -> None:
    hospital = [theirs("S1", -100, reversed=True)]
    centre = [ours("S1", 100, day=OLD), ours("S1", -100, reversed=True)]
    assert compare_details(hospital, centre, DAY) == (1, ())


def test_a_settlement_made_and_reversed_on_a_day_that_the_hospital_does_not_know_is_ours() -> None:
    centre = [ours("S1", 100), ours("S1", -100, reversed=True)]
    assert kinds([], centre) == [("CENTRE_ONLY", "S1"), ("CENTRE_ONLY", "S1")]
