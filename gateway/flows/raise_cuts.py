"""Raising cuts: a violation that the agency finds on lines is provisional until it is decided.

The notice goes to the hospital's inbox, signed, with the days to answer; where no text gives
them the cut stays proposed until a person has entered the value (flows/move_cuts.py).
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from gateway.domain.bill import BillLine
from gateway.domain.commands import DecideLines, LineDecision
from gateway.domain.cut import Cut, CutLine, CutState
from gateway.domain.findings import Finding
from gateway.flows.desk import Desk, new_id
from gateway.flows.plan import Act, Notice
from gateway.flows.posted_cuts import violations
from gateway.policy.model import PolicyGap
from gateway.rules.cuts import answer_by
from gateway.store.cuts import new_cut
from gateway.store.stays import StayFile
from gateway.store.unit import Write

_BASIS = "依据的协议条款和证据 / the clause of the agreement, and the evidence"


@dataclass(frozen=True, slots=True)
class Raised:
    """The cuts of one decision about lines: rows, records and the messages that tell them."""

    cuts: tuple[Cut, ...] = ()
    writes: tuple[Write, ...] = ()
    acts: tuple[Act, ...] = ()
    notices: tuple[Notice, ...] = ()


def basis_faults(command: DecideLines) -> list[Finding]:
    """A violation names the clause of the agreement that it breaks, and its evidence: fees are
    else paid in time and in full (工伤保险条例 第四十八条)."""
    if not any(one.violation for one in command.lines):
        return []
    given = {"Clause": command.clause, "Evidence": command.evidence}
    return [
        Finding("CUT_WITHOUT_BASIS", name, "", _BASIS) for name, text in given.items() if not text
    ]


def twice_faults(command: DecideLines) -> list[Finding]:
    """One message raises no two cuts of a line."""
    pairs = {(one.line_id, one.violation) for one in command.lines if one.violation}
    named = Counter(line_id for line_id, _ in pairs)
    return [
        Finding("CUT_OPEN", "LineId", line_id, "", line_id)
        for line_id, times in sorted(named.items())
        if times > 1
    ]


def cut_fault(
    file: StayFile, one: LineDecision, line: BillLine, posted: Iterable[Cut]
) -> Finding | None:
    """A line is cut once: not while another cut of it waits, nor after one was upheld, whether
    the line tells it or a cut `posted` to the settlement."""
    if not one.violation:
        return None
    if one.line_id in file.stay.cut_lines:
        return Finding("CUT_OPEN", "LineId", one.line_id, "", one.line_id)
    violation = line.violation or _upheld(one.line_id, posted)
    if violation:
        return Finding("VALUE_CONFLICT", "Violation", violation, "-", one.line_id)
    return None


def _upheld(line_id: str, posted: Iterable[Cut]) -> str:
    """The violation that the hospital bears a line of a settled bill for, or ""."""
    return violations(posted).get(line_id, "")


def raised(
    desk: Desk, file: StayFile, command: DecideLines, found: Mapping[str, BillLine]
) -> Raised:
    """One cut for each violation that the decision names."""
    by_violation: dict[str, list[str]] = {}
    for one in command.lines:
        if one.violation:
            by_violation.setdefault(one.violation, []).append(one.line_id)
    cuts = tuple(
        noticed(desk, _proposed(desk, file, command, violation, line_ids, found))
        for violation, line_ids in by_violation.items()
    )
    return Raised(
        cuts,
        tuple(new_cut(one) for one in cuts),
        tuple(_act(one, command) for one in cuts),
        tuple(notice for one in cuts for notice in told(desk, one)),
    )


def with_cuts(detail: dict[str, Any], cuts: Iterable[Cut]) -> dict[str, Any]:
    """The stay's detail with cuts that wait for their decision: its bill waits with them."""
    fresh = {one.cut_no: [line.line_id for line in one.lines] for one in cuts}
    return {**detail, "open_cuts": {**detail.get("open_cuts", {}), **fresh}} if fresh else detail


def cut_line(line_id: str, found: Mapping[str, BillLine]) -> CutLine:
    """The line as it stands now, net of its refunds."""
    line = found[line_id]
    refunds = sum(one.amount_fen for one in found.values() if one.refund_of == line_id)
    return CutLine(line_id, line.code, line.name, line.amount_fen + refunds)


def _proposed(
    desk: Desk,
    file: StayFile,
    command: DecideLines,
    violation: str,
    line_ids: Iterable[str],
    found: Mapping[str, BillLine],
) -> Cut:
    stay = file.stay
    return Cut(
        cut_no=new_id("K"),
        version=1,
        admission_id=stay.admission_id,
        visit_no=stay.visit_no,
        hospital=stay.hospital,
        settlement_id=file.live_settlement,
        state=CutState.PROPOSED,
        violation=violation,
        rule=command.rule,
        clause=command.clause,
        evidence=command.evidence,
        raised_by=command.by,
        reason=command.reason,
        raised_at=desk.clock.now(),
        lines=tuple(cut_line(line_id, found) for line_id in dict.fromkeys(line_ids)),
    )


def noticed(desk: Desk, one: Cut) -> Cut:
    """The cut with its notice served today; as it is while no text gives the days to answer."""
    try:
        last = answer_by(desk.policy, desk.today)
    except PolicyGap:
        return one
    return replace(one, state=CutState.NOTICED, noticed_on=desk.today, answer_by=last)


def told(desk: Desk, one: Cut) -> tuple[Notice, ...]:
    """The hospital and the agency learn where the cut stands."""
    return tuple(told_to(receiver, one) for receiver in (one.hospital, desk.agency_id))


def told_to(receiver: str, one: Cut) -> Notice:
    """One of the two learns what the other did."""
    return Notice(receiver=receiver, subject=one.admission_id, command="cut.changed", result=one)


def _act(one: Cut, command: DecideLines) -> Act:
    return Act(
        action="cut.raise",
        subject=one.admission_id,
        to_state=one.state,
        code=one.cut_no,
        reason=f"{command.by} {one.violation} {one.clause} {command.reason}",
    )
