"""结构定义 The XML Schema of a dialect, rendered from its shapes.

No `maxOccurs="unbounded"` (protocol §1: validating wrong siblings must stay cheap), no
type of XML Schema that accepts white space around a value, and only ASCII digits.
"""

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from adapters.shape.dialect import Dialect
from adapters.shape.fields import NAMESPACE, Field, Shape, records
from adapters.shape.kinds import Kind, coded
from adapters.shape.names import HEADER

_XS: Final = "http://www.w3.org/2001/XMLSchema"
_DS: Final = "http://www.w3.org/2000/09/xmldsig#"
LOOSE_LONGEST: Final = 200
ELEMENT_ID: Final = coded(
    "ElementId",
    "[A-Za-z_][A-Za-z0-9._-]{0,79}",
    "报文元素的 Id，签名以 # 引用",
    "the Id a signature refers to with #",
    sample="m1",
)
_SIGNATURE: Final = f'  <xs:import namespace="{_DS}" schemaLocation="../../signature-profile.xsd"/>'


def render(dialect: Dialect, *, signed: bool = True) -> str:
    """The whole schema as text. Without `signed` it knows no ds:Signature, as for content
    whose signature was verified and removed."""
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f"<xs:schema xmlns:xs={quoteattr(_XS)} xmlns:ds={quoteattr(_DS)}"
        f" xmlns={quoteattr(NAMESPACE)} targetNamespace={quoteattr(NAMESPACE)}"
        ' elementFormDefault="qualified" attributeFormDefault="unqualified">',
        *_explained(dialect.zh, dialect.en, "  "),
        *([_SIGNATURE] if signed else []),
        *_message(signed),
        *_body(dialect.bodies),
        *_types([HEADER, *dialect.bodies]),
        "</xs:schema>",
    ]
    return "\n".join(lines) + "\n"


def _message(signed: bool) -> list[str]:
    return [
        '  <xs:element name="Message">',
        "    <xs:complexType>",
        "      <xs:sequence>",
        '        <xs:element name="Header" type="Header"/>',
        '        <xs:element name="Body" type="Body"/>',
        *(['        <xs:element ref="ds:Signature" minOccurs="0"/>'] if signed else []),
        "      </xs:sequence>",
        '      <xs:attribute name="Id" type="ElementId" use="required"/>',
        "    </xs:complexType>",
        "  </xs:element>",
    ]


def _body(bodies: Iterable[Shape]) -> list[str]:
    return [
        '  <xs:complexType name="Body">',
        "    <xs:choice>",
        *[f'      <xs:element name="{body.name}" type="{body.name}"/>' for body in bodies],
        "    </xs:choice>",
        "  </xs:complexType>",
    ]


def _types(shapes: list[Shape]) -> Iterator[str]:
    every = records(shapes)
    for shape in every:
        yield from _record(shape)
    kinds = {kind.name: kind for each in every for kind in _kinds(each)}
    for name in sorted(kinds):
        yield from _simple(kinds[name])
    yield from _simple(ELEMENT_ID)
    if any(part.loose for each in every for part in each.fields):
        yield from _loose()


def _kinds(shape: Shape) -> list[Kind]:
    """The kinds of a record's values that the schema itself judges."""
    return [part.kind for part in shape.fields if isinstance(part.kind, Kind) and not part.loose]


def _record(shape: Shape) -> Iterator[str]:
    yield f'  <xs:complexType name="{shape.name}">'
    yield from _explained(shape.zh, shape.en, "    ")
    yield "    <xs:sequence>"
    for part in shape.fields:
        yield from _element(part)
    yield "    </xs:sequence>"
    yield "  </xs:complexType>"


def _element(part: Field) -> Iterator[str]:
    least = ' minOccurs="0"' if part.least == 0 else ""
    most = f' maxOccurs="{part.most}"' if part.most > 1 else ""
    kind = "LineValue" if part.loose else part.kind.name
    yield f'      <xs:element name="{part.wire}" type="{kind}"{least}{most}>'
    yield from _explained(part.zh, part.en, "        ")
    yield "      </xs:element>"


def _simple(kind: Kind) -> Iterator[str]:
    yield f'  <xs:simpleType name="{kind.name}">'
    yield from _explained(kind.zh, kind.en, "    ")
    yield '    <xs:restriction base="xs:string">'
    yield from _facets(kind)
    yield "    </xs:restriction>"
    yield "  </xs:simpleType>"


def _facets(kind: Kind) -> Iterator[str]:
    facet = partial("      <xs:{0} value={1}".format)
    if kind.longest:
        yield facet("maxLength", quoteattr(str(kind.longest))) + "/>"
    if kind.pattern:
        yield facet("pattern", quoteattr(kind.pattern)) + "/>"
    for value, (zh, en) in kind.words.items():
        yield facet("enumeration", quoteattr(value)) + ">"
        yield from _explained(zh, en, "        ")
        yield "      </xs:enumeration>"


def _loose() -> Iterator[str]:
    yield '  <xs:simpleType name="LineValue">'
    yield from _explained(
        "明细的值：长度受限的文字，由网关逐行校验",
        "A value of a line: text of limited length, judged line by line by the reader",
        "    ",
    )
    yield '    <xs:restriction base="xs:string">'
    yield f'      <xs:maxLength value="{LOOSE_LONGEST}"/>'
    yield "    </xs:restriction>"
    yield "  </xs:simpleType>"


def _explained(zh: str, en: str, indent: str) -> list[str]:
    texts = "".join(
        f'<xs:documentation xml:lang="{language}">{escape(text)}</xs:documentation>'
        for language, text in (("zh", zh), ("en", en))
    )
    return [f"{indent}<xs:annotation>{texts}</xs:annotation>"]
