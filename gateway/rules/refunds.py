"""Lines and their refunds 退费: a refund inherits from its original and answers the difference.

The original answers as if it had not been refunded; each refund answers, payer by
payer, the difference to the pair on net quantity and net amount.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from operator import attrgetter
from typing import NamedTuple

from gateway.domain.bill import BillLine

_IN_TIME = attrgetter("occurred_at", "line_id")


class Netted(NamedTuple):
    """An original line, its refunds in order of time and line id, and the pair so far.

    `steps` are the original, then the original net of one refund more at each step.
    """

    original: BillLine
    refunds: tuple[BillLine, ...]
    steps: tuple[BillLine, ...]

    @property
    def net(self) -> BillLine:
        """The original net of all its refunds."""
        return self.steps[-1]


def netted(lines: Iterable[BillLine]) -> tuple[Netted, ...]:
    """Every original with its refunds; originals in order of time and line id, so that the
    order of a message never changes a result.

    Raises ValueError for a refund whose original is not among the lines, or is a refund
    itself: its money would vanish from the bill.
    """
    ordered = sorted(lines, key=_IN_TIME)
    originals = [line for line in ordered if not line.refund_of]
    if len(originals) == len(ordered):
        return tuple([Netted(line, (), (line,)) for line in originals])
    refunds = _by_original(originals, (line for line in ordered if line.refund_of))
    return tuple([_netted(line, refunds.get(line.line_id, ())) for line in originals])


def _by_original(
    originals: Iterable[BillLine], refunds: Iterable[BillLine]
) -> Mapping[str, list[BillLine]]:
    known, found = {line.line_id for line in originals}, dict[str, list[BillLine]]()
    for line in refunds:
        if line.refund_of not in known:
            raise ValueError(
                f"refund {line.line_id} names {line.refund_of}, which is no original"
            )
        found.setdefault(line.refund_of, []).append(line)
    return found


def _netted(original: BillLine, refunds: Iterable[BillLine]) -> Netted:
    steps = [original]
    for refund in refunds:
        last = steps[-1]
        steps.append(
            replace(
                last,
                quantity=last.quantity + refund.quantity,
                amount_fen=last.amount_fen + refund.amount_fen,
            )
        )
    return Netted(original, tuple(refunds), tuple(steps))
