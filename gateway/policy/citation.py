"""条款的引用 Reading where a value comes from, and refusing a place no text can have."""

import re
from collections.abc import Mapping
from typing import Any, Final

from gateway.policy.faults import Page
from gateway.policy.model import Law, Text, TextKind

_NUMERAL: Final = "([零一二三四五六七八九十百千]+)"
_ARTICLE: Final = re.compile(rf"第{_NUMERAL}条(?:第{_NUMERAL}款)?(?:第（{_NUMERAL}）项)?")
_HEADING: Final = re.compile(_NUMERAL)
_DIGITS: Final = "零一二三四五六七八九"
_PLACES: Final = {"十": 10, "百": 100, "千": 1000}
_NUMBERED: Final = frozenset({TextKind.STATUTE, TextKind.REGULATION})
_SOMETIMES_NUMBERED: Final = frozenset({TextKind.NOTICE, TextKind.REGIONAL})


def chinese_number(text: str) -> int | None:
    """The value of a numeral from 一 to below ten thousand: 二十二 is 22, 一百零三 is 103. None
    for one that no text writes (零, 一二, 三零十)."""
    total, digit = 0, 0
    for sign in text:
        if sign in _PLACES:
            total += (digit or 1) * _PLACES[sign]
            digit = 0
        else:
            digit = _DIGITS.index(sign)
    number = total + digit
    return number if _written(number) == text else None


def _written(number: int) -> str:
    """The number as texts write it; nothing for 0, and for what needs more places than four."""
    places = ("", *_PLACES)[: len(str(number))]
    if len(places) < len(str(number)):
        return ""
    pairs = zip(str(number), reversed(places), strict=True)
    signs = "".join(_DIGITS[int(digit)] + (place if digit != "0" else "") for digit, place in pairs)
    return re.sub("零+", "零", signs).rstrip("零").removeprefix("一" if signs[:2] == "一十" else "")


def read_texts(page: Page, table: Mapping[str, Any]) -> dict[str, Text]:
    """The texts of texts.toml by key; faults are noted on the page."""
    return {key: _text(page, key, entry) for key, entry in table.items()}


def _text(page: Page, key: str, entry: object) -> Text:
    row = entry if isinstance(entry, dict) else {}
    page.closed(row, "title kind", "number published in_force articles url note")
    text = Text(
        key=key,
        title=page.text(row, "title"),
        kind=_kind(page, row),
        number=page.text(row, "number"),
        published=page.day(row, "published", None),
        in_force=page.day(row, "in_force", None),
        articles=page.take(row, "articles", int, None),
        url=page.text(row, "url"),
        note=page.text(row, "note"),
    )
    _check_text(page, text)
    return text


def _check_text(page: Page, text: Text) -> None:
    if text.articles is not None and text.articles < 1:
        page.fault(
            f"{text.key}：articles 为 {text.articles}，文本至少有一条",
            f"{text.key}: articles is {text.articles}, and a text has one at least",
        )
    # 立法法 第一百零四条: a text reaches back only by a provision of its own.
    reaches_back = text.published and text.in_force and text.in_force < text.published
    if reaches_back and not text.note:
        page.fault(
            f"{text.key}：施行日 {text.in_force} 早于公布日 {text.published}，须在 note 写明其规定",
            f"{text.key}: in force on {text.in_force}, before it was published on "
            f"{text.published}: a note must name the provision",
        )


def _kind(page: Page, row: Mapping[str, Any]) -> TextKind:
    """The kind of a text, from the closed list."""
    name = page.take(row, "kind", str, "")
    if name in tuple(TextKind):
        return TextKind(name)
    page.fault(f"不认识的文本种类 {name}", f"text kind {name!r} is not known")
    return TextKind.MIRROR


def read_law(page: Page, row: Mapping[str, Any], texts: Mapping[str, Text]) -> Law:
    """The law of a value: {text, article}, or {agreement, clause} for a service agreement."""
    entry = row.get("law")
    table = entry if isinstance(entry, dict) else {}
    if "agreement" in table:
        page.closed(table, "agreement clause")
        law = Law(page.take(table, "agreement", str, ""), clause=_place(page, table, "clause"))
    else:
        page.closed(table, "text article")
        law = Law(page.take(table, "text", str, ""), article=_place(page, table, "article"))
    _check_place(page, law, texts.get(law.text))
    return law


def _place(page: Page, table: Mapping[str, Any], key: str) -> str:
    place = page.take(table, key, str, "")
    if not place.strip():
        page.fault(f"未写明 {key}：每个值都要有依据", f"{key} is empty: each value needs its place")
    return place


def _check_place(page: Page, law: Law, text: Text | None) -> None:
    if text is None:
        page.fault(f"texts.toml 没有 {law.text}", f"texts.toml has no {law.text}")
        return
    if bool(law.clause) is not (text.kind is TextKind.AGREEMENT):
        page.fault(
            f"{law.text}：协议引用 clause，其他文本引用 article",
            f"{law.text}: an agreement is cited by clause, any other text by article",
        )
    _check_numbering(page, law, text)


def _check_numbering(page: Page, law: Law, text: Text) -> None:
    match = _ARTICLE.fullmatch(law.article)
    if match is None:
        if not _may_be_unnumbered(text.kind, law.article):
            page.fault(
                f"“{law.article}”不是条款（如 第十七条第一款）",
                f"{law.article!r} is no article (as in 第十七条第一款)",
            )
        match = _HEADING.fullmatch(law.article)
    numerals = [] if match is None else [one for one in match.groups() if one is not None]
    _check_numerals(page, law.article, numerals)
    _check_articles(page, law, text)


def _check_numerals(page: Page, article: str, numerals: list[str]) -> None:
    for numeral in numerals:
        if chinese_number(numeral) is None:
            page.fault(
                f"“{article}”：{numeral} 不是规范的中文数字（自一起，如 二十二、一百零三）",
                f"{article!r}: {numeral} is no canonical numeral (from 一, as 二十二, 一百零三)",
            )


def _check_articles(page: Page, law: Law, text: Text) -> None:
    match = _ARTICLE.fullmatch(law.article)
    number = 0 if match is None else chinese_number(match.group(1)) or 0
    if text.articles is not None and number > text.articles:
        page.fault(
            f"{text.title}共 {text.articles} 条，没有 {law.article}",
            f"{text.key} has {text.articles} articles and no {law.article}",
        )


def _may_be_unnumbered(kind: TextKind, article: str) -> bool:
    if kind in _SOMETIMES_NUMBERED:
        return _HEADING.fullmatch(article) is not None
    return kind not in _NUMBERED
