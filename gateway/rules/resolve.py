"""From a bill line to the terms the line rule sees: catalogue row, policy values, windows."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from hashlib import sha256
from typing import Any

from gateway.domain.admission import Stay
from gateway.domain.bill import BillLine, Citation, Relation, SuppliedDevice
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
from gateway.rules.approvals import Asked, missing
from gateway.rules.dates import Dates, months_later, picked
from gateway.rules.line import Bearers, Terms
from gateway.rules.place import EmergencyDays
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


@dataclass(frozen=True, slots=True)
class Listed:
    """A catalogue row in force on a day, with its printed source."""

    row: CatalogueRow
    source: Citation


@dataclass(frozen=True, slots=True)
class Priced:
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
    """The catalogue editions of a bill, looked up by service day; each day is sorted out once
    and each code once a day."""

    editions: tuple[Edition, ...]
    _by_day: dict[date, dict[Kind, Edition]] = field(default_factory=dict)
    _listed: dict[tuple[str, date], Listed | None] = field(default_factory=dict)

    def on(self, day: date) -> dict[Kind, Edition]:
        """The edition of each catalogue in force on the day, in the order of the kinds."""
        found = self._by_day.get(day)
        if found is None:
            in_force = sorted(
                (edition for edition in self.editions if edition.covers(day)),
                key=lambda edition: (edition.valid_from, edition.digest),
            )
            newest = {edition.kind: edition for edition in in_force}
            found = {kind: newest[kind] for kind in Kind if kind in newest}
            self._by_day[day] = found
        return found

    def missing(self, day: date) -> tuple[Kind, ...]:
        """The catalogues without an edition on the day."""
        in_force = self.on(day)
        if len(in_force) == len(Kind):
            return ()
        return tuple(kind for kind in Kind if kind not in in_force)

    def find(self, code: str, day: date) -> Listed | None:
        """The row of the code in whichever catalogue has it on the day."""
        if (code, day) not in self._listed:
            self._listed[code, day] = self._find(code, day)
        return self._listed[code, day]

    def _find(self, code: str, day: date) -> Listed | None:
        for edition in self.on(day).values():
            row = edition.rows.get(code)
            if row is not None:
                return Listed(row, _source(edition, code))
        return None


def _source(edition: Edition, code: str) -> Citation:
    return Citation(
        f"catalogue/{edition.kind.value}/{code}",
        edition.digest[:12],
        edition.valid_from.isoformat(),
        anchors.FUND_PAYS.law,
    )


@dataclass(slots=True)
class Context:
    """What all lines of one bill share; policy look-ups are remembered per key and day.

    `counted` are the netted lines that use up quantities and days, in order; `rescued` the ids
    of the lines that are approved as needed for rescue."""

    policy: Policy
    stay: Stay
    case: CaseFacts
    level: Level
    dates: Dates
    editions: EditionsByDay
    rescued: frozenset[str]
    late_until: "LateWindow | None"
    accompanied_pieces: frozenset[str]
    asked: Asked
    devices: tuple[SuppliedDevice, ...] = ()
    counted: tuple[BillLine, ...] = ()
    allowances: Mapping[str, int] = field(default_factory=dict)
    days_used: Mapping[str, tuple[date, ...]] = field(default_factory=dict)
    emergency: EmergencyDays | None = None
    _values: dict[tuple[str, date], Value] = field(default_factory=dict)
    _citations: dict[tuple[str, date], Citation] = field(default_factory=dict)
    _bearers: dict[date, Bearers] = field(default_factory=dict)
    _priced: dict[tuple[str, date], Priced] = field(default_factory=dict)
    gaps: dict[tuple[str, date], PolicyGap] = field(default_factory=dict)
    """What was found silent when the bearers of a day were asked for, by key and day."""

    def value(self, key: str, day: date) -> Value:
        """The policy value for a service on the day, picked by the date that the key names.

        Raises PolicyGap.
        """
        found = self._values.get((key, day))
        if found is None:
            dates = {**self.dates, PickedBy.SERVICE_DATE: day}
            found = self._values[key, day] = picked(self.policy, key, dates, day)
        return found

    def cited(self, key: str, day: date) -> Citation:
        """The citation of a policy value that was used."""
        found = self._citations.get((key, day))
        if found is None:
            found = self._citations[key, day] = citation(self.policy, key, self.value(key, day))
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

    def priced(self, listed: Listed, day: date) -> Priced:
        """The terms of a payable row on the day. Raises PolicyGap."""
        found = self._priced.get((listed.row.code, day))
        if found is None:
            found = self._priced[listed.row.code, day] = _priced(self, listed, day)
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

    def stopped(self, day: date) -> bool:
        """Whether a served decision stops benefits on the day (第四十二条)."""
        stops = self.case.stops
        return bool(stops) and any(
            stop.covers(day) for stop in stops if stop.ground != REFUSED_DISCHARGE
        )

    def beyond_emergency(self, day: date) -> EmergencyDays | None:
        """The limit of an emergency without agreement that the day lies beyond, if any."""
        limit = self.emergency
        return limit if limit is not None and limit.beyond(day) else None

    def refused_discharge(self, day: date) -> BenefitStop | None:
        """The served notice of discharge that was refused and covers the day, if any."""
        for stop in self.case.stops:
            if stop.ground == REFUSED_DISCHARGE and stop.covers(day):
                return stop
        return None

    def before_cover(self, day: date) -> bool:
        """Whether the employer was not yet insured on the day (第六十二条)."""
        return self.case.before_cover(day)

    def row(self, code: str, day: date) -> CatalogueRow | None:
        """The catalogue row of the code on the day."""
        found = self.editions.find(code, day)
        return None if found is None else found.row

    def counts(self, line: BillLine) -> bool:
        """Whether the line uses up quantities and days: it treats the injury and is no
        violation, and benefits are neither stopped nor refused."""
        if line.violation or line.relation is Relation.UNRELATED:
            return False
        day = line.service_day
        if self.stopped(day) or self.beyond_emergency(day) is not None:
            return False
        return self.refused_discharge(day) is None

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


def accompanied_pieces(groups: Iterable[Netted], editions: EditionsByDay) -> frozenset[str]:
    """Prescriptions with at least one herbal piece that is payable by itself and was not given
    back whole: their □ pieces are not "alone" in the sense of the drug list."""
    return frozenset(
        group.original.prescription_no
        for group in groups
        if group.original.prescription_no
        and group.net.quantity > 0
        and _payable_piece(editions, group.original)
    )


def _payable_piece(editions: EditionsByDay, line: BillLine) -> bool:
    found = editions.find(line.code, line.service_day)
    if found is None or found.row.not_alone:
        return False
    return found.row.section == _HERBAL_PIECES


def find_row(context: Context, line: BillLine) -> Listed | None:
    """The catalogue row of the line on its service day, in whichever catalogue has the code.

    Raises PolicyGap when no row is found and a catalogue has no edition on that day: the code
    may stand in the edition that is missing. The last edition is never used instead.
    """
    day = line.service_day
    found = context.editions.find(line.code, day)
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
    if context.stopped(line.service_day):
        return _charged(line, outside="BENEFIT_STOPPED"), _STOPPED
    beyond = context.beyond_emergency(line.service_day)
    if beyond is not None:
        sources = (*_FUND_PAYS, context.cited(beyond.key, line.service_day))
        return _charged(line, outside=beyond.reason), sources
    if line.violation:
        return _charged(line, violation=line.violation), _FUND_PAYS
    notice = context.refused_discharge(line.service_day)
    if notice is not None:
        return _charged(line, refused_discharge=True), (*_FUND_PAYS, _notice_source(notice))
    listed, rescue = find_row(context, line), line.line_id in context.rescued
    if listed is None or not _payable(context, line, listed.row):
        return _outside(context, line, listed, rescue)
    if listed.row.life_months is not None:
        _confirmed_device(context, line)
        running = device_in_use(context, line, listed.row.life_months)
        if running is not None:
            return _too_early(line, listed, running)
    if not rescue and (unmet := _unmet_limit(context, line, listed.row)):
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
    terms = _charged(line, in_catalogue=False, excluded="LIFE_NOT_ENDED")
    return terms, (anchors.DEVICES, life, supplied)


def _notice_source(notice: BenefitStop) -> Citation:
    since = notice.valid_from.isoformat()
    return Citation("notice/refused_discharge", notice.notice_no, since, _SERVED)


def _unmet_limit(context: Context, line: BillLine, row: CatalogueRow) -> limits.Unmet | None:
    """Why the remark of the drug list shuts the line out, if it does. Raises PolicyGap where no
    text says whether remarks bind, and NeedsReview where only a person can tell."""
    read = limits.read(row.remark) if row.kind is Kind.DRUG else limits.NONE
    if read == limits.NONE or not context.value(_DRUG_LIMITS, line.service_day).switch:
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
        nth_day=sum(one < day for one in context.days_used.get(line.code, ())),
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
    early, late = context.before_cover(day), context.late(day)
    sources = (*priced.sources, *_moved(early, late))
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
    early, late = rescue and context.before_cover(day), rescue and context.late(day)
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
