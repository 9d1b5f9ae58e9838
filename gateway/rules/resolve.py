"""From a bill line to the terms the line rule sees: catalogue row, policy values, windows."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import date, timedelta
from hashlib import sha256
from operator import attrgetter
from typing import Any, NamedTuple

from gateway.domain.admission import Stay
from gateway.domain.bill import BillLine, Citation, Relation, Steps, SuppliedDevice
from gateway.domain.case import (
    POSITIVE,
    REFUSED_DISCHARGE,
    Applicant,
    ApprovalKind,
    BenefitStop,
    CaseFacts,
)
from gateway.domain.catalogue import CatalogueRow, Edition, InsuranceLimit, Kind, Level
from gateway.domain.money import (
    FEN_PLACES,
    RATIO_PLACES,
    price_text,
    quantity_text,
    written,
    yuan,
)
from gateway.domain.split import Payer, Split
from gateway.policy import anchors
from gateway.policy.model import PickedBy, Policy, PolicyGap, Unit, Value
from gateway.rules import limits
from gateway.rules.approvals import Asked, missing
from gateway.rules.concerns import Concern, concerns_of
from gateway.rules.dates import Dates, months_later, picked
from gateway.rules.line import Bearers, Terms
from gateway.rules.place import EmergencyDays
from gateway.rules.quantities import allowances, days_used
from gateway.rules.refunds import Netted

_RATIO_KEY = {kind: f"line/ratio_{kind.value}" for kind in Kind}
_HERBAL_PIECES = "饮片"
_DRUG_LIMITS, _ADULT_YEARS = "line/apply_drug_limits", "person/adult_years"
Sources = tuple[Citation, ...]
_FUND_PAYS: Sources = (anchors.FUND_PAYS,)
_STOPPED: Sources = (anchors.FUND_PAYS, anchors.BENEFIT_STOPPED)
_SERVED = "已送达的出院通知 / served notice of discharge"
_WEAK = "（弱依据：仅见网页转载 / weak: seen on a web mirror only）"


class NeedsApproval(Exception):
    """An assistive device without the committee's confirmation: the bill waits for it."""


class NeedsReview(Exception):
    """The line cannot be decided without a person: the bill waits, nothing is refused."""


class Listed(NamedTuple):
    """A catalogue row in force on a day, as a hospital of one level sees it.

    Its printed source, what its remark demands, the highest payable unit price in 10^-6 yuan
    with its source and whether that is the payment standard of the list, what limits and audit
    rules it concerns, and whether two lines of it that are charged alike may still differ.
    """

    row: CatalogueRow
    source: Citation
    remark: limits.Limits
    ceiling: int | None
    ceiling_source: Sources
    by_standard: bool
    concerns: tuple[Concern, ...]
    by_line: bool


@dataclass(slots=True)
class EditionsByDay:
    """The catalogue editions of a bill, looked up by service day."""

    editions: tuple[Edition, ...]

    def on(self, day: date) -> dict[Kind, Edition]:
        """The edition of each catalogue in force on the day, in the order of the kinds."""
        in_force = sorted(
            (edition for edition in self.editions if edition.covers(day)),
            key=lambda edition: (edition.valid_from, edition.digest),
        )
        newest = {edition.kind: edition for edition in in_force}
        return {kind: newest[kind] for kind in Kind if kind in newest}

    def missing(self, day: date) -> tuple[Kind, ...]:
        """The catalogues without an edition on the day."""
        in_force = self.on(day)
        return tuple(kind for kind in Kind if kind not in in_force)


def find_in(editions: Iterable[Edition], code: str, level: Level) -> Listed | None:
    """The row of the code in the first edition that has it, read once for all bills."""
    for edition in editions:
        found: Listed | None = edition.prepared.get((code, level))
        if found is None and code in edition.rows:
            found = edition.prepared[code, level] = _listed(edition, edition.rows[code], level)
        if found is not None:
            return found
    return None


