"""Facts for the rules: a stay, a case, a hospital, a catalogue and lines, with ordinary defaults.

Persons exist only as generated ids. The catalogue's prices and codes are made up.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time
from functools import cache
from typing import Any

from gateway.clock import BUSINESS_ZONE
from gateway.domain.admission import AdmissionState, Stay
from gateway.domain.bill import BillLine, Relation
from gateway.domain.case import CaseFacts, CaseState, ThirdParty, TreatmentKind
from gateway.domain.catalogue import CatalogueRow, Edition, InsuranceLimit, Kind, Level
from gateway.domain.money import price, quantity, times
from gateway.domain.party import Party, PartyKind
from gateway.domain.split import Payer
from gateway.policy.load import load
from gateway.policy.model import Dated, Law, PickedBy, Policy, Unit, Value
from gateway.rules.settle import Bill

REGION = "999900"
HOSPITAL = "H1"
ADMITTED, DISCHARGED = date(2026, 3, 1), date(2026, 3, 15)
FIRST_DAY = date(2025, 1, 1)


def noon(day: date) -> datetime:
    """Noon of the business day, UTC."""
    return datetime.combine(day, time(12), BUSINESS_ZONE).astimezone(UTC)


def a_stay(**changes: Any) -> Stay:
    """A confirmed stay from 2026-03-01 to 2026-03-15."""
    admitted = changes.get("admitted_on", ADMITTED)
    discharged = changes.get("discharged_on", DISCHARGED)
    facts: dict[str, Any] = {
        "admission_id": "A1",
        "version": 1,
        "hospital": HOSPITAL,
        "visit_no": "V1",
        "person_id": "P1",
        "case_no": "C1",
        "state": AdmissionState.CONFIRMED,
        "refusal": "",
        "treatment": TreatmentKind.INPATIENT,
        "emergency": False,
        "approval_no": "",
        "admitted_at": noon(admitted),
        "admitted_on": admitted,
        "discharged_at": None if discharged is None else noon(discharged),
        "discharged_on": discharged,
        "registered_at": noon(admitted),
    }
    return Stay(**facts | changes)


def a_case(**changes: Any) -> CaseFacts:
    """A recognised case of an insured worker, applied for in time, with nothing against it."""
    injured = changes.get("injured_on", ADMITTED)
    facts: dict[str, Any] = {
        "case_no": "C1",
        "version": 1,
        "person_id": "P1",
        "employer_no": "E1",
        "state": CaseState.RECOGNISED,
        "injured_on": injured,
        "reported_at": noon(injured),
        "insured_at_injury": True,
        "third_party": ThirdParty.NONE,
        "traffic_accident": False,
        "litigation": False,
        "disputed": False,
        "relation_ended_on": None,
        "applied_on": injured,
        "accepted_on": injured,
        "decided_on": injured,
        "decision_no": "R1",
        "authority": "示例市人社局",
    }
    return CaseFacts(**facts | changes)


def a_hospital(**changes: Any) -> Party:
    """A secondary hospital of the region whose agreement covers treatment and rehabilitation."""
    facts: dict[str, Any] = {
        "party_id": HOSPITAL,
        "version": 1,
        "kind": PartyKind.HOSPITAL,
        "name": "示例医院（虚构）",
        "region": REGION,
        "level": Level.SECONDARY,
        "agreement_from": FIRST_DAY,
        "capabilities": frozenset({"MEDICAL", "REHABILITATION"}),
    }
    return Party(**facts | changes)


def a_row(code: str, kind: Kind, **changes: Any) -> CatalogueRow:
    """A payable row without any limit."""
    return CatalogueRow(**{"code": code, "kind": kind, "section": "", "name": code} | changes)


def _drug(code: str, **changes: Any) -> CatalogueRow:
    return a_row(code, Kind.DRUG, **{"section": "西药"} | changes)


def _ceilings(**by_level: str) -> tuple[tuple[Level | None, int], ...]:
    return tuple(
        (None if level == "every" else Level(level), price(amount))
        for level, amount in by_level.items()
    )


DRUGS = (
    _drug("TABLET", drug_class="甲"),
    _drug("INJECTION", drug_class="乙"),
    _drug("VACCINE", insurance_limit=InsuranceLimit.WORK_INJURY),
    _drug("MATERNITY", insurance_limit=InsuranceLimit.MATERNITY),
    _drug("CONDITIONAL", insurance_limit=InsuranceLimit.CONDITIONAL),
    _drug(
        "NEGOTIATED",
        section="谈判",
        pay_standard=price("120.00"),
        pay_standard_text="120.00元",
        agreement_from=FIRST_DAY,
        agreement_to=date(2026, 3, 10),
    ),
    _drug("NEGOTIATED-LATER", section="谈判", agreement_from=date(2026, 3, 6)),
    _drug("SECRET", section="谈判", pay_standard_text="*"),
    _drug("SECRET-CAPPED", pay_standard_text="*", ceilings=_ceilings(every="50.00")),
    _drug("SECOND-LINE", remark="限二线用药。"),
    _drug("SECONDARY", remark="限二级及以上医疗机构。"),
    _drug("COURSE", remark="支付不超过2天。"),
    _drug("CHILDREN", remark="限儿童。"),
    _drug("ADULTS", remark="限成人重度疼痛。"),
    _drug("WOMEN", remark="限绝经后女性骨质疏松症。"),
    _drug("FROM-13", remark="限13岁和13岁以上重度免疫缺陷患者。"),
    _drug("TO-11", remark="限2岁至11岁儿童慢性便秘。"),
    _drug("BURNS", remark="限Ⅱ度烧伤。"),
    _drug("INPATIENT", remark="限急诊或住院患者。"),
    _drug("EITHER", remark="限手术患者或产后出血患者。"),
    _drug("PIECE", section="饮片"),
    _drug("PIECE-ALONE", section="饮片", not_alone=True),
    _drug("PIECE-ALONE-TOO", section="饮片", not_alone=True),
    _drug("PIECE-DAILY", section="饮片", not_alone=True, qty_per_day=quantity("1")),
    _drug("SECOND-LINE-TWICE", remark="限二线用药。", qty_per_stay=quantity("2")),
)
DELISTED = _drug("DELISTED")
ITEMS = (
    a_row("OPERATION", Kind.ITEM),
    a_row("DRESSING", Kind.ITEM),
    a_row("NURSING", Kind.ITEM, qty_per_day=quantity("1")),
    a_row("CONSULT", Kind.ITEM, qty_per_stay=quantity("2")),
    a_row("SUTURE", Kind.ITEM, contained_in=("OPERATION",)),
    a_row("CARE", Kind.ITEM, name="二级护理", unit="日"),
    a_row("PHYSIO", Kind.ITEM, qty_per_day=quantity("2"), qty_per_stay=quantity("3")),
)
MATERIALS = (a_row("PLATE", Kind.MATERIAL, ceilings=_ceilings(every="3000.00")),)
DEVICES = (
    a_row("PART-HAND", Kind.MATERIAL, ceilings=_ceilings(every="5700.00"), life_months=12),
    a_row("WHEELCHAIR", Kind.MATERIAL, ceilings=_ceilings(every="900.00"), life_months=48),
    a_row("CRUTCH", Kind.MATERIAL, qty_per_day=quantity("1"), life_months=24),
    a_row("SHOES", Kind.MATERIAL, qty_per_stay=quantity("1"), life_months=12),
)
LATER_DEVICES = (
    a_row("PART-HAND", Kind.MATERIAL, ceilings=_ceilings(every="4500.00"), life_months=12),
)
FACILITIES = (
    a_row(
        "BED",
        Kind.FACILITY,
        ceilings=_ceilings(tertiary="50.00", secondary="40.00", primary="30.00"),
    ),
    a_row("WARD-3", Kind.FACILITY, name="三人间床位费", unit="日"),
    a_row("WARD-2", Kind.FACILITY, name="双人间床位费", unit="日"),
    a_row("AIR-CONDITIONING", Kind.FACILITY, payable=False),
)


def an_edition(
    kind: Kind, rows: Iterable[CatalogueRow], first: date, last: date | None = None
) -> Edition:
    """An edition whose digest is its kind and first day."""
    digest = f"{kind.value}-{first}"
    return Edition(digest, REGION, kind, first, last, {row.code: row for row in rows})


EDITIONS = (
    an_edition(Kind.DRUG, (*DRUGS, DELISTED), FIRST_DAY, date(2025, 12, 31)),
    an_edition(Kind.DRUG, DRUGS, date(2026, 1, 1)),
    an_edition(Kind.ITEM, ITEMS, FIRST_DAY),
    an_edition(Kind.MATERIAL, (*MATERIALS, *DEVICES), FIRST_DAY, date(2026, 6, 30)),
    an_edition(Kind.MATERIAL, (*MATERIALS, *LATER_DEVICES), date(2026, 7, 1)),
    an_edition(Kind.FACILITY, FACILITIES, FIRST_DAY),
)


def a_line(**facts: Any) -> BillLine:
    """A line with price and quantity as texts; its amount is round(price × quantity)."""
    unit_price, count = price(facts.pop("price", "10.00")), quantity(facts.pop("qty", "1"))
    day = facts.pop("day", date(2026, 3, 5))
    relation = Relation(facts.pop("relation", "injury"))
    consent = facts.pop("consent", None)
    code = facts.pop("code", "TABLET")
    line_id = facts.pop("line_id", "L1")
    return BillLine(
        **{"amount_fen": times(unit_price, count), "name": code, **facts},
        line_id=line_id,
        occurred_at=noon(day),
        service_day=day,
        code=code,
        price=unit_price,
        quantity=count,
        relation=relation,
        consent=None if consent is None else Payer(consent),
    )


def a_bill(*lines: BillLine, **changes: Any) -> Bill:
    """An ordinary bill; `stay`, `case`, `hospital` and `editions` may be given."""
    facts: dict[str, Any] = {
        "stay": a_stay(),
        "case": a_case(),
        "hospital": a_hospital(),
        "editions": EDITIONS,
    }
    return Bill(lines=lines, **facts | changes)


@cache
def example_policy() -> Policy:
    """The policy of the example region as shipped."""
    return load(REGION)


_LAW = Law("example_rules", article="第一条")


def policy_with(
    values: Mapping[str, int | str | bool | tuple[str, ...]] | None = None,
    silent: Iterable[str] = (),
) -> Policy:
    """The example region's policy with other values, and with keys that no text gives."""
    policy = example_policy()
    kept = {key: dated for key, dated in policy.parameters.items() if key not in set(silent)}
    for key, amount in (values or {}).items():
        since, amount = _since(amount)
        value = Value(since, amount, _LAW)
        if amount == "no limit":
            value = replace(value, amount=None, unlimited=True)
        kept[key] = replace(kept.get(key) or _new(key), values=(value,))
    return replace(policy, parameters=kept)


def _since(told: Any) -> tuple[date, Any]:
    """A value and its first day, where a row says `from` when."""
    return (told["from"], told["value"]) if isinstance(told, Mapping) else (FIRST_DAY, told)


def _new(key: str) -> Dated:
    return Dated(key, Unit.WORD, PickedBy.ADMISSION_DATE, "", None, ())
