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


def postgresql_triggers(table: Table) -> tuple[str, str]:
    """The same two guards; nor may the table be emptied at a stroke."""
    columns = ", ".join(c.name for c in table.columns if c.name not in _MAY_CHANGE)
    return (
        f"CREATE TRIGGER {table.name}_no_update BEFORE UPDATE OF {columns} OR DELETE "
        f"ON {table.name} FOR EACH ROW EXECUTE FUNCTION refuse_append_only()",
        f"CREATE TRIGGER {table.name}_no_truncate BEFORE TRUNCATE "
        f"ON {table.name} FOR EACH STATEMENT EXECUTE FUNCTION refuse_append_only()",
    )


POSTGRESQL_FUNCTION: Final = (
    "CREATE OR REPLACE FUNCTION refuse_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ "
    "BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$"
)
POSTGRESQL_ENTRY: Final = "ADD COLUMN entry bigint GENERATED ALWAYS AS IDENTITY"
"""PostgreSQL's tables have no rowid: these count their rows as they are put in."""
_COUNTED: Final = ("outbox", "leaf")


def _ddl(statement: str, dialect: str) -> Any:
    make: Any = DDL
    return make(statement.replace("%", "%%")).execute_if(dialect=dialect)


def _attach(table: Table) -> None:
    for statement in sqlite_triggers(table):
        event.listen(table, "after_create", _ddl(statement, "sqlite"))
    for statement in postgresql_triggers(table):
        event.listen(table, "after_create", _ddl(statement, "postgresql"))


event.listen(metadata, "before_create", _ddl(POSTGRESQL_FUNCTION, "postgresql"))
for _name in _COUNTED:
    _counted = _ddl(f"ALTER TABLE {_name} {POSTGRESQL_ENTRY}", "postgresql")
    event.listen(metadata.tables[_name], "after_create", _counted)
for _name in APPEND_ONLY:
    _attach(metadata.tables[_name])
