"""Which rows are still under which key: what a renewed key has to be put over."""

from collections.abc import Iterable, Sequence
from typing import Any, Final, TypeAlias

from sqlalchemy import Select, Table, and_, func, select, tuple_

from gateway.store.database import Reader
from gateway.store.tables import metadata, person, person_index

SealedTable: TypeAlias = Table
SEALED: Final[tuple[SealedTable, ...]] = tuple(
    table for table in metadata.sorted_tables if table.info["personal"]
)
"""Every table with record keys."""

Place = tuple[Any, ...]
"""The key of the row after which to go on; () is the beginning."""


async def rows_under(
    reader: Reader, table: Table, key_ids: Iterable[str], after: Place, limit: int
) -> Sequence[dict[str, Any]]:
    """The next rows (key and wrapped record key) under one of the keys, in the order of keys."""
    under = table.c.key_id.in_(list(key_ids))
    query = keyset(table, after, limit).where(under, table.c.record_key.is_not(None))
    return await reader.rows(query)


def keyset(table: SealedTable, after: Place = (), limit: int | None = None) -> Select[Any]:
    """Rows in the order of their keys: key, key id and wrapped record key."""
    columns = [table.c[name] for name in table.info["row_key"]]
    query = select(*columns, table.c.key_id, table.c.record_key).order_by(*columns).limit(limit)
    return _after(query, columns, after)


async def persons_without(
    reader: Reader, index_id: str, after: Place, limit: int
) -> Sequence[dict[str, Any]]:
    """The next persons that have no tag under the look-up key, as they are kept."""
    tagged = select(person_index.c.tag).where(
        and_(person_index.c.person_id == person.c.person_id, person_index.c.key_id == index_id)
    )
    query = (
        select(person)
        .where(person.c.record_key.is_not(None), ~tagged.exists())
        .order_by(person.c.person_id)
        .limit(limit)
    )
    return await reader.rows(_after(query, [person.c.person_id], after))


async def tags_under(reader: Reader, index_id: str, limit: int) -> Sequence[dict[str, Any]]:
    """Some tags of the look-up key, as keys of their rows."""
    columns = (person_index.c.key_id, person_index.c.tag)
    return await reader.rows(select(*columns).where(columns[0] == index_id).limit(limit))


async def counts_under(reader: Reader) -> dict[str, int]:
    """How many rows are under each key: record keys under region keys, tags under look-up keys."""
    counts: dict[str, int] = {}
    for table in (*SEALED, person_index):
        query = select(table.c.key_id, func.count().label("rows")).group_by(table.c.key_id)
        if table is not person_index:
            query = query.where(table.c.record_key.is_not(None))
        for row in await reader.rows(query):
            counts[row["key_id"]] = counts.get(row["key_id"], 0) + row["rows"]
    return counts


def _after(query: Select[Any], columns: Sequence[Any], after: Place) -> Select[Any]:
    return query.where(tuple_(*columns) > tuple_(*after)) if after else query
