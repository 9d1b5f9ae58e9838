"""Catalogue files → editions, all or nothing.

A row is one physical line, so that a fault has an exact line number and an
open quotation mark cannot swallow the rows after it.
"""

import codecs
import csv
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Final

from adapters.catalog_file.cells import Cells, Fault, shown
from adapters.catalog_file.names import (
    CEILINGS,
    CLASS_A,
    CLASSES,
    CODE,
    CODES,
    DEVICE_HEADER,
    DRUG_HEADER,
    DRUG_SECTIONS,
    LIFE_MONTHS,
    LIMITED_HEADER,
    MARK,
    NEGOTIATED,
    PAY_STANDARD,
    PAY_STANDARD_AMOUNT,
    PAYABLE,
    PIECE_HEADER,
    PIECES,
    PRICED_HEADER,
    PRICED_KINDS,
    PRICED_SECTIONS,
    QUANTITIES,
    SECTION_ORDER,
    SEQ,
    STARS,
    insurance_limit,
)
from adapters.catalog_file.write import edition_of
from gateway.domain.catalogue import CatalogueRow, Edition, Kind, SectionCount
from gateway.domain.money import price

FILE_LARGEST: Final = 32 * 1024 * 1024
"""Bytes of one file."""
ROWS_MOST: Final = 200_000
"""Rows of one import."""
_CODE_DIGITS: Final = 15

_Line = tuple[int, list[str]]
"""The number of a line and its cells."""


