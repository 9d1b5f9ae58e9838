"""What the days of a case mean where two situations look alike."""

from datetime import date

from gateway.domain.case import Arrears, Joined

DAY_BEFORE, PAID, DAY_AFTER = date(2026, 3, 4), date(2026, 3, 5), date(2026, 3, 6)


def test_参保缴清当日仍在参保之前_补缴当日已不欠缴():
    """Cover begins after joining (第六十二条第三款); where it had begun, it never ended."""
    assert Joined(DAY_BEFORE, PAID).covered_from == DAY_AFTER
    owed = Arrears(date(2026, 1, 1), PAID)
    assert owed.covers(DAY_BEFORE)
    assert not owed.covers(PAID)


def test_参保晚于缴清的_自参保次日起():
    assert Joined(PAID, DAY_BEFORE).covered_from == DAY_AFTER


def test_没有缴清的_既不在保也仍欠缴():
    assert Joined(PAID, None).covered_from is None
    assert Arrears(DAY_BEFORE, None).covers(date(2099, 12, 31))
