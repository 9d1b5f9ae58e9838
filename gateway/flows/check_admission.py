"""admission.check: the agency confirms or refuses a registration (审核 within 10 working days)."""

from gateway.domain.admission import TRANSITIONS, AdmissionState
from gateway.domain.commands import CheckAdmission
from gateway.domain.findings import Finding
from gateway.domain.results import Acknowledged, AdmissionChanged
from gateway.flows.desk import Caller, Desk
from gateway.flows.plan import Act, Notice, Plan, applied, refused
from gateway.flows.waiting import look_again
from gateway.store import tables
from gateway.store.stays import StayFile, stay_file
from gateway.store.unit import Change


async def check_admission(desk: Desk, caller: Caller, command: CheckAdmission) -> Plan:
    """Confirm (facts the gateway could not know are then taken as good), or refuse with a code."""
    async with desk.database.reading() as reader:
        file = await stay_file(reader, command.admission_id)
    if file is None:
        return refused(Finding("ADMISSION_NOT_FOUND", "AdmissionId", command.admission_id))
    to_state = AdmissionState.REFUSED if command.refusal else AdmissionState.CONFIRMED
    allowed = TRANSITIONS[file.stay.state]
    if to_state not in allowed or file.live_settlement:
        expected = " | ".join(sorted(allowed))
        return refused(
            Finding("ADMISSION_STATE", "AdmissionId", file.stay.state, expected),
            subject=file.stay.admission_id,
        )
    return _checked(desk, file, command, to_state)


def _checked(desk: Desk, file: StayFile, command: CheckAdmission, to_state: AdmissionState) -> Plan:
    stay = file.stay
    refusal = command.refusal.value if command.refusal else ""
    values = {
        "version": stay.version + 1,
        "state": to_state.value,
        "refusal": refusal,
        "live": None if refusal else file.row["live"],
        "confirmed_by_agency": int(not refusal),
    }
    where = {"admission_id": stay.admission_id, "version": stay.version}
    return applied(
        Acknowledged(subject=stay.admission_id, state=to_state),
        subject=stay.admission_id,
        guards=file.case_guards,
        writes=(
            Change(tables.admission, where, values),
            *look_again(desk, [file], "admission.check"),
        ),
        acts=(
            Act(
                action="admission.check",
                subject=stay.admission_id,
                from_state=stay.state,
                to_state=to_state,
                code=refusal,
                reason=f"{command.by} {command.reason}",
            ),
        ),
        notices=(told(file, to_state, refusal),),
    )


def told(file: StayFile, state: AdmissionState, refusal: str, note: str = "") -> Notice:
    """The hospital learns what became of its registration after the first reply."""
    return Notice(
        receiver=file.stay.hospital,
        subject=file.stay.admission_id,
        command="admission.changed",
        result=AdmissionChanged(
            admission_id=file.stay.admission_id,
            visit_no=file.stay.visit_no,
            hospital=file.stay.hospital,
            state=state,
            refusal=refusal,
            case_no=file.stay.case_no,
            note=note,
        ),
        in_reply_to=str(file.row["message_id"]),
    )
