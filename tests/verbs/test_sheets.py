"""gateway sheet and gateway reconciliation: files that stand whole or not at all."""

import asyncio
import io
import re
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from pypdf import PdfReader

from gateway.clock import at_business, micros
from gateway.domain.commands import HospitalRow, ReconcileTotals
from gateway.domain.masks import mask_name
from gateway.domain.split import Split
from gateway.rules.reconcile import DIFFERENCE_KINDS, CentreRow, compare_details, detail_digest
from gateway.store.cuts import cut_row
from gateway.store.frozen import plain
from gateway.store.rows import canonical
from gateway.verbs import sheets
from tests.reports.sheets import refund_of, some_lines
from tests.rules.cut_rows import a_cut
from tests.verbs.ledger import EMPLOYER, ID_NO, WORKER, Settled, insert, settled, settlement_row

DAY = date(2026, 3, 15)


async def written(verb: Callable[..., int], *given: Any) -> int:
    """The verb as the command line runs it, outside this test's loop."""
    return await asyncio.to_thread(verb, *given)


def text_of(path: Path) -> str:
    pages = PdfReader(path).pages
    return re.sub(r"\s", "", "".join(page.extract_text() for page in pages))


@pytest.fixture
async def bill(tmp_path: Path) -> Settled:
    lines = some_lines(8)
    return await settled(tmp_path / "data", *lines, refund_of(lines[0], "4"))


async def test_the_sheet_of_a_stored_settlement_names_person_employer_and_every_line(
    bill: Settled, tmp_path: Path
):
    out = tmp_path / "settlement.pdf"
    assert await written(sheets.write_sheet, bill.settings, "S1", out) == 0
    text = text_of(out)
    assert [
        name
        for name in (mask_name(WORKER), EMPLOYER, "示例医院（虚构）", "右小腿")
        if name not in text
    ] == []
    assert [line.name for line in bill.bill.lines if line.name not in text] == []
    assert ID_NO not in text
    assert "999***********001X" in text
    assert "示例市经办中心（虚构）" in text


async def test_the_sheet_shows_the_steps_of_every_line_the_rounding_and_our_readings(
    bill: Settled, tmp_path: Path
):
    out = tmp_path / "settlement.pdf"
    assert await written(sheets.write_sheet, bill.settings, "S1", out) == 0
    text = text_of(out)
    assert "A=P3380.00→E=F3000.00" in text
    assert "A=P=E=F175.00" in text
    assert "rounded" in text
    assert "本网关的理解：" in text
    with sqlite3.connect(bill.settings.database_path) as connection:
        connection.execute("DELETE FROM policy_edition")
    connection.close()
    assert await written(sheets.write_sheet, bill.settings, "S1", out) == 0
    assert "A=P3380.00→E=F3000.00" in text_of(out), "the steps are stored with the verdict"


async def test_a_report_is_for_its_owner_alone_and_replaces_the_old_one_whole(
    bill: Settled, tmp_path: Path
):
    out = tmp_path / "settlement.pdf"
    out.write_bytes(b"old")
    out.chmod(0o644)
    assert await written(sheets.write_sheet, bill.settings, "S1", out) == 0
    assert out.read_bytes().startswith(b"%PDF")
    assert out.stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "settlement.pdf"]


async def test_the_sheet_of_a_reversed_settlement_warns_and_its_reversal_is_negative(
    bill: Settled, tmp_path: Path
):
    split = bill.verdict.split.negated()
    amounts = {"total_fen": split.total_fen, **split._asdict()}
    changes = {"settlement_id": "S2", "live": None, "reverses": "S1", "meal_fen": -21000}
    row = settlement_row(bill.bill, bill.verdict, **changes, **amounts)
    await insert(bill.settings, {"settlement": [row]})
    for number in ("S1", "S2"):
        out = tmp_path / f"{number}.pdf"
        assert await written(sheets.write_sheet, bill.settings, number, out) == 0
    assert "nolongerinforce:S2" in text_of(tmp_path / "S1.pdf")
    text = text_of(tmp_path / "S2.pdf")
    assert "ReversalofS1" in text
    assert "14天days×15.00元=-210.00" in text


