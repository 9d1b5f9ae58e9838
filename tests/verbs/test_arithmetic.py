"""The steps of a line in words, and beside them every text that decided it."""

import asyncio
import io
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from gateway.domain.case import Arrears
from gateway.verbs import explain
from tests.rules.facts import a_case, a_line
from tests.verbs.ledger import SETTLEMENT, settled

LATE = a_case(applied_on=date(2026, 4, 20), accepted_on=date(2026, 4, 24))
OWED = a_case(injured_on=date(2026, 2, 1), arrears=(Arrears(date(2026, 1, 1), date(2026, 3, 6)),))


async def told(folder: Path, case: Any) -> str:
    """What is printed of the one line of a bill alone."""
    bill, out = await settled(folder, a_line(day=date(2026, 3, 5)), case=case), io.StringIO()
    code = await asyncio.to_thread(explain.run, bill.settings, SETTLEMENT, False, out, 1)
    assert code == 0
    return out.getvalue()


@pytest.mark.parametrize(
    ("case", "sources"),
    [
        (LATE, ("employer/application_days = 30", "late/window_end_event = ACCEPTED")),
        (OWED, ("arrears/policy = CONTINUE_IN_STAY",)),
    ],
    ids=["late", "in arrears"],
)
async def test_a_line_that_is_the_employers_names_the_step_and_the_values_that_moved_it(
    tmp_path: Path, case: Any, sources: tuple[str, ...]
):
    text = await told(tmp_path, case)
    assert "L 逾期申请、参保之前或欠缴期间，基金留存" in text
    assert "left to the fund, late, before cover or in arrears = 0.00" in text
    assert [one for one in sources if one not in text] == []
