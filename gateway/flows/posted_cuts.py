"""扣减与结算 The upheld cuts of a settled bill: by them its lines are the hospital's.

The frozen lines of a settlement do not know of a cut that was decided after it; whoever decides
the bill again reads them by the cuts that stand.
"""

from collections.abc import Iterable, Mapping

from gateway.domain.bill import BillLine
from gateway.domain.cut import Cut
from gateway.store.cuts import cut_by_no
from gateway.store.database import Reader
from gateway.store.stays import StayFile


async def posted_cuts(reader: Reader, file: StayFile) -> tuple[Cut, ...]:
    """Every cut that was upheld after the live settlement of the stay, and stands."""
    found = [await cut_by_no(reader, cut_no) for cut_no in sorted(file.stay.posted_cuts)]
    return tuple(one for one in found if one is not None)


def violations(cuts: Iterable[Cut]) -> dict[str, str]:
    """The violation of every line that an upheld cut makes the hospital's."""
    return {line_id: one.violation for one in cuts for line_id in one.upheld_ids}


def with_violations(lines: Iterable[BillLine], found: Mapping[str, str]) -> tuple[BillLine, ...]:
    """The lines, those named with the violation given, "" for none."""
    return tuple(
        line._replace(violation=found[line.line_id]) if line.line_id in found else line
        for line in lines
    )
