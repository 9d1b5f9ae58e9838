"""单元格 A foreign text never becomes a formula."""

from decimal import Decimal

import pytest

from gateway.reports.cells import harmless, yuan_number

DANGEROUS = (
    "=1+1",
    "+1+1",
    "-1+1",
    "@SUM(A1)",
    "|calc",
    "%0A",
    "＝1+1",
    "＋1",
    "－1",
    "＠SUM(A1)",
    "｜calc",
    "％0A",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "  =1+1",
    "\u3000=HYPERLINK(A1)",
)


@pytest.mark.parametrize("text", DANGEROUS)
def test_a_text_a_spreadsheet_might_run_stands_behind_an_apostrophe(text: str):
    assert harmless(text) == "'" + text


@pytest.mark.parametrize("text", ["", "S-1", "布洛芬（=乙）", "12.00", "a=b"])
def test_an_ordinary_text_stays_as_it_is(text: str):
    assert harmless(text) == text


@pytest.mark.parametrize(("amount_fen", "yuan"), [(1050, "10.50"), (-1, "-0.01"), (0, "0.00")])
def test_an_amount_is_written_exactly(amount_fen: int, yuan: str):
    assert yuan_number(amount_fen) == Decimal(yuan)
