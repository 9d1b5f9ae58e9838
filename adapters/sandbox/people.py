"""Generated workers: names and identity numbers that belong to nobody."""

from typing import Final

from gateway.domain.commands import Identity

_REGION: Final = "999900"
_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK_DIGITS: Final = "10X98765432"
_NUMERALS: Final = "零一二三四五六七八九"


def worker(serial: int) -> Identity:
    """The made-up worker of this serial number, 1 to 99; the same for ever."""
    return Identity(id_no=_id_no(serial), name=f"虚构{_numeral(serial)}")


def _id_no(serial: int) -> str:
    """A number with a right check digit (GB 11643) in a region code that is nobody's."""
    body = f"{_REGION}{1966 + serial % 36}{1 + serial % 12:02d}{1 + serial % 28:02d}{serial:03d}"
    weighed = sum(int(digit) * weight for digit, weight in zip(body, _WEIGHTS, strict=True))
    return body + _CHECK_DIGITS[weighed % len(_CHECK_DIGITS)]


def _numeral(serial: int) -> str:
    return "".join(_NUMERALS[int(digit)] for digit in f"{serial:02d}")
