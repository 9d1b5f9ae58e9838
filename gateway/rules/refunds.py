"""Lines and their refunds 退费: a refund inherits from its original and answers the difference.

The original answers as if it had not been refunded; each refund answers, payer by
payer, the difference to the pair on net quantity and net amount.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import reduce
from itertools import accumulate
from operator import attrgetter
from typing import NamedTuple

from gateway.domain.bill import BillLine

in_time = attrgetter("occurred_at", "line_id")
"""By what lines are put in order of time."""


class Pair(NamedTuple):
    """An original line, itself net of all its refunds, and these in order of time and line id."""

    original: BillLine
    net: BillLine
    refunds: tuple[BillLine, ...] = ()

    @property
    def steps(self) -> tuple[BillLine, ...]:
        """The original, then the original net of one refund more at each step."""
        return tuple(accumulate(self.refunds, _less, initial=self.original))


class Netted(NamedTuple):
    """The originals of a bill in order of time and line id, the same net of their refunds, and
    the pairs of those that were refunded by the id of the original."""

    originals: Sequence[BillLine]
    nets: Sequence[BillLine]
    refunded: Mapping[str, Pair]

    @property
    def pairs(self) -> Iterator[Pair]:
        """Every original with its refunds, if any."""
        for line in self.originals:
            yield self.refunded.get(line.line_id) or Pair(line, line)


def _less(line: BillLine, refund: BillLine) -> BillLine:
    return replace(
        line,
        quantity=line.quantity + refund.quantity,
        amount_fen=line.amount_fen + refund.amount_fen,
    )


def netted(lines: Iterable[BillLine]) -> Netted:
    """Every original with its refunds; originals in order of time and line id, so that the
    order of a message never changes a result.

    Raises ValueError for a refund whose original is not among the lines, or is a refund
    itself: its money would vanish from the bill.
    """
    ordered = sorted(lines, key=in_time)
    refunds = [line for line in ordered if line.refund_of]
    if not refunds:
        return Netted(ordered, ordered, {})
    originals = [line for line in ordered if not line.refund_of]
    pairs = _pairs(originals, refunds)
    net = {line_id: pair.net for line_id, pair in pairs.items()}
    return Netted(originals, [net.get(line.line_id, line) for line in originals], pairs)


def _pairs(originals: Iterable[BillLine], refunds: Iterable[BillLine]) -> Mapping[str, Pair]:
    named = {line.refund_of for line in refunds}
    known = {line.line_id: line for line in originals if line.line_id in named}
    found = dict[str, list[BillLine]]()
    for line in refunds:
        if line.refund_of not in known:
            raise ValueError(f"refund {line.line_id} names {line.refund_of}, which is no original")
        found.setdefault(line.refund_of, []).append(line)
    return {line_id: _pair(known[line_id], given) for line_id, given in found.items()}


def _pair(original: BillLine, refunds: Iterable[BillLine]) -> Pair:
    return Pair(original, reduce(_less, refunds, original), tuple(refunds))
