"""What all lines of one bill share: the grounds of its days, its policy values, its catalogue."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import NamedTuple

from gateway.domain.admission import Stay
from gateway.domain.bill import BillLine, Citation, SuppliedDevice, by_place
from gateway.domain.case import REFUSED_DISCHARGE, Arrears, CaseFacts, TreatmentKind
from gateway.domain.catalogue import Kind, Level
from gateway.policy import anchors
from gateway.policy.model import PickedBy, Policy, PolicyGap, Value
from gateway.rules.approvals import Asked
from gateway.rules.cited import citation
from gateway.rules.concerns import Concern
from gateway.rules.dates import Dates, picked
from gateway.rules.late import LateWindow
from gateway.rules.listed import EditionsByDay, Listed, Sources, find_in
from gateway.rules.place import EmergencyDays
from gateway.rules.plain import (
    ASKED,
    RATIO_KEY,
    Charge,
    Decision,
    Footing,
    Ground,
    Holding,
    Known,
    Rate,
    Standing,
    charges,
    standing,
)
from gateway.rules.quantities import allowances
from gateway.rules.refunds import Netted, in_time

_HERBAL_PIECES = "饮片"
_DAY = timedelta(days=1)
_service_day = by_place("service_day")
Lines = list[tuple[BillLine, Listed]]
Rows = list[tuple[Listed, list[BillLine]]]


class Supplied(NamedTuple):
    """What a bill itself supplies of one device: how many each day that count, in 10^-4, and the
    days on which the fund bears one, in order."""

    numbers: Counter[date]
    days: list[date]


@dataclass(slots=True)
class Context:
    """What all lines of one bill share; look-ups are remembered.

    `told` is the case as it was reported, `case` the same by the employer that is liable.
    `known` says of each original what its charge and its day say by themselves. `counted` are
    the netted lines that use up quantities and days, in order, and `used` those of each row of
    the catalogue, under None those that stand in none; `rescued` the lines that are approved as
    needed for rescue, each with its approval, `apart` those of which more is asked than their
    charge: every line where the agreement covers `devices_alone`. By the texts `owed_by` the days
    of `owed` are the employer's.
    """

    policy: Policy
    stay: Stay
    told: CaseFacts
    case: CaseFacts
    level: Level
    dates: Dates
    editions: EditionsByDay
    rescued: Mapping[str, Citation]
    late_until: LateWindow | None
    asked: Asked
    netted: Netted
    devices_alone: bool
    devices: tuple[SuppliedDevice, ...] = ()
    owed: tuple[Arrears, ...] = ()
    owed_by: Sources = ()
    emergency: EmergencyDays | None = None
    known: Sequence[Known] = ()
    counted: Sequence[BillLine] = ()
    used: Mapping[Listed | None, list[BillLine]] = field(default_factory=dict)
    allowances: Mapping[str, int] = field(default_factory=dict)
    apart: frozenset[str] = frozenset()
    supplied: dict[str, Supplied] = field(default_factory=dict)
    _pieces: frozenset[str] | None = None
    _concerned: dict[Concern, Rows] = field(default_factory=lambda: defaultdict(list))
    _days_used: dict[str, tuple[date, ...]] = field(default_factory=dict)
    _holdings: dict[date, Holding] = field(default_factory=dict)
    _by_day: dict[date, Standing] = field(default_factory=dict)
    _standings: dict[object, Standing] = field(default_factory=dict)
    _values: dict[tuple[str, date], Value] = field(default_factory=dict)
    _dates_on: dict[date, Mapping[PickedBy, date]] = field(default_factory=dict)
    _gaps: dict[tuple[str, date], PolicyGap] = field(default_factory=dict)
    _citations: dict[tuple[str, date], Citation] = field(default_factory=dict)

    def sort_out(self, shut_out: "ShutOut") -> None:
        """Find what is known of each line, and count what the lines use up: what the list shuts
        out whole uses up no quantity. Raises PolicyGap and NeedsReview."""
        lines = self.netted.originals
        days = list(map(_service_day, lines))
        known_on = {day: self.standing(day) for day in dict.fromkeys(days)}
        self.known = [
            known_on[day][charge] for day, charge in zip(days, charges(lines), strict=True)
        ]
        self._use()
        self._limit(shut_out)

    def _use(self) -> None:
        counted, used = list[BillLine](), defaultdict[Listed | None, list[BillLine]](list)
        paid = self.emergency is None
        for line, (_, listed, counts) in zip(self.netted.nets, self.known, strict=True):
            if counts and line.quantity > 0:
                if paid or self.beyond_emergency(line.service_day) is None:
                    counted.append(line)
                    used[listed].append(line)
        self.counted, self.used = counted, used

    def _limit(self, shut_out: "ShutOut") -> None:
        for row, lines in self.used.items():
            if row is not None:
                for concern in row.concerns:
                    self._concerned[concern].append((row, lines))
        limited = self.concerned(Concern.QUANTITY)
        # What was given back whole uses nothing up, but its limit is printed as it was charged.
        given_back = [one for one in self._given_back() if Concern.QUANTITY in one[1].concerns]
        in_order = sorted([*limited, *given_back], key=lambda one: in_time(one[0]))
        outside = {
            line.line_id: line.quantity
            for line, listed in in_order
            if not listed.plain and shut_out(self, line, listed)
        }
        inside = [one for one in in_order if one[0].line_id not in outside]
        self.allowances = outside | allowances(inside)
        over = [
            line.line_id for line, _ in limited if self.allowances[line.line_id] < line.quantity
        ]
        every = self.netted.originals if self.devices_alone else ()
        asked_more = (*self.rescued, *over, *self.netted.refunded)
        self.apart = frozenset({*asked_more, *(line.line_id for line in every)})

    def _given_back(self) -> Iterator[tuple[BillLine, Listed]]:
        """The lines that would count if they had not been given back whole, with their rows."""
        for pair in self.netted.refunded.values():
            day, (charge,) = pair.net.service_day, charges(pair.lines[:1])
            _, listed, counts = self.standing(day)[charge]
            whole = pair.net.quantity == 0 and counts and self.beyond_emergency(day) is None
            if whole and listed is not None:
                yield pair.net, listed

    def numbers(self, lines: Iterable[BillLine]) -> Supplied:
        """How many of a device each day supplies within its limits of quantity, without those
        that the agency found beyond what was confirmed; no days yet."""
        numbers = Counter[date]()
        for line in lines:
            if line.limit_met is not False:
                allowed = self.allowances.get(line.line_id, line.quantity)
                numbers[line.service_day] += min(line.quantity, allowed)
        return Supplied(numbers, [])

    def charge(self, line: BillLine) -> Charge:
        """The charge of the line, with what is left for it where that is too little."""
        (key,) = charges([line])
        allowed = self.allowances.get(line.line_id, line.quantity)
        return Charge(*key, allowed if allowed < line.quantity else None)

    def decided(self, line: BillLine) -> Decision | None:
        """What its charge and its day say of the line, if that is all that decides it."""
        if line.line_id in self.rescued or self.devices_alone:
            return None
        return self.standing(line.service_day)[self.charge(line)].decision

    def concerned(self, concern: Concern) -> Lines:
        """The counted lines whose catalogue row raises the concern, with the row, in order."""
        found = [(line, listed) for listed, lines in self.rows(concern) for line in lines]
        return sorted(found, key=lambda one: in_time(one[0]))

    def rows(self, concern: Concern) -> Rows:
        """The catalogue rows that raise the concern, each with its counted lines in order."""
        return self._concerned.get(concern, [])

    def standing(self, day: date) -> Standing:
        """What is known of charges on the day, and on every other day on which the same holds."""
        found = self._by_day.get(day)
        if found is None:
            found = self._by_day[day] = self._standing(day)
        return found

    def _standing(self, day: date) -> Standing:
        place = self.policy.turn(day), self.holding(day), tuple(self.editions.on(day).values())
        found = self._standings.get(place)
        if found is None:
            found = self._standings[place] = standing(self._footing(day))
        return found

    def ground(self, day: date) -> Ground:
        """What can decide a charge of the day beside itself."""
        return self.standing(day).ground

    def _footing(self, day: date) -> Footing:
        """What holds on the day, by value."""
        return Footing(
            self.holding(day),
            self.level,
            tuple(self.editions.on(day).values()),
            self.policy,
            said=tuple([self.said(key, day) for key in ASKED]),
            not_notified=self.stay.notified_by_employer is False,
            fund_pays=anchors.FUND_PAYS_FOR[self.stay.treatment],
        )

    def said(self, key: str, day: date) -> Value | None:
        """What a text says on the day; None where none does."""
        try:
            return self.value(key, day)
        except PolicyGap as gap:
            self._gaps[key, day] = gap
            return None

    def gap(self, key: str, day: date) -> PolicyGap:
        """The gap where the policy is silent. KeyError where it says something."""
        self.said(key, day)
        return self._gaps[key, day]

    def holding(self, day: date) -> Holding:
        """What the bill says of the day."""
        found = self._holdings.get(day)
        if found is None:
            found = self._holdings[day] = self._holding(day)
        return found

    def _holding(self, day: date) -> Holding:
        stops = [stop for stop in self.case.stops if stop.covers(day)]
        refused = (stop for stop in stops if stop.ground == REFUSED_DISCHARGE)
        before_cover = self.case.before_cover(day)
        in_arrears = any(one.covers(day) for one in self.owed)
        return Holding(
            # 第四十二条
            stopped=tuple(stop for stop in stops if stop.ground != REFUSED_DISCHARGE),
            notice=next(refused, None),
            before_cover=before_cover,
            in_arrears=in_arrears,
            late=self.late_until is not None and self.late_until.says(day),
            after_emergency=self.emergency is not None and day > self.emergency.last,
            before_injury=day < min(self.case.event_day, self.stay.admitted_on),
            outpatient=self._outpatient(day),
            moved_by=self._moved_by(day, before_cover=before_cover, in_arrears=in_arrears),
        )

    def _outpatient(self, day: date) -> bool:
        """Whether the day lies outside the stay. Emergency care before the admission is of it
        (第三十条第二款): on the same day, and on the day of the injury where that was the eve
        (our reading). Devices have a scope of their own: a day on which one is fitted is no
        outpatient's (社会保险经办条例 第二十二条第一款)."""
        stay, eve = self.stay, self.stay.admitted_on - _DAY
        if stay.treatment is TreatmentKind.DEVICE:
            return False
        gone = stay.discharged_on is not None and day > stay.discharged_on
        return gone or day < (eve if self.case.event_day == eve else stay.admitted_on)

    def _moved_by(self, day: date, *, before_cover: bool, in_arrears: bool) -> Sources:
        """The texts that say whose the day is: of several grounds the one that is the reason."""
        if before_cover:
            return (anchors.NEWLY_ARISING,)
        if in_arrears:
            return self.owed_by
        if self.late_until is None:
            return self._newly_arising
        late = self.late_until.cited(day)
        return late if self.late_until.says(day) else (*self._newly_arising, *late)

    @property
    def _newly_arising(self) -> Sources:
        """By what the fund pays the days after cover began of an injury that was not insured."""
        begins = None if self.case.insured_at_injury is not False else self.case.covered_from
        if begins is None:
            return ()
        return (replace(anchors.NEWLY_ARISING, value="fund", since=begins.isoformat()),)

    def rate(self, kind: Kind, day: date) -> Rate:
        """The part of eligible costs of this kind that the fund bears. Raises PolicyGap."""
        key = RATIO_KEY[kind]
        return Rate(self.value(key, day).number, self.cited(key, day))

    def value(self, key: str, day: date) -> Value:
        """The policy value for a service on the day, picked by the date that the key names.

        Raises PolicyGap.
        """
        found = self._values.get((key, day))
        if found is None:
            found = self._values[key, day] = picked(self.policy, key, self._dates(day), day)
        return found

    def _dates(self, day: date) -> Mapping[PickedBy, date]:
        """What each date that a key may name is, for a service on the day."""
        found = self._dates_on.get(day)
        if found is None:
            found = self._dates_on[day] = {**self.dates, PickedBy.SERVICE_DATE: day}
        return found

    def cited(self, key: str, day: date) -> Citation:
        """The citation of a policy value that was used."""
        value = self.value(key, day)
        place = key, value.since
        found = self._citations.get(place)
        if found is None:
            found = self._citations[place] = citation(self.policy, key, value)
        return found

    def listed(self, line: BillLine) -> Listed | None:
        """The catalogue row of the line on its service day, in whichever catalogue has it."""
        return find_in(self.editions.on(line.service_day).values(), line.code, self.level)

    def beyond_emergency(self, day: date) -> EmergencyDays | None:
        """The limit of an emergency without agreement that the day lies beyond, if any. Raises
        PolicyGap."""
        limit = self.emergency
        return limit if limit is not None and limit.beyond(day) else None

    def days_used(self, code: str) -> tuple[date, ...]:
        """The days of the stay on which the code was used, in order."""
        found = self._days_used.get(code)
        if found is None:
            rows = ((row, lines) for row, lines in self.used.items() if row is not None)
            days = {line.service_day for row, used in rows if row.row.code == code for line in used}
            found = self._days_used[code] = tuple(sorted(days))
        return found

    @property
    def accompanied_pieces(self) -> frozenset[str]:
        """Prescriptions with at least one herbal piece that is payable by itself and was not
        given back whole: their □ pieces are not "alone" in the sense of the drug list."""
        if self._pieces is None:
            self._pieces = frozenset(
                [
                    line.prescription_no
                    for line, known in zip(self.netted.nets, self.known, strict=True)
                    if line.prescription_no and line.quantity > 0 and _payable_piece(known.listed)
                ]
            )
        return self._pieces

    def late(self, day: date) -> bool:
        """Whether the day lies in the window of an overdue application. Raises PolicyGap."""
        return self.late_until is not None and self.late_until.holds(day)


ShutOut = Callable[[Context, BillLine, Listed], bool]
"""Whether the list lets the fund pay nothing of a line."""


def _payable_piece(found: Listed | None) -> bool:
    return found is not None and not found.row.not_alone and found.row.section == _HERBAL_PIECES
