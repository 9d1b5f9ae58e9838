"""The gateway's side of the comparison: the bill and the policy made of a generated stay, and
the verdict as dictionaries and integers."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any

from gateway.clock import BUSINESS_ZONE
from gateway.domain.admission import PaidAtDischargeBy, Stay
from gateway.domain.bill import BillLine, BillVerdict, Relation, SuppliedDevice
from gateway.domain.case import (
    REFUSED_DISCHARGE,
    Applicant,
    Approval,
    ApprovalKind,
    Arrears,
    AuthorityKind,
    BenefitStop,
    EmployerRole,
    EmploymentTie,
    Joined,
    OtherEmployer,
    PaidLeave,
    ThirdParty,
    TreatmentKind,
)
from gateway.domain.catalogue import CatalogueRow, Edition, InsuranceLimit, Kind, Level
from gateway.domain.party import Party
from gateway.domain.payments import PriorPayer, PriorPayment
from gateway.domain.split import Payer, Split
from gateway.policy.model import Law, Policy, Value
from gateway.rules.entitlement import Hold, Manual, Refuse
from gateway.rules.place import catalogue_region
from gateway.rules.resolve import rescue_mark
from gateway.rules.settle import Bill
from tests.oracle.worlds import ORDINARY
from tests.rules.facts import (
    HOSPITAL,
    REGION,
    a_case,
    a_hospital,
    a_stay,
    example_policy,
    noon,
)

Facts = Mapping[str, Any]
_LAW = Law("example_rules", article="第一条")
_AUTHORITY = "示例机构（虚构）"
_REGIONS = {"HERE": REGION, "REGION": "999901", "PROVINCE": "330800"}
_ANOTHER_PLACE = "330100"
_COMMITTEE = {"AGENCY": AuthorityKind.AGENCY, "COMMITTEE": AuthorityKind.ASSESSMENT_COMMITTEE}
_REMARKS = {"levels": "限二级及以上医疗机构。", "course": "支付不超过2天。"}


@cache
def _day(ordinal: int) -> date:
    return date.fromordinal(ordinal)


def _days(ordinals: list[int]) -> frozenset[date]:
    return frozenset(map(_day, ordinals))


def _maybe(ordinal: int | None) -> date | None:
    return None if ordinal is None else _day(ordinal)


@cache
def _midnight(ordinal: int) -> datetime:
    return datetime.combine(_day(ordinal), time(), BUSINESS_ZONE).astimezone(UTC)


def policy_of(values: Mapping[str, list[tuple[int, Any]]]) -> Policy:
    """The example region's policy with these values and no others of their keys."""
    example = example_policy()
    kept = {key: dated for key, dated in example.parameters.items() if key not in ORDINARY}
    for key, told in values.items():
        first = example.parameters[key]
        kept[key] = replace(
            first, values=tuple(Value(_day(since), value, _LAW) for since, value in told)
        )
    return replace(example, parameters=kept)


def editions_of(catalogue: list[Facts], place: str) -> tuple[Edition, ...]:
    """The editions of a world's catalogues, as those of a place."""
    return tuple(
        Edition(
            f"{place}-{one['kind']}-{one['from']}",
            _REGIONS[place],
            Kind(one["kind"]),
            _day(one["from"]),
            _day(one["to"]),
            {code: _row(code, Kind(one["kind"]), row) for code, row in one["rows"].items()},
        )
        for one in catalogue
    )


def shelf_of(world: Facts) -> tuple[Edition, ...]:
    """The editions of the insured place and of the one in another province."""
    here, there = world["catalogue"], world["catalogue_there"]
    return editions_of(here, "HERE") + editions_of(there, "PROVINCE")


