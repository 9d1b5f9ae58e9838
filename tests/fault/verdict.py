"""What a store says after a fault, in the figures that must all be zero."""

import sqlite3
from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any, cast

from sqlalchemy import Executable
from sqlalchemy.dialects import sqlite

from gateway.store.database import Reader
from gateway.store.invariants import Violation, check_invariants
from gateway.store.personal import KeyRing, Vault
from gateway.store.sqlite import SqliteDatabase
from gateway.store.unit import Row
from tests.fault.story import Heard

ZERO = ("acknowledged_lost", "settled_twice", "fen_imbalance", "other_breaches")
_FIGURES = {"I2": "settled_twice", "I3": "settled_twice"} | dict.fromkeys(
    ("I4", "I7", "I10"), "fen_imbalance"
)
REGION = "999900"
_DIALECT: Any = sqlite.dialect()


def counted(found: Iterable[Violation]) -> Counter[str]:
    """Breaches by the figure they belong to."""
    return Counter(_figure(one) for one in found)


def _figure(one: Violation) -> str:
    if one.seen.startswith("acknowledged"):
        return "acknowledged_lost"
    return _FIGURES.get(one.invariant, "other_breaches")


def told(found: Counter[str], what: str) -> Counter[str]:
    """What was found, with a failure of this name for as many breaches as there are."""
    breaches = sum(found[name] for name in ZERO)
    return found + Counter({f"failed: {what}": breaches})


def vault_of(home: Path) -> Vault:
    """The keys beside a store."""
    return Vault(KeyRing(home / "gateway" / "keys", REGION))


class Direct(Reader):
    """The store's reader without its threads: an image is asked once and thrown away."""

    def __init__(self, path: Path, vault: Vault) -> None:
        self.file = sqlite3.connect(path, isolation_level=None)
        self.file.row_factory = sqlite3.Row
        super().__init__(cast(Any, self.file), vault)

    def close(self) -> None:
        self.file.close()

    async def rows(self, query: Executable, given: Row | None = None) -> list[dict[str, Any]]:
        """The rows of a query that takes no parameters."""
        assert given is None
        return [dict(row) for row in self.file.execute(_sql(query))]


@cache
def _sql(query: Executable) -> str:
    compiled: Any = query
    return str(compiled.compile(dialect=_DIALECT, compile_kwargs={"literal_binds": True}))


async def examined(path: Path, vault: Vault, heard: Heard) -> tuple[Violation, ...]:
    """Open the store as the gateway does, which recovers it, and ask everything of it."""
    async with SqliteDatabase(path, vault):
        pass
    with closing(Direct(path, vault)) as reader:
        [whole] = reader.file.execute("PRAGMA quick_check").fetchall()
        found = await check_invariants(reader, heard)
    if whole[0] != "ok":
        found += (Violation("file", path.name, "", str(whole[0])),)
    return found
