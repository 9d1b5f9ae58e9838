"""读报文 Elements to records; what is wrong is collected, not raised.

The element has passed the schema; only values are judged here, so that line values
(length-limited strings in the schema) and impossible days are found.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import cache, lru_cache
from typing import Any, Final, NamedTuple

from lxml import etree

from adapters.shape.fields import Field, Mismatch, Shape
from adapters.shape.kinds import Kind
from gateway.domain.findings import Finding, shown

MOST_FINDINGS: Final = 1000
_KEPT: Final = 4096


class Fault(NamedTuple):
    """A value that cannot be read: its element, its field and what was expected."""

    element: etree._Element
    field: Field | None
    expected: str


def read(shape: Shape, element: etree._Element, faults: list[Fault]) -> Any:
    """The record in the element, or None when something inside it went to `faults`."""
    before, (slots, blank) = len(faults), _plan(shape)
    values, lists = blank.copy(), dict[_Place, list[Any]]()
    for child in element:
        part, place, parse = slots[child.tag]
        try:
            if parse is not None:
                values[place] = parse(child.text or "")
            else:
                _inner(part, place, child, values, lists, faults)
        except ValueError:
            faults.append(Fault(child, part, expected(part.kind)))
    if len(faults) > before:
        return None
    for place, repeated in lists.items():
        values[place] = tuple(repeated)
    return _made(shape, values, element, faults)


_Place = int | str
"""Where a value goes: the place in a record that is a tuple, in any other its word."""


class _Slot(NamedTuple):
    """Where a child's value goes; `parse` is known for a single value."""

    part: Field
    place: Any
    parse: Callable[[str], Any] | None


class _Plan(NamedTuple):
    """How a shape is read: its children by tag, and the values of what is left out."""

    slots: dict[str, _Slot]
    blank: Any


@cache
def _plan(shape: Shape) -> _Plan:
    words: Sequence[str] = getattr(shape.record, "_fields", ())
    places: dict[str, _Place] = {word: place for place, word in enumerate(words)}
    slots = {
        tag: _Slot(part, places.get(part.word, part.word), _parse(part))
        for tag, part in shape.by_tag.items()
    }
    if not words:
        return _Plan(slots, shape.blank)
    defaults = {**shape.record._field_defaults, **shape.blank}
    return _Plan(slots, [defaults.get(word) for word in words])


def _parse(part: Field) -> Callable[[str], Any] | None:
    if isinstance(part.kind, Shape) or part.many or part.told:
        return None
    return lru_cache(_KEPT)(part.kind.parse) if part.repeats else part.kind.parse


def _inner(
    part: Field,
    place: _Place,
    child: etree._Element,
    values: Any,
    lists: dict[_Place, list[Any]],
    faults: list[Fault],
) -> None:
    """A record inside a record, or one of several values."""
    if part.told:
        return
    kind = part.kind
    value = read(kind, child, faults) if isinstance(kind, Shape) else kind.parse(child.text or "")
    if part.many:
        lists.setdefault(place, []).append(value)
    else:
        values[place] = value


def _made(shape: Shape, values: Any, element: etree._Element, faults: list[Fault]) -> Any:
    try:
        return shape.make(*values) if isinstance(values, list) else shape.make(**values)
    except Mismatch as mismatch:
        for at in mismatch.places[:MOST_FINDINGS]:
            faults.append(Fault(_at(element, at), None, mismatch.expected))
        return None


def _at(element: etree._Element, place: str) -> etree._Element:
    found = element.find("/".join(f"{{*}}{step}" for step in place.split("/")))
    return element if found is None else found


def expected(kind: Kind | Shape) -> str:
    """What a value of this kind looks like, in Chinese and English."""
    return f"{kind.zh} / {kind.en}"


def path(element: etree._Element) -> str:
    """Element names from the root, with a place where siblings share a name; no values."""
    steps = [_step(each) for each in element.iterancestors()]
    return "/".join([*reversed(steps), _step(element)])


def _step(element: etree._Element) -> str:
    name = shown(etree.QName(element).localname)
    twins = sum(1 for _ in element.itersiblings(element.tag, preceding=True))
    alone = not twins and next(element.itersiblings(element.tag), None) is None
    return name if alone else f"{name}[{twins + 1}]"


def findings(faults: Iterable[Fault], code: str) -> tuple[Finding, ...]:
    """The faults as findings under one code; personal values are not repeated."""
    return tuple(
        Finding(code, path(fault.element), got(fault.element, fault.field), fault.expected)
        for fault in faults
    )


def got(element: etree._Element, part: Field | None) -> str:
    """The text of a known field that is not personal, safe to repeat; else nothing."""
    if part is None or part.personal or isinstance(part.kind, Shape):
        return ""
    return shown(element.text or "")
