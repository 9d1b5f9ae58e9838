"""扣减 What may be done with a cut, and when: notice, statement and final decision.

社会保险服务机构及其相关责任人员有权进行陈述、申辩。（社会保险经办条例 第四十三条）
对重点业务、高风险业务分级审核。（社会保险经办条例 第三十七条）
"""

from collections.abc import Iterator
from datetime import date, timedelta

from gateway.domain.commands import AnswerCut, DecideCut
from gateway.domain.cut import MOST_STATEMENTS, TRANSITIONS, Cut, CutOutcome, CutState
from gateway.domain.findings import Finding
from gateway.domain.identity import same_name
from gateway.policy.model import Policy

_ANOTHER = "提出人以外的人 / a person other than who raised the cut"


def answer_by(policy: Policy, served_on: date) -> date:
    """The last day to answer a notice served on a day, that day not counted. Raises PolicyGap
    where no text gives the days."""
    days = policy.value("appeal/answer_days", served_on).number
    return served_on + timedelta(days=days)


def answer_faults(cut: Cut, command: AnswerCut) -> list[Finding]:
    """Whether the statement can be taken: it can until the decision, late or not, and an
    objection says why."""
    faults = [_state_fault(cut)] if CutState.ANSWERED not in TRANSITIONS[cut.state] else []
    if not command.accepted and not command.reason:
        faults.append(Finding("VALUE_CONFLICT", "Reason", "", "Accepted = true | Reason"))
    if len(cut.statements) >= MOST_STATEMENTS:
        faults.append(Finding("VALUE_CONFLICT", "CutNo", "", f"<= {MOST_STATEMENTS} statements"))
    return faults


def decision_faults(cut: Cut, command: DecideCut, today: date) -> list[Finding]:
    """Everything that stands against the decision."""
    return [
        *_too_early(cut, command, today),
        *_same_person(cut, command),
        *_lines_faults(cut, command),
        *_hearing_faults(cut, command, today),
    ]


def state_after(command: DecideCut) -> CutState:
    """A reduced cut is upheld on the lines that are left."""
    withdrawn = command.outcome is CutOutcome.WITHDRAWN
    return CutState.WITHDRAWN if withdrawn else CutState.UPHELD


def upheld_ids(cut: Cut, command: DecideCut) -> frozenset[str]:
    """The lines that the hospital bears by the decision."""
    if command.outcome is CutOutcome.REDUCED:
        return frozenset(command.line_ids)
    upheld = command.outcome is CutOutcome.UPHELD
    return frozenset(line.line_id for line in cut.lines if upheld)


def _state_fault(cut: Cut) -> Finding:
    expected = " | ".join(sorted(TRANSITIONS[cut.state])) or "-"
    return Finding("CUT_STATE", "CutNo", cut.state, expected)


def _too_early(cut: Cut, command: DecideCut, today: date) -> Iterator[Finding]:
    """Nobody decides against a hospital that may still answer; to withdraw is always possible."""
    if state_after(command) in TRANSITIONS[cut.state]:
        return
    if cut.state is CutState.NOTICED:
        if not cut.overdue(today):
            yield Finding("CUT_NOT_HEARD", "CutNo", cut.state, f"> {cut.answer_by}")
        return
    yield _state_fault(cut)


def _same_person(cut: Cut, command: DecideCut) -> Iterator[Finding]:
    if same_name(cut.raised_by, command.by):
        yield Finding("CUT_SAME_PERSON", "By", "", _ANOTHER)


def _lines_faults(cut: Cut, command: DecideCut) -> Iterator[Finding]:
    """A reduced cut names some of its lines, not none and not all; the others name none."""
    named, own = set(command.line_ids), {line.line_id for line in cut.lines}
    if command.outcome is not CutOutcome.REDUCED:
        if named:
            yield Finding("VALUE_CONFLICT", "LineId", " ".join(sorted(named)), "-")
        return
    for line_id in sorted(named - own):
        yield Finding("LINE_NOT_FOUND", "LineId", line_id, "", line_id)
    if not named or named >= own:
        yield Finding("VALUE_CONFLICT", "LineId", str(len(named)), f"1 – {len(own) - 1}")


def _hearing_faults(cut: Cut, command: DecideCut, today: date) -> Iterator[Finding]:
    """A hearing was held on a day between the notice and today, or not at all."""
    held_on = command.hearing_on
    if command.hearing_held != (held_on is not None):
        expected = "HearingHeld = true ⇔ HearingOn"
        yield Finding("VALUE_CONFLICT", "HearingOn", str(held_on or ""), expected)
    elif held_on is not None and not (cut.noticed_on or today) <= held_on <= today:
        expected = f"{cut.noticed_on or '-'} – {today}"
        yield Finding("VALUE_CONFLICT", "HearingOn", str(held_on), expected)
