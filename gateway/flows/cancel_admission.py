"""admission.modify and admission.cancel: what a hospital may correct in its registration."""

from typing import Any

from gateway.domain.admission import OPEN, AdmissionState
from gateway.domain.commands import CancelAdmission, ModifyAdmission
from gateway.domain.findings import Finding
from gateway.domain.results import Acknowledged, AdmissionChanged
from gateway.flows.day_spans import span_faults, with_spans
from gateway.flows.desk import Caller, Desk
from gateway.flows.plan import Act, Notice, Plan, applied, refused
from gateway.flows.stay_file import FROZEN, cancellable, own_stay, state_finding
from gateway.flows.undo_settlement import undone_row
from gateway.flows.waiting import look_again
from gateway.store import tables
from gateway.store.frozen import plain
from gateway.store.rows import canonical
from gateway.store.stays import StayFile, detail_of
from gateway.store.unit import Change, Write

_TEXTS = ("department", "doctor", "ward", "bed")


async def modify_admission(desk: Desk, caller: Caller, command: ModifyAdmission) -> Plan:
    """Replace what is given; what is left out stays."""
    async with desk.database.reading() as reader:
        file = await own_stay(reader, caller, command.admission_id)
        if isinstance(file, Finding):
            return refused(file)
        faults = _modify_faults(desk, file, command)
        if faults:
            return refused(*faults, subject=file.stay.admission_id)
        detail = detail_of(reader, file)
    detail |= {name: getattr(command, name) for name in _TEXTS if getattr(command, name)}
    if command.stable_on is not None:
        detail["stable_on"] = plain(command.stable_on)
    if command.notified_by_employer is not None:
        detail["notified_by_employer"] = command.notified_by_employer
    if command.diagnoses:
        detail["diagnoses"] = plain(command.diagnoses)
    detail["leave"] = with_spans(detail.get("leave", ""), command.leave)
    values: dict[str, Any] = {"detail": canonical(detail)}
    if command.approval_no:
        values["approval_no"] = command.approval_no
    return applied(
        Acknowledged(subject=file.stay.admission_id, state=file.stay.state),
        subject=file.stay.admission_id,
        writes=(_changed(file, values), *look_again(desk, [file], "admission.modify")),
        acts=(Act(action="admission.modify", subject=file.stay.admission_id),),
    )


def _modify_faults(desk: Desk, file: StayFile, command: ModifyAdmission) -> list[Finding]:
    given = {
        "Diagnoses": command.diagnoses,
        "StableOn": command.stable_on,
        "NotifiedByEmployer": command.notified_by_employer,
        "Leave": command.leave,
    }
    named = [name for name, value in given.items() if value not in (None, ())]
    if file.bill_state in FROZEN and named:
        return [Finding("LINES_FROZEN", named[0], file.bill_state)]
    if file.stay.state not in OPEN:
        return [state_finding(file)]
    last = file.stay.discharged_on or desk.today
    leave = span_faults("Leave", command.leave, file.stay.admitted_on, last)
    return [*_stable_faults(desk, file, command), *leave]


def _stable_faults(desk: Desk, file: StayFile, command: ModifyAdmission) -> list[Finding]:
    stable, first = command.stable_on, file.stay.admitted_on
    if stable is None or first <= stable <= desk.today:
        return []
    return [Finding("VALUE_CONFLICT", "StableOn", str(stable), f"{first} – {desk.today}")]


async def cancel_admission(desk: Desk, caller: Caller, command: CancelAdmission) -> Plan:
    """Cancel a registration that nothing hangs on."""
    async with desk.database.reading() as reader:
        file = await own_stay(reader, caller, command.admission_id)
    if isinstance(file, Finding):
        return refused(file)
    fault = cancellable(file)
    if fault is not None:
        return refused(fault, subject=file.stay.admission_id)
    stay = file.stay
    message = (stay.hospital, str(file.row["message_id"]))
    undone = undone_row(stay.admission_id, message, caller, desk.now_us)
    return cancelled(desk, file, command.reason, "admission.cancel", undone)


def cancelled(desk: Desk, file: StayFile, reason: str, action: str, *more: Write) -> Plan:
    """The registration is CANCELLED and the visit number free again."""
    stay = file.stay
    values = {"state": AdmissionState.CANCELLED.value, "live": None}
    return applied(
        Acknowledged(subject=stay.admission_id, state=AdmissionState.CANCELLED),
        subject=stay.admission_id,
        writes=(*more, _changed(file, values)),
        acts=(
            Act(
                action=action,
                subject=stay.admission_id,
                from_state=stay.state,
                to_state=AdmissionState.CANCELLED,
                reason=reason,
            ),
        ),
        notices=(_told(desk, file),),
    )


def _changed(file: StayFile, values: dict[str, Any]) -> Change:
    where = {"admission_id": file.stay.admission_id, "version": file.stay.version}
    return Change(tables.admission, where, {"version": file.stay.version + 1, **values})


def _told(desk: Desk, file: StayFile) -> Notice:
    return Notice(
        receiver=desk.agency_id,
        subject=file.stay.admission_id,
        command="admission.changed",
        result=AdmissionChanged(
            admission_id=file.stay.admission_id,
            visit_no=file.stay.visit_no,
            hospital=file.stay.hospital,
            state=AdmissionState.CANCELLED,
            case_no=file.stay.case_no,
        ),
    )
