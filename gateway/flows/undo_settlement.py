"""Undoing a settlement: a new negative row, never an edit; cancel and reverse share it.

What the person's other settlements have to see of it is marked at the stay, and looked at after
the answer (flows/look_beside.py).
"""

from typing import Any

from gateway.clock import business_day
from gateway.domain.admission import AdmissionState, BillState
from gateway.domain.findings import Finding
from gateway.domain.results import Settlement
from gateway.flows.desk import Caller, Desk, new_id
from gateway.flows.plan import Act, Notice, Plan, Transfer, applied
from gateway.flows.readjudicate import stale_act
from gateway.flows.settled import amounts, back, of_verdict, transfers
from gateway.flows.standing import stale
from gateway.store import tables
from gateway.store.frozen import thawed_verdict
from gateway.store.messages import Stored
from gateway.store.rows import canonical
from gateway.store.settlements import split_of
from gateway.store.standing import UNDOABLE, Standing
from gateway.store.stays import StayFile
from gateway.store.unit import Change, Insert, Write


def cut_stands(file: StayFile) -> Finding:
    """What an upheld cut took back of the settlement would be taken back twice."""
    return Finding("CUT_STANDS", "SettlementId", " ".join(sorted(file.stay.posted_cuts)))


def undone_row(effect: str, message: tuple[str, str], caller: Caller, at_us: int) -> Insert:
    """One effect is undone once: the unique key decides between cancel and reverse.

    `message` is the (sender, message id) that had the effect; it answers SUPERSEDED from now on.
    """
    sender, message_id = message
    row = {
        "effect": effect,
        "sender": sender,
        "message_id": message_id,
        "by_sender": caller.party_id,
        "by_message_id": caller.message_id,
        "command": caller.command,
        "at_us": at_us,
    }
    return Insert(tables.undo, [row])


def reversed_settlement(
    desk: Desk, caller: Caller, file: StayFile, stands: Standing, reason: str
) -> tuple[Plan, Settlement]:
    """The transaction that reverses a live settlement with every delta posted to it, and the
    negative message of them all."""
    original = stands.whole
    message = _negative(desk, file, original)
    settlement_id = original["settlement_id"]
    plan = applied(
        message,
        subject=file.stay.admission_id,
        effect=message.settlement_id,
        writes=(
            undone_row(settlement_id, _committed_by(file), caller, desk.now_us),
            _reopened(file, settlement_id),
            *(_ended(row) for row in (stands.original, *stands.deltas)),
            _negative_row(desk, caller, original, message),
            *(stale(desk, proposal) for proposal in stands.proposals),
        ),
        acts=(
            _act(caller, file, BillState.OPEN, settlement_id, reason),
            *(stale_act(proposal["proposal_id"]) for proposal in stands.proposals),
        ),
        transfers=_turned_back(original, message),
        notices=(_to_agency(desk, file, message),),
    )
    return plan, message


def _ended(row: dict[str, Any]) -> Change:
    """The settlement, or a delta of it, is in force no more."""
    where = {"settlement_id": row["settlement_id"], "state": UNDOABLE}
    return Change(tables.settlement, where, {"live": None, "state": "REVERSED"})


def _committed_by(file: StayFile) -> tuple[str, str]:
    return file.stay.hospital, str(file.row["commit_message_id"])


def _act(caller: Caller, file: StayFile, state: BillState, settlement_id: str, reason: str) -> Act:
    return Act(
        action=caller.command,
        subject=file.stay.admission_id,
        from_state=file.bill_state,
        to_state=state,
        code=settlement_id,
        reason=reason,
    )


def _to_agency(desk: Desk, file: StayFile, message: Settlement) -> Notice:
    return Notice(
        receiver=desk.agency_id,
        subject=file.stay.admission_id,
        command="settlement.result",
        result=message,
    )


def _reopened(file: StayFile, settlement_id: str) -> Change:
    """The bill is open again and the stay no longer closed."""
    stay = file.stay
    where = {"admission_id": stay.admission_id, "version": stay.version}
    values = {
        "version": stay.version + 1,
        "state": AdmissionState.CONFIRMED.value,
        "bill_state": BillState.OPEN.value,
        "commit_message_id": "",
        "unseen": file.unseen_with(settlement_id),
    }
    return Change(tables.admission, where, values)


