"""Triggers that keep history: rows of append-only tables are never changed nor deleted.

What may still change is a leaf's number (given after commit) and a wrapped record key
(re-wrapped at rotation, destroyed at deletion).
"""

from typing import Any, Final

from sqlalchemy import DDL, Table, event

from gateway.store.tables import APPEND_ONLY, metadata

_MAY_CHANGE: Final = frozenset({"leaf_index", "record_key", "key_id"})


def sqlite_triggers(table: Table) -> tuple[str, str]:
    """The two statements that guard one table."""
    columns = ", ".join(c.name for c in table.columns if c.name not in _MAY_CHANGE)
    refuse = f"BEGIN SELECT RAISE(ABORT, '{table.name} is append-only'); END"
    return (
        f"CREATE TRIGGER {table.name}_no_update BEFORE UPDATE OF {columns} ON {table.name} "
        + refuse,
        f"CREATE TRIGGER {table.name}_no_delete BEFORE DELETE ON {table.name} " + refuse,
    )


def _ddl(statement: str) -> Any:
    make: Any = DDL
    return make(statement).execute_if(dialect="sqlite")


def _attach(table: Table) -> None:
    for statement in sqlite_triggers(table):
        event.listen(table, "after_create", _ddl(statement))


for _name in APPEND_ONLY:
    _attach(metadata.tables[_name])
