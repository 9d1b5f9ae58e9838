"""政策文件的错误 What is wrong with policy files, all of it at once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final, TypeVar

T = TypeVar("T")
E = TypeVar("E", date, None)
_FIRST_DAY: Final = date(1949, 10, 1)
_LAST_DAY: Final = date(2099, 12, 31)
"""No text of the People's Republic is older, and none names a day beyond this century: such a
year is a slip of the pen (0026, 2206, 9999), and its value would silently never begin."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong in one file, in a sentence of each language."""

    path: str
    zh: str
    en: str

    def __str__(self) -> str:
        return f"{self.path}: {self.zh} / {self.en}"


class BadPolicy(Exception):
    """政策文件不可用: the files hold faults; nothing of them is used. `faults` lists every one."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))


@dataclass(frozen=True, slots=True)
class Page:
    """One file being read: its path and the faults found so far, here and elsewhere."""

    path: str
    faults: list[Fault] = field(repr=False)

    def fault(self, zh: str, en: str) -> None:
        """Note a fault and read on."""
        self.faults.append(Fault(self.path, zh, en))

    def closed(self, table: Mapping[str, Any], required: str, optional: str = "") -> None:
        """Note each key that is missing and each that is not known (space-separated lists)."""
        needed, known = required.split(), {*required.split(), *optional.split()}
        for key in needed:
            if key not in table:
                self.fault(f"缺少字段 {key}", f"key {key} is missing")
        for key in sorted(table.keys() - known):
            self.fault(f"不认识的字段 {key}", f"key {key} is not known")

    def take(self, table: Mapping[str, Any], key: str, kind: type[T], absent: T) -> T:
        """The value of exactly this type (a datetime is no date, a bool no int), or `absent`."""
        value = table.get(key, absent)
        if value is absent or type(value) is kind:
            return value
        self.fault(f"{key} 应为 {kind.__name__}", f"{key} must be a {kind.__name__}")
        return absent

    def text(self, table: Mapping[str, Any], key: str) -> str:
        """Words that say something; blank where the key is not given. Given blank is a fault."""
        words = self.take(table, key, str, "")
        if table.get(key) == words and not words.strip():
            self.fault(f"{key} 是空白的", f"{key} says nothing")
        return words

    def day(self, table: Mapping[str, Any], key: str, absent: E) -> date | E:
        """A day that a text of the law can name, or `absent`."""
        day = self.take(table, key, date, absent)
        if key in table and isinstance(day, date) and not _FIRST_DAY <= day <= _LAST_DAY:
            span = f"{_FIRST_DAY}–{_LAST_DAY}"
            self.fault(
                f"{key} {day} 不是任何文本会写的日期（{span}）",
                f"{key} {day} is no day of any text ({span})",
            )
        return day

    def tables(self, table: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
        """The array of tables under the key; anything else is a fault and reads as empty."""
        rows = table.get(key, [])
        if isinstance(rows, list) and all(isinstance(row, dict) for row in rows):
            return rows
        self.fault(f"{key} 应为表的数组", f"{key} must be an array of tables")
        return []