def _listed(edition: Edition, row: CatalogueRow, level: Level) -> Listed:
    source, ceiling = _source(edition, row.code), row.ceiling_for(level)
    remark = limits.read(row.remark) if row.kind is Kind.DRUG else limits.NONE
    negotiated = (row.agreement_from, row.agreement_to) != (None, None)
    return Listed(
        row,
        source,
        remark,
        ceiling,
        () if ceiling is None else (_ceiling_source(source, ceiling),),
        by_standard=ceiling is not None and ceiling == row.pay_standard,
        concerns=concerns_of(row, remark, ceiling),
        # By the day of an agreement, a course or a life, or by what else was prescribed.
        by_line=negotiated or bool(remark) or row.not_alone or row.life_months is not None,
    )


def _source(edition: Edition, code: str) -> Citation:
    return Citation(
        f"catalogue/{edition.kind.value}/{code}",
        edition.digest[:12],
        edition.valid_from.isoformat(),
        anchors.FUND_PAYS.law,
    )


class Decision(NamedTuple):
    """Who bears a line, why, from which texts and by which steps."""

    split: Split
    reasons: tuple[str, ...]
    citations: Sources
    steps: Steps


@dataclass(slots=True)
class Alike:
    """What the lines share that are charged alike in one spell: their catalogue row, the lists
    of those that use up quantities and days that they belong to, their terms beside price,
    quantity and amount, with the sources, and what was decided about each quantity and amount."""

    listed: Listed | None
    counted: "tuple[Lines, ...] | None"
    resolved: tuple[Sequence[Any], Sources] | None = None
    decisions: dict[tuple[int, int], Decision] = field(default_factory=dict)

    @property
    def by_line(self) -> bool:
        """Whether two such lines may still be decided differently."""
        return self.listed is not None and self.listed.by_line


_NOT_ASKED = frozenset(
    {"line_id", "occurred_at", "service_day", "name", "category", "unit", "spec"}
    | {"department", "doctor", "prescription_no", "refund_of", "quantity", "amount_fen"}
)
_charged_alike = attrgetter(*(one.name for one in fields(BillLine) if one.name not in _NOT_ASKED))
"""Everything in a line that its terms may depend on, beside its spell. The prescription decides
only for pieces, and these are never alike."""


class Holding(NamedTuple):
    """What holds on a day, as far as the terms of a line can depend on the day: the turn of the
    policy's values, decisions, cover, the window of an overdue application (None where no text
    says whether the day is in it), the digests of the editions, and the day itself beyond an
    emergency, because an approval that still pays is counted in months."""

    turn: int
    stopped: bool
    notice: BenefitStop | None
    before_cover: bool
    late: bool | None
    editions: tuple[str, ...]
    alone: date | None


@dataclass(slots=True)
class Spell:
    """All days of a bill on which the same holds, and the lines on them that are charged alike."""

    holding: Holding
    editions: tuple[Edition, ...]
    level: Level
    kinds: dict[object, Alike] = field(default_factory=dict)
    listed: dict[str, Listed | None] = field(default_factory=dict)

    def find(self, code: str) -> Listed | None:
        """The catalogue row of the code, in whichever catalogue has it."""
        if code not in self.listed:
            self.listed[code] = find_in(self.editions, code, self.level)
        return self.listed[code]


Lines = list[tuple[BillLine, Listed]]


