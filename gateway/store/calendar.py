"""工作日历 Working days as the State Council publishes them, with make-up days 调休.

The days come from the chinesecalendar package and end with the last published year: beyond it
nothing is guessed, because the notice for a year appears in the November before. That notice may
move the last days of December too (that of 2019 made Saturday 2018-12-29 a working day and Monday
2018-12-31 a holiday), so the days of the last year from the earliest one that a notice ever moved
are not known either.
"""

from bisect import bisect_right
from datetime import date, timedelta
from typing import Final

from chinese_calendar import holidays, workdays

_ONE_DAY: Final = timedelta(days=1)
_FRIDAY: Final = 4
_DECEMBER: Final = 12


class Calendar:
    """The published working days, in memory; fills gateway.domain.clocks.WorkingDays."""

    def __init__(self) -> None:
        self.first = date(min(holidays).year, 1, 1)
        self.last = _last_certain(max(holidays).year)
        self._days = [day for day in _days(self.first, self.last) if _works(day)]

    def covers(self, day: date) -> bool:
        """Whether the day is published and no notice to come can move it."""
        return self.first <= day <= self.last

    def is_working(self, day: date) -> bool | None:
        """Whether people work on the day; None when that is not published."""
        if not self.covers(day):
            return None
        at = bisect_right(self._days, day)
        return at > 0 and self._days[at - 1] == day

    def deadline(self, start: date, working_days: int) -> date | None:
        """The day `working_days` after `start`, which itself does not count.

        None when that day, or `start`, lies outside the published days. ValueError for a
        count below zero.
        """
        if working_days < 0:
            raise ValueError("a deadline lies after its start")
        if not self.covers(start):
            return None
        if working_days == 0:
            return start
        at = bisect_right(self._days, start) + working_days - 1
        return self._days[at] if at < len(self._days) else None


def _last_certain(year: int) -> date:
    """The day before the earliest one of December that the notice of the next year ever moved."""
    moved: list[date] = [day for day in (*holidays, *workdays) if day.month == _DECEMBER]
    return min(day.replace(year=year) for day in moved) - _ONE_DAY


def _days(first: date, last: date) -> list[date]:
    return [first + _ONE_DAY * offset for offset in range((last - first).days + 1)]


def _works(day: date) -> bool:
    return day in workdays or (day.weekday() <= _FRIDAY and day not in holidays)
