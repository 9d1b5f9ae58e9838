"""写经办机构报文 Replies and notices to the agency, and its requests for clients."""

from adapters.agency_xml.names import DIALECT
from adapters.shape.codec import written
from gateway.domain.commands import Command
from gateway.domain.message import Binding, Heading
from gateway.domain.results import Result


def message(heading: Heading, result: Result, binding: Binding | None) -> bytes:
    """The exclusive-canonical bytes of a reply or notice, unsigned."""
    return written(DIALECT, heading, result, binding)


def command_message(heading: Heading, command: Command) -> bytes:
    """The exclusive-canonical bytes of a request, unsigned."""
    return written(DIALECT, heading, command, None)