@dataclass(slots=True)
class Context:
    """What all lines of one bill share; look-ups are remembered for every spell of days.

    `counted` are the netted lines that use up quantities and days, in order, and `concerned`
    the same by what their rows ask; `rescued` the ids of the lines that are approved as needed
    for rescue, `apart` those that are not decided like others charged alike."""

    policy: Policy
    stay: Stay
    case: CaseFacts
    level: Level
    dates: Dates
    editions: EditionsByDay
    rescued: frozenset[str]
    late_until: "LateWindow | None"
    asked: Asked
    groups: tuple[Netted, ...]
    devices: tuple[SuppliedDevice, ...] = ()
    emergency: EmergencyDays | None = None
    kinds: list[Alike] = field(default_factory=list)
    counted: list[BillLine] = field(default_factory=list)
    concerned: Mapping[Concern, Lines] = field(default_factory=lambda: {one: [] for one in Concern})
    allowances: Mapping[str, int] = field(default_factory=dict)
    apart: frozenset[str] = frozenset()
    gaps: dict[tuple[str, date], PolicyGap] = field(default_factory=dict)
    """What was found silent when the bearers of a day were asked for, by key and day."""
    _pieces: frozenset[str] | None = None
    _days_used: Mapping[str, tuple[date, ...]] | None = None
    _by_day: dict[date, Spell] = field(default_factory=dict)
    _spells: dict[Holding, Spell] = field(default_factory=dict)
    _values: dict[tuple[str, int], Value] = field(default_factory=dict)
    _citations: dict[tuple[str, int], Citation] = field(default_factory=dict)
    _bearers: dict[date, Bearers] = field(default_factory=dict)

    def spell(self, day: date) -> Spell:
        """What holds on the day, and on every other day on which the same holds."""
        found = self._by_day.get(day)
        if found is None:
            editions = tuple(self.editions.on(day).values())
            holding = self._holding(day, editions)
            found = self._spells.setdefault(holding, Spell(holding, editions, self.level))
            self._by_day[day] = found
        return found

    def _holding(self, day: date, editions: tuple[Edition, ...]) -> Holding:
        stops = [stop for stop in self.case.stops if stop.covers(day)]
        refused = (stop for stop in stops if stop.ground == REFUSED_DISCHARGE)
        beyond = self.emergency is not None and day > self.emergency.last
        return Holding(
            self.policy.turn(day),
            # 第四十二条
            stopped=any(stop.ground != REFUSED_DISCHARGE for stop in stops),
            notice=next(refused, None),
            before_cover=self.case.before_cover(day),
            late=self.late_until is not None and self.late_until.says(day),
            editions=tuple([edition.digest for edition in editions]),
            alone=day if beyond else None,
        )

    def sort_out(self) -> None:
        """Find for each line what it shares with others, and count what the lines use up.

        Raises PolicyGap."""
        for original, net, _ in self.groups:
            alike = self._alike(original)
            self.kinds.append(alike)
            if alike.counted is not None and net.quantity > 0:
                self.counted.append(net)
                if (listed := alike.listed) is not None:
                    found = net, listed
                    for concerned in alike.counted:
                        concerned.append(found)
        limited = self.concerned[Concern.QUANTITY]
        self.allowances = allowances(limited)
        self.apart = self.rescued | {
            line.line_id for line, _ in limited if self.allowances[line.line_id] < line.quantity
        }

    def _alike(self, line: BillLine) -> Alike:
        """What the line shares with those charged like it."""
        spell, charged = self.spell(line.service_day), _charged_alike(line)
        found = spell.kinds.get(charged)
        if found is None:
            listed = spell.find(line.code)
            counted = self._lists(listed) if self._counts(line, spell) else None
            found = spell.kinds[charged] = Alike(listed, counted)
        return found

    def _lists(self, listed: Listed | None) -> tuple[Lines, ...]:
        concerns = () if listed is None else listed.concerns
        return tuple([self.concerned[concern] for concern in concerns])

    def _counts(self, line: BillLine, spell: Spell) -> bool:
        """Whether the line uses up quantities and days: it treats the injury and is no
        violation, and benefits are neither stopped nor refused nor beyond an emergency."""
        if line.violation or line.relation is Relation.UNRELATED or spell.holding.stopped:
            return False
        return self.beyond_emergency(line.service_day) is None and spell.holding.notice is None

    def value(self, key: str, day: date) -> Value:
        """The policy value for a service on the day, picked by the date that the key names.

        Raises PolicyGap.
        """
        place = (key, self.policy.turn(day))
        found = self._values.get(place)
        if found is None:
            dates = {**self.dates, PickedBy.SERVICE_DATE: day}
            found = self._values[place] = picked(self.policy, key, dates, day)
        return found

    def cited(self, key: str, day: date) -> Citation:
        """The citation of a policy value that was used."""
        place = (key, self.policy.turn(day))
        found = self._citations.get(place)
        if found is None:
            found = self._citations[place] = citation(self.policy, key, self.value(key, day))
        return found

    def bearers(self, day: date) -> Bearers:
        """Who bears what the fund does not, as far as the region's texts say."""
        found = self._bearers.get(day)
        if found is None:
            found = self._bearers[day] = Bearers(
                no_consent=self._payer("line/no_consent_payer", day),
                ratio=self._payer("line/ratio_payer", day),
                refused_discharge=self._payer("line/refused_discharge_payer", day),
                employer_not_notified=self._not_notified(day),
            )
        return found

    def _not_notified(self, day: date) -> bool:
        """Whether a text puts the excess on an employer that did not tell the hospital in writing
        of the injury: where none does, the hospital's word changes nothing."""
        silent = self.stay.notified_by_employer is False
        return silent and self._payer("line/not_notified_payer", day) is Payer.EMPLOYER

    def _payer(self, key: str, day: date) -> Payer | None:
        try:
            return Payer(self.value(key, day).word)
        except PolicyGap as gap:
            self.gaps[key, day] = gap
            return None

    def listed(self, line: BillLine) -> Listed | None:
        """The catalogue row of the line on its service day, in whichever catalogue has it."""
        return self.spell(line.service_day).find(line.code)

    def beyond_emergency(self, day: date) -> EmergencyDays | None:
        """The limit of an emergency without agreement that the day lies beyond, if any."""
        limit = self.emergency
        return limit if limit is not None and limit.beyond(day) else None

    def days_used(self, code: str) -> tuple[date, ...]:
        """The days of the stay on which the code was used, in order."""
        if self._days_used is None:
            self._days_used = days_used(self.counted)
        return self._days_used.get(code, ())

    @property
    def accompanied_pieces(self) -> frozenset[str]:
        """Prescriptions with at least one herbal piece that is payable by itself and was not
        given back whole: their □ pieces are not "alone" in the sense of the drug list."""
        if self._pieces is None:
            self._pieces = frozenset(
                original.prescription_no
                for original, net, _ in self.groups
                if original.prescription_no
                and net.quantity > 0
                and _payable_piece(self.listed(original))
            )
        return self._pieces

    def late(self, day: date) -> bool:
        """Whether the day lies in the window of an overdue application. Raises PolicyGap."""
        return self.late_until is not None and self.late_until.holds(day)


