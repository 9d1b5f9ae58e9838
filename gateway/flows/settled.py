"""A settled bill: its row, its ledger transfers and the signed message both sides get."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from gateway.clock import business_day, micros
from gateway.domain.admission import BillState
from gateway.domain.bill import BillVerdict, Payee, Payout
from gateway.domain.results import Settlement
from gateway.domain.split import Split
from gateway.flows.bill_file import BillFile
from gateway.flows.plan import Transfer
from gateway.store import tables
from gateway.store.rows import canonical, spans_text
from gateway.store.unit import Insert

MEDICAL, MEAL = "5101/medical", "5101/meal"
_OF_VERDICT: Final = (
    *("split", "meal", "payout", "lines", "suspicions", "grounds", "liable_employer"),
    *("rules_version", "policy_digest", "edition_digests"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settling:
    """The circumstances of one settlement."""

    settlement_id: str
    bill_no: str
    at: datetime
    message_id: str


def settlement_row(bill_file: BillFile, verdict: BillVerdict, one: Settling) -> Insert:
    """The live settlement of the stay."""
    stay, case = bill_file.bill.stay, bill_file.bill.case
    return Insert(
        tables.settlement,
        [
            {
                "settlement_id": one.settlement_id,
                "admission_id": stay.admission_id,
                "hospital": stay.hospital,
                "kind": "SETTLEMENT",
                "state": "SETTLED",
                "live": 1,
                "reverses": None,
                "reinstates": None,
                "adjusts": None,
                "follows": None,
                "bill_no": one.bill_no,
                "case_no": case.case_no if case else "",
                "person_id": stay.person_id,
                "settled_us": micros(one.at),
                "business_day": business_day(one.at).isoformat(),
                "line_count": len(verdict.lines),
                **amounts(verdict.split, verdict.meal.amount_fen),
                "rules_version": verdict.rules_version,
                "policy_digest": verdict.policy_digest,
                "edition_digests": canonical(list(verdict.edition_digests)),
                "message_id": one.message_id,
                "meal_days": spans_text(verdict.meal_days),
                "detail": bill_file.detail(verdict),
            }
        ],
    )


def amounts(split: Split, meal_fen: int) -> dict[str, Any]:
    return {"total_fen": split.total_fen, **split._asdict(), "meal_fen": meal_fen}


def settlement_message(
    bill_file: BillFile, verdict: BillVerdict, one: Settling | None = None
) -> Settlement:
    """The settlement as both sides get it; without circumstances, a preview."""
    stay, case = bill_file.bill.stay, bill_file.bill.case
    return Settlement(
        admission_id=stay.admission_id,
        bill_state=BillState.SETTLED if one else BillState.OPEN,
        settlement_id=one.settlement_id if one else "",
        bill_no=one.bill_no if one else "",
        visit_no=stay.visit_no,
        hospital=stay.hospital,
        case_no=case.case_no if case else "",
        decision_no=case.decision_no if case else "",
        settled_at=one.at if one else None,
        business_day=business_day(one.at) if one else None,
        admitted_at=stay.admitted_at,
        discharged_at=stay.discharged_at,
        **of_verdict(verdict),
    )


def of_verdict(verdict: BillVerdict) -> dict[str, Any]:
    """What a settlement's message says of its verdict, by the words they share."""
    return {name: getattr(verdict, name) for name in _OF_VERDICT}


def transfers(settlement_id: str, hospital: str, payout: Payout, day: str) -> tuple[Transfer, ...]:
    """What the fund owes by this settlement, as ledger rows: to each payee its medical fees and
    its meals."""
    rows = (
        Transfer(
            subject=settlement_id,
            debit=debit,
            credit=owed_to(share.payee, hospital),
            amount_fen=amount_fen,
            business_day=day,
        )
        for share in payout.shares
        for debit, amount_fen in ((MEDICAL, share.medical_fen), (MEAL, share.meal_fen))
    )
    return tuple(row for row in rows if row.amount_fen > 0)


def owed_to(payee: Payee, hospital: str) -> str:
    """The account of what the fund owes the payee."""
    own = f"/{hospital}" if payee is Payee.HOSPITAL else ""
    return f"2101/{payee.value}{own}"


def moved(
    before: tuple[Transfer, ...], after: tuple[Transfer, ...], settlement_id: str, day: str
) -> tuple[Transfer, ...]:
    """What turns the transfers `before` into those `after`, account by account: amounts above
    zero, their direction by the sign of the difference."""
    owed: Counter[tuple[str, str]] = Counter()
    for sign, rows in ((1, after), (-1, before)):
        for row in rows:
            owed[row.debit, row.credit] += sign * row.amount_fen
    return tuple(
        Transfer(
            subject=settlement_id,
            debit=debit if fen > 0 else credit,
            credit=credit if fen > 0 else debit,
            amount_fen=abs(fen),
            business_day=day,
        )
        for (debit, credit), fen in sorted(owed.items())
        if fen
    )


def back(rows: tuple[Transfer, ...], settlement_id: str, day: str) -> tuple[Transfer, ...]:
    """The same transfers turned round, booked on the day of the reversal."""
    return tuple(
        Transfer(
            subject=settlement_id,
            debit=row.credit,
            credit=row.debit,
            amount_fen=row.amount_fen,
            business_day=day,
        )
        for row in rows
    )
