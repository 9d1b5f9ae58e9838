"""Cuts and their rows: what the agency means to take from a hospital, and what became of it."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import msgspec
from sqlalchemy import and_, or_, select

from gateway.clock import business_day, instant, micros
from gateway.domain.clocks import OpenCut
from gateway.domain.cut import PENDING, Cut, CutDecision, CutLine, CutState, Statement
from gateway.store.database import Reader
from gateway.store.frozen import plain, restored
from gateway.store.rows import canonical, day, day_text
from gateway.store.tables import cut, transfer
from gateway.store.unit import Change, Insert

_TOLD = ("visit_no", "clause", "evidence", "raised_by", "reason")
_LISTED = ("lines", "statements", "decisions")
_PENDING = sorted(state.value for state in PENDING)


def new_cut(one: Cut) -> Insert:
    """The row of a cut just raised."""
    return Insert(cut, [cut_row(one)])


def changed_cut(before: Cut, after: Cut) -> Change:
    """The cut with its new state; its version moves."""
    values = cut_row(after)
    where = {"cut_no": values.pop("cut_no"), "version": before.version}
    return Change(cut, where, values | {"version": before.version + 1})


def cut_row(one: Cut) -> dict[str, Any]:
    decision = one.decision
    detail = {name: plain(getattr(one, name)) for name in (*_TOLD, *_LISTED)}
    return {
        "cut_no": one.cut_no,
        "version": one.version,
        "admission_id": one.admission_id,
        "hospital": one.hospital,
        "settlement_id": one.settlement_id,
        "state": one.state.value,
        "violation": one.violation,
        "rule": one.rule,
        "amount_fen": one.amount_fen,
        "upheld_fen": one.upheld_fen,
        "posted_fen": one.posted_fen,
        "raised_us": micros(one.raised_at),
        "noticed_on": day_text(one.noticed_on),
        "answer_by": day_text(one.answer_by),
        "heard_on": day_text(one.heard_on),
        "decided_us": None if decision is None else micros(decision.at),
        "detail": canonical(detail),
    }


def _cut_of(row: Mapping[str, Any]) -> Cut:
    detail = msgspec.json.decode(row["detail"])
    return Cut(
        cut_no=row["cut_no"],
        version=row["version"],
        admission_id=row["admission_id"],
        **{name: detail[name] for name in _TOLD},
        hospital=row["hospital"],
        settlement_id=row["settlement_id"],
        state=CutState(row["state"]),
        violation=row["violation"],
        rule=row["rule"],
        raised_at=instant(row["raised_us"]),
        lines=tuple(restored(CutLine, one) for one in detail["lines"]),
        noticed_on=day(row["noticed_on"]),
        answer_by=day(row["answer_by"]),
        heard_on=day(row["heard_on"]),
        posted_fen=row["posted_fen"],
        statements=tuple(restored(Statement, one) for one in detail["statements"]),
        decisions=tuple(restored(CutDecision, one) for one in detail["decisions"]),
    )


async def _cuts(reader: Reader, condition: Any) -> list[Cut]:
    query = select(cut).where(condition).order_by(cut.c.raised_us, cut.c.cut_no)
    return [_cut_of(row) for row in await reader.opened(cut, query)]


async def cut_by_no(reader: Reader, cut_no: str) -> Cut | None:
    """The cut of this number."""
    found = await _cuts(reader, cut.c.cut_no == cut_no)
    return found[0] if found else None


async def cuts_of_stay(reader: Reader, admission_id: str) -> list[Cut]:
    """Every cut of a stay, the oldest first."""
    return await _cuts(reader, cut.c.admission_id == admission_id)


async def claims_of(reader: Reader, cut_no: str) -> Sequence[dict[str, Any]]:
    """The ledger rows that a cut booked under its own number, in order."""
    query = select(transfer).where(transfer.c.subject == cut_no)
    return await reader.rows(query.order_by(transfer.c.tx_id, transfer.c.seq))


async def cuts_between(reader: Reader, first_us: int, end_us: int, hospital: str) -> list[Cut]:
    """Cuts raised from the first instant to before the last, of one hospital or of all."""
    raised = and_(cut.c.raised_us >= first_us, cut.c.raised_us < end_us)
    return await _cuts(reader, and_(raised, cut.c.hospital == hospital) if hospital else raised)


async def cuts_to_move(reader: Reader, today: date) -> Sequence[str]:
    """Cuts that time moves: not noticed yet, or past the last day to answer."""
    query = select(cut.c.cut_no).where(
        or_(
            cut.c.state == CutState.PROPOSED.value,
            and_(cut.c.state == CutState.NOTICED.value, cut.c.answer_by < today.isoformat()),
        )
    )
    return [row["cut_no"] for row in await reader.rows(query.order_by(cut.c.cut_no))]


async def pending_cuts(reader: Reader) -> list[OpenCut]:
    """Every cut that waits for a step, for the clocks; no personal column is read."""
    columns = ("cut_no", "hospital", "state", "raised_us", "noticed_on", "heard_on")
    query = select(*(cut.c[name] for name in columns)).where(cut.c.state.in_(_PENDING))
    return [
        OpenCut(
            cut_no=row["cut_no"],
            hospital=row["hospital"],
            state=CutState(row["state"]),
            raised_on=business_day(instant(row["raised_us"])),
            noticed_on=day(row["noticed_on"]),
            heard_on=day(row["heard_on"]),
        )
        for row in await reader.rows(query.order_by(cut.c.cut_no))
    ]