@dataclass(frozen=True, slots=True)
class LateWindow:
    """The days that an overdue application puts on the employer (第十七条第四款)."""

    since: date
    ends: date
    inclusive: bool | None

    def holds(self, day: date) -> bool:
        """Whether the day lies inside. Raises PolicyGap on the last day when no text says."""
        said = self.says(day)
        if said is None:
            raise PolicyGap(
                "late/window_end_inclusive",
                day,
                "逾期期间是否含最后一日没有规定",
                "whether the last day counts is not said",
            )
        return said

    def says(self, day: date) -> bool | None:
        """As `holds`, but None where no text says."""
        return self.inclusive if day == self.ends else self.since <= day < self.ends


def citation(policy: Policy, key: str, value: Value) -> Citation:
    """The printed source of a policy value: amounts in yuan, ratios as decimals; a source that
    was seen only on a web mirror says so."""
    text = policy.texts.get(value.law.text)
    title = f"《{text.title}》" if text is not None else value.law.text
    law = title + value.law.place + (_WEAK if value.weak else "")
    shown = _shown(value, policy.parameters[key].unit)
    return Citation(key, shown, value.since.isoformat(), law, value.reading)


def _shown(value: Value, unit: Unit) -> str:
    if value.unlimited:
        return "none"
    if unit in (Unit.FEN, Unit.FEN_PER_DAY):
        return yuan(value.number)
    if unit in (Unit.RATIO, Unit.DAYS_PER_MONTH):
        return written(value.number, RATIO_PLACES, FEN_PLACES)
    if unit is Unit.PERCENT:
        return written(value.number, FEN_PLACES, FEN_PLACES) + "%"
    if unit is Unit.WORDS:
        return " ".join(value.words)
    if unit is Unit.SWITCH:
        return "yes" if value.switch else "no"
    return str(value.amount)


