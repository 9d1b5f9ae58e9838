"""discharge.register and discharge.cancel: the day the stay ends."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from gateway.clock import business_day, micros
from gateway.domain.admission import OPEN
from gateway.domain.commands import CancelDischarge, RegisterDischarge
from gateway.domain.findings import Finding
from gateway.domain.results import Acknowledged
from gateway.flows.dates import future_fault
from gateway.flows.day_spans import span_faults, with_spans
from gateway.flows.desk import Caller, Desk
from gateway.flows.plan import Act, Plan, applied, refused
from gateway.flows.stay_file import FROZEN, own_stay, state_finding
from gateway.flows.undo_settlement import undone_row
from gateway.store import tables
from gateway.store.frozen import plain
from gateway.store.rows import canonical
from gateway.store.stays import StayFile, detail_of
from gateway.store.unit import Change, Write


async def register_discharge(desk: Desk, caller: Caller, command: RegisterDischarge) -> Plan:
    """Register the discharge; a stay is settled only after it."""
    async with desk.database.reading() as reader:
        file = await own_stay(reader, caller, command.admission_id)
        if isinstance(file, Finding):
            return refused(file)
        fault = _register_fault(desk, file, command.discharged_at)
        if fault is not None:
            return refused(fault, subject=file.stay.admission_id)
        last = business_day(command.discharged_at)
        faults = span_faults("Leave", command.leave, file.stay.admitted_on, last)
        if faults:
            return refused(*faults, subject=file.stay.admission_id)
        detail = detail_of(reader, file)
    detail["leave"] = with_spans(detail.get("leave", ""), command.leave)
    detail["discharge_way"] = command.way
    detail["bmi_settlement_no"] = command.bmi_settlement_no
    if command.diagnoses:
        detail["diagnoses"] = plain(command.diagnoses)
    values = {
        "discharged_us": micros(command.discharged_at),
        "discharge_message_id": caller.message_id,
        "detail": canonical(detail),
    }
    return _changed(file, values, "discharge.register", effect=_effect(caller.message_id))


def _register_fault(desk: Desk, file: StayFile, discharged_at: datetime) -> Finding | None:
    if file.stay.state not in OPEN:
        return state_finding(file)
    if file.stay.discharged_at is not None:
        return Finding("ALREADY_DISCHARGED", "DischargedAt")
    if discharged_at < file.stay.admitted_at:
        return Finding("DISCHARGE_BEFORE_ADMISSION", "DischargedAt")
    return future_fault(desk, "DischargedAt", discharged_at)


async def cancel_discharge(desk: Desk, caller: Caller, command: CancelDischarge) -> Plan:
    """Take the discharge back while nothing was settled since."""
    async with desk.database.reading() as reader:
        file = await own_stay(reader, caller, command.admission_id)
    if isinstance(file, Finding):
        return refused(file)
    fault = cancel_fault(file)
    if fault is not None:
        return refused(fault, subject=file.stay.admission_id)
    effect = f"discharge-cancel:{caller.message_id}:{micros_of(file)}"
    plan = discharge_cancelled(
        file, "discharge.cancel", command.reason, effect=effect, message_id=caller.message_id
    )
    return replace(plan, writes=(*_registration_undone(desk, caller, file), *plan.writes))


def _registration_undone(desk: Desk, caller: Caller, file: StayFile) -> tuple[Write, ...]:
    """The message that registered the discharge answers SUPERSEDED; one whose discharge was
    restored by a reversal had answered so before."""
    message_id = str(file.row["discharge_message_id"])
    if not message_id:
        return ()
    message = (file.stay.hospital, message_id)
    return (undone_row(_effect(message_id), message, caller, desk.now_us),)


def _effect(message_id: str) -> str:
    return f"discharge:{message_id}"


def micros_of(file: StayFile) -> int:
    """The stored instant of discharge."""
    return int(file.row["discharged_us"])


def cancel_fault(file: StayFile) -> Finding | None:
    """Why a discharge cannot be taken back now."""
    if file.stay.discharged_at is None:
        return Finding("NOT_DISCHARGED", "AdmissionId")
    if file.bill_state in FROZEN:
        return Finding("HAS_DEPENDENTS", "AdmissionId", file.bill_state)
    return None


def discharge_cancelled(
    file: StayFile, action: str, reason: str = "", *, effect: str = "", message_id: str = ""
) -> Plan:
    """No discharge any more; `message_id` is the cancellation that alone can be undone now."""
    values = {"discharged_us": None, "discharge_message_id": message_id}
    return _changed(file, values, action, reason=reason, effect=effect)


def discharge_restored(file: StayFile, discharged_us: int, action: str) -> Plan:
    """Undo of a cancelled discharge: the old instant holds again."""
    values = {"discharged_us": discharged_us, "discharge_message_id": ""}
    return _changed(file, values, action)


def _changed(
    file: StayFile, values: dict[str, Any], action: str, *, reason: str = "", effect: str = ""
) -> Plan:
    stay = file.stay
    where = {"admission_id": stay.admission_id, "version": stay.version}
    return applied(
        Acknowledged(subject=stay.admission_id, state=stay.state),
        subject=stay.admission_id,
        effect=effect,
        writes=(Change(tables.admission, where, {"version": stay.version + 1, **values}),),
        acts=(Act(action=action, subject=stay.admission_id, reason=reason),),
    )
