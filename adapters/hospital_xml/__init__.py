"""医院 XML 接口 The hospital's native XML (schemas/hospital/v1): bytes and words."""

from lxml import etree

from adapters.hospital_xml import read, write
from adapters.hospital_xml.names import DIALECT
from adapters.shape.schema import schema_of
from gateway.domain.commands import Command
from gateway.domain.findings import Finding
from gateway.domain.message import Binding, Heading
from gateway.domain.results import Result


class HospitalXml:
    """医院 XML 接口 The hospital's native XML (schemas/hospital/v1).

    A `gateway.ports.Codec`; one instance serves all threads. `root`, `body` and
    `head` are elements without the signature, exactly as hashed.
    """

    def __init__(self) -> None:
        self._schema = schema_of(DIALECT)

    def knows(self, command: str) -> bool:
        """Whether a party may send this command here; notices are not commands."""
        exchange = DIALECT.by_command.get(command)
        return exchange is not None and not exchange.notice

    def schema_faults(self, root: etree._Element) -> tuple[Finding, ...]:
        """What breaks the published schema of a request; empty when valid."""
        return self._schema.request_faults(root)

    def reply_faults(self, root: etree._Element) -> tuple[Finding, ...]:
        """What breaks the published schema of a reply, notice or receipt; empty when valid."""
        return self._schema.reply_faults(root)

    def command(self, name: str, body: etree._Element) -> Command:
        """The command in a schema-valid body. Raises Unreadable."""
        return read.command(name, body)

    def message(self, heading: Heading, result: Result, binding: Binding | None) -> bytes:
        """The exclusive-canonical bytes of a reply or notice, unsigned."""
        return write.message(heading, result, binding)

    def command_message(self, heading: Heading, command: Command) -> bytes:
        """The exclusive-canonical bytes of a request, unsigned."""
        return write.command_message(heading, command)

    def reply(self, body: etree._Element, head: etree._Element) -> tuple[Binding | None, Result]:
        """A schema-valid reply, notice or receipt with what it answers. Raises Unreadable."""
        return read.reply(body, head)