def late_window(policy: Policy, case: CaseFacts, dates: Dates) -> LateWindow | None:
    """The window of an overdue application; None when the employer applied in time.

    职工发生事故伤害……所在单位应当自事故伤害发生之日……起30日内……提出工伤认定申请。
    （工伤保险条例 第十七条第一款） The department may extend the limit. Whether another's
    application in time lifts it too is for the texts to say. Raises PolicyGap.
    """
    if case.state not in POSITIVE or case.applied_on is None:
        return None
    limit = picked(policy, "employer/application_days", dates, case.event_day).number
    last = case.application_extended_to or case.event_day
    last = max(last, case.event_day + timedelta(days=limit))
    if case.applied_on <= last and _lifts(policy, case, dates):
        return None
    event = picked(policy, "late/window_end_event", dates, case.event_day).word
    ends = case.accepted_on if event == "ACCEPTED" else case.applied_on
    if ends is None:
        raise PolicyGap(
            "case/accepted_on",
            case.applied_on,
            "案件缺少受理日期",
            "the case has no acceptance day",
        )
    return LateWindow(case.event_day, ends, _last_day_counts(policy, dates))


def _lifts(policy: Policy, case: CaseFacts, dates: Dates) -> bool:
    """Whether the applicant's being in time is enough. Raises PolicyGap."""
    if case.applied_by in (None, Applicant.EMPLOYER):
        return True
    return picked(policy, "late/needs_nobody_applied", dates, case.event_day).switch


def _last_day_counts(policy: Policy, dates: Dates) -> bool | None:
    """None when no text says: only a bill with a service on that very day has to ask."""
    try:
        return policy.picked("late/window_end_inclusive", dates).switch
    except PolicyGap:
        return None


def _payable_piece(found: Listed | None) -> bool:
    if found is None or found.row.not_alone:
        return False
    return found.row.section == _HERBAL_PIECES


def find_row(context: Context, line: BillLine) -> Listed | None:
    """The catalogue row of the line on its service day, in whichever catalogue has the code.

    Raises PolicyGap when no row is found and a catalogue has no edition on that day: the code
    may stand in the edition that is missing. The last edition is never used instead.
    """
    day = line.service_day
    found = context.listed(line)
    if found is None and (missing := context.editions.missing(day)):
        kind = missing[0].value
        raise PolicyGap(
            f"catalogue/{kind}",
            day,
            f"{day} 没有生效的目录版本（{kind}）",
            f"no {kind} edition on {day}",
        )
    return found


def terms(context: Context, line: BillLine) -> tuple[Terms, Sources]:
    """The terms of one line with the sources used. Raises PolicyGap and NeedsReview.

    Catalogue and late window are asked only for a line that they can still move: what is not
    for the injury, stopped or a violation is decided without them.
    """
    if line.relation is Relation.UNDETERMINED:
        raise NeedsReview(line.line_id)
    if line.relation is Relation.UNRELATED:
        return _taken(line, unrelated=True), (anchors.OTHER_DISEASES,)
    holding = context.spell(line.service_day).holding
    if holding.stopped:
        return _taken(line, outside="BENEFIT_STOPPED"), _STOPPED
    beyond = context.beyond_emergency(line.service_day)
    if beyond is not None:
        sources = (*_FUND_PAYS, context.cited(beyond.key, line.service_day))
        return _taken(line, outside=beyond.reason), sources
    if line.violation:
        return _taken(line, violation=line.violation), _FUND_PAYS
    if holding.notice is not None:
        sources = (*_FUND_PAYS, _notice_source(holding.notice))
        return _taken(line, refused_discharge=True), sources
    listed, rescue = find_row(context, line), line.line_id in context.rescued
    if listed is None or not _payable(context, line, listed.row):
        return _outside(context, line, listed, rescue)
    if listed.row.life_months is not None:
        _confirmed_device(context, line)
        running = device_in_use(context, line, listed.row.life_months)
        if running is not None:
            return _too_early(line, listed, running)
    if not rescue and (unmet := _unmet_limit(context, line, listed.remark)):
        return _beyond_limit(context, line, listed, unmet)
    return _inside(context, line, listed, rescue)


def _confirmed_device(context: Context, line: BillLine) -> None:
    """经劳动能力鉴定委员会确认，可以……配置轮椅等辅助器具。（第三十二条） Raises NeedsApproval."""
    kind, day = ApprovalKind.DEVICE, line.service_day
    lacking = missing(context.asked, {kind}, f"approval {kind} of {line.code}", day, day)
    if lacking:
        raise NeedsApproval(lacking)


