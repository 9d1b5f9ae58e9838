"""条款的引用 Reading where a value comes from, and refusing a place no text can have."""

import re
from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from gateway.policy.faults import Page
from gateway.policy.model import Law, Text, TextKind

_NUMERAL: Final = "[零一二三四五六七八九十百]+"
_ARTICLE: Final = re.compile(rf"第({_NUMERAL})条(?:第{_NUMERAL}款)?(?:第（{_NUMERAL}）项)?")
_HEADING: Final = re.compile(_NUMERAL)
_DIGITS: Final = "零一二三四五六七八九"
_PLACES: Final = {"十": 10, "百": 100}
_NUMBERED: Final = frozenset({TextKind.STATUTE, TextKind.REGULATION})
_SOMETIMES_NUMBERED: Final = frozenset({TextKind.NOTICE, TextKind.REGIONAL})


def chinese_number(text: str) -> int:
    """The value of a numeral below one thousand: 二十二 is 22, 一百零三 is 103."""
    total, digit = 0, 0
    for sign in text:
        if sign in _PLACES:
            total += (digit or 1) * _PLACES[sign]
            digit = 0
        else:
            digit = _DIGITS.index(sign)
    return total + digit


def read_texts(page: Page, table: Mapping[str, Any]) -> dict[str, Text]:
    """The texts of texts.toml by key; faults are noted on the page."""
    return {key: _text(page, key, entry) for key, entry in table.items()}


def _text(page: Page, key: str, entry: object) -> Text:
    row = entry if isinstance(entry, dict) else {}
    page.closed(row, "title kind", "number published in_force articles url note")
    return Text(
        key=key,
        title=page.take(row, "title", str, ""),
        kind=_kind(page, row),
        number=page.take(row, "number", str, ""),
        published=page.take(row, "published", date, None),
        in_force=page.take(row, "in_force", date, None),
        articles=page.take(row, "articles", int, None),
        url=page.take(row, "url", str, ""),
        note=page.take(row, "note", str, ""),
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
    if not place:
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
    elif text.articles is not None and chinese_number(match.group(1)) > text.articles:
        page.fault(
            f"{text.title}共 {text.articles} 条，没有 {law.article}",
            f"{text.key} has {text.articles} articles and no {law.article}",
        )


def _may_be_unnumbered(kind: TextKind, article: str) -> bool:
    if kind in _SOMETIMES_NUMBERED:
        return _HEADING.fullmatch(article) is not None
    return kind not in _NUMBERED
