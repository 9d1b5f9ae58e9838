"""计算过程 The arithmetic of one line, step by step, for people who check it.

The figures are those that the decision noted; who bore what after a step is the line rule
itself, asked with the restrictions that come after the step lifted, so that neither can drift
from the split.
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

from gateway.domain.money import ONE
from gateway.domain.split import Split
from gateway.rules.line import Bearers, Decided, Terms, decide, is_whole


class StepKind(StrEnum):
    """The steps in the order of the line rule, by the letters that explanations use."""

    CHARGED = "A"
    WHOLE = "W"
    WITHIN_QUANTITY = "P"
    ELIGIBLE = "E"
    FUND = "F"
    LATE = "L"


class Step(NamedTuple):
    """One step: its figure in fen, who bears what so far, and the reasons it added.

    The figure is what the step leaves for the next one: A, P, E and F as the calculation
    cases define them, for a whole line and a late or uncovered one what the fund keeps.
    """

    kind: StepKind
    fen: int
    split: Split
    reasons: tuple[str, ...]


class Trace(NamedTuple):
    """A line's terms and bearers, its steps, and the decision that the last one equals."""

    terms: Terms
    bearers: Bearers
    steps: tuple[Step, ...]
    decided: Decided


def trace(terms: Terms, bearers: Bearers) -> Trace:
    """The steps of one line, with the figures that its decision noted. Raises NoPayerStated as
    `decide` does."""
    whole = decide(terms, bearers)
    figures = dict(zip(StepKind, whole.steps, strict=True))
    steps: list[Step] = []
    seen: tuple[str, ...] = ()
    for kind, lifted in _lifted(terms):
        decided = decide(lifted, bearers)
        added = tuple(reason for reason in decided.reasons if reason not in seen)
        steps.append(Step(kind, figures[kind] or 0, decided.split, added))
        seen += added
    return Trace(terms, bearers, tuple(steps), whole)


def _lifted(terms: Terms) -> Iterator[tuple[StepKind, Terms]]:
    """The terms of each step."""
    in_time = terms._replace(late=False, before_cover=False, in_arrears=False)
    yield StepKind.CHARGED, Terms(terms.price, terms.quantity, terms.amount_fen)
    if is_whole(terms):
        yield StepKind.WHOLE, in_time
    else:
        full = in_time._replace(ratio=ONE)
        yield StepKind.WITHIN_QUANTITY, full._replace(ceiling=None)
        yield StepKind.ELIGIBLE, full
        yield StepKind.FUND, in_time
    if terms.late or terms.before_cover or terms.in_arrears:
        yield StepKind.LATE, terms
