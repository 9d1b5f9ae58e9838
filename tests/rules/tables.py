"""Case tables: TOML files beside the tests, each row a sentence that a clerk can judge."""

import tomllib
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gateway.domain.admission import AdmissionState, Diagnosis, PaidAtDischargeBy, Sex, Stay
from gateway.domain.bill import BillLine, SuppliedDevice
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
from gateway.domain.money import fen
from gateway.domain.payments import PriorPayer, PriorPayment
from gateway.domain.split import Payer, Split
from gateway.policy.model import Capability, Directory, Institution, Law, Policy, Span
from gateway.rules.entitlement import Admission, Confirm, Entitlement, Hold, Manual, Pending, Refuse
from gateway.rules.resolve import rescue_mark
from gateway.rules.settle import Bill
from tests.rules.facts import (
    ADMITTED,
    DISCHARGED,
    FIRST_DAY,
    HOSPITAL,
    a_bill,
    a_case,
    a_hospital,
    a_line,
    a_stay,
    policy_with,
)

FOLDER = Path(__file__).parent


def rows(file: str) -> list[Any]:
    """The rows of a table as test parameters named by their sentence. Names are unique."""
    found = tomllib.loads((FOLDER / file).read_text(encoding="utf-8"))["row"]
    names = [row["name"] for row in found]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise ValueError(f"{file}: rows of the same name: {sorted(twice)}")
    return [pytest.param(row, id=row["name"]) for row in found]


def split_of(row: dict[str, Any]) -> Split:
    """The payers named in a row; who is not named bears nothing."""
    return Split(*(fen(row.get(payer.value, "0.00")) for payer in Payer))


_DECIDES = dict.fromkeys(
    (ApprovalKind.REHABILITATION, ApprovalKind.RELAPSE, ApprovalKind.DEVICE),
    "ASSESSMENT_COMMITTEE",
)
_PAID = ("eligible", "meal", "other")
_CLAUSE = Law("example_agreement", clause="第一条")
_DECISION = frozenset({*(payer.value for payer in Payer), "reasons"})


def bill_of(row: dict[str, Any]) -> Bill:
    """The bill a row describes: what it does not say is ordinary. `payments` were made for the
    stay before the fund pays, `others` are other stays of the person."""
    lines = [_line(no, line) for no, line in enumerate(row.get("lines", []), start=1)]
    paid = {"payments": row["payments"]} if "payments" in row else {}
    stay = a_stay(**typed({**row.get("stay", {}), **paid}))
    case = a_case(**typed(row.get("case", {})))
    return a_bill(
        *lines,
        stay=stay,
        case=None if row.get("no_case") else _marked(case, stay, lines),
        hospital=a_hospital(**typed(row.get("hospital", {}))),
        devices=tuple(
            SuppliedDevice(told["code"], told["supplied_on"], "S0")
            for told in row.get("devices", [])
        ),
        others=tuple(
            a_stay(**{"admission_id": "A2"} | typed(one)) for one in row.get("others", [])
        ),
        paid_by=PaidAtDischargeBy(row.get("paid_by", "nobody")),
    )


def _marked(case: CaseFacts, stay: Stay, lines: list[BillLine]) -> CaseFacts:
    """The case whose approvals name the lines of this stay as they are charged."""
    approvals = tuple(
        replace(
            approval,
            line_ids=frozenset(
                rescue_mark(stay.admission_id, line)
                for line in lines
                if line.line_id in approval.line_ids
            ),
        )
        for approval in case.approvals
    )
    return replace(case, approvals=approvals)


def policy_of(row: dict[str, Any]) -> Policy:
    """The example region's policy, with other values and silent keys as the row says; `city`
    lists the hospital in the directory, in a city or not, under its code or `listed_as`."""
    told = row.get("policy", {})
    values = {key: tuple(one) if isinstance(one, list) else one for key, one in told.items()}
    policy = policy_with(values, row.get("silent", ()))
    if "city" not in row:
        return policy
    listed = Institution(HOSPITAL, HOSPITAL, _CLAUSE, (), city=row["city"])
    known = row.get("listed_as", HOSPITAL)
    find = {"find": lambda self, name, day: listed if name == known else None}
    found = type("Listed", (Directory,), find)
    return replace(policy, directory=found("", FIRST_DAY, {}, (listed,)))


def audited_by(row: dict[str, Any]) -> Policy:
    """The example region with the rule of the row on, and the directory if the row lists the
    doctors of the hospital."""
    policy = policy_with({"audit/enabled": (row["rule"],), "audit/hold": ()})
    if row.get("doctors") is None:
        return policy
    doctors = tuple((one["code"], Span(one["from"], one.get("ended"))) for one in row["doctors"])
    agreed = row.get("agreed", {"from": FIRST_DAY})
    capable = ((Capability.MEDICAL, Span(agreed["from"], agreed.get("ended"))),)
    place = Institution(HOSPITAL, HOSPITAL, _CLAUSE, capable, doctors=doctors)
    listed = Directory("示例", row.get("listed_since", FIRST_DAY), {}, (place,))
    return replace(policy, directory=listed)


