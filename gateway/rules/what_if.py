"""如果 What a proposed policy or catalogue would have changed, settlement by settlement.

The proposal is computed by the rule that settles; here the two verdicts are only compared.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import NamedTuple, TypeVar

from gateway.domain.bill import BillLine, BillVerdict
from gateway.domain.catalogue import Edition
from gateway.rules.entitlement import Hold, Manual, Refuse
from gateway.rules.settle import Bill

_K = TypeVar("_K")
_ONE_DAY = timedelta(days=1)
Outcome = BillVerdict | Hold | Refuse | Manual


class Tally(NamedTuple):
    """How many lines (or bills) and how many fen, as settled and as proposed."""

    number: int = 0
    proposed_number: int = 0
    fen: int = 0
    proposed_fen: int = 0

    def plus(self, other: "Tally") -> "Tally":
        """Both together."""
        return Tally(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))

    @property
    def difference_fen(self) -> int:
        """What the proposal adds; negative when it takes away."""
        return self.proposed_fen - self.fen


_NO_TALLY = Tally()


class Unsettled(NamedTuple):
    """A settlement that the proposal would not have settled, and why."""

    settlement_id: str
    hospital: str
    outcome: str
    fund_fen: int


@dataclass(slots=True)
class Difference:
    """What a proposal changes.

    `hospitals` counts settlements and sums what the fund pays, meals included; `meals` is the
    part of it that is meals; `items`, by code and name, counts lines and sums what the fund
    bears of them; `reasons` counts the lines a reason stands on and sums what of them the
    fund does not bear (a line with two reasons stands under both). `changed` names the
    settlements whose amounts or payees differ. Bills that the proposal would not settle stand under
    `unsettled` and are in none of the sums.
    """

    hospitals: dict[str, Tally] = field(default_factory=dict)
    meals: dict[str, Tally] = field(default_factory=dict)
    reasons: dict[str, Tally] = field(default_factory=dict)
    items: dict[tuple[str, str], Tally] = field(default_factory=dict)
    changed: list[str] = field(default_factory=list)
    unsettled: list[Unsettled] = field(default_factory=list)

    def add(self, other: "Difference") -> None:
        """Take in what other settlements showed."""
        _add(self.hospitals, other.hospitals)
        _add(self.meals, other.meals)
        _add(self.reasons, other.reasons)
        _add(self.items, other.items)
        self.changed += other.changed
        self.unsettled += other.unsettled


def _add(mine: dict[_K, Tally], theirs: Mapping[_K, Tally]) -> None:
    for key, tally in theirs.items():
        mine[key] = mine.get(key, _NO_TALLY).plus(tally)


def proposed_bill(bill: Bill, editions: Iterable[Edition], since: date) -> Bill:
    """The bill with the proposed editions in force from `since` on, each in the place of the
    editions of its kind; service days before `since` keep theirs, and so does a bill that was
    settled by the catalogues of another region."""
    regions = {edition.region for edition in bill.editions}
    new = tuple(edition for edition in editions if not regions or edition.region in regions)
    kinds = {edition.kind for edition in new}
    kept = tuple(
        _ended(edition, since) if edition.kind in kinds else edition
        for edition in bill.editions
        if edition.kind not in kinds or edition.valid_from < since
    )
    return replace(bill, editions=(*kept, *new))


def _ended(edition: Edition, since: date) -> Edition:
    if edition.valid_to is not None and edition.valid_to < since:
        return edition
    return replace(edition, valid_to=since - _ONE_DAY)


def compared(settlement_id: str, bill: Bill, settled: BillVerdict, other: Outcome) -> Difference:
    """What one settlement shows: `settled` as it stands, `other` as proposed."""
    found, hospital = Difference(), bill.stay.hospital
    if not isinstance(other, BillVerdict):
        fund_fen = settled.split.fund_fen + settled.meal.amount_fen
        found.unsettled.append(Unsettled(settlement_id, hospital, outcome_text(other), fund_fen))
        return found
    meals = Tally(1, 1, settled.meal.amount_fen, other.meal.amount_fen)
    found.meals[hospital] = meals
    medical = Tally(0, 0, settled.split.fund_fen, other.split.fund_fen)
    found.hospitals[hospital] = meals.plus(medical)
    _add_lines(found, {line.line_id: line for line in bill.lines}, settled, other)
    paid = settled.payout.shares != other.payout.shares
    if paid or (settled.split, meals.fen) != (other.split, meals.proposed_fen):
        found.changed.append(settlement_id)
    return found


def outcome_text(outcome: Hold | Refuse | Manual) -> str:
    """The outcome that is no bill, in the words of its codes."""
    match outcome:
        case Hold(reason, key, day, note):
            parts = (f"HELD {reason.value}", key, "" if day is None else day.isoformat(), note)
            return " ".join(part for part in parts if part)
        case Refuse(code):
            return f"REFUSED {code}"
    return f"MANUAL {outcome.code}"


def _add_lines(
    found: Difference, lines: Mapping[str, BillLine], settled: BillVerdict, other: BillVerdict
) -> None:
    for verdict, is_new in ((settled, False), (other, True)):
        for line in verdict.lines:
            charged = lines[line.line_id]
            fund = line.split.fund_fen
            _add(found.items, {(charged.code, charged.name): _one(is_new, fund)})
            outside = _one(is_new, line.amount_fen - fund)
            _add(found.reasons, dict.fromkeys(line.reasons, outside))


def _one(is_new: bool, fen: int) -> Tally:
    return Tally(0, 1, 0, fen) if is_new else Tally(1, 0, fen, 0)
