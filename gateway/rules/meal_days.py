"""Which days of a stay are days of the meal allowance, and why the others are not.

职工住院治疗工伤的伙食补助费……从工伤保险基金支付。（工伤保险条例 第三十条第四款）
A stay in which nothing was charged for the injury treats another disease (第五款). The days of a
late, uncovered, refused or stopped window are not the fund's either (第十七条第四款); a day away
from the hospital, or paid already for another stay, is no further day in hospital.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from gateway.domain.admission import Stay
from gateway.domain.bill import BillLine, Citation, Relation
from gateway.policy import anchors
from gateway.rules.context import Context
from gateway.rules.meal import covered_days, meal_days

_LATE: Final = "meal/split_late_window"
_LEAVE: Final = "meal/split_leave_days"
_HANGING: Final = "HANGING_BED"
_MOVED: Final = frozenset({"meal/cut/in_arrears", "meal/cut/late"})
"""The grounds that more than one text puts a day in: those of `Holding.moved_by`."""
_ACTUAL_DAYS: Final = replace(anchors.MEAL_ALLOWANCE, our_reading=True)


@dataclass(frozen=True, slots=True)
class MealDays:
    """The days that are paid, and per ground the number that is not with its sources."""

    paid: tuple[date, ...]
    cuts: tuple[Citation, ...]


def counted_days(
    context: Context, lines: tuple[BillLine, ...], others: tuple[Stay, ...]
) -> MealDays:
    """The days by the region's day rule less those that a ground takes off. Raises PolicyGap."""
    stay = context.stay
    rule = context.value("meal/day_rule", stay.last_day).word
    whole = covered_days(stay.admitted_on, meal_days(stay.admitted_on, stay.last_day, rule))
    away = _Away(stay, _hanging(stay, lines), frozenset().union(*(o.meal_days for o in others)))
    other = _other_disease(context)
    found = {day: other or _cut(context, away, day) for day in whole}
    paid = tuple(day for day, ground in found.items() if ground is None)
    return MealDays(paid, tuple(_told(context, found)))


def _other_disease(context: Context) -> Citation | None:
    """The ground of every day, where all that was charged and not given back was found to be for
    something else (第三十条第五款)."""
    relations = {line.relation for line in context.netted.nets if line.quantity > 0}
    if relations != {Relation.UNRELATED}:
        return None
    return replace(anchors.OTHER_DISEASES, key="meal/cut/not_injury")


@dataclass(frozen=True, slots=True)
class _Away:
    """The days on which the person was not in this bed, or was paid for another."""

    stay: Stay
    hanging: frozenset[date]
    elsewhere: frozenset[date]


def _hanging(stay: Stay, lines: tuple[BillLine, ...]) -> frozenset[date]:
    """The days that the agency found by themselves, and those of lines it found so."""
    found = {line.service_day for line in lines if line.violation == _HANGING}
    return stay.hanging_days | found


def _cut(context: Context, away: _Away, day: date) -> Citation | None:
    """The first ground that takes the day off, as its source under a key of its own."""
    ground = _window(context, day) or _absence(context, away, day)
    if ground is None:
        return None
    name, source = ground
    return replace(source, key=f"meal/cut/{name}")


def _window(context: Context, day: date) -> tuple[str, Citation] | None:
    holding = context.holding(day)
    if holding.stopped:
        return "stopped", anchors.BENEFIT_STOPPED
    if holding.notice is not None:
        return "refused_discharge", _ACTUAL_DAYS
    if (limit := context.beyond_emergency(day)) is not None:
        return "beyond_emergency", context.cited(limit.key, day)
    if holding.before_cover:
        return "before_cover", anchors.NEWLY_ARISING
    if holding.in_arrears:
        return "in_arrears", anchors.ARREARS_PAID
    if context.late(day) and context.value(_LATE, day).switch:
        return "late", context.cited(_LATE, day)
    return None


def _absence(context: Context, away: _Away, day: date) -> tuple[str, Citation] | None:
    last = away.stay.last_day
    if day in away.stay.leave_days and context.value(_LEAVE, last).switch:
        return "leave", context.cited(_LEAVE, last)
    if day in away.hanging:
        return "hanging_bed", _ACTUAL_DAYS
    return ("paid_elsewhere", _ACTUAL_DAYS) if day in away.elsewhere else None


def _told(context: Context, found: Mapping[date, Citation | None]) -> Iterator[Citation]:
    """Each ground once: its number of days, from its first one on, and what put them in it."""
    grounds = [ground for ground in found.values() if ground is not None]
    for ground in dict.fromkeys(grounds):
        days = [day for day, one in found.items() if one == ground]
        yield replace(ground, value=str(len(days)), since=days[0].isoformat())
        if ground.key in _MOVED:
            by = dict.fromkeys(one for day in days for one in context.holding(day).moved_by)
            yield from (one for one in by if replace(one, key=ground.key) != ground)
