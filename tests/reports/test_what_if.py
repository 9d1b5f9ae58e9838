"""The workbook of a proposal: every table with its sum, amounts as numbers."""

import io
from datetime import date

from openpyxl import load_workbook

from gateway.reports.what_if import NotSettled, Row, WhatIf, what_if_workbook

REPORT = WhatIf(
    first=date(2026, 1, 1),
    last=date(2026, 3, 31),
    policy="proposed",
    catalogue="=cmd",
    settlements=3,
    changed=["S1"],
    hospitals=[Row(("H1",), 1, 1, 78000, 92000), Row(("H2",), 1, 1, 500, 400)],
    meals=[Row(("H1",), 1, 1, 21000, 21000)],
    reasons=[Row(("OVER_CEILING", "超限价", "Above"), 1, 1, 28000, 14000)],
    items=[Row(("BED", "床位费"), 1, 1, 56000, 70000)],
    unsettled=[NotSettled("S3", "H1", "MANUAL THIRD_PARTY", 22000)],
)


def test_each_table_ends_in_the_sum_of_its_rows():
    book = load_workbook(io.BytesIO(what_if_workbook(REPORT)))
    rows = list(book["医院 Hospitals"].values)
    assert rows[1:] == [
        ("H1", 1, 1, 780, 920, 140),
        ("H2", 1, 1, 5, 4, -1),
        ("合计 Total", 2, 2, 785, 924, 139),
    ]
    assert list(book["项目 Items"].values)[-1] == ("合计 Total", None, 1, 1, 560, 700, 140)
    assert list(book["原因 Reasons"].values)[1][:3] == ("OVER_CEILING", "超限价", "Above")
    assert list(book["不再结算 Unsettled"].values)[1] == ("S3", "H1", "MANUAL THIRD_PARTY", 220)


def test_the_summary_says_what_was_tried_and_names_each_changed_settlement():
    summary = list(load_workbook(io.BytesIO(what_if_workbook(REPORT)))["说明 Summary"].values)
    told = dict(summary)
    assert told["结算日 Settled from – to"] == "2026-01-01 – 2026-03-31"
    assert told["拟行目录 Proposed catalogue"] == "'=cmd"
    assert told["基金 Fund：差额 Difference"] == 139
    assert ("有变 Changes", "S1") in summary


def test_equal_reports_give_equal_bytes():
    assert what_if_workbook(REPORT) == what_if_workbook(REPORT)
