"""同一时段 Spells: runs of days between which no dated fact of a bill changes.

What is resolved for one day of a spell holds for all its days, so that the thousandth dose of
the same drug costs a look-up and not a resolution.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import fields, is_dataclass
from datetime import date, datetime, timedelta

from gateway.domain.catalogue import Edition
from gateway.policy.model import PickedBy, Policy

_DAY = timedelta(days=1)


class Spells:
    """The spells of a bill, numbered in order of time.

    A spell begins on every day from which a policy value picked by the service date or a
    catalogue edition holds, and on every day that a fact (of the stay, the case or the
    hospital) names, and the day after it: whatever lies in a span of facts, or counts one day
    on from it, is the same for a whole spell. A rule that counts on by more days asks by day.
    """

    def __init__(self, policy: Policy, editions: Iterable[Edition], facts: Iterable[object]):
        begin = set(_of_policy(policy))
        for edition in editions:
            begin.update(_and_after(edition.valid_from))
            begin.update(_and_after(edition.valid_to))
        for fact in facts:
            for named in _named(fact):
                begin.update(_and_after(named))
        self._begin = sorted(begin)
        self._numbers: dict[date, int] = {}

    def number(self, day: date) -> int:
        """The number of the spell that the day lies in."""
        found = self._numbers.get(day)
        if found is None:
            found = self._numbers[day] = bisect_right(self._begin, day)
        return found


def _of_policy(policy: Policy) -> Iterator[date]:
    for dated in policy.parameters.values():
        if dated.picked_by is PickedBy.SERVICE_DATE:
            for value in dated.values:
                yield value.since


def _and_after(day: date | None) -> tuple[date, ...]:
    if day is None or day == date.max:
        return ()
    return (day, day + _DAY)


def _named(fact: object) -> Iterator[date]:
    """Every day in a record and the records within it; instants are no days."""
    if isinstance(fact, date) and not isinstance(fact, datetime):
        yield fact
    elif isinstance(fact, tuple | frozenset):
        for part in fact:
            yield from _named(part)
    elif is_dataclass(fact):
        for field in fields(fact):
            yield from _named(getattr(fact, field.name))
