"""A unit's guards and writes as statements, the same on both stores.

Statements are built once for each shape and never grow with the rows.
"""

from collections.abc import Hashable, Iterable, Sequence
from functools import lru_cache
from itertools import groupby
from typing import Any, Protocol

from sqlalchemy import (
    ColumnElement,
    CursorResult,
    Executable,
    Table,
    bindparam,
    literal_column,
    select,
)
from sqlalchemy import Dialect as SqlDialect
from sqlalchemy.exc import IntegrityError

from gateway.store.personal import Vault
from gateway.store.prepared import prepared
from gateway.store.tables import message
from gateway.store.unit import (
    Change,
    Guard,
    Insert,
    KeyTaken,
    Rekey,
    Remove,
    Rewrapped,
    Row,
    StaleFacts,
    Unit,
    Upsert,
    Write,
)


class Statements(Protocol):
    """A connection with an open transaction, as far as a unit needs one."""

    @property
    def dialect(self) -> SqlDialect: ...

    async def execute(self, statement: Executable, given: Any = None, /) -> CursorResult[Any]: ...

    async def exec_driver_sql(self, statement: str, given: Any, /) -> CursorResult[Any]: ...


class Dialect(Protocol):
    """What the two stores say in different words."""

    def __hash__(self) -> int: ...

    def insert(self, table: Table) -> Any:
        """An INSERT that can say ON CONFLICT."""

    def is_taken(self, error: IntegrityError) -> bool:
        """Whether the error is a key taken by another row."""

    async def change_all(self, connection: Statements, changes: Sequence[Change]) -> int:
        """Change several rows of one table, each named by the same columns, in one call of the
        driver; the number of rows changed."""


async def run(connection: Statements, statement: Any, *given: Row) -> CursorResult[Any]:
    """Run a statement that is built once for its shape, for each of the given rows."""
    known = prepared(statement, connection.dialect)
    if known is None:
        raise ValueError("a statement of a unit must not grow with its rows")
    rows = [known.values(row) for row in given]
    return await connection.exec_driver_sql(known.text, rows if len(rows) > 1 else rows[0])


async def apply(connection: Statements, unit: Unit, vault: Vault, dialect: Dialect) -> None:
    """Everything of a unit, inside a transaction that is already open.

    Raises StaleFacts and KeyTaken.
    """
    if unit.message is not None:
        await _insert_message(connection, unit, unit.message, vault, dialect)
    elif unit.guards:
        await _check(connection, unit.guards)
    for alike in _runs(unit.writes):
        try:
            await _write(connection, alike, vault, unit.year, dialect)
        except IntegrityError as error:
            _refuse_taken(alike[0].table, error, dialect)
            raise


async def _insert_message(
    connection: Statements, unit: Unit, row: Row, vault: Vault, dialect: Dialect
) -> None:
    """The message row and every guarded fact in one statement: no row when a fact moved on."""
    shut, guards = vault.shut(message, row, unit.year), unit.guards
    statement = _guarded_insert(tuple(shut), tuple(map(_shape, guards)))
    try:
        result = await run(connection, statement, {**shut, **_guarded(guards)})
    except IntegrityError as error:
        _refuse_taken(message, error, dialect)
        raise
    if result.rowcount != 1:
        await _check(connection, guards)
        raise StaleFacts(message.name)


def _refuse_taken(table: Table, error: IntegrityError, dialect: Dialect) -> None:
    """Raises KeyTaken for a taken key; any other broken constraint is a defect of ours."""
    if dialect.is_taken(error):
        raise KeyTaken(table.name) from error


async def _check(connection: Statements, guards: Sequence[Guard]) -> None:
    """Every guarded fact in one query. Raises StaleFacts that names what moved on."""
    statement = _questions(tuple(map(_shape, guards)))
    answer = (await run(connection, statement, _guarded(guards))).one()
    moved = [guard.table.name for guard, holds in zip(guards, answer, strict=True) if not holds]
    if moved:
        raise StaleFacts(", ".join(moved))


_Named = tuple[tuple[str, bool], ...]
"""Columns compared, each with whether it has to be empty: `IS NULL` and `=` use an index on
both stores, a comparison that allows both does not."""
_Shape = tuple[Table, _Named]


def _shape(guard: Guard) -> _Shape:
    return guard.table, named({**guard.key, **guard.values})


def named(row: Row) -> _Named:
    """The columns of a row and which of them are empty."""
    return tuple((name, value is None) for name, value in row.items())


def _guarded(guards: Sequence[Guard]) -> dict[str, Any]:
    """The values the guards compare, by parameter."""
    return {
        f"g{number}_{name}": value
        for number, guard in enumerate(guards)
        for name, value in {**guard.key, **guard.values}.items()
        if value is not None
    }


@lru_cache(maxsize=256)
def _guarded_insert(columns: tuple[str, ...], shapes: tuple[_Shape, ...]) -> Executable:
    values = [bindparam(name, type_=message.c[name].type) for name in columns]
    whole = select(*values).where(*(_holds(number, one) for number, one in enumerate(shapes)))
    return message.insert().from_select(list(columns), whole)


@lru_cache(maxsize=256)
def _questions(shapes: tuple[_Shape, ...]) -> Executable:
    return select(*(_holds(number, one).label(f"g{number}") for number, one in enumerate(shapes)))


