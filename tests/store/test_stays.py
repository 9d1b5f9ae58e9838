"""What is asked of stays often, or of long ones, goes by an index."""

from typing import Any

import pytest
from sqlalchemy.dialects import sqlite

from gateway.store import stays
from gateway.store.among import among
from gateway.store.prepared import prepared
from gateway.store.sqlite import SqliteDatabase
from tests.store.hands import by_hand


async def plan(database: SqliteDatabase, statement: Any, given: dict[str, Any]) -> list[str]:
    """Each step of the query, in SQLite's words."""
    asked = prepared(statement, sqlite.dialect())
    assert asked is not None
    async with by_hand(database) as connection:
        explain = f"EXPLAIN QUERY PLAN {asked.text}"
        found = await connection.exec_driver_sql(explain, asked.values(given))
        return [row.detail for row in found]


@pytest.mark.parametrize(
    ("statement", "given"),
    [
        (stays._UNSEEN, {}),
        (stays._LINES, {"admission_id": "A1"}),
        (stays._RELATED, {"admission_id": "A1", "line_ids": among(["L1", "L2"])}),
    ],
    ids=["unseen", "lines", "related"],
)
async def test_no_query_of_stays_goes_through_a_whole_table(
    embedded: SqliteDatabase, statement: Any, given: dict[str, Any]
) -> None:
    steps = await plan(embedded, statement, given)
    assert [step for step in steps if step.startswith("SEARCH")], steps
    assert not [step for step in steps if step.startswith("SCAN bill_line")], steps
    assert not [step for step in steps if step.startswith("SCAN admission")], steps
