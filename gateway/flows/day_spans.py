"""Spans of days that a party tells of a stay, one after the other: leave 请假, hanging bed 挂床."""

from collections.abc import Iterable
from datetime import date

from gateway.domain.admission import DaySpan
from gateway.domain.findings import Finding
from gateway.store.rows import days_of, spans_text


def with_spans(kept: str, told: Iterable[DaySpan]) -> str:
    """The kept days with those told, and without those taken back, in the order they are told."""
    days = days_of(kept)
    for span in told:
        days = days - span.days if span.taken_back else days | span.days
    return spans_text(days)


def span_faults(field: str, told: Iterable[DaySpan], first: date, last: date) -> list[Finding]:
    """The spans that end before they begin or leave the days from first to last."""
    return [
        Finding("VALUE_CONFLICT", field, f"{one.first} – {one.last}", f"{first} – {last}")
        for one in told
        if not first <= one.first <= one.last <= last
    ]
