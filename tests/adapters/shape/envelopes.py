"""Headings, bindings and whole messages for the tests of both interfaces."""

from datetime import UTC, datetime

from lxml import etree

from gateway.domain.codes import Outcome
from gateway.domain.message import Binding, Heading

SENT = datetime(2026, 3, 2, 0, 0, tzinfo=UTC)
EXPIRES = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
DIGEST = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="


def heading(command: str, message_id: str = "20260302-0001") -> Heading:
    return Heading(
        message_id=message_id,
        command=command,
        sender="H99990001",
        receiver="GS-TEST",
        sent_at=SENT,
        expires_at=EXPIRES,
    )


def binding(outcome: Outcome = Outcome.APPLIED, code: str = "OK") -> Binding:
    return Binding(
        in_reply_to="20260302-0001",
        request_digest=DIGEST,
        outcome=outcome,
        code=code,
        received_at=SENT,
    )


HEADER = (
    "<MessageId>20260302-0001</MessageId><Command>{command}</Command>"
    "<Sender>H99990001</Sender><Receiver>GS-TEST</Receiver>"
    "<SentAt>2026-03-02T08:00:00+08:00</SentAt>"
    "<ExpiresAt>2026-03-02T09:00:00+08:00</ExpiresAt>"
)


def envelope(command: str, body: str, header: str = HEADER) -> etree._Element:
    """A message as it was parsed, its body written by hand."""
    return etree.fromstring(
        '<Message xmlns="urn:gongshang:settlement:v1" Id="m1">'
        f"<Header>{header.format(command=command)}</Header><Body>{body}</Body></Message>"
    )


def canonical(content: bytes) -> bytes:
    """What a canonicaliser makes of the content."""
    return etree.tostring(etree.fromstring(content), method="c14n", exclusive=True)
