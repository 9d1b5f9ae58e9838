"""Statements that are compiled once: the library would find each by its structure, and every
row's values by their names, each time again."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import Dialect

Values = Callable[[Mapping[str, Any]], tuple[Any, ...]]


class Prepared(NamedTuple):
    """A statement as the driver reads it, and how its parameters come of what is given by
    name."""

    text: str
    values: Values


class _Part(NamedTuple):
    """One parameter: whether it is given anew each time, its value when it is not, and what its
    type makes of it."""

    name: str
    given: bool
    value: Any
    bound: Callable[[Any], Any] | None


@lru_cache(maxsize=1024)
def prepared(statement: Any, dialect: Dialect) -> Prepared | None:
    """The statement for this dialect; None for one whose text grows with what is given."""
    compiled = statement.compile(dialect=dialect)
    if compiled.post_compile_params:
        return None
    parts = [_part(name, compiled, dialect) for name in compiled.positiontup]
    return Prepared(str(compiled), _values(parts))


def _part(name: str, compiled: Any, dialect: Dialect) -> _Part:
    one = compiled.binds[name]
    bound = one.type.dialect_impl(dialect).bind_processor(dialect)
    return _Part(name, one.required, one.value, bound)


def _values(parts: list[_Part]) -> Values:
    names = [part.name for part in parts]
    if len(names) > 1 and all(part.given and part.bound is None for part in parts):
        return itemgetter(*names)

    def values(given: Mapping[str, Any]) -> tuple[Any, ...]:
        raw = [given[part.name] if part.given else part.value for part in parts]
        each = zip(parts, raw, strict=True)
        return tuple([one if part.bound is None else part.bound(one) for part, one in each])

    return values
