"""Lines and their refunds 退费: a refund inherits from its original and answers the difference.

The original answers as if it had not been refunded; each refund answers, payer by
payer, the difference to the pair on net quantity and net amount.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import reduce
from itertools import accumulate
from operator import attrgetter
from typing import NamedTuple

from gateway.domain.bill import BillLine

_IN_TIME = attrgetter("occurred_at", "line_id")


class Netted(NamedTuple):
    """An original line, itself net of all its refunds, and these in order of time and line id."""

    original: BillLine
    net: BillLine
    refunds: tuple[BillLine, ...] = ()

    @property
    def steps(self) -> tuple[BillLine, ...]:
        """The original, then the original net of one refund more at each step."""
        return tuple(accumulate(self.refunds, _less, initial=self.original))


def _less(line: BillLine, refund: BillLine) -> BillLine:
    return replace(
        line,
        quantity=line.quantity + refund.quantity,
        amount_fen=line.amount_fen + refund.amount_fen,
    )


def netted(lines: Iterable[BillLine]) -> tuple[Netted, ...]:
    """Every original with its refunds; originals in order of time and line id, so that the
    order of a message never changes a result.

    Raises ValueError for a refund whose original is not among the lines, or is a refund
    itself: its money would vanish from the bill.
    """
    ordered = sorted(lines, key=_IN_TIME)
    originals = [line for line in ordered if not line.refund_of]
    refunds = _by_original(originals, (line for line in ordered if line.refund_of))
    return tuple(
        [
            _netted(line, refunds[line.line_id]) if line.line_id in refunds else Netted(line, line)
            for line in originals
        ]
    )


def _by_original(
    originals: Iterable[BillLine], refunds: Iterable[BillLine]
) -> Mapping[str, list[BillLine]]:
    known, found = {line.line_id for line in originals}, dict[str, list[BillLine]]()
    for line in refunds:
        if line.refund_of not in known:
            raise ValueError(f"refund {line.line_id} names {line.refund_of}, which is no original")
        found.setdefault(line.refund_of, []).append(line)
    return found


def _netted(original: BillLine, refunds: Iterable[BillLine]) -> Netted:
    return Netted(original, reduce(_less, refunds, original), tuple(refunds))
