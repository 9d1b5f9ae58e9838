"""对账表 What the clerk opens in the morning: totals, differences, both books."""

import io
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from openpyxl import load_workbook

from gateway.domain.split import Split
from gateway.reports.reconciliation import (
    BookRow,
    BookTotals,
    DayReport,
    ToldDifference,
    reconciliation_workbook,
)
from tests.reports.test_cells import DANGEROUS

DAY = date(2026, 3, 2)
MADE = datetime(2026, 3, 3, 1, 30, tzinfo=UTC)
OURS = BookTotals(count=3, split=Split(fund_fen=35001), meal_fen=21000, detail_digest="0a" * 32)
AMOUNT_DIFF = ToldDifference(
    kind="AMOUNT_DIFF",
    zh="金额不符",
    en="Amounts differ",
    settlement_id="S2",
    field="fund",
    hospital_value="200.00",
    centre_value="180.10",
    cause_zh="原因",
    cause_en="the cause",
    who_zh="医院",
    who_en="the hospital",
)


def a_row(settlement_id: str, *, hospital_side: bool, **changes: Any) -> BookRow:
    row = BookRow(
        hospital_side=hospital_side,
        settlement_id=settlement_id,
        day=DAY,
        reversed=False,
        id_no_masked="999***********0017",
        split=Split(fund_fen=10010),
        meal_fen=1500,
    )
    return replace(row, **changes)


def a_day(**changes: Any) -> DayReport:
    day = DayReport(
        hospital="H001",
        hospital_name="示例医院（虚构）",
        day=DAY,
        compared_at=MADE,
        theirs=replace(OURS, detail_digest="0b" * 32),
        ours=OURS,
        differing=("detail_digest",),
        matched_rows=1,
        differences=(AMOUNT_DIFF,),
        rows=(a_row("S1", hospital_side=False), a_row("S1", hospital_side=True)),
    )
    return replace(day, **changes)


def cells(sheet: str, *days: DayReport) -> list[dict[str, Any]]:
    """The rows of a sheet by their headings."""
    book = load_workbook(io.BytesIO(reconciliation_workbook(days, MADE)))
    head, *rows = book[sheet].iter_rows(values_only=True)
    return [dict(zip(head, row, strict=True)) for row in rows]


def test_totals_show_both_books_one_above_the_other():
    theirs, ours = cells("汇总 Totals", a_day())
    assert (theirs["方 Side"], ours["方 Side"]) == ("医院 hospital", "中心 centre")
    assert (theirs["总额 Total"], ours["总额 Total"]) == (350.01, 350.01)
    assert (theirs["笔数 Count"], ours["伙食补助 Meal"]) == (3, 210)
    assert (theirs["明细摘要 Detail digest"], ours["明细摘要 Detail digest"]) == (
        "0b" * 32,
        "0a" * 32,
    )
    assert ours["总账结果 Totals"] == "不一致 differs: detail_digest"
    assert ours["明细结果 Details"] == "不一致 1 differences，相符 1 rows agree"
    assert ours["比对时间 Compared at"] == "2026-03-03 09:30:00"


def test_a_day_that_agrees_says_so():
    (_, ours) = cells("汇总 Totals", a_day(differing=(), differences=()))
    assert ours["总账结果 Totals"] == "一致 matched"
    assert ours["明细结果 Details"] == "一致 matched，相符 1 rows agree"


def test_what_was_not_compared_is_said_and_not_shown_as_zero():
    bare = a_day(theirs=None, ours=None, differing=(), matched_rows=None, differences=(), rows=())
    (_, ours) = cells("汇总 Totals", bare)
    assert ours["总账结果 Totals"] == "未比对 not compared"
    assert ours["明细结果 Details"] == "未比对 not compared"
    assert ours["总额 Total"] is None


def test_a_difference_shows_both_values_as_numbers_its_cause_and_who_acts():
    (found,) = cells("差异 Differences", a_day())
    assert (found["类别 Class"], found["差异 Difference"]) == ("AMOUNT_DIFF", "金额不符")
    assert (found["医院值 Hospital's value"], found["中心值 Centre's value"]) == (200, 180.1)
    assert (found["可能原因 Cause"], found["Who acts"]) == ("原因", "the hospital")


@pytest.mark.parametrize("value", ["REVERSED", "2026-03-02", "2", "1.2.3", "V1.0"])
def test_a_value_that_is_no_amount_stays_text(value: str):
    (found,) = cells(
        "差异 Differences", a_day(differences=(replace(AMOUNT_DIFF, hospital_value=value),))
    )
    assert found["医院值 Hospital's value"] == value


def test_details_show_each_row_of_both_books_with_its_result():
    rows = (
        *a_day().rows,
        a_row("S2", hospital_side=True),
        a_row("S2", hospital_side=False, reversed=True, split=Split(fund_fen=-1), meal_fen=0),
    )
    found = cells("明细 Details", a_day(rows=rows))
    assert [(row["结算单号 Settlement"], row["方 Side"], row["结果 Result"]) for row in found] == [
        ("S1", "医院 hospital", "一致 matched"),
        ("S1", "中心 centre", "一致 matched"),
        ("S2", "医院 hospital", "金额不符 AMOUNT_DIFF"),
        ("S2", "中心 centre", "金额不符 AMOUNT_DIFF"),
    ]
    assert (found[3]["状态 State"], found[3]["总额 Total"]) == ("已冲正 REVERSED", -0.01)
    assert found[0]["证件号码 Identity number"] == "999***********0017"


def test_amounts_are_numbers_with_two_decimals_shown():
    book = load_workbook(io.BytesIO(reconciliation_workbook([a_day()], MADE)))
    cell = book["明细 Details"].cell(2, 9)
    assert (cell.value, cell.data_type, cell.number_format) == (100.1, "n", "#,##0.00")


@pytest.mark.parametrize("text", DANGEROUS)
def test_no_foreign_text_becomes_a_formula_anywhere(text: str):
    day = a_day(
        hospital=text,
        hospital_name=text,
        differences=(replace(AMOUNT_DIFF, settlement_id=text, field=text, hospital_value=text),),
        rows=(a_row(text, hospital_side=True, id_no_masked=text),),
    )
    book = load_workbook(io.BytesIO(reconciliation_workbook([day], MADE)))
    written = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert [cell.coordinate for cell in written if cell.data_type == "f"] == []
    assert sum(str(cell.value).startswith("'") for cell in written) >= 8


def test_a_text_no_cell_can_hold_is_refused_and_never_dropped():
    with pytest.raises(ValueError, match="too long"):
        reconciliation_workbook([a_day(hospital_name="x" * 40_000)], MADE)


def test_the_same_days_have_the_same_bytes():
    assert reconciliation_workbook([a_day()], MADE) == reconciliation_workbook([a_day()], MADE)