def device_in_use(context: Context, line: BillLine, life_months: int) -> SuppliedDevice | None:
    """The device of the same code whose life, counted from the day it was supplied by the list
    in force now, has not ended on the day."""
    day = line.service_day
    earlier = (one for one in context.devices if one.code == line.code and one.supplied_on <= day)
    latest = max(earlier, key=lambda one: one.supplied_on, default=None)
    if latest is None or months_later(latest.supplied_on, life_months) < day:
        return None
    return latest


def _too_early(line: BillLine, listed: Listed, running: SuppliedDevice) -> tuple[Terms, Sources]:
    """Replaced before its life ended: as if the list had nothing for it on the day."""
    life = replace(
        listed.source,
        key=f"{listed.source.key}/life_months",
        value=str(listed.row.life_months),
        our_reading=True,
    )
    since = running.supplied_on.isoformat()
    supplied = replace(anchors.DEVICES, key=f"device/supplied/{running.code}", since=since)
    terms = _taken(line, in_catalogue=False, excluded="LIFE_NOT_ENDED")
    return terms, (anchors.DEVICES, life, supplied)


def _notice_source(notice: BenefitStop) -> Citation:
    since = notice.valid_from.isoformat()
    return Citation("notice/refused_discharge", notice.notice_no, since, _SERVED)


def _unmet_limit(context: Context, line: BillLine, read: limits.Limits) -> limits.Unmet | None:
    """Why the remark of the drug list shuts the line out, if it does. Raises PolicyGap where no
    text says whether remarks bind, and NeedsReview where only a person can tell."""
    if not read or not context.value(_DRUG_LIMITS, line.service_day).switch:
        return None
    if line.limit_unmet:
        return limits.Unmet.DECIDED
    unmet = limits.unmet(read, using(context, line, read))
    if unmet is None and not line.reviewed and limits.for_person(read, context.stay):
        raise NeedsReview(line.line_id)
    return unmet


def using(context: Context, line: BillLine, read: limits.Limits) -> limits.Using:
    """The use of a drug that a line stands for. Raises PolicyGap."""
    day = line.service_day
    asked = read.adult is not None and context.stay.born_on is not None
    return limits.Using(
        stay=context.stay,
        level=context.level,
        day=day,
        nth_day=sum(one < day for one in context.days_used(line.code)),
        adult_years=context.value(_ADULT_YEARS, day).number if asked else 0,
    )


def _beyond_limit(
    context: Context, line: BillLine, listed: Listed, unmet: limits.Unmet
) -> tuple[Terms, Sources]:
    limit = replace(listed.source, key=f"{listed.source.key}/remark", value=listed.row.remark)
    # A course is counted over this stay alone: the list does not say over which.
    limit = replace(limit, our_reading=unmet in (limits.Unmet.COURSE, limits.Unmet.AGE))
    day = line.service_day
    used = [context.cited(_DRUG_LIMITS, day)]
    used += [context.cited(_ADULT_YEARS, day)] if unmet is limits.Unmet.AGE else []
    terms = _taken(line, in_catalogue=False, excluded="LIMIT_NOT_MET")
    return terms, (*_FUND_PAYS, limit, *used)


def _taken(line: BillLine, **facts: Any) -> Terms:
    """What the hospital charged and who signed, with the facts that were resolved."""
    return Terms(line.price, line.quantity, line.amount_fen, consent=line.consent, **facts)


def _inside(
    context: Context, line: BillLine, listed: Listed, rescue: bool
) -> tuple[Terms, Sources]:
    day, ceiling = line.service_day, _known_ceiling(listed, line.service_day)
    key = _RATIO_KEY[listed.row.kind]
    ratio, cited = context.value(key, day).number, context.cited(key, day)
    early, late = context.spell(day).holding.before_cover, context.late(day)
    sources = (anchors.FUND_PAYS, listed.source, cited, *_moved(early, late))
    if ceiling is not None and line.price > ceiling:
        if listed.by_standard and not rescue:
            _review_above_standard(context, line)
        sources += listed.ceiling_source
    allowed = context.allowances.get(line.line_id)
    if allowed is not None and allowed < line.quantity:
        sources += _quantity_sources(listed)
    resolved = Terms(
        line.price,
        line.quantity,
        line.amount_fen,
        ceiling=ceiling,
        quantity_limit=allowed,
        ratio=ratio,
        consent=line.consent,
        late=late,
        before_cover=early,
        emergency_approved=rescue,
    )
    return resolved, sources


