"""What a question to the rules is made of: every kind of fact that a bill reaches, and where such
facts stand in a bill, so that one can be exchanged for another."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Any, NamedTuple, get_args, get_type_hints

from gateway.domain.catalogue import Edition
from gateway.rules.settle import Bill


class Told(NamedTuple):
    """One field of a kind of facts: its name as Kind.field, and its type with None and without
    what holds it."""

    name: str
    hint: Any

    @property
    def values(self) -> tuple[Any, ...]:
        """Every value of a flag or of a kind; none for what has no end of values."""
        found: list[Any] = []
        for one in _alternatives(self.hint):
            if one is bool:
                found += [False, True]
            elif isinstance(one, type) and issubclass(one, StrEnum):
                found += one
        may_be_none = type(None) in _alternatives(self.hint)
        return (*found, None) if found and may_be_none else tuple(found)

    @property
    def dated(self) -> bool:
        """Whether it is a day, or days."""
        return date in (*_alternatives(self.hint), *get_args(self.hint))


def _alternatives(hint: Any) -> tuple[Any, ...]:
    """The types of a union; a type alone is one."""
    return get_args(hint) if type(None) in get_args(hint) else (hint,)


def fields_told(*roots: type) -> list[Told]:
    """Every field of the roots and of all that they hold."""
    return [
        Told(f"{kind.__name__}.{name}", hint)
        for kind in _kinds(roots)
        for name, hint in _hints(kind).items()
    ]


def _is_record(one: Any) -> bool:
    return is_dataclass(one) or hasattr(one, "_fields")


def _names(record: Any) -> list[str]:
    """What a record is made of, be it a dataclass or a tuple with names."""
    if is_dataclass(record):
        return [one.name for one in fields(record) if one.init]
    return list(record._fields)


def _hints(kind: type) -> dict[str, Any]:
    names = {one.name for one in fields(kind)} if is_dataclass(kind) else set(_names(kind))
    return {name: hint for name, hint in get_type_hints(kind).items() if name in names}


def _kinds(roots: tuple[type, ...]) -> list[type]:
    found: list[type] = []
    left = list[Any](roots)
    while left:
        one = left.pop(0)
        if isinstance(one, type) and _is_record(one):
            if one not in found:
                found.append(one)
                left += _hints(one).values()
        else:
            left += get_args(one)
    return found


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value stands in a bill, and the bill with another in its place."""

    name: str
    value: Any
    with_value: Callable[[Any], Bill]


def places(bill: Bill) -> Iterator[Place]:
    """Every flag, kind and day that the bill tells, of the catalogue only the rows it charges."""
    codes = {line.code for line in bill.lines}

    def within(part: Any, rebuilt: Callable[[Any], Bill]) -> Iterator[Place]:
        for name in _names(part):
            value = getattr(part, name)
            put = _put(part, name, rebuilt)
            if isinstance(value, bool | StrEnum | date) or value is None:
                yield Place(f"{type(part).__name__}.{name}", value, put)
            elif _is_record(value):
                yield from within(value, put)
            elif isinstance(value, tuple):
                for number, each in enumerate(value):
                    if _is_record(each):
                        yield from within(each, _put_nth(value, number, put))
            elif isinstance(part, Edition) and name == "rows":
                for code in codes & value.keys():
                    yield from within(value[code], _put_row(value, code, put))

    yield from within(bill, lambda made: made)


def _put(part: Any, name: str, rebuilt: Callable[[Any], Bill]) -> Callable[[Any], Bill]:
    changed = replace if is_dataclass(part) else type(part)._replace
    return lambda value: rebuilt(changed(part, **{name: value}))


def _put_nth(
    parts: tuple[Any, ...], number: int, rebuilt: Callable[[Any], Bill]
) -> Callable[[Any], Bill]:
    return lambda value: rebuilt((*parts[:number], value, *parts[number + 1 :]))


def _put_row(rows: Any, code: str, rebuilt: Callable[[Any], Bill]) -> Callable[[Any], Bill]:
    return lambda row: rebuilt({**rows, code: row})
