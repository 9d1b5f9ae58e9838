"""What a catalogue row asks to be looked at: which limit and which audit rule can concern it.

Read once from the row and kept with its edition, so that each rule goes through the few lines
that it can concern instead of through the bill.
"""

from enum import StrEnum, auto

from gateway.domain.catalogue import CatalogueRow, InsuranceLimit, Kind
from gateway.rules import limits

_BED, _NURSING, _DAY = "床位", "护理", "日"


class Concern(StrEnum):
    """Why a line is looked at."""

    DRUG = auto()
    FACILITY = auto()
    BED = auto()
    NURSING = auto()
    QUANTITY = auto()
    REMARK = auto()
    CONTAINED = auto()
    MATERNITY = auto()
    CEILING = auto()
    PIECE = auto()

    # Equal words hash alike, and without a call of Python for every look-up.
    __hash__ = str.__hash__


def concerns_of(
    row: CatalogueRow, remark: limits.Limits, ceiling: int | None
) -> tuple[Concern, ...]:
    """Everything about the row that a limit or an audit rule looks at; the ceiling is that of
    the hospital's level."""
    facility = row.kind is Kind.FACILITY
    asked = {
        Concern.DRUG: row.kind is Kind.DRUG,
        Concern.FACILITY: facility,
        Concern.BED: facility and _BED in row.name,
        Concern.NURSING: _NURSING in row.name and row.unit == _DAY,
        Concern.QUANTITY: (row.qty_per_day, row.qty_per_stay) != (None, None),
        Concern.REMARK: bool(remark),
        Concern.CONTAINED: bool(row.contained_in),
        Concern.MATERNITY: row.insurance_limit is InsuranceLimit.MATERNITY,
        Concern.CEILING: ceiling is not None,
        Concern.PIECE: row.not_alone,
    }
    return tuple(concern for concern, holds in asked.items() if holds)
