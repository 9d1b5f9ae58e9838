"""The meal allowance 住院伙食补助费 of a stay: paid days, the rate of each, the rounding."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from fractions import Fraction
from typing import Final

from gateway.domain.admission import Stay
from gateway.domain.bill import BillLine, Citation, MealVerdict
from gateway.domain.case import TreatmentKind
from gateway.domain.money import rounded
from gateway.domain.party import Party
from gateway.policy import anchors
from gateway.rules.context import Context
from gateway.rules.meal_days import MealDays, counted_days
from gateway.rules.meal_rate import MealRate, meal_rate, says
from gateway.rules.place import crosses_province

_DAY_RULE: Final = "meal/day_rule"
_CHANNEL: Final = "meal/channel"
_ROUNDING: Final = "meal/rounding"
_ELSEWHERE: Final = "cross_province/meal"
NO_MEAL: Final = MealVerdict(days=0, per_day_fen=0, amount_fen=0, channel="")
CountedRates = tuple[tuple[int, Fraction], ...]
"""How many days count at which rate, in fen; what they add up to is rounded to the fen."""


def meal_allowance(
    context: Context, hospital: Party, lines: tuple[BillLine, ...], others: tuple[Stay, ...]
) -> tuple[MealVerdict, tuple[date, ...]]:
    """The allowance with its sources, and the days that it pays. Raises PolicyGap."""
    if context.stay.treatment is TreatmentKind.DEVICE:
        return NO_MEAL, ()
    if _by_hand(context, hospital):
        source = context.cited(_ELSEWHERE, context.stay.admitted_on)
        return replace(NO_MEAL, citations=(source,)), ()
    last = context.stay.last_day
    days = counted_days(context, lines, others)
    # The last day is asked first: a gap names it, whichever days are paid.
    asked = {day: meal_rate(context, hospital, day) for day in (last, *days.paid)}
    rates = {day: asked[day] for day in days.paid or (last,)}
    shown = rates[max(rates)]
    verdict = MealVerdict(
        days=len(days.paid),
        per_day_fen=shown.fen,
        amount_fen=_amount(context, [rates[day] for day in days.paid]),
        channel=context.value(_CHANNEL, last).word,
        citations=_sources(context, days, rates),
    )
    return verdict, days.paid


def _by_hand(context: Context, hospital: Party) -> bool:
    """Whether the allowance of a stay in another province is claimed at the insured place;
    where no text says so it is settled with the stay."""
    if not crosses_province(hospital, context.policy):
        return False
    said = context.policy.find(_ELSEWHERE, context.stay.admitted_on)
    return said is not None and said.word == "MANUAL"


def _amount(context: Context, rates: list[MealRate]) -> int:
    """The rate of a day is rounded before it counts, unless a text rounds the stay."""
    if not _rounds_stay(context):
        return sum(rate.fen for rate in rates)
    exact = sum((Fraction(rate.numerator, rate.denominator) for rate in rates), Fraction())
    return rounded(exact.numerator, exact.denominator)


def counted_rates(context: Context, hospital: Party, days: Iterable[date]) -> CountedRates:
    """The days that the allowance pays by the rate that each counts at, as `meal_allowance` adds
    them up, in the order of the first day of each. Raises PolicyGap."""
    rates = [meal_rate(context, hospital, day) for day in days]
    if _rounds_stay(context):
        counted = Counter(Fraction(rate.numerator, rate.denominator) for rate in rates)
    else:
        counted = Counter(Fraction(rate.fen) for rate in rates)
    return tuple((number, rate) for rate, number in counted.items())


def _rounds_stay(context: Context) -> bool:
    return says(context, _ROUNDING, "STAY", context.stay.last_day)


def _sources(context: Context, days: MealDays, rates: dict[date, MealRate]) -> tuple[Citation, ...]:
    last = context.stay.last_day
    cited = [context.cited(_DAY_RULE, last), *days.cuts]
    cited += dict.fromkeys(one for rate in rates.values() for one in rate.sources)
    cited += [context.cited(_ROUNDING, last)] if _rounds_stay(context) else []
    return (anchors.MEAL_ALLOWANCE, *cited, context.cited(_CHANNEL, last))
