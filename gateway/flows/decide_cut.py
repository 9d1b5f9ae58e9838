"""cut.decide: the final decision on a cut. Only an upheld cut moves money.

While the bill is not settled its lines become the hospital's and the bill goes on; a settled
bill stays as it is, and what the fund paid for the lines is taken back on the ledger.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from gateway.clock import micros
from gateway.domain.admission import BillState
from gateway.domain.bill import BillLine
from gateway.domain.commands import DecideCut
from gateway.domain.cut import Cut, CutDecision, CutLine, CutState
from gateway.domain.findings import Finding
from gateway.domain.split import Split
from gateway.flows.desk import Caller, Desk
from gateway.flows.plan import Act, Notice, Plan, Transfer, applied, refused
from gateway.flows.posted_cuts import cut_shares, give_back_fen, post
from gateway.flows.raise_cuts import cut_line
from gateway.flows.standing import standing
from gateway.flows.waiting import look_again
from gateway.rules.cuts import decision_faults, state_after, upheld_ids
from gateway.store import tables
from gateway.store.cuts import changed_cut, cut_by_no
from gateway.store.frozen import thawed_facts, thawed_verdict
from gateway.store.rows import canonical, line_row
from gateway.store.stays import StayFile, detail_of, related_lines, stay_and_settlement
from gateway.store.unit import Change, Upsert, Write


@dataclass(frozen=True, slots=True)
class _Known:
    """What a decision is taken on: the stay, its detail, its lines, and the settlement in force or
    the last delta to it."""

    file: StayFile
    detail: dict[str, Any]
    lines: dict[str, BillLine]
    settlement: dict[str, Any] | None


async def decide_cut(desk: Desk, caller: Caller, command: DecideCut) -> Plan:
    """Uphold, reduce or withdraw a cut, by a second person, after the hospital was heard."""
    async with desk.database.reading() as reader:
        found = await cut_by_no(reader, command.cut_no)
        if found is None:
            return refused(Finding("CUT_NOT_FOUND", "CutNo", command.cut_no))
        faults = decision_faults(found, command, desk.today)
        if faults:
            return refused(*faults, subject=found.admission_id)
        stay = await stay_and_settlement(reader, found.admission_id)
        if stay is None:
            raise LookupError(found.admission_id)
        file, settlement = stay
        if settlement is not None:
            settlement = (await standing(reader, file, settlement)).last
        ids = [line.line_id for line in found.lines]
        lines = await related_lines(reader, found.admission_id, ids)
        known = _Known(file, detail_of(reader, file), lines, settlement)
    fault = _settled_fault(found, known)
    if fault is not None:
        return refused(fault, subject=found.admission_id)
    return _decided(desk, found, command, known)


def _settled_fault(one: Cut, known: _Known) -> Finding | None:
    """What a settlement took in as the hospital's is put right by settling anew."""
    stands = one.state is CutState.UPHELD
    taken_in = stands and one.cut_no not in known.file.stay.posted_cuts
    if taken_in and known.file.bill_state is BillState.SETTLED:
        return Finding("SETTLED_ALREADY", "CutNo", known.file.live_settlement)
    return None


def _decided(desk: Desk, before: Cut, command: DecideCut, known: _Known) -> Plan:
    shares = _shares(before, known)
    upheld = upheld_ids(before, command)
    lines = tuple(_line(one, known, shares, upheld) for one in before.lines)
    after = replace(
        before,
        state=state_after(command),
        settlement_id=known.file.live_settlement or before.settlement_id,
        lines=lines,
        decisions=(*before.decisions, _decision(desk, command, shares, upheld)),
    )
    stay = known.file.stay
    return applied(
        after,
        subject=stay.admission_id,
        writes=(
            changed_cut(before, after),
            _stay_changed(known, after),
            *_lines_changed(known, after, upheld),
            *look_again(desk, [known.file], f"cut.decide {after.cut_no}"),
        ),
        acts=(_act(before, after, command),),
        transfers=_taken_back(before, after, known, str(desk.today)),
        notices=(
            Notice(
                receiver=after.hospital,
                subject=stay.admission_id,
                command="cut.changed",
                result=after,
            ),
        ),
    )


def _decision(
    desk: Desk, command: DecideCut, shares: Mapping[str, Split], upheld: Iterable[str]
) -> CutDecision:
    return CutDecision(
        outcome=command.outcome,
        by=command.by,
        reason=command.reason,
        hearing_held=command.hearing_held,
        hearing_on=command.hearing_on,
        at=desk.clock.now(),
        give_back_fen=give_back_fen(upheld, shares),
    )


def _shares(one: Cut, known: _Known) -> dict[str, Split]:
    """Who bears each line by the settlement in force, deltas included; nothing without one."""
    if known.settlement is None:
        return {}
    detail = known.settlement["detail"]
    return cut_shares(one, thawed_facts(detail).lines, thawed_verdict(detail))


def _taken_back(before: Cut, after: Cut, known: _Known, day: str) -> tuple[Transfer, ...]:
    if known.settlement is None:
        return ()
    return post(before, after, thawed_verdict(known.settlement["detail"]).payout, day)


def _line(
    one: CutLine, known: _Known, shares: Mapping[str, Split], upheld: frozenset[str]
) -> CutLine:
    """The line by the decision. One that its hospital changed since counts as it stands now."""
    now = cut_line(one.line_id, known.lines) if one.line_id in known.lines else one
    if one.line_id not in upheld:
        return replace(now, upheld_fen=0, posted_fen=0)
    posted = shares[one.line_id].fund_fen if one.line_id in shares else 0
    return replace(now, upheld_fen=now.amount_fen, posted_fen=posted)


def _stay_changed(known: _Known, after: Cut) -> Write:
    """The stay without the pending cut; its version moves, so that a settlement, cancellation
    or release racing with the decision looks again."""
    detail, stay = known.detail, known.file.stay
    waiting = {no: ids for no, ids in detail.get("open_cuts", {}).items() if no != after.cut_no}
    posted = set(detail.get("posted_cuts", ())) - {after.cut_no}
    if known.settlement is not None and after.state is CutState.UPHELD:
        posted.add(after.cut_no)
    changed = {**detail, "open_cuts": waiting, "posted_cuts": sorted(posted)}
    where = {"admission_id": stay.admission_id, "version": stay.version}
    values = {"version": stay.version + 1, "detail": canonical(changed)}
    return Change(tables.admission, where, values)


def _lines_changed(known: _Known, after: Cut, upheld: frozenset[str]) -> tuple[Write, ...]:
    """The lines of a bill that is not settled take the violation, or lose it again."""
    if known.settlement is not None:
        return ()
    rows = []
    for one in after.lines:
        line = known.lines.get(one.line_id)
        violation = after.violation if one.line_id in upheld else ""
        if line is not None and line.violation != violation:
            changed = replace(line, violation=violation)
            rows.append(line_row(after.admission_id, changed, micros(line.occurred_at)))
    return (Upsert(tables.bill_line, rows),) if rows else ()


def _act(before: Cut, after: Cut, command: DecideCut) -> Act:
    hearing = f"hearing {command.hearing_on}" if command.hearing_held else "no hearing"
    return Act(
        action="cut.decide",
        subject=after.admission_id,
        from_state=before.state,
        to_state=after.state,
        code=after.cut_no,
        reason=f"{command.by} {command.outcome} {hearing} {command.reason}",
    )
