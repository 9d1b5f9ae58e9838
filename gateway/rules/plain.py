"""Plain charges: what is decided about them wherever the same holds.

A bill is a ward's routine, and so is the next one: a few things, charged again and again at the
hospital's own prices. A charge is plain when nothing decides it but itself and the ground that
it stands on. The functions here see these two and nothing else, neither the stay, nor the case,
nor the day: what they say is true of every bill on the same ground, and is kept with it.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from functools import lru_cache
from typing import Any, Final, NamedTuple

from gateway.domain.bill import BillLine, Citation, Relation, Steps, by_place
from gateway.domain.case import BenefitStop
from gateway.domain.catalogue import Edition, InsuranceLimit, Kind, Level
from gateway.domain.kept import Kept
from gateway.domain.money import quantity_text
from gateway.domain.split import Payer, Split
from gateway.policy import anchors
from gateway.policy.model import Policy, Value
from gateway.rules.cited import citation
from gateway.rules.line import Bearers, NoPayerStated, Terms, decide
from gateway.rules.listed import Listed, Sources, find_in

_OTHER_DISEASES: Final[Sources] = (anchors.OTHER_DISEASES,)
_DISCHARGE = ("notice/refused_discharge", "已送达的出院通知 / served notice of discharge")
_STOP = ("notice/benefit_stopped", "已送达的停止待遇决定 / served decision to stop benefits")
_EXCESS = frozenset({"OUT_OF_CATALOGUE", "LIMIT_NOT_MET", "LIFE_NOT_ENDED", "OVER_CEILING"})
NO_CONSENT, NOT_NOTIFIED = "line/no_consent_payer", "line/not_notified_payer"
REFUSED, RATIO = "line/refused_discharge_payer", "line/ratio_payer"
RESCUE, OVER_QUANTITY = "line/emergency_item_payer", "line/over_quantity_payer"
RATIO_KEY = {kind: f"line/ratio_{kind.value}" for kind in Kind}
PAYERS = (NO_CONSENT, NOT_NOTIFIED, REFUSED, RATIO, RESCUE, OVER_QUANTITY)
ASKED = (*RATIO_KEY.values(), *PAYERS)
"""The keys of the policy that can decide a plain charge."""


class Charge(NamedTuple):
    """What of a bill line its own decision may rest on; `allowed` is what is left of a limited
    quantity, in 10^-4, for a line that goes beyond it."""

    code: str
    price: int
    quantity: int
    amount_fen: int
    relation: Relation
    consent: Payer | None
    violation: str
    limit_met: bool | None
    allowed: int | None = None


Key = tuple[str, int, int, int, Relation, Payer | None, str, bool | None]


_CHARGED: Final = (
    *("code", "price", "quantity", "amount_fen", "relation", "consent", "violation", "limit_met"),
)
_of_charge: Final = by_place(*_CHARGED)
consent_day: Final = by_place("consent_on")


def charges(lines: Sequence[BillLine]) -> Iterator[Key]:
    """The charge of each line, as a bare tuple; what is left of a limit is not yet known."""
    if not any(map(consent_day, lines)):
        return map(_of_charge, lines)
    return (
        _of_charge(line) if (day := line.consent_on) is None else _signed_charge(line, day)
        for line in lines
    )


def _signed_charge(line: BillLine, signed_on: date) -> Key:
    key: Key = _of_charge(line._replace(consent=_consent(line, signed_on)))
    return key


def signed_late(line: BillLine, signed_on: date) -> bool:
    """Whether a consent that was signed on this day was signed after the day of service. No text
    says what it is worth."""
    return line.consent is not None and signed_on > line.service_day


def _consent(line: BillLine, signed_on: date) -> Payer | None:
    """Who signed: one who did so too late did not, where a person found that."""
    return None if line.limit_met is False and signed_late(line, signed_on) else line.consent


class Rate(NamedTuple):
    """The part of eligible costs that the fund bears, in 10^-4, and the text that says so."""

    ratio: int
    source: Citation


class Window(NamedTuple):
    """Why the fund's share moves to the employer: before cover, in arrears that had begun before
    the stay, or by an overdue application; and which texts say that it does, or does not."""

    before_cover: bool
    late: bool
    in_arrears: bool
    sources: Sources

    @property
    def facts(self) -> dict[str, bool]:
        """What of it the terms of a line are told."""
        return {
            "before_cover": self.before_cover,
            "late": self.late,
            "in_arrears": self.in_arrears,
        }


class Holding(NamedTuple):
    """What the bill says of a day: decisions, cover, the window of an overdue application (None
    where no text says whether the day is in it), whether it lies after the days of an emergency,
    where an approval may still pay, whether it lies before the injury and the stay: only a person
    can tell what was treated then; and whether it lies outside the stay, which makes its fees
    those of an outpatient. `moved_by` are the texts by which the day is the employer's, or for
    the last day of a window and once cover began is not."""

    stopped: tuple[BenefitStop, ...]
    notice: BenefitStop | None
    before_cover: bool
    in_arrears: bool
    late: bool | None
    after_emergency: bool
    before_injury: bool
    outpatient: bool
    moved_by: Sources

    @property
    def never_plain(self) -> bool:
        """Whether more than a charge and its ground has a say, whatever the charge."""
        return self.after_emergency or self.before_injury or self.outpatient

    def window(self, *, late: bool) -> Window:
        """Whether and why the day is the employer's."""
        return Window(self.before_cover, late, self.in_arrears, self.moved_by)


