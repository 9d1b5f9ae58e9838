"""写报文 Records to text, directly in exclusive canonical form (XML-EXC-C14N).

No attribute and no namespace declaration stands inside a body, so canonical form is
start tag, escaped text, end tag; a test compares with a canonicaliser.
"""

from collections.abc import Callable
from functools import cache
from typing import Any, Final, NamedTuple

from adapters.shape.fields import Field, Shape

Writer = Callable[[Any], str]

_REQUIRED: Final = object()


class _Part(NamedTuple):
    """How one field is written: its value, what is left out, and the tags around it."""

    get: Callable[[Any], Any]
    absent: Any
    opening: str
    render: Writer
    closing: str


def write(shape: Shape, record: Any) -> str:
    """The record as one element of the shape's name.

    Raises ValueError when a field is repeated more or less often than its shape allows.
    """
    return f"<{shape.name}>{_content(shape)(record)}</{shape.name}>"


@cache
def _content(shape: Shape) -> Writer:
    parts = tuple(_part(shape, part) for part in shape.fields)

    def content(record: Any) -> str:
        return "".join(
            [
                f"{opening}{render(value)}{closing}"
                for get, absent, opening, render, closing in parts
                if (value := get(record)) is not absent and value != absent
            ]
        )

    pack = shape.pack
    return content if pack is None else lambda record: content(pack(record))


def _part(shape: Shape, part: Field) -> _Part:
    render = _content(part.kind) if isinstance(part.kind, Shape) else part.kind.render
    opening, closing = f"<{part.wire}>", f"</{part.wire}>"
    if part.many:
        return _Part(part.get, (), "", _repeated(part, opening, render, closing), "")
    absent = shape.blank.get(part.word, None if part.least == 0 else _REQUIRED)
    return _Part(part.get, absent, opening, render, closing)


def _repeated(part: Field, opening: str, render: Writer, closing: str) -> Writer:
    def repeated(values: Any) -> str:
        if not part.least <= len(values) <= part.most:
            raise ValueError(f"{part.wire}: {len(values)}, allowed {part.least} to {part.most}")
        return "".join([f"{opening}{render(value)}{closing}" for value in values])

    return repeated
