"""报文头 The Header of a message (protocol §1)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from lxml import etree

from gateway.seal import names
from gateway.seal.broken import PROFILE_VIOLATED, SealBroken

_MAX_FIELDS: Final = 32
_IDENTIFIER: Final = r"[A-Za-z0-9._-]{1,64}"
_PARTY: Final = r"[A-Za-z0-9._:-]{1,64}"
_COMMAND: Final = r"(?=.{1,64}$)[a-z][a-z_]*(?:\.[a-z][a-z_]*)*"
_UPPER: Final = r"[A-Z][A-Z0-9_]{0,63}"
_TIME: Final = (
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}"
    r"(?:\.[0-9]{1,6})?(?:Z|[+-][0-9]{2}:[0-9]{2})"
)
_LINE: Final = "[\x21-\x7e](?:[\x20-\x7e\n\u2014]{0,1022}[\x21-\x7e\n])?"

_REQUIRED: Final = {
    "MessageId": _IDENTIFIER,
    "Command": _COMMAND,
    "Sender": _PARTY,
    "Receiver": _PARTY,
    "SentAt": _TIME,
    "ExpiresAt": _TIME,
}
_OPTIONAL: Final = {
    "KnownCheckpoint": _LINE,
    "InReplyTo": _IDENTIFIER,
    "RequestDigest": r"[A-Za-z0-9+/]{43}=",
    "Outcome": _UPPER,
    "Code": _UPPER,
    "ReceivedAt": _TIME,
    "ProvableBy": _TIME,
    "Checkpoint": _LINE,
}
_WORDS: Final = {name: re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower() for name in _OPTIONAL}
"""Our word for each optional field."""
_PATTERNS: Final = {name: re.compile(p) for name, p in (_REQUIRED | _OPTIONAL).items()}


@dataclass(frozen=True, slots=True)
class Header:
    """报文头 Who says what to whom, and when; instants are in UTC.

    The second half is present in replies only, except `known_checkpoint`; the syntax of each has
    been checked, `received_at` and `provable_by` are RFC 3339 as sent. Source: protocol §1.
    """

    message_id: str
    command: str
    sender: str
    receiver: str
    sent_at: datetime
    expires_at: datetime
    known_checkpoint: str | None = None
    in_reply_to: str | None = None
    request_digest: str | None = None
    outcome: str | None = None
    code: str | None = None
    received_at: str | None = None
    provable_by: str | None = None
    checkpoint: str | None = None


def claimed_sender(element: etree._Element) -> str:
    """声称的发送方 Sender as written, or "" when malformed: a hint for the key look-up only."""
    text = element.findtext(names.message("Sender")) or ""
    return text if _PATTERNS["Sender"].fullmatch(text) else ""


def read(element: etree._Element) -> Header:
    """读取报文头 Read a Header; raises `SealBroken` PROFILE_VIOLATED when a field is malformed.

    Elements this table does not know are left to the schema of the message.
    """
    texts = _texts(element)
    if any(name not in texts for name in _REQUIRED):
        raise _malformed()
    return Header(
        message_id=texts["MessageId"],
        command=texts["Command"],
        sender=texts["Sender"],
        receiver=texts["Receiver"],
        sent_at=_instant(texts["SentAt"]),
        expires_at=_instant(texts["ExpiresAt"]),
        **_optional(texts),
    )


def _texts(element: etree._Element) -> dict[str, str]:
    if len(element) > _MAX_FIELDS:
        raise _malformed()
    fields = {etree.QName(child).localname: child for child in element}
    if len(fields) != len(element):
        raise _malformed()
    return {name: _text(fields[name], name) for name in _PATTERNS if name in fields}


def _text(field: etree._Element, name: str) -> str:
    text = field.text or ""
    if len(field) or not _PATTERNS[name].fullmatch(text):
        raise _malformed()
    return text


def _optional(texts: Mapping[str, str]) -> dict[str, str | None]:
    for name in ("ReceivedAt", "ProvableBy"):
        if name in texts:
            _instant(texts[name])
    return {word: texts.get(name) for name, word in _WORDS.items()}


def _instant(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise _malformed() from None


def _malformed() -> SealBroken:
    return SealBroken(
        PROFILE_VIOLATED,
        "报文头缺少字段、字段重复或格式不符。",
        "A field of the Header is missing, repeated or malformed.",
    )