class Footing(NamedTuple):
    """What holds on a day, by value: all that can decide a charge beside itself.

    What the bill says of the day, the editions in force at a hospital of this level, and what
    the policy says (`ASKED`, None where it is silent); `not_notified` is what the hospital says
    of the employer, `fund_pays` the article by which the fund pays for such a stay.
    """

    holding: Holding
    level: Level
    editions: tuple[Edition, ...]
    policy: Policy
    said: tuple[Value | None, ...]
    not_notified: bool
    fund_pays: Citation


class Ground:
    """A footing, with what follows from it for every charge: the part of each kind that the fund
    bears, who bears the rest, and which texts say so."""

    def __init__(self, footing: Footing) -> None:
        self.holding = footing.holding
        self.complete = len(footing.editions) == len(Kind)
        self._editions, self._level = footing.editions, footing.level
        self._fund_pays = footing.fund_pays
        told = dict(zip(ASKED, footing.said, strict=True))
        said = {key: value for key, value in told.items() if value is not None}
        self._source = {key: citation(footing.policy, key, value) for key, value in said.items()}
        self._number = {key: said[key].number for key in RATIO_KEY.values() if key in said}
        payer = {key: Payer(said[key].word) for key in PAYERS if key in said}
        # Where no text puts it on an employer that did not tell the hospital in writing of the
        # injury, the hospital's word changes nothing.
        silent = footing.not_notified and payer.get(NOT_NOTIFIED) is Payer.EMPLOYER
        self.bearers = Bearers(
            no_consent=payer.get(NO_CONSENT),
            ratio=payer.get(RATIO),
            refused_discharge=payer.get(REFUSED),
            employer_not_notified=silent,
            emergency_item=payer.get(RESCUE),
            over_quantity=payer.get(OVER_QUANTITY),
        )

    def find(self, code: str) -> Listed | None:
        """The catalogue row of the code, in whichever catalogue has it."""
        return find_in(self._editions, code, self._level)

    def fund_pays(self, code: str) -> Citation:
        """The article by which the fund pays what has this code: a device by its own (第三十二条),
        whatever the stay is for."""
        listed = self.find(code)
        device = listed is not None and listed.row.life_months is not None
        return anchors.DEVICES if device else self._fund_pays

    def rate(self, kind: Kind) -> Rate | None:
        """The part of this kind that the fund bears; None where no text says."""
        key = RATIO_KEY[kind]
        return Rate(self._number[key], self._source[key]) if key in self._number else None

    def source(self, key: str) -> Citation:
        """The text that names who bears it. Raises KeyError where none does."""
        return self._source[key]


