"""Dates a message may not name: what has not happened yet cannot be registered or paid."""

from datetime import datetime, timedelta
from typing import Final

from gateway.domain.findings import Finding
from gateway.flows.desk import Desk

_CLOCKS_DIFFER: Final = timedelta(minutes=5)
"""How far the clocks of two machines may lie apart."""


def in_future(desk: Desk, instant: datetime) -> bool:
    """Whether the instant lies ahead by more than clocks may differ (five minutes)."""
    return instant > desk.clock.now() + _CLOCKS_DIFFER


def future_fault(desk: Desk, field: str, instant: datetime) -> Finding | None:
    """FUTURE_DATE, naming the field, when the instant lies ahead."""
    return future_finding(field, instant) if in_future(desk, instant) else None


def future_finding(field: str, instant: datetime, line_id: str = "") -> Finding:
    """What is said of an instant that lies ahead."""
    return Finding("FUTURE_DATE", field, instant.isoformat(), "<= now + 5 min", line_id)