def verdict_of(told: dict[str, Any]) -> Admission | Entitlement:
    """The verdict a row expects: `confirm`, `refuse`, `manual`, `pending` or `hold`."""
    ((word, what),) = told.items()
    match word:
        case "refuse":
            return Refuse(**what) if isinstance(what, dict) else Refuse(what)
        case "manual":
            return Manual(what)
        case "pending":
            return Pending(what)
        case "hold":
            return Hold(**what)
    assert word == "confirm"
    return Confirm()


def _line(no: int, told: dict[str, Any]) -> BillLine:
    facts = {key: value for key, value in told.items() if key not in _DECISION}
    return a_line(**{"line_id": f"L{no}"} | facts)


def _approval(told: dict[str, Any]) -> Approval:
    """An approval of the hospital by the authority that the example region names; `by` is another
    kind of authority, `hospital` another place."""
    told = dict(told)
    kind, place = ApprovalKind(told.pop("kind", "REHABILITATION")), told.pop("hospital", HOSPITAL)
    facts = {
        "approval_no": "S1",
        "hospitals": [place] if place and "area" not in told else [],
        "valid_from": ADMITTED,
        "valid_to": DISCHARGED,
        "authority_kind": told.pop("by", _DECIDES.get(kind, "AGENCY")),
        "authority": "示例市（虚构）",
        "line_ids": [],
        "device_codes": [],
    } | told
    facts["authority_kind"] = AuthorityKind(facts["authority_kind"])
    for name in ("hospitals", "line_ids", "device_codes"):
        facts[name] = frozenset(facts[name])
    return Approval(kind=kind, **facts)


def _stop(told: dict[str, Any]) -> BenefitStop:
    ground = told.get("ground", "拒绝治疗")
    return BenefitStop(told["valid_from"], told.get("valid_to"), ground, "N1")


def _arrears(told: dict[str, Any]) -> Arrears:
    return Arrears(told["since"], told.get("settled_on"), told.get("of", ""))


def _payment(told: dict[str, Any]) -> PriorPayment:
    amounts = {f"{key}_fen": fen(told[key]) for key in _PAID if key in told}
    facts = {key: value for key, value in told.items() if key not in _PAID}
    facts["payer"] = PriorPayer(facts["payer"])
    words = {"payment_no": f"V-{facts['payer']}", "eligible_fen": 0, "paid_on": DISCHARGED}
    return PriorPayment(**words | amounts | facts)


def _joined(told: dict[str, Any]) -> Joined:
    return Joined(told["joined_on"], told.get("settled_on"), told.get("of", ""))


def _other(told: dict[str, Any]) -> OtherEmployer:
    return OtherEmployer(
        told.get("no", "E2"),
        EmploymentTie(told["tie"]),
        EmployerRole(told["role"]),
        told.get("since", ADMITTED),
        told.get("insured"),
        told.get("roster"),
    )


def _diagnoses(told: Iterable[str | Diagnosis]) -> tuple[Diagnosis, ...]:
    return tuple(one if isinstance(one, Diagnosis) else Diagnosis("", one, True) for one in told)


_TYPES: dict[str, Any] = {
    "treatment": TreatmentKind,
    "third_party": ThirdParty,
    "applied_by": Applicant,
    "level": Level,
    "capabilities": frozenset,
    "open_cuts": frozenset,
    "diagnosis_codes": frozenset,
    "approvals": lambda told: tuple(map(_approval, told)),
    "stops": lambda told: tuple(map(_stop, told)),
    "payments": lambda told: tuple(map(_payment, told)),
    "joined": lambda told: tuple(map(_joined, told)),
    "sex": Sex,
    "diagnoses": _diagnoses,
    "arrears": lambda told: tuple(map(_arrears, told)),
    "grade": Grade,
    "others": lambda told: tuple(map(_other, told)),
    "paid_leave": lambda told: tuple(
        PaidLeave(one["first"], one["last"], one.get("extension", False)) for one in told
    ),
    "leave_days": frozenset,
    "hanging_days": frozenset,
    "meal_days": frozenset,
}


def typed(facts: dict[str, Any]) -> dict[str, Any]:
    """Words of a row as the values the domain uses; `none` is a fact that nobody told,
    `also_coded` are diagnoses beside the main ones."""
    facts = dict(facts)
    coded, also = facts.pop("coded", ()), facts.pop("also_coded", ())
    if coded or also:
        facts["diagnoses"] = (
            *(Diagnosis(code, code, True) for code in coded),
            *(Diagnosis(code, code, False) for code in also),
        )
    return _typed(facts)


def _typed(facts: dict[str, Any]) -> dict[str, Any]:
    told = {key: None if value == "none" else value for key, value in facts.items()}
    if "state" in told:
        state = told["state"]
        told["state"] = (CaseState if state in tuple(CaseState) else AdmissionState)(state)
    return {
        key: _TYPES[key](value) if key in _TYPES and value is not None else value
        for key, value in told.items()
    }
