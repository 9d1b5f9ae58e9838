"""The catalogue as a bill is computed by it: editions by day, rows with what the rules read."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta

from gateway.domain.bill import Citation
from gateway.domain.catalogue import CatalogueRow, Edition, InsuranceLimit, Kind, Level
from gateway.domain.money import price_text
from gateway.policy import anchors
from gateway.rules import limits
from gateway.rules.concerns import Concern, concerns_of

Sources = tuple[Citation, ...]
_DAY, _EVER = timedelta(days=1), date.max


@dataclass(frozen=True, slots=True, eq=False)
class Listed:
    """A catalogue row in force on a day, as a hospital of one level sees it.

    Its printed source, what its remark demands, the highest payable unit price in 10^-6 yuan
    with its source and whether that is the payment standard of the list, what limits and audit
    rules it concerns, and whether a charge of it is plain (rules/plain.py).
    """

    row: CatalogueRow
    source: Citation
    remark: limits.Limits
    ceiling: int | None
    ceiling_source: Sources
    by_standard: bool
    concerns: tuple[Concern, ...]
    plain: bool


class EditionsByDay:
    """The catalogue editions of a bill, looked up by service day."""

    __slots__ = ("_editions", "_found", "_turns")

    def __init__(self, editions: Iterable[Edition]) -> None:
        self._editions = sorted(editions, key=lambda one: (one.valid_from, one.digest))
        begin = {one.valid_from for one in self._editions}
        end = {last + _DAY for one in self._editions if (last := one.valid_to or _EVER) < _EVER}
        self._turns = sorted(begin | end)
        self._found: dict[int, Mapping[Kind, Edition]] = {}

    def on(self, day: date) -> Mapping[Kind, Edition]:
        """The edition of each catalogue in force on the day, in the order of the kinds."""
        turn = bisect_right(self._turns, day)
        found = self._found.get(turn)
        if found is None:
            newest = {one.kind: one for one in self._editions if one.covers(day)}
            found = {kind: newest[kind] for kind in Kind if kind in newest}
            self._found[turn] = found
        return found

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
    source, ceiling = _source(edition, row), row.ceiling_for(level)
    remark = limits.read(row.remark) if row.kind is Kind.DRUG else limits.NONE
    return Listed(
        row,
        source,
        remark,
        ceiling,
        () if ceiling is None else (_ceiling_source(source, ceiling),),
        by_standard=ceiling is not None and ceiling == row.pay_standard,
        concerns=concerns_of(row, remark, ceiling),
        plain=not (remark or _asks_more(row)),
    )


def _asks_more(row: CatalogueRow) -> bool:
    """Whether who bears the row turns on the day of an agreement or of a life, on what else was
    prescribed, or on a condition that a person looks at."""
    negotiated = (row.agreement_from, row.agreement_to) != (None, None)
    conditional = row.insurance_limit is InsuranceLimit.CONDITIONAL
    return negotiated or conditional or row.not_alone or row.life_months is not None


def _source(edition: Edition, row: CatalogueRow) -> Citation:
    # The catalogues rest on 第三十条第三款 whatever a stay is for: rehabilitation and relapse are
    # paid by the same lists. Devices alone have 国家规定的标准 of their own (第三十二条).
    article = anchors.FUND_PAYS if row.life_months is None else anchors.DEVICES
    return Citation(
        f"catalogue/{edition.kind.value}/{row.code}",
        edition.digest[:12],
        edition.valid_from.isoformat(),
        article.law,
    )


def _ceiling_source(row_source: Citation, ceiling: int) -> Citation:
    return replace(row_source, key=f"{row_source.key}/ceiling", value=price_text(ceiling))
