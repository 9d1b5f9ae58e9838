"""Sheets for tests: bills decided by the rules, persons and names made up."""

from datetime import date
from typing import Any

from gateway.clock import at_business
from gateway.domain.admission import BillState, Diagnosis
from gateway.domain.bill import BillLine, BillVerdict
from gateway.domain.case import TreatmentKind
from gateway.domain.money import quantity, times
from gateway.domain.results import Settlement
from gateway.reports.sheet import Sheet, SheetLine
from gateway.rules.settle import Bill, settle
from tests.rules.facts import a_bill, a_line, example_policy

WORKER = "测试职工甲"
EMPLOYER = "示例机械制造有限公司（虚构）"


def some_lines(count: int) -> tuple[BillLine, ...]:
    """Lines of every kind in turn, one of them with a refund."""
    kinds: tuple[dict[str, Any], ...] = (
        {"code": "TABLET", "name": "布洛芬缓释胶囊", "price": "12.5", "qty": "14"},
        {"code": "BED", "name": "普通病房床位费", "price": "60.00", "qty": "1"},
        {
            "code": "PLATE",
            "name": "锁定接骨板",
            "price": "3380.00",
            "qty": "1",
            "consent": "employer",
        },
        {"code": "AIR-CONDITIONING", "name": "空调费", "price": "8.00", "qty": "1"},
        {"code": "TABLET", "name": "苯磺酸氨氯地平片", "price": "3.2", "relation": "unrelated"},
        {"code": "OPERATION", "name": "切开复位内固定术", "price": "1860.00"},
    )
    categories = ("西药", "床位", "材料", "其他", "西药", "手术")
    return tuple(
        a_line(line_id=f"L{number}", **kinds[number % len(kinds)])._replace(
            category=categories[number % len(kinds)],
            spec="常规" if number % 2 else "",
            unit="次",
        )
        for number in range(count)
    )


def refund_of(line: BillLine, qty: str) -> BillLine:
    """A refund of so many units of the line."""
    count = -quantity(qty)
    return line._replace(
        line_id=f"{line.line_id}-R",
        quantity=count,
        amount_fen=times(line.price, count),
        refund_of=line.line_id,
    )


def decided(*lines: BillLine) -> tuple[Bill, BillVerdict]:
    """An ordinary bill of these lines and its verdict."""
    bill = a_bill(*lines)
    verdict = settle(bill, example_policy())
    assert isinstance(verdict, BillVerdict), verdict
    return bill, verdict


def a_settlement(bill: Bill, verdict: BillVerdict, **changes: Any) -> Settlement:
    """The settlement of a decided bill."""
    stay = bill.stay
    facts: dict[str, Any] = {
        "admission_id": stay.admission_id,
        "bill_state": BillState.SETTLED,
        "settlement_id": "S20260315000001",
        "bill_no": "B-0001",
        "visit_no": stay.visit_no,
        "hospital": stay.hospital,
        "case_no": "C1",
        "decision_no": "示例工认〔2026〕1号",
        "settled_at": at_business(date(2026, 3, 15), 16, 30),
        "business_day": date(2026, 3, 15),
        "admitted_at": stay.admitted_at,
        "discharged_at": stay.discharged_at,
        "split": verdict.split,
        "meal": verdict.meal,
        "payout": verdict.payout,
        "lines": verdict.lines,
        "rules_version": verdict.rules_version,
        "policy_digest": verdict.policy_digest,
        "edition_digests": verdict.edition_digests,
        "suspicions": verdict.suspicions,
    }
    return Settlement(**facts | changes)


def a_sheet(*lines: BillLine, **changes: Any) -> Sheet:
    """The sheet of an ordinary bill of these lines."""
    bill, verdict = decided(*lines)
    charged = {line.line_id: line for line in lines}
    facts: dict[str, Any] = {
        "settlement": a_settlement(bill, verdict),
        "hospital_name": bill.hospital.name,
        "hospital_level": bill.hospital.level,
        "agency_name": "示例市工伤保险经办中心（虚构）",
        "person_name": WORKER,
        "id_no_masked": "999***********0017",
        "card_no_masked": "*****0001",
        "employer_name": EMPLOYER,
        "injured_on": date(2026, 3, 1),
        "injured_parts": "右小腿",
        "diagnoses": (Diagnosis("S82.100x001", "胫骨近端骨折", True),),
        "treatment": TreatmentKind.INPATIENT,
        "signer": "GATEWAY.999900.test",
        "message_id": "M-0001",
        "lines": tuple(SheetLine(charged[one.line_id], one) for one in verdict.lines),
    }
    return Sheet(**facts | changes)
