"""报文示例 Examples of every message: made from the shapes, with generated persons only.

A valid example is the sample values read into our words and written again, so that it
cannot differ from what the gateway sends; an invalid one has a single value broken.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from lxml import etree

from adapters.shape.codec import read_whole, written
from adapters.shape.dialect import Dialect, Exchange
from adapters.shape.fields import NAMESPACE, Field, Shape
from adapters.shape.kinds import BOOL, DAY, FEN, INSTANT, PRICE, REQUEST_DIGEST, Kind
from adapters.shape.names import REFUSED, SUPERSEDED
from adapters.shape.schema import Schema
from gateway.domain.codes import Outcome
from gateway.domain.findings import Finding
from gateway.domain.message import Binding, Heading

_GATEWAY: Final = "GS-999900-DEMO"
_PARTY: Final = {"hospital": "H99990001", "agency": "A999900"}
_SENT: Final = datetime(2026, 3, 2, 0, 0, tzinfo=UTC)
_EXPIRES: Final = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
_ID_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
# Which broken value teaches most: first those that programs get wrong.
_TELLING: Final = (FEN, PRICE, INSTANT, DAY, BOOL)


class Example(NamedTuple):
    """一份示例 One message, valid and invalid; `finding` is what the invalid one is answered."""

    name: str
    shape: Shape
    valid: str
    invalid: str
    finding: Finding


def generated_id_no(number: int) -> str:
    """虚构证件号 A well-formed identity number of nobody: no area has the code 999900."""
    digits = f"99990019900101{number:03}"
    total = sum(int(digit) * weight for digit, weight in zip(digits, _ID_WEIGHTS, strict=True))
    return digits + "10X98765432"[total % 11]


def examples(dialect: Dialect) -> list[Example]:
    """An example of each command, notice and reply of the dialect."""
    asked = [_request(dialect, exchange.command) for exchange in dialect.exchanges]
    answered: dict[str, Exchange] = {}
    for exchange in dialect.exchanges:
        for body in exchange.replies:
            answered.setdefault(body.name, exchange)
    replies = [
        _reply(dialect, exchange, dialect.by_element[name]) for name, exchange in answered.items()
    ]
    return [*asked, *replies]


def sample(shape: Shape) -> Any:
    """The record made of the sample values of a shape."""
    return read_whole(shape, _element(shape.name, shape))


def _element(wire: str, shape: Shape) -> etree._Element:
    element = etree.Element(f"{{{NAMESPACE}}}{wire}")
    for part in shape.fields:
        if part.rare or part.told:
            continue
        if isinstance(part.kind, Shape):
            element.append(_element(part.wire, part.kind))
        else:
            child = etree.SubElement(element, f"{{{NAMESPACE}}}{part.wire}")
            child.text = part.sample or part.kind.sample
    return element


def _request(dialect: Dialect, command: str) -> Example:
    exchange = dialect.by_command[command]
    ends = (_PARTY[dialect.name], _GATEWAY)
    sender, receiver = reversed(ends) if exchange.notice else ends
    heading = _heading("20260302-0001", command, sender, receiver)
    content = written(dialect, heading, sample(exchange.request), None)
    return _example(dialect, command, exchange.request, content)


def _reply(dialect: Dialect, exchange: Exchange, body: Shape) -> Example:
    ends = (_GATEWAY, _PARTY[dialect.name])
    sender, receiver = reversed(ends) if exchange.notice else ends
    heading = _heading("R-20260302-0001", exchange.command, sender, receiver)
    content = written(dialect, heading, sample(body), _binding(exchange, body))
    return _example(dialect, f"reply.{body.name}", body, content)


def _binding(exchange: Exchange, body: Shape) -> Binding:
    outcome = (
        Outcome.APPLIED if exchange.notice or SUPERSEDED in exchange.replies else Outcome.ANSWERED
    )
    return Binding(
        in_reply_to="20260302-0001",
        request_digest=REQUEST_DIGEST.sample,
        outcome=Outcome.REFUSED if body is REFUSED else outcome,
        code={REFUSED: "FINDINGS", SUPERSEDED: "SUPERSEDED"}.get(body, "OK"),
        received_at=_SENT,
    )


def _heading(message_id: str, command: str, sender: str, receiver: str) -> Heading:
    return Heading(
        message_id=message_id,
        command=command,
        sender=sender,
        receiver=receiver,
        sent_at=_SENT,
        expires_at=_EXPIRES,
    )


def _example(dialect: Dialect, name: str, shape: Shape, content: bytes) -> Example:
    root = etree.fromstring(content)
    valid = _laid_out(root)
    _break(root[1][0], shape)
    schema = Schema(dialect)
    check = schema.reply_faults if name.startswith("reply.") else schema.request_faults
    return Example(name, shape, valid, _laid_out(root), check(root)[0])


def _break(body: etree._Element, shape: Shape) -> None:
    """One value made wrong, or where there is none an element nobody knows."""
    values = list(_values(body, shape))
    if not values:
        etree.SubElement(body, f"{{{NAMESPACE}}}Unknown").text = "未知"
        return
    element, kind = min(values, key=lambda value: _telling(value[1]))
    element.text = kind.wrong


def _telling(kind: Kind) -> int:
    return _TELLING.index(kind) if kind in _TELLING else len(_TELLING)


def _values(element: etree._Element, shape: Shape) -> Iterator[tuple[etree._Element, Kind]]:
    """The values the schema judges, in document order."""
    for child in element:
        part: Field = shape.by_tag[child.tag]
        if isinstance(part.kind, Shape):
            yield from _values(child, part.kind)
        elif not part.loose:
            yield child, part.kind


def _laid_out(root: etree._Element) -> str:
    """The message over several lines, for people; white space between elements is allowed."""
    etree.indent(root, "  ")
    return etree.tostring(root, encoding="unicode") + "\n"
