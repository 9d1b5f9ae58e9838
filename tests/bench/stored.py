"""New bills beside many that are stored: three-line settlements, bulk-loaded with all they left.

One three-line bill is settled by the gateway; its rows, and those of its worker, case and
messages, are then copied by SQL under other ids, ciphertexts and all. A copy's ciphertexts do
not open, as each is bound to its row: nothing reads them here, for new bills are other workers'.
"""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Final

from tests.bench.gateway import bills_measured
from tests.bench.town import Town

FEW: Final = 1_000
_LINES, _STORED_LINES = 300, 3
_AT_ONCE: Final = 2_000
_TABLES: Final = (
    *("person", "person_index", "work_case", "case_fact", "admission", "bill_line"),
    *("settlement", "transfer", "message", "outbox", "audit", "leaf"),
)
_NUMBERED: Final = tuple(name for name in _TABLES if name != "bill_line")
_IDS: Final = frozenset(
    {"person_id", "tag", "case_no", "admission_id", "settlement_id", "tx_id", "message_id"}
    | {"subject", "effect", "bill_no", "visit_no", "commit_message_id", "in_reply_to"}
)
"""Columns that name one of the copied rows: another copy has other ones."""
_SEQUENCES: Final = frozenset({"lane_seq", "leaf_index"})
"""Numbers that a copy must not take from whoever comes later: copies have negative ones."""
_COPY: Final = """
WITH RECURSIVE copy(n) AS (VALUES(:first) UNION ALL SELECT n + 1 FROM copy WHERE n < :last)
INSERT INTO {table} ({names}) SELECT {values} FROM copy, {table} AS one WHERE {of_the_bill}
"""
_BY_ROW: Final = "one.rowid > {} AND one.rowid <= {}"
_BY_KEY: Final = "one.admission_id IN (SELECT one.admission_id FROM admission AS one WHERE {})"
"""Of a table that has no numbers of its rows."""


def stored_many_over_few(town: Town, folder: Path, many: int, bills: int) -> dict[str, float]:
    """The CPU of a 300-line bill over the floor's beside `many` stored settlements, over the
    same beside 1,000."""
    with closing(_store(town)) as store:
        before = _ends(store)
        town.settle([town.ready(_STORED_LINES)])
        town.delivered_all()
        copied = _Template(store, before)
        copied.load(0, FEW)
        few = bills_measured(town, folder / "few", _LINES, bills)
        copied.load(FEW, many)
        beside = bills_measured(town, folder / "many", _LINES, bills)
        stored = store.execute("SELECT count(*) FROM settlement").fetchone()[0]
    if stored < many:
        raise AssertionError(f"only {stored} settlements are stored")
    return {f"stored_{_short(many)}_over_1k": beside.cpu_over_floor / few.cpu_over_floor}


def _short(count: int) -> str:
    """1m for a million, 20k for twenty thousand."""
    if count % 1_000_000 == 0:
        return f"{count // 1_000_000}m"
    return f"{count // 1000}k" if count % 1000 == 0 else str(count)


class _Template:
    """The rows that one bill left, to be copied."""

    def __init__(self, store: sqlite3.Connection, before: Mapping[str, int]) -> None:
        self._store = store
        after = _ends(store)
        rows = {name: _BY_ROW.format(before[name], after[name]) for name in _NUMBERED}
        rows |= {"bill_line": _BY_KEY.format(rows["admission"])}
        self._copies = [_copy(store, name, rows[name]) for name in _TABLES]

    def load(self, first: int, last: int) -> None:
        """Copies of these numbers, in transactions that hold the gateway up briefly."""
        for at in range(first, last, _AT_ONCE):
            given = {"first": at, "last": min(at + _AT_ONCE, last) - 1}
            self._store.execute("BEGIN IMMEDIATE")
            for statement in self._copies:
                self._store.execute(statement, given)
            self._store.execute("COMMIT")


def _store(town: Town) -> sqlite3.Connection:
    path = town.gateway.settings.database_path
    return sqlite3.connect(path, isolation_level=None, timeout=60)


def _ends(store: sqlite3.Connection) -> dict[str, int]:
    """The last row of each table."""
    query = "SELECT coalesce(max(rowid), 0) FROM {}"
    return {name: store.execute(query.format(name)).fetchone()[0] for name in _NUMBERED}


def _copy(store: sqlite3.Connection, table: str, of_the_bill: str) -> str:
    """The statement that copies the bill's rows of the table for a range of numbers."""
    kinds = {row[1]: row[2] for row in store.execute(f"PRAGMA table_info({table})")}
    return _COPY.format(
        table=table,
        names=", ".join(kinds),
        values=", ".join(_value(name, kind) for name, kind in kinds.items()),
        of_the_bill=of_the_bill,
    )


def _value(name: str, kind: str) -> str:
    if name in _IDS and kind == "TEXT":
        return f"CASE one.{name} WHEN '' THEN '' ELSE one.{name} || '-' || copy.n END"
    if name in _SEQUENCES:
        return f"-(copy.n * 1000 + one.{name})"
    return f"one.{name}"