def _known_ceiling(listed: Listed, day: date) -> int | None:
    """Raises PolicyGap when there is a payment standard that the list does not print as one
    amount: an unknown ceiling is never no ceiling."""
    if listed.ceiling is None and listed.row.pay_standard_text:
        code = listed.row.code
        raise PolicyGap(
            "catalogue/pay_standard",
            day,
            f"目录未公布唯一的支付标准（{code}）",
            f"the list prints no single payment standard ({code})",
        )
    return listed.ceiling


def _moved(early: bool, late: bool) -> Sources:
    """The article that moves the fund's share to the employer."""
    if early:
        return (anchors.NEWLY_ARISING,)
    return (anchors.LATE_APPLICATION,) if late else ()


def _quantity_sources(listed: Listed) -> Sources:
    """The columns of the catalogue that limit quantities."""
    return tuple(
        replace(listed.source, key=f"{listed.source.key}/{name}", value=quantity_text(limit))
        for name in ("qty_per_day", "qty_per_stay")
        if (limit := getattr(listed.row, name)) is not None
    )


def _review_above_standard(context: Context, line: BillLine) -> None:
    """The payment standard binds the hospital, whatever the worker signed: a person looks at a
    price above it that would fall on the worker. Raises NeedsReview."""
    payer = line.consent or context.bearers(line.service_day).no_consent
    if payer is Payer.INDIVIDUAL and not line.reviewed:
        raise NeedsReview(line.line_id)


def _ceiling_source(row_source: Citation, ceiling: int) -> Citation:
    return replace(row_source, key=f"{row_source.key}/ceiling", value=price_text(ceiling))


def _outside(
    context: Context, line: BillLine, listed: Listed | None, rescue: bool
) -> tuple[Terms, Sources]:
    """Outside the catalogue only what was approved for rescue moves to the employer."""
    day = line.service_day
    early, late = rescue and context.spell(day).holding.before_cover, rescue and context.late(day)
    resolved = _taken(
        line, in_catalogue=False, late=late, before_cover=early, emergency_approved=rescue
    )
    excluded = () if listed is None else (listed.source,)
    return resolved, (*_FUND_PAYS, *_moved(early, late), *excluded)


def _payable(context: Context, line: BillLine, row: CatalogueRow) -> bool:
    """Whether the catalogue lets the fund pay this row on the service day."""
    if not row.payable or row.insurance_limit is InsuranceLimit.MATERNITY:
        return False
    if not row.agreed_on(line.service_day):
        return False
    if row.not_alone and line.prescription_no not in context.accompanied_pieces:
        return False
    if row.insurance_limit is not InsuranceLimit.CONDITIONAL:
        return True
    if not line.reviewed:
        raise NeedsReview(line.line_id)
    # 限…或生育保险 says who pays, whether or not remarks bind in the region.
    return not line.limit_unmet


def rescue_mark(admission_id: str, line: BillLine) -> str:
    """What an approval for rescue names: this line of this stay, and what it charged when it was
    approved. The same id in another stay, or with another content, is another mark."""
    content = (line.code, line.price, line.quantity, line.amount_fen, line.service_day)
    digest = sha256("|".join(map(str, content)).encode()).hexdigest()
    return f"{admission_id}/{line.line_id}/{digest[:16]}"


def rescued_lines(case: CaseFacts, stay: Stay, originals: Iterable[BillLine]) -> frozenset[str]:
    """The ids of the lines that an approval in force on their service day names as needed for
    rescue, as they are charged now."""
    approvals = [one for one in case.approvals if one.kind is ApprovalKind.EMERGENCY_ITEM]
    if not approvals:
        return frozenset()
    return frozenset(
        line.line_id
        for line in originals
        if any(
            approval.covers(stay.hospital, line.service_day)
            and rescue_mark(stay.admission_id, line) in approval.line_ids
            for approval in approvals
        )
    )
