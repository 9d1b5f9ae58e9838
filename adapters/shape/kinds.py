"""字段类型 Kinds of field: how one value is written, read, constrained and explained.

A kind is the one source of its XSD simple type, its reader, its writer and its
sentence in the documentation (protocol §1: line values are typed by the reader).
"""

import base64
import binascii
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final

from gateway.domain import money
from gateway.domain.bill import STEP_LETTERS, Steps

_MARKUP: Final = re.compile("[&<>\r]")
_ENTITIES: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#xD;"}
# XML 1.0 §2.2: no reference can stand for these characters either.
_NOT_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_KEPT: Final = 8192
_CHINA: Final = timezone(timedelta(hours=8))

_DAY: Final = r"(19|20)[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_TIME: Final = r"([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?"
_OFFSET: Final = r"(Z|[+-](0[0-9]|1[0-4]):[0-5][0-9])"
_WHOLE: Final = r"-?(0|[1-9][0-9]{0,11})"
_MOST_CITES: Final = 60
_CITES: Final = rf"[1-9][0-9]{{0,3}}( [1-9][0-9]{{0,3}}){{0,{_MOST_CITES - 1}}}"
_FIGURE: Final = r"-?(0|[1-9][0-9]{0,11})\.[0-9]{2}"
_STEPS: Final = rf"A{_FIGURE}( [WPEFL](=|{_FIGURE})){{0,4}}"
# One way only to match any text, so that no matcher ever goes back.
_TEXT: Final = r"[^ \t\n\r]+( +[^ \t\n\r]+)*"


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Kind:
    """一种字段类型 One kind of value.

    `parse` raises ValueError for a text that is none of it; `render` gives the text of
    a value, already escaped. `zh` and `en` say what a text must look like; `sample` is
    right and `wrong` is not. A kind with `words` is a closed list.
    """

    name: str
    zh: str
    en: str
    parse: Callable[[str], Any]
    render: Callable[[Any], str]
    sample: str
    wrong: str
    pattern: str = ""
    longest: int = 0
    number: bool = False
    words: Mapping[str, tuple[str, str]] = field(default_factory=dict)


def escaped(text: str) -> str:
    """Text content in canonical form (Canonical XML 1.0 §2.3); what XML cannot carry is �."""
    if not text.isprintable():
        text = _NOT_XML.sub("�", text)
    if _MARKUP.search(text) is None:
        return text
    return _MARKUP.sub(lambda match: _ENTITIES[match.group()], text)


def _matching(pattern: str, convert: Callable[[str], Any]) -> Callable[[str], Any]:
    fits = re.compile(pattern, re.ASCII).fullmatch

    def parse(text: str) -> Any:
        if fits(text) is None:
            raise ValueError
        return convert(text)

    return parse


def text_kind(longest: int) -> Kind:
    """Free text of one line, at most `longest` characters, no space at either end."""
    fits = re.compile(_TEXT).fullmatch

    def parse(text: str) -> str:
        if 0 < len(text) <= longest:
            plain = text.isprintable() and text[0] != " " != text[-1]
            if plain or fits(text) is not None:
                return text
        raise ValueError

    return Kind(
        name=f"Text{longest}",
        zh=f"一行文字，1 至 {longest} 个字符，首尾无空格",
        en=f"one line of 1 to {longest} characters, no space at either end",
        parse=parse,
        render=escaped,
        sample="示例文字",
        wrong=" 首部有空格",
        pattern=_TEXT,
        longest=longest,
    )


def coded(name: str, pattern: str, zh: str, en: str, *, sample: str, wrong: str = "１２３") -> Kind:
    """An identifier or other ASCII text of a given pattern."""
    return Kind(
        name=name,
        zh=zh,
        en=en,
        parse=_matching(pattern, str),
        render=escaped,
        sample=sample,
        wrong=wrong,
        pattern=pattern,
    )


def one_of(name: str, values: Iterable[StrEnum], words: Mapping[str, tuple[str, str]]) -> Kind:
    """A closed list of values of a domain enum, mostly all of them; `words` explains each."""
    members = {value.value: value for value in values}
    return _listed(name, {word: words[word] for word in members}, members.__getitem__)


def listed(name: str, words: Mapping[str, tuple[str, str]]) -> Kind:
    """A closed list of plain words, each explained in Chinese and English."""
    return _listed(name, words, lambda text: words[text] and text)


def _listed(name: str, words: Mapping[str, tuple[str, str]], convert: Callable[[str], Any]) -> Kind:
    def parse(text: str) -> Any:
        if text not in words:
            raise ValueError
        return convert(text)

    allowed = " | ".join(words)
    return Kind(
        name=name,
        zh=f"{allowed} 之一",
        en=f"one of {allowed}",
        parse=parse,
        render=str,
        sample=next(iter(words)),
        wrong="不在列表中",
        words=words,
    )


def _decimal(
    name: str,
    places: int,
    zh: str,
    en: str,
    parse: Callable[[str], int],
    render: Callable[[int], str],
) -> Kind:
    return Kind(
        name=name,
        zh=f"{zh}，半角数字，至多 12 位整数 {places} 位小数",
        en=f"{en}: ASCII digits, at most 12 before and {places} after the point",
        # A bill repeats its prices, quantities and zero shares line after line.
        parse=lru_cache(_KEPT)(parse),
        render=lru_cache(_KEPT)(render),
        sample="25.00",
        wrong="１２３",
        pattern=_WHOLE + rf"(\.[0-9]{{1,{places}}})?",
        number=True,
    )


def count_up_to(name: str, most: int, least: int = 0) -> Kind:
    """A whole number between `least` and `most`, without leading zeros."""

    def parse(text: str) -> int:
        value = money.scaled(text, 0)
        if not least <= value <= most or text.startswith("-"):
            raise ValueError
        return value

    return Kind(
        name=name,
        zh=f"{least} 至 {most} 的整数",
        en=f"a whole number from {least} to {most}",
        parse=parse,
        render=str,
        sample=str(max(least, 1)),
        wrong="1e3000000",
        pattern="|".join(_up_to(least, most)),
        number=True,
    )


def _up_to(least: int, most: int) -> list[str]:
    """Patterns of the whole numbers up to a power of ten (or one less)."""
    digits = len(str(most)) - 1
    exact = [str(most)] if most == 10**digits else []
    longest = digits - 1 if exact else digits
    return (["0"] if least == 0 else []) + [f"[1-9][0-9]{{0,{longest}}}", *exact]


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _instant_text(value: datetime) -> str:
    # A fixed offset: the zone's own goes to seconds before 1901, which RFC 3339 cannot write.
    return value.astimezone(_CHINA).isoformat()


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError from error


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(" ")))