class Decision(NamedTuple):
    """Who bears a line, why, from which texts and by which steps."""

    split: Split
    reasons: tuple[str, ...]
    citations: Sources
    steps: Steps


class Known(NamedTuple):
    """What is known of a charge on its ground: the decision, None for a charge that is not
    plain; the catalogue row; and whether it uses up quantities and days."""

    decision: Decision | None
    listed: Listed | None
    counts: bool


class Standing(Kept[tuple[Any, ...], Known]):
    """What is known of the charges on one ground."""

    def __init__(self, footing: Footing) -> None:
        self.ground = Ground(footing)

    def answer(self, key: tuple[Any, ...]) -> Known:
        """What is known of the charge, from itself and the ground alone."""
        return known(self.ground, Charge(*key))


standing = lru_cache(Standing)
"""The grounds that bills stood on lately."""


def known(ground: Ground, charge: Charge) -> Known:
    """What the charge and its ground say by themselves."""
    listed = ground.find(charge.code)
    return Known(_decision(ground, charge, listed), listed, _counts(ground, charge))


def _counts(ground: Ground, charge: Charge) -> bool:
    """Whether it treats the injury and is no violation, and benefits are neither stopped nor
    refused."""
    if charge.violation or charge.relation is Relation.UNRELATED:
        return False
    return not ground.holding.stopped and ground.holding.notice is None


def _decision(ground: Ground, charge: Charge, listed: Listed | None) -> Decision | None:
    if charge.relation is Relation.UNDETERMINED or ground.holding.never_plain:
        return None
    resolved = whole(ground, charge) or _catalogued(ground, charge, listed)
    if resolved is None:
        return None
    try:
        return borne(ground, *resolved)
    except NoPayerStated:
        return None


def _catalogued(
    ground: Ground, charge: Charge, listed: Listed | None
) -> tuple[Terms, Sources] | None:
    """The terms by catalogue and windows; None where anything else has a say."""
    if listed is None:
        return outside(ground, charge, None) if ground.complete else None
    row, rate, late = listed.row, ground.rate(listed.row.kind), ground.holding.late
    if not listed.plain:
        return None
    if not row.payable or row.insurance_limit is InsuranceLimit.MATERNITY:
        return outside(ground, charge, listed)
    if rate is None or late is None or unprinted(listed) or on_the_worker(ground, charge, listed):
        return None
    return inside(ground, charge, listed, rate, ground.holding.window(late=late))


def whole(ground: Ground, charge: Charge) -> tuple[Terms, Sources] | None:
    """The terms of a charge that one ground takes whole, before any catalogue is asked."""
    if charge.relation is Relation.UNRELATED:
        return taken(charge, unrelated=True), _OTHER_DISEASES
    fund_pays = ground.fund_pays(charge.code)
    if charge.violation:
        return taken(charge, violation=charge.violation), (fund_pays,)
    if stops := ground.holding.stopped:
        served = tuple(_served(one, *_STOP) for one in stops)
        stopped = (fund_pays, anchors.BENEFIT_STOPPED, *served)
        return taken(charge, outside="BENEFIT_STOPPED"), stopped
    if (notice := ground.holding.notice) is not None:
        refused = _served(notice, *_DISCHARGE)
        return taken(charge, refused_discharge=True), (fund_pays, refused)
    return None


def _served(notice: BenefitStop, key: str, text: str) -> Citation:
    return Citation(key, notice.notice_no, notice.valid_from.isoformat(), text)


def taken(charge: Charge, **facts: Any) -> Terms:
    """What the hospital charged and who signed, with the facts that were resolved."""
    return Terms(charge.price, charge.quantity, charge.amount_fen, consent=charge.consent, **facts)


