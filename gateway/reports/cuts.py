"""扣款（拒付）明细 The cuts of a period as XLSX: a row for each line, and one for each cut.

Columns as the trade keeps them: 规则号, 行号, 项目, 原金额, 扣减, 理由, 依据, 申诉期限, 结果.
"""

import io
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any, Final

from xlsxwriter import Workbook

from gateway.clock import business_day
from gateway.domain.cut import LAW, REMEDIES, Cut, CutLine, CutOutcome, CutState
from gateway.domain.reasons import REASONS
from gateway.reports.cells import Grid, Styles, yuan_number

_WIDTH: Final = 22  # characters of a column
_ROW_HEIGHT: Final = 30  # points, for two lines of text
_BEFORE_SUMS: Final = 6  # columns between the word of the total and the first sum
_LINE_HEADS: Final = (
    "扣减编号 Cut",
    "医院 Hospital",
    "登记号 Registration",
    "结算单号 Settlement",
    "规则号 Rule",
    "行号 Line",
    "项目 Item",
    "原金额 Amount",
    "扣减 Cut",
    "理由 Reason",
    "依据 Basis",
    "申诉期限 Answer by",
    "结果 Outcome",
)
_CUT_HEADS: Final = (
    "扣减编号 Cut",
    "医院 Hospital",
    "状态 State",
    "证据 Evidence",
    "提出日 Raised",
    "送达日 Noticed",
    "申诉期限 Answer by",
    "陈述申辩 Statements",
    "复核决定 Decision",
    "原金额 Amount",
    "扣减 Cut",
    "追回基金 Taken back",
    "应退还单位、个人 To give back",
)
STATES: Final[dict[CutState, str]] = {
    CutState.PROPOSED: "拟扣，待送达 proposed",
    CutState.NOTICED: "已送达，待答复 noticed",
    CutState.ANSWERED: "已答复，待复核 answered",
    CutState.UNANSWERED: "期满未答复，待复核 not answered",
    CutState.UPHELD: "维持 upheld",
    CutState.WITHDRAWN: "撤回 withdrawn",
}
_OUTCOMES: Final[dict[CutOutcome, str]] = {
    CutOutcome.UPHELD: "维持 upheld",
    CutOutcome.REDUCED: "部分维持 reduced",
    CutOutcome.WITHDRAWN: "撤回 withdrawn",
}


def cuts_workbook(cuts: Sequence[Cut], first: date, last: date) -> bytes:
    """The workbook; equal cuts give equal bytes."""
    out = io.BytesIO()
    book = Workbook(out, {"in_memory": True})
    made = datetime.combine(last, time(), UTC)
    title = f"扣款（拒付）明细 {first} – {last}"
    book.set_properties({"title": title, "created": made.replace(tzinfo=None)})
    styles = Styles(book)
    grid = _grid(book, styles, "明细 Lines", _LINE_HEADS)
    for row in _line_rows(cuts):
        grid.write(*row)
    grid = _grid(book, styles, "扣减 Cuts", _CUT_HEADS)
    for one in cuts:
        grid.write(*_cut_row(one))
    grid = _grid(book, styles, "救济 Remedies", ("救济途径 Remedies",))
    for text in REMEDIES:
        grid.write(text)
    book.close()
    return out.getvalue()


def _grid(book: Any, styles: Styles, name: str, heads: Sequence[str]) -> Grid:
    sheet = book.add_worksheet(name)
    sheet.freeze_panes(1, 0)
    sheet.set_row(0, _ROW_HEIGHT)
    sheet.set_column(0, len(heads) - 1, _WIDTH)
    grid = Grid(sheet, styles)
    grid.write(*heads, heading=True)
    return grid


def _line_rows(cuts: Sequence[Cut]) -> Iterator[tuple[str | Decimal | None, ...]]:
    """Every line, and the sums below; a withdrawn cut counts nothing."""
    for one in cuts:
        for line in one.lines:
            yield _line_row(one, line)
    sums = (
        sum(one.amount_fen for one in cuts),
        sum(one.upheld_fen for one in cuts),
    )
    yield ("合计 Total", *[None] * _BEFORE_SUMS, *map(yuan_number, sums))


def _line_row(one: Cut, line: CutLine) -> tuple[str | Decimal | None, ...]:
    return (
        one.cut_no,
        one.hospital,
        one.admission_id,
        one.settlement_id,
        one.rule,
        line.line_id,
        f"{line.code} {line.name}",
        yuan_number(line.amount_fen),
        yuan_number(line.upheld_fen),
        f"{REASONS[one.violation].zh}：{one.reason}",
        basis(one),
        answered_by(one),
        outcome(one, line),
    )


def _cut_row(one: Cut) -> tuple[str | Decimal | None, ...]:
    decision = one.decision
    give_back_fen = decision.give_back_fen if decision and one.upheld_fen else 0
    return (
        one.cut_no,
        one.hospital,
        STATES[one.state],
        one.evidence,
        business_day(one.raised_at).isoformat(),
        str(one.noticed_on or ""),
        answered_by(one),
        "；".join(_statements(one)),
        "；".join(_decisions(one)),
        yuan_number(one.amount_fen),
        yuan_number(one.upheld_fen),
        yuan_number(one.posted_fen),
        yuan_number(give_back_fen),
    )


def basis(one: Cut) -> str:
    """The clause of the agreement, and the articles it stands on."""
    return "；".join((one.clause, *LAW))


def answered_by(one: Cut) -> str:
    """The last day to answer; a cut whose notice no text dates says so."""
    return str(one.answer_by or "待规定 no text gives it")


def outcome(one: Cut, line: CutLine) -> str:
    """What became of the line: a line that a reduced cut left out was withdrawn."""
    if one.state is CutState.UPHELD and not line.upheld_fen and line.amount_fen:
        return STATES[CutState.WITHDRAWN]
    return STATES[one.state]


def _statements(one: Cut) -> Iterator[str]:
    for said in one.statements:
        stand = "无异议 accepts" if said.accepted else "有异议 objects"
        late = "（逾期 late）" if said.late else ""
        papers = f" [{'、'.join(said.documents)}]" if said.documents else ""
        yield f"{business_day(said.at)} {stand}{late} {said.reason}{papers}".rstrip()


def _decisions(one: Cut) -> Iterator[str]:
    for decided in one.decisions:
        heard = f"{decided.hearing_on} 当面听取意见 heard" if decided.hearing_held else ""
        told = (_OUTCOMES[decided.outcome], heard, decided.reason)
        yield f"{business_day(decided.at)} {' '.join(filter(None, told))}"
