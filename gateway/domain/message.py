"""The envelope of a message, whatever its dialect (protocol: Header)."""

from dataclasses import dataclass
from datetime import datetime

from gateway.domain.codes import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """Who says what to whom and when; `message_id` is made by the sender and kept for ever.

    `known_checkpoint` is the last checkpoint of our log that the sender has, "" for none.
    """

    message_id: str
    command: str
    sender: str
    receiver: str
    sent_at: datetime
    expires_at: datetime
    known_checkpoint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """What ties a reply to its request: id and digest of the request, and what became of it.

    A notice that tells a later outcome has only `in_reply_to`. `provable_by` is promised for
    what was committed; `checkpoint` is the last one published.
    """

    in_reply_to: str
    request_digest: str = ""
    outcome: Outcome | None = None
    code: str = ""
    received_at: datetime | None = None
    provable_by: datetime | None = None
    checkpoint: str = ""
