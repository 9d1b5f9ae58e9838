"""Who bears a line: the five payers, in whole fen."""

from enum import StrEnum
from typing import NamedTuple, Self


class Payer(StrEnum):
    """Who bears money 承担方; `OTHER` is basic insurance or the person, outside work injury."""

    FUND = "fund"
    EMPLOYER = "employer"
    INDIVIDUAL = "individual"
    HOSPITAL = "hospital"
    OTHER = "other"

    # Equal words hash alike, and without a call of Python for every look-up.
    __hash__ = str.__hash__


SIGNERS = (Payer.EMPLOYER, Payer.INDIVIDUAL)
"""Who may sign to bear what the fund does not: nobody signs for the fund."""


class Split(NamedTuple):
    """An amount divided over the five payers, in fen; the parts always add up to the amount."""

    fund_fen: int = 0
    employer_fen: int = 0
    individual_fen: int = 0
    hospital_fen: int = 0
    other_fen: int = 0

    @property
    def total_fen(self) -> int:
        return sum(self)

    def plus(self, other: Self) -> "Split":
        return Split(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))

    def minus(self, other: Self) -> "Split":
        return Split(*(mine - theirs for mine, theirs in zip(self, other, strict=True)))

    def negated(self) -> "Split":
        return Split(*(-part for part in self))

    def given(self, payer: Payer, amount_fen: int) -> "Split":
        """The same split with `amount_fen` more borne by `payer`."""
        parts = list(self)
        parts[_PLACE[payer]] += amount_fen
        return Split._make(parts)

    def borne_by(self, payer: Payer) -> int:
        """What this payer bears, in fen."""
        return self[_PLACE[payer]]


NOTHING = Split()
_PLACE = {payer: Split._fields.index(f"{payer.value}_fen") for payer in Payer}


def all_to(payer: Payer, amount_fen: int) -> Split:
    """The whole amount borne by one payer."""
    return NOTHING.given(payer, amount_fen)


def total(splits: "list[Split] | tuple[Split, ...]") -> Split:
    """The sum of splits, payer by payer; sums are never rounded again."""
    return Split._make(map(sum, zip(*splits, strict=True))) if splits else NOTHING
