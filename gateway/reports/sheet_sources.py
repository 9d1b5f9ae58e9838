"""依据 The sources of a sheet: articles and policy values numbered once, cited by number."""

from collections.abc import Iterable

from gateway.domain.bill import Citation
from gateway.reports.sheet_data import Sheet

_CATALOGUE = "catalogue/"
_CEILING = "/ceiling"


def sources(sheet: Sheet) -> dict[Citation, int]:
    """Every source of the sheet but catalogue rows, numbered from 1 in order of first use."""
    meal = sheet.settlement.meal
    cited = [one for line in sheet.lines for one in line.verdict.citations]
    payout = sheet.settlement.payout
    cited += meal.citations if meal else ()
    cited += payout.citations if payout else ()
    cited += sheet.settlement.grounds
    unique = dict.fromkeys(one for one in cited if not one.key.startswith(_CATALOGUE))
    return {one: number for number, one in enumerate(unique, start=1)}


def cited(citations: Iterable[Citation], numbers: dict[Citation, int]) -> str:
    """The sources of one decision: numbers of the list, the day of the catalogue's edition, and
    the ceiling that cut the price."""
    plain, told = "", []
    for one in citations:
        if one in numbers:
            plain += f"[{numbers[one]}]"
        elif one.key.endswith(_CEILING):
            told.append(f"限价 {one.value}")
        else:
            told.append(f"目录 {one.since}")
    return " ".join([plain, *told]).strip()
