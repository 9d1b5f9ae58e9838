"""同一境况 The standing of a bill on a day: everything but the line that a line is decided by.

Two bills of the same standing decide lines that are charged alike in the same way, so what was
resolved for one serves the next. Equal standing is told from all facts of stay, case and
hospital, those that a rule may come to ask included: only names and numbers of persons, papers
and institutions are left out, and of a day only on which side of the service day it lies.
"""

from bisect import bisect_right
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import fields
from datetime import date, datetime
from functools import cache
from typing import Any

from gateway.domain.catalogue import Edition
from gateway.policy.model import PickedBy, Policy

_NAMES = frozenset(
    {"admission_id", "version", "hospital", "visit_no", "person_id", "case_no", "approval_no"}
    | {"diagnoses", "cleared", "bmi_settlement_no", "employer_no", "decision_no", "authority"}
    | {"party_id", "name", "callback_url"}
)
"""The diagnoses bear on remarks and suspicions alone, which are never decided alike."""


def standing(
    policy: Policy,
    editions: Iterable[Edition],
    dates: Mapping[PickedBy, date],
    facts: Iterable[object],
    day: date,
) -> Hashable | None:
    """The standing under one policy, None where a list of facts (a stop, an approval, arrears)
    makes it this bill's own. Editions are told by what they are, so keep them with it."""
    told: list[object] = [id(edition) for edition in editions]
    days = {**dates, PickedBy.SERVICE_DATE: day}
    told += [bisect_right(_days(policy, kind), days[kind]) for kind in PickedBy]
    for fact in facts:
        kind: Any = type(fact)
        for name in _asked(kind):
            value = getattr(fact, name)
            if isinstance(value, tuple) and value:
                return None
            told.append(_side(value, day) if isinstance(value, date) else value)
    return tuple(told)


def _side(value: date, day: date) -> object:
    """Before the day, on it or after it; the rules know no instants."""
    if isinstance(value, datetime):
        return None
    return (value > day) - (value < day)


def _days(policy: Policy, kind: PickedBy) -> list[date]:
    """The days from which the values picked by this date hold, found once for a policy."""
    found: list[date] | None = policy.prepared.get(kind)
    if found is None:
        parameters = (one for one in policy.parameters.values() if one.picked_by is kind)
        found = sorted({value.since for one in parameters for value in one.values})
        policy.prepared[kind] = found
    return found


@cache
def _asked(kind: type[Any]) -> tuple[str, ...]:
    names = tuple(field.name for field in fields(kind))
    return tuple(name for name in names if name not in _NAMES)
