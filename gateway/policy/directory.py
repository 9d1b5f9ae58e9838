"""机构名录文件 Reading a region's dated directory of agencies and institutions."""

from collections import Counter
from collections.abc import Mapping
from datetime import date
from types import MappingProxyType
from typing import Any

from gateway.domain.catalogue import Level
from gateway.policy.citation import read_law
from gateway.policy.faults import Page
from gateway.policy.model import Capability, Directory, Institution, Span, Text


def read_directory(page: Page, table: Mapping[str, Any], texts: Mapping[str, Text]) -> Directory:
    """directory.toml as a directory; faults are noted on the page."""
    page.closed(table, "name from agency institution")
    agencies = _agencies(page, table)
    institutions = tuple(
        _institution(page, row, texts, agencies) for row in page.tables(table, "institution")
    )
    _refuse_twins(page, [one.code for one in institutions])
    _refuse_twins(page, [one.name for one in institutions])
    return Directory(
        name=page.text(table, "name"),
        since=page.day(table, "from", date.min),
        agencies=MappingProxyType(agencies),
        institutions=institutions,
    )


def _agencies(page: Page, table: Mapping[str, Any]) -> dict[str, str]:
    rows = page.tables(table, "agency")
    for row in rows:
        page.closed(row, "code name")
    codes = [page.take(row, "code", str, "") for row in rows]
    _refuse_twins(page, codes)
    return dict(zip(codes, (page.text(row, "name") for row in rows), strict=True))


def _refuse_twins(page: Page, names: list[str]) -> None:
    for name, count in Counter(names).items():
        if count > 1 or not name.strip():
            page.fault(
                f"代码或名称为空或重复：{name}", f"code or name empty or given twice: {name}"
            )


def _institution(
    page: Page, row: Mapping[str, Any], texts: Mapping[str, Text], agencies: Mapping[str, str]
) -> Institution:
    page.closed(row, "code name law capabilities", "online level note city doctors")
    if row.get("capabilities") == []:
        page.fault("机构没有服务能力", "an institution has no capability")
    return Institution(
        code=page.take(row, "code", str, ""),
        name=page.take(row, "name", str, ""),
        law=read_law(page, row, texts),
        capabilities=tuple(_capability(page, one) for one in page.tables(row, "capabilities")),
        online=tuple(_online(page, one, agencies) for one in page.tables(row, "online")),
        level=_level(page, row),
        note=page.text(row, "note"),
        city=page.take(row, "city", bool, False),
        doctors=tuple(_doctor(page, one) for one in page.tables(row, "doctors")),
    )


def _doctor(page: Page, row: Mapping[str, Any]) -> tuple[str, Span]:
    """A listed doctor; `ended` is the first day of a suspension or removal (经办 第四十三条)."""
    page.closed(row, "code from", "ended")
    return page.text(row, "code"), _span(page, row)


def _capability(page: Page, row: Mapping[str, Any]) -> tuple[Capability, Span]:
    page.closed(row, "what from", "ended")
    what = page.take(row, "what", str, "")
    if what not in tuple(Capability):
        page.fault(f"不认识的服务能力 {what}", f"capability {what!r} is not known")
        what = Capability.MEDICAL
    return Capability(what), _span(page, row)


def _online(page: Page, row: Mapping[str, Any], agencies: Mapping[str, str]) -> tuple[str, Span]:
    page.closed(row, "agency from", "ended")
    agency = page.take(row, "agency", str, "")
    if agency not in agencies:
        page.fault(f"名录中没有经办机构 {agency}", f"the directory has no agency {agency!r}")
    return agency, _span(page, row)


def _span(page: Page, row: Mapping[str, Any]) -> Span:
    span = Span(page.day(row, "from", date.min), page.day(row, "ended", None))
    if span.ended is not None and span.ended <= span.since:
        page.fault(f"{span.since} 起的期间无一日", f"the span from {span.since} holds no day")
    return span


def _level(page: Page, row: Mapping[str, Any]) -> Level | None:
    level = page.take(row, "level", str, None)
    if level is None or level in tuple(Level):
        return None if level is None else Level(level)
    page.fault(f"不认识的医院等级 {level}", f"hospital level {level!r} is not known")
    return None
