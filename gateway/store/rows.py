"""From stored rows to the words of the domain, and back."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from functools import cache
from operator import attrgetter
from typing import Any, Final

import msgspec
from sqlalchemy import Label, Table

from gateway.clock import business_day, instant, micros
from gateway.domain.admission import DEATH, AdmissionState, DaySpan, Diagnosis, Sex, Stay
from gateway.domain.bill import BillLine, Relation
from gateway.domain.case import (
    Applicant,
    Approval,
    ApprovalKind,
    Arrears,
    AuthorityKind,
    BenefitStop,
    CaseFacts,
    CaseState,
    EmployerRole,
    EmploymentTie,
    Grade,
    Joined,
    OtherEmployer,
    PaidLeave,
    ThirdParty,
    TreatmentKind,
)
from gateway.domain.catalogue import Level
from gateway.domain.party import KeyPurpose, KeyState, Party, PartyKind, RegisteredKey
from gateway.domain.payments import PriorPayer, PriorPayment
from gateway.domain.split import Payer
from gateway.store.personal import Vault
from gateway.store.tables import admission, bill_line, work_case

Row = Mapping[str, Any]
_ONE_DAY: Final = timedelta(days=1)


def labelled(table: Table, prefix: str) -> list[Label[Any]]:
    """The table's columns under a prefix, for queries over several tables."""
    return [column.label(f"{prefix}_{column.name}") for column in table.columns]


def cut(row: Row, table: Table, prefix: str) -> dict[str, Any] | None:
    """The table's own row out of a labelled one; None when an outer join found none."""
    key, names = _labels(table, prefix)
    return None if row[key] is None else {name: row[label] for name, label in names}


