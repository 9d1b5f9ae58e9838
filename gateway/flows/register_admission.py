"""admission.register: an injured worker's stay 工伤住院登记.

The gateway confirms by itself when every condition is known good; an undecided case
holds the registration, an unknown condition waits for the agency's check.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from gateway.clock import business_day, micros
from gateway.domain.admission import AdmissionState, BillState, Stay
from gateway.domain.case import NEGATIVE, CaseFacts
from gateway.domain.codes import Outcome
from gateway.domain.commands import Identity, RegisterAdmission
from gateway.domain.findings import Finding
from gateway.domain.identity import born_and_sex
from gateway.domain.results import AdmissionReceived, AdmissionRegistered
from gateway.flows.dates import future_fault
from gateway.flows.desk import Caller, Desk, new_id
from gateway.flows.persons import new_person
from gateway.flows.plan import Act, Notice, Plan, applied, refused
from gateway.flows.registration import Check, check
from gateway.policy.model import PolicyGap
from gateway.store import tables
from gateway.store.cases import cases_of_person
from gateway.store.database import Reader
from gateway.store.frozen import plain
from gateway.store.persons import Person, person_by_identity, same_name
from gateway.store.rows import canonical
from gateway.store.stays import live_visit
from gateway.store.unit import Change, Insert, Write

_MEDICAL_CREDENTIAL = "MEDICAL_E_CREDENTIAL"


async def register_admission(desk: Desk, caller: Caller, command: RegisterAdmission) -> Plan:
    """Register the stay, or refuse it with its reason."""
    ahead = future_fault(desk, "AdmittedAt", command.admitted_at)
    if ahead is not None:
        return refused(ahead)
    async with desk.database.reading() as reader:
        taken = await live_visit(reader, caller.party_id, command.visit_no)
        if taken is not None:
            return refused(Finding("VISIT_EXISTS", "VisitNo", command.visit_no), subject=taken)
        person = await person_by_identity(reader, command.person)
        cases = await cases_of_person(reader, person.person_id) if person else []
        case, fault = chosen(cases, command.case_no)
        fault = person_fault(person, cases, command.person) or fault
        if fault is not None:
            return refused(fault)
        person_id, made = _person_rows(reader, person, command.person)
    stay = _stay(desk, caller, command, person_id, case)
    return _registered(desk, caller, command, stay, case, made)


def person_fault(
    person: Person | None, cases: Sequence[CaseFacts], identity: Identity
) -> Finding | None:
    """社会保障卡 is the credential (社会保险经办条例 第七条); a lost card is none, the identity
    document always is. A name binds once the agency has named the person in a case."""
    if identity.credential == _MEDICAL_CREDENTIAL:
        return Finding("CREDENTIAL_REFUSED", "Credential", "", "ID_DOCUMENT | SOCIAL_SECURITY_CARD")
    if person is not None and cases and not same_name(person, identity):
        return Finding("PERSON_MISMATCH", "Name")
    lost = person is not None and person.card_lost
    if lost and identity.credential != "ID_DOCUMENT":
        return Finding("CARD_LOST", "Credential", "", "ID_DOCUMENT")
    return None


def chosen(cases: list[CaseFacts], case_no: str) -> tuple[CaseFacts | None, Finding | None]:
    """The case named, or the person's only one that is not closed against them."""
    if case_no:
        found = next((case for case in cases if case.case_no == case_no), None)
        return found, None if found else Finding("CASE_NOT_FOUND", "CaseNo", case_no)
    open_cases = [case for case in cases if case.state not in NEGATIVE] or cases
    if len(open_cases) > 1:
        listed = ", ".join(case.case_no for case in open_cases)
        return None, Finding("CASE_AMBIGUOUS", "CaseNo", "", listed)
    return (open_cases[0] if open_cases else None), None


def _person_rows(
    reader: Reader, person: Person | None, identity: Identity
) -> tuple[str, tuple[Write, ...]]:
    """The person's rows when new; a known person without a case moves on, so that a report
    of a case racing with this registration decides anew."""
    if person is None:
        return new_person(reader, identity)
    where = {"person_id": person.person_id, "version": person.version}
    return person.person_id, (Change(tables.person, where, {"version": person.version + 1}),)


def _stay(
    desk: Desk, caller: Caller, command: RegisterAdmission, person_id: str, case: CaseFacts | None
) -> Stay:
    return Stay(
        admission_id=new_id("A"),
        version=1,
        hospital=caller.party_id,
        visit_no=command.visit_no,
        person_id=person_id,
        case_no=case.case_no if case else "",
        state=AdmissionState.RECEIVED,
        refusal="",
        treatment=command.treatment,
        emergency=command.emergency,
        approval_no=command.approval_no,
        admitted_at=command.admitted_at,
        admitted_on=business_day(command.admitted_at),
        discharged_at=None,
        discharged_on=None,
        registered_at=desk.clock.now(),
        diagnoses=command.diagnoses,
    )


