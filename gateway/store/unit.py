"""One transaction as data: what to write, and which facts must still be as they were read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Table

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Insert:
    """New rows; a taken key raises KeyTaken."""

    table: Table
    rows: Sequence[Row]


@dataclass(frozen=True, slots=True)
class Upsert:
    """New rows that replace rows of the same key."""

    table: Table
    rows: Sequence[Row]


@dataclass(frozen=True, slots=True)
class Change:
    """Exactly one row, named by `where`, takes these values; none or another raises StaleFacts."""

    table: Table
    where: Row
    values: Row


@dataclass(frozen=True, slots=True)
class Remove:
    """The rows of the table with these keys are gone."""

    table: Table
    keys: Sequence[Row]


@dataclass(frozen=True, slots=True)
class Rewrapped:
    """A row's record key as it was read, and the same under another region key, or destroyed."""

    key: Row
    old: bytes
    key_id: str
    new: bytes | None


@dataclass(frozen=True, slots=True)
class Rekey:
    """Record keys wrapped anew or destroyed; what the rows say is not changed. A row whose
    record key is another by now raises StaleFacts."""

    table: Table
    rows: Sequence[Rewrapped]


Write = Insert | Upsert | Change | Remove | Rekey


@dataclass(frozen=True, slots=True)
class Guard:
    """A fact the decision used: the row named by the key still has these values."""

    table: Table
    key: Row
    values: Row


@dataclass(frozen=True, slots=True)
class Unit:
    """One transaction. `message` is inserted first: its key is the message's identity.

    `of_the_log` marks what goes on while commits are stopped: the log's own bookkeeping.
    """

    tx_id: str
    year: int
    message: Row | None = None
    guards: tuple[Guard, ...] = ()
    writes: tuple[Write, ...] = field(default=())
    of_the_log: bool = False


class StaleFacts(Exception):
    """A fact changed between reading and committing: read again and decide anew."""


class KeyTaken(Exception):
    """The message id (or another unique key) was taken by another transaction meanwhile."""


class StoreFailed(Exception):
    """The transaction did not happen, or nobody knows: never answer as if it had."""


class Stopped(StoreFailed):
    """All commits stand still until the log is in order; `code` is registered."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code
