"""transaction.reverse: undo what a message of the same sender did, or fence its id.

The reversal of a message never seen inserts a tombstone under the original's own key: of
original and reversal exactly one wins, whatever their order.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import date
from typing import Any, Final

from gateway.domain.admission import BillState, HoldReason, Stay
from gateway.domain.codes import Outcome
from gateway.domain.commands import ReverseTransaction
from gateway.domain.findings import Finding
from gateway.domain.results import Reversed, Settlement
from gateway.flows.bill_file import load_bill
from gateway.flows.cancel_admission import cancelled
from gateway.flows.desk import Caller, Desk
from gateway.flows.discharge import cancel_fault, discharge_cancelled, discharge_restored
from gateway.flows.plan import Act, Plan, applied, refused
from gateway.flows.standing import standing
from gateway.flows.stay_file import cancellable
from gateway.flows.undo_settlement import (
    cut_stands,
    reinstated_settlement,
    reversed_settlement,
    undone_row,
)
from gateway.rules.entitlement import Confirm, may_settle
from gateway.store import tables
from gateway.store.database import Reader
from gateway.store.frozen import Facts, thawed_facts
from gateway.store.messages import Stored, stored
from gateway.store.stays import (
    StayFile,
    lines_of,
    stay_and_settlement,
    stay_file,
    stays_of_person,
)
from gateway.store.unit import Change, Insert, Write

_WAIT_S: Final = 5.0  # for a computation under way to end
_INSTEAD: Final = {
    "admission.cancel": "admission.register",
    "approval.apply": "approval.cancel",
    "approval.cancel": "approval.apply",
    "case.report": "case.decide",
    "fees.upload": "fees.void",
    "fees.void": "fees.upload",
    "inbox.ack": "",
    "transaction.reverse": "",
}
"""What corrects a command that cannot be reversed; for every other, a new one of its kind."""
_UNDONE: Final = "UNDONE"
_TOMBSTONE: Final = "TOMBSTONE"


async def reverse_transaction(desk: Desk, caller: Caller, command: ReverseTransaction) -> Plan:
    """Act on the caller's own id only; wait for an original that is being processed."""
    if command.target_message_id == caller.message_id:
        return refused(Finding("NOT_REVERSIBLE", "TargetMessageId", command.target_message_id))
    key = (caller.party_id, command.target_message_id)
    if not await desk.in_progress.finished(key, _WAIT_S):
        return Plan(
            outcome=Outcome.NOT_PROCESSED,
            code="IN_PROGRESS",
            result=Reversed(target_message_id=command.target_message_id, effect="IN_PROGRESS"),
        )
    async with desk.database.reading() as reader:
        target = await stored(reader, *key)
        if target is None:
            return _tombstone(desk, caller, command)
        answer = _answered_already(command, target)
        if answer is not None:
            return answer
        undo = _UNDO.get(target.command)
        if undo is None:
            instead = _INSTEAD.get(target.command, target.command)
            return _not(command, "NOT_REVERSIBLE", target.command, instead)
        return await undo(desk, reader, caller, command, target)


def _tombstone(desk: Desk, caller: Caller, command: ReverseTransaction) -> Plan:
    """The id is fenced: a late original is refused with REVERSED_BEFORE_ARRIVAL."""
    row = {
        "sender": caller.party_id,
        "message_id": command.target_message_id,
        "command": command.target_command,
        "digest": command.target_digest,
        "state": _TOMBSTONE,
        "code": "TOMBSTONED",
        "subject": "",
        "effect": "",
        "undone_by": caller.message_id,
        "tx_id": "",
        "received_us": desk.now_us,
        "request": None,
        "reply": None,
    }
    return applied(
        Reversed(
            target_message_id=command.target_message_id, effect=_TOMBSTONE, by=caller.message_id
        ),
        code="TOMBSTONED",
        subject=command.target_message_id,
        writes=(Insert(tables.message, [row]),),
        acts=(
            Act(
                action="transaction.reverse",
                subject=command.target_message_id,
                to_state=_TOMBSTONE,
                reason=command.reason,
            ),
        ),
    )


