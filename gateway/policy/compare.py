"""两版政策 From which day on two policies of one region decide differently."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from itertools import chain
from typing import Final

from gateway.policy.model import Dated, Institution, Law, Policy, Span

_NO_PLACE: Final = Law("")


def changed_since(before: Policy, after: Policy) -> date | None:
    """The first day of a value or a designation that only one of them has; None where they differ
    in words alone (articles, notes, when a person last looked)."""
    days = chain(
        _of_values(before, after),
        _of_directory(before) ^ _of_directory(after),
        _of_institutions(before, after),
    )
    return min(days, default=None)


def _of_values(before: Policy, after: Policy) -> Iterator[date]:
    for key in {*before.parameters, *after.parameters}:
        yield from (since for since, *_ in _amounts(before, key) ^ _amounts(after, key))


def _amounts(policy: Policy, key: str) -> frozenset[tuple[date, object, object]]:
    dated: Dated | None = policy.parameters.get(key)
    if dated is None:
        return frozenset()
    return frozenset(
        (one.since, (one.amount, one.ended), (dated.picked_by, dated.unit)) for one in dated.values
    )


def _of_directory(policy: Policy) -> frozenset[date]:
    """The day from which whoever is not listed is known not to be designated, if any."""
    return frozenset(() if policy.directory is None else (policy.directory.since,))


def _of_institutions(before: Policy, after: Policy) -> Iterator[date]:
    for one in _institutions(before) ^ _institutions(after):
        yield from (span.since for span in _spans(one))


def _institutions(policy: Policy) -> frozenset[Institution]:
    """What decides of each: all but its note and the place of its agreement."""
    listed = () if policy.directory is None else policy.directory.institutions
    return frozenset(replace(one, note="", law=_NO_PLACE) for one in listed)


def _spans(one: Institution) -> Iterator[Span]:
    for _, span in (*one.capabilities, *one.online, *one.doctors):
        yield span