async def test_an_unknown_settlement_leaves_the_file_as_it_was(
    bill: Settled, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    out = tmp_path / "settlement.pdf"
    out.write_bytes(b"old")
    assert await written(sheets.write_sheet, bill.settings, "S9", out) == 1
    assert out.read_bytes() == b"old"
    assert capsys.readouterr().err == "没有结算 S9 / there is no settlement S9\n"


async def test_a_folder_that_is_not_there_is_said(
    bill: Settled, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    out = tmp_path / "absent" / "settlement.pdf"
    assert await written(sheets.write_sheet, bill.settings, "S1", out) == 1
    assert "cannot write" in capsys.readouterr().err


async def test_a_font_that_cannot_be_embedded_is_said(
    bill: Settled, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    font = tmp_path / "font.ttf"
    font.write_bytes(b"none")
    settings = bill.settings.model_copy(update={"sheet_font": font})
    assert await written(sheets.write_sheet, settings, "S1", tmp_path / "a.pdf") == 1
    assert "不能嵌入字体 font.ttf" in capsys.readouterr().err


# --- the reconciliation ----------------------------------------------------------------------


def theirs(settlement_id: str, fund_fen: int) -> HospitalRow:
    return HospitalRow(
        settlement_id=settlement_id,
        day=DAY,
        id_no=ID_NO,
        reversed=False,
        split=Split(fund_fen=fund_fen),
        meal_fen=0,
    )


def ours(settlement_id: str, fund_fen: int, day: date = DAY) -> CentreRow:
    return CentreRow(settlement_id, day, ID_NO, False, Split(fund_fen=fund_fen), 0)


HOSPITAL_ROWS = [theirs("S1", 10000), theirs("S2", 20000), theirs("S3", 5000)]
CENTRE_ROWS = [
    ours("S1", 10000),
    ours("S2", 18000),
    ours("S4", 7000),
    ours("S0", 1, date(2026, 3, 14)),
]


def details_run(hospital: list[HospitalRow], hour: int, run_id: str) -> dict[str, Any]:
    """A run of details as the flow stores it."""
    _, differences = compare_details(hospital, CENTRE_ROWS, DAY)
    detail = {
        "hospital": [plain(row) for row in hospital],
        "centre": [plain(row) for row in CENTRE_ROWS],
        "differences": [plain(one) for one in differences],
    }
    return run("details", detail, hour, run_id)


def totals_run() -> dict[str, Any]:
    total = ReconcileTotals(
        day=DAY,
        count=3,
        split=Split(fund_fen=35000),
        meal_fen=0,
        detail_digest=detail_digest(HOSPITAL_ROWS),
    )
    own = replace(total, detail_digest=detail_digest(CENTRE_ROWS[:3]))
    detail = {"hospital": plain(total), "centre": plain(own), "differing": ["detail_digest"]}
    return run("totals", detail, 9, "R1")


def run(kind: str, detail: dict[str, Any], hour: int, run_id: str) -> dict[str, Any]:
    return {
        "run_id": run_id,
        "hospital": "H1",
        "day": DAY.isoformat(),
        "kind": kind,
        "at_us": micros(at_business(date(2026, 3, 16), hour)),
        "detail": canonical(detail),
    }


async def test_the_latest_comparison_of_each_kind_is_reported(bill: Settled, tmp_path: Path):
    first = details_run([theirs("S9", 1)], 8, "R0")
    latest = details_run(HOSPITAL_ROWS, 10, "R2")
    await insert(bill.settings, {"reconcile_run": [first, totals_run(), latest]})
    out = tmp_path / "reconciliation.xlsx"
    assert await written(sheets.write_reconciliation, bill.settings, "2026-03-15", out) == 0
    book = load_workbook(io.BytesIO(out.read_bytes()))
    differences = list(book["差异 Differences"].iter_rows(min_row=2, values_only=True))
    assert [(row[3], row[6]) for row in differences] == [
        ("AMOUNT_DIFF", "S2"),
        ("CENTRE_ONLY", "S4"),
        ("HOSPITAL_ONLY", "S3"),
    ]
    assert differences[0][10] == DIFFERENCE_KINDS["AMOUNT_DIFF"].cause_zh
    totals = list(book["汇总 Totals"].iter_rows(min_row=2, values_only=True))
    assert totals[0][:5] == ("2026-03-15", "H1", "示例医院（虚构）", "医院 hospital", 3)
    assert totals[1][-3:] == (
        "不一致 differs: detail_digest",
        "不一致 3 differences，相符 1 rows agree",
        "2026-03-16 10:00:00",
    )


async def test_both_books_stand_row_by_row_without_our_neighbouring_days(
    bill: Settled, tmp_path: Path
):
    await insert(bill.settings, {"reconcile_run": [details_run(HOSPITAL_ROWS, 10, "R2")]})
    out = tmp_path / "reconciliation.xlsx"
    assert await written(sheets.write_reconciliation, bill.settings, "2026-03-15", out) == 0
    rows = list(load_workbook(out)["明细 Details"].iter_rows(min_row=2, values_only=True))
    assert [(row[4], str(row[3])[:2]) for row in rows] == [
        ("S1", "医院"),
        ("S1", "中心"),
        ("S2", "医院"),
        ("S2", "中心"),
        ("S3", "医院"),
        ("S4", "中心"),
    ]
    assert {row[7] for row in rows} == {"999***********001X"}


@pytest.mark.parametrize(
    ("day", "sentence"),
    [("2026-03-14", "2026-03-14 没有对账记录"), ("yesterday", "日期须写作 YYYY-MM-DD")],
)
async def test_a_day_without_a_run_writes_no_file(
    bill: Settled, tmp_path: Path, capsys: pytest.CaptureFixture[str], day: str, sentence: str
):
    out = tmp_path / "reconciliation.xlsx"
    assert await written(sheets.write_reconciliation, bill.settings, day, out) == 1
    assert sentence in capsys.readouterr().err
    assert not out.exists()


async def test_the_cuts_of_a_period_are_written_and_those_of_a_hospital_alone(
    bill: Settled, tmp_path: Path
):
    row = cut_row(a_cut({})) | {"hospital": "H1", "raised_us": micros(at_business(DAY, 23))}
    await insert(bill.settings, {"cut": [row]}, tx_id="T2")
    out = tmp_path / "cuts.xlsx"
    before, after = DAY - timedelta(days=1), DAY + timedelta(days=1)
    assert await written(sheets.write_cuts, bill.settings, DAY, DAY, "", out) == 0
    lines = list(load_workbook(out)["明细 Lines"].values)
    assert [line[0] for line in lines[1:3]] == ["K1", "K1"]
    assert await written(sheets.write_cuts, bill.settings, before, before, "", out) == 1
    assert await written(sheets.write_cuts, bill.settings, after, after, "", out) == 1
    assert await written(sheets.write_cuts, bill.settings, DAY, DAY, "H1", out) == 0
    assert await written(sheets.write_cuts, bill.settings, DAY, DAY, "H2", out) == 1
