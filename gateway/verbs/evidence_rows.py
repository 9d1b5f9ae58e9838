"""The rows of the store as the leaves say that they were written, to compare with what is there.

Leaf by leaf the effects are played again: what was inserted, changed and removed. What a table
holds then is what it must hold; whoever edited a row behind the gateway's back is found.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Table

from gateway.evidence.leaf import digested, salt_of
from gateway.store.tables import APPEND_ONLY, message, metadata

OF_THE_LOG: Final = frozenset({"leaf", "checkpoint", "cosignature"})
"""Tables that are the log itself: they are verified by its own hashes and signatures."""
_STATE: Final = (
    *("person", "work_case", "case_fact", "admission", "bill_line", "settlement"),
    *("release_job", "cut", "readjudication", "mapping_book", "mapping", "reconcile_run"),
    *("party", "party_key", "mandate", "catalogue_edition", "policy_edition", "outbox"),
)
"""State that only transactions with a leaf write: it is compared as history is, as long as
every leaf tells what it changed."""
COMPARED: Final = tuple(
    metadata.tables[name] for name in (*APPEND_ONLY, *_STATE) if name not in OF_THE_LOG
)
_KEYS: Final = frozenset({"key_id", "record_key"})
_ON_ITS_WAY: Final = frozenset(
    {"state", "lane_seq", "attempts", "next_us", "done_us", "last_error", "receipt"}
)
"""Of a message that is sent: how far it is, which no leaf tells. That it was received the leaf of
its delivery tells."""
_KEPT_ASIDE: Final[Mapping[str, frozenset[str]]] = defaultdict(
    lambda: _KEYS, {"outbox": _KEYS | _ON_ITS_WAY}
)
Key = tuple[Any, ...]
Value = tuple[Any, bytes]
"""A value as an effect told it, and the salt of the personal ones of its transaction."""


@dataclass
class Replayed:
    """Every compared row as the effects left it, and the transactions that do not tell."""

    tables: dict[str, dict[Key, dict[str, Value]]] = field(
        default_factory=lambda: {table.name: {} for table in (*COMPARED, message)}
    )
    closed: dict[str, tuple[str, str]] = field(default_factory=dict)
    """By transaction, the sender and id of the message that it answered."""

    def play(self, row: Mapping[str, Any]) -> None:
        """One leaf's effect; a leaf whose key was destroyed tells none."""
        if not row["effect"]:
            if row["record_key"] is None:
                self.closed[row["tx_id"]] = (row["sender"], row["message_id"])
            return
        salt = salt_of(bytes(row["salts"]), "rows")
        for name, how, *what in json.loads(row["effect"]):
            if name in self.tables:
                self._act(metadata.tables[name], how, what, salt)

    def _act(self, table: Table, how: str, what: list[Any], salt: bytes) -> None:
        held, named = self.tables[table.name], table.info["row_key"]
        if how == "insert":
            for row in what[0]:
                told = {name: (value, salt) for name, value in row.items()}
                held[tuple(row[name] for name in named)] = told
        elif how == "remove":
            for key in what[0]:
                for one in list(_matching(held, named, key)):
                    del held[one]
        else:
            where, values = what
            for one in list(_matching(held, named, where)):
                held[one] |= {name: (value, salt) for name, value in values.items()}

    def found(self, table: Table, row: Mapping[str, Any]) -> dict[str, Value] | None:
        """What the leaves told of a stored row; it is not missing."""
        key = tuple(row[name] for name in table.info["row_key"])
        return self.tables[table.name].pop(key, None)

    def differs(self, table: Table, row: Mapping[str, Any]) -> str:
        """What a stored row (personal values in clear) has that no leaf told; "" when nothing."""
        told = self.found(table, row)
        if self.closed and table.name in _STATE:
            return ""
        if told is None:
            return "" if self._closed_to(table, row) else "no leaf tells of it"
        for column in table.columns:
            if column.name not in _KEPT_ASIDE[table.name] and not _same(
                table, column.name, row, told
            ):
                return f"{column.name} is not what its leaf tells"
        return ""

    def _closed_to(self, table: Table, row: Mapping[str, Any]) -> bool:
        """Whether a leaf that no longer tells what it changed may have written the row. Of a
        tombstone it is the leaf of the reversal that it names."""
        if table is message and not row["tx_id"]:
            return (row["sender"], row["undone_by"]) in self.closed.values()
        return bool(self.closed) and row.get("tx_id", "") in {"", *self.closed}

    def missing(self) -> Iterator[tuple[str, Key]]:
        """Rows that leaves told of and that no table has."""
        for name, held in self.tables.items():
            yield from ((name, key) for key in held)


def _matching(
    held: Mapping[Key, Mapping[str, Value]], named: tuple[str, ...], where: Mapping[str, Any]
) -> Iterator[Key]:
    """The rows that a condition names: by their whole key when it has it."""
    if all(name in where for name in named):
        key = tuple(where[name] for name in named)
        yield from [key] if key in held else []
        return
    for key, row in held.items():
        if all(row.get(name, (None, b""))[0] == value for name, value in where.items()):
            yield key


def _same(table: Table, name: str, row: Mapping[str, Any], told: Mapping[str, Value]) -> bool:
    value, salt = told.get(name, (None, b""))
    stored = row[name]
    if name in table.info["personal"] and row["record_key"] is None:
        return True
    if stored is not None and (name in table.info["personal"] or isinstance(stored, bytes)):
        stored = digested(salt, name, bytes(stored))
    return bool(stored == value)
