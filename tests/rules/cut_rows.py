"""A row of the table of cuts as a cut and what is said or decided about it."""

from datetime import date
from typing import Any

from gateway.clock import at_business
from gateway.domain.commands import AnswerCut, DecideCut
from gateway.domain.cut import Cut, CutLine, CutOutcome, CutState, Statement

SERVED, LAST = date(2026, 3, 2), date(2026, 3, 9)


def a_cut(row: dict[str, Any]) -> Cut:
    state = CutState(row.get("state", "NOTICED"))
    served = state is not CutState.PROPOSED
    said = Statement(
        accepted=False, by="丙", reason="", documents=(), at=at_business(SERVED, 9), late=False
    )
    return Cut(
        cut_no="K1",
        version=1,
        admission_id="A1",
        visit_no="V1",
        hospital="H1",
        settlement_id="",
        state=state,
        violation="NO_ORDER",
        rule="A16",
        clause="虚构协议第一条",
        evidence="虚构",
        raised_by=row.get("raised_by", "甲"),
        reason="虚构",
        raised_at=at_business(SERVED, 9),
        lines=(CutLine("L1", "TABLET", "虚构", 1000), CutLine("L2", "TABLET", "虚构", 2000)),
        noticed_on=SERVED if served else None,
        answer_by=LAST if served else None,
        statements=(said,) * row.get("statements", 0),
    )


def decision(told: dict[str, Any]) -> DecideCut:
    facts = {"by": "乙", "reason": "虚构", "hearing_held": False} | told
    facts["outcome"] = CutOutcome(facts["outcome"])
    return DecideCut(cut_no="K1", **facts | {"line_ids": tuple(facts.get("line_ids", ()))})


def answer(told: dict[str, Any]) -> AnswerCut:
    return AnswerCut(cut_no="K1", **{"accepted": False, "by": "丙", "reason": "有医嘱"} | told)
