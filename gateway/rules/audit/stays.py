"""Audit rules about the stay: its days, its beds, its neighbours, its agreement, its cost.

Evidence names no other hospital: a reply goes to one hospital and must not tell of another.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date, timedelta

from gateway.domain.admission import Stay
from gateway.domain.bill import BillLine
from gateway.domain.case import TreatmentKind
from gateway.domain.money import ONE, yuan
from gateway.policy.model import Institution, PolicyGap
from gateway.rules.audit.seen import Hit, Seen, amount_fen, by_day, hit, service_day
from gateway.rules.concerns import Concern
from gateway.rules.payout import unreported

_INJURY = ("S", "T")
"""Chapter of injuries, poisonings and external causes in the national list of diagnoses."""
_ONE_PART = "S"
"""Its part that goes by the region of the body, one region for each tens digit; T holds injuries
of several or of unnamed regions."""


def other_part(seen: Seen) -> Iterator[Hit]:
    """A12: not one diagnosis is an injury by its code, or none is of a part of the body that the
    employer's report names. Never automatic: a person looks at it."""
    codes = [one.code for one in seen.stay.diagnoses]
    if not codes:
        return
    injuries = [code for code in codes if code.startswith(_INJURY)]
    if not injuries:
        yield Hit((), "≠ S, T")
        return
    treated, reported = _parts(injuries), _parts(seen.context.case.diagnosis_codes)
    if treated and reported and treated.isdisjoint(reported):
        yield Hit((), f"{' '.join(sorted(treated))} ∉ {' '.join(sorted(reported))}")


def _parts(codes: Iterable[str]) -> frozenset[str]:
    """The regions of the body that the codes name; none when one of them leaves it open."""
    injuries = [code for code in codes if code.startswith(_INJURY)]
    one_part = all(code.startswith(_ONE_PART) for code in injuries)
    return frozenset(code[: len("S8")] for code in injuries if one_part)


def overlapping(seen: Seen) -> Iterator[Hit]:
    """A13: shares more with another stay of the person than a day of transfer, the last of the
    one and the first of the other."""
    for other in seen.others:
        first = max(seen.stay.admitted_on, other.admitted_on)
        last = min(seen.last_day, other.discharged_on or seen.last_day)
        if first < last or (first == last and not _transferred(seen, other, first)):
            yield Hit((), f"{first} – {last}")


def _transferred(seen: Seen, other: Stay, day: date) -> bool:
    """Whether the one day that both stays have is the last of the one and the first of the
    other; who is moved on at once has no more than it."""
    moved_on = (seen.last_day, other.admitted_on)
    came_from = (other.discharged_on or seen.last_day, seen.stay.admitted_on)
    return (day, day) in (moved_on, came_from)


def split(seen: Seen) -> Iterator[Hit]:
    """A14: admitted again by the same hospital for the same disease soon after a discharge."""
    for other in seen.others:
        left = other.discharged_on
        if left is None or left > seen.stay.admitted_on or not _same_disease(seen.stay, other):
            continue
        days = seen.context.value("audit/readmission_days", seen.last_day).number
        if seen.stay.admitted_on - left <= timedelta(days=days):
            yield Hit((), f"{left} → {seen.stay.admitted_on}")


def _same_disease(stay: Stay, other: Stay) -> bool:
    """The same hospital and, by the category of its code, the same main diagnosis."""
    if stay.emergency or stay.hospital != other.hospital:
        return False
    mine, theirs = ({one.code[:3] for one in each.diagnoses if one.main} for each in (stay, other))
    return not mine.isdisjoint(theirs)


def hanging_bed(seen: Seen) -> Iterator[Hit]:
    """A15: whole days of the stay on which nothing but facilities was charged."""
    if seen.stay.treatment is TreatmentKind.DEVICE:
        return
    nights = (seen.last_day - seen.stay.admitted_on).days
    days = {seen.stay.admitted_on + timedelta(days=n) for n in range(1, nights)}
    for row, used in seen.context.used.items():
        if row is None or Concern.FACILITY not in row.concerns:
            days.difference_update(map(service_day, used))
    empty = sorted(days)
    if empty:
        lines = [line for line in seen.lines if line.service_day in empty]
        yield hit(lines, " ".join(day.isoformat() for day in empty))


def no_agreement(seen: Seen) -> Iterator[Hit]:
    """A20: the agreement was suspended or over on a day of the stay, or its list of doctors does
    not hold who ordered."""
    for day in (seen.stay.admitted_on, seen.last_day):
        if not seen.hospital.designated_on(day):
            yield Hit((), day.isoformat())
            break
    yield from _not_listed(seen)


def _not_listed(seen: Seen) -> Iterator[Hit]:
    """Lines by the doctor who ordered them, where the agreement lists doctors."""
    ordered: dict[str, list[BillLine]] = defaultdict(list)
    for line in [one for one in seen.lines if one.doctor_code]:
        place = _institution(seen, line.service_day)
        if place is not None and not place.lists(line.doctor_code, line.service_day):
            ordered[line.doctor_code].append(line)
    for code, lines in ordered.items():
        yield hit(lines, f"{code} ∉ {seen.hospital.party_id}")


def _institution(seen: Seen, day: date) -> Institution | None:
    """The hospital in the region's directory; none where there is no directory for the day."""
    try:
        return seen.context.policy.institution(seen.hospital.party_id, day)
    except PolicyGap:
        return None


def registered_late(seen: Seen) -> Iterator[Hit]:
    """A21: registered after the region's days."""
    if seen.stay.registered_late:
        yield Hit((), seen.stay.admitted_on.isoformat())


def high_cost(seen: Seen) -> Iterator[Hit]:
    """A22: costs more than the region's threshold."""
    total_fen = sum(map(amount_fen, seen.lines))
    threshold = seen.context.value("audit/high_cost_fen", seen.last_day).number
    if total_fen > threshold:
        yield Hit((), f"{yuan(total_fen)} > {yuan(threshold)}")


def two_beds(seen: Seen) -> Iterator[Hit]:
    """A23: more than one bed on one day."""
    beds = [line for _, lines in seen.rows(Concern.BED) for line in lines]
    for day, lines in by_day(beds).items():
        if sum(line.quantity for line in lines) > ONE and len(lines) > 1:
            yield hit(lines, day.isoformat())


def paid_by_basic_insurance(seen: Seen) -> Iterator[Hit]:
    """A24: the hospital says that basic insurance has settled this stay, and nobody has reported
    what it paid: it is given back first."""
    number = unreported(seen.stay)
    if number:
        yield Hit((), number)