def _registered(
    desk: Desk,
    caller: Caller,
    command: RegisterAdmission,
    stay: Stay,
    case: CaseFacts | None,
    made: tuple[Write, ...],
) -> Plan:
    checked = check(stay, case, caller.party, desk.policy)
    late = _late(desk, stay)
    result = AdmissionRegistered(
        admission_id=stay.admission_id,
        state=checked.state,
        case_no=stay.case_no,
        refusal=checked.refusal,
        note=checked.note,
        late=late,
    )
    plan = applied(
        result,
        subject=stay.admission_id,
        effect=stay.admission_id,
        writes=(
            *made,
            Insert(tables.admission, [_row(caller, command, stay, checked, late)]),
            *_case_moves(case),
        ),
        acts=(_act(stay, checked),),
        notices=(_to_agency(desk, command, stay, checked, late),),
    )
    if checked.state is not AdmissionState.REFUSED:
        return plan
    return _refused(plan, checked)


def _refused(plan: Plan, checked: Check) -> Plan:
    """A refused registration is kept with its reason; there is nothing to undo."""
    return Plan(
        outcome=Outcome.REFUSED,
        code=checked.refusal,
        result=plan.result,
        subject=plan.subject,
        writes=plan.writes,
        acts=plan.acts,
        notices=plan.notices,
    )


def _case_moves(case: CaseFacts | None) -> tuple[Write, ...]:
    """The case's version moves with each registration: a decision taken meanwhile makes this
    registration decide anew, and the next decision sees it."""
    if case is None:
        return ()
    where = {"case_no": case.case_no, "version": case.version}
    return (Change(tables.work_case, where, {"version": case.version + 1}),)


def _late(desk: Desk, stay: Stay) -> bool:
    """Registered after the region's days: accepted with a flag, the agency decides."""
    try:
        days = desk.policy.value("admission/register_within_days", stay.admitted_on)
    except PolicyGap:
        return False
    last = stay.admitted_on + timedelta(days=days.number)
    return business_day(stay.registered_at) > last


def _row(
    caller: Caller, command: RegisterAdmission, stay: Stay, checked: Check, late: bool
) -> dict[str, Any]:
    live = None if checked.state is AdmissionState.REFUSED else 1
    return {
        "admission_id": stay.admission_id,
        "version": 1,
        "hospital": stay.hospital,
        "visit_no": stay.visit_no,
        "live": live,
        "person_id": stay.person_id,
        "case_no": stay.case_no,
        "state": checked.state.value,
        "refusal": checked.refusal,
        "treatment": stay.treatment.value,
        "emergency": int(stay.emergency),
        "approval_no": stay.approval_no,
        "admitted_us": micros(stay.admitted_at),
        "discharged_us": None,
        "registered_us": micros(stay.registered_at),
        "late": int(late),
        "confirmed_by_agency": 0,
        "message_id": caller.message_id,
        "discharge_message_id": "",
        **_empty_bill(),
        "detail": canonical(_detail(command)),
    }


def _empty_bill() -> dict[str, Any]:
    return {
        "bill_state": BillState.OPEN.value,
        "line_count": 0,
        "amount_fen": 0,
        "bill_no": "",
        "hold_reason": "",
        "hold_key": "",
        "hold_day": None,
        "ever_held": 0,
        "commit_message_id": "",
        "paid_by": "",
        "code": "",
        "unseen": "",
    }


def _detail(command: RegisterAdmission) -> dict[str, Any]:
    born_on, sex = born_and_sex(command.person.id_no)
    return {
        "department": command.department,
        "doctor": command.doctor,
        "ward": command.ward,
        "bed": command.bed,
        "diagnoses": plain(command.diagnoses),
        "first_judgement": plain(command.first_judgement),
        "born_on": plain(born_on),
        "sex": plain(sex),
        "bmi_settlement_no": "",
        "cleared": [],
    }


def _act(stay: Stay, checked: Check) -> Act:
    return Act(
        action="admission.register",
        subject=stay.admission_id,
        from_state=AdmissionState.RECEIVED,
        to_state=checked.state,
        code=checked.refusal,
        reason=checked.note,
    )


def _to_agency(
    desk: Desk, command: RegisterAdmission, stay: Stay, checked: Check, late: bool
) -> Notice:
    return Notice(
        receiver=desk.agency_id,
        subject=stay.admission_id,
        command="admission.received",
        result=AdmissionReceived(
            admission_id=stay.admission_id,
            hospital=stay.hospital,
            visit_no=stay.visit_no,
            state=checked.state,
            id_no=command.person.id_no,
            name=command.person.name,
            admitted_at=stay.admitted_at,
            diagnoses=stay.diagnoses,
            case_no=stay.case_no,
            late=late,
        ),
    )
