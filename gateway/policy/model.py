"""政策值的模型 The shape of a policy: dated values of the law, the texts they come from,
and the dated directory of institutions.

Nothing here opens a file; gateway.policy.load makes these objects and freezes them.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from gateway.domain.catalogue import Level


class PickedBy(StrEnum):
    """Which date of the bill or the case chooses the value."""

    SERVICE_DATE = "service_date"
    ADMISSION_DATE = "admission_date"
    DISCHARGE_DATE = "discharge_date"
    INJURY_DATE = "injury_date"
    SETTLEMENT_DATE = "settlement_date"
    EVENT_DATE = "event_date"

    # Equal words hash alike, and without a call of Python for every look-up.
    __hash__ = str.__hash__


class Unit(StrEnum):
    """What an amount counts. RATIO, PERCENT and DAYS_PER_MONTH are kept in ten-thousandths."""

    FEN = "fen"
    FEN_PER_DAY = "fen/day"
    RATIO = "ratio"
    PERCENT = "percent"
    DAYS = "days"
    WORKING_DAYS = "working_days"
    MONTHS = "months"
    YEARS = "years"
    HOURS = "hours"
    DAY_OF_MONTH = "day_of_month"
    MONTH = "month"
    DAYS_PER_MONTH = "days/month"
    WORD = "word"
    WORDS = "words"
    SWITCH = "switch"


class TextKind(StrEnum):
    """What a cited text is; it decides how its places are named and how far it is believed."""

    STATUTE = "statute"
    REGULATION = "regulation"
    NOTICE = "notice"
    REGIONAL = "regional"
    AGREEMENT = "agreement"
    REPORT = "report"
    MIRROR = "mirror"


class Capability(StrEnum):
    """What an institution may do for injured workers under its agreement (条例 第四十七条)."""

    MEDICAL = "MEDICAL"
    REHABILITATION = "REHABILITATION"
    DEVICE = "DEVICE"
    CROSS_PROVINCE = "CROSS_PROVINCE"


class PolicyGap(Exception):
    """政策缺口: the law says nothing for this key and day, so a person must decide.

    `key` and `day` name the missing value; `zh` and `en` are the sentences for people.
    """

    def __init__(self, key: str, day: date, zh: str, en: str) -> None:
        super().__init__(f"{zh} / {en}")
        self.key = key
        self.day = day
        self.zh = zh
        self.en = en


@dataclass(frozen=True, slots=True)
class Text:
    """A text that values cite: statute, regional document, service agreement, report."""

    key: str
    title: str
    kind: TextKind
    number: str = ""
    published: date | None = None
    in_force: date | None = None
    articles: int | None = None
    url: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Law:
    """The place a value comes from: an article of a text, or a clause of an agreement.

    `text` is a key of texts.toml; exactly one of `article` and `clause` is filled.
    """

    text: str
    article: str = ""
    clause: str = ""

    @property
    def place(self) -> str:
        """The article or the clause, whichever the text has."""
        return self.article or self.clause


@dataclass(frozen=True, slots=True)
class Value:
    """One amount from one day on.

    `amount` is fen for money, ten-thousandths for ratios and percents, a count for
    the other numbers, a word, several words or a bool. It is None when the law sets no limit
    (`unlimited`) and when the parameter was abolished (`ended`). `reading` marks our
    reading of a text that is not explicit, `weak` a source seen only on a web mirror.
    """

    since: date
    amount: int | str | bool | tuple[str, ...] | None
    law: Law
    note: str = ""
    reading: bool = False
    weak: bool = False
    unlimited: bool = False
    ended: bool = False

    @property
    def number(self) -> int:
        """The amount as an integer of its unit. TypeError when it is no number."""
        if isinstance(self.amount, bool) or not isinstance(self.amount, int):
            raise TypeError(f"not a number: {self.amount!r}")
        return self.amount

    @property
    def word(self) -> str:
        """The amount as one of the key's words. TypeError when it is no word."""
        if not isinstance(self.amount, str):
            raise TypeError(f"not a word: {self.amount!r}")
        return self.amount

    @property
    def words(self) -> tuple[str, ...]:
        """The amount as some of the key's words. TypeError when it is no list of words."""
        if not isinstance(self.amount, tuple):
            raise TypeError(f"no list of words: {self.amount!r}")
        return self.amount

    @property
    def switch(self) -> bool:
        """The amount as yes or no. TypeError when it is no switch."""
        if not isinstance(self.amount, bool):
            raise TypeError(f"not a switch: {self.amount!r}")
        return self.amount


@dataclass(frozen=True, slots=True)
class Dated:
    """One parameter of the law through time, oldest value first.

    `confirmed_on` is the day a person last saw the last value still in force;
    `final` marks a national value that a region may not replace.
    """

    name: str
    unit: Unit
    picked_by: PickedBy
    description: str
    confirmed_on: date | None
    values: tuple[Value, ...]
    overrides: str | None = None
    final: bool = False

    def on(self, day: date) -> Value:
        """The value in force on the day.

        Raises PolicyGap before the first value and from the day the parameter was
        abolished: an absent value is never replaced by 0 or by a neighbour.
        """
        for value in reversed(self.values):
            if value.since <= day:
                if value.ended:
                    raise _after_end(self.name, day, value.since)
                return value
        raise _before(self.name, day, self.values[0].since)


