"""Made-up rows for tests that care for a few columns only."""

from typing import Any

from sqlalchemy import Table


def a_row(table: Table, **values: Any) -> dict[str, Any]:
    """A row with something in every column."""
    own = [c for c in table.columns if c.name not in {"key_id", "record_key"}]
    filler = {c.name: 0 if c.type.python_type is int else "x" for c in own if not c.nullable}
    return {**filler, **values}
