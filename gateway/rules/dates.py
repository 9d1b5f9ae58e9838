"""Which date of a stay and its case chooses a policy value: each key says so in `picked_by`."""

from collections.abc import Mapping
from datetime import date, timedelta
from functools import cache

from gateway.domain.admission import Stay
from gateway.domain.case import CaseFacts
from gateway.policy.model import PickedBy, Policy, Value

Dates = Mapping[PickedBy, date]
_DAY = timedelta(days=1)


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


@cache
def months_later(day: date, months: int) -> date:
    """The same day of a later month, or the last day of a month that has no such day: the last
    day of a period counted in months from `day` (民法典 第二百零一条、第二百零二条)."""
    last = last_of_month(day)
    for _ in range(months):
        last = last_of_month(last + _DAY)
    return last.replace(day=min(day.day, last.day))


def picked(policy: Policy, key: str, dates: Dates, day: date) -> Value:
    """The value of the key on the date that the key itself names.

    Raises PolicyGap; a key that no text gives names no date, so the gap names `day`.
    """
    return policy.picked(key, dates) if key in policy.parameters else policy.value(key, day)


@cache
def last_of_month(day: date) -> date:
    """The last day of the day's month."""
    last = day
    while (last + _DAY).month == day.month:
        last += _DAY
    return last
