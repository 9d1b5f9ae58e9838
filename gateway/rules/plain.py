"""Plain charges: what is decided about them wherever the same holds.

A bill is a ward's routine, and so is the next one: a few things, charged again and again at the
hospital's own prices. A charge is plain when nothing decides it but itself and the ground that
it stands on. The functions here see these two and nothing else, neither the stay, nor the case,
nor the day: what they say is true of every bill on the same ground, and is kept with it.
"""

from dataclasses import replace
from functools import lru_cache
from operator import attrgetter
from typing import Any, Final, NamedTuple

from gateway.domain.bill import Citation, Relation, Steps
from gateway.domain.case import BenefitStop
from gateway.domain.catalogue import Edition, InsuranceLimit, Kind, Level
from gateway.domain.kept import Kept
from gateway.domain.money import quantity_text
from gateway.domain.split import Payer, Split
from gateway.policy import anchors
from gateway.rules.line import Bearers, NoPayerStated, Terms, decide
from gateway.rules.listed import Listed, Sources, find_in

FUND_PAYS: Final[Sources] = (anchors.FUND_PAYS,)
_STOPPED: Final[Sources] = (anchors.FUND_PAYS, anchors.BENEFIT_STOPPED)
_OTHER_DISEASES: Final[Sources] = (anchors.OTHER_DISEASES,)
_SERVED = "已送达的出院通知 / served notice of discharge"
_EXCESS = frozenset({"OUT_OF_CATALOGUE", "LIMIT_NOT_MET", "LIFE_NOT_ENDED", "OVER_CEILING"})
_PLACE = {kind: place for place, kind in enumerate(Kind)}


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
    reviewed: bool
    limit_unmet: bool
    allowed: int | None = None


charge_of = attrgetter(*(name for name in Charge._fields if name not in Charge._field_defaults))
"""The charge of a line, as a bare tuple; a limit of quantities is counted over all lines."""


class Rate(NamedTuple):
    """The part of eligible costs that the fund bears, in 10^-4, and the text that says so."""

    ratio: int
    source: Citation


class Window(NamedTuple):
    """Why the fund's share moves to the employer: before cover, in arrears that had begun before
    the stay, or by an overdue application."""

    before_cover: bool = False
    late: bool = False
    in_arrears: bool = False

    @property
    def sources(self) -> Sources:
        """The article that moves it."""
        if self.before_cover:
            return (anchors.NEWLY_ARISING,)
        if self.in_arrears:
            return (anchors.ARREARS_PAID,)
        return (anchors.LATE_APPLICATION,) if self.late else ()


class Naming(NamedTuple):
    """The texts that named the bearers of a day; None where no text says."""

    no_consent: Citation | None = None
    not_notified: Citation | None = None
    refused_discharge: Citation | None = None
    ratio: Citation | None = None


class Ground(NamedTuple):
    """What holds on a day, by value: all that can decide a charge beside itself.

    The editions in force and whether one of every catalogue is, the windows of the day (`late`
    is None where no text says whether the day is inside), the part of each kind that the fund
    bears as far as texts say, who bears the rest and by which texts. Nothing is plain on the
    days after an emergency: an approval may still pay them.
    """

    level: Level
    editions: tuple[Edition, ...]
    complete: bool
    stopped: bool
    notice: BenefitStop | None
    before_cover: bool
    in_arrears: bool
    late: bool | None
    after_emergency: bool
    rates: tuple[Rate | None, ...]
    bearers: Bearers
    naming: Naming

    def find(self, code: str) -> Listed | None:
        """The catalogue row of the code, in whichever catalogue has it."""
        return find_in(self.editions, code, self.level)

    def rate(self, kind: Kind) -> Rate | None:
        """The part of this kind that the fund bears; None where no text says."""
        return self.rates[_PLACE[kind]]


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

    def __init__(self, ground: Ground) -> None:
        super().__init__()
        self.ground = ground

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
    return not ground.stopped and ground.notice is None


