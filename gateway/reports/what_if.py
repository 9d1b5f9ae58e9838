"""测算表 What a proposed policy or catalogue would have changed, as XLSX: by hospital, by
reason, by item, the settlements it would not have settled and those that cannot be computed."""

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple

from xlsxwriter import Workbook

from gateway.reports.cells import Grid, Styles, yuan_number

# Characters of a column, and points of a heading of two lines.
_WIDTH: Final = 22
_ROW_HEIGHT: Final = 30
_TALLY: Final = (
    "现行数 Count",
    "拟行数 Proposed",
    "现行 Settled",
    "拟行 Proposed",
    "差额 Difference",
)


class Row(NamedTuple):
    """One row of a table: what it is about, counts and fen as settled and as proposed."""

    about: tuple[str, ...]
    number: int
    proposed_number: int
    fen: int
    proposed_fen: int


class NotSettled(NamedTuple):
    """A settlement that the proposal would not settle."""

    settlement_id: str
    hospital: str
    outcome: str
    fund_fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIf:
    """The whole comparison. `hospitals` and `meals` are what the fund pays; `reasons` what it
    does not bear; `items` what it bears of each code; `untold` the settlements that cannot be
    computed, each with the reason, which are in none of the other tables."""

    first: date
    last: date
    policy: str
    catalogue: str
    settlements: int
    changed: Sequence[str]
    hospitals: Sequence[Row]
    meals: Sequence[Row]
    reasons: Sequence[Row]
    items: Sequence[Row]
    unsettled: Sequence[NotSettled]
    untold: Sequence[tuple[str, str]] = ()


def what_if_workbook(report: WhatIf) -> bytes:
    """The workbook; equal reports give equal bytes."""
    out = io.BytesIO()
    book = Workbook(out, {"in_memory": True})
    made = datetime(report.last.year, report.last.month, report.last.day, tzinfo=UTC)
    book.set_properties({"title": "政策测算表", "created": made.replace(tzinfo=None)})
    styles = Styles(book)
    _summary(_grid(book, styles, "说明 Summary", ("项目 Entry", "内容 Value")), report)
    for name, heads, rows in _tables(report):
        grid = _grid(book, styles, name, (*heads, *_TALLY))
        _write(grid, rows, len(heads))
    heads = ("结算单号 Settlement", "医院 Hospital", "拟行结果 Outcome", "基金 Fund")
    grid = _grid(book, styles, "不再结算 Unsettled", heads)
    for one in report.unsettled:
        grid.write(one.settlement_id, one.hospital, one.outcome, yuan_number(one.fund_fen))
    heads = ("结算单号 Settlement", "原因 Reason")
    grid = _grid(book, styles, "不能重算 Not computable", heads)
    for untold in report.untold:
        grid.write(*untold)
    book.close()
    return out.getvalue()


def _tables(report: WhatIf) -> Iterable[tuple[str, tuple[str, ...], Sequence[Row]]]:
    yield "医院 Hospitals", ("医院 Hospital",), report.hospitals
    yield "伙食补助 Meals", ("医院 Hospital",), report.meals
    yield "原因 Reasons", ("原因 Reason", "说明", "Meaning"), report.reasons
    yield "项目 Items", ("编码 Code", "名称 Name"), report.items


def _grid(book: Any, styles: Styles, name: str, heads: Sequence[str]) -> Grid:
    sheet = book.add_worksheet(name)
    sheet.freeze_panes(1, 0)
    sheet.set_row(0, _ROW_HEIGHT)
    sheet.set_column(0, len(heads) - 1, _WIDTH)
    grid = Grid(sheet, styles)
    grid.write(*heads, heading=True)
    return grid


def _summary(grid: Grid, report: WhatIf) -> None:
    grid.write("结算日 Settled from – to", f"{report.first} – {report.last}")
    grid.write("拟行政策 Proposed policy", report.policy)
    grid.write("拟行目录 Proposed catalogue", report.catalogue)
    grid.write("结算笔数 Settlements", report.settlements)
    grid.write("金额有变 Amounts change", len(report.changed))
    grid.write("不再结算 Would not be settled", len(report.unsettled))
    grid.write("不能重算 Not computable", len(report.untold))
    total = _sum(report.hospitals)
    for label, value in zip(_TALLY[-3:], _money(total), strict=True):
        grid.write(f"基金 Fund：{label}", value)
    kept = sum(one.fund_fen for one in report.unsettled)
    grid.write("不再结算的基金额 Fund of the unsettled", yuan_number(kept))
    for settlement_id in report.changed:
        grid.write("有变 Changes", settlement_id)


def _write(grid: Grid, rows: Sequence[Row], about: int) -> None:
    """Every row with its difference, and the sum below."""
    for row in rows:
        grid.write(*row.about, row.number, row.proposed_number, *_money(row))
    total = _sum(rows)
    blank = [None] * (about - 1)
    grid.write("合计 Total", *blank, total.number, total.proposed_number, *_money(total))


def _money(row: Row) -> tuple[Decimal, Decimal, Decimal]:
    fens = (row.fen, row.proposed_fen, row.proposed_fen - row.fen)
    return yuan_number(fens[0]), yuan_number(fens[1]), yuan_number(fens[2])


def _sum(rows: Sequence[Row]) -> Row:
    return Row(
        (),
        sum(row.number for row in rows),
        sum(row.proposed_number for row in rows),
        sum(row.fen for row in rows),
        sum(row.proposed_fen for row in rows),
    )