class BadCatalogue(ValueError):
    """目录文件有误，未导入任何内容 The files hold faults, all listed; nothing is imported."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__(
            f"目录文件有 {len(faults)} 处错误，未导入任何内容 / "
            f"{len(faults)} faults in the catalogue files, nothing imported"
        )
        self.faults = faults


@dataclass(frozen=True, slots=True)
class Import:
    """What was read: an edition of each kind present, and a count of each section."""

    editions: tuple[Edition, ...]
    counts: tuple[SectionCount, ...]


@dataclass(frozen=True, slots=True)
class _Layout:
    header: tuple[str, ...]
    identity: tuple[str, ...]
    """The columns that make the code; the first names a duplicate."""
    read: Callable[[Cells], CatalogueRow]
    number: str
    """The column that numbers entries within a section."""


@dataclass(frozen=True, slots=True)
class _Found:
    """A row, where it stands, and the text to quote if its code was used before."""

    row: CatalogueRow
    entry: str
    file: str
    line: int
    column: str
    got: str
    identified: bool


def read_catalogue(path: Path, valid_from: date, valid_to: date | None, region: str) -> Import:
    """读入目录文件 Read a catalogue file, or every *.csv of a folder, as editions of a region.

    Both days are inclusive; `valid_to` None is open-ended. The layout of a file
    is known by its header. Raises BadCatalogue with every fault at once.
    """
    faults: list[Fault] = []
    _check_days(path, valid_from, valid_to, faults)
    found = [row for file in _files(path, faults) for row in _rows(file, faults)]
    _check_whole(path, found, faults)
    if faults:
        raise BadCatalogue(tuple(sorted(faults)))
    by_kind: dict[Kind, list[CatalogueRow]] = defaultdict(list)
    for each in found:
        by_kind[each.row.kind].append(each.row)
    editions = tuple(
        edition_of(region, kind, valid_from, valid_to, by_kind[kind])
        for kind in Kind
        if kind in by_kind
    )
    return Import(editions, _counts(found))


def drug_code(section: str, name: str, form: str) -> str:
    """药品代码 Our stable code of a drug, whose list has none: from section, name and form.

    The parts are joined by line breaks, which no cell can hold.
    """
    text = "\n".join((section, name, form))
    return "D" + sha256(text.encode()).hexdigest()[:_CODE_DIGITS].upper()


def _check_days(path: Path, valid_from: date, valid_to: date | None, faults: list[Fault]) -> None:
    if valid_to is not None and valid_to < valid_from:
        got = f"{valid_from} – {valid_to}"
        zh, en = "不早于起始日的终止日", "a last day not before the first"
        faults.append(Fault(shown(path.name), 0, "valid_to", got, zh, en))


def _check_whole(path: Path, found: list[_Found], faults: list[Fault]) -> None:
    """What can only be seen over all files: too many rows, the same code twice."""
    if len(found) > ROWS_MOST:
        zh, en = f"一次导入至多 {ROWS_MOST} 行", f"at most {ROWS_MOST} rows in one import"
        faults.append(Fault(shown(path.name), 0, "", str(len(found)), zh, en))
    faults.extend(_duplicates(found))


def _duplicates(found: Iterable[_Found]) -> Iterator[Fault]:
    first: dict[str, _Found] = {}
    for each in found:
        if not each.identified:
            continue
        earlier = first.setdefault(each.row.code, each)
        if earlier is not each:
            place = f"{earlier.file}:{earlier.line}"
            zh, en = f"未用过的代码，已见于 {place}", f"a code not used before, see {place}"
            yield Fault(each.file, each.line, each.column, each.got, zh, en)


def _counts(found: Iterable[_Found]) -> tuple[SectionCount, ...]:
    sections: dict[str, list[_Found]] = defaultdict(list)
    for each in found:
        sections[each.row.section].append(each)
    return tuple(
        _count(section, sections[section]) for section in SECTION_ORDER if section in sections
    )


def _count(section: str, found: list[_Found]) -> SectionCount:
    return SectionCount(
        section,
        rows=len(found),
        entries=len({each.entry for each in found}),
        class_a=len({each.entry for each in found if each.row.drug_class == CLASS_A}),
        marked=sum(each.row.not_alone for each in found),
    )


# ---- files and lines ----


def _files(path: Path, faults: list[Fault]) -> tuple[Path, ...]:
    try:
        files = sorted(_csv_files(path)) if path.is_dir() else [path]
    except OSError:
        files = []
    if not files:
        zh, en = "含有 *.csv 的可读文件夹", "a readable folder that holds *.csv"
        faults.append(Fault(shown(path.name), 0, "", "", zh, en))
    return tuple(files)


def _csv_files(folder: Path) -> Iterator[Path]:
    return (file for file in folder.iterdir() if file.suffix.lower() == ".csv")


def _rows(file: Path, faults: list[Fault]) -> Iterator[_Found]:
    name = shown(file.name)
    raw = _raw(file, faults)
    if raw is None:
        return
    lines = _lines(name, raw, faults)
    layout = _layout(name, lines, faults)
    if layout is None:
        return
    for number, texts in lines:
        if len(texts) == len(layout.header):
            values = dict(zip(layout.header, texts, strict=True))
            yield _found(Cells(name, number, values), layout, faults)
        else:
            width = len(layout.header)
            zh, en = f"{width} 列", f"{width} columns"
            faults.append(Fault(name, number, "", str(len(texts)), zh, en))


def _layout(name: str, lines: Iterator[_Line], faults: list[Fault]) -> _Layout | None:
    number, texts = next(lines, (0, []))
    if number != 1:
        return None
    layout = _LAYOUTS.get(tuple(texts))
    if layout is None:
        known = " | ".join(",".join(header) for header in _LAYOUTS)
        got = shown(",".join(texts))
        faults.append(Fault(name, number, "", got, f"表头 {known}", f"the header {known}"))
    return layout


def _found(cells: Cells, layout: _Layout, faults: list[Fault]) -> _Found:
    row = layout.read(cells)
    faults.extend(cells.faults.values())
    column = layout.identity[0]
    return _Found(
        row,
        entry=cells.values[layout.number],
        file=cells.file,
        line=cells.line,
        column=column,
        got=shown(cells.values[column]),
        identified=not cells.faults.keys() & set(layout.identity),
    )


def _raw(file: Path, faults: list[Fault]) -> bytes | None:
    """The bytes of a file; None, with a fault, when it cannot be read or is too large."""
    name = shown(file.name)
    try:
        size = file.stat().st_size if file.is_file() else None
        raw = file.read_bytes() if size is not None and size <= FILE_LARGEST else None
    except OSError:
        size, raw = None, None
    if size is None:
        faults.append(Fault(name, 0, "", "", "可读的文件", "a readable file"))
    elif raw is None:
        zh, en = f"至多 {FILE_LARGEST} 字节", f"at most {FILE_LARGEST} bytes"
        faults.append(Fault(name, 0, "", str(size), zh, en))
    return None if raw is None else raw.removeprefix(codecs.BOM_UTF8)


def _lines(name: str, raw: bytes, faults: list[Fault]) -> Iterator[_Line]:
    """Each line that is UTF-8 and CSV, with its number; the others are faults."""
    lines = raw.rstrip(b"\r\n").split(b"\n")
    rows = len(lines) - 1
    if not 0 < rows <= ROWS_MOST:
        zh, en = f"表头和 1 至 {ROWS_MOST} 行", f"a header and 1 to {ROWS_MOST} rows"
        faults.append(Fault(name, 0, "", str(rows), zh, en))
        return
    for number, line in enumerate(lines, start=1):
        try:
            text = line.removesuffix(b"\r").decode()
            yield number, next(csv.reader([text], strict=True), [])
        except UnicodeDecodeError:
            got = shown(line.decode(errors="backslashreplace"))
            faults.append(Fault(name, number, "", got, "UTF-8 编码", "UTF-8"))
        except csv.Error:
            zh, en = "一行一条、引号成对的 CSV", "one CSV row on one line, quotation marks paired"
            faults.append(Fault(name, number, "", shown(text), zh, en))


# ---- rows ----


def _drug(cells: Cells) -> CatalogueRow:
    section = cells.one_of("section", DRUG_SECTIONS, "")
    name, form = cells.needed("name"), cells.values["dosage_form"]
    cells.shaped("seq", SEQ, "正整数", "a whole number above zero")
    cells.one_of("star", STARS, False)
    if section == NEGOTIATED:
        cells.needed("pay_standard")
        cells.needed("valid")
    agreement_from, agreement_to = cells.period("valid")
    remark = cells.values["remark"]
    return CatalogueRow(
        code=drug_code(section, name, form),
        kind=Kind.DRUG,
        section=section,
        name=name,
        form=form,
        drug_class=cells.one_of("ab", CLASSES, ""),
        insurance_limit=insurance_limit(remark),
        remark=remark,
        pay_standard=_pay_standard(cells),
        pay_standard_text=cells.values["pay_standard"],
        agreement_from=agreement_from,
        agreement_to=agreement_to,
    )


def _pay_standard(cells: Cells) -> int | None:
    """The payment standard when it is one published amount; of several strengths none is ours."""
    text = cells.values["pay_standard"]
    if text:
        cells.shaped(
            "pay_standard",
            PAY_STANDARD,
            "金额加元、* 或 见备注",
            "an amount followed by 元, * or 见备注",
        )
    amount = PAY_STANDARD_AMOUNT.match(text)
    if amount is None or len(PAY_STANDARD_AMOUNT.findall(text)) > 1:
        return None
    return price(amount.group(1))


def _piece(cells: Cells) -> CatalogueRow:
    name = cells.needed("name")
    cells.shaped("seq", SEQ, "正整数", "a whole number above zero")
    mark = cells.shaped("mark", MARK, "空、□ 或 □;限…", "nothing, □ or □;限…")
    remark = (mark.group(2) or mark.group(3) or "") if mark else ""
    return CatalogueRow(
        code=drug_code(PIECES, name, ""),
        kind=Kind.DRUG,
        section=PIECES,
        name=name,
        not_alone=bool(mark and mark.group(1)),
        insurance_limit=insurance_limit(remark),
        remark=remark,
    )


def _priced(cells: Cells) -> CatalogueRow:
    kind = cells.one_of("kind", PRICED_KINDS, Kind.ITEM)
    cells.shaped(
        "code",
        CODE,
        "1 至 64 个字母、数字或 . _ -，首位为字母或数字",
        "1 to 64 letters, digits or . _ - that begin with a letter or digit",
    )
    payable = cells.one_of("payable", PAYABLE, False)
    ceilings = tuple(
        (level, ceiling)
        for column, level in CEILINGS.items()
        if (ceiling := cells.price(column)) is not None
    )
    limited = "qty_per_day" in cells.values
    if not payable:
        _refuse_limits(cells)
    return CatalogueRow(
        code=cells.values["code"],
        kind=kind,
        section=PRICED_SECTIONS[kind],
        name=cells.needed("name"),
        unit=cells.needed("unit"),
        payable=payable,
        remark=cells.values["remark"],
        ceilings=ceilings,
        qty_per_day=cells.quantity("qty_per_day") if limited else None,
        qty_per_stay=cells.quantity("qty_per_stay") if limited else None,
        contained_in=_contained_in(cells) if limited else (),
        life_months=_life_months(cells, kind) if "life_months" in cells.values else None,
    )


def _life_months(cells: Cells, kind: Kind) -> int | None:
    """Least months of use of an assistive device, which stands among the materials."""
    column = "life_months"
    zh, en = "空或 1 至 999 的整数（月）", "nothing or a whole number of months from 1 to 999"
    found = cells.shaped(column, LIFE_MONTHS, zh, en)
    if not cells.values[column] or found is None:
        return None
    if kind is not Kind.MATERIAL:
        cells.refuse(column, "空：辅助器具列为 material", "nothing: a device is a material")
    return int(cells.values[column])


def _contained_in(cells: Cells) -> tuple[str, ...]:
    column = "contained_in"
    cells.shaped(column, CODES, "以一个空格分开的编码", "codes with one blank between them")
    return tuple(cells.values[column].split())


def _refuse_limits(cells: Cells) -> None:
    for column in (*CEILINGS, *QUANTITIES, "life_months"):
        if cells.values.get(column):
            cells.refuse(
                column, "空：不予支付者无限价、限量", "nothing: what is not paid has no limit"
            )


_LAYOUTS: Final = {
    layout.header: layout
    for layout in (
        _Layout(DRUG_HEADER, ("name", "section", "dosage_form"), _drug, number="seq"),
        _Layout(PIECE_HEADER, ("name",), _piece, number="seq"),
        _Layout(PRICED_HEADER, ("code",), _priced, number="code"),
        _Layout(LIMITED_HEADER, ("code",), _priced, number="code"),
        _Layout(DEVICE_HEADER, ("code",), _priced, number="code"),
    )
}
