"""Our readings: each printed beside a settlement that rests on it, and beside no other."""

from datetime import date

import pytest

from gateway.domain.bill import Citation, LineVerdict, MealVerdict
from gateway.domain.readings import DISCHARGE_DAY, LATE_SHARE, SERVICE_DAY, used, used_in_bill
from gateway.domain.split import Split

LEFT, LATER = date(2026, 3, 15), date(2026, 3, 16)


def line(*reasons: str, key: str = "law/fund_pays") -> LineVerdict:
    return LineVerdict("L1", 100, Split(100), reasons, (Citation(key, "", "2011-01-01", "条例"),))


def meal(key: str) -> MealVerdict:
    return MealVerdict(0, 0, 0, "HOSPITAL", (Citation(key, "", "2026-03-01", "条例"),))


@pytest.mark.parametrize(
    ("verdict", "readings"),
    [
        pytest.param(line(), (), id="没有查目录"),
        pytest.param(line(key="catalogue/drug/TABLET"), (SERVICE_DAY,), id="查到目录"),
        pytest.param(line("OUT_OF_CATALOGUE"), (SERVICE_DAY,), id="当日目录没有"),
        pytest.param(line("LATE_APPLICATION"), (LATE_SHARE,), id="逾期申请"),
    ],
)
def test_a_line_rests_on_the_readings_that_moved_it(verdict: LineVerdict, readings: object):
    assert used([verdict]) == readings


def test_a_meal_day_cut_by_a_late_application_rests_on_what_it_moves():
    assert used([line()], meal("meal/cut/late")) == (LATE_SHARE,)
    assert used([line()], meal("meal/cut/leave")) == ()


def test_the_day_of_discharge_stands_for_that_of_settlement_only_when_they_differ():
    assert used_in_bill([line()], None, LATER, LEFT) == (DISCHARGE_DAY,)
    assert used_in_bill([line()], None, LEFT, LEFT) == ()
    assert used_in_bill([line()], None, LATER, None) == ()
    assert used_in_bill([line()], None, None, LEFT) == ()
