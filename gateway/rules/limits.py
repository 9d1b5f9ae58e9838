"""限定支付范围 The remark limits of the drug list, read as conditions where the text allows.

A condition is read only where it binds the whole remark; alternatives and clinical wording
stay as they stand for a person. Nothing is refused on words that were not understood.
（国家基本医疗保险、工伤保险和生育保险药品目录 凡例：备注栏的限定支付范围）
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from enum import Enum, auto
from functools import cache
from typing import Final

from gateway.domain.admission import Sex, Stay
from gateway.domain.catalogue import Level

_NO_LIMIT: Final = frozenset({"◇", "限工伤保险", "限生育保险"})
"""◇ names a group of drugs; the limits to one insurance are columns of their own."""
_COURSE: Final = re.compile(
    r"(.*?)([，。]?)(?:单次住院)?(?:最多支付|支付不超过)([0-9]+)天", re.DOTALL
)
_LEVEL: Final = re.compile(r"二级及以上医疗机构(?:的|并有|用于)?")
_ALTERNATIVES: Final = re.compile(r"[；/或。]|[0-9]\.(?![0-9])")
_LISTED: Final = re.compile(r"：?[0-9]\.")
_AT_LEAST: Final = re.compile(r"([0-9]+)岁(?:[和及]\1岁)?及?以上(?:的?患者)?的?")
_BETWEEN: Final = re.compile(
    r"([0-9]+)岁?[至-]([0-9]+)周?岁(?!以下|及以上)(?:儿童和青少年的|儿童)?"
)
_ADULT: Final = re.compile(r"(?<![和、及与])(?:成人|成年)(?![和、及与以])")
_YOUNG: Final = ("儿童", "青少年")
_CHILD: Final = re.compile(r"儿童(?![和、及与])")
_SEXES: Final = {"女性": Sex.FEMALE, "妇女": Sex.FEMALE, "男性": Sex.MALE}
_SECOND_LINE: Final = re.compile(r"(?:患者)?的?二线(?:用药|治疗)$")
_INPATIENT: Final = re.compile(r"(?:急诊或)?住院患者$")
_TAIL: Final = re.compile(r"(?:\([A-Za-z0-9-]+\))?(?:的?患者)?$")
_NOT_ONE: Final = re.compile(r"[，、和及且并与：]")


class Unmet(Enum):
    """Which condition of a remark the facts contradict, or the agency found not met."""

    LEVEL = auto()
    COURSE = auto()
    AGE = auto()
    SEX = auto()
    DECIDED = auto()


class ForPerson(Enum):
    """Which condition of a remark only a person can judge; age and sex where nobody told them."""

    SECOND_LINE = auto()
    AGE = auto()
    SEX = auto()
    INDICATION = auto()
    WORDING = auto()


@dataclass(frozen=True, slots=True)
class Limits:
    """What a remark demands; all of it must hold, of `indications` any one.

    Years are completed years of age. `rest` is the wording that only a person can read.
    """

    secondary_up: bool = False
    most_days: int | None = None
    least_years: int | None = None
    most_years: int | None = None
    adult: bool | None = None
    sex: Sex | None = None
    second_line: bool = False
    indications: tuple[str, ...] = ()
    rest: str = ""

    def __bool__(self) -> bool:
        """Whether anything is demanded."""
        return self != NONE


NONE: Final = Limits()


@cache
def read(remark: str) -> Limits:
    """The limits that a remark sets; NONE when it sets none."""
    text = remark.strip().rstrip("。")
    if text in _NO_LIMIT:
        return NONE
    limits, text = _course(text)
    text = text.removeprefix("限")
    level = _LEVEL.match(text)
    if level is not None and "；" not in text:
        limits, text = replace(limits, secondary_up=True), text[level.end() :]
    text = _INPATIENT.sub("", text)
    if _ALTERNATIVES.search(text):
        return _indicated(limits, text)
    return _person(limits, text)


def _course(text: str) -> tuple[Limits, str]:
    """Days at the end of a remark bind the whole of it, but after a comma only what has no
    alternatives."""
    found = _COURSE.fullmatch(text)
    if found is None:
        return NONE, text
    before, comma, days = found.groups()
    if comma != "。" and "；" in before:
        return NONE, text
    return Limits(most_days=int(days)), before


def _person(limits: Limits, text: str) -> Limits:
    """Age, sex and line of treatment, where the remark has no alternatives."""
    second_line = _SECOND_LINE.search(text)
    if second_line is not None:
        limits, text = replace(limits, second_line=True), text[: second_line.start()]
    limits, text = _age(limits, text)
    sex = next((sex for word, sex in _SEXES.items() if word in text), None)
    return _indicated(replace(limits, sex=sex), text)


def _age(limits: Limits, text: str) -> tuple[Limits, str]:
    if between := _BETWEEN.match(text):
        least, most = (int(years) for years in between.groups())
        return replace(limits, least_years=least, most_years=most), text[between.end() :]
    if at_least := _AT_LEAST.match(text):
        return replace(limits, least_years=int(at_least[1])), text[at_least.end() :]
    young = any(word in text for word in _YOUNG)
    if not young and (adult := _ADULT.search(text)):
        return replace(limits, adult=True), text[: adult.start()] + text[adult.end() :]
    if "成人" not in text and "成年" not in text and (child := _CHILD.match(text)):
        return replace(limits, adult=False), text[child.end() :]
    return limits, text


def _indicated(limits: Limits, text: str) -> Limits:
    """Plain names of diseases as indications; any other wording is left for a person."""
    listed = [one for one in _LISTED.split(text) if one] if _LISTED.match(text) else [text]
    names = tuple(_name(one.rstrip("；")) for one in listed)
    if not any(names):
        return limits
    plain = all(names) and not any(
        _ALTERNATIVES.search(name) or _NOT_ONE.search(name) for name in names
    )
    return replace(limits, indications=names) if plain else replace(limits, rest=text)


def _name(text: str) -> str:
    return _TAIL.sub("", _TAIL.sub("", text)).removesuffix("的")


@dataclass(frozen=True, slots=True)
class Using:
    """One use of a drug: on which of its days in the stay (the first is 0), where, by whom.

    `adult_years` is the age of majority.
    """

    stay: Stay
    level: Level
    day: date
    nth_day: int
    adult_years: int


def unmet(limits: Limits, using: Using) -> Unmet | None:
    """The first condition that the facts contradict; unknown facts contradict nothing."""
    if limits.secondary_up and using.level is Level.PRIMARY:
        return Unmet.LEVEL
    if limits.most_days is not None and using.nth_day >= limits.most_days:
        return Unmet.COURSE
    if _outside_age(limits, using):
        return Unmet.AGE
    sex = using.stay.sex
    return Unmet.SEX if limits.sex and sex and sex is not limits.sex else None


def _outside_age(limits: Limits, using: Using) -> bool:
    born = using.stay.born_on
    if born is None:
        return False
    years = completed_years(born, using.day)
    if limits.adult is not None and limits.adult is not (years >= using.adult_years):
        return True
    too_young = limits.least_years is not None and years < limits.least_years
    return too_young or (limits.most_years is not None and years > limits.most_years)


def completed_years(born: date, day: date) -> int:
    """Years of age 周岁 on the day."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def needs_age(limits: Limits) -> bool:
    """Whether the remark asks for the age of the person."""
    return (limits.adult, limits.least_years, limits.most_years) != (None, None, None)


def for_person(limits: Limits, stay: Stay) -> ForPerson | None:
    """The first condition that only a person can judge, if any."""
    if limits.rest:
        return ForPerson.WORDING
    if limits.second_line:
        return ForPerson.SECOND_LINE
    if needs_age(limits) and stay.born_on is None:
        return ForPerson.AGE
    if limits.sex is not None and stay.sex is None:
        return ForPerson.SEX
    names = (one.name for one in stay.diagnoses)
    return None if indicated(limits.indications, names) else ForPerson.INDICATION


def indicated(indications: Iterable[str], diagnoses: Iterable[str]) -> bool:
    """Whether a diagnosis is by name one of the indications, or none is asked for.

    Only equal names count: 疑似, 史 and 待排 stand beside the name they take back.
    """
    wanted = set(indications)
    return not wanted or not wanted.isdisjoint(_name(name.strip()) for name in diagnoses)
