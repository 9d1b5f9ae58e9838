"""The cells of one row, typed; what is wrong with them is collected, not raised."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final, TypeVar

from adapters.catalog_file.names import AGREEMENT
from gateway.domain.money import MalformedNumber, price, quantity

SHOWN_LONGEST: Final = 40
TEXT_LONGEST: Final = 200
LONGEST: Final[Mapping[str, int]] = {"remark": 2000, "mark": 2000, "pay_standard": 500}

Word = TypeVar("Word")


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """目录文件的一处错误 One thing wrong with a catalogue file.

    `line` counts from 1, 0 stands for the file as a whole; `column` is "" when
    the fault is not in one column; `got` is safe to print and at most 40
    characters; `zh` and `en` say what was expected.
    """

    file: str
    line: int
    column: str
    got: str
    zh: str
    en: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        where = f"{place} {self.column}" if self.column else place
        return f"{where}: 得到「{self.got}」，应为{self.zh} / got '{self.got}', expected {self.en}"


def shown(text: str) -> str:
    """Text safe to print: hidden characters escaped, at most 40 characters."""
    safe = "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode("ascii")
        for char in text[: SHOWN_LONGEST + 1]
    )
    return safe if len(safe) <= SHOWN_LONGEST else safe[: SHOWN_LONGEST - 1] + "…"


@dataclass(slots=True)
class Cells:
    """One row of a file under its header; each column keeps its first fault only."""

    file: str
    line: int
    values: dict[str, str]
    faults: dict[str, Fault] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # Equal characters in another Unicode form would be another drug to the digest.
        self.values = {
            column: unicodedata.normalize("NFC", text) for column, text in self.values.items()
        }
        for column, text in self.values.items():
            self._check_text(column, text)

    def _check_text(self, column: str, text: str) -> None:
        longest = LONGEST.get(column, TEXT_LONGEST)
        if not text.isprintable():
            self.refuse(column, "不含控制或不可见字符", "no control or invisible character")
        elif text != text.strip():
            self.refuse(column, "首尾无空格", "no space at either end")
        elif len(text) > longest:
            self.refuse(column, f"至多 {longest} 个字符", f"at most {longest} characters")

    def refuse(self, column: str, zh: str, en: str) -> None:
        """Record that the column holds something else than expected."""
        got = shown(self.values[column])
        self.faults.setdefault(column, Fault(self.file, self.line, column, got, zh, en))

    def needed(self, column: str) -> str:
        """A text that may not be empty."""
        text = self.values[column]
        if not text:
            self.refuse(column, "非空文字", "a text that is not empty")
        return text

    def one_of(self, column: str, words: Mapping[str, Word], otherwise: Word) -> Word:
        """Our word for one of the allowed words."""
        text = self.values[column]
        if text not in words:
            allowed = " | ".join(words)
            self.refuse(column, f"{allowed} 之一", f"one of {allowed}")
        return words.get(text, otherwise)

    def shaped(self, column: str, shape: re.Pattern[str], zh: str, en: str) -> re.Match[str] | None:
        """The match of a text that must have the given shape."""
        match = shape.fullmatch(self.values[column])
        if match is None:
            self.refuse(column, zh, en)
        return match

    def price(self, column: str) -> int | None:
        """A price above zero in millionths of a yuan; None when the cell is empty."""
        text = self.values[column]
        if not text:
            return None
        try:
            value = price(text)
        except MalformedNumber:
            value = 0
        if value <= 0:
            self.refuse(
                column,
                "大于零的金额（元，至多六位小数）",
                "an amount above zero in yuan with at most six decimals",
            )
        return value

    def quantity(self, column: str) -> int | None:
        """A quantity above zero in 10^-4 of the unit; None when the cell is empty."""
        text = self.values[column]
        if not text:
            return None
        try:
            value = quantity(text)
        except MalformedNumber:
            value = 0
        if value <= 0:
            self.refuse(
                column,
                "大于零的数量（至多四位小数）",
                "above zero, at most four decimals",
            )
        return value

    def period(self, column: str) -> tuple[date | None, date | None]:
        """First and last day of an agreement; a pair of None when the cell is empty."""
        text = self.values[column]
        if not text:
            return None, None
        try:
            first, last = _days(text)
        except ValueError:
            first, last = date.max, date.min
        if last < first:
            self.refuse(
                column,
                "起止日期，如 2025年1月1日至2026年12月31日",
                "first and last day such as 2025年1月1日至2026年12月31日",
            )
        return first, last


def _days(text: str) -> tuple[date, date]:
    match = AGREEMENT.fullmatch(text)
    if match is None:
        raise ValueError("not a pair of days")
    numbers = [int(group) for group in match.groups()]
    return date(*numbers[:3]), date(*numbers[3:])
