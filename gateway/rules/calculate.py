"""Calculation cases 试算: the settlement's own line rule on facts that are already resolved.

Order and rounding are those of gateway.rules.line; nothing is decided here.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from gateway.domain.bill import Payee
from gateway.domain.calculation import (
    Calculated,
    CalculatedLine,
    CalculatedPaid,
    CalculatedStay,
    Case,
    CaseLine,
    CasePaid,
    CaseStay,
    Expected,
    ExpectedLine,
    ExpectedPaid,
    ExpectedTravel,
    Unequal,
)
from gateway.domain.money import times, yuan
from gateway.domain.payments import PriorPayer
from gateway.domain.split import Payer, total
from gateway.domain.travel import CaseTrip, TravelVerdict
from gateway.rules.line import Bearers, Terms, decide
from gateway.rules.meal import meal_days
from gateway.rules.payout import OWN_CLAIMS, claim, moved, shared, taken_off
from gateway.rules.settle import NettedTerms
from gateway.rules.travel import travel

_DAY_RULE = "EXCLUDE_DISCHARGE"


def calculate(case: Case) -> Calculated:
    """The result of one case, decided by the line rule of every settlement."""
    bearers = Bearers(
        no_consent=case.no_consent_payer,
        ratio=case.ratio_payer,
        employer_not_notified=case.employer_not_notified,
    )
    lines = tuple(_calculated(no, line, bearers) for no, line in enumerate(case.lines, start=1))
    split = total([line.split for line in lines])
    paid = _paid(case.paid, split.fund_fen)
    if paid is not None:
        split = moved(split, paid.taken_off_fen)
    return Calculated(case.id, split, lines, _meal(case.stay), paid, _travel(case.travel))


def _paid(paid: CasePaid | None, fund_fen: int) -> CalculatedPaid | None:
    if paid is None:
        return None
    off = taken_off(fund_fen, paid.by.get(PriorPayer.THIRD_PARTY, 0))
    claims = [(Payee(payer), paid.by[payer]) for payer in OWN_CLAIMS if payer in paid.by]
    shares = shared(fund_fen - off, claims, Payee.HOSPITAL)
    owed = None if paid.liability is None else claim(fund_fen - off, paid.liability)
    payees = {payee: fen for payee, fen in shares.items() if fen}
    return CalculatedPaid(payees, off, owed)


def _travel(trip: CaseTrip | None) -> TravelVerdict | None:
    """Raises ValueError for a trip without caps: the caller looks up those of a region."""
    if trip is None:
        return None
    if trip.caps is None:
        raise ValueError("a trip is computed under its caps")
    return travel(trip.trip, trip.caps)


def _calculated(no: int, line: CaseLine, bearers: Bearers) -> CalculatedLine:
    decided = decide(_terms(line), bearers)
    return CalculatedLine(no, decided.amount_fen, decided.split, tuple(sorted(decided.reasons)))


def _terms(line: CaseLine) -> Terms:
    return Terms(
        price=line.price,
        quantity=line.quantity,
        amount_fen=line.amount_fen,
        in_catalogue=line.in_catalogue,
        ceiling=line.ceiling,
        quantity_limit=line.quantity_limit,
        ratio=line.ratio,
        consent=line.consent,
        unrelated=line.unrelated,
        violation=line.violation,
        late=line.late,
        emergency_approved=line.emergency_approved,
        refused_discharge=line.refused_discharge,
    )


def _meal(stay: CaseStay | None) -> CalculatedStay | None:
    if stay is None:
        return None
    days = meal_days(stay.admitted, stay.discharged, _DAY_RULE)
    return CalculatedStay(days, stay.meal_rate_fen * days)


def unequal(case: Case, result: Calculated) -> tuple[Unequal, ...]:
    """Every difference between the result and what its case expects; none without `expect`."""
    return () if case.expect is None else tuple(_unequal(case.id, case.expect, result))


def _unequal(case: str, expect: Expected, result: Calculated) -> Iterator[Unequal]:
    if expect.total_fen is not None:
        yield from _money(case, 0, "total", result.split.total_fen, expect.total_fen)
    for payer, expected_fen in expect.payers.items():
        yield from _money(case, 0, payer.value, result.split.borne_by(payer), expected_fen)
    if expect.lines is not None:
        yield from _unequal_lines(case, expect.lines, result.lines)
    if expect.stay is not None:
        yield from _unequal_stay(case, expect, result)
    if expect.paid is not None:
        yield from _unequal_paid(case, expect.paid, result.paid)
    if expect.travel is not None:
        yield from _unequal_travel(case, expect.travel, result.travel)


def _unequal_lines(
    case: str, expected: Sequence[ExpectedLine], lines: Sequence[CalculatedLine]
) -> Iterator[Unequal]:
    """The list of lines is compared whole: one missing or too many is a difference."""
    by_no = {line.no: line for line in lines}
    for one in expected:
        line = by_no.pop(one.no, None)
        if line is None:
            yield Unequal(case, one.no, "line", "none", "a line")
        else:
            yield from _unequal_line(case, one, line)
    for no in by_no:
        yield Unequal(case, no, "line", "a line", "none")


def _unequal_line(case: str, expected: ExpectedLine, line: CalculatedLine) -> Iterator[Unequal]:
    if expected.amount_fen is not None:
        yield from _money(case, line.no, "amount", line.amount_fen, expected.amount_fen)
    for payer in Payer:
        yield from _money(
            case, line.no, payer.value, line.split.borne_by(payer), expected.split.borne_by(payer)
        )
    if expected.reasons is not None and expected.reasons != line.reasons:
        yield Unequal(case, line.no, "reasons", _listed(line.reasons), _listed(expected.reasons))


def _unequal_stay(case: str, expect: Expected, result: Calculated) -> Iterator[Unequal]:
    wanted, got = expect.stay, result.stay
    if wanted is None or got is None:
        yield Unequal(case, 0, "stay", "none", "a stay")
        return
    if wanted.meal_days is not None and wanted.meal_days != got.meal_days:
        yield Unequal(case, 0, "meal_days", str(got.meal_days), str(wanted.meal_days))
    if wanted.meal_fen is not None:
        yield from _money(case, 0, "meal", got.meal_fen, wanted.meal_fen)


def _unequal_paid(case: str, wanted: ExpectedPaid, got: CalculatedPaid | None) -> Iterator[Unequal]:
    if got is None:
        yield Unequal(case, 0, "paid", "none", "a payment")
        return
    if wanted.payees is not None:
        for payee in Payee:
            got_fen, wanted_fen = got.payees.get(payee, 0), wanted.payees.get(payee, 0)
            yield from _money(case, 0, payee.value, got_fen, wanted_fen)
    if wanted.taken_off_fen is not None:
        yield from _money(case, 0, "taken_off", got.taken_off_fen, wanted.taken_off_fen)
    if wanted.claim_fen is not None:
        yield from _money(case, 0, "claim", got.claim_fen or 0, wanted.claim_fen)


def _unequal_travel(
    case: str, wanted: ExpectedTravel, got: TravelVerdict | None
) -> Iterator[Unequal]:
    if got is None:
        yield Unequal(case, 0, "travel", "none", "a trip")
        return
    if wanted.fund_fen is not None:
        yield from _money(case, 0, "travel.fund", got.fund_fen, wanted.fund_fen)
    if wanted.own_fen is not None:
        yield from _money(case, 0, "travel.own", got.own_fen, wanted.own_fen)


def _money(case: str, line: int, field: str, got_fen: int, expected_fen: int) -> Iterator[Unequal]:
    if got_fen != expected_fen:
        yield Unequal(case, line, field, yuan(got_fen), yuan(expected_fen))


def _listed(reasons: Iterable[str]) -> str:
    return ", ".join(reasons) or "none"


def cases_of(
    id: str, title: str, lines: Iterable[NettedTerms], stay: CaseStay | None = None
) -> tuple[Case, ...]:
    """A bill as calculation cases, each line with its refunds at net quantity.

    One case for each set of payers that the region's texts name, because a case has one; a
    bill whose texts did not change during the stay is one case under the id itself.
    """
    by_bearers: dict[Bearers, list[CaseLine]] = {}
    for line in lines:
        by_bearers.setdefault(line.bearers, []).append(_case_line(line))
    many = len(by_bearers) > 1
    return tuple(
        Case(
            id=f"{id}-{number}" if many else id,
            title=title,
            # A payer that no text names bore nothing, else the bill would be held.
            no_consent_payer=bearers.no_consent or Payer.HOSPITAL,
            ratio_payer=bearers.ratio or Payer.INDIVIDUAL,
            employer_not_notified=bearers.employer_not_notified,
            lines=tuple(of_bearers),
            stay=stay if number == 1 else None,
        )
        for number, (bearers, of_bearers) in enumerate(by_bearers.items(), start=1)
    )


def _case_line(netted: NettedTerms) -> CaseLine:
    """A stopped benefit is told as unrelated and a day before cover as late: a case knows no
    other way to `other` and to the employer."""
    terms = netted.terms
    line = CaseLine(
        name=netted.name,
        price=terms.price,
        quantity=terms.quantity,
        amount_fen=_charged(terms),
        in_catalogue=terms.in_catalogue,
        ceiling=terms.ceiling,
        quantity_limit=terms.quantity_limit,
        ratio=terms.ratio,
        consent=terms.consent,
        unrelated=terms.unrelated or bool(terms.outside),
        violation=terms.violation,
        late=terms.late or terms.before_cover or terms.in_arrears,
        emergency_approved=terms.emergency_approved,
        refused_discharge=terms.refused_discharge,
    )
    if terms.refused_discharge:
        return _refused_discharge(line, netted.bearers.refused_discharge)
    return line


def _refused_discharge(line: CaseLine, payer: Payer | None) -> CaseLine:
    """A case lets the person bear what follows a refused discharge: another payer is told as
    one who signed for it, the hospital as one who may not charge it."""
    if payer is Payer.EMPLOYER:
        return replace(line, refused_discharge=False, in_catalogue=False, consent=payer)
    if payer is Payer.HOSPITAL:
        return replace(line, refused_discharge=False, violation="REFUSED_DISCHARGE")
    return line


def _charged(terms: Terms) -> int | None:
    """The amount, where it does not follow from price and quantity: as after refunds that were
    each rounded."""
    if terms.price is None or terms.amount_fen != times(terms.price, terms.quantity):
        return terms.amount_fen
    return None
