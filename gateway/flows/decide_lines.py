"""lines.decide: the agency decides whether lines treat the injury, or finds a violation.

A violation is provisional: it raises a cut that the hospital answers (flows/raise_cuts.py).
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from gateway.domain.admission import BillState
from gateway.domain.bill import BillLine
from gateway.domain.commands import DecideLines, LineDecision
from gateway.domain.cut import Cut
from gateway.domain.findings import Finding
from gateway.domain.readjudication import Cause
from gateway.domain.reasons import VIOLATIONS
from gateway.domain.results import Acknowledged
from gateway.flows.day_spans import span_faults, with_spans
from gateway.flows.desk import Caller, Desk
from gateway.flows.plan import Act, Plan, applied, refused
from gateway.flows.posted_cuts import posted_cuts
from gateway.flows.raise_cuts import basis_faults, cut_fault, raised, twice_faults, with_cuts
from gateway.flows.upload_fees import totals_changed
from gateway.flows.waiting import decide_each, look_again
from gateway.store import tables
from gateway.store.database import Reader
from gateway.store.readjudications import open_proposals
from gateway.store.rows import canonical, line_row
from gateway.store.stays import StayFile, detail_of, related_lines, stay_file
from gateway.store.unit import Upsert, Write

_CUT_THE_DAY: Final = "Line/Violation = HANGING_BED"


async def decide_lines(desk: Desk, caller: Caller, command: DecideLines) -> Plan:
    """All decisions or none; on a settled bill violations of lines, and the clearing of what keeps
    it from being decided again; all else once it is cancelled."""
    if not (command.lines or command.cleared or command.hanging_bed):
        return refused(Finding("VALUE_CONFLICT", "Line", "", "Line | Cleared | HangingBed"))
    async with desk.database.reading() as reader:
        file = await stay_file(reader, command.admission_id)
        if file is None:
            return refused(Finding("ADMISSION_NOT_FOUND", "AdmissionId", command.admission_id))
        by_hand = await _by_hand(reader, file) if command.cleared else ()
        if file.bill_state is BillState.SETTLED and not _may_follow(command, file, by_hand):
            return refused(_settled_already(file, command))
        detail = detail_of(reader, file)
        ids = [one.line_id for one in command.lines]
        found = await related_lines(reader, file.stay.admission_id, ids)
        posted = await posted_cuts(reader, file)
    faults = [fault for one in command.lines if (fault := _fault(file, one, found, posted))]
    faults += [*basis_faults(command), *twice_faults(command)]
    last = file.stay.discharged_on or desk.today
    faults += span_faults("HangingBed", command.hanging_bed, file.stay.admitted_on, last)
    if faults:
        return refused(*faults, subject=file.stay.admission_id)
    if command.cleared:
        detail["cleared"] = sorted({*detail.get("cleared", ()), *command.cleared})
    detail["hanging_bed"] = with_spans(detail.get("hanging_bed", ""), command.hanging_bed)
    plan = _decided(desk, file, command, found, detail)
    return replace(plan, writes=(*plan.writes, *_decide_again(desk, file, command, by_hand)))


async def _by_hand(reader: Reader, file: StayFile) -> Sequence[dict[str, Any]]:
    """What waits for a person because the settlement could not be decided again."""
    proposals = await open_proposals(reader, file.live_settlement) if file.readjudicated else ()
    return [row for row in proposals if row["untold"]]


def _may_follow(command: DecideLines, file: StayFile, by_hand: Sequence[dict[str, Any]]) -> bool:
    """Violations are cut from a settled bill as from any other; a suspicion may be cleared that
    keeps it from being decided again. Nothing else."""
    if command.hanging_bed or not all(map(_violation_alone, command.lines)):
        return False
    again = by_hand or file.stay.open_cuts or file.stay.posted_cuts
    return not command.cleared or bool(again)


def _violation_alone(one: LineDecision) -> bool:
    return bool(one.violation) and one.relation is None and one.limit_met is None


def _decide_again(
    desk: Desk, file: StayFile, command: DecideLines, by_hand: Sequence[dict[str, Any]]
) -> tuple[Write, ...]:
    """A job for each correction that waits: it goes on once nothing else is suspected."""
    stay, told = [file.stay.admission_id], f"cleared {' '.join(command.cleared)}"
    return tuple(
        write
        for row in by_hand
        for write in decide_each(desk, stay, f"{row['correction']} {told}", Cause(row["cause"]))
    )


def _settled_already(file: StayFile, command: DecideLines) -> Finding:
    """Days of a hanging bed have no line of their own to hear the hospital about: after the
    settlement a line of such a day is cut, which takes the meals of the day with it."""
    if command.hanging_bed:
        return Finding("SETTLED_ALREADY", "HangingBed", file.live_settlement, _CUT_THE_DAY)
    return Finding("SETTLED_ALREADY", "AdmissionId", file.live_settlement)


def _fault(
    file: StayFile, one: LineDecision, found: dict[str, BillLine], posted: Sequence[Cut]
) -> Finding | None:
    line = found.get(one.line_id)
    if line is None:
        return Finding("LINE_NOT_FOUND", "LineId", one.line_id, "", one.line_id)
    if line.refund_of:
        return Finding("REFUND_TARGET", "LineId", one.line_id, line.refund_of, one.line_id)
    if one.violation and one.violation not in VIOLATIONS:
        expected = " | ".join(sorted(VIOLATIONS))
        return Finding("VALUE_CONFLICT", "Violation", one.violation, expected, one.line_id)
    return cut_fault(file, one, line, posted)


def _decided(
    desk: Desk,
    file: StayFile,
    command: DecideLines,
    found: dict[str, BillLine],
    detail: dict[str, Any],
) -> Plan:
    rows = [_row(file, found[one.line_id], one) for one in command.lines if _of_line(one)]
    cuts = raised(desk, file, command, found)
    changed = totals_changed(file, file.row["line_count"], file.row["amount_fen"])
    kept = canonical(with_cuts(detail, cuts.cuts))
    changed = replace(changed, values={**changed.values, "detail": kept})
    return applied(
        Acknowledged(subject=file.stay.admission_id, state=file.bill_state),
        subject=file.stay.admission_id,
        writes=(
            changed,
            *((Upsert(tables.bill_line, rows),) if rows else ()),
            *cuts.writes,
            *look_again(desk, [file], "lines.decide"),
        ),
        acts=(
            Act(
                action="lines.decide",
                subject=file.stay.admission_id,
                code=" ".join([str(len(command.lines)), *command.cleared]),
                reason=f"{command.by} {command.reason}",
            ),
            *cuts.acts,
        ),
        notices=cuts.notices,
    )


def _of_line(one: LineDecision) -> bool:
    """Whether the line itself changes: a violation alone only raises a cut."""
    return not one.violation or one.relation is not None or one.limit_met is not None


def _row(file: StayFile, line: BillLine, one: LineDecision) -> dict[str, object]:
    decided = line
    if one.relation is not None:
        decided = decided._replace(relation=one.relation, reviewed=True)
    if one.limit_met is not None:
        decided = decided._replace(limit_met=one.limit_met)
    return line_row(file.stay.admission_id, decided)