def _answered_already(command: ReverseTransaction, target: Stored) -> Plan | None:
    """The cells of the table that need no look at the effect."""
    if target.state == _TOMBSTONE:
        return _already(command, target.undone_by)
    named_other = command.target_command != target.command
    if named_other or command.target_digest not in ("", target.digest):
        return _not(command, "REVERSE_TARGET_MISMATCH", target.command)
    if target.state == "REFUSED":
        return _not(command, "NOTHING_TO_REVERSE", target.code)
    if target.undone_by:
        return _already(command, target.undone_by)
    return None


def _not(command: ReverseTransaction, code: str, got: str = "", expected: str = "") -> Plan:
    """A stored refusal of the reversal that says what stands against it."""
    finding = Finding(code, "TargetMessageId", got, expected)
    return refused(finding, subject=command.target_message_id)


def _already(command: ReverseTransaction, by: str) -> Plan:
    """A stored refusal of the reversal that names the message which came before it."""
    code = "ALREADY_REVERSED"
    result = Reversed(target_message_id=command.target_message_id, effect=code, by=by)
    return replace(_not(command, code, by), result=result)


def _undone(
    desk: Desk,
    caller: Caller,
    command: ReverseTransaction,
    plan: Plan,
    *,
    extra: tuple[Write, ...] = (),
    settlement: Settlement | None = None,
) -> Plan:
    """The plan of the undoing, answered as a reversal."""
    result = Reversed(
        target_message_id=command.target_message_id,
        effect=_UNDONE,
        by=caller.message_id,
        settlement=settlement,
    )
    return applied(
        result,
        subject=plan.subject,
        effect=plan.effect,
        guards=plan.guards,
        writes=(*extra, *plan.writes),
        acts=plan.acts,
        transfers=plan.transfers,
        notices=plan.notices,
    )


def _marked(desk: Desk, caller: Caller, target: Stored) -> tuple[Write, ...]:
    """The effect is undone once, and its message answers SUPERSEDED."""
    return (undone_row(target.effect, target.key, caller, desk.now_us),)


async def _undo_register(
    desk: Desk, reader: Reader, caller: Caller, command: ReverseTransaction, target: Stored
) -> Plan:
    file = await _stay(reader, target)
    fault = cancellable(file)
    if fault is not None:
        return _not(command, fault.code, fault.got)
    plan = cancelled(desk, file, command.reason, "transaction.reverse")
    extra = _marked(desk, caller, target)
    return _undone(desk, caller, command, plan, extra=extra)


async def _undo_commit(
    desk: Desk, reader: Reader, caller: Caller, command: ReverseTransaction, target: Stored
) -> Plan:
    file, original = await _stay_and_settlement(reader, target)
    if file.row["commit_message_id"] != target.message_id:
        return _not(command, "REVERSE_TOO_LATE", file.bill_state)
    if file.bill_state is BillState.HELD:
        extra = _marked(desk, caller, target)
        return _undone(desk, caller, command, _unheld(caller, file, command), extra=extra)
    stands = None if original is None else await standing(reader, file, original)
    if stands is None or not stands.undoable:
        return _not(command, "REVERSE_TOO_LATE", file.bill_state)
    if file.stay.posted_cuts:
        return _not(command, "CUT_STANDS", cut_stands(file).got)
    plan, message = reversed_settlement(desk, caller, file, stands, command.reason)
    return _undone(desk, caller, command, plan, settlement=message)


def _unheld(caller: Caller, file: StayFile, command: ReverseTransaction) -> Plan:
    """A held bill is open again; a release racing with this loses by the stay's version."""
    stay = file.stay
    where = {"admission_id": stay.admission_id, "version": stay.version}
    values: dict[str, Any] = {
        "version": stay.version + 1,
        "bill_state": BillState.OPEN.value,
        "hold_reason": "",
        "hold_key": "",
        "hold_day": None,
        "commit_message_id": "",
        "code": "",
    }
    return applied(
        subject=stay.admission_id,
        writes=(Change(tables.admission, where, values),),
        acts=(
            Act(
                action=caller.command,
                subject=stay.admission_id,
                from_state=BillState.HELD,
                to_state=BillState.OPEN,
                code=HoldReason(file.row["hold_reason"]),
                reason=command.reason,
            ),
        ),
    )