def _numbers_text(numbers: tuple[int, ...]) -> str:
    if not 0 < len(numbers) <= _MOST_CITES:
        raise ValueError(f"{len(numbers)} citations, allowed 1 to {_MOST_CITES}")
    return " ".join(map(str, numbers))


def _steps_text(steps: Steps) -> str:
    """A step that left what the one before it left is written "="."""
    parts, before = [], None
    for letter, figure in zip(STEP_LETTERS, steps, strict=True):
        if figure is not None:
            parts.append(f"{letter}=" if figure == before else letter + money.yuan(figure))
            before = figure
    return " ".join(parts)


def _steps(text: str) -> Steps:
    """Raises ValueError for steps that are not in order, or not in their one shortest form."""
    figures: dict[str, int] = {}
    before = 0
    for part in text.split(" "):
        before = before if part[1:] == "=" else money.fen(part[1:])
        figures[part[0]] = before
    steps = Steps._make(map(figures.get, STEP_LETTERS))
    if _steps_text(steps) != text:
        raise ValueError
    return steps


def _truth(text: str) -> bool:
    return text == "true"


def _truth_text(value: bool) -> str:
    return "true" if value else "false"


TEXT_32: Final = text_kind(32)
TEXT_64: Final = text_kind(64)
TEXT_200: Final = text_kind(200)
TEXT_500: Final = text_kind(500)
TEXT_2000: Final = text_kind(2000)

