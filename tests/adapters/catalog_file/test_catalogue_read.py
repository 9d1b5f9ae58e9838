"""Reading catalogue files: what is taken, what is refused, and that all of it is told at once."""

from datetime import date
from pathlib import Path

import pytest

from adapters.catalog_file import read
from adapters.catalog_file.names import (
    DEVICE_HEADER,
    DRUG_HEADER,
    LIMITED_HEADER,
    PIECE_HEADER,
    PRICED_HEADER,
)
from adapters.catalog_file.read import BadCatalogue, Import, read_catalogue
from gateway.domain.catalogue import CatalogueRow, InsuranceLimit, Kind, Level
from tests.adapters.catalog_file.contents import said_by

FIRST = date(2025, 1, 1)
REGION = "999900"

DRUG = {
    "section": "西药",
    "class_code": "XA01",
    "class_name": "镇痛",
    "ab": "甲",
    "seq": "1",
    "star": "0",
    "name": "布洛芬",
    "dosage_form": "口服常释剂型",
    "pay_standard": "",
    "remark": "",
    "valid": "",
    "page": "9",
}
NEGOTIATED = DRUG | {
    "section": "谈判/竞价",
    "ab": "乙",
    "pay_standard": "63.00元(10mg/支)",
    "valid": "2025年1月1日至2026年12月31日",
}
PIECE = {"seq": "1", "name": "三七", "mark": "", "page": "190"}
ITEM = {
    "kind": "item",
    "code": "I0001",
    "name": "换药",
    "unit": "次",
    "payable": "yes",
    "ceiling_tertiary": "",
    "ceiling_secondary": "",
    "ceiling_primary": "",
    "ceiling": "",
    "remark": "",
}
LIMITED = {column: ITEM.get(column, "") for column in LIMITED_HEADER}
DEVICE = {column: ITEM.get(column, "") for column in DEVICE_HEADER} | {"kind": "material"}
HEADERS = (DRUG_HEADER, PIECE_HEADER, PRICED_HEADER, LIMITED_HEADER, DEVICE_HEADER)


