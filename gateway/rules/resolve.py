"""From a bill line to the terms the line rule sees: catalogue row, policy values, windows."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from hashlib import sha256
from typing import Any, NamedTuple

from gateway.domain.admission import Stay
from gateway.domain.bill import BillLine, Citation, Relation
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
from gateway.domain.split import Payer
from gateway.policy import anchors
from gateway.policy.model import PickedBy, Policy, PolicyGap, Unit, Value
from gateway.rules import limits
from gateway.rules.concerns import Concern, Finds, FoundRow, Lines, by_concern, concerns_of
from gateway.rules.dates import Dates, picked
from gateway.rules.line import Bearers, Terms
from gateway.rules.quantities import allowances, days_used
from gateway.rules.refunds import Netted
from gateway.rules.spells import Spells

_RATIO_KEY = {kind: f"line/ratio_{kind.value}" for kind in Kind}
_HERBAL_PIECES = "饮片"
_DRUG_LIMITS, _ADULT_YEARS = "line/apply_drug_limits", "person/adult_years"
Sources = tuple[Citation, ...]
_FUND_PAYS: Sources = (anchors.FUND_PAYS,)
_STOPPED: Sources = (anchors.FUND_PAYS, anchors.BENEFIT_STOPPED)
_SERVED = "已送达的出院通知 / served notice of discharge"
_WEAK = "（弱依据：仅见网页转载 / weak: seen on a web mirror only）"


class NeedsReview(Exception):
    """The line cannot be decided without a person: the bill waits, nothing is refused."""


class Listed(NamedTuple):
    """A catalogue row in force on a day, with its printed source and what was read out of it:
    what its remark demands, whom it concerns, and whether two lines of it that are charged
    alike may still differ."""

    row: CatalogueRow
    source: Citation
    remark: limits.Limits
    concerns: tuple[Concern, ...]
    by_line: bool


class Priced(NamedTuple):
    """What catalogue and texts give a payable row on a day: the highest payable unit price in
    10^-6 yuan, whether that is the payment standard of the list, the ratio, the sources; and
    the source of the ceiling, for lines whose price it cuts."""

    ceiling: int | None
    by_standard: bool
    ratio: int
    sources: Sources
    ceiling_source: Sources


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

    def find(self, code: str, day: date) -> Listed | None:
        """The row of the code in whichever catalogue has it on the day."""
        return find_in(self.on(day).values(), code)


def find_in(editions: Iterable[Edition], code: str) -> Listed | None:
    """The row of the code in the first edition that has it, read once for all bills."""
    for edition in editions:
        found: Listed | None = edition.prepared.get(code)
        if found is None and code in edition.rows:
            found = edition.prepared[code] = _listed(edition, edition.rows[code])
        if found is not None:
            return found
    return None


def _listed(edition: Edition, row: CatalogueRow) -> Listed:
    remark = limits.read(row.remark) if row.kind is Kind.DRUG else limits.NONE
    concerns = concerns_of(row, remark)
    dated = (row.agreement_from, row.agreement_to) != (None, None)
    by_line = dated or not _BY_LINE.isdisjoint(concerns)
    return Listed(row, _source(edition, row.code), remark, concerns, by_line)


_BY_LINE = frozenset({Concern.QUANTITY, Concern.REMARK, Concern.PIECE})
"""Decided by what else was charged, by the day of a course or by the prescription."""


def _source(edition: Edition, code: str) -> Citation:
    return Citation(
        f"catalogue/{edition.kind.value}/{code}",
        edition.digest[:12],
        edition.valid_from.isoformat(),
        anchors.FUND_PAYS.law,
    )


@dataclass(slots=True)
class Spell:
    """What holds on every day of a spell: decisions and editions; and what was resolved for
    it so far, rows and prices by code, decisions by what a line charged."""

    stopped: bool
    notice: BenefitStop | None
    before_cover: bool
    editions: Mapping[Kind, Edition]
    listed: dict[str, Listed | None] = field(default_factory=dict)
    priced: dict[str, Priced] = field(default_factory=dict)
    decided: dict[object, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Context:
    """What all lines of one bill share; look-ups are remembered for every spell of days.

    `counted` are the netted lines that use up quantities and days, in order, and `concerned`
    the same by what their rows ask; `rescued` the ids of the lines that are approved as needed
    for rescue."""

    policy: Policy
    stay: Stay
    case: CaseFacts
    level: Level
    dates: Dates
    editions: EditionsByDay
    spells: Spells
    rescued: frozenset[str] = frozenset()
    late_until: "LateWindow | None" = None
    accompanied_pieces: frozenset[str] = frozenset()
    counted: tuple[BillLine, ...] = ()
    concerned: Mapping[Concern, Lines] = field(default_factory=dict)
    allowances: Mapping[str, int] = field(default_factory=dict)
    _days_used: Mapping[str, tuple[date, ...]] | None = None
    _by_day: dict[date, Spell] = field(default_factory=dict)
    _by_number: dict[int, Spell] = field(default_factory=dict)
    _values: dict[tuple[str, int], Value] = field(default_factory=dict)
    _citations: dict[tuple[str, int], Citation] = field(default_factory=dict)
    _bearers: dict[int, Bearers] = field(default_factory=dict)

    def spell(self, day: date) -> Spell:
        """What holds on the day and on every day of its spell."""
        found = self._by_day.get(day)
        if found is None:
            number = self.spells.number(day)
            if number not in self._by_number:
                self._by_number[number] = self._spell(day)
            found = self._by_day[day] = self._by_number[number]
        return found

    def _spell(self, day: date) -> Spell:
        stops = [stop for stop in self.case.stops if stop.covers(day)]
        refused = (stop for stop in stops if stop.ground == REFUSED_DISCHARGE)
        return Spell(
            # 第四十二条
            stopped=any(stop.ground != REFUSED_DISCHARGE for stop in stops),
            notice=next(refused, None),
            before_cover=self.case.before_cover(day),
            editions=self.editions.on(day),
        )

    def value(self, key: str, day: date) -> Value:
        """The policy value for a service on the day, picked by the date that the key names.

        Raises PolicyGap.
        """
        place = (key, self.spells.number(day))
        found = self._values.get(place)
        if found is None:
            dates = {**self.dates, PickedBy.SERVICE_DATE: day}
            found = self._values[place] = picked(self.policy, key, dates, day)
        return found

    def cited(self, key: str, day: date) -> Citation:
        """The citation of a policy value that was used."""
        place = (key, self.spells.number(day))
        found = self._citations.get(place)
        if found is None:
            found = self._citations[place] = citation(self.policy, key, self.value(key, day))
        return found

    def bearers(self, day: date) -> Bearers:
        """Who bears what the fund does not, as far as the region's texts say."""
        number = self.spells.number(day)
        found = self._bearers.get(number)
        if found is None:
            found = self._bearers[number] = Bearers(
                no_consent=self._payer("line/no_consent_payer", day),
                ratio=self._payer("line/ratio_payer", day),
                refused_discharge=self._payer("line/refused_discharge_payer", day),
            )
        return found

    def priced(self, listed: Listed, day: date) -> Priced:
        """The terms of a payable row on the day. Raises PolicyGap."""
        known, code = self.spell(day).priced, listed.row.code
        found = known.get(code)
        if found is None:
            found = known[code] = _priced(self, listed, day)
        return found

    def _payer(self, key: str, day: date) -> Payer | None:
        try:
            return Payer(self.value(key, day).word)
        except PolicyGap:
            return None

    def listed(self, line: BillLine) -> Listed | None:
        """The catalogue row of the line on its service day, in whichever catalogue has it."""
        spell, code = self.spell(line.service_day), line.code
        if code not in spell.listed:
            spell.listed[code] = find_in(spell.editions.values(), code)
        return spell.listed[code]

    def row(self, line: BillLine) -> CatalogueRow | None:
        """The catalogue row of the line on its service day."""
        found = self.listed(line)
        return None if found is None else found.row

    def counts(self, line: BillLine) -> bool:
        """Whether the line uses up quantities and days: it treats the injury and is no
        violation, and benefits are neither stopped nor refused."""
        if line.violation or line.relation is Relation.UNRELATED:
            return False
        spell = self.spell(line.service_day)
        return not spell.stopped and spell.notice is None

    def count(self, nets: Iterable[BillLine]) -> None:
        """Count what the netted lines use up."""
        self.counted = tuple([net for net in nets if net.quantity > 0 and self.counts(net)])
        self.concerned = by_concern(self.counted, self)
        self.allowances = allowances(self.concerned[Concern.QUANTITY])

    def days_used(self, code: str) -> tuple[date, ...]:
        """The days of the stay on which the code was used, in order."""
        if self._days_used is None:
            self._days_used = days_used(self.counted)
        return self._days_used.get(code, ())

    def alike(self, line: BillLine) -> bool:
        """Whether every line of the spell that is charged like this one is decided like it."""
        if line.line_id in self.rescued:
            return False
        listed = self.listed(line)
        return listed is None or not listed.by_line

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
        if day != self.ends:
            return self.since <= day < self.ends
        if self.inclusive is None:
            raise PolicyGap(
                "late/window_end_inclusive",
                day,
                "逾期期间是否含最后一日没有规定",
                "whether the last day counts is not said",
            )
        return self.inclusive


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
    （工伤保险条例 第十七条第一款） Whether another's application in time lifts it too is for
    the texts to say. Raises PolicyGap.
    """
    if case.state not in POSITIVE or case.applied_on is None:
        return None
    limit = picked(policy, "employer/application_days", dates, case.event_day).number
    if case.applied_on <= case.event_day + timedelta(days=limit) and _lifts(policy, case, dates):
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


def accompanied_pieces(groups: Iterable[Netted], rows: Finds) -> frozenset[str]:
    """Prescriptions with at least one herbal piece that is payable by itself and was not given
    back whole: their □ pieces are not "alone" in the sense of the drug list."""
    return frozenset(
        group.original.prescription_no
        for group in groups
        if group.original.prescription_no
        and group.net.quantity > 0
        and _payable_piece(rows.listed(group.original))
    )


def _payable_piece(found: FoundRow | None) -> bool:
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
        return _charged(line, unrelated=True), (anchors.OTHER_DISEASES,)
    spell = context.spell(line.service_day)
    if spell.stopped:
        return _charged(line, outside="BENEFIT_STOPPED"), _STOPPED
    if line.violation:
        return _charged(line, violation=line.violation), _FUND_PAYS
    if spell.notice is not None:
        sources = (*_FUND_PAYS, _notice_source(spell.notice))
        return _charged(line, refused_discharge=True), sources
    listed, rescue = find_row(context, line), line.line_id in context.rescued
    if listed is None or not _payable(context, line, listed.row):
        return _outside(context, line, listed, rescue)
    if not rescue and (unmet := _unmet_limit(context, line, listed.remark)):
        return _beyond_limit(context, line, listed, unmet)
    return _inside(context, line, listed, rescue)


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
    terms = _charged(line, in_catalogue=False, excluded="LIMIT_NOT_MET")
    return terms, (*_FUND_PAYS, limit, *used)


def _charged(line: BillLine, **facts: Any) -> Terms:
    """What the hospital charged and who signed, with the facts that were resolved."""
    return Terms(
        price=line.price,
        quantity=line.quantity,
        amount_fen=line.amount_fen,
        consent=line.consent,
        **facts,
    )


def _inside(
    context: Context, line: BillLine, listed: Listed, rescue: bool
) -> tuple[Terms, Sources]:
    priced, day = context.priced(listed, line.service_day), line.service_day
    early, late = context.spell(day).before_cover, context.late(day)
    sources = priced.sources + _moved(early, late)
    if priced.ceiling is not None and line.price > priced.ceiling:
        if priced.by_standard and not rescue:
            _review_above_standard(context, line)
        sources += priced.ceiling_source
    allowed = context.allowances.get(line.line_id)
    if allowed is not None and allowed < line.quantity:
        sources += _quantity_sources(listed)
    resolved = Terms(
        price=line.price,
        quantity=line.quantity,
        amount_fen=line.amount_fen,
        consent=line.consent,
        ceiling=priced.ceiling,
        quantity_limit=allowed,
        ratio=priced.ratio,
        late=late,
        before_cover=early,
        emergency_approved=rescue,
    )
    return resolved, sources


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


def _priced(context: Context, listed: Listed, day: date) -> Priced:
    """Raises PolicyGap when there is a payment standard that the list does not print as one
    amount: an unknown ceiling is never no ceiling."""
    row, key = listed.row, _RATIO_KEY[listed.row.kind]
    ceiling = row.ceiling_for(context.level)
    if ceiling is None and row.pay_standard_text:
        raise PolicyGap(
            "catalogue/pay_standard",
            day,
            f"目录未公布唯一的支付标准（{row.code}）",
            f"the list prints no single payment standard ({row.code})",
        )
    return Priced(
        ceiling=ceiling,
        by_standard=ceiling is not None and ceiling == row.pay_standard,
        ratio=context.value(key, day).number,
        sources=(*_FUND_PAYS, listed.source, context.cited(key, day)),
        ceiling_source=() if ceiling is None else (_ceiling_source(listed.source, ceiling),),
    )


def _ceiling_source(row_source: Citation, ceiling: int) -> Citation:
    return replace(row_source, key=f"{row_source.key}/ceiling", value=price_text(ceiling))


def _outside(
    context: Context, line: BillLine, listed: Listed | None, rescue: bool
) -> tuple[Terms, Sources]:
    """Outside the catalogue only what was approved for rescue moves to the employer."""
    day = line.service_day
    early, late = rescue and context.spell(day).before_cover, rescue and context.late(day)
    resolved = _charged(
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
    if row.insurance_limit is InsuranceLimit.CONDITIONAL and not line.reviewed:
        raise NeedsReview(line.line_id)
    return True


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
