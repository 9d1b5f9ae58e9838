"""对账 A hospital's day against ours, as a reconciling clerk would judge it."""

from dataclasses import replace
from datetime import date, timedelta
from hashlib import sha256

import pytest

from gateway.domain.commands import HospitalRow, ReconcileTotals
from gateway.domain.results import Difference
from gateway.domain.split import Split
from gateway.rules.reconcile import (
    DIFFERENCE_KINDS,
    CentreRow,
    compare_details,
    compare_totals,
    detail_digest,
)

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


def told(kind: str, field: str, hospital_value: str, centre_value: str) -> Difference:
    return Difference(
        kind=kind,
        settlement_id="S1",
        field=field,
        hospital_value=hospital_value,
        centre_value=centre_value,
    )


BACK = {"reversed": True}


@pytest.mark.parametrize(
    ("hospital", "centre", "difference"),
    [
        ([theirs("S1", 100)], [], told("HOSPITAL_ONLY", "", "1.00", "")),
        ([theirs("S1", -100, **BACK)], [], told("HOSPITAL_ONLY", "", "-1.00", "")),
        ([], [ours("S1", 100)], told("CENTRE_ONLY", "", "", "1.00")),
        ([theirs("S1", 100)] * 3, [ours("S1", 100)], told("DUPLICATE", "count", "3", "1")),
        (
            [theirs("S1", 100)],
            [ours("S1", 90)],
            told("AMOUNT_DIFF", "fund", "1.00", "0.90"),
        ),
        (
            [theirs("S1", 100, id_no="B")],
            [ours("S1", 100)],
            told("PERSON_DIFF", "id_no", "", ""),
        ),
        (
            [theirs("S1", 100)],
            [ours("S1", 100, day=date(2026, 3, 3))],
            told("DATE_DIFF", "day", "2026-03-02", "2026-03-03"),
        ),
        (
            [theirs("S1", 100)],
            [ours("S1", 100), ours("S1", -100, **BACK)],
            told("STATUS_DIFF", "state", "SETTLED", "REVERSED"),
        ),
        (
            [theirs("S1", 100), theirs("S1", -100, **BACK)],
            [ours("S1", 100)],
            told("STATUS_DIFF", "state", "REVERSED", "SETTLED"),
        ),
        (
            [],
            [ours("S1", 100, day=OLD), ours("S1", -100, **BACK)],
            told("STATUS_DIFF", "state", "SETTLED", "REVERSED"),
        ),
    ],
)
def test_a_difference_is_told_with_both_sides(
    hospital: list[HospitalRow], centre: list[CentreRow], difference: Difference
) -> None:
    assert compare_details(hospital, centre, DAY)[1] == (difference,)
    assert difference.kind in DIFFERENCE_KINDS


def test_every_total_that_differs_is_named() -> None:
    mine = totals([ours("S1", 0)])
    parts = Split(fund_fen=1, employer_fen=1, individual_fen=1, hospital_fen=1, other_fen=1)
    other = ReconcileTotals(day=DAY, count=2, split=parts, meal_fen=1, detail_digest="")
    payers = ("fund", "employer", "individual", "hospital", "other")
    assert compare_totals(mine, other) == ("count", *payers, "total", "meal", "detail_digest")


def test_the_digest_is_that_of_one_line_for_each_row_in_order_of_the_text() -> None:
    rows = [theirs("S2", 5, meal_fen=1500), theirs("S1", -100, reversed=True)]
    text = (
        "S1|2026-03-02|REVERSED|-1.00|-1.00|0.00|0.00|0.00|0.00|0.00\n"
        "S2|2026-03-02|SETTLED|0.05|0.05|0.00|0.00|0.00|0.00|15.00\n"
    )
    assert detail_digest(rows) == sha256(text.encode()).hexdigest()


def test_every_class_of_difference_is_told_in_both_languages() -> None:
    assert DIFFERENCE_KINDS["DUPLICATE"][:2] == ("重复", "Duplicate")
    assert all(all(kind) for kind in DIFFERENCE_KINDS.values())
