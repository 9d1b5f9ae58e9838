"""扣减的补差 What the final decision on a cut changes of a settled bill.

The bill is decided again by the rule that settles, on its frozen facts and the violations that
are upheld now, and the difference is posted as a delta settlement: a cut decided after the
settlement gives to the fen what it gives before. It needs no approval beyond the two persons of
the cut itself (flows/decide_readjudication.py is for corrections that nobody was heard about).
"""

from dataclasses import dataclass, replace
from typing import Final

from gateway.domain.bill import BillVerdict, Payee
from gateway.domain.cut import Cut
from gateway.domain.findings import Finding
from gateway.domain.readjudication import Cause, ProposalState
from gateway.flows.bill_file import with_devices
from gateway.flows.desk import Desk, new_id
from gateway.flows.plan import Act, Notice, Transfer
from gateway.flows.post_delta import Source, delta_of
from gateway.flows.posted_cuts import with_violations
from gateway.flows.readjudicate import (
    Readjudicated,
    StandingSettlement,
    as_it_stands,
    decided_again,
    moved,
    proposal_row,
    stale_act,
)
from gateway.flows.settled import back, owed_to
from gateway.flows.standing import stale
from gateway.flows.waiting import decide_anew
from gateway.rules.readjudicate import Change
from gateway.store import tables
from gateway.store.cuts import claims_of
from gateway.store.database import Reader
from gateway.store.unit import Guard, Insert, Write

_BOOKED: Final = ("subject", "debit", "credit", "amount_fen", "business_day")


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What a decision does beside the cut itself; amounts in fen, as of the cut."""

    guards: tuple[Guard, ...] = ()
    writes: tuple[Write, ...] = ()
    acts: tuple[Act, ...] = ()
    transfers: tuple[Transfer, ...] = ()
    notices: tuple[Notice, ...] = ()
    posted_fen: int = 0
    give_back_fen: int = 0
    delta_id: str = ""


async def on_settled(
    desk: Desk, reader: Reader, one: StandingSettlement, before: Cut, upheld: frozenset[str]
) -> Effect | Finding:
    """The effect on the settlement when these lines of the cut are the hospital's; a finding
    where the bill cannot be decided so."""
    if upheld == before.upheld_ids:
        return Effect()
    try:
        seen = await as_it_stands(desk, reader, one)
    except LookupError:
        return _not_computable("EDITION_MISSING")
    own = {line.line_id: "" for line in before.lines} | dict.fromkeys(upheld, before.violation)
    bill = replace(seen.bill, lines=with_violations(seen.bill.lines, own))
    bill = await with_devices(reader, bill)
    found = await decided_again(one, bill, seen.policy)
    if found.untold:
        return _not_computable(found.untold)
    again = Readjudicated(
        settled=one,
        cause=Cause.CUT,
        correction=before.cut_no,
        bill=bill,
        guards=seen.guards,
        others=seen.others,
        change=found.change,
    )
    effect = Effect()
    if found.change is not None:
        effect = _delta(desk, again, found.change, before, upheld)
    claims = await _claims(desk, reader, again, before, upheld)
    return replace(effect, guards=seen.guards, transfers=(*effect.transfers, *claims))


def _not_computable(why: str) -> Finding:
    return Finding("CUT_NOT_COMPUTABLE", "CutNo", why)


def _delta(
    desk: Desk, again: Readjudicated, change: Change, one: Cut, upheld: frozenset[str]
) -> Effect:
    number, stands = new_id("R"), again.settled.standing
    delta = delta_of(desk, again, change, Source(number, _note(one, upheld)))
    others = stands.proposals
    less = change.split.negated()
    return Effect(
        writes=(
            delta.write,
            _decided(desk, again, number, delta.delta_id, one),
            *(stale(desk, other) for other in others),
            *decide_anew(desk, moved(again), f"cut.decide {one.cut_no}"),
        ),
        acts=tuple(stale_act(other["proposal_id"]) for other in others),
        transfers=delta.transfers,
        notices=delta.notices,
        posted_fen=less.fund_fen - change.meal_fen if upheld else 0,
        give_back_fen=max(0, less.employer_fen + less.individual_fen) if upheld else 0,
        delta_id=delta.delta_id,
    )


def _note(one: Cut, upheld: frozenset[str]) -> str:
    return f"扣减 cut {one.cut_no}：{one.clause}" if upheld else f"扣减撤回 withdrawn {one.cut_no}"


def _decided(desk: Desk, again: Readjudicated, number: str, delta_id: str, one: Cut) -> Insert:
    """The change with both sides of every line, approved as it is made: the cut has its own two
    persons, and names them."""
    row = {
        **proposal_row(desk, again, number, one.cut_no),
        "state": ProposalState.APPROVED.value,
        "open": None,
        "decided_by": one.cut_no,
        "decided_us": desk.now_us,
        "delta_id": delta_id,
        "basis": one.clause,
    }
    return Insert(tables.readjudication, [row])


# --- who owes it ---------------------------------------------------------------------------------


async def _claims(
    desk: Desk, reader: Reader, again: Readjudicated, one: Cut, upheld: frozenset[str]
) -> tuple[Transfer, ...]:
    """What another was paid for lines of the hospital the hospital owes the fund, not he who was
    paid (追回违规费用, 社会保险经办条例 第四十三条); a withdrawn cut turns that round."""
    day = str(desk.today)
    if not upheld:
        booked = await claims_of(reader, one.cut_no)
        rows = tuple(Transfer(**{word: row[word] for word in _BOOKED}) for row in booked)
        return back(rows, one.cut_no, day)
    if again.change is None:
        return ()
    had, has = _medical(again.change.before), _medical(again.change.after)
    return tuple(
        Transfer(
            subject=one.cut_no,
            debit=f"1221/hospital/{one.hospital}",
            credit=owed_to(payee, one.hospital),
            amount_fen=had[payee] - has[payee],
            business_day=day,
        )
        for payee in Payee
        if payee is not Payee.HOSPITAL and had[payee] > has[payee]
    )


def _medical(verdict: BillVerdict) -> dict[Payee, int]:
    return dict.fromkeys(Payee, 0) | {
        share.payee: share.medical_fen for share in verdict.payout.shares
    }