async def _undo_cancel(
    desk: Desk, reader: Reader, caller: Caller, command: ReverseTransaction, target: Stored
) -> Plan:
    """A cancelled settlement comes back as it stood while lines and prior payments are unchanged,
    the case is still payable and no other stay was paid for its meal days meanwhile."""
    file, original = await _stay_and_settlement(reader, target, reversed_by=target.effect)
    if original is None:
        return _not(command, "REVERSE_TOO_LATE", file.bill_state)
    stood = await standing(reader, file, original)
    then = thawed_facts(stood.last["detail"])
    if not await _reinstatable(desk, reader, file, then):
        return _not(command, "REVERSE_TOO_LATE", file.bill_state)
    now = await load_bill(desk, reader, file)
    others = await stays_of_person(reader, file.stay.person_id)
    others = [one for one in others if one.stay.admission_id != file.stay.admission_id]
    taken = frozenset[date]().union(*(one.standing_meal_days for one in others))
    if now.bill.devices != then.devices or stood.meal_days & taken:
        return _not(command, "REVERSE_TOO_LATE", file.bill_state)
    plan, message = reinstated_settlement(desk, caller, file, stood.whole, target)
    guards = (*plan.guards, *(one.guard for one in others))
    plan = replace(plan, guards=guards, writes=(*plan.writes, *now.moves()))
    return _undone(desk, caller, command, plan, settlement=message)


def _counted_from(stay: Stay) -> tuple[object, ...]:
    """What the meal allowance and the payees of the stay were counted from."""
    days = stay.discharged_at, stay.admitted_at, stay.leave_days, stay.hanging_days
    return *days, stay.payments


async def _reinstatable(desk: Desk, reader: Reader, file: StayFile, then: Facts) -> bool:
    if file.live_settlement or file.bill_state is not BillState.OPEN:
        return False
    same_stay = _counted_from(then.stay) == _counted_from(file.stay)
    lines = await lines_of(reader, file.stay.admission_id)
    same_lines = sorted(lines, key=lambda one: one.line_id) == sorted(
        then.lines, key=lambda one: one.line_id
    )
    payable = may_settle(file.stay, file.case, file.hospital, desk.policy)
    return same_stay and same_lines and isinstance(payable, Confirm)


async def _undo_discharge(
    desk: Desk, reader: Reader, caller: Caller, command: ReverseTransaction, target: Stored
) -> Plan:
    file = await _stay(reader, target)
    if file.row["discharge_message_id"] != target.message_id:
        return _not(command, "HAS_DEPENDENTS", file.bill_state)
    fault = cancel_fault(file)
    if fault is not None:
        return _not(command, fault.code, fault.got)
    plan = discharge_cancelled(file, caller.command, command.reason)
    extra = _marked(desk, caller, target)
    return _undone(desk, caller, command, plan, extra=extra)


async def _undo_discharge_cancel(
    desk: Desk, reader: Reader, caller: Caller, command: ReverseTransaction, target: Stored
) -> Plan:
    file = await _stay(reader, target)
    latest = file.row["discharge_message_id"] == target.message_id
    if not latest or file.stay.discharged_at is not None or file.bill_state is not BillState.OPEN:
        return _not(command, "HAS_DEPENDENTS", file.bill_state)
    discharged_us = int(target.effect.rsplit(":", 1)[1])
    plan = discharge_restored(file, discharged_us, caller.command)
    extra = _marked(desk, caller, target)
    return _undone(desk, caller, command, plan, extra=extra)


async def _stay(reader: Reader, target: Stored) -> StayFile:
    file = await stay_file(reader, target.subject)
    if file is None:
        raise LookupError(target.subject)
    return file


async def _stay_and_settlement(
    reader: Reader, target: Stored, *, reversed_by: str = ""
) -> tuple[StayFile, dict[str, Any] | None]:
    """The stay with its live settlement, or with the one that a reversal took back."""
    found = await stay_and_settlement(reader, target.subject, reversed_by=reversed_by)
    if found is None:
        raise LookupError(target.subject)
    return found


_Undo = Callable[[Desk, Reader, Caller, ReverseTransaction, Stored], Awaitable[Plan]]
_UNDO: Final[dict[str, _Undo]] = {
    "admission.register": _undo_register,
    "settlement.commit": _undo_commit,
    "settlement.cancel": _undo_cancel,
    "discharge.register": _undo_discharge,
    "discharge.cancel": _undo_discharge_cancel,
}