MESSAGE_ID: Final = coded(
    "MessageId",
    "[A-Za-z0-9._-]{1,64}",
    "报文编号，1 至 64 个字母、数字、点、下划线或连字符",
    "a message id of 1 to 64 letters, digits, dots, underscores or hyphens",
    sample="20260302-0001",
)
PARTY: Final = coded(
    "Party",
    "[A-Za-z0-9._:-]{1,64}",
    "机构编号，1 至 64 个字母、数字、点、冒号、下划线或连字符",
    "a party of 1 to 64 letters, digits, dots, colons, underscores or hyphens",
    sample="H99990001",
)
AREA: Final = coded(
    "Area",
    "[0-9]{6}",
    "行政区划代码，6 位数字",
    "an administrative division's code of 6 digits",
    sample="330802",
)
NUMBER: Final = coded(
    "Number",
    "[A-Za-z0-9._/#:-]{1,64}",
    "编号，1 至 64 个半角字母、数字或 . _ / # : -",
    "a number of 1 to 64 ASCII letters, digits or . _ / # : -",
    sample="ZY2026030001",
)
WORD: Final = coded(
    "Word",
    "[A-Za-z][A-Za-z0-9_]{0,63}",
    "代码，字母开头的 1 至 64 个字母、数字或下划线",
    "a code of 1 to 64 letters, digits or underscores, a letter first",
    sample="OK",
)
DIGEST: Final = coded(
    "Digest",
    "[A-Za-z0-9+/=:._-]{1,128}",
    "摘要，1 至 128 个字符的 base64 或十六进制",
    "a digest of 1 to 128 characters, base64 or hexadecimal",
    sample="47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
)
REQUEST_DIGEST: Final = coded(
    "RequestDigest",
    "[A-Za-z0-9+/]{43}=",
    "SHA-256 摘要的 base64，44 个字符",
    "a SHA-256 digest in base64, 44 characters",
    sample="47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
)
ID_NO: Final = coded(
    "IdNo",
    "[0-9A-Za-z]{5,32}",
    "证件号码，5 至 32 个半角字母或数字",
    "the number of an identity document, 5 to 32 ASCII letters or digits",
    sample="999900199001010014",
)
CARD_NO: Final = coded(
    "CardNo",
    "[0-9A-Za-z]{1,32}",
    "社会保障卡号，1 至 32 个半角字母或数字",
    "the number of a social-security card, 1 to 32 ASCII letters or digits",
    sample="TEST00000001",
)
PHONE: Final = coded(
    "Phone",
    "[0-9+-]{3,20}",
    "电话号码，3 至 20 个半角数字、加号或连字符",
    "a telephone number, 3 to 20 ASCII digits, plus or hyphen",
    sample="000-00000001",
)
CHECKPOINT: Final = coded(
    "Checkpoint",
    "[!-~]([ -~\n\u2014]{0,1022}[!-~\n])?",
    "检查点（C2SP signed note），至多 1024 个字符：ASCII 和签名行前的破折号",
    "a checkpoint (C2SP signed note) of at most 1,024 characters: ASCII and the dash before "
    "a signature",
    sample="example-log",
)
SHOWN: Final = coded(
    "Shown",
    r"[^\t\n\r]{1,100}",
    "收到的文字，1 至 100 个字符，可有空格",
    "a text as it was got, 1 to 100 characters, spaces included",
    sample="25.01",
    wrong="制表\t符",
)
CITES: Final = Kind(
    name="Cites",
    zh="依据的编号，1 至 60 个，以一个空格分隔",
    en="1 to 60 numbers of citations, one space between them",
    parse=_matching(_CITES, lru_cache(_KEPT)(_numbers)),
    render=lru_cache(_KEPT)(_numbers_text),
    sample="1",
    wrong="1,2",
    pattern=_CITES,
)
STEPS: Final = Kind(
    name="Steps",
    zh="计算步骤：字母加该步之后的金额（元），与上一步相同写 =，以一个空格分隔",
    en="steps: a letter and the yuan left after it, = where nothing changed, one space between",
    parse=_matching(_STEPS, lru_cache(_KEPT)(_steps)),
    render=lru_cache(_KEPT)(_steps_text),
    sample="A840.00 P= E560.00 F=",
    wrong="A840.00, E560.00",
    pattern=_STEPS,
)
DAY: Final = Kind(
    name="Day",
    zh="日期 年-月-日（亚洲/上海）",
    en="a day YYYY-MM-DD of Asia/Shanghai",
    parse=_matching(_DAY, date.fromisoformat),
    render=date.isoformat,
    sample="2026-03-02",
    wrong="2026-3-2",
    pattern=_DAY,
)
INSTANT: Final = Kind(
    name="Instant",
    zh="带时区偏移的时刻，如 2026-03-02T08:00:00+08:00",
    en="an instant with offset (RFC 3339) such as 2026-03-02T08:00:00+08:00",
    parse=_matching(f"{_DAY}T{_TIME}{_OFFSET}", _instant),
    render=_instant_text,
    sample="2026-03-02T08:00:00+08:00",
    wrong="2026-03-02T08:00:00",
    pattern=f"{_DAY}T{_TIME}{_OFFSET}",
)
FEN: Final = _decimal(
    "Yuan", money.FEN_PLACES, "金额（元）", "an amount in yuan", money.fen, money.yuan
)
PRICE: Final = _decimal(
    "UnitPrice",
    money.PRICE_PLACES,
    "单价（元）",
    "a unit price in yuan",
    money.price,
    money.price_text,
)
QUANTITY: Final = _decimal(
    "Quantity", money.QUANTITY_PLACES, "数量", "a quantity", money.quantity, money.quantity_text
)
COUNT: Final = count_up_to("Count", 9_999_999)
YEAR: Final = count_up_to("Year", 2099, 1900)
BOOL: Final = Kind(
    name="Truth",
    zh="true 或 false",
    en="true or false",
    parse=_matching("true|false", _truth),
    render=_truth_text,
    sample="true",
    wrong="1",
    pattern="true|false",
)
BYTES: Final = Kind(
    name="Base64",
    zh="base64，无空白",
    en="base64 without white space",
    parse=_bytes,
    render=_base64,
    sample="UEQ5NGJXdy8+",
    wrong="不是 base64",
    pattern="[A-Za-z0-9+/]*={0,2}",
    longest=9_999_999,
)