def _decision(ground: Ground, charge: Charge, listed: Listed | None) -> Decision | None:
    if ground.after_emergency or charge.relation is Relation.UNDETERMINED:
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
        return outside(charge, None) if ground.complete else None
    row, rate, late = listed.row, ground.rate(listed.row.kind), ground.late
    if not listed.plain:
        return None
    if not row.payable or row.insurance_limit is InsuranceLimit.MATERNITY:
        return outside(charge, listed)
    if rate is None or late is None or unprinted(listed) or on_the_worker(ground, charge, listed):
        return None
    return inside(charge, listed, rate, Window(ground.before_cover, late, ground.in_arrears))


def whole(ground: Ground, charge: Charge) -> tuple[Terms, Sources] | None:
    """The terms of a charge that one ground takes whole, before any catalogue is asked."""
    if charge.relation is Relation.UNRELATED:
        return taken(charge, unrelated=True), _OTHER_DISEASES
    if ground.stopped:
        return taken(charge, outside="BENEFIT_STOPPED"), _STOPPED
    if charge.violation:
        return taken(charge, violation=charge.violation), FUND_PAYS
    if ground.notice is not None:
        return taken(charge, refused_discharge=True), (*FUND_PAYS, _served(ground.notice))
    return None


def _served(notice: BenefitStop) -> Citation:
    since = notice.valid_from.isoformat()
    return Citation("notice/refused_discharge", notice.notice_no, since, _SERVED)


def taken(charge: Charge, **facts: Any) -> Terms:
    """What the hospital charged and who signed, with the facts that were resolved."""
    return Terms(charge.price, charge.quantity, charge.amount_fen, consent=charge.consent, **facts)


def outside(
    charge: Charge, listed: Listed | None, window: Window | None = None
) -> tuple[Terms, Sources]:
    """Outside the catalogue. Only what was approved for rescue has a window: the fund's share
    of it moves to the employer."""
    moved = window or Window()
    resolved = taken(
        charge, in_catalogue=False, emergency_approved=window is not None, **moved._asdict()
    )
    excluded = () if listed is None else (listed.source,)
    return resolved, (*FUND_PAYS, *moved.sources, *excluded)


def inside(
    charge: Charge, listed: Listed, rate: Rate, window: Window, *, rescue: bool = False
) -> tuple[Terms, Sources]:
    """Inside the catalogue, and not beyond a limit of its remark."""
    sources = (*FUND_PAYS, listed.source, rate.source, *window.sources)
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
        **window._asdict(),
    )
    return resolved, sources


def unprinted(listed: Listed) -> bool:
    """Whether there is a payment standard that the list does not print as one amount: an unknown
    ceiling is never no ceiling."""
    return listed.ceiling is None and bool(listed.row.pay_standard_text)


def on_the_worker(ground: Ground, charge: Charge, listed: Listed) -> bool:
    """Whether a price above the payment standard would fall on the worker: it binds the
    hospital, whatever the worker signed, so a person looks at it first."""
    if charge.reviewed or not (listed.by_standard and _above_ceiling(charge, listed)):
        return False
    return (charge.consent or ground.bearers.no_consent) is Payer.INDIVIDUAL


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
    cited = sources
    if decided.reasons:
        signed = resolved.consent is not None
        cited += tuple(_named(ground.naming, frozenset(decided.reasons), signed=signed))
    return Decision(decided.split, decided.reasons, cited, decided.steps)


def _named(naming: Naming, reasons: frozenset[str], *, signed: bool) -> "list[Citation]":
    """The texts that named the payer of what the fund does not bear."""
    used = (
        (naming.no_consent, not signed and not _EXCESS.isdisjoint(reasons)),
        (naming.not_notified, "EMPLOYER_NOT_NOTIFIED" in reasons),
        (naming.refused_discharge, "REFUSED_DISCHARGE" in reasons),
        (naming.ratio, "REGIONAL_RATIO" in reasons),
    )
    return [source for source, asked in used if asked and source is not None]
