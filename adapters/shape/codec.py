"""报文编解码 One dialect between signed content and the words of the domain."""

from functools import lru_cache
from typing import Any, Final

from lxml import etree

from adapters.shape.dialect import Dialect
from adapters.shape.fields import NAMESPACE, Shape
from adapters.shape.header import Header, header
from adapters.shape.names import HEADER
from adapters.shape.read import MOST_FINDINGS, Fault, findings, read
from adapters.shape.write import write
from gateway.domain.commands import Command
from gateway.domain.message import Binding, Heading
from gateway.domain.results import Result
from gateway.ports import Unreadable

ELEMENT_ID: Final = "m1"
CODE: Final = "FIELD_MALFORMED"
_OPENING: Final = f'<Message xmlns="{NAMESPACE}" Id="{ELEMENT_ID}">'


def written(
    dialect: Dialect, heading: Heading, body: Command | Result, binding: Binding | None
) -> bytes:
    """报文原文 The exclusive-canonical bytes of a message, unsigned.

    Raises KeyError for a body that is not this dialect's, ValueError for a record
    repeated more often than the schema allows.
    """
    shape = dialect.by_record[type(body)]
    head = write(HEADER, header(heading, binding))
    return f"{_OPENING}{head}<Body>{_body(shape, _Same(body))}</Body></Message>".encode()


class _Same:
    """A record that is equal to itself alone: to compare two settlements costs what it saves."""

    __slots__ = ("record",)

    def __init__(self, record: Command | Result) -> None:
        self.record = record

    def __hash__(self) -> int:
        return id(self.record)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.record is self.record


@lru_cache(maxsize=2)
def _body(shape: Shape, same: _Same) -> str:
    """The body; hospital and agency are told of a settlement in the same words."""
    return write(shape, same.record)


def read_whole(shape: Shape, element: etree._Element) -> Any:
    """The record in the element. Raises Unreadable with every fault, at most 1,000."""
    faults: list[Fault] = []
    record = read(shape, element, faults)
    if faults:
        raise Unreadable(findings(faults[:MOST_FINDINGS], CODE))
    return record


def read_body(dialect: Dialect, command: str, body: etree._Element) -> Any:
    """The record of a command's body. Raises Unreadable."""
    return read_whole(dialect.by_command[command].request, body)


def read_reply(
    dialect: Dialect, body: etree._Element, head: etree._Element
) -> tuple[Binding | None, Result]:
    """A reply or notice with what it answers. Raises Unreadable."""
    heading: Header = read_whole(HEADER, head)
    result: Result = read_whole(dialect.by_element[etree.QName(body).localname], body)
    return heading.binding, result