@dataclass(frozen=True, slots=True)
class Span:
    """From a day on; `ended` is the first day it no longer holds."""

    since: date
    ended: date | None = None

    def covers(self, day: date) -> bool:
        """Whether the day lies inside."""
        return self.since <= day and (self.ended is None or day < self.ended)


@dataclass(frozen=True, slots=True)
class Institution:
    """工伤保险协议机构 One institution with an agreement (条例 第四十七条).

    `code` is the pooling region's code for it; `level` is None where no text tells it;
    `online` names the agencies it settles with directly; `city` says that it lies in what the
    region's text on meals calls a city; `doctors` are those that may order for injured workers,
    by code, where the agreement lists them.
    """

    code: str
    name: str
    law: Law
    capabilities: tuple[tuple[Capability, Span], ...]
    online: tuple[tuple[str, Span], ...] = ()
    level: Level | None = None
    note: str = ""
    city: bool = False
    doctors: tuple[tuple[str, Span], ...] = ()

    def lists(self, doctor_code: str, day: date) -> bool:
        """Whether the agreement lets this doctor order on the day; one without a list lets all."""
        named = any(who == doctor_code and span.covers(day) for who, span in self.doctors)
        return named or not self.doctors

    def can(self, capability: Capability, day: date) -> bool:
        """Whether its agreement covers this capability on the day."""
        return any(what is capability and span.covers(day) for what, span in self.capabilities)

    def online_with(self, agency: str, day: date) -> bool:
        """Whether it settles directly with this agency on the day."""
        return any(who == agency and span.covers(day) for who, span in self.online)

    def designated_on(self, day: date) -> bool:
        """Whether any agreement with it is in force on the day."""
        return any(span.covers(day) for _, span in self.capabilities)


@dataclass(frozen=True, slots=True)
class Directory:
    """The pooling region's name, its agencies (code to name) and its institutions.

    Before `since` nobody knows who was designated, which is a gap and not a "no".
    """

    name: str
    since: date
    agencies: Mapping[str, str]
    institutions: tuple[Institution, ...]

    def find(self, code_or_name: str, day: date) -> Institution | None:
        """The institution of this code or full name designated on the day, or None."""
        return next(
            (
                one
                for one in self.institutions
                if code_or_name in (one.code, one.name) and one.designated_on(day)
            ),
            None,
        )


def _turns(parameters: Iterable[Dated]) -> tuple[date, ...]:
    by_service = (one for one in parameters if one.picked_by is PickedBy.SERVICE_DATE)
    return tuple(sorted({value.since for one in by_service for value in one.values}))


@dataclass(frozen=True, slots=True)
class Policy:
    """Everything one pooling region's law says, frozen, under the digest of its files.

    `national` holds every national parameter, those that the region replaced included.
    """

    region: str
    digest: str
    parameters: Mapping[str, Dated] = field(repr=False)
    texts: Mapping[str, Text] = field(repr=False)
    directory: Directory | None = field(default=None, repr=False)
    national: Mapping[str, Dated] = field(default_factory=dict, repr=False)
    _turns: tuple[date, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_turns", _turns(self.parameters.values()))

    def __hash__(self) -> int:
        return hash(self.digest)

    def turn(self, day: date) -> int:
        """Between which days the day lies on which a value picked by the service date begins or
        ends: on days of the same turn all of them are the same."""
        return bisect_right(self._turns, day)

    def value(self, key: str, day: date) -> Value:
        """The value of the key on the day.

        Raises PolicyGap when no text gives the key at all, before its first value
        and after its end.
        """
        dated = self.parameters.get(key)
        if dated is None:
            raise _silent(key, day)
        return dated.on(day)

    def find(self, key: str, day: date) -> Value | None:
        """As `value`, but None for a gap: only for rules that say "unless a region …"."""
        try:
            return self.value(key, day)
        except PolicyGap:
            return None

    def picked(self, key: str, dates: Mapping[PickedBy, date]) -> Value:
        """The value of the key on the date that the key itself names in `picked_by`.

        Raises PolicyGap as `value` does (a key that no text gives has no date of its
        own: the latest date is named), and KeyError when the date is not among `dates`.
        """
        dated = self.parameters.get(key)
        if dated is None:
            raise _silent(key, max(dates.values()))
        return dated.on(dates[dated.picked_by])

    def institution(self, code_or_name: str, day: date) -> Institution | None:
        """The institution with an agreement on the day, None when it has none.

        Raises PolicyGap when the region has no directory or the day lies before it.
        """
        if self.directory is None:
            raise _silent("directory", day)
        if day < self.directory.since:
            raise _before("directory", day, self.directory.since)
        return self.directory.find(code_or_name, day)


def _silent(key: str, day: date) -> PolicyGap:
    zh = f"政策缺口：没有依据规定 {key}（{day}），须由经办人员确定"
    return PolicyGap(key, day, zh, f"policy gap: no text gives {key} ({day}); a person must decide")


def _before(key: str, day: date, since: date) -> PolicyGap:
    zh = f"政策缺口：{key} 自 {since} 起才有规定，所查日期为 {day}"
    return PolicyGap(key, day, zh, f"policy gap: {key} has no value before {since}, asked: {day}")


def _after_end(key: str, day: date, ended: date) -> PolicyGap:
    zh = f"政策缺口：{key} 已于 {ended} 废止，所查日期为 {day}"
    return PolicyGap(key, day, zh, f"policy gap: {key} ended on {ended}, asked: {day}")
