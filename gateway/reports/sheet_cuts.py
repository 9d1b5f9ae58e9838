"""结算单上的扣减 The refusal list of a sheet: every cut of the stay, line by line."""

from collections.abc import Iterator, Sequence

from gateway.domain.cut import Cut, CutLine
from gateway.domain.money import yuan
from gateway.domain.reasons import REASONS
from gateway.reports.cuts import answered_by, basis, outcome
from gateway.reports.paper import Align, Stack, Tone
from gateway.reports.tabular import SMALL, Cell, Column, Piece, heading, table


def cuts(stack: Stack, found: Sequence[Cut]) -> None:
    """What was cut or may be, until when the hospital answers, and the outcome."""
    if not found:
        return
    heading(stack, "扣减（拒付）", "Cuts; only an upheld one moves money")
    columns = (
        Column("规则", "Rule", 30),
        Column("行号", "Line", 50),
        Column("项目", "Item", 80),
        Column("原金额", "Amount", 50, Align.RIGHT),
        Column("扣减", "Cut", 50, Align.RIGHT),
        Column("理由与依据", "Reason and basis", stack.inner - 400),
        Column("申诉期限", "Answer by", 60),
        Column("结果", "Outcome", 80),
    )
    table(stack, columns, list(_rows(found)))


def _rows(found: Sequence[Cut]) -> Iterator[tuple[Cell, ...]]:
    for one in found:
        for line in one.lines:
            yield _row(one, line)


def _row(one: Cut, line: CutLine) -> tuple[Cell, ...]:
    reason = REASONS[one.violation]
    return (
        (Piece(one.rule or "—"),),
        (Piece(line.line_id),),
        (Piece(line.name), Piece(line.code, SMALL, Tone.QUIET)),
        (Piece(yuan(line.amount_fen)),),
        (Piece(yuan(line.upheld_fen)),),
        (
            Piece(f"{reason.zh}：{one.reason}"),
            Piece(f"{one.cut_no} {reason.en}. {basis(one)}", SMALL, Tone.QUIET),
        ),
        (Piece(answered_by(one)),),
        (Piece(outcome(one, line)),),
    )
