"""Audit rules about charges: what was charged, how often, for whom, at which price."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from operator import sub

from gateway.domain.bill import BillLine
from gateway.domain.case import TreatmentKind
from gateway.domain.catalogue import CatalogueRow, Kind
from gateway.domain.money import ONE, price_text, quantity_text
from gateway.rules import limits
from gateway.rules.audit.seen import Hit, Seen, hit, service_day
from gateway.rules.concerns import Concern
from gateway.rules.refunds import in_time
from gateway.rules.resolve import using

_MINUTE = timedelta(minutes=1)


def charged_twice(seen: Seen) -> Iterator[Hit]:
    """A01: the same code, minute and quantity under different line ids, at whatever price."""
    alike: dict[tuple[object, ...], list[BillLine]] = defaultdict(list)
    for line in _within_a_minute(seen.lines):
        minute = line.occurred_at.isoformat(timespec="minutes")
        alike[line.code, line.service_day, minute, line.quantity].append(line)
    for (code, day, *_), lines in alike.items():
        if len(lines) > 1:
            yield hit(lines, f"{code} {day} × {len(lines)}{_prices(lines)}")


def _prices(lines: Iterable[BillLine]) -> str:
    """The prices where there is more than one: they may tell two acts from one charged twice."""
    told = sorted({line.price for line in lines})
    return f"：{' '.join(map(price_text, told))}" if len(told) > 1 else ""


def _within_a_minute(lines: Sequence[BillLine]) -> Sequence[BillLine]:
    """The lines in order of time that have a neighbour less than a minute away."""
    times = [line.occurred_at for line in lines]
    gaps = map(sub, times[1:], times)
    near = {n for first, gap in enumerate(gaps) if gap < _MINUTE for n in (first, first + 1)}
    return [lines[n] for n in sorted(near)]


def contained(seen: Seen) -> Iterator[Hit]:
    """A02: an item beside one that contains it, on the same day."""
    suspects = sorted(seen.of(Concern.CONTAINED), key=lambda one: one[0].service_day)
    days = {line.service_day for line, _ in suspects}
    codes: dict[date, set[str]] = defaultdict(set)
    for line in seen.lines if suspects else ():
        if line.service_day in days:
            codes[line.service_day].add(line.code)
    for line, listed in suspects:
        within = codes[line.service_day].intersection(listed.row.contained_in)
        if within:
            yield hit([line], f"{line.code} in {' '.join(sorted(within))} {line.service_day}")


def over_quantity(seen: Seen) -> Iterator[Hit]:
    """A03: above the quantity that the catalogue allows for a day or a stay."""
    for line, _ in seen.of(Concern.QUANTITY):
        allowed = seen.context.allowances[line.line_id]
        if line.quantity > allowed:
            evidence = f"{quantity_text(line.quantity)} > {quantity_text(allowed)}"
            yield hit([line], f"{line.code} {line.service_day} {evidence}")


def discharge_medicine(seen: Seen) -> Iterator[Hit]:
    """A04: medicine for more days than the region allows at discharge. By the daily dose where
    the hospital tells it; else more on the last day than the largest day before times the days."""
    drugs, day = seen.rows(Concern.DRUG), seen.last_day
    late = [
        line for _, lines in drugs for line in lines if line.take_home or line.service_day == day
    ]
    late.sort(key=in_time)
    yield from _by_dose(seen, [line for line in late if _dose(line)])
    yield from _by_use(seen, [line for line in late if not _dose(line)])


def _dose(line: BillLine) -> int:
    """The daily dose of medicine to take home, in 10^-4; 0 when its days cannot be counted."""
    return (line.daily_dose or 0) if line.take_home else 0


def _by_use(seen: Seen, late: list[BillLine]) -> Iterator[Hit]:
    """More of a drug on the last day than its largest day so far times the days allowed."""
    last: dict[str, list[BillLine]] = defaultdict(list)
    for line in late:
        if line.service_day == seen.last_day:
            last[line.code].append(line)
    for code, lines in last.items():
        most = _largest_day(one for one in _before_last(seen, code) if not _dose(one))
        if not most:
            continue
        days, got = _medicine_days(seen), _total(lines)
        if got > days * most:
            yield hit(lines, f"{code} {quantity_text(got)} > {days} × {quantity_text(most)}")


def _before_last(seen: Seen, code: str) -> Iterator[BillLine]:
    """The lines of a drug on the days before the last one."""
    for row, lines in seen.rows(Concern.DRUG):
        if row.row.code == code:
            yield from (line for line in lines if line.service_day < seen.last_day)


def _largest_day(lines: Iterable[BillLine]) -> int:
    of_day: dict[date, int] = defaultdict(int)
    for line in lines:
        of_day[line.service_day] += line.quantity
    return max(of_day.values(), default=0)


def _by_dose(seen: Seen, dosed: list[BillLine]) -> Iterator[Hit]:
    """Medicine to take home against its own daily dose, whatever day it was given on."""
    given: dict[tuple[str, int], list[BillLine]] = defaultdict(list)
    for line in dosed:
        given[line.code, _dose(line)].append(line)
    for (code, dose), lines in given.items():
        days, got = _medicine_days(seen), _total(lines)
        if got > days * dose:
            yield hit(lines, f"{code} {quantity_text(got)} > {days} × {quantity_text(dose)}")


def _medicine_days(seen: Seen) -> int:
    key = "audit/discharge_medicine_days"
    if seen.stay.treatment is TreatmentKind.REHABILITATION:
        key = "audit/rehabilitation_medicine_days"
    return seen.context.value(key, seen.last_day).number


def more_than_days(seen: Seen) -> Iterator[Hit]:
    """A05: more beds, or more days of nursing, than days of the stay counting both ends."""
    days = (seen.last_day - seen.stay.admitted_on).days + 1
    for concern in (Concern.BED, Concern.NURSING):
        total = sum(line.quantity for _, lines in seen.rows(concern) for line in lines)
        if total > days * ONE:
            yield hit((line for line, _ in seen.of(concern)), f"{quantity_text(total)} > {days}")


def _total(lines: list[BillLine]) -> int:
    return sum(line.quantity for line in lines)


def other_sex(seen: Seen) -> Iterator[Hit]:
    """A06: limited by its remark to the other sex."""
    return _unmet(seen, limits.Unmet.SEX)


def other_age(seen: Seen) -> Iterator[Hit]:
    """A07: limited by its remark to another age."""
    return _unmet(seen, limits.Unmet.AGE)


def other_level(seen: Seen) -> Iterator[Hit]:
    """A09: limited by its remark to hospitals of another level."""
    return _unmet(seen, limits.Unmet.LEVEL)


def over_course(seen: Seen) -> Iterator[Hit]:
    """A10: on a day after those that its remark pays."""
    return _unmet(seen, limits.Unmet.COURSE)


def _unmet(seen: Seen, why: limits.Unmet) -> Iterator[Hit]:
    for line, listed in seen.of(Concern.REMARK):
        if limits.unmet(listed.remark, using(seen.context, line, listed.remark)) is why:
            yield _remark(line, listed.row)


def no_indication(seen: Seen) -> Iterator[Hit]:
    """A08: limited by its remark to indications none of which is a diagnosis by name."""
    for line, listed in seen.of(Concern.REMARK):
        if limits.for_person(listed.remark, seen.stay) is limits.ForPerson.INDICATION:
            yield _remark(line, listed.row)


def _remark(line: BillLine, row: CatalogueRow) -> Hit:
    return hit([line], f"{line.code} {line.service_day} {row.remark}".rstrip())


def maternity(seen: Seen) -> Iterator[Hit]:
    """A11: limited to maternity insurance."""
    for line, listed in seen.of(Concern.MATERNITY):
        yield _remark(line, listed.row)


def no_order(seen: Seen) -> Iterator[Hit]:
    """A16: a drug, item or material under no doctor's order and no prescription; a bed, air or
    meal needs none."""
    needs_none = {
        line.line_id
        for row, lines in seen.context.used.items()
        if row is None or Concern.FACILITY in row.concerns
        for line in lines
    }
    lines = [
        line
        for line in seen.lines
        if not (line.order_no or line.prescription_no) and line.line_id not in needs_none
    ]
    if lines:
        yield hit(lines, str(len(lines)))


def _ordered(seen: Seen, line: BillLine) -> bool:
    """Whether it stands in a catalogue of what doctors order."""
    listed = seen.context.listed(line)
    return listed is not None and listed.row.kind is not Kind.FACILITY


def outside_dates(seen: Seen) -> Iterator[Hit]:
    """A17: outside the stay, before the injury or after death. Only flagged: a same-day emergency
    before the admission is payable (条例 第三十条第二款)."""
    yield from _after_death(seen)
    first, last = max(seen.stay.admitted_on, seen.context.case.injured_on), seen.last_day
    days = set(map(service_day, seen.lines))
    outside = {day for day in days if not first <= day <= last}
    for line in seen.lines if outside else ():
        if line.service_day in outside:
            yield hit([line], f"{line.service_day} ∉ {first} – {last}")


def _after_death(seen: Seen) -> Iterator[Hit]:
    """What was done after the hour of death; beds are charged for the whole day at its end."""
    died_at = seen.stay.discharged_at
    if not seen.stay.died or died_at is None:
        return
    for line in seen.lines:
        same_day = line.service_day == seen.last_day
        if same_day and line.occurred_at > died_at and _ordered(seen, line):
            yield hit([line], f"{line.occurred_at:%H:%M:%S}Z > {died_at:%H:%M:%S}Z †")


def over_price(seen: Seen) -> Iterator[Hit]:
    """A18: a unit price above the highest payable one."""
    above = [
        (line, ceiling)
        for row, lines in seen.rows(Concern.CEILING)
        if (ceiling := row.ceiling) is not None
        for line in lines
        if line.price > ceiling
    ]
    for line, ceiling in sorted(above, key=lambda one: in_time(one[0])):
        yield hit([line], f"{line.code} {price_text(line.price)} > {price_text(ceiling)}")


def pieces_alone(seen: Seen) -> Iterator[Hit]:
    """A19: □ pieces of a prescription that holds nothing else."""
    for line, _ in seen.of(Concern.PIECE):
        if line.prescription_no not in seen.context.accompanied_pieces:
            yield hit([line], f"{line.code} {line.prescription_no}".strip())
