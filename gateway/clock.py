"""What time it is. Instants are UTC; business days are dates of Asia/Shanghai.

The business clock may run at an offset from the machine's (demo, tests); TLS and
timers always use the machine's own.
"""

from datetime import UTC, date, datetime, timedelta
from time import monotonic
from typing import Final
from zoneinfo import ZoneInfo

BUSINESS_ZONE: Final = ZoneInfo("Asia/Shanghai")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DAY_S: Final = 86_400
_SECOND: Final = 1_000_000
"""Microseconds of a second."""


class SystemClock:
    """The business clock: the machine's, moved by a fixed offset."""

    def __init__(self, offset: timedelta = timedelta(0)) -> None:
        self._offset = offset

    @classmethod
    def starting_at(cls, start: datetime) -> "SystemClock":
        """A clock that reads `start` now and runs on."""
        return cls(start - machine_now())

    def now(self) -> datetime:
        """The business instant, UTC."""
        return machine_now() + self._offset

    def move(self, by: timedelta) -> None:
        """Set the business clock forward; it never runs backward."""
        if by < timedelta(0):
            raise ValueError("the business clock never runs backward")
        self._offset += by


def machine_now() -> datetime:
    """The machine's instant, UTC: for certificates and TLS only."""
    return datetime.now(UTC)


def elapsed_s(since: float = 0.0) -> float:
    """Seconds of the monotonic timer since an earlier reading of it."""
    return monotonic() - since


def micros(instant: datetime) -> int:
    """Microseconds since 1970 UTC, as stored."""
    since = instant - _EPOCH
    return (since.days * _DAY_S + since.seconds) * _SECOND + since.microseconds


def instant(micros_utc: int) -> datetime:
    """The instant of stored microseconds."""
    return _EPOCH + timedelta(microseconds=micros_utc)


def business_day(moment: datetime) -> date:
    """The day of Asia/Shanghai in which the instant lies."""
    return moment.astimezone(BUSINESS_ZONE).date()


def at_business(day: date, hour: int = 0, minute: int = 0) -> datetime:
    """The instant of a wall-clock time in Asia/Shanghai."""
    local = datetime(day.year, day.month, day.day, hour, minute, tzinfo=BUSINESS_ZONE)
    return local.astimezone(UTC)
