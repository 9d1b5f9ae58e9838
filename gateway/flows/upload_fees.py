"""fees.upload: upsert of bill lines 费用明细; every good line is kept and each is answered."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from gateway.clock import at_business
from gateway.domain.bill import BillLine, Relation
from gateway.domain.commands import UploadFees
from gateway.domain.findings import Finding
from gateway.domain.money import QUANTITY_PLACES, times, written, yuan
from gateway.domain.results import FeesUploaded, LineAnswer
from gateway.flows.dates import future_finding, in_future
from gateway.flows.desk import Caller, Desk
from gateway.flows.line_codes import Codes, codes_of, with_candidates
from gateway.flows.plan import Act, Plan, applied, refused
from gateway.flows.stay_file import lines_may_change, own_stay
from gateway.rules.place import catalogue_region
from gateway.store import tables
from gateway.store.rows import line_row
from gateway.store.stays import StayFile, related_lines
from gateway.store.unit import Change, Upsert, Write

_MOST_LINES = 5000  # of one bill: what a settlement may hold in memory
_AMOUNT_LIMIT_FEN = 10**14  # below it the sums of a bill fit the columns of the store
_SIGNED = ("consent", "consent_on")
_CHARGED = ("code", "price", "quantity", "amount_fen", "service_day", "refund_of")


@dataclass(slots=True)
class _Keeping:
    """The lines as they will be: what was kept before, and what this message adds."""

    before: Mapping[str, BillLine]
    codes: Codes
    lines: dict[str, BillLine]
    answers: list[LineAnswer]
    tolerances: Mapping[date, int]
    """By how many fen an amount may differ from price × quantity, on each day that has begun."""
    refunds: dict[str, dict[str, BillLine]] = field(default_factory=dict)
    """The refunds of each line, by their own ids."""

    def __post_init__(self) -> None:
        for line in self.before.values():
            self._note(line)

    def keep(self, line: BillLine) -> None:
        """This is the line now, whatever it was before."""
        before = self.known(line.line_id)
        if before is not None and before.refund_of:
            del self.refunds[before.refund_of][line.line_id]
        self.lines[line.line_id] = line
        self._note(line)

    def _note(self, line: BillLine) -> None:
        if line.refund_of:
            self.refunds.setdefault(line.refund_of, {})[line.line_id] = line

    def known(self, line_id: str) -> BillLine | None:
        return self.lines.get(line_id) or self.before.get(line_id)

    def refunds_of(self, line_id: str) -> list[BillLine]:
        return list(self.refunds.get(line_id, {}).values())


async def upload_fees(desk: Desk, caller: Caller, command: UploadFees) -> Plan:
    """Keep every good line; a rejected one says what was got and expected."""
    async with desk.database.reading() as reader:
        file = await own_stay(reader, caller, command.admission_id)
        if isinstance(file, Finding):
            return refused(file)
        fault = lines_may_change(file)
        if fault is not None:
            return refused(fault, subject=file.stay.admission_id)
        named = {line.line_id for line in command.lines}
        named |= {line.refund_of for line in command.lines if line.refund_of}
        before = await related_lines(reader, file.stay.admission_id, named)
        codes = await codes_of(reader, caller.party_id, command.lines)
    keeping = _kept(desk, command, before, codes)
    region = catalogue_region(file.stay, caller.party, desk.policy)
    keeping.answers = await with_candidates(desk, keeping.answers, command.lines, region)
    return _uploaded(file, command, keeping)


def _kept(
    desk: Desk, command: UploadFees, before: Mapping[str, BillLine], codes: Codes
) -> _Keeping:
    """Originals first, so that a refund may come in the same message as its original."""
    days = {line.service_day for line in command.lines}
    begun = {day: _tolerance(desk, day) for day in days if not in_future(desk, at_business(day))}
    keeping = _Keeping(before, codes, {}, [], begun)
    for line in sorted(command.lines, key=lambda one: bool(one.refund_of)):
        keeping.answers.append(_answer(keeping, line))
    keeping.answers += [
        LineAnswer(line_id=fault.line_id, status="rejected", finding=fault)
        for fault in command.rejected
    ]
    return keeping


def _answer(keeping: _Keeping, line: BillLine) -> LineAnswer:
    coded = _coded(keeping, line)
    if isinstance(coded, Finding):
        return LineAnswer(line_id=line.line_id, status="rejected", finding=coded)
    fault = _sign_fault(coded) or _amount_fault(keeping, coded)
    fault = fault or _refund_fault(keeping, coded)
    if fault is not None:
        return LineAnswer(line_id=line.line_id, status="rejected", finding=fault)
    old = keeping.before.get(line.line_id)
    kept = _with_decisions(old, coded)
    if kept == old:
        return LineAnswer(line_id=line.line_id, status="unchanged")
    keeping.keep(kept)
    return LineAnswer(line_id=line.line_id, status="replaced" if old else "accepted")


def _coded(keeping: _Keeping, line: BillLine) -> BillLine | Finding:
    """The line with its national code, on a day that has begun."""
    # A bed may be charged for the whole day at its end: only a day not begun lies ahead.
    if line.service_day not in keeping.tolerances:
        return future_finding("OccurredAt", at_business(line.service_day), line.line_id)
    return keeping.codes.coded(line, keeping.known(line.refund_of))


def _with_decisions(old: BillLine | None, line: BillLine) -> BillLine:
    """What the agency decided against a line outlives its replacement; what it decided in its
    favour only while the same is charged. The hospital may always say: not for the injury."""
    if old is None:
        return line
    same = _same(old, line, _CHARGED)
    met = old.limit_met if old.limit_met is False or (same and _same(old, line, _SIGNED)) else None
    kept = line._replace(violation=old.violation, limit_met=met)
    if not old.reviewed:
        return kept
    against = old.relation is not Relation.INJURY
    if line.relation is Relation.UNRELATED:
        return kept._replace(reviewed=against)
    if against or same:
        return kept._replace(relation=old.relation, reviewed=True)
    return kept


def _same(old: BillLine, line: BillLine, names: Iterable[str]) -> bool:
    return all(getattr(old, name) == getattr(line, name) for name in names)


def _sign_fault(line: BillLine) -> Finding | None:
    """A charge is not negative; a refund is, in quantity and amount, and names its original."""
    sound = (
        line.quantity < 0 and line.amount_fen <= 0
        if line.refund_of
        else line.quantity >= 0 and line.amount_fen >= 0
    )
    if sound and line.price >= 0:
        return None
    expected = "Quantity < 0, Amount <= 0" if line.refund_of else "Quantity, Price, Amount >= 0"
    got = f"{written(line.quantity, QUANTITY_PLACES)} / {yuan(line.amount_fen)}"
    return Finding("LINE_SIGN", "Quantity", got, expected, line.line_id)


def _tolerance(desk: Desk, day: date) -> int:
    told = desk.policy.find("line/amount_tolerance_fen", day)
    return 0 if told is None else told.number


def _amount_fault(keeping: _Keeping, line: BillLine) -> Finding | None:
    """Amount = round(price × quantity), within the tolerance of the region if it has one; the
    refund of the last of a line may give back what is left of its amount instead."""
    expected, rest = times(line.price, line.quantity), _rest(keeping, line)
    tolerance = keeping.tolerances[line.service_day]
    if abs(line.amount_fen - expected) <= tolerance or line.amount_fen == rest:
        return None
    wanted = yuan(expected) if rest in (None, expected) else f"{yuan(expected)} | {yuan(rest)}"
    return Finding("LINE_AMOUNT_MISMATCH", "Amount", yuan(line.amount_fen), wanted, line.line_id)


def _rest(keeping: _Keeping, line: BillLine) -> int | None:
    """What a refund that brings the quantity of its original to zero gives back of the amount,
    after what each refund before it was rounded to; None for any other line."""
    original = keeping.known(line.refund_of) if line.refund_of else None
    if original is None:
        return None
    others = _others(keeping, line)
    if original.quantity + line.quantity + sum(one.quantity for one in others):
        return None
    return -original.amount_fen - sum(one.amount_fen for one in others)


def _others(keeping: _Keeping, line: BillLine) -> list[BillLine]:
    """The other refunds of the original that the refund names."""
    return [one for one in keeping.refunds_of(line.refund_of) if one.line_id != line.line_id]


def _refund_fault(keeping: _Keeping, line: BillLine) -> Finding | None:
    if not line.refund_of:
        return _original_fault(keeping, line)
    if keeping.refunds_of(line.line_id):
        return Finding("LINE_HAS_REFUNDS", "LineId", line.line_id, "", line.line_id)
    original = keeping.known(line.refund_of)
    if original is None or original.refund_of or line.refund_of == line.line_id:
        return Finding("REFUND_TARGET", "RefundOf", line.refund_of, "", line.line_id)
    if (original.code, original.price) != (line.code, line.price):
        return Finding("REFUND_MISMATCH", "Code", line.code, original.code, line.line_id)
    rest = _rest(keeping, line)
    if rest is not None and line.amount_fen < rest:
        got, left = yuan(line.amount_fen), yuan(rest)
        return Finding("REFUND_EXCEEDS_ORIGINAL", "Amount", got, left, line.line_id)
    return _net_fault(original, [*_others(keeping, line), line], line)


def _original_fault(keeping: _Keeping, line: BillLine) -> Finding | None:
    """A replaced original must still carry its refunds."""
    refunds = keeping.refunds_of(line.line_id)
    old = keeping.before.get(line.line_id)
    if old is not None and old.refund_of:
        return Finding("LINE_HAS_REFUNDS", "RefundOf", "", old.refund_of, line.line_id)
    if not refunds or old is None:
        return None
    if (old.code, old.price) != (line.code, line.price):
        return Finding("LINE_HAS_REFUNDS", "LineId", line.line_id, "", line.line_id)
    return _net_fault(line, refunds, line)


def _net_fault(original: BillLine, refunds: Iterable[BillLine], line: BillLine) -> Finding | None:
    listed = list(refunds)
    quantity = original.quantity + sum(one.quantity for one in listed)
    amount = original.amount_fen + sum(one.amount_fen for one in listed)
    if quantity >= 0 and amount >= 0:
        return None
    got = f"{written(quantity, QUANTITY_PLACES)} / {yuan(amount)}"
    return Finding("REFUND_EXCEEDS_ORIGINAL", "Quantity", got, ">= 0", line.line_id)


def _uploaded(file: StayFile, command: UploadFees, keeping: _Keeping) -> Plan:
    fresh = [line_id for line_id in keeping.lines if line_id not in keeping.before]
    count = file.row["line_count"] + len(fresh)
    if count > _MOST_LINES:
        return refused(Finding("TOO_MANY_LINES", "Line", str(count), f"<= {_MOST_LINES}"))
    added = sum(
        line.amount_fen - (old.amount_fen if (old := keeping.before.get(line_id)) else 0)
        for line_id, line in keeping.lines.items()
    )
    amount = file.row["amount_fen"] + added
    if amount >= _AMOUNT_LIMIT_FEN:
        return refused(Finding("TOTAL_MISMATCH", "Amount", yuan(amount), "< 10^12"))
    return applied(
        FeesUploaded(answers=tuple(keeping.answers), kept_count=count, kept_amount_fen=amount),
        subject=file.stay.admission_id,
        guards=keeping.codes.guards,
        writes=_writes(file, keeping, count, amount),
        acts=(Act(action="fees.upload", subject=file.stay.admission_id),),
    )


def _writes(file: StayFile, keeping: _Keeping, count: int, amount: int) -> tuple[Write, ...]:
    """The lines as a set, and the stay's running count and sum."""
    if not keeping.lines:
        return ()
    rows = [_row(file, line) for line in keeping.lines.values()]
    return (totals_changed(file, count, amount), Upsert(tables.bill_line, rows))


def _row(file: StayFile, line: BillLine) -> dict[str, object]:
    return line_row(file.stay.admission_id, line)


def totals_changed(file: StayFile, count: int, amount: int) -> Change:
    """The stay with its new count and sum of lines; its version moves."""
    stay = file.stay
    where = {"admission_id": stay.admission_id, "version": stay.version}
    values = {"version": stay.version + 1, "line_count": count, "amount_fen": amount}
    return Change(tables.admission, where, values)
