"""Lines and their refunds 退费: a refund inherits from its original and answers the difference.

The original answers as if it had not been refunded; each refund answers, payer by
payer, the difference to the pair on net quantity and net amount.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from gateway.domain.bill import BillLine


@dataclass(frozen=True, slots=True)
class Netted:
    """An original line with its refunds in order of time and line id."""

    original: BillLine
    refunds: tuple[BillLine, ...]

    @property
    def steps(self) -> tuple[BillLine, ...]:
        """The original, then the original net of one refund more at each step."""
        if not self.refunds:
            return (self.original,)
        steps = [self.original]
        for refund in self.refunds:
            last = steps[-1]
            steps.append(
                replace(
                    last,
                    quantity=last.quantity + refund.quantity,
                    amount_fen=last.amount_fen + refund.amount_fen,
                )
            )
        return tuple(steps)

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
    ordered = sorted(lines, key=lambda line: (line.occurred_at, line.line_id))
    originals = [line for line in ordered if not line.refund_of]
    refunds: dict[str, list[BillLine]] = {line.line_id: [] for line in originals}
    for line in ordered:
        if line.refund_of:
            _refunds_of(refunds, line).append(line)
    return tuple(Netted(line, tuple(refunds[line.line_id])) for line in originals)


def _refunds_of(refunds: dict[str, list[BillLine]], line: BillLine) -> list[BillLine]:
    if line.refund_of not in refunds:
        raise ValueError(f"refund {line.line_id} names {line.refund_of}, which is no original")
    return refunds[line.refund_of]
