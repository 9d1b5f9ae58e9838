"""政策文件的错误 What is wrong with policy files, all of it at once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

T = TypeVar("T")


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

    def tables(self, table: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
        """The array of tables under the key; anything else is a fault and reads as empty."""
        rows = table.get(key, [])
        if isinstance(rows, list) and all(isinstance(row, dict) for row in rows):
            return rows
        self.fault(f"{key} 应为表的数组", f"{key} must be an array of tables")
        return []