def _holds(number: int, shape: _Shape) -> Any:
    table, names = shape
    same = match(table, names, f"g{number}_")
    return select(literal_column("1")).select_from(table).where(*same).exists()


def match(table: Table, names: _Named, prefix: str) -> list[ColumnElement[bool]]:
    """Conditions that name a row, by parameters of the prefix."""
    return [
        table.c[name].is_(None)
        if empty
        else table.c[name] == bindparam(f"{prefix}{name}", type_=table.c[name].type)
        for name, empty in names
    ]


def _runs(writes: Iterable[Write]) -> list[list[Write]]:
    """Changes of the same columns of one table that follow each other, together; every other
    write by itself: the number of statements does not grow with the rows."""
    runs = groupby(enumerate(writes), key=_kind)
    return [[write for _, write in run] for _, run in runs]


def _kind(numbered: tuple[int, Write]) -> Hashable:
    number, write = numbered
    if not isinstance(write, Change) or not write.values.keys().isdisjoint(
        write.table.info["personal"]
    ):
        return number
    return write.table.name, named(write.where), tuple(write.values)


async def _write(
    connection: Statements,
    alike: Sequence[Write],
    vault: Vault,
    year: int,
    dialect: Dialect,
) -> None:
    first = alike[0]
    match first:
        case Insert(table, rows):
            if rows:
                shut = [vault.shut(table, row, year) for row in rows]
                await run(connection, _insert(table, tuple(shut[0])), *shut)
        case Upsert(table, rows):
            await run(connection, _upsert(table, tuple(rows[0]), dialect), *rows)
        case Change() if len(alike) == 1:
            await _change(connection, first, vault, year)
        case Change():
            changes = [one for one in alike if isinstance(one, Change)]
            await _change_all(connection, changes, dialect)
        case Rekey(table, rows):
            await _change_all(connection, [_rekeyed(table, row) for row in rows], dialect)
        case Remove(table, keys):
            await _remove(connection, table, keys)


@lru_cache(maxsize=256)
def _insert(table: Table, columns: tuple[str, ...]) -> Executable:
    return table.insert().values(_given(columns))


def _given(columns: Iterable[str]) -> dict[str, Any]:
    return {name: bindparam(name) for name in columns}


@lru_cache(maxsize=256)
def update(table: Table, where: _Named, columns: tuple[str, ...]) -> Executable:
    """The change of these columns of a row, by the parameters of `updated`."""
    new: dict[str, Any] = {name: bindparam(f"new_{name}") for name in columns}
    return table.update().where(*match(table, where, "old_")).values(**new)


def updated(where: Row, values: Row) -> dict[str, Any]:
    """What an update compares and sets, by parameter."""
    old = {f"old_{name}": value for name, value in where.items() if value is not None}
    return old | {f"new_{name}": value for name, value in values.items()}


async def _change_all(connection: Statements, changes: Sequence[Change], dialect: Dialect) -> None:
    if await dialect.change_all(connection, changes) != len(changes):
        raise StaleFacts(changes[0].table.name)


def _rekeyed(table: Table, row: Rewrapped) -> Change:
    where = {**row.key, "record_key": row.old}
    return Change(table, where, {"key_id": row.key_id, "record_key": row.new})


@lru_cache(maxsize=256)
def _upsert(table: Table, columns: tuple[str, ...], dialect: Dialect) -> Executable:
    statement = dialect.insert(table).values(_given(columns))
    key = table.info["row_key"]
    replaced = {name: statement.excluded[name] for name in columns if name not in key}
    changed: Executable = statement.on_conflict_do_update(index_elements=list(key), set_=replaced)
    return changed


@lru_cache(maxsize=256)
def _record(table: Table, where: _Named) -> Executable:
    """What a row's record is called and kept under."""
    names = (*table.info["row_key"], "key_id", "record_key")
    return select(*[table.c[name] for name in names]).where(*match(table, where, "old_"))


async def _change(connection: Statements, change: Change, vault: Vault, year: int) -> None:
    table, where, values = change.table, change.where, change.values
    personal = set(table.info["personal"])
    if personal and personal <= values.keys():
        # Nothing of the old record is left: a new record key needs no look at the old one.
        whole = vault.shut(table, {**where, **values}, year)
        values = {name: whole[name] for name in (*values, "key_id", "record_key")}
    elif not personal.isdisjoint(values):
        asked = await run(connection, _record(table, named(where)), updated(where, {}))
        found = asked.mappings().first()
        if found is None:
            raise StaleFacts(table.name)
        values = vault.reshut(table, dict(found), values)
    statement = update(table, named(where), tuple(values))
    result = await run(connection, statement, updated(where, values))
    if result.rowcount != 1:
        raise StaleFacts(table.name)


async def _remove(connection: Statements, table: Table, keys: Sequence[Row]) -> None:
    shared = {name for name in keys[0] if len({key[name] for key in keys}) == 1}
    listed = [name for name in keys[0] if name not in shared] or [next(iter(keys[0]))]
    if len(listed) > 1:
        raise ValueError("keys of a removal may differ in one column only")
    same = [table.c[name] == keys[0][name] for name in shared]
    column = table.c[listed[0]]
    await connection.execute(
        table.delete().where(*same, column.in_([key[listed[0]] for key in keys]))
    )
