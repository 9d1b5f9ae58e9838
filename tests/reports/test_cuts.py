"""The list of cuts: every line with rule, amount, cut, reason, basis, last day and outcome."""

import io
from dataclasses import replace
from datetime import date
from typing import Any

from openpyxl import load_workbook

from gateway.clock import at_business
from gateway.domain.cut import Cut, CutDecision, CutLine, CutOutcome, CutState, Statement
from gateway.reports.cuts import cuts_workbook
from tests.rules.cut_rows import LAST, SERVED, a_cut

FIRST, END = date(2026, 3, 1), date(2026, 3, 31)
AT = at_business(SERVED, 9)


def upheld() -> Cut:
    """A cut of two lines reduced to the second, 20.00 of which the fund had paid 15.00."""
    said = Statement(
        accepted=False, by="丙", reason="有医嘱", documents=("医嘱单",), at=AT, late=True
    )
    decision = CutDecision(
        outcome=CutOutcome.REDUCED,
        by="乙",
        reason="第一行有医嘱",
        hearing_held=True,
        hearing_on=SERVED,
        at=AT,
        give_back_fen=500,
    )
    lines = (
        CutLine("L1", "TABLET", "虚构", 1000),
        CutLine("L2", "=cmd", "虚构", 2000, upheld_fen=2000),
    )
    return replace(
        a_cut({"state": "UPHELD"}),
        lines=lines,
        statements=(said,),
        decisions=(decision,),
        posted_fen=1500,
    )


def sheets(*cuts: Cut) -> dict[str, list[tuple[Any, ...]]]:
    book = load_workbook(io.BytesIO(cuts_workbook(cuts, FIRST, END)))
    return {sheet.title: list(sheet.values) for sheet in book}


def test_every_line_has_its_row_and_the_sums_stand_below():
    rows = sheets(upheld())["明细 Lines"]
    told = dict(zip(rows[0], rows[2], strict=True))
    assert told["规则号 Rule"] == "A16"
    assert told["项目 Item"] == "'=cmd 虚构"
    assert (told["原金额 Amount"], told["扣减 Cut"]) == (20, 20)
    assert told["理由 Reason"] == "无医嘱收费：虚构"
    assert told["依据 Basis"].startswith("虚构协议第一条；《社会保险经办条例》第四十三条")
    assert told["申诉期限 Answer by"] == LAST.isoformat()
    assert [row[-1] for row in rows[1:3]] == ["撤回 withdrawn", "维持 upheld"]
    assert rows[-1][7:10] == (30, 20, None)


def test_a_cut_tells_what_was_said_and_decided():
    (head, row) = sheets(upheld())["扣减 Cuts"]
    told = dict(zip(head, row, strict=True))
    assert told["陈述申辩 Statements"] == "2026-03-02 有异议 objects（逾期 late） 有医嘱 [医嘱单]"
    decided = "2026-03-02 部分维持 reduced 2026-03-02 当面听取意见 heard 第一行有医嘱"
    assert told["复核决定 Decision"] == decided
    assert (told["扣减 Cut"], told["追回基金 Taken back"]) == (20, 15)
    assert told["应退还单位、个人 To give back"] == 5


def test_a_cut_without_a_last_day_says_so_and_a_withdrawn_one_gives_nothing_back():
    proposed = a_cut({"state": "PROPOSED"})
    taken_back = replace(
        upheld(), state=CutState.WITHDRAWN, lines=(CutLine("L1", "TABLET", "虚构", 1000),)
    )
    rows = sheets(proposed, taken_back)["扣减 Cuts"]
    assert rows[1][6] == "待规定 no text gives it"
    assert rows[2][-1] == 0


def test_the_remedies_are_printed():
    told = " ".join(str(row[0]) for row in sheets(upheld())["救济 Remedies"])
    assert "第五十五条第四项" in told
    assert "sue in the people's court" in told


def test_equal_cuts_give_equal_bytes():
    assert cuts_workbook([upheld()], FIRST, END) == cuts_workbook([upheld()], FIRST, END)