def written(path: Path, *rows: dict[str, str]) -> Path:
    header = next(one for one in HEADERS if set(one) == set(rows[0]))
    lines = [",".join(header), *(",".join(row.values()) for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def imported(path: Path) -> Import:
    return read_catalogue(path, FIRST, None, REGION)


def only_row(path: Path, row: dict[str, str]) -> CatalogueRow:
    (edition,) = imported(written(path / "one.csv", row)).editions
    return next(iter(edition.rows.values()))


def refused(path: Path, valid_to: date | None = None) -> BadCatalogue:
    with pytest.raises(BadCatalogue) as caught:
        read_catalogue(path, FIRST, valid_to, REGION)
    return caught.value


def faulty_cells(path: Path) -> list[tuple[int, str]]:
    return [(fault.line, fault.column) for fault in refused(path).faults]


# ---- what a row becomes ----


@pytest.mark.parametrize(
    ("remark", "limit"),
    [
        ("", InsuranceLimit.NONE),
        ("限工伤保险。", InsuranceLimit.WORK_INJURY),
        ("限工伤保险", InsuranceLimit.WORK_INJURY),
        ("限生育保险。", InsuranceLimit.MATERNITY),
        ("限子宫肌瘤患者或生育保险。", InsuranceLimit.CONDITIONAL),
        ("限尘肺患者或工伤保险。", InsuranceLimit.CONDITIONAL),
        ("限二级及以上医疗机构。", InsuranceLimit.NONE),
    ],
)
def test_a_remark_limits_a_drug_to_one_insurance(
    tmp_path: Path, remark: str, limit: InsuranceLimit
) -> None:
    row = only_row(tmp_path, DRUG | {"remark": remark})
    assert (row.insurance_limit, row.remark) == (limit, remark)


@pytest.mark.parametrize(
    ("text", "standard"),
    [
        ("63.00元(10mg/支)", 63_000_000),
        ("479.00元/盒(每盒30片)", 479_000_000),
        ("*", None),
        ("见备注2(每粒5元)", None),
        ("4.15元(1g/袋)；7.06元(2g/袋)", None),
    ],
)
def test_a_payment_standard_is_one_public_amount_or_only_its_text(
    tmp_path: Path, text: str, standard: int | None
) -> None:
    row = only_row(tmp_path, NEGOTIATED | {"pay_standard": text})
    assert (row.pay_standard, row.pay_standard_text) == (standard, text)


def test_an_agreement_holds_from_its_first_to_its_last_day(tmp_path: Path) -> None:
    row = only_row(tmp_path, NEGOTIATED)
    days = [date(2024, 12, 31), date(2025, 1, 1), date(2026, 12, 31), date(2027, 1, 1)]
    assert [row.agreed_on(day) for day in days] == [False, True, True, False]


def test_the_negotiated_section_has_one_name_in_every_edition_of_the_list(tmp_path: Path) -> None:
    longer = only_row(tmp_path, NEGOTIATED)
    shorter = only_row(tmp_path, NEGOTIATED | {"section": "谈判"})
    assert longer == shorter
    assert longer.section == "谈判"


@pytest.mark.parametrize(
    ("mark", "not_alone", "remark"),
    [
        ("", False, ""),
        ("□", True, ""),
        ("□;限临床危重患者抢救", True, "限临床危重患者抢救"),
        ("限临床危重患者抢救", False, "限临床危重患者抢救"),
    ],
)
def test_a_marked_piece_is_not_payable_alone(
    tmp_path: Path, mark: str, not_alone: bool, remark: str
) -> None:
    row = only_row(tmp_path, PIECE | {"mark": mark})
    assert (row.not_alone, row.remark, row.section) == (not_alone, remark, "饮片")


def test_ceilings_hold_by_hospital_level_and_the_plain_one_for_the_rest(tmp_path: Path) -> None:
    row = only_row(tmp_path, ITEM | {"ceiling_tertiary": "45", "ceiling": "0.000001"})
    found = [row.ceiling_for(level) for level in Level]
    assert found == [45_000_000, 1, 1]


def test_quantities_of_a_day_and_a_stay_may_be_limited(tmp_path: Path) -> None:
    row = only_row(tmp_path, LIMITED | {"qty_per_day": "1.5", "qty_per_stay": "10"})
    assert (row.qty_per_day, row.qty_per_stay) == (15_000, 100_000)


def test_a_row_may_name_the_codes_that_already_contain_it(tmp_path: Path) -> None:
    row = only_row(tmp_path, LIMITED | {"contained_in": "I0002 I0003"})
    assert row.contained_in == ("I0002", "I0003")


def test_a_row_without_quantities_has_no_limit_of_quantity(tmp_path: Path) -> None:
    for row in (only_row(tmp_path, ITEM), only_row(tmp_path, LIMITED)):
        assert (row.qty_per_day, row.qty_per_stay) == (None, None)


def test_a_row_without_ceiling_has_none_at_any_level(tmp_path: Path) -> None:
    row = only_row(tmp_path, ITEM)
    assert [row.ceiling_for(level) for level in Level] == [None, None, None]


def test_what_is_expressly_not_paid_is_kept_as_such(tmp_path: Path) -> None:
    row = only_row(tmp_path, ITEM | {"kind": "facility", "payable": "no"})
    assert (row.payable, row.kind, row.section) == (False, Kind.FACILITY, "服务设施")


def test_the_code_of_a_drug_hangs_on_section_name_and_form_only(tmp_path: Path) -> None:
    code = only_row(tmp_path, DRUG).code
    assert code == only_row(tmp_path, DRUG | {"ab": "乙", "seq": "7", "page": "1"}).code
    others = [{"section": "中成药"}, {"name": "布洛芬片"}, {"dosage_form": "注射剂"}]
    assert len({code, *(only_row(tmp_path, DRUG | other).code for other in others)}) == 4


def test_the_code_of_a_drug_never_changes_between_releases(tmp_path: Path) -> None:
    assert only_row(tmp_path, DRUG).code == "D9ADE05E24C0A595"


def test_composed_and_decomposed_characters_are_the_same_drug(tmp_path: Path) -> None:
    composed = only_row(tmp_path, DRUG | {"name": "caf\u00e9"})
    assert only_row(tmp_path, DRUG | {"name": "cafe\u0301"}) == composed


def test_an_entry_is_of_class_a_when_any_of_its_rows_is(tmp_path: Path) -> None:
    second = DRUG | {"ab": "乙", "star": "1", "dosage_form": "注射剂"}
    third = DRUG | {"ab": "乙", "seq": "2", "name": "萘普生"}
    (count,) = imported(written(tmp_path / "a.csv", DRUG, second, third)).counts
    assert (count.rows, count.entries, count.class_a, count.marked) == (3, 2, 1, 0)


# ---- files ----


def test_sections_from_two_layouts_make_one_drug_edition(tmp_path: Path) -> None:
    written(tmp_path / "drugs.csv", DRUG)
    written(tmp_path / "pieces.CSV", PIECE)
    written(tmp_path / "items.csv", ITEM)
    (tmp_path / "README.md").write_text("not a catalogue", encoding="utf-8")
    read_in = imported(tmp_path)
    kinds = [(edition.kind, len(edition.rows)) for edition in read_in.editions]
    assert kinds == [(Kind.DRUG, 2), (Kind.ITEM, 1)]
    assert [count.section for count in read_in.counts] == ["西药", "饮片", "诊疗项目"]


def test_an_edition_carries_region_and_both_days(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", DRUG)
    (edition,) = read_catalogue(path, FIRST, date(2025, 12, 31), REGION).editions
    assert (edition.region, edition.valid_from) == (REGION, FIRST)
    assert [edition.covers(date(2025, 12, 31)), edition.covers(date(2026, 1, 1))] == [True, False]


def test_reading_twice_in_any_order_gives_the_same_digest(tmp_path: Path) -> None:
    other = DRUG | {"name": "萘普生", "seq": "2"}
    (forward,) = imported(written(tmp_path / "a.csv", DRUG, other)).editions
    (backward,) = imported(written(tmp_path / "b.csv", other, DRUG)).editions
    (again,) = imported(written(tmp_path / "a.csv", DRUG, other)).editions
    assert said_by(backward) == said_by(again) == said_by(forward)


def test_another_value_day_or_region_gives_another_digest(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", DRUG)
    changed = written(tmp_path / "b.csv", DRUG | {"remark": "限二线"})
    spans = [
        (path, FIRST, None, REGION),
        (changed, FIRST, None, REGION),
        (path, date(2025, 1, 2), None, REGION),
        (path, FIRST, date(2025, 12, 31), REGION),
        (path, FIRST, None, "371000"),
    ]
    assert len({read_catalogue(*span).editions[0].digest for span in spans}) == len(spans)


def test_a_byte_order_mark_and_windows_line_ends_change_nothing(tmp_path: Path) -> None:
    plain = written(tmp_path / "a.csv", DRUG)
    windows = tmp_path / "b.csv"
    windows.write_bytes(b"\xef\xbb\xbf" + plain.read_bytes().replace(b"\n", b"\r\n"))
    (of_windows,), (ours,) = imported(windows).editions, imported(plain).editions
    assert said_by(of_windows) == said_by(ours)


def test_a_quoted_cell_may_hold_a_comma(tmp_path: Path) -> None:
    row = only_row(tmp_path, DRUG | {"remark": '"限二线,限住院"'})
    assert row.remark == "限二线,限住院"


@pytest.mark.parametrize(("told", "months"), [("", None), ("1", 1), ("12", 12), ("999", 999)])
def test_a_material_with_a_life_is_a_device(tmp_path: Path, told: str, months: int | None) -> None:
    row = only_row(tmp_path, DEVICE | {"life_months": told})
    assert row.life_months == months
    assert only_row(tmp_path, LIMITED).life_months is None


# ---- what is refused ----


@pytest.mark.parametrize(
    ("good", "column", "text"),
    [
        (DRUG, "section", "西成药"),
        (DRUG, "ab", "丙"),
        (DRUG, "ab", ""),
        (DRUG, "seq", "0"),
        (DRUG, "seq", "１２"),
        (DRUG, "seq", ""),
        (DRUG, "star", "2"),
        (DRUG, "name", ""),
        (DRUG, "name", " 布洛芬"),
        (DRUG, "name", "布\u200b洛芬"),
        (DRUG, "name", "布\x07洛芬"),
        (DRUG, "name", "布" * 201),
        (DRUG, "remark", "限" * 2001),
        (DRUG, "page", "\u202e9"),
        (DRUG, "pay_standard", "六十三元"),
        (DRUG, "pay_standard", "NaN元"),
        (DRUG, "pay_standard", "1e9元"),
        (DRUG, "pay_standard", "013元"),
        (DRUG, "pay_standard", "0.00元(10mg/支)"),
        (DRUG, "valid", "2025-01-01"),
        (DRUG, "valid", "2025年2月30日至2026年12月31日"),
        (DRUG, "valid", "2026年12月31日至2025年1月1日"),
        (NEGOTIATED, "valid", ""),
        (NEGOTIATED, "pay_standard", ""),
        (PIECE, "mark", "口"),
        (PIECE, "name", ""),
        (PIECE, "seq", "一"),
        (ITEM, "kind", "drug"),
        (ITEM, "code", ""),
        (ITEM, "code", "I 1"),
        (ITEM, "code", "../1"),
        (ITEM, "name", ""),
        (ITEM, "unit", ""),
        (ITEM, "payable", "是"),
        (ITEM, "ceiling", "0"),
        (ITEM, "ceiling", "-1"),
        (ITEM, "ceiling", "1.0000001"),
        (ITEM, "ceiling", "1e3000000"),
        (ITEM, "ceiling", "１２３"),
        (ITEM, "ceiling_primary", "NaN"),
        (ITEM | {"payable": "no"}, "ceiling", "5.00"),
        (LIMITED, "contained_in", "I0002  I0003"),
        (LIMITED, "contained_in", "I0002;I0003"),
        (LIMITED, "qty_per_day", "0"),
        (LIMITED, "qty_per_stay", "-1"),
        (DEVICE, "life_months", "0"),
        (DEVICE, "life_months", "1000"),
        (DEVICE, "life_months", "1年"),
        (DEVICE | {"kind": "item"}, "life_months", "12"),
        (DEVICE | {"payable": "no"}, "life_months", "12"),
        (LIMITED, "qty_per_stay", "1.00001"),
        (LIMITED | {"payable": "no"}, "qty_per_day", "1"),
    ],
)
def test_a_bad_cell_is_refused_with_its_line_and_column(
    tmp_path: Path, good: dict[str, str], column: str, text: str
) -> None:
    path = written(tmp_path / "a.csv", good | {column: text})
    assert faulty_cells(path) == [(2, column)]


def test_every_bad_row_is_told_at_once_with_its_line(tmp_path: Path) -> None:
    path = written(
        tmp_path / "a.csv",
        ITEM,
        ITEM | {"code": "I0002", "ceiling": "x", "unit": ""},
        ITEM | {"code": "I0003"},
        ITEM | {"code": "I0001"},
        ITEM | {"code": "I0005", "payable": ""},
    )
    with path.open("ab") as file:
        file.write(b'item,"I0006,a,b,yes,,,,,\n\xff\xfe\nitem,I0007\n')
    written(tmp_path / "b.csv", PIECE, PIECE | {"mark": "x", "name": "当归"})
    faults = refused(tmp_path).faults
    assert [(fault.file, fault.line, fault.column) for fault in faults] == [
        ("a.csv", 3, "ceiling"),
        ("a.csv", 3, "unit"),
        ("a.csv", 5, "code"),
        ("a.csv", 6, "payable"),
        ("a.csv", 7, ""),
        ("a.csv", 8, ""),
        ("a.csv", 9, ""),
        ("b.csv", 3, "mark"),
    ]


def test_a_duplicate_names_the_row_that_came_first(tmp_path: Path) -> None:
    written(tmp_path / "a.csv", DRUG)
    written(tmp_path / "b.csv", DRUG | {"ab": "乙"})
    (fault,) = refused(tmp_path).faults
    assert (fault.file, fault.line, fault.column, fault.got) == ("b.csv", 2, "name", "布洛芬")
    assert "a.csv:2" in fault.zh
    assert "a.csv:2" in fault.en


def test_a_row_twice_without_any_difference_is_a_duplicate_too(tmp_path: Path) -> None:
    assert faulty_cells(written(tmp_path / "a.csv", PIECE, PIECE)) == [(3, "name")]


def test_a_fault_speaks_both_languages_and_is_safe_to_print(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", ITEM | {"unit": "\x1b[31m" + "次" * 60})
    (fault,) = refused(path).faults
    assert fault.got.startswith("\\x1b[31m次")
    assert len(fault.got) == 40
    assert str(fault).isprintable()
    assert str(fault).startswith("a.csv:2 unit: 得到「\\x1b")
    assert "应为不含控制或不可见字符 / got" in str(fault)
    assert str(fault).endswith("expected no control or invisible character")


def test_an_open_quotation_mark_does_not_hide_the_rows_after_it(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", PIECE | {"name": '"三七'}, PIECE | {"seq": "x"})
    assert faulty_cells(path) == [(2, ""), (3, "seq")]


def test_an_unknown_header_is_one_fault(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("编码,名称\n1,换药\n2,拆线\n", encoding="utf-8")
    (fault,) = refused(path).faults
    assert (fault.line, fault.got) == (1, "编码,名称")
    assert "kind,code,name" in fault.en


@pytest.mark.parametrize(
    "raw", [b"\xb1\xe0\xc2\xeb,a\n1,2\n", b"seq,name,mark,page\n", b"", b"\n\n", b"\x00" * 9]
)
def test_a_file_without_a_readable_row_is_refused(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(raw)
    (fault,) = refused(path).faults
    assert fault.file == "a.csv"


def test_a_file_of_a_header_alone_is_refused_beside_a_good_one(tmp_path: Path) -> None:
    written(tmp_path / "a.csv", PIECE)
    (tmp_path / "b.csv").write_text(",".join(PIECE) + "\n", encoding="utf-8")
    assert [(fault.file, fault.got) for fault in refused(tmp_path).faults] == [("b.csv", "0")]


def test_a_missing_file_and_a_folder_without_files_are_refused(tmp_path: Path) -> None:
    assert refused(tmp_path / "none.csv").faults[0].file == "none.csv"
    (tmp_path / "empty").mkdir()
    assert refused(tmp_path / "empty").faults[0].file == "empty"


def test_an_empty_line_between_rows_is_refused_and_at_the_end_is_not(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", PIECE, PIECE | {"name": "当归"})
    text = path.read_text(encoding="utf-8")
    path.write_text(text + "\n\n", encoding="utf-8")
    assert len(imported(path).editions[0].rows) == 2
    path.write_text(text.replace("\n2", "\n\n2").replace("\n1", "\n\n1", 1), encoding="utf-8")
    assert faulty_cells(path) == [(2, "")]


def test_a_last_day_before_the_first_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", DRUG)
    (fault,) = refused(path, valid_to=date(2024, 12, 31)).faults
    assert fault.column == "valid_to"
    assert len(read_catalogue(path, FIRST, FIRST, REGION).editions) == 1


def test_a_file_over_the_size_limit_is_refused_unread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path / "a.csv", DRUG)
    monkeypatch.setattr(read, "FILE_LARGEST", path.stat().st_size)
    assert len(imported(path).editions) == 1
    monkeypatch.setattr(read, "FILE_LARGEST", path.stat().st_size - 1)
    assert [fault.line for fault in refused(path).faults] == [0]


def test_rows_over_the_limit_are_refused_in_one_file_and_over_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read, "ROWS_MOST", 2)
    names = ["三七", "当归", "川芎"]
    rows = [PIECE | {"name": name} for name in names]
    assert [fault.got for fault in refused(written(tmp_path / "a.csv", *rows)).faults] == ["3"]
    written(tmp_path / "a.csv", *rows[:2])
    written(tmp_path / "b.csv", rows[2])
    assert [fault.got for fault in refused(tmp_path).faults] == ["3"]
