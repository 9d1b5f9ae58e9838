"""A column among any number of values, given as one parameter: the statement stays the same
whatever their number, so that it is compiled once."""

from collections.abc import Iterable
from typing import Any

import msgspec
from sqlalchemy import JSON, ColumnElement, bindparam, cast, func, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.visitors import InternalTraversal

from gateway.store.types import TEXT


class Among(ColumnElement[bool]):
    """Whether the column is one of the values of a parameter, which `among` makes."""

    inherit_cache = True
    _traverse_internals: Any = (
        ("column", InternalTraversal.dp_clauseelement),
        ("listed", InternalTraversal.dp_clauseelement),
    )

    def __init__(self, column: ColumnElement[Any], parameter: str) -> None:
        self.column, self.listed = column, bindparam(parameter, type_=TEXT)


def among(values: Iterable[str] | Iterable[int]) -> str:
    """The parameter for these values."""
    return msgspec.json.encode(list(values)).decode()


@compiles(Among, "sqlite")
def _each(one: Among, compiler: Any, **more: Any) -> str:
    listed = func.json_each(one.listed).table_valued("value")
    return str(compiler.process(one.column.in_(select(listed.c.value)), **more))


@compiles(Among, "postgresql")
def _element(one: Among, compiler: Any, **more: Any) -> str:
    listed = cast(func.json_array_elements_text(cast(one.listed, JSON)), one.column.type)
    return str(compiler.process(one.column.in_(select(listed)), **more))
