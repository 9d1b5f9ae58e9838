"""政策参数文件 Reading one dated file: closed keys, closed units, every value with its place."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Any, Final, TypeVar

from gateway.domain.money import ONE
from gateway.policy.citation import read_law
from gateway.policy.faults import Page
from gateway.policy.keys import KEYS, LIFTABLE, Key, picks
from gateway.policy.model import Dated, PickedBy, Text, TextKind, Unit, Value

NO_LIMIT: Final = "none"
"""`is = "none"`: the article says that there is no limit."""

_NATIONAL_KINDS: Final = frozenset({TextKind.STATUTE, TextKind.REGULATION, TextKind.NOTICE})
_HEARSAY: Final = frozenset({TextKind.REPORT, TextKind.MIRROR})
_SCALES: Final = {
    Unit.RATIO: (ONE, 4, 0, 1),
    Unit.PERCENT: (ONE // 100, 2, 0, 100),
    Unit.DAYS_PER_MONTH: (ONE, 2, 1, 31),
}
_LAST: Final = {Unit.DAY_OF_MONTH: 31, Unit.MONTH: 12}
"""Units that count from 1, with the last number that they have."""
_MOST: Final = {
    # An amount of money has at most twelve digits before the point (gateway/domain/money.py).
    Unit.FEN: 10**14 - 1,
    Unit.FEN_PER_DAY: 10**14 - 1,
    # No period of the law is longer than a century.
    Unit.YEARS: 100,
    Unit.MONTHS: 1_200,
    Unit.DAYS: 36_525,
    Unit.WORKING_DAYS: 36_525,
    Unit.HOURS: 876_600,
    **_LAST,
}
"""Units that are counted, with the most that a file may say: beyond it is a slip of the pen."""
# Stands in for what a faulty file did not give; a file with a fault is never used.
_NO_DAY: Final = date.min

E = TypeVar("E", PickedBy, Unit)
Amount = int | str | bool | tuple[str, ...] | None


def read_parameter(
    page: Page, key: str, table: Mapping[str, Any], texts: Mapping[str, Text], *, national: bool
) -> Dated:
    """One file as a parameter; faults are noted on the page."""
    page.closed(
        table,
        "description unit picked_by value",
        "confirmed_on final" if national else "confirmed_on overrides",
    )
    unit = _member(page, table, "unit", Unit, Unit.WORD)
    spec = _spec(page, key, unit)
    values = tuple(_value(page, spec, row, texts) for row in page.tables(table, "value"))
    _check_order(page, values)
    confirmed_on = page.day(table, "confirmed_on", None)
    _check_confirmed(page, confirmed_on, values, texts)
    if national:
        _check_national(page, spec, values, texts)
    return Dated(
        name=key,
        unit=unit,
        picked_by=_picked_by(page, key, table),
        description=page.text(table, "description"),
        confirmed_on=confirmed_on,
        values=values,
        overrides=page.take(table, "overrides", str, None),
        final=page.take(table, "final", bool, False),
    )


def _spec(page: Page, key: str, unit: Unit) -> Key:
    spec = KEYS.get(key)
    if spec is None:
        page.fault(f"不认识的政策键 {key}", f"policy key {key} is not in the closed list")
        return Key(unit)
    if unit is not spec.unit:
        page.fault(f"{key} 的单位应为 {spec.unit}", f"{key} is counted in {spec.unit}")
    return spec


def _member(page: Page, table: Mapping[str, Any], key: str, kind: type[E], absent: E) -> E:
    word = page.take(table, key, str, "")
    if word in tuple(kind):
        return kind(word)
    page.fault(f"{key} 不可为“{word}”", f"{key} may not be {word!r}")
    return absent


def _picked_by(page: Page, key: str, table: Mapping[str, Any]) -> PickedBy:
    """The date that picks the value, of those that the rule of the key can ask."""
    chosen, allowed = _member(page, table, "picked_by", PickedBy, PickedBy.SERVICE_DATE), picks(key)
    if chosen not in allowed and "picked_by" in table:
        named = ", ".join(allowed)
        page.fault(
            f"{key} 的取值日只能是 {named}，不能是 {chosen}",
            f"{key} is picked by {named} and not by {chosen}",
        )
    return chosen


def _check_order(page: Page, values: tuple[Value, ...]) -> None:
    if not values:
        page.fault("没有任何值", "there is no value")
    elif values[0].ended:
        page.fault("第一个值不能是废止", "the first value may not be an end")
    for earlier, later in pairwise(values):
        if later.since <= earlier.since:
            page.fault(
                f"起始日期须递增：{earlier.since} 之后是 {later.since}",
                f"start dates must ascend: {later.since} follows {earlier.since}",
            )
        if earlier.ended and later.ended:
            page.fault(
                f"{later.since}：已于 {earlier.since} 废止的不能再废止",
                f"{later.since}: what ended on {earlier.since} cannot end again",
            )


def _check_confirmed(
    page: Page, day: date | None, values: tuple[Value, ...], texts: Mapping[str, Text]
) -> None:
    """A value may be confirmed before it begins, from the day that its text is public. Of several
    texts the first counts: a value entered later leaves the day of the others as it is."""
    known = [texts[value.law.text].published for value in values if value.law.text in texts]
    public = [one for one in known if one is not None]
    if day is not None and len(public) == len(values) > 0 and day < min(public):
        page.fault(
            f"confirmed_on {day} 早于所引文本公布之日",
            f"confirmed_on {day} is before any text of it was published",
        )


def _check_national(
    page: Page, spec: Key, values: tuple[Value, ...], texts: Mapping[str, Text]
) -> None:
    if spec.regional:
        page.fault("全国没有此项规定，只能由地方规定", "no national text gives this, only a region")
    for value in values:
        text = texts.get(value.law.text)
        if text is not None and text.kind not in _NATIONAL_KINDS:
            page.fault(
                f"{value.since}：全国性的值须引用全国性的文本",
                f"{value.since}: a national value must cite a national text",
            )


def _value(page: Page, key: Key, row: Mapping[str, Any], texts: Mapping[str, Text]) -> Value:
    page.closed(row, "from law", "is ended note reading weak")
    ended = page.take(row, "ended", bool, False)
    if ended is ("is" in row):
        page.fault("is 与 ended = true 须且只能有一个", "give either is or ended = true")
    unlimited = row.get("is") == NO_LIMIT and key.liftable
    amount = None if unlimited or "is" not in row else _amount(page, key, row["is"])
    value = Value(
        since=page.day(row, "from", _NO_DAY),
        amount=amount,
        law=read_law(page, row, texts),
        note=page.text(row, "note"),
        reading=page.take(row, "reading", bool, False),
        weak=page.take(row, "weak", bool, False),
        unlimited=unlimited,
        ended=ended,
    )
    _check_source(page, key, value, texts.get(value.law.text))
    return value


def _check_source(page: Page, key: Key, value: Value, text: Text | None) -> None:
    since = value.since
    if (value.weak or value.reading) and not value.note:
        page.fault(f"{since}：weak 或 reading 须有 note", f"{since}: weak or reading needs a note")
    if text is None:
        return
    if text.kind is TextKind.MIRROR and not value.weak:
        page.fault(f"{since}：网页转载须标 weak", f"{since}: a web mirror is weak = true")
    if text.in_force is not None and since < text.in_force:
        page.fault(
            f"{since} 早于依据的施行日 {text.in_force}",
            f"{since} is before its text came into force on {text.in_force}",
        )
    if key.by_agreement and not value.law.clause:
        page.fault(f"{since}：须引用协议条款", f"{since}: only an agreement clause can give this")
    if _must_be_founded(key, value) and (not value.law.article or text.kind in _HEARSAY):
        page.fault(
            f"{since}：低于 1 的支付比例、不设限额须引用原文条款",
            f"{since}: a ratio below 1 and a lifted limit need an article of a text that was read",
        )


def _must_be_founded(key: Key, value: Value) -> bool:
    is_cut = key.unit is Unit.RATIO and value.amount is not None and value.amount != ONE
    return is_cut or value.unlimited


def _amount(page: Page, key: Key, given: object) -> Amount:
    if key.unit is Unit.WORD:
        return _word(page, key, given)
    if key.unit is Unit.WORDS:
        return _words(page, key, given)
    if key.unit is Unit.SWITCH:
        return _switch(page, given)
    if key.unit in _SCALES:
        return _ten_thousandths(page, key.unit, given)
    return _count(page, key.unit, given)


def _word(page: Page, key: Key, given: object) -> Amount:
    if isinstance(given, str) and given in key.words:
        return given
    allowed = ", ".join(key.words)
    page.fault(f"is 应为其中之一：{allowed}", f"is must be one of: {allowed}")
    return None


def _words(page: Page, key: Key, given: object) -> Amount:
    """Each word once, in the order of the closed list."""
    if isinstance(given, list) and len(set(map(str, given))) == len(given):
        chosen = tuple(word for word in key.words if word in given)
        if len(chosen) == len(given):
            return chosen
    allowed = ", ".join(key.words)
    page.fault(f"is 应为下列词的列表，不重复：{allowed}", f"is must be a list of: {allowed}")
    return None


def _switch(page: Page, given: object) -> Amount:
    if isinstance(given, bool):
        return given
    page.fault("is 应为 true 或 false", "is must be true or false")
    return None


def _count(page: Page, unit: Unit, given: object) -> Amount:
    if type(given) is int and given > _MOST[unit]:
        page.fault(
            f"is 为 {given}，超过 {unit} 的最大值 {_MOST[unit]}",
            f"is is {given}, more than {_MOST[unit]}, the most of {unit}",
        )
        return None
    if type(given) is int and given >= (unit in _LAST):
        return given
    page.fault(f"is 应为 {unit} 的非负整数", f"is must be a whole number of {unit}, not negative")
    if given == NO_LIMIT:
        able = ", ".join(LIFTABLE)
        page.fault(
            f"此键的规则须有数目；只有 {able} 可以不设限额",
            f"the rule of this key needs the number; only {able} may have no limit",
        )
    return None


def _ten_thousandths(page: Page, unit: Unit, given: object) -> Amount:
    scale, places, least, most = _SCALES[unit]
    number = Decimal(given) if type(given) is int else given
    if isinstance(number, Decimal) and _is_plain(number, places) and least <= number <= most:
        return int(number * scale)
    page.fault(
        f"is 应为 {least} 至 {most} 的数，最多 {places} 位小数",
        f"is must be between {least} and {most} with at most {places} decimals",
    )
    return None


def _is_plain(number: Decimal, places: int) -> bool:
    exponent = number.as_tuple().exponent
    return isinstance(exponent, int) and -places <= exponent <= 0
