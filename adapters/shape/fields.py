"""报文形状 Shapes: one declarative description of a record on the wire.

Reader, writer, XSD, documentation and examples all derive from it, so none can drift.
"""

from collections.abc import Callable, Sequence
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from operator import attrgetter
from typing import Any, Final

from adapters.shape.kinds import Kind

NAMESPACE: Final = "urn:gongshang:settlement:v1"


class Mismatch(ValueError):
    """Values that are each right but do not fit together.

    `expected` may be told to anyone; `places` are paths of wire names below the record, such
    as `Line[3]/Cites`.
    """

    def __init__(self, expected: str, *places: str) -> None:
        super().__init__(expected)
        self.expected = expected
        self.places = places


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Field:
    """一个字段 One element of a record.

    `wire` is its name on the wire, `word` ours. `least` and `most` say how often it
    occurs; `absent` is what our word is when the element is left out and our record has
    no default. Loose values are length-limited strings in the schema, typed by the reader.
    A bill `repeats` the words of some fields line after line: they are read once.
    A told field is written for people and programs that cannot look it up, and dropped
    when read. A personal value is never repeated in a finding; a rare one is not in examples.
    """

    wire: str
    word: str
    kind: "Kind | Shape"
    zh: str
    en: str
    least: int = 1
    most: int = 1
    get: Callable[[Any], Any]
    told: bool = False
    personal: bool = False
    sample: str = ""
    loose: bool = False
    absent: Any = None
    rare: bool = False
    repeats: bool = False

    @property
    def many(self) -> bool:
        """Whether our word holds a tuple of values."""
        return self.most > 1


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """一种记录 A record on the wire: its element or type name, how it is made, its fields.

    `make` takes our words by keyword and may raise Mismatch; `record` is what it makes, whose
    defaults hold for what is left out. Words of a record that is a tuple are given in its order,
    None for one that is required and absent. `pack` undoes `make` where a record's
    attributes are not our words one by one.
    """

    name: str
    make: Callable[..., Any]
    fields: tuple[Field, ...]
    zh: str
    en: str
    record: Any
    pack: Callable[[Any], Any] | None = None
    by_tag: dict[str, Field] = field(init=False, repr=False)
    blank: dict[str, Any] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        by_tag = {f"{{{NAMESPACE}}}{each.wire}": each for each in self.fields}
        if len(by_tag) != len(self.fields):
            raise ValueError(f"{self.name} names a field twice")
        defaults = _defaults(self.record)
        kept = [each for each in self.fields if each.least == 0 and not each.told]
        blank = {each.word: () if each.many else each.absent for each in kept}
        object.__setattr__(self, "by_tag", by_tag)
        object.__setattr__(self, "blank", {word: defaults.get(word, blank[word]) for word in blank})

    def of(self, wire: str) -> Field | None:
        """The field of this wire name."""
        return self.by_tag.get(f"{{{NAMESPACE}}}{wire}")


def _defaults(record: Any) -> dict[str, Any]:
    """What a word is when its element is left out."""
    if not is_dataclass(record):
        return dict(getattr(record, "_field_defaults", {}))
    return {each.name: each.default for each in fields(record) if each.default is not MISSING}


def need(wire: str, word: str, kind: "Kind | Shape", zh: str, en: str, **more: Any) -> Field:
    """A field that occurs exactly once."""
    return _field(wire, word, kind, zh, en, **more)


def may(wire: str, word: str, kind: "Kind | Shape", zh: str, en: str, **more: Any) -> Field:
    """A field that may be left out; left out it has the default of our word."""
    return _field(wire, word, kind, zh, en, least=0, **more)


def many(
    wire: str, word: str, kind: "Kind | Shape", zh: str, en: str, *, most: int, **more: Any
) -> Field:
    """A field repeated up to `most` times (`least` times at least), a tuple in our words."""
    return _field(wire, word, kind, zh, en, most=most, **({"least": 0} | more))


def told(wire: str, get: Callable[[Any], Any], kind: Kind, zh: str, en: str, **more: Any) -> Field:
    """A field computed from the whole record when written, and dropped when read."""
    return Field(wire=wire, word="", kind=kind, zh=zh, en=en, get=get, told=True, **more)


def _field(wire: str, word: str, kind: "Kind | Shape", zh: str, en: str, **more: Any) -> Field:
    get = more.pop("get", None) or attrgetter(word)
    return Field(wire=wire, word=word, kind=kind, zh=zh, en=en, get=get, **more)


def shape(
    name: str, make: Callable[..., Any], zh: str, en: str, *parts: Field, **more: Any
) -> Shape:
    """A record, its explanation before its fields; `make` is the dataclass unless one is named."""
    return Shape(name, make, parts, zh, en, more.pop("record", make), **more)


def records(shapes: Sequence[Shape]) -> list[Shape]:
    """The shapes and every record inside them, each once, inner ones first."""
    found: dict[str, Shape] = {}
    for each in shapes:
        inner = [part.kind for part in each.fields if isinstance(part.kind, Shape)]
        for record in [*records(inner), each]:
            if found.setdefault(record.name, record) is not record:
                raise ValueError(f"two shapes are named {record.name}")
    return list(found.values())
