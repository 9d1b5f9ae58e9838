"""对账表 The agency's reconciliation of a day with every hospital, as XLSX: totals, differences
with cause and who acts, and both books row by row."""

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from xlsxwriter import Workbook

from gateway.clock import BUSINESS_ZONE
from gateway.domain.money import MalformedNumber, fen
from gateway.domain.split import Payer, Split
from gateway.reports.cells import Grid, Styles, yuan_number

_PAYERS: Final = {
    Payer.FUND: "基金 Fund",
    Payer.EMPLOYER: "单位 Employer",
    Payer.INDIVIDUAL: "个人 Individual",
    Payer.HOSPITAL: "医院承担 Hospital",
    Payer.OTHER: "其他 Other",
}
_AMOUNTS: Final = ("总额 Total", *_PAYERS.values(), "伙食补助 Meal")
_HOSPITAL: Final = ("日期 Day", "医院编码 Hospital", "医院名称 Name")
_ROW_HEIGHT: Final = 30  # points: two lines of a heading
_Value = str | int | Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BookTotals:
    """One side's day: count, signed sums, and the digest over its rows."""

    count: int
    split: Split
    meal_fen: int
    detail_digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BookRow:
    """One row of one side's book; the identity number comes masked (domain/masks.py)."""

    hospital_side: bool
    settlement_id: str
    day: date
    reversed: bool
    id_no_masked: str
    split: Split
    meal_fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldDifference:
    """A difference with its class, likely cause and who acts, in Chinese and English."""

    kind: str
    zh: str
    en: str
    settlement_id: str
    field: str
    hospital_value: str
    centre_value: str
    cause_zh: str
    cause_en: str
    who_zh: str
    who_en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DayReport:
    """The latest comparison of one hospital's day.

    `theirs` and `ours` are None while the hospital has not compared totals, `matched_rows` while
    it has not compared details; `differing` names the totals that differ.
    """

    hospital: str
    hospital_name: str
    day: date
    compared_at: datetime
    theirs: BookTotals | None = None
    ours: BookTotals | None = None
    differing: tuple[str, ...] = ()
    matched_rows: int | None = None
    differences: tuple[ToldDifference, ...] = ()
    rows: tuple[BookRow, ...] = ()


def reconciliation_workbook(days: Sequence[DayReport], created: datetime) -> bytes:
    """The workbook of these days; `created` is written into it, so that equal input gives equal
    bytes."""
    out = io.BytesIO()
    book = Workbook(out, {"in_memory": True})
    book.set_properties({"title": "工伤保险医疗费对账表", "created": _naive(created)})
    styles = Styles(book)
    _totals(_sheet(book, styles, "汇总 Totals", _TOTALS), days)
    _differences(_sheet(book, styles, "差异 Differences", _DIFFERENCES), days)
    _details(_sheet(book, styles, "明细 Details", _DETAILS), days)
    book.close()
    return out.getvalue()


def _naive(moment: datetime) -> datetime:
    """The wall clock of Asia/Shanghai, as spreadsheets keep instants."""
    return moment.astimezone(BUSINESS_ZONE).replace(tzinfo=None)


_TOTALS: Final = (
    *_HOSPITAL,
    "方 Side",
    "笔数 Count",
    *_AMOUNTS,
    "明细摘要 Detail digest",
    "总账结果 Totals",
    "明细结果 Details",
    "比对时间 Compared at",
)
_DIFFERENCES: Final = (
    *_HOSPITAL,
    "类别 Class",
    "差异 Difference",
    "Difference",
    "结算单号 Settlement",
    "字段 Field",
    "医院值 Hospital's value",
    "中心值 Centre's value",
    "可能原因 Cause",
    "Cause",
    "由谁处理 Who acts",
    "Who acts",
)
_DETAILS: Final = (
    *_HOSPITAL,
    "方 Side",
    "结算单号 Settlement",
    "记账日 Booked on",
    "状态 State",
    "证件号码 Identity number",
    *_AMOUNTS,
    "结果 Result",
)


