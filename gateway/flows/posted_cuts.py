"""扣减与结算 What an upheld cut takes back of a settlement as it stands, deltas included.

The settlement itself is never edited: a cut books under its own number, and where a delta changes
what the fund pays for a cut line the cut takes back that much more or less.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from gateway.domain.bill import BillLine, BillVerdict, Payee, Payout
from gateway.domain.cut import Cut, CutLine
from gateway.domain.split import Split, total
from gateway.flows.plan import Transfer
from gateway.flows.settled import MEDICAL
from gateway.store.cuts import cut_by_no
from gateway.store.database import Reader
from gateway.store.stays import StayFile


async def posted_cuts(reader: Reader, file: StayFile) -> tuple[Cut, ...]:
    """Every cut that took money back from the live settlement of the stay."""
    found = [await cut_by_no(reader, cut_no) for cut_no in sorted(file.stay.posted_cuts)]
    return tuple(one for one in found if one is not None)


def cut_shares(one: Cut, lines: Iterable[BillLine], verdict: BillVerdict) -> dict[str, Split]:
    """Who bears each line of the cut by the verdict, refunds included, in fen."""
    original = {line.line_id: line.refund_of or line.line_id for line in lines}
    wanted = {line.line_id for line in one.lines}
    parts: dict[str, list[Split]] = {}
    for line in verdict.lines:
        if original[line.line_id] in wanted:
            parts.setdefault(original[line.line_id], []).append(line.split)
    return {line_id: total(splits) for line_id, splits in parts.items()}


def give_back_fen(upheld: Iterable[str], shares: Mapping[str, Split]) -> int:
    """What employer and worker bear of the lines that the hospital has to bear, in fen."""
    paid = total([shares[line_id] for line_id in upheld if line_id in shares])
    return paid.employer_fen + paid.individual_fen


def posted_by(one: Cut, shares: Mapping[str, Split]) -> Cut:
    """An upheld cut with what it takes back where the lines are shared like this."""
    upheld = [line.line_id for line in one.lines if line.upheld_fen]
    last = replace(one.decisions[-1], give_back_fen=give_back_fen(upheld, shares))
    return replace(
        one,
        lines=tuple(_posted(line, shares) for line in one.lines),
        decisions=(*one.decisions[:-1], last),
    )


def _posted(line: CutLine, shares: Mapping[str, Split]) -> CutLine:
    if not line.upheld_fen or line.line_id not in shares:
        return line
    return replace(line, posted_fen=shares[line.line_id].fund_fen)


def post(before: Cut, after: Cut, payout: Payout, day: str) -> tuple[Transfer, ...]:
    """What an upheld cut takes back of a settlement on the ledger, and what a withdrawn or
    adjusted one gives back. The hospital is owed less; what another was paid for, the hospital
    owes the fund."""
    amount_fen = after.posted_fen - before.posted_fen
    if not amount_fen:
        return ()
    was_paid = any(share.payee is Payee.HOSPITAL for share in payout.shares)
    name = f"hospital/{after.hospital}"
    hospital = f"2101/{name}" if was_paid else f"1221/{name}"
    debit, credit = (hospital, MEDICAL) if amount_fen > 0 else (MEDICAL, hospital)
    return (
        Transfer(
            subject=after.cut_no,
            debit=debit,
            credit=credit,
            amount_fen=abs(amount_fen),
            business_day=day,
        ),
    )
