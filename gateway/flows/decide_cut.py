"""cut.decide: the final decision on a cut. Only an upheld cut moves money.

While the bill is not settled its lines become the hospital's and the bill goes on; a settled
bill stays as it is, and what the decision changes of it is posted as a delta (flows/post_cut.py).
"""

from dataclasses import dataclass, replace
from typing import Any

from gateway.domain.admission import BillState
from gateway.domain.bill import BillLine
from gateway.domain.commands import DecideCut
from gateway.domain.cut import Cut, CutDecision, CutLine, CutState
from gateway.domain.findings import Finding
from gateway.flows.desk import Caller, Desk
from gateway.flows.plan import Act, Plan, applied, refused
from gateway.flows.post_cut import Effect, on_settled
from gateway.flows.raise_cuts import cut_line, told_to
from gateway.flows.readjudicate import StandingSettlement
from gateway.flows.standing import standing
from gateway.flows.waiting import look_again
from gateway.rules.cuts import decision_faults, state_after, upheld_ids
from gateway.store import tables
from gateway.store.cuts import changed_cut, cut_by_no
from gateway.store.rows import canonical, line_row
from gateway.store.stays import StayFile, detail_of, related_lines, stay_and_settlement
from gateway.store.unit import Change, Upsert, Write


@dataclass(frozen=True, slots=True)
class _Known:
    """What a decision is taken on: the stay, its detail, and the lines of the cut."""

    file: StayFile
    detail: dict[str, Any]
    lines: dict[str, BillLine]

    @property
    def settled(self) -> bool:
        return self.file.bill_state is BillState.SETTLED


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
        ids = [line.line_id for line in found.lines]
        lines = await related_lines(reader, found.admission_id, ids)
        known, upheld = _Known(file, detail_of(reader, file), lines), upheld_ids(found, command)
        effect: Effect | Finding
        if settlement is None:
            effect = _on_lines(known, found, upheld)
        elif _taken_in(found, file):
            effect = Finding("SETTLED_ALREADY", "CutNo", file.live_settlement)
        else:
            one = StandingSettlement(file, await standing(reader, file, settlement))
            effect = await on_settled(desk, reader, one, found, upheld)
    if isinstance(effect, Finding):
        return refused(effect, subject=found.admission_id)
    return _decided(desk, found, command, known, effect)


def _taken_in(one: Cut, file: StayFile) -> bool:
    """Whether the settlement took the cut in: that is put right by settling anew."""
    return one.state is CutState.UPHELD and one.cut_no not in file.stay.posted_cuts


def _decided(desk: Desk, before: Cut, command: DecideCut, known: _Known, effect: Effect) -> Plan:
    upheld = upheld_ids(before, command)
    after = replace(
        before,
        state=state_after(command),
        settlement_id=known.file.live_settlement or before.settlement_id,
        lines=tuple(_line(one, known, upheld) for one in before.lines),
        decisions=(*before.decisions, _decision(desk, command, effect)),
        posted_fen=effect.posted_fen,
    )
    stay = known.file.stay
    return applied(
        after,
        subject=stay.admission_id,
        guards=effect.guards,
        writes=(
            changed_cut(before, after),
            _stay_changed(known, after),
            *effect.writes,
            *look_again(desk, [known.file], f"cut.decide {after.cut_no}"),
        ),
        acts=(_act(before, after, command), *effect.acts),
        transfers=effect.transfers,
        notices=(told_to(after.hospital, after), *effect.notices),
    )


def _decision(desk: Desk, command: DecideCut, effect: Effect) -> CutDecision:
    return CutDecision(
        outcome=command.outcome,
        by=command.by,
        reason=command.reason,
        hearing_held=command.hearing_held,
        hearing_on=command.hearing_on,
        at=desk.clock.now(),
        give_back_fen=effect.give_back_fen,
        delta_id=effect.delta_id,
    )


def _line(one: CutLine, known: _Known, upheld: frozenset[str]) -> CutLine:
    """The line by the decision. One that its hospital changed since counts as it stands now."""
    now = cut_line(one.line_id, known.lines) if one.line_id in known.lines else one
    return replace(now, upheld_fen=now.amount_fen if one.line_id in upheld else 0)


def _stay_changed(known: _Known, after: Cut) -> Write:
    """The stay without the pending cut; its version moves, so that a settlement, cancellation
    or release racing with the decision looks again."""
    detail, stay = known.detail, known.file.stay
    waiting = {no: ids for no, ids in detail.get("open_cuts", {}).items() if no != after.cut_no}
    posted = set(detail.get("posted_cuts", ())) - {after.cut_no}
    if known.settled and after.state is CutState.UPHELD:
        posted.add(after.cut_no)
    changed = {**detail, "open_cuts": waiting, "posted_cuts": sorted(posted)}
    where = {"admission_id": stay.admission_id, "version": stay.version}
    values = {"version": stay.version + 1, "detail": canonical(changed)}
    return Change(tables.admission, where, values)


def _on_lines(known: _Known, one: Cut, upheld: frozenset[str]) -> Effect:
    """The lines of a bill that is not settled take the violation, or lose it again."""
    rows = []
    for cut in one.lines:
        line = known.lines.get(cut.line_id)
        violation = one.violation if cut.line_id in upheld else ""
        if line is not None and line.violation != violation:
            changed = line._replace(violation=violation)
            rows.append(line_row(one.admission_id, changed))
    return Effect(writes=(Upsert(tables.bill_line, rows),) if rows else ())


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
