"""What is wrong with a case file, all of it at once."""

from collections.abc import Iterable
from dataclasses import dataclass

from gateway.domain.findings import shown


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: the case (its id, or its place in the file as #1, #2 …; empty for the file),
    the line counted from 1 (0 for the case itself), the field, what was got and expected."""

    case: str
    line: int
    field: str
    got: str
    zh: str
    en: str

    def __str__(self) -> str:
        field = f" {self.field}" if self.field else ""
        got_zh, got_en = (f"得到 {self.got}，", f"got {self.got}, ") if self.got else ("", "")
        return (
            f"{self._where('案例', '第 {} 行', '文件')}{field}：{got_zh}{self.zh} / "
            f"{self._where('case', 'line {}', 'file')}{field}: {got_en}{self.en}"
        )

    def _where(self, case: str, line: str, file: str) -> str:
        if not self.case:
            return file
        place = f"{case} {shown(self.case)}"
        return f"{place} {line.format(self.line)}" if self.line else place


class BadCases(ValueError):
    """案例文件有误，未计算任何内容 The file holds faults, all listed; nothing is calculated."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))
