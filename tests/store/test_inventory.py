"""Every column says whether it holds personal data, and then what for and how long."""

import pytest
from sqlalchemy import Table

from gateway.store.inventory import IMPERSONAL, PERSONAL, Kept, listed
from gateway.store.tables import metadata

TABLES = metadata.sorted_tables
_OF_THE_KEY = {"key_id", "record_key"}


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_column_is_listed_once(table: Table) -> None:
    columns = {column.name for column in table.columns}
    if table.info["personal"]:
        columns -= _OF_THE_KEY
    named = listed(table.name)
    told = "list it in gateway/store/inventory.py: PERSONAL with its purpose, or IMPERSONAL"
    assert columns - set(named) == set(), told
    assert set(named) - columns == set(), "the inventory names what is not there"
    assert sorted(named) == sorted(set(named))


def test_a_column_that_nobody_listed_is_found() -> None:
    assert "blood_group" not in listed("person")
    assert set(IMPERSONAL) == {table.name for table in TABLES}


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_what_is_listed_as_sealed_is_what_is_sealed(table: Table) -> None:
    told = {
        name
        for one in PERSONAL
        if one.table == table.name and one.kept is Kept.SEALED
        for name in one.columns.split()
    }
    assert told == set(table.info["personal"])
