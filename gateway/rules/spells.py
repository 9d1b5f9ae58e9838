"""同一时段 Spells: runs of days between which no dated fact of a bill changes.

What is resolved for one day of a spell holds for all its days, so that the thousandth dose of
the same drug costs a look-up and not a resolution.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import fields, is_dataclass
from datetime import date, timedelta
from functools import cache
from typing import Any

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
        named = {day for fact in facts for day in _named(fact)}
        for edition in editions:
            named |= {edition.valid_from, edition.valid_to or edition.valid_from}
        after = {day + _DAY for day in named if day < date.max}
        self._begin = sorted({*_of_policy(policy), *named, *after})
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


def _named(fact: object) -> list[date]:
    """Every day in a record and the records within it; instants are no days."""
    if type(fact) is date:
        return [fact]
    if isinstance(fact, tuple | frozenset):
        return [day for part in fact for day in _named(part)]
    kind: Any = type(fact)
    return [day for name in _names(kind) for day in _named(getattr(fact, name))]


@cache
def _names(kind: type[Any]) -> tuple[str, ...]:
    """The fields of a record; what is none has none."""
    return tuple(field.name for field in fields(kind)) if is_dataclass(kind) else ()