def _sheet(book: Any, styles: Styles, name: str, heads: Sequence[str]) -> Grid:
    sheet = book.add_worksheet(name)
    sheet.freeze_panes(1, len(_HOSPITAL))
    sheet.set_row(0, _ROW_HEIGHT)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)
    for column, head in enumerate(heads):
        sheet.set_column(column, column, _WIDTHS.get(head, _WIDTH))
    grid = Grid(sheet, styles)
    grid.write(*heads, heading=True)
    return grid


# In characters, for what a column holds at its longest.
_WIDTH: Final = 14
_WIDTHS: Final = {
    "医院名称 Name": 26,
    "明细摘要 Detail digest": 66,
    "总账结果 Totals": 30,
    "明细结果 Details": 30,
    "比对时间 Compared at": 19,
    "结算单号 Settlement": 36,
    "证件号码 Identity number": 21,
    "差异 Difference": 12,
    "可能原因 Cause": 30,
    "Cause": 42,
    "由谁处理 Who acts": 34,
    "Who acts": 42,
    "结果 Result": 30,
}


def _head(one: DayReport) -> tuple[str, str, str]:
    return one.day.isoformat(), one.hospital, one.hospital_name


def _money(split: Split, meal_fen: int) -> Iterable[Decimal]:
    amounts = (split.total_fen, *(split.borne_by(payer) for payer in _PAYERS), meal_fen)
    return map(yuan_number, amounts)


def _totals(grid: Grid, days: Sequence[DayReport]) -> None:
    """Two rows a day, the hospital's above ours."""
    for one in days:
        results = (_totals_result(one), _details_result(one), str(_naive(one.compared_at)))
        for side, book in (("医院 hospital", one.theirs), ("中心 centre", one.ours)):
            grid.write(*_head(one), side, *_book(book), *results)


def _book(book: BookTotals | None) -> tuple[_Value, ...]:
    if book is None:
        return (None,) * (2 + len(_AMOUNTS))
    return book.count, *_money(book.split, book.meal_fen), book.detail_digest


def _totals_result(one: DayReport) -> str:
    if one.ours is None:
        return "未比对 not compared"
    return f"不一致 differs: {', '.join(one.differing)}" if one.differing else "一致 matched"


def _details_result(one: DayReport) -> str:
    if one.matched_rows is None:
        return "未比对 not compared"
    found = len(one.differences)
    told = f"不一致 {found} differences" if found else "一致 matched"
    return f"{told}，相符 {one.matched_rows} rows agree"


def _differences(grid: Grid, days: Sequence[DayReport]) -> None:
    for one in days:
        for found in one.differences:
            grid.write(
                *_head(one),
                found.kind,
                found.zh,
                found.en,
                found.settlement_id,
                found.field,
                _value(found.hospital_value),
                _value(found.centre_value),
                found.cause_zh,
                found.cause_en,
                found.who_zh,
                found.who_en,
            )


def _value(text: str) -> str | Decimal:
    """An amount as a number, so that it can be summed; days, states and counts stay text."""
    if "." not in text:
        return text
    try:
        return yuan_number(fen(text))
    except MalformedNumber:
        return text


def _details(grid: Grid, days: Sequence[DayReport]) -> None:
    for one in days:
        kinds = _kinds(one.differences)
        for row in sorted(one.rows, key=_order):
            grid.write(
                *_head(one),
                "医院 hospital" if row.hospital_side else "中心 centre",
                row.settlement_id,
                row.day.isoformat(),
                "已冲正 REVERSED" if row.reversed else "已结算 SETTLED",
                row.id_no_masked,
                *_money(row.split, row.meal_fen),
                kinds.get(row.settlement_id, "一致 matched"),
            )


def _order(row: BookRow) -> tuple[str, bool, bool]:
    return row.settlement_id, row.reversed, not row.hospital_side


def _kinds(differences: Iterable[ToldDifference]) -> dict[str, str]:
    """The classes of difference of each settlement, each class once."""
    found: dict[str, dict[str, None]] = {}
    for one in differences:
        found.setdefault(one.settlement_id, {})[f"{one.zh} {one.kind}"] = None
    return {settlement_id: "；".join(names) for settlement_id, names in found.items()}
