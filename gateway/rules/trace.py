"""计算过程 The arithmetic of one line, step by step, for people who check it.

Nothing is computed a second time: each step is the line rule itself, asked with the
restrictions that come after the step lifted, so that the steps cannot drift from the split.
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

from gateway.domain.money import ONE
from gateway.domain.split import Payer, Split
from gateway.rules.line import Bearers, Decided, Terms, decide

# Where only what the fund keeps is read, any payer will do for the rest.
_ANYBODY = Bearers(Payer.HOSPITAL, Payer.INDIVIDUAL, Payer.INDIVIDUAL)


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
    """The steps of one line. Raises NoPayerStated as `decide` does."""
    steps: list[Step] = []
    seen: tuple[str, ...] = ()
    for kind, lifted, fen in _lifted(terms):
        decided = decide(lifted, bearers)
        added = tuple(reason for reason in decided.reasons if reason not in seen)
        figure = decided.split.fund_fen if fen is None else fen
        steps.append(Step(kind, figure, decided.split, added))
        seen += added
    return Trace(terms, bearers, tuple(steps), decide(terms, bearers))


def _lifted(terms: Terms) -> Iterator[tuple[StepKind, Terms, int | None]]:
    """The terms of each step; the figure where it is not what the fund keeps."""
    in_time = terms._replace(late=False, before_cover=False)
    if _is_whole(terms):
        yield StepKind.CHARGED, _unrestricted(terms), None
        yield StepKind.WHOLE, in_time, None
    else:
        yield from _shared(in_time)
    if terms.late or terms.before_cover:
        yield StepKind.LATE, terms, None


def _is_whole(terms: Terms) -> bool:
    grounds = (terms.unrelated, terms.outside, terms.violation, terms.refused_discharge)
    return any(grounds) or not terms.in_catalogue


def _unrestricted(terms: Terms) -> Terms:
    return Terms(terms.price, terms.quantity, terms.amount_fen)


def _shared(terms: Terms) -> Iterator[tuple[StepKind, Terms, int | None]]:
    """The excess over a ceiling that an emergency approval leaves with the fund is no part of
    E and F, so these figures are asked without the approval."""
    full = terms._replace(ratio=ONE)
    yield StepKind.CHARGED, _unrestricted(terms), None
    yield StepKind.WITHIN_QUANTITY, full._replace(ceiling=None), None
    yield StepKind.ELIGIBLE, full, _kept(full)
    yield StepKind.FUND, terms, _kept(terms)


def _kept(terms: Terms) -> int:
    return decide(terms._replace(emergency_approved=False), _ANYBODY).split.fund_fen
