"""The sample catalogue as a hospital of each level would have downloaded it."""

from datetime import date
from functools import cache

from adapters.catalog_file import sample_path
from adapters.catalog_file.read import read_catalogue
from adapters.sandbox.shelf import Shelf
from gateway.domain.catalogue import CatalogueRow, Level


@cache
def rows() -> tuple[CatalogueRow, ...]:
    """Every row of the sample."""
    found = read_catalogue(sample_path(), date(2025, 1, 1), None, "999900")
    return tuple(row for edition in found.editions for row in edition.rows.values())


@cache
def shelf(level: Level = Level.TERTIARY) -> Shelf:
    return Shelf(rows(), level)