def _negative(desk: Desk, file: StayFile, original: dict[str, Any]) -> Settlement:
    now = desk.clock.now()
    stay, case = file.stay, file.case
    return Settlement(
        admission_id=stay.admission_id,
        bill_state=BillState.OPEN,
        settlement_id=new_id("S"),
        bill_no=original["bill_no"],
        reverses=original["settlement_id"],
        visit_no=stay.visit_no,
        hospital=stay.hospital,
        case_no=original["case_no"],
        decision_no=case.decision_no if case else "",
        settled_at=now,
        business_day=business_day(now),
        admitted_at=stay.admitted_at,
        discharged_at=stay.discharged_at,
        split=split_of(original).negated(),
        payout=thawed_verdict(original["detail"]).payout.negated(),
        rules_version=original["rules_version"],
        policy_digest=original["policy_digest"],
    )


def _negative_row(
    desk: Desk, caller: Caller, original: dict[str, Any], message: Settlement
) -> Insert:
    row = {
        **_copied(original),
        **amounts(message.split, -original["meal_fen"]),
        "settlement_id": message.settlement_id,
        "kind": "REVERSAL",
        "state": "REVERSED",
        "live": None,
        "reverses": original["settlement_id"],
        "reinstates": None,
        "settled_us": desk.now_us,
        "business_day": str(message.business_day),
        "message_id": caller.message_id,
        "detail": canonical(original["detail"]),
    }
    return Insert(tables.settlement, [row])


def _copied(original: dict[str, Any]) -> dict[str, Any]:
    own = ("key_id", "record_key")
    return {name: value for name, value in original.items() if name not in own}


def _turned_back(original: dict[str, Any], message: Settlement) -> tuple[Transfer, ...]:
    forward = _transfers(original, original["settlement_id"], str(message.business_day))
    return back(forward, message.settlement_id, str(message.business_day))


def _transfers(original: dict[str, Any], settlement_id: str, day: str) -> tuple[Transfer, ...]:
    payout = thawed_verdict(original["detail"]).payout
    return transfers(settlement_id, original["hospital"], payout, day)


def reinstated_settlement(
    desk: Desk, caller: Caller, file: StayFile, original: dict[str, Any], cancelled: Stored
) -> tuple[Plan, Settlement]:
    """A cancelled settlement in force again: a new row that reinstates the old one as it stood,
    deltas included."""
    message = _in_force_again(desk, file, original)
    plan = applied(
        message,
        subject=file.stay.admission_id,
        effect=message.settlement_id,
        guards=file.case_guards,
        writes=_reinstating(desk, caller, file, original, message, cancelled),
        acts=(_act(caller, file, BillState.SETTLED, original["settlement_id"], "reinstated"),),
        transfers=_transfers(original, message.settlement_id, str(message.business_day)),
        notices=(_to_agency(desk, file, message),),
    )
    return plan, message


def _in_force_again(desk: Desk, file: StayFile, original: dict[str, Any]) -> Settlement:
    now = desk.clock.now()
    return Settlement(
        admission_id=file.stay.admission_id,
        bill_state=BillState.SETTLED,
        settlement_id=new_id("S"),
        bill_no=original["bill_no"],
        reinstates=original["settlement_id"],
        visit_no=file.stay.visit_no,
        hospital=file.stay.hospital,
        case_no=original["case_no"],
        decision_no=file.case.decision_no if file.case else "",
        settled_at=now,
        business_day=business_day(now),
        admitted_at=file.stay.admitted_at,
        discharged_at=file.stay.discharged_at,
        **of_verdict(thawed_verdict(original["detail"])),
    )


def _reinstating(
    desk: Desk,
    caller: Caller,
    file: StayFile,
    original: dict[str, Any],
    message: Settlement,
    cancelled: Stored,
) -> tuple[Write, ...]:
    row = {
        **_copied(original),
        "settlement_id": message.settlement_id,
        "state": UNDOABLE,
        "live": 1,
        "reverses": None,
        "reinstates": original["settlement_id"],
        "settled_us": desk.now_us,
        "business_day": str(message.business_day),
        "message_id": caller.message_id,
        "detail": canonical(original["detail"]),
    }
    stay = file.stay
    where = {"admission_id": stay.admission_id, "version": stay.version}
    values = {
        "version": stay.version + 1,
        "state": AdmissionState.CLOSED.value,
        "bill_state": BillState.SETTLED.value,
        "commit_message_id": caller.message_id,
        "unseen": file.unseen_with(original["settlement_id"]),
    }
    return (
        undone_row(cancelled.effect, cancelled.key, caller, desk.now_us),
        Change(tables.admission, where, values),
        Insert(tables.settlement, [row]),
    )
