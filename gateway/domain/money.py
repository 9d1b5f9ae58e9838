"""Exact money: whole fen, unit prices, quantities and ratios as integers.

A *fen* is 0.01 yuan. A unit price is kept in millionths of a yuan (at most six
decimal places), a quantity and a ratio in ten-thousandths (at most four), so
every product is an integer and rounding happens in one place, `rounded`.
Rounding is 四舍五入: half away from zero.
"""

import re
from typing import Final

# Decimals kept of each kind of number (docs/wire-hospital.md), and digits before the point.
FEN_PLACES: Final = 2
PRICE_PLACES: Final = 6
QUANTITY_PLACES: Final = 4
RATIO_PLACES: Final = 4

ONE: Final = 10**RATIO_PLACES
"""The ratio 1.00, and the quantity 1."""

# What rounds a product to fen, and the digits before the point that every reader can hold.
_FEN_PER_PRODUCT: Final = 10 ** (PRICE_PLACES + QUANTITY_PLACES - FEN_PLACES)
_MAX_WHOLE_DIGITS: Final = 12
# re.ASCII and [0-9]: '１２３', '1_000', ' 12 ', 'NaN' and '1e9' are numbers to other parsers.
_DECIMAL: Final = re.compile(r"(-?)(0|[1-9][0-9]{0,11})(?:\.([0-9]{1,6}))?", re.ASCII)


class MalformedNumber(ValueError):
    """The text is not a plain decimal number within the places allowed."""

    def __init__(self, text: str, places: int) -> None:
        super().__init__(f"not a plain decimal with at most {places} places")
        self.places = places


def scaled(text: str, places: int) -> int:
    """Read a plain decimal text as an integer of 10^-places.

    Raises MalformedNumber for anything but an optional minus, ASCII digits
    without leading zeros (at most 12) and at most `places` decimals.
    """
    match = _DECIMAL.fullmatch(text)
    if match is None:
        raise MalformedNumber(text, places)
    sign, whole, decimals = match.groups(default="")
    if len(decimals) > places:
        raise MalformedNumber(text, places)
    value = int(whole + decimals.ljust(places, "0"))
    return -value if sign else value


def fen(text: str) -> int:
    """Yuan text with at most two places, in fen. Raises MalformedNumber."""
    return scaled(text, FEN_PLACES)


def price(text: str) -> int:
    """Yuan text with at most six places, in millionths of a yuan. Raises MalformedNumber."""
    return scaled(text, PRICE_PLACES)


def quantity(text: str) -> int:
    """Quantity text with at most four places, in ten-thousandths. Raises MalformedNumber."""
    return scaled(text, QUANTITY_PLACES)


def ratio(text: str) -> int:
    """Ratio text with at most four places, in ten-thousandths. Raises MalformedNumber."""
    return scaled(text, RATIO_PLACES)


def written(value: int, places: int, least: int = 0) -> str:
    """The decimal text of an integer of 10^-places, with at least `least` decimals."""
    digits = str(abs(value)).rjust(places + 1, "0")
    whole, decimals = digits[:-places], digits[-places:].rstrip("0").ljust(least, "0")
    return ("-" if value < 0 else "") + whole + ("." + decimals if decimals else "")


def yuan(amount_fen: int) -> str:
    """The amount in yuan with exactly two places: 1050 is "10.50"."""
    return written(amount_fen, FEN_PLACES, FEN_PLACES)


def price_text(value: int) -> str:
    """A unit price in yuan with two to six places."""
    return written(value, PRICE_PLACES, FEN_PLACES)


def quantity_text(value: int) -> str:
    """A quantity without trailing zeros."""
    return written(value, QUANTITY_PLACES)


def rounded(numerator: int, denominator: int) -> int:
    """numerator / denominator, half away from zero; denominator > 0."""
    if numerator < 0:
        return -((-numerator * 2 + denominator) // (denominator * 2))
    return (numerator * 2 + denominator) // (denominator * 2)


def times(unit_price: int, count: int) -> int:
    """round(price × quantity) in fen."""
    return rounded(unit_price * count, _FEN_PER_PRODUCT)


def portion(amount_fen: int, ratio: int) -> int:
    """round(amount × ratio) in fen."""
    return rounded(amount_fen * ratio, ONE)
