"""Lines and their refunds 退费: a refund inherits from its original and answers the difference.

The original answers as if it had not been refunded; each refund answers, payer by
payer, the difference to the pair on net quantity and net amount.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import compress
from operator import attrgetter
from typing import NamedTuple

from gateway.domain.bill import BillLine, by_place

in_time = attrgetter("occurred_at", "line_id")
"""By what lines are put in order of time."""
_line_id, _occurred_at, _refund_of = map(by_place, ("line_id", "occurred_at", "refund_of"))


class Pair(NamedTuple):
    """An original line with its refunds in order of time and line id; `steps` are the original
    and, after each refund, the original net of the refunds so far."""

    lines: tuple[BillLine, ...]
    steps: tuple[BillLine, ...]

    @property
    def net(self) -> BillLine:
        """The original net of all its refunds."""
        return self.steps[-1]


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
            yield self.refunded.get(line.line_id) or alone(line)


def alone(line: BillLine) -> Pair:
    """A line that was not refunded."""
    return Pair((line,), (line,))


def _less(line: BillLine, refund: BillLine) -> BillLine:
    return line._replace(
        quantity=line.quantity + refund.quantity,
        amount_fen=line.amount_fen + refund.amount_fen,
    )


def netted(lines: Iterable[BillLine]) -> Netted:
    """Every original with its refunds; originals in order of time and line id, so that the
    order of a message never changes a result.

    Raises ValueError for a refund whose original is not among the lines, or is a refund
    itself: its money would vanish from the bill.
    """
    # Twice by one word each is the same order as once by both, and compares far less.
    ordered = sorted(lines, key=_line_id)
    ordered.sort(key=_occurred_at)
    refunds = list(compress(ordered, map(_refund_of, ordered)))
    if not refunds:
        return Netted(ordered, ordered, {})
    originals = [line for line in ordered if not line.refund_of]
    named = {line.refund_of for line in refunds}
    places = {one: n for n, one in enumerate(map(_line_id, originals)) if one in named}
    pairs = {line_id: alone(originals[n]) for line_id, n in places.items()}
    for refund in refunds:
        pairs[refund.refund_of] = _with(pairs, refund)
    nets = originals.copy()
    for line_id, n in places.items():
        nets[n] = pairs[line_id].net
    return Netted(originals, nets, pairs)


def _with(pairs: Mapping[str, Pair], refund: BillLine) -> Pair:
    """The pair that the refund names, with this refund more."""
    found = pairs.get(refund.refund_of)
    if found is None:
        raise ValueError(f"refund {refund.line_id} names {refund.refund_of}, which is no original")
    return Pair((*found.lines, refund), (*found.steps, _less(found.net, refund)))
