"""Audit rules about charges: what was charged, how often, for whom, at which price."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date

from gateway.domain.bill import BillLine
from gateway.domain.case import TreatmentKind
from gateway.domain.catalogue import CatalogueRow, InsuranceLimit, Kind
from gateway.domain.money import ONE, price_text, quantity_text
from gateway.rules import limits
from gateway.rules.audit.seen import Hit, Seen, by_day, hit
from gateway.rules.resolve import using

_NURSING, _DAY = "护理", "日"


def charged_twice(seen: Seen) -> Iterator[Hit]:
    """A01: the same code, minute, quantity and price under different line ids."""
    alike: dict[object, list[BillLine]] = defaultdict(list)
    for line in seen.lines:
        minute = line.occurred_at.replace(second=0, microsecond=0)
        alike[line.code, minute, line.quantity, line.price].append(line)
    for lines in alike.values():
        if len(lines) > 1:
            yield hit(lines, f"{lines[0].code} {lines[0].service_day} × {len(lines)}")


def contained(seen: Seen) -> Iterator[Hit]:
    """A02: an item beside one that contains it, on the same day."""
    for day, lines in by_day(seen.lines).items():
        codes = {line.code for line in lines}
        for line in lines:
            row = seen.rows.get(line.line_id)
            within = codes.intersection(row.contained_in) if row is not None else None
            if within:
                yield hit([line], f"{line.code} in {' '.join(sorted(within))} {day}")


def over_quantity(seen: Seen) -> Iterator[Hit]:
    """A03: above the quantity that the catalogue allows for a day or a stay."""
    for line in seen.lines:
        allowed = seen.context.allowances.get(line.line_id)
        if allowed is not None and line.quantity > allowed:
            evidence = f"{quantity_text(line.quantity)} > {quantity_text(allowed)}"
            yield hit([line], f"{line.code} {line.service_day} {evidence}")


def discharge_medicine(seen: Seen) -> Iterator[Hit]:
    """A04: medicine for more days than the region allows at discharge. By the daily dose where
    the hospital tells it; else more on the last day than the largest day before times the days."""
    yield from _by_dose(seen)
    daily: dict[tuple[str, date], list[BillLine]] = defaultdict(list)
    for line in seen.of_kind(Kind.DRUG):
        if _dosed(line):
            continue
        daily[line.code, line.service_day].append(line)
    for (code, day), lines in daily.items():
        before = [_total(used) for (other, on), used in daily.items() if other == code and on < day]
        if day != seen.last_day or not before:
            continue
        days = _medicine_days(seen)
        got, most = _total(lines), max(before)
        if got > days * most:
            yield hit(lines, f"{code} {quantity_text(got)} > {days} × {quantity_text(most)}")


def _by_dose(seen: Seen) -> Iterator[Hit]:
    """Medicine to take home against its own daily dose, whatever day it was given on."""
    given: dict[tuple[str, int], list[BillLine]] = defaultdict(list)
    for line in seen.of_kind(Kind.DRUG):
        if _dosed(line):
            given[line.code, line.daily_dose or 0].append(line)
    for (code, dose), lines in given.items():
        days, got = _medicine_days(seen), _total(lines)
        if got > days * dose:
            yield hit(lines, f"{code} {quantity_text(got)} > {days} × {quantity_text(dose)}")


def _dosed(line: BillLine) -> bool:
    """Medicine to take home whose days can be counted."""
    return line.take_home and (line.daily_dose or 0) > 0


def _medicine_days(seen: Seen) -> int:
    key = "audit/discharge_medicine_days"
    if seen.stay.treatment is TreatmentKind.REHABILITATION:
        key = "audit/rehabilitation_medicine_days"
    return seen.context.value(key, seen.last_day).number


def more_than_days(seen: Seen) -> Iterator[Hit]:
    """A05: more beds, or more days of nursing, than days of the stay counting both ends."""
    days = (seen.last_day - seen.stay.admitted_on).days + 1
    nursing = tuple(line for line, row in seen.listed if _NURSING in row.name and row.unit == _DAY)
    for lines in (seen.beds, nursing):
        if _total(lines) > days * ONE:
            yield hit(lines, f"{quantity_text(_total(lines))} > {days}")


def _total(lines: list[BillLine] | tuple[BillLine, ...]) -> int:
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
    for line, read in seen.limited:
        if limits.unmet(read, using(seen.context, line, read)) is why:
            yield _remark(line, seen.rows[line.line_id])


def no_indication(seen: Seen) -> Iterator[Hit]:
    """A08: limited by its remark to indications none of which is a diagnosis by name."""
    for line, read in seen.limited:
        if limits.for_person(read, seen.stay) is limits.ForPerson.INDICATION:
            yield _remark(line, seen.rows[line.line_id])


def _remark(line: BillLine, row: CatalogueRow) -> Hit:
    return hit([line], f"{line.code} {line.service_day} {row.remark}".rstrip())


def maternity(seen: Seen) -> Iterator[Hit]:
    """A11: limited to maternity insurance."""
    for line, row in seen.listed:
        if row.insurance_limit is InsuranceLimit.MATERNITY:
            yield _remark(line, row)


def no_order(seen: Seen) -> Iterator[Hit]:
    """A16: a drug, item or material under no doctor's order and no prescription; a bed, air or
    meal needs none."""
    lines = [
        line
        for line, row in seen.listed
        if row.kind is not Kind.FACILITY and not (line.order_no or line.prescription_no)
    ]
    if lines:
        yield hit(lines, str(len(lines)))


def outside_dates(seen: Seen) -> Iterator[Hit]:
    """A17: outside the stay, before the injury or after death. Only flagged: a same-day emergency
    before the admission is payable (条例 第三十条第二款)."""
    yield from _after_death(seen)
    first = max(seen.stay.admitted_on, seen.context.case.injured_on)
    for line in seen.lines:
        if not first <= line.service_day <= seen.last_day:
            yield hit([line], f"{line.service_day} ∉ {first} – {seen.last_day}")


def _after_death(seen: Seen) -> Iterator[Hit]:
    """What was done after the hour of death; beds are charged for the whole day at its end."""
    died_at = seen.stay.discharged_at
    if not seen.stay.died or died_at is None:
        return
    for line, row in seen.listed:
        same_day = line.service_day == seen.last_day
        if same_day and row.kind is not Kind.FACILITY and line.occurred_at > died_at:
            yield hit([line], f"{line.occurred_at:%H:%M:%S}Z > {died_at:%H:%M:%S}Z †")


def over_price(seen: Seen) -> Iterator[Hit]:
    """A18: a unit price above the highest payable one."""
    for line, row in seen.listed:
        ceiling = row.ceiling_for(seen.hospital.level)
        if ceiling is not None and line.price > ceiling:
            yield hit([line], f"{line.code} {price_text(line.price)} > {price_text(ceiling)}")


def pieces_alone(seen: Seen) -> Iterator[Hit]:
    """A19: □ pieces of a prescription that holds nothing else."""
    for line, row in seen.listed:
        if row.not_alone and line.prescription_no not in seen.context.accompanied_pieces:
            yield hit([line], f"{line.code} {line.prescription_no}".strip())
