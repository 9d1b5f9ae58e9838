"""院内价表 A hospital's price list, made over the catalogue that it downloaded from the gateway."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from gateway.domain.catalogue import CatalogueRow, Kind, Level

_CATEGORIES: Final = {Kind.ITEM: "诊疗", Kind.MATERIAL: "材料", Kind.FACILITY: "床位"}
_FEN: Final = 10_000
"""Millionths of a yuan in a fen."""
_CHEAPEST_FEN, _SPREAD_FEN = 180, 6400
_CODE_DIGITS: Final = slice(1, 5)


@dataclass(frozen=True, slots=True)
class Good:
    """Something that may be charged; the unit price is in 10^-6 yuan."""

    code: str
    name: str
    unit: str
    spec: str
    category: str
    price: int


class Shelf:
    """Every good of the catalogue by its name, a drug by "name form", at this hospital's prices.

    Prices are made up: the ceiling of the hospital's level, the payment standard of a
    negotiated drug, and for other drugs an amount that follows from the code.
    """

    def __init__(self, rows: Iterable[CatalogueRow], level: Level) -> None:
        self._goods = {_title(row): _good(row, level) for row in rows}

    def __len__(self) -> int:
        return len(self._goods)

    def good(self, title: str) -> Good:
        """The good of this name. Raises KeyError for a name that is not on the list."""
        return self._goods[title]


def _title(row: CatalogueRow) -> str:
    return f"{row.name} {row.form}".strip() if row.kind is Kind.DRUG else row.name


def _good(row: CatalogueRow, level: Level) -> Good:
    return Good(
        code=row.code,
        name=row.name,
        unit=row.unit or "支",
        spec=row.form,
        category=_CATEGORIES.get(row.kind, row.section),
        price=_price(row, level),
    )


def _price(row: CatalogueRow, level: Level) -> int:
    ceiling = row.ceiling_for(level)
    if ceiling is not None:
        return ceiling
    made_up = int(row.code[_CODE_DIGITS], 16)
    return (_CHEAPEST_FEN + made_up % _SPREAD_FEN) * _FEN
