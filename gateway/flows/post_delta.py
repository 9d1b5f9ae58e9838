"""补差结算 The delta settlement that a change posts: its row, its message and the ledger.

Amounts are signed and sum to zero; the row's detail is the whole bill as it is right now.
"""

from dataclasses import dataclass
from typing import Any

from gateway.clock import business_day
from gateway.domain.admission import BillState
from gateway.domain.readjudication import DELTA
from gateway.domain.results import Settlement
from gateway.flows.desk import Desk, new_id
from gateway.flows.plan import Notice, Transfer
from gateway.flows.readjudicate import Readjudicated, StandingSettlement, detail_of
from gateway.flows.settled import amounts, moved, of_verdict
from gateway.rules.readjudicate import Change, difference_verdict
from gateway.store import tables
from gateway.store.rows import canonical, spans_text
from gateway.store.standing import UNDOABLE, Standing
from gateway.store.unit import Insert


@dataclass(frozen=True, slots=True)
class Source:
    """What a delta follows from: the number of its proposal, and what its message says."""

    proposal_id: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Delta:
    """A delta as it is posted: to the store, the ledger, the hospital and the agency."""

    message: Settlement
    write: Insert
    transfers: tuple[Transfer, ...]
    notices: tuple[Notice, ...]

    @property
    def delta_id(self) -> str:
        return self.message.settlement_id


def delta_of(desk: Desk, found: Readjudicated, change: Change, source: Source) -> Delta:
    """The delta of the change."""
    one = found.settled
    message = _message(desk, one, change, source)
    row = _row(desk, found, change, message, source)
    return Delta(
        message=message,
        write=Insert(tables.settlement, [row]),
        transfers=moved(*found.owed, message.settlement_id, str(message.business_day)),
        notices=tuple(
            _told(receiver, message) for receiver in (one.file.stay.hospital, desk.agency_id)
        ),
    )


def _told(receiver: str, message: Settlement) -> Notice:
    return Notice(
        receiver=receiver,
        subject=message.admission_id,
        command="settlement.result",
        result=message,
    )


def _message(desk: Desk, one: StandingSettlement, change: Change, source: Source) -> Settlement:
    """The delta as both sides get it: only the lines that differ, amounts signed."""
    original, stay, now = one.standing.original, one.file.stay, desk.clock.now()
    return Settlement(
        admission_id=stay.admission_id,
        bill_state=BillState.SETTLED,
        settlement_id=new_id("D"),
        bill_no=original["bill_no"],
        adjusts=original["settlement_id"],
        visit_no=stay.visit_no,
        hospital=stay.hospital,
        case_no=original["case_no"],
        decision_no=one.file.case.decision_no if one.file.case else "",
        settled_at=now,
        business_day=business_day(now),
        admitted_at=stay.admitted_at,
        discharged_at=stay.discharged_at,
        note=source.note,
        **of_verdict(difference_verdict(change)),
    )


def _row(
    desk: Desk, found: Readjudicated, change: Change, message: Settlement, source: Source
) -> dict[str, Any]:
    return {
        **_kept(found.settled.standing),
        **amounts(message.split, change.meal_fen),
        "settlement_id": message.settlement_id,
        "settled_us": desk.now_us,
        "business_day": str(message.business_day),
        "line_count": len(message.lines),
        "meal_days": spans_text(change.after.meal_days),
        "rules_version": message.rules_version,
        "policy_digest": message.policy_digest,
        "edition_digests": canonical(list(message.edition_digests)),
        "message_id": source.proposal_id,
        "detail": detail_of(found, change.after),
    }


def _kept(stands: Standing) -> dict[str, Any]:
    """What a delta has of its original, and its place behind it."""
    own = ("key_id", "record_key")
    return {
        **{name: value for name, value in stands.original.items() if name not in own},
        "kind": DELTA,
        "state": UNDOABLE,
        "live": stands.next_place,
        "reverses": None,
        "reinstates": None,
        "adjusts": stands.original["settlement_id"],
        "follows": stands.last["settlement_id"],
    }
