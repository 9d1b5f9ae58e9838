"""目录对照 A hospital's own code of an item and the national one it stands for on given days."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from gateway.domain.catalogue import Kind


class MappingState(StrEnum):
    """The agency reviews every mapping 对照审核; only an accepted one gives a line its code."""

    PENDING = "PENDING"
    ACCEPTED = "ACCEPTED"
    REFUSED = "REFUSED"
    WITHDRAWN = "WITHDRAWN"


LIVE: Final = frozenset({MappingState.PENDING, MappingState.ACCEPTED})
"""Mappings whose days no other mapping of the same hospital code may share."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingClaim:
    """What a hospital says of one of its codes: the national code from a day on, both ends
    inclusive. `withdrawn` takes back a claim that no one accepted. The price is in 10^-6 yuan."""

    hospital_code: str
    hospital_name: str
    code: str
    kind: Kind
    valid_from: date
    valid_to: date | None = None
    spec: str = ""
    unit: str = ""
    price: int | None = None
    withdrawn: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapping:
    """A claim as it is kept: its version, what the agency decided of it, and why."""

    hospital: str
    hospital_code: str
    hospital_name: str
    code: str
    kind: Kind
    valid_from: date
    valid_to: date | None
    state: MappingState
    version: int
    spec: str = ""
    unit: str = ""
    price: int | None = None
    reason: str = ""

    @property
    def key(self) -> tuple[str, date]:
        """One mapping begins on a day for a code of the hospital."""
        return self.hospital_code, self.valid_from

    def covers(self, day: date) -> bool:
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)

    def meets(self, other: "Mapping") -> bool:
        """Whether both cover some day."""
        return self.covers(other.valid_from) or other.covers(self.valid_from)

    def outlasts(self, other: "Mapping") -> bool:
        """Whether it covers the other's last day, however far that lies ahead."""
        if self.valid_to is None:
            return True
        return other.valid_to is not None and other.valid_to <= self.valid_to


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingDecision:
    """The agency's word on one mapping, at the version it saw; a refusal has its reason."""

    hospital_code: str
    valid_from: date
    version: int
    accepted: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A row of an edition whose name is near to a hospital's; `likeness` is a percentage."""

    code: str
    name: str
    form: str
    kind: Kind
    edition: str
    likeness: int
