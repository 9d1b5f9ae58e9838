"""The three catalogues 三个目录 and their dated editions.

工伤保险条例 第三十条第三款: fees inside the treatment-item catalogue 诊疗项目目录,
the drug catalogue 药品目录 and the service standard 住院服务标准 are the fund's.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """Which catalogue a row belongs to; each kind has editions of its own."""

    DRUG = "drug"
    ITEM = "item"
    MATERIAL = "material"
    FACILITY = "facility"

    # Equal words hash alike, and without a call of Python for every look-up.
    __hash__ = str.__hash__


class Level(StrEnum):
    """Hospital level 医院等级 for unit ceilings."""

    TERTIARY = "tertiary"
    SECONDARY = "secondary"
    PRIMARY = "primary"

    # Equal words hash alike, and without a call of Python for every look-up.
    __hash__ = str.__hash__


class InsuranceLimit(StrEnum):
    """A drug's limit to one insurance, from the remark column of the drug list."""

    NONE = "none"
    WORK_INJURY = "work_injury"
    MATERNITY = "maternity"
    CONDITIONAL = "conditional"


@dataclass(frozen=True, slots=True)
class CatalogueRow:
    """One payable (or expressly not payable) thing.

    Ceilings and the payment standard are highest payable unit prices in
    millionths of a yuan; `ceilings` lists (level, ceiling) pairs, the pair with
    level None holding for every level not named. `pay_standard` is known only when
    the list prints one public amount; `pay_standard_text` is what it prints ("*" is
    not public, several strengths have several amounts, "" is no standard). Quantities payable
    per day and per stay are counted in 10^-4 of the unit; None is no limit.
    `contained_in` are the codes that already hold this thing. A row with `life_months` is an
    assistive device 辅助器具: the least months of use before it may be replaced.
    """

    code: str
    kind: Kind
    section: str
    name: str
    form: str = ""
    drug_class: str = ""
    payable: bool = True
    not_alone: bool = False
    insurance_limit: InsuranceLimit = InsuranceLimit.NONE
    remark: str = ""
    pay_standard: int | None = None
    agreement_from: date | None = None
    agreement_to: date | None = None
    unit: str = ""
    ceilings: tuple[tuple[Level | None, int], ...] = ()
    pay_standard_text: str = ""
    qty_per_day: int | None = None
    qty_per_stay: int | None = None
    contained_in: tuple[str, ...] = ()
    life_months: int | None = None

    def ceiling_for(self, level: Level) -> int | None:
        """The highest payable unit price at a hospital of this level, in millionths of a yuan."""
        by_level = dict(self.ceilings)
        return by_level.get(level, by_level.get(None, self.pay_standard))

    def agreed_on(self, day: date) -> bool:
        """Whether the negotiated agreement, if there is one, is in force on the day."""
        started = self.agreement_from is None or self.agreement_from <= day
        return started and (self.agreement_to is None or day <= self.agreement_to)


@dataclass(frozen=True, slots=True)
class SectionCount:
    """What an import found in one section: rows, entries (distinct section + number),
    entries of class 甲, rows marked □."""

    section: str
    rows: int
    entries: int
    class_a: int
    marked: int


@dataclass(frozen=True, slots=True, eq=False)
class Edition:
    """One catalogue of one pooling region for a span of service days, both ends inclusive.

    Each is itself alone: what the rules keep by an edition is never another's."""

    digest: str
    region: str
    kind: Kind
    valid_from: date
    valid_to: date | None
    rows: Mapping[str, CatalogueRow] = field(repr=False)
    prepared: dict[object, Any] = field(default_factory=dict, init=False, repr=False, compare=False)
    """What the rules read out of a row, kept beside it for the next bill."""

    def covers(self, day: date) -> bool:
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)