def rescued(window: Window | None) -> tuple[dict[str, bool], Sources]:
    """What the terms of a line outside the catalogue are told, and by which texts. Only what was
    approved for rescue has a window: the fund's share of it moves to the employer."""
    if window is None:
        return {}, ()
    return {"emergency_approved": True, **window.facts}, window.sources


def outside(
    ground: Ground, charge: Charge, listed: Listed | None, window: Window | None = None
) -> tuple[Terms, Sources]:
    """Outside the catalogue, for rescue if it has a window."""
    facts, moved_by = rescued(window)
    excluded = () if listed is None else (listed.source,)
    sources = (ground.fund_pays(charge.code), *moved_by, *excluded)
    return taken(charge, in_catalogue=False, **facts), sources


def inside(
    ground: Ground,
    charge: Charge,
    listed: Listed,
    rate: Rate,
    window: Window,
    *,
    rescue: bool = False,
) -> tuple[Terms, Sources]:
    """Inside the catalogue, and not beyond a limit of its remark."""
    sources = (ground.fund_pays(charge.code), listed.source, rate.source, *window.sources)
    if _above_ceiling(charge, listed):
        sources += listed.ceiling_source
    if charge.allowed is not None:
        sources += _quantity_sources(listed)
    resolved = taken(
        charge,
        ceiling=listed.ceiling,
        quantity_limit=charge.allowed,
        ratio=rate.ratio,
        emergency_approved=rescue,
        **window.facts,
    )
    return resolved, sources


def unprinted(listed: Listed) -> bool:
    """Whether there is a payment standard that the list does not print as one amount: an unknown
    ceiling is never no ceiling."""
    return listed.ceiling is None and bool(listed.row.pay_standard_text)


def on_the_worker(ground: Ground, charge: Charge, listed: Listed) -> bool:
    """Whether a price above the payment standard would fall on the worker: it binds the
    hospital, whatever the worker signed, so a person looks at it first."""
    if charge.limit_met or not (listed.by_standard and _above_ceiling(charge, listed)):
        return False
    if ground.bearers.employer_not_notified:
        return False
    return (charge.consent or ground.bearers.no_consent) is Payer.INDIVIDUAL


def rests_on_consent(reasons: Iterable[str]) -> bool:
    """Whether a part of the line is borne by whoever signed for it, or by whom the texts name
    for one that nobody signed for."""
    return not _EXCESS.isdisjoint(reasons)


def _above_ceiling(charge: Charge, listed: Listed) -> bool:
    return listed.ceiling is not None and charge.price > listed.ceiling


def _quantity_sources(listed: Listed) -> Sources:
    """The columns of the catalogue that limit quantities."""
    return tuple(
        replace(listed.source, key=f"{listed.source.key}/{name}", value=quantity_text(limit))
        for name in ("qty_per_day", "qty_per_stay")
        if (limit := getattr(listed.row, name)) is not None
    )


def borne(ground: Ground, resolved: Terms, sources: Sources) -> Decision:
    """Who bears it on this ground. Raises NoPayerStated."""
    decided = decide(resolved, ground.bearers)
    reasons, signed = frozenset(decided.reasons), resolved.consent is not None
    asked = {
        NO_CONSENT: not signed and rests_on_consent(reasons),
        NOT_NOTIFIED: "EMPLOYER_NOT_NOTIFIED" in reasons,
        REFUSED: "REFUSED_DISCHARGE" in reasons,
        RATIO: "REGIONAL_RATIO" in reasons,
        RESCUE: "EMERGENCY_APPROVED" in reasons,
        OVER_QUANTITY: "OVER_QTY" in reasons,
    }
    named = [ground.source(key) for key, was_asked in asked.items() if was_asked]
    return Decision(decided.split, decided.reasons, (*sources, *named), decided.steps)
