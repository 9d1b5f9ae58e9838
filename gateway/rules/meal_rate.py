"""What a day of the meal allowance pays 伙食补助费标准: an amount, or a percentage of an index;
by place, and by whether the paid leave is over.

基金支付的具体标准由统筹地区人民政府规定。（工伤保险条例 第三十条第四款）
"""

from dataclasses import dataclass
from datetime import date
from typing import Final

from gateway.domain.bill import Citation
from gateway.domain.case import PLACE_KINDS
from gateway.domain.money import ONE, rounded
from gateway.domain.party import Party
from gateway.policy.model import PolicyGap
from gateway.rules.approvals import first_uncovered
from gateway.rules.context import Context
from gateway.rules.paid_leave import ended

_FORM: Final = "meal/form"
_FIXED: Final = "meal/per_day_fen"
_PLACES: Final = "meal/places"
_CITY: Final = "meal/city_per_day_fen"
_AWAY: Final = "meal/out_of_region_per_day_fen"
_AFTER_LEAVE: Final = "meal/after_paid_leave_per_day_fen"
_INDEX: Final = "meal/index"
_AMOUNT: Final = "meal/index_fen"
_PERCENT: Final = "meal/index_percent"
_AWAY_FORM: Final = "meal/out_of_region_form"
_AWAY_PERCENT: Final = "meal/out_of_region_percent"
_DIVISOR: Final = "meal/index_divisor"


@dataclass(frozen=True, slots=True)
class MealRate:
    """What a day pays, as a fraction of fen, with the texts that gave it."""

    numerator: int
    denominator: int
    sources: tuple[Citation, ...]

    @property
    def fen(self) -> int:
        """The day's rate rounded to the fen."""
        return rounded(self.numerator, self.denominator)


def meal_rate(context: Context, hospital: Party, day: date) -> MealRate:
    """The rate of the day. Raises PolicyGap when the form or a part of it is in no text.

    The rate elsewhere is for places that were approved (第三十条第四款); an emergency
    elsewhere has that of the region. One after the paid leave is asked for in the region only.
    """
    if hospital.region != context.policy.region and _approved(context, day):
        return _elsewhere(context, day)
    if context.said(_AFTER_LEAVE, day) is not None:
        over = ended(context, day)
        if over is not None:
            return _fixed(context, _AFTER_LEAVE, day, (over,))
    form = context.said(_FORM, day)
    # A region that gives an amount per day need not also say that the amount is fixed.
    if form is None or form.word == "FIXED":
        return _fixed(context, _of_place(context, hospital, day), day)
    return _of_index(context, _FORM, _PERCENT, day)


def says(context: Context, key: str, word: str, day: date) -> bool:
    """Whether a text says this on the day: for rules that hold unless a region says so."""
    found = context.said(key, day)
    return found is not None and found.word == word


def _approved(context: Context, day: date) -> bool:
    return first_uncovered(context.asked, PLACE_KINDS, day, day) is None


def _elsewhere(context: Context, day: date) -> MealRate:
    if says(context, _AWAY_FORM, "PCT_OF_INDEX", day):
        return _of_index(context, _AWAY_FORM, _AWAY_PERCENT, day)
    return _fixed(context, _AWAY, day)


def _of_place(context: Context, hospital: Party, day: date) -> str:
    """The key of the amount: some texts give cities an amount of their own, and the directory
    says which institution lies in one. Raises PolicyGap when it does not list the hospital."""
    if not says(context, _PLACES, "CITY_APART", day):
        return _FIXED
    policy = context.policy
    listed = policy.institution(hospital.party_id, day) or policy.institution(hospital.name, day)
    if listed is None:
        raise PolicyGap(
            "directory",
            day,
            f"名录没有写明 {hospital.party_id} 在何处",
            f"the directory does not say where {hospital.party_id} lies",
        )
    return _CITY if listed.city else _FIXED


def _fixed(context: Context, key: str, day: date, because: tuple[Citation, ...] = ()) -> MealRate:
    return MealRate(context.value(key, day).number, 1, (*because, context.cited(key, day)))


def _of_index(context: Context, form: str, percent_key: str, day: date) -> MealRate:
    """An index of a month is divided into days; one of a day is not."""
    keys = [form, _INDEX, _AMOUNT, percent_key]
    index_fen = context.value(_AMOUNT, day).number
    percent, divisor = context.value(percent_key, day).number, ONE
    if context.value(_INDEX, day).word != "DAILY_AVERAGE_WAGE":
        # Percent and divisor are both ten-thousandths, so their scales cancel.
        divisor = context.value(_DIVISOR, day).number
        keys.append(_DIVISOR)
    return MealRate(index_fen * percent, divisor, tuple(context.cited(key, day) for key in keys))
