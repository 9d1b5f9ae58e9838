"""Which date of a stay and its case chooses a policy value: each key says so in `picked_by`."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final

from gateway.domain.admission import Stay
from gateway.domain.case import CaseFacts
from gateway.policy.model import PickedBy, Policy, Value

Dates = Mapping[PickedBy, date]
_ONE_DAY: Final = timedelta(days=1)


def dates_of(stay: Stay, case: CaseFacts) -> Dates:
    """The dates of the whole stay; a line puts its own day in the place of the service date.

    The rules know no clock, so the day of discharge stands for the day of settlement: a bill
    that was held is then decided by the same values as one settled at once.
    """
    return {
        PickedBy.SERVICE_DATE: stay.admitted_on,
        PickedBy.ADMISSION_DATE: stay.admitted_on,
        PickedBy.DISCHARGE_DATE: stay.last_day,
        PickedBy.SETTLEMENT_DATE: stay.last_day,
        PickedBy.INJURY_DATE: case.event_day,
        PickedBy.EVENT_DATE: case.event_day,
    }


def picked(policy: Policy, key: str, dates: Dates, day: date) -> Value:
    """The value of the key on the date that the key itself names.

    Raises PolicyGap; a key that no text gives names no date, so the gap names `day`.
    """
    return policy.picked(key, dates) if key in policy.parameters else policy.value(key, day)


def months_later(day: date, months: int) -> date:
    """The first day of the month that many months later."""
    first = day.replace(day=1)
    for _ in range(months):
        first = last_of_month(first) + _ONE_DAY
    return first


def last_of_month(day: date) -> date:
    """The last day of the month."""
    last = day
    while (last + _ONE_DAY).month == day.month:
        last += _ONE_DAY
    return last
