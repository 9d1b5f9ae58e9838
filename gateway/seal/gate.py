"""字节门 The byte gate: what is refused before any parser sees it (protocol §1, order of checks).

Every check is one linear pass over the bytes. The parser and the canonicaliser behind the gate
are only linear within these bounds: 40,000 attributes on one element cost seconds there.
"""

import re
from dataclasses import dataclass
from typing import Final

from gateway.seal import names
from gateway.seal.broken import (
    MARKUP_FORBIDDEN,
    MESSAGE_NOT_UTF8,
    MESSAGE_NOT_XML,
    MESSAGE_TOO_LARGE,
    SealBroken,
)


@dataclass(frozen=True, slots=True)
class Bounds:
    """How large a message may be: bytes, and `<` in all."""

    size: int
    tags: int


RECEIVED: Final = Bounds(2 * 1024 * 1024, 200_000)
"""For what anybody may send us (protocol §1)."""

ISSUED: Final = Bounds(16 * 1024 * 1024, 1_600_000)
"""For what we issued ourselves: a reply may carry stored messages whole."""

MAX_NAMESPACES: Final = 16
MAX_ATTRIBUTES: Final = 32
MAX_QUOTES: Final = 100_000

_BOM: Final = b"\xef\xbb\xbf"
_DECLARATION: Final = re.compile(
    rb"""<\?xml\s+version=(["'])1\.0\1"""
    rb"""(?:\s+encoding=(["'])(?i:utf-8)\2)?"""
    rb"""(?:\s+standalone=(["'])(?:yes|no)\3)?\s*\?>"""
)
# Possessive, and no part may run over the next "<": the whole search is linear.
_CROWDED_TAG: Final = re.compile(
    rb"""<[^<>"']*+(?:(?:"[^"<]*+"|'[^'<]*+')[^<>"']*+){%d}""" % (MAX_ATTRIBUTES + 1)
)
_NAMESPACE: Final = re.compile(
    rb"""(?:=(["'])(?:%s|%s)\1|:[A-Za-z][A-Za-z0-9]{0,15}=(["'])%s\2)"""
    % tuple(re.escape(uri.encode()) for uri in (names.MESSAGE, names.DS, names.DS))
)
_DECLARES: Final = re.compile(rb"\s*[:=]")


def check(raw: bytes, bounds: Bounds = RECEIVED) -> None:
    """字节检查 Let the bytes of one message through, or raise `SealBroken`.

    `bounds` limit bytes and `<`; besides: strict UTF-8 without byte order mark, no `<!`, no
    `<?` but the declaration, 16 `xmlns`, 32 attributes on an element, 100,000 quotation marks.
    Source: protocol §1.
    """
    _size(raw, bounds)
    _encoding(raw)
    _markup(raw, bounds)
    _namespaces(raw)
    _attributes(raw)


def _size(raw: bytes, bounds: Bounds) -> None:
    if len(raw) > bounds.size:
        zh, en = f"报文超过 {bounds.size} 字节。", f"The message exceeds {bounds.size} bytes."
        raise SealBroken(MESSAGE_TOO_LARGE, zh, en)


def _encoding(raw: bytes) -> None:
    if raw.startswith(_BOM) or b"\0" in raw or not _is_utf8(raw):
        raise SealBroken(
            MESSAGE_NOT_UTF8,
            "报文必须是不带 BOM、不含空字符的 UTF-8。",
            "The message must be UTF-8 without byte order mark and without NUL.",
        )


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode("utf-8", "strict")
    except UnicodeDecodeError:
        return False
    return True


def _markup(raw: bytes, bounds: Bounds) -> None:
    if not raw.startswith(b"<"):
        raise SealBroken(MESSAGE_NOT_XML, "报文不是 XML。", "The message is not XML.")
    declaration = _DECLARATION.match(raw)
    start = declaration.end() if declaration else 0
    if _holds(raw, b"<!", 0) or _holds(raw, b"<?", start):
        raise SealBroken(
            MARKUP_FORBIDDEN,
            "报文不得含有 DOCTYPE、注释、CDATA、处理指令或非 UTF-8 的 XML 声明。",
            "DOCTYPE, comments, CDATA, processing instructions and a declaration "
            "of another encoding are forbidden.",
        )
    if raw.count(b"<") > bounds.tags:
        raise SealBroken(MESSAGE_TOO_LARGE, "报文元素过多。", "The message has too many elements.")


def _holds(raw: bytes, opening: bytes, start: int) -> bool:
    # One byte is found ten times as fast as two, and "!" and "?" are rare.
    return raw.find(opening[1:], start) >= 0 and raw.find(opening, start) >= 0


def _namespaces(raw: bytes) -> None:
    after = raw.split(b"xmlns", MAX_NAMESPACES + 1)[1:]
    if len(after) > MAX_NAMESPACES:
        raise SealBroken(
            MARKUP_FORBIDDEN, "命名空间声明过多。", "There are too many namespace declarations."
        )
    if any(_DECLARES.match(rest) and not _NAMESPACE.match(rest) for rest in after):
        raise SealBroken(
            MARKUP_FORBIDDEN,
            "只允许声明本网关报文与 XML 签名的命名空间。",
            "Only the namespaces of our messages and of XML signatures may be declared.",
        )


def _attributes(raw: bytes) -> None:
    # Most messages carry too few quotation marks in all for one crowded element to exist.
    quotes = raw.count(b'"') + raw.count(b"'")
    if quotes <= 2 * MAX_ATTRIBUTES:
        return
    if quotes > MAX_QUOTES:
        raise SealBroken(
            MESSAGE_TOO_LARGE,
            "报文属性或引号过多。",
            "The message has too many attributes or quotation marks.",
        )
    if _CROWDED_TAG.search(raw):
        raise SealBroken(
            MARKUP_FORBIDDEN,
            "一个元素最多 32 个属性。",
            "An element may have at most 32 attributes.",
        )
