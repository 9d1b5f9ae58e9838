"""读经办机构报文 The agency's body to a command; replies and receipts back."""

from lxml import etree

from adapters.agency_xml.names import DIALECT
from adapters.shape.codec import read_body, read_reply
from gateway.domain.commands import Command
from gateway.domain.message import Binding
from gateway.domain.results import Result


def command(name: str, body: etree._Element) -> Command:
    """The command in the body. Raises Unreadable."""
    record: Command = read_body(DIALECT, name, body)
    return record


def reply(body: etree._Element, head: etree._Element) -> tuple[Binding | None, Result]:
    """A reply, notice or receipt with what it answers. Raises Unreadable."""
    return read_reply(DIALECT, body, head)