def _row(code: str, kind: Kind, row: Facts) -> CatalogueRow:
    first, last = row.get("agreed", (None, None))
    standard = row.get("standard")
    return CatalogueRow(
        code=code,
        kind=kind,
        section=row.get("section", ""),
        name=code,
        payable=row.get("payable", True),
        not_alone=row.get("alone", False),
        insurance_limit=InsuranceLimit(row.get("insurance", "none")),
        remark="".join(text for key, text in _REMARKS.items() if key in row),
        pay_standard=standard,
        pay_standard_text="" if standard is None else "公布的标准",
        agreement_from=_maybe(first),
        agreement_to=_maybe(last),
        ceilings=tuple(
            (None if level == "every" else Level(level), ceiling)
            for level, ceiling in row.get("ceilings", {}).items()
        ),
        qty_per_day=row.get("per_day"),
        qty_per_stay=row.get("per_stay"),
        life_months=row.get("life"),
    )


def bill_of(facts: Facts, editions: tuple[Edition, ...], policy: Policy) -> Bill:
    """The bill that the rules settle; of the editions, those by which its stay is computed."""
    lines = {told["id"]: _line(told) for told in facts["lines"]}
    stay, hospital = _stay(facts["stay"]), _hospital(facts["hospital"])
    region = catalogue_region(stay, hospital, policy)
    return Bill(
        stay=stay,
        case=_case(facts, lines),
        hospital=hospital,
        lines=tuple(lines.values()),
        editions=tuple(one for one in editions if one.region == region),
        others=tuple(
            a_stay(admission_id="A2", meal_days=_days(told["meal_days"]))
            for told in facts["others"]
        ),
        devices=tuple(
            SuppliedDevice(told["code"], _day(told["on"]), "S0") for told in facts["devices"]
        ),
        paid_by=PaidAtDischargeBy(facts["paid_by"]),
    )


def _stay(told: Facts) -> Stay:
    return a_stay(
        admitted_on=_day(told["in"]),
        discharged_on=_day(told["out"]),
        leave_days=_days(told["leave"]),
        hanging_days=_days(told["hanging"]),
        notified_by_employer=told["notified"],
        payments=tuple(_payment(no, one) for no, one in enumerate(told["payments"])),
        confirmed_by_agency=told["confirmed"],
        treatment=TreatmentKind(told["treatment"]),
        emergency=told["emergency"],
        stable_on=_maybe(told["stable"]),
        registered_at=noon(_day(told["in"])) + timedelta(minutes=told["registered"]),
    )


def _hospital(told: Facts) -> Party:
    online = frozenset({"CROSS_PROVINCE"}) if told["online"] else frozenset()
    agreed = {} if told["agreed"] else {"agreement_from": None}
    return a_hospital(
        level=Level(told["level"]),
        region=_REGIONS[told["place"]],
        capabilities=frozenset(told["kinds"]) | online,
        **agreed,
    )


def _line(told: Facts) -> BillLine:
    consent = told["consent"]
    return BillLine(
        line_id=told["id"],
        occurred_at=_midnight(told["day"]) + timedelta(minutes=told["minute"]),
        service_day=_day(told["day"]),
        code=told["code"],
        name=told["code"],
        quantity=told["qty"],
        price=told["price"],
        amount_fen=told["amount"],
        prescription_no=told["prescription"],
        refund_of=told["refund_of"],
        relation=Relation(told["relation"]),
        consent=None if consent is None else Payer(consent),
        violation=told["violation"],
        reviewed=told["reviewed"],
        limit_met=told["met"],
        consent_on=_maybe(told["signed"]),
    )


def _payment(no: int, told: Facts) -> PriorPayment:
    return PriorPayment(
        payment_no=f"V{no}",
        payer=PriorPayer(told["payer"]),
        eligible_fen=told["eligible"],
        paid_on=_day(told["paid"]),
        meal_fen=told["meal"],
        settlement_no=f"B{no}",
        insurance_year=told["year"],
        reversal_requested_on=_maybe(told["asked"]),
        given_back_on=_maybe(told["given_back"]),
    )