@cache
def _labels(table: Table, prefix: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    """The label of the key's first column, and the name and label of every column."""
    names = [column.name for column in table.columns]
    key = table.info["row_key"][0]
    return f"{prefix}_{key}", tuple((name, f"{prefix}_{name}") for name in names)


def day(text: str | None) -> date | None:
    """A stored day."""
    return None if text is None else date.fromisoformat(text)


def day_text(value: date | None) -> str | None:
    return None if value is None else value.isoformat()


_SORTED: Final = msgspec.json.Encoder(order="sorted", enc_hook=str)


def canonical(value: object) -> str:
    """One JSON text for one value: sorted keys, no blanks, nothing escaped that need not be."""
    return _SORTED.encode(value).decode()


def spans_text(days: Iterable[date]) -> str:
    """Days as stored: "2026-03-01/2026-03-14 …", each span with its first and last day."""
    spans: list[list[date]] = []
    for one in sorted(days):
        if spans and one - spans[-1][1] == _ONE_DAY:
            spans[-1][1] = one
        else:
            spans.append([one, one])
    return " ".join(f"{first}/{last}" for first, last in spans)


def days_of(text: str) -> frozenset[date]:
    """The days that `spans_text` wrote."""
    spans = (map(date.fromisoformat, span.split("/")) for span in text.split())
    return frozenset().union(*(DaySpan(first, last).days for first, last in spans))


def party_of(row: Row) -> Party:
    return Party(
        party_id=row["party_id"],
        version=row["version"],
        kind=PartyKind(row["kind"]),
        name=row["name"],
        region=row["region"],
        level=Level(row["level"]),
        agreement_from=day(row["agreement_from"]),
        agreement_to=day(row["agreement_to"]),
        suspended_from=day(row["suspended_from"]),
        capabilities=frozenset(msgspec.json.decode(row["capabilities"])),
        callback_url=row["callback_url"],
        county=row["county"],
    )


def key_of(row: Row) -> RegisteredKey:
    return RegisteredKey(
        fingerprint=row["fingerprint"],
        party_id=row["party_id"],
        purpose=KeyPurpose(row["purpose"]),
        state=KeyState(row["state"]),
        version=row["version"],
        certificate_pem=row["certificate_pem"],
        valid_from_us=row["valid_from_us"],
        valid_to_us=row["valid_to_us"],
    )


def diagnoses_of(items: Iterable[Mapping[str, Any]]) -> tuple[Diagnosis, ...]:
    return tuple(Diagnosis(item["code"], item["name"], bool(item["main"])) for item in items)


def admission_detail(vault: Vault, row: Row) -> dict[str, Any]:
    """The personal part of a stay: department, doctor, bed, diagnoses, first judgement."""
    detail: dict[str, Any] = msgspec.json.decode(vault.open(admission, row)["detail"])
    return detail


def stay_of(vault: Vault, row: Row) -> Stay:
    discharged, detail = row["discharged_us"], admission_detail(vault, row)
    admitted_at = instant(row["admitted_us"])
    discharged_at = None if discharged is None else instant(discharged)
    return Stay(
        admission_id=row["admission_id"],
        version=row["version"],
        hospital=row["hospital"],
        visit_no=row["visit_no"],
        person_id=row["person_id"],
        case_no=row["case_no"],
        state=AdmissionState(row["state"]),
        refusal=row["refusal"],
        treatment=TreatmentKind(row["treatment"]),
        emergency=bool(row["emergency"]),
        approval_no=row["approval_no"],
        admitted_at=admitted_at,
        admitted_on=business_day(admitted_at),
        discharged_at=discharged_at,
        discharged_on=None if discharged_at is None else business_day(discharged_at),
        registered_at=instant(row["registered_us"]),
        diagnoses=diagnoses_of(detail["diagnoses"]),
        confirmed_by_agency=bool(row["confirmed_by_agency"]),
        born_on=day(detail.get("born_on")),
        sex=Sex(detail["sex"]) if detail.get("sex") else None,
        registered_late=bool(row["late"]),
        bmi_settlement_no=detail.get("bmi_settlement_no", ""),
        payments=tuple(_payment(one) for one in detail.get("payments", ())),
        cleared=frozenset(detail.get("cleared", ())),
        stable_on=day(detail.get("stable_on")),
        notified_by_employer=detail.get("notified_by_employer"),
        leave_days=days_of(detail.get("leave", "")),
        hanging_days=days_of(detail.get("hanging_bed", "")),
        open_cuts=frozenset(detail.get("open_cuts", ())),
        cut_lines=frozenset(
            line_id for named in detail.get("open_cuts", {}).values() for line_id in named
        ),
        posted_cuts=frozenset(detail.get("posted_cuts", ())),
        died=discharged is not None and detail.get("discharge_way") in DEATH,
    )


def _payment(told: Mapping[str, Any]) -> PriorPayment:
    words = dict(told) | {"payer": PriorPayer(told["payer"])}
    days = {name: day(told[name]) for name in ("reversal_requested_on", "given_back_on")}
    return PriorPayment(**words | days | {"paid_on": date.fromisoformat(told["paid_on"])})


_FACTS: Final = ("approval", "stop", "arrears", "employer", "paid_leave")


def case_of(vault: Vault, row: Row, facts: Iterable[Row], *, card_lost: bool) -> CaseFacts:
    """A case with everything that was decided about it and its employers."""
    by_kind: dict[str, list[dict[str, Any]]] = {kind: [] for kind in _FACTS}
    for fact in facts:
        owner = fact["subject"].removeprefix("employer:")
        content = msgspec.json.decode(fact["content"])
        # Arrears and joining of the employer that the case was reported with carry no number.
        by_kind[fact["kind"]].append(
            {"owner": "" if owner == row["employer_no"] else owner} | content
        )
    status = status_of(vault, row)
    insured = row["insured_at_injury"]
    told = msgspec.json.decode(vault.open(work_case, row)["detail"]).get("diagnoses", ())
    return CaseFacts(
        case_no=row["case_no"],
        version=row["version"],
        person_id=row["person_id"],
        employer_no=row["employer_no"],
        state=CaseState(row["state"]),
        injured_on=date.fromisoformat(row["injured_on"]),
        reported_at=instant(row["reported_us"]),
        insured_at_injury=None if insured is None else bool(insured),
        third_party=ThirdParty(row["third_party"]),
        traffic_accident=bool(row["traffic_accident"]),
        litigation=bool(row["litigation"]),
        disputed=bool(row["disputed"]),
        relation_ended_on=day(row["relation_ended_on"]),
        applied_on=day(row["applied_on"]),
        accepted_on=day(row["accepted_on"]),
        decided_on=day(row["decided_on"]),
        decision_no=row["decision_no"],
        authority=row["authority"],
        approvals=tuple(_approval(one) for one in by_kind["approval"] if one["granted"]),
        stops=tuple(_stop(one) for one in by_kind["stop"]),
        arrears=tuple(
            Arrears(date.fromisoformat(one["since"]), day(one["settled_on"]), one["owner"])
            for one in by_kind["arrears"]
            # Days before joining were uninsured: they are no arrears of an insured employer.
            if one["joined_on"] is None
        ),
        card_lost=card_lost,
        applied_by=None if row["applied_by"] is None else Applicant(row["applied_by"]),
        joined=tuple(
            Joined(date.fromisoformat(one["joined_on"]), day(one["settled_on"]), one["owner"])
            for one in by_kind["arrears"]
            if one["joined_on"] is not None
        ),
        diagnosed_on=day(row["diagnosed_on"]),
        application_extended_to=day(row["application_extended_to"]),
        roster_received_on=day(status.get("roster_received_on")),
        underpaid=bool(status.get("underpaid")),
        grade=Grade(status["grade"]) if status.get("grade") else None,
        lump_sum_on=day(status.get("lump_sum_on")),
        retired_on=day(status.get("retired_on")),
        others=tuple(_other_employer(one) for one in by_kind["employer"] if not one["withdrawn"]),
        paid_leave=tuple(_paid_leave(one) for one in by_kind["paid_leave"]),
        diagnosis_codes=frozenset(one["code"] for one in told),
    )


def status_of(vault: Vault, row: Row) -> dict[str, Any]:
    """What is kept in the personal part of a case about cover, grade and retirement; empty once
    the person was erased."""
    if row["record_key"] is None:
        return {}
    status: dict[str, Any] = msgspec.json.decode(vault.open(work_case, row)["detail"]).get(
        "status", {}
    )
    return status


def _other_employer(fact: Mapping[str, Any]) -> OtherEmployer:
    return OtherEmployer(
        employer_no=fact["employer_no"],
        tie=EmploymentTie(fact["tie"]),
        role=EmployerRole(fact["role"]),
        since=date.fromisoformat(fact["since"]),
        insured_at_injury=fact["insured_at_injury"],
        roster_received_on=day(fact["roster_received_on"]),
    )


def _paid_leave(fact: Mapping[str, Any]) -> PaidLeave:
    first, last = (date.fromisoformat(fact[name]) for name in ("first", "last"))
    return PaidLeave(first, last, fact["extension"])


def _approval(fact: Mapping[str, Any]) -> Approval:
    return Approval(
        approval_no=fact["approval_no"],
        kind=ApprovalKind(fact["kind"]),
        hospitals=frozenset(fact["hospitals"]),
        valid_from=date.fromisoformat(fact["valid_from"]),
        valid_to=date.fromisoformat(fact["valid_to"]),
        authority_kind=AuthorityKind(fact["authority_kind"]),
        authority=fact["authority"],
        area=fact["area"],
        opinion_by=fact["opinion_by"],
        line_ids=frozenset(fact["line_ids"]),
        device_codes=frozenset(fact["device_codes"]),
    )


def _stop(fact: Mapping[str, Any]) -> BenefitStop:
    return BenefitStop(
        date.fromisoformat(fact["valid_from"]),
        day(fact["valid_to"]),
        fact["ground"],
        fact["notice_no"],
    )


_RELATIONS: Final = {one.value: one for one in Relation}
_CONSENTS: Final = {"": None, **{one.value: one for one in Payer}}
_LINE_DETAIL: Final = (
    *("category", "unit", "spec", "prescription_no", "department", "doctor"),
    *("limit_met", "hospital_code"),
    *("order_no", "daily_dose", "take_home", "doctor_code"),
)
_detail_of: Final = attrgetter(*_LINE_DETAIL)
LINE_COLUMNS: Final = tuple(column.name for column in bill_line.columns)


def line_row(admission_id: str, line: BillLine) -> dict[str, Any]:
    """The line as it is stored, by column."""
    return dict(zip(LINE_COLUMNS, (admission_id, *line_values(line)), strict=True))


def line_values(line: BillLine) -> tuple[Any, ...]:
    """The line as it is stored, column by column after the stay's."""
    return (
        line.line_id,
        micros(line.occurred_at),
        line.service_day.isoformat(),
        line.code,
        line.name,
        line.quantity,
        line.price,
        line.amount_fen,
        line.refund_of,
        line.relation.value,
        "" if line.consent is None else line.consent.value,
        day_text(line.consent_on),
        line.violation,
        int(line.reviewed),
        canonical(_detail_of(line)),
    )


def line_of(values: Sequence[Any]) -> BillLine:
    """The line of `line_values`. By place: a bill has thousands, and names would cost the most."""
    line_id, occurred_us, service_day, code, name, quantity, price, amount_fen, *rest = values
    refund_of, relation, consent, consent_on, violation, reviewed, detail = rest
    category, unit, spec, prescription_no, department, doctor, *more = msgspec.json.decode(detail)
    limit_met, hospital_code, order_no, daily_dose, take_home, doctor_code = more
    return BillLine(
        *(line_id, instant(occurred_us), date.fromisoformat(service_day), code, name),
        *(quantity, price, amount_fen, category, unit, spec, prescription_no, order_no),
        *(daily_dose, take_home, department, doctor, doctor_code, refund_of),
        *(_RELATIONS[relation], _CONSENTS[consent], day(consent_on), violation),
        *(bool(reviewed), limit_met, hospital_code),
    )
