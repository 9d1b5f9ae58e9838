"""结构校验 What breaks the published schema, said without quoting personal values.

A body that is not its command's is refused before libxml2 sees it, so that what is validated
has 500 siblings at most: the validator's cost for faulty siblings grows with their square
(protocol §1).
"""

import re
import threading
from collections.abc import Callable
from functools import cache
from typing import Any, Final

from lxml import etree

from adapters.shape import xsd
from adapters.shape.dialect import Dialect, Exchange
from adapters.shape.fields import NAMESPACE, Field, Shape
from adapters.shape.kinds import Kind
from adapters.shape.names import HEADER
from adapters.shape.read import MOST_FINDINGS, expected, got, path
from gateway.domain.findings import Finding

CODE: Final = "SCHEMA_INVALID"
_COMPILING: Final = threading.Lock()
_NAMED: Final = re.compile(rf"\{{{NAMESPACE}\}}([A-Za-z]+)")
_LOOSE: Final = f"至多 {xsd.LOOSE_LONGEST} 个字符 / at most {xsd.LOOSE_LONGEST} characters"
_NO_REPLY: Final = "请求不带 InReplyTo / a request has no InReplyTo"
_ATTRIBUTES: Final = ("SCHEMAV_CVC_COMPLEX_TYPE_3", "SCHEMAV_CVC_TYPE_3_1_1")
_NO_ELEMENT: Final = "此处不应有元素 / no element here"
_NO_ATTRIBUTE: Final = "除根元素的 Id 外不得有属性 / no attribute but the Id of the root"
_NO_TEXT: Final = "元素之间不得有文字 / no text between elements"


@cache
def schema_of(dialect: Dialect) -> "Schema":
    """The schema of a dialect, rendered and compiled once a process for all its codecs."""
    return Schema(dialect)


class Schema:
    """一个接口的结构定义 The compiled schema of one dialect; safe to use from many threads."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._text = xsd.render(dialect, signed=False).encode()
        # An XMLSchema keeps the log of its last run, so each thread has its own.
        self._local = threading.local()

    def request_faults(self, root: etree._Element) -> tuple[Finding, ...]:
        """What breaks the schema of a request; empty when valid. At most 1,000 findings."""
        reply = root.find(_tags("Header", "InReplyTo"))
        if reply is not None:
            return (_finding(reply, None, _NO_REPLY),)
        return self._misplaced(root, _asked) or self._faults(root)

    def reply_faults(self, root: etree._Element) -> tuple[Finding, ...]:
        """What breaks the schema of a reply or notice; empty when valid."""
        answered = root.find(_tags("Header", "Outcome")) is not None
        return self._misplaced(root, _answered if answered else _asked) or self._faults(root)

    def _misplaced(
        self, root: etree._Element, allowed: Callable[[Exchange], tuple[Shape, ...]]
    ) -> tuple[Finding, ...]:
        """A body that is not the Command's; what is missing altogether the schema will say."""
        command, body = root.find(_tags("Header", "Command")), root.find(_tags("Body"))
        if command is None or body is None:
            return ()
        exchange = self._dialect.by_command.get(command.text or "")
        if exchange is None:
            return (_finding(command, None, " | ".join(self._dialect.by_command)),)
        names = [shape.name for shape in allowed(exchange)]
        wrong = _misfit(body, names)
        return () if wrong is None else (_finding(wrong, None, " | ".join(names)),)

    def _faults(self, root: etree._Element) -> tuple[Finding, ...]:
        schema = self._compiled()
        if schema.validate(root):
            return ()
        found: dict[str, Finding] = {}
        for entry in _entries(schema):
            place = entry.path or "/*"
            if place not in found:
                found[place] = self._explained(_at(root, place), entry)
            if len(found) == MOST_FINDINGS:
                break
        return tuple(found.values())

    def _compiled(self) -> etree.XMLSchema:
        schema: etree.XMLSchema | None = getattr(self._local, "schema", None)
        if schema is None:
            # libxml2 makes its own types ready at the first schema, and not for two at once.
            with _COMPILING:
                schema = self._local.schema = etree.XMLSchema(etree.fromstring(self._text))
        return schema

    def _explained(self, element: etree._Element, entry: Any) -> Finding:
        part = self._field(element)
        return _finding(element, part, _wanted(part, entry))

    def _field(self, element: etree._Element) -> Field | None:
        """The field an element is, found by its names from the root."""
        names = [etree.QName(each).localname for each in element.iterancestors()][::-1]
        names.append(etree.QName(element).localname)
        shape = (
            HEADER
            if names[1:2] == ["Header"]
            else self._dialect.by_element.get("".join(names[2:3]))
        )
        part = None
        for name in names[2:] if shape is HEADER else names[3:]:
            part = shape.of(name) if shape else None
            shape = part.kind if part and isinstance(part.kind, Shape) else None
        return part


def _tags(*names: str) -> str:
    return "/".join(f"{{{NAMESPACE}}}{name}" for name in names)


def _asked(exchange: Exchange) -> tuple[Shape, ...]:
    return (exchange.request,)


def _answered(exchange: Exchange) -> tuple[Shape, ...]:
    return exchange.replies


def _misfit(body: etree._Element, names: list[str]) -> etree._Element | None:
    """The element that keeps Body from being exactly one of the named elements, if any."""
    for place, child in enumerate(body):
        if place or child.tag not in {_tags(name) for name in names}:
            return child
    return None if len(body) else body


def _at(root: etree._Element, place: str) -> etree._Element:
    # The log writes paths from the document, whose one child is the root.
    found = _elements(root.xpath("." + place.removeprefix("/*")))
    return found[0] if found else root


def _entries(schema: etree.XMLSchema) -> list[Any]:
    """The log of the last validation; the stubs do not know that it can be walked."""
    log: Any = schema.error_log
    return list(log)


def _elements(selected: Any) -> list[etree._Element]:
    """What an XPath that selects elements gives; its type says it might give anything."""
    return list(selected)


def _wanted(part: Field | None, entry: Any) -> str:
    """What was expected, from our own shapes; of the log only names the schema knows."""
    if entry.type_name == "SCHEMAV_ELEMENT_CONTENT":
        names = _NAMED.findall(entry.message.rpartition("Expected is")[2])
        return " | ".join(names) or _NO_ELEMENT
    if entry.type_name.startswith(_ATTRIBUTES):
        return _NO_ATTRIBUTE
    if part is None or not isinstance(part.kind, Kind):
        return _NO_TEXT
    return _LOOSE if part.loose else expected(part.kind)


def _finding(element: etree._Element, part: Field | None, wanted: str) -> Finding:
    return Finding(CODE, path(element), got(element, part), wanted)
