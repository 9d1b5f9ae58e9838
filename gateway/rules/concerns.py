"""What a catalogue row asks to be looked at: which limit and which audit rule can concern it.

Read once from the row and kept with its edition, so that each rule goes through the few lines
that it can concern instead of through the bill.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Protocol

from gateway.domain.bill import BillLine
from gateway.domain.catalogue import CatalogueRow, InsuranceLimit, Kind
from gateway.rules import limits

_BED, _NURSING, _DAY = "床位", "护理", "日"


class Concern(StrEnum):
    """Why a line is looked at."""

    DRUG = "drug"
    FACILITY = "facility"
    BED = "bed"
    NURSING = "nursing by the day"
    QUANTITY = "limited quantity"
    REMARK = "remark of the drug list"
    CONTAINED = "contained in another item"
    MATERNITY = "maternity insurance"
    CEILING = "highest payable price"
    PIECE = "not payable alone"


class FoundRow(Protocol):
    """A catalogue row with what it asks to be looked at."""

    @property
    def row(self) -> CatalogueRow: ...
    @property
    def concerns(self) -> tuple[Concern, ...]: ...


class Finds(Protocol):
    """Finds the row of a line."""

    def listed(self, line: BillLine) -> FoundRow | None: ...


Lines = list[tuple[BillLine, CatalogueRow]]


def concerns_of(row: CatalogueRow, remark: limits.Limits) -> tuple[Concern, ...]:
    """Everything about the row that a limit or an audit rule looks at."""
    facility = row.kind is Kind.FACILITY
    asked = {
        Concern.DRUG: row.kind is Kind.DRUG,
        Concern.FACILITY: facility,
        Concern.BED: facility and _BED in row.name,
        Concern.NURSING: _NURSING in row.name and row.unit == _DAY,
        Concern.QUANTITY: (row.qty_per_day, row.qty_per_stay) != (None, None),
        Concern.REMARK: remark != limits.NONE,
        Concern.CONTAINED: bool(row.contained_in),
        Concern.MATERNITY: row.insurance_limit is InsuranceLimit.MATERNITY,
        Concern.CEILING: bool(row.ceilings) or row.pay_standard is not None,
        Concern.PIECE: row.not_alone,
    }
    return tuple(concern for concern, holds in asked.items() if holds)


def by_concern(lines: Iterable[BillLine], rows: Finds) -> Mapping[Concern, Lines]:
    """The lines that stand in a catalogue by what concerns them, with their rows, in order."""
    found: dict[Concern, Lines] = {concern: [] for concern in Concern}
    for line in lines:
        listed = rows.listed(line)
        if listed is not None:
            for concern in listed.concerns:
                found[concern].append((line, listed.row))
    return found
