"""单元格 Safe cells: a foreign text never becomes a formula, an amount is a number.

A spreadsheet runs what begins with = + - @ and their like; such a text is stored as text
and shown behind an apostrophe.
"""

from decimal import Decimal
from typing import Any, Final

from gateway.domain.money import FEN_PLACES

_TRIGGERS: Final = frozenset("=+-@|%＝＋－＠｜％\t\r\n")
_QUOTE: Final = "'"


def harmless(text: str) -> str:
    """The text, behind an apostrophe when a spreadsheet might run it."""
    first = text.lstrip()[:1]
    return _QUOTE + text if {text[:1], first} & _TRIGGERS else text


def yuan_number(amount_fen: int) -> Decimal:
    """The amount in yuan, exactly: 1050 is 10.50."""
    return Decimal(amount_fen).scaleb(-FEN_PLACES)


class Grid:
    """One worksheet, filled row by row."""

    def __init__(self, sheet: Any, styles: "Styles") -> None:
        self._sheet, self._styles, self._row = sheet, styles, 0

    def write(self, *values: str | int | Decimal | None, heading: bool = False) -> None:
        """One row: texts as text, integers as counts, decimals as amounts, None as nothing.

        Raises ValueError when a text is too long for a cell: nothing is left out silently.
        """
        for column, value in enumerate(values):
            self._cell(column, value, heading)
        self._row += 1

    def _cell(self, column: int, value: str | int | Decimal | None, heading: bool) -> None:
        styles, at = self._styles, (self._row, column)
        match value:
            case None:
                self._sheet.write_blank(*at, None, styles.text)
            case str():
                style = styles.heading if heading else styles.text
                if self._sheet.write_string(*at, harmless(value), style):
                    raise ValueError("单元格放不下这段文字 / a text is too long for a cell")
            case Decimal():
                self._sheet.write_number(*at, value, styles.money)
            case int():
                self._sheet.write_number(*at, value, styles.count)


_FONT_POINTS: Final = 10
"""A size at which a sheet of all columns prints legibly."""


class Styles:
    """The formats of a workbook: heading, text, count, amount."""

    def __init__(self, book: Any) -> None:
        plain = {"valign": "top", "font_name": "宋体", "font_size": _FONT_POINTS}
        self.heading = book.add_format(
            {
                **plain,
                "bold": True,
                "font_color": "#FFFFFF",
                "bg_color": "#0B5563",
                "text_wrap": True,
                "valign": "vcenter",
            }
        )
        self.text = book.add_format({**plain, "num_format": "@"})
        self.count = book.add_format({**plain, "num_format": "0"})
        self.money = book.add_format({**plain, "num_format": "#,##0.00"})
