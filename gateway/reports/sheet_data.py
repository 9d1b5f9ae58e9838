"""结算单内容 What a settlement sheet prints."""

from dataclasses import dataclass
from datetime import date

from gateway.domain.admission import Diagnosis
from gateway.domain.bill import BillLine, LineVerdict
from gateway.domain.case import TreatmentKind
from gateway.domain.catalogue import Level
from gateway.domain.cut import Cut
from gateway.domain.results import Settlement


@dataclass(frozen=True, slots=True)
class SheetLine:
    """A line as it was charged, and what was decided about it."""

    line: BillLine
    verdict: LineVerdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """Everything a sheet prints; identity and card numbers come masked (domain/masks.py).

    `settlement` has its lines' verdicts in `lines` too, beside what was charged. A reversal has
    negative amounts and names what it reverses; `reversed_by` names the reversal of a
    settlement that is no longer in force. `liable_employer_name` is empty where the employer
    that the case was reported with is liable. `cuts` are those of the stay, pending and final.
    """

    settlement: Settlement
    hospital_name: str
    hospital_level: Level
    agency_name: str
    person_name: str
    id_no_masked: str
    employer_name: str
    injured_on: date | None
    injured_parts: str
    diagnoses: tuple[Diagnosis, ...]
    treatment: TreatmentKind
    signer: str
    lines: tuple[SheetLine, ...]
    card_no_masked: str = ""
    liable_employer_name: str = ""
    message_id: str = ""
    reversed_by: str = ""
    cuts: tuple[Cut, ...] = ()
