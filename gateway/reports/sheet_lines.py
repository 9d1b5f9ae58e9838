"""结算单明细 The lines of a sheet: what was charged, who bears it, why, from which texts."""

from itertools import groupby
from operator import itemgetter
from typing import Final

from gateway.domain.bill import STEP_LETTERS, BillLine, Citation, Steps
from gateway.domain.money import price_text, quantity_text, yuan
from gateway.domain.reasons import REASONS
from gateway.reports.paper import LANDSCAPE, MARGIN, Align, Label, Stack, Tone
from gateway.reports.sheet_data import Sheet, SheetLine
from gateway.reports.sheet_sources import cited
from gateway.reports.sheet_summary import amount
from gateway.reports.sheet_words import PAYERS
from gateway.reports.tabular import SMALL, Cell, Column, Piece, table

_RIGHT: Final = Align.RIGHT
_REASONS: Final = 160.0
_LEGEND: Final = (
    "A 金额 amount → P 限量内 within quantity → E 限价内 within ceiling → F 按比例 at the ratio；"
    "W 整行 whole line；L 逾期、参保前或欠缴 late, before cover or in arrears"
)
_FIXED: Final = (
    Column("单价", "Price", 56, _RIGHT),
    Column("数量", "Quantity", 42, _RIGHT),
    Column("金额", "Amount", 56, _RIGHT),
    *(Column(zh, en, 52, _RIGHT) for zh, en in PAYERS.values()),
    Column("原因与依据", "Reasons and sources", _REASONS),
)
_LEAD: Final = (Column("序号", "No.", 28), Column("日期", "Day", 50))


def lines(stack: Stack, sheet: Sheet, numbers: dict[Citation, int]) -> None:
    """Every line on pages of their own, lying."""
    stack.turn(LANDSCAPE)
    stack.page.add(
        Label(MARGIN, stack.y + 6, "费用明细", 12, Tone.ACCENT),
        Label(MARGIN + 56, stack.y + 6, "Lines of the bill, yuan", 8, Tone.QUIET),
        Label(MARGIN + 160, stack.y + 6, _LEGEND, SMALL, Tone.QUIET),
    )
    stack.y += 16
    used = sum(column.width for column in (*_LEAD, *_FIXED))
    item = Column("项目", "Item", stack.inner - used)
    rows = ((_row(number, one, numbers)) for number, one in enumerate(sheet.lines, start=1))
    table(stack, (*_LEAD, item, *_FIXED), rows)


def _row(number: int, one: SheetLine, numbers: dict[Citation, int]) -> tuple[Cell, ...]:
    line, verdict = one.line, one.verdict
    return (
        (Piece(str(number), tone=Tone.QUIET),),
        (Piece(line.service_day.isoformat()),),
        _item(line),
        (Piece(price_text(line.price)),),
        (Piece(quantity_text(line.quantity)),),
        amount(verdict.amount_fen, bold=True),
        *(amount(verdict.split.borne_by(payer)) for payer in PAYERS),
        _why(one, numbers),
    )


def _item(line: BillLine) -> Cell:
    """The name, and small under it what tells this line from another of the name."""
    own = f"院内 {line.hospital_code}" if line.hospital_code else ""
    told = (line.line_id, line.code, own, line.spec, line.unit)
    pieces = (Piece(line.name), Piece(" · ".join(filter(None, told)), SMALL, Tone.QUIET))
    if not line.refund_of:
        return pieces
    return (*pieces, Piece(f"退费 refund of {line.refund_of}", SMALL, Tone.ALARM))


def _why(one: SheetLine, numbers: dict[Citation, int]) -> Cell:
    reasons = tuple(Piece(REASONS[code].zh, 6.8) for code in one.verdict.reasons)
    steps = (Piece(steps_told(one.verdict.steps), SMALL),)
    return (*reasons, *steps, Piece(cited(one.verdict.citations, numbers), SMALL, Tone.QUIET))


def steps_told(steps: Steps) -> str:
    """The yuan that each step left, steps that left the same told together:
    "A=P 840.00 → E=F 560.00"."""
    taken = [
        (letter, figure)
        for letter, figure in zip(STEP_LETTERS, steps, strict=True)
        if figure is not None
    ]
    runs = groupby(taken, key=itemgetter(1))
    return " → ".join(f"{'='.join(letter for letter, _ in run)} {yuan(fen)}" for fen, run in runs)
