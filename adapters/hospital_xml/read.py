"""读医院报文 A hospital's body to a command, and our replies back for clients."""

from typing import Final

from lxml import etree

from adapters.hospital_xml.names import DIALECT, UPLOADED_LINE
from adapters.shape.codec import read_body, read_reply
from adapters.shape.fields import NAMESPACE
from adapters.shape.kinds import Kind
from adapters.shape.names import ADMISSION_ID
from adapters.shape.read import MOST_FINDINGS, Fault, got, read
from gateway.domain.bill import BillLine
from gateway.domain.commands import Command, UploadFees
from gateway.domain.findings import Finding, shown
from gateway.domain.message import Binding
from gateway.domain.results import Result

_LINE: Final = f"{{{NAMESPACE}}}Line"
_LINE_ID: Final = f"{{{NAMESPACE}}}LineId"
_ONCE: Final = "行号在报文内唯一 / unique within the message"


def command(name: str, body: etree._Element) -> Command:
    """The command in the body. Raises Unreadable; a bad line of fees.upload is `rejected`."""
    if name == "fees.upload":
        return _upload_fees(body)
    record: Command = read_body(DIALECT, name, body)
    return record


def reply(body: etree._Element, head: etree._Element) -> tuple[Binding | None, Result]:
    """A reply or notice of the gateway with what it answers. Raises Unreadable."""
    return read_reply(DIALECT, body, head)


def _upload_fees(body: etree._Element) -> UploadFees:
    lines: list[BillLine] = []
    rejected: list[Finding] = []
    seen: set[str] = set()
    for element in body.iterchildren(_LINE):
        line, faults = _line(element, seen)
        if line is None:
            # Each bad line keeps one finding at least, so that each is answered.
            rejected.extend(faults if len(rejected) < MOST_FINDINGS else faults[:1])
        else:
            lines.append(line)
    admission_id = body.findtext(f"{{{NAMESPACE}}}{ADMISSION_ID.wire}") or ""
    return UploadFees(admission_id=admission_id, lines=tuple(lines), rejected=tuple(rejected))


def _line(element: etree._Element, seen: set[str]) -> tuple[BillLine | None, list[Finding]]:
    faults: list[Fault] = []
    line: BillLine | None = read(UPLOADED_LINE, element, faults)
    line_id = line.line_id if line else element.findtext(_LINE_ID) or ""
    if line_id in seen:
        return None, [Finding("LINE_ID_REPEATED", "LineId", shown(line_id), _ONCE, line_id)]
    seen.add(line_id)
    return line, [_finding(fault, line_id) for fault in faults]


def _finding(fault: Fault, line_id: str) -> Finding:
    part = fault.field
    number = part is not None and isinstance(part.kind, Kind) and part.kind.number
    return Finding(
        "LINE_NUMBER_MALFORMED" if number else "LINE_FIELD_MALFORMED",
        etree.QName(fault.element).localname,
        got(fault.element, part),
        fault.expected,
        line_id,
    )