def _case(facts: Facts, lines: Mapping[str, BillLine]) -> Any:
    told = facts["case"]
    return a_case(
        injured_on=_day(told["injured"]),
        diagnosed_on=None if told["injured"] == told["event"] else _day(told["event"]),
        insured_at_injury=told["insured"],
        joined=tuple(
            Joined(_day(one["joined"]), _maybe(one["settled"]), one["of"]) for one in told["joined"]
        ),
        arrears=tuple(
            Arrears(_day(one["from"]), _maybe(one["paid_up"]), one["of"]) for one in told["arrears"]
        ),
        others=tuple(map(_employer, told["employers"])),
        underpaid=told["underpaid"],
        reported_at=noon(_day(facts["stay"]["in"])) + timedelta(minutes=told["reported"]),
        roster_received_on=_maybe(told["roster"]),
        applied_on=_maybe(told["applied"]),
        accepted_on=_maybe(told["accepted"]),
        applied_by=Applicant(told["applied_by"]) if told["applied_by"] else None,
        application_extended_to=_maybe(told["extended"]),
        third_party=ThirdParty(told["third_party"]),
        stops=tuple(map(_stop, told["stops"])),
        approvals=tuple(_approvals(told, lines)),
        paid_leave=tuple(
            PaidLeave(_day(one["from"]), _day(one["to"])) for one in told["paid_leave"]
        ),
    )


def _employer(told: Facts) -> OtherEmployer:
    return OtherEmployer(
        told["number"],
        EmploymentTie(told["tie"]),
        EmployerRole(told["role"]),
        _day(told["since"]),
        told["insured"],
        _maybe(told["roster"]),
    )


def _stop(told: Facts) -> BenefitStop:
    ground = REFUSED_DISCHARGE if told["discharge"] else "拒绝治疗"
    return BenefitStop(_day(told["from"]), _maybe(told["to"]), ground, "N1")


def _approvals(told: Facts, lines: Mapping[str, BillLine]) -> "list[Approval]":
    found = [
        _approval(
            ApprovalKind.EMERGENCY_ITEM,
            one,
            line_ids=frozenset(
                rescue_mark("A1", lines[line]) for line in one["lines"] if line in lines
            ),
        )
        for one in told["rescues"]
    ]
    if told["referral"] is not None:
        found.append(_approval(ApprovalKind.REFERRAL, told["referral"]))
    found += [_approval(ApprovalKind.EMERGENCY, one) for one in told["emergencies"]]
    found += [
        _approval(ApprovalKind.DEVICE, one, device_codes=frozenset(one["codes"]))
        for one in told["confirmed_devices"]
    ]
    for one in told["filings"]:
        area = _REGIONS["PROVINCE"] if one["here"] else _ANOTHER_PLACE
        found.append(
            replace(_approval(ApprovalKind.CROSS_PROVINCE, one, area=area), hospitals=frozenset())
        )
    return found


def _approval(kind: ApprovalKind, told: Facts, **more: Any) -> Approval:
    return Approval(
        "S1",
        kind,
        frozenset({HOSPITAL}),
        _day(told["from"]),
        _day(told["to"]),
        _COMMITTEE[told.get("by", "AGENCY")],
        _AUTHORITY,
        **more,
    )


def told(verdict: BillVerdict | Hold | Refuse | Manual) -> dict[str, Any]:
    """What the gateway answers, in the words of the oracle."""
    match verdict:
        case Hold():
            return {"ends": {f"hold {verdict.reason.value}"}}
        case Refuse():
            return {"ends": {f"refuse {verdict.code}"}}
        case Manual():
            return {"ends": {f"manual {verdict.code}"}}
    shares = verdict.payout.shares
    return {
        "lines": {line.line_id: _by_payer(line.split) for line in verdict.lines},
        "reasons": {line.line_id: set(line.reasons) for line in verdict.lines},
        "split": _by_payer(verdict.split),
        "liable": verdict.liable_employer,
        "meal": {
            "days": [day.toordinal() for day in verdict.meal_days],
            "amount": verdict.meal.amount_fen,
            "channel": verdict.meal.channel,
        },
        "paid": {
            "medical": {one.payee.value: one.medical_fen for one in shares if one.medical_fen},
            "meals": {one.payee.value: one.meal_fen for one in shares if one.meal_fen},
            "taken_off": verdict.payout.taken_off_fen,
            "recoverable": verdict.payout.recoverable_fen,
        },
    }


def _by_payer(split: Split) -> dict[str, int]:
    return {payer.value: split.borne_by(payer) for payer in Payer}
