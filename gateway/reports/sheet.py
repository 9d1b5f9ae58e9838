"""工伤保险医疗费用结算单 The settlement sheet of one stay, as PDF: summary first, then every line.

It is right on a machine without any Chinese font: the face is one that PDF readers bring
(reports/typeface.py), or the TrueType font that the settings name.
"""

from pathlib import Path

from gateway.reports.paper import About, Stack, pdf
from gateway.reports.sheet_data import Sheet, SheetLine
from gateway.reports.sheet_lines import lines
from gateway.reports.sheet_sources import sources
from gateway.reports.sheet_summary import summary
from gateway.reports.sheet_words import TITLE
from gateway.reports.typeface import typeface

__all__ = ["Sheet", "SheetLine", "settlement_sheet"]


def settlement_sheet(sheet: Sheet, font_path: Path | None = None) -> bytes:
    """The 工伤保险医疗费用结算单 as PDF; the same sheet gives the same bytes.

    `font_path` names a TrueType font with Chinese glyphs to embed. Raises UnusableFont.
    """
    stack, numbers = Stack(typeface(font_path)), sources(sheet)
    summary(stack, sheet, numbers)
    lines(stack, sheet, numbers)
    number = sheet.settlement.settlement_id or "预结算 preview"
    about = About(
        title=f"{TITLE[0]} {number}",
        author=sheet.agency_name,
        foot=f"{TITLE[0]}  {number}  {sheet.hospital_name}",
    )
    return pdf(stack, about)
