"""One line, all facts resolved: who bears it. The same function serves settlement and
`gateway calculate`.

治疗工伤所需费用符合工伤保险诊疗项目目录、工伤保险药品目录、工伤保险住院服务标准的，
从工伤保险基金支付。（工伤保险条例 第三十条第三款）
"""

from dataclasses import dataclass
from typing import NamedTuple

from gateway.domain.bill import Steps
from gateway.domain.money import ONE, portion, times
from gateway.domain.split import NOTHING, Payer, Split, all_to


class NoPayerStated(Exception):
    """The texts do not say who bears this part: never assume one.

    `bearer` is the field of Bearers that no text fills.
    """

    def __init__(self, bearer: str) -> None:
        super().__init__(f"no text says who bears this part: {bearer}")
        self.bearer = bearer


class Terms(NamedTuple):
    """What the line rule sees. Price and ceiling in 10^-6 yuan, quantities and ratio in 10^-4.

    A line with an amount alone has no price: neither ceiling nor limit applies to it.
    `excluded` is the reason that a line outside the catalogue is printed with.
    With a price, `amount_fen` is what was charged when it is not round(price × quantity).
    """

    price: int | None
    quantity: int
    amount_fen: int | None = None
    in_catalogue: bool = True
    excluded: str = "OUT_OF_CATALOGUE"
    ceiling: int | None = None
    quantity_limit: int | None = None
    ratio: int = ONE
    consent: Payer | None = None
    unrelated: bool = False
    outside: str = ""
    violation: str = ""
    late: bool = False
    before_cover: bool = False
    in_arrears: bool = False
    emergency_approved: bool = False
    refused_discharge: bool = False


@dataclass(frozen=True, slots=True)
class Bearers:
    """Who bears what the fund does not; None where no text says."""

    no_consent: Payer | None
    ratio: Payer | None = Payer.INDIVIDUAL
    refused_discharge: Payer | None = Payer.INDIVIDUAL
    employer_not_notified: bool = False
    emergency_item: Payer | None = Payer.FUND
    over_quantity: Payer | None = Payer.HOSPITAL


class Decided(NamedTuple):
    """The amount of the line, its split, the reasons that moved money, and every step."""

    amount_fen: int
    split: Split
    reasons: tuple[str, ...]
    steps: Steps


def decide(terms: Terms, bearers: Bearers) -> Decided:
    """Split one line; the payers add up to its amount to the fen.

    Raises NoPayerStated when money falls to a payer that no text names.
    """
    amount = _amount(terms)
    in_time = _whole if is_whole(terms) else _shared
    split, reasons, steps = in_time(terms, bearers, amount)
    if terms.late or terms.before_cover or terms.in_arrears:
        return _moved_to_employer(terms, Decided(amount, split, reasons, steps))
    return Decided(amount, split, reasons, steps)


def _moved_to_employer(terms: Terms, in_time: Decided) -> Decided:
    """The employer takes over what the fund would have borne, and nothing else."""
    steps, split = in_time.steps._replace(late=0), in_time.split
    if not split.fund_fen:
        return in_time._replace(steps=steps)
    moved = split._replace(fund_fen=0, employer_fen=split.employer_fen + split.fund_fen)
    return in_time._replace(split=moved, reasons=(*in_time.reasons, _why(terms)), steps=steps)


def _why(terms: Terms) -> str:
    if terms.before_cover:
        return "BEFORE_COVER"
    return "EMPLOYER_IN_ARREARS" if terms.in_arrears else "LATE_APPLICATION"


def _amount(terms: Terms) -> int:
    if terms.amount_fen is not None:
        return terms.amount_fen
    return times(_price(terms), terms.quantity)


def _price(terms: Terms) -> int:
    if terms.price is None:
        raise ValueError("a line needs a price or an amount")
    return terms.price


def is_whole(terms: Terms) -> bool:
    """Whether one ground takes the whole line."""
    return bool(
        terms.unrelated
        or terms.outside
        or terms.violation
        or terms.refused_discharge
        or not terms.in_catalogue
    )


_Step = tuple[Split, tuple[str, ...], Steps]


def _whole(terms: Terms, bearers: Bearers, amount: int) -> _Step:
    """One payer takes the whole line; a line of nothing asks for no payer."""
    if not amount:
        return NOTHING, (), Steps(0, whole=0)
    payer, reason = _first_ground(terms, bearers)
    split = all_to(payer, amount)
    return split, (reason,), Steps(amount, whole=split.fund_fen)


def _first_ground(terms: Terms, bearers: Bearers) -> tuple[Payer, str]:
    if terms.unrelated:
        return Payer.OTHER, "NOT_INJURY"
    if terms.violation:
        return Payer.HOSPITAL, terms.violation
    if terms.outside:
        return Payer.OTHER, terms.outside
    if terms.refused_discharge:
        return _stated(bearers.refused_discharge, "refused_discharge"), "REFUSED_DISCHARGE"
    return _excess_bearer(terms, bearers, terms.excluded)


def _excess_bearer(terms: Terms, bearers: Bearers, reason: str) -> tuple[Payer, str]:
    """Who bears what lies outside the catalogue or above a ceiling, and the reason to print."""
    if terms.emergency_approved:
        return _stated(bearers.emergency_item, "emergency_item"), "EMERGENCY_APPROVED"
    if bearers.employer_not_notified:
        return Payer.EMPLOYER, "EMPLOYER_NOT_NOTIFIED"
    return terms.consent or _stated(bearers.no_consent, "no_consent"), reason


def _stated(payer: Payer | None, bearer: str) -> Payer:
    if payer is None:
        raise NoPayerStated(bearer)
    return payer


def _shared(terms: Terms, bearers: Bearers, amount: int) -> _Step:
    """A line inside the catalogue: over quantity, over ceiling, ratio; the fund bears the rest."""
    within_quantity = _within_quantity(terms, amount)
    eligible = _eligible(terms, within_quantity)
    fund = portion(eligible, terms.ratio)
    steps = Steps(amount, None, within_quantity, eligible, fund)
    split, reasons = Split(fund), []
    if amount != within_quantity:
        payer = _stated(bearers.over_quantity, "over_quantity")
        split = split.given(payer, amount - within_quantity)
        reasons.append("OVER_QTY")
    if within_quantity != eligible:
        payer, reason = _excess_bearer(terms, bearers, "OVER_CEILING")
        split = split.given(payer, within_quantity - eligible)
        reasons.append(reason)
    if eligible != fund:
        split = split.given(_stated(bearers.ratio, "ratio"), eligible - fund)
        reasons.append("REGIONAL_RATIO")
    return split, tuple(reasons), steps


def _within_quantity(terms: Terms, amount: int) -> int:
    limit = terms.quantity_limit
    if terms.price is None or limit is None or limit >= terms.quantity:
        return amount
    return min(times(terms.price, limit), amount)


def _eligible(terms: Terms, within_quantity: int) -> int:
    price, ceiling = terms.price, terms.ceiling
    if price is None or ceiling is None or ceiling >= price:
        return within_quantity
    limit = terms.quantity_limit
    count = terms.quantity if limit is None else min(limit, terms.quantity)
    capped = times(ceiling, count)
    # A charged amount may lie a fen below price × quantity: never pay more than was charged.
    return min(capped, within_quantity) if within_quantity >= 0 else max(capped, within_quantity)
