"""What a day of the meal allowance pays 伙食补助费标准: an amount, or a percentage of an index.

基金支付的具体标准由统筹地区人民政府规定。（工伤保险条例 第三十条第四款）
"""

from dataclasses import dataclass
from datetime import date
from typing import Final

from gateway.domain.bill import Citation
from gateway.domain.money import portion, rounded
from gateway.rules.resolve import Context

_FORM: Final = "meal/form"
_FIXED: Final = "meal/per_day_fen"
_AWAY: Final = "meal/out_of_region_per_day_fen"
_INDEX: Final = "meal/index"
_AMOUNT: Final = "meal/index_fen"
_PERCENT: Final = "meal/index_percent"
_DIVISOR: Final = "meal/index_divisor"


@dataclass(frozen=True, slots=True)
class MealRate:
    """Fen per day, already rounded, with the texts that gave it."""

    fen: int
    sources: tuple[Citation, ...]


def meal_rate(context: Context, day: date, *, away: bool) -> MealRate:
    """The rate of the day; `away` is a stay outside the pooling region.

    The day's rate is rounded before it is multiplied by days. Raises PolicyGap when the form
    or a part of it is in no text.
    """
    if away:
        return _fixed(context, _AWAY, day)
    # A region that gives an amount per day need not also say that the amount is fixed.
    if _FORM not in context.policy.parameters or context.value(_FORM, day).word == "FIXED":
        return _fixed(context, _FIXED, day)
    return _of_index(context, day)


def _fixed(context: Context, key: str, day: date) -> MealRate:
    return MealRate(context.value(key, day).number, (context.cited(key, day),))


def _of_index(context: Context, day: date) -> MealRate:
    """An index of a month is divided into days; one of a day is not."""
    keys = [_FORM, _INDEX, _AMOUNT, _PERCENT]
    index_fen = context.value(_AMOUNT, day).number
    percent = context.value(_PERCENT, day).number
    if context.value(_INDEX, day).word == "DAILY_AVERAGE_WAGE":
        fen = portion(index_fen, percent)
    else:
        # Percent and divisor are both ten-thousandths, so their scales cancel.
        fen = rounded(index_fen * percent, context.value(_DIVISOR, day).number)
        keys.append(_DIVISOR)
    return MealRate(fen, tuple(context.cited(key, day) for key in keys))
