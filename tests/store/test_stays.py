"""What is asked of stays often, or of long ones, goes by an index."""

import re
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
    ("statement", "given", "keys"),
    [
        (stays._UNSEEN, {}, ["admission: unseen>?"]),
        (stays._LINES, {"admission_id": "A1"}, ["bill_line: admission_id=?"]),
        (
            stays._RELATED,
            {"admission_id": "A1", "line_ids": among(["L1", "L2"])},
            [
                "bill_line: admission_id=? AND line_id=?",
                "bill_line: admission_id=? AND refund_of>?",
            ],
        ),
    ],
    ids=["unseen", "lines", "related"],
)
async def test_queries_of_stays_search_by_what_they_ask_for(
    embedded: SqliteDatabase, statement: Any, given: dict[str, Any], keys: list[str]
) -> None:
    steps = await plan(embedded, statement, given)
    found = re.findall(r"SEARCH (\w+) USING [\w ]+ \((.+?)\)", "\n".join(steps))
    assert [f"{table}: {key}" for table, key in found] == keys, steps
    assert not re.findall(r"SCAN (?:admission|bill_line)", "\n".join(steps)), steps
