"""`gateway policy check|show|diff`: what the dated files of the law say, and whether they may.

Nothing here changes a file; a value is entered by writing its file and checking it.
"""

import asyncio
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Final, TextIO

from gateway.policy.faults import BadPolicy, Fault
from gateway.policy.keys import KEYS
from gateway.policy.load import load, load_archive, regions, strays
from gateway.policy.model import Dated, Institution, Policy, PolicyGap, Unit, Value
from gateway.rules.cited import citation
from gateway.settings import Settings
from gateway.store.editions import policy_content
from gateway.verbs.stored import NotTold, looking

GOOD: Final = 0
FAULTY: Final = 1
_NONE: Final = "没有 none"
_REGION: Final = re.compile(r"[0-9]{6}")
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_UNITS: Final = {
    Unit.FEN: "元 yuan",
    Unit.FEN_PER_DAY: "元/天 yuan/day",
    Unit.DAYS: "天 days",
    Unit.WORKING_DAYS: "个工作日 working days",
    Unit.MONTHS: "个月 months",
    Unit.YEARS: "年 years",
    Unit.HOURS: "小时 hours",
    Unit.DAY_OF_MONTH: "日 day of the month",
    Unit.MONTH: "月 month",
    Unit.DAYS_PER_MONTH: "天/月 days a month",
}


# --- check -----------------------------------------------------------------------------------


def check(region: str, root: Path, today: date, out: TextIO) -> int:
    """Read every file of one region, or of all (""); 0 when nothing is wrong, else 1.

    Every fault of every file is written once, with the path of its file under `root`. Nobody
    can have confirmed a value on a day after `today`.
    """
    told, faults = [], dict.fromkeys(strays(root))
    for code in (region,) if region else regions(root):
        try:
            policy = load(code, root)
        except BadPolicy as bad:
            faults |= dict.fromkeys(bad.faults)
        else:
            faults |= dict.fromkeys(_confirmed_ahead(policy, root, today))
            told.append(f"{code}  {len(policy.parameters)} 个键 keys  {policy.digest}")
    _write(out, (*told, *_faulty(faults)))
    return FAULTY if faults else GOOD


def _confirmed_ahead(policy: Policy, root: Path, today: date) -> Iterator[Fault]:
    (folder,) = root.glob(f"regions/{policy.region}_*")
    own = folder.relative_to(root).as_posix()
    for key, dated in policy.parameters.items():
        day = dated.confirmed_on
        if day is not None and day > today:
            place = "national" if dated is policy.national.get(key) else own
            yield Fault(
                f"{place}/{key}.toml",
                f"confirmed_on {day} 在今天（{today}）之后，没有人能核对过",
                f"confirmed_on {day} is after today ({today}): nobody can have confirmed it",
            )


def _faulty(faults: Iterable[Fault]) -> list[str]:
    lines = [str(fault) for fault in faults]
    return [*lines, f"{len(lines)} 处错误 faults" if lines else "没有错误 no fault"]


# --- show ------------------------------------------------------------------------------------


def show(region: str, key: str, day: date, out: TextIO) -> int:
    """The value of the key in the region on the day, with its source; 1 when there is none."""
    try:
        lines, code = tuple(_shown(load(region), key, day)), GOOD
    except BadPolicy as bad:
        lines, code = tuple(_faulty(bad.faults)), FAULTY
    except PolicyGap as gap:
        lines, code = (f"{gap.zh} / {gap.en}", *_nearest(key)), FAULTY
    _write(out, lines)
    return code


def _shown(policy: Policy, key: str, day: date) -> Iterator[str]:
    """Raises PolicyGap."""
    value, dated = policy.value(key, day), policy.parameters[key]
    yield f"{key}  {dated.description}"
    yield f"  取值 value      {_amount(policy, key, value)}"
    yield f"  生效 in force   {_span(dated, value)}"
    yield f"  依据 law        {_place(policy, value)}"
    yield from (f"  文本 text       {line}" for line in _text(policy, value))
    yield from (f"  说明 note       {line}" for line in _believed(value))
    yield f"  取值日 picked by {dated.picked_by}"
    yield f"  核对 confirmed  {dated.confirmed_on or '没有人核对过 by nobody yet'}"
    yield f"  来自 from       {_origin(policy, key, day)}"


def _amount(policy: Policy, key: str, value: Value) -> str:
    if value.ended:
        return "废止 abolished"
    shown = citation(policy, key, value).value
    unit = "" if value.unlimited else _UNITS.get(policy.parameters[key].unit, "")
    return f"{shown} {unit}".rstrip()


def _place(policy: Policy, value: Value) -> str:
    return f"《{policy.texts[value.law.text].title}》{value.law.place}"


def _span(dated: Dated, value: Value) -> str:
    later = [one.since for one in dated.values if one.since > value.since]
    if not later:
        return f"自 {value.since} 起 since {value.since}"
    last = later[0] - timedelta(days=1)
    return f"{value.since} 至 {last} from {value.since} to {last}"


def _text(policy: Policy, value: Value) -> Iterator[str]:
    text = policy.texts[value.law.text]
    facts = (text.number, text.in_force and f"{text.in_force} 起施行 in force", text.url, text.note)
    return (str(fact) for fact in facts if fact)


def _believed(value: Value) -> Iterator[str]:
    if value.reading:
        yield "本系统的理解 our reading"
    if value.weak:
        yield "弱依据：仅见网页转载 weak: seen on a web mirror only"
    if value.note:
        yield value.note


def _origin(policy: Policy, key: str, day: date) -> str:
    """Who gave the value, whom it replaces, and whether another may replace it."""
    dated, national = policy.parameters[key], policy.national.get(key)
    if dated is national:
        may = "地方不得替换 final" if dated.final else "地方可以替换 a region may replace it"
        return f"全国 national（{may}）"
    own = f"统筹地区 region {policy.region}"
    if national is None:
        return f"{own}（全国没有规定 no national value）"
    return f"{own}，替换 replaces national/{key}：{_on(policy, national, key, day)}"


def _on(policy: Policy, dated: Dated, key: str, day: date) -> str:
    try:
        return _cited(policy, key, dated.on(day))
    except PolicyGap as gap:
        return f"{gap.zh} / {gap.en}"


def _cited(policy: Policy, key: str, value: Value) -> str:
    marks = [
        word for word, is_so in (("理解 reading", value.reading), ("弱 weak", value.weak)) if is_so
    ]
    told = [f"自 {value.since} 起 since", _place(policy, value), *marks]
    return f"{_amount(policy, key, value)}（{'，'.join(told)}）"


def _nearest(key: str) -> tuple[str, ...]:
    """For a key that is not in the closed list: those written alike."""
    if key in KEYS:
        return ()
    alike = "、".join(get_close_matches(key, KEYS)) or "见 see gateway/policy/README.md"
    return (f"没有这个键 no such key；相近的 written alike：{alike}",)


# --- diff ------------------------------------------------------------------------------------


def diff(settings: Settings, old: str, new: str, day: date | None, out: TextIO) -> int:
    """What changes from one policy to another: key, old, new, article; 1 when one is not here.

    Each is a region's code (its files as shipped) or the digest of a stored edition. Without
    a day the whole series of values are compared.
    """
    try:
        before, after = _policy(settings, old), _policy(settings, new)
    except BadPolicy as bad:
        _write(out, _faulty(bad.faults))
        return FAULTY
    except NotTold as silent:
        sys.stderr.write(f"{silent}\n")
        return FAULTY
    changes = [*_values_changed(before, after, day), *_directory_changed(before, after, day)]
    _write(out, (line for change in changes for line in change))
    _write(out, [f"{len(changes)} 处不同 differences"])
    return GOOD


def _policy(settings: Settings, name: str) -> Policy:
    """Raises BadPolicy, and NotTold for a name that is neither a region nor a kept digest."""
    if _REGION.fullmatch(name):
        return load(name)
    if not _DIGEST.fullmatch(name):
        raise NotTold(
            f"{name} 不是六位地区代码，也不是 64 位摘要",
            f"{name} is neither a region of six digits nor a digest of 64",
        )
    shipped = (load(code) for code in regions())
    found = next((policy for policy in shipped if policy.digest == name), None)
    return found or load_archive(asyncio.run(_stored(settings, name)))


async def _stored(settings: Settings, digest: str) -> bytes:
    async with looking(settings) as reader:
        content = await policy_content(reader, digest)
    if content is None:
        raise NotTold(f"库中没有政策版本 {digest}", f"no policy edition {digest} is stored")
    return content


Change = tuple[str, str, str]


def _values_changed(before: Policy, after: Policy, day: date | None) -> Iterator[Change]:
    for key in sorted({*before.parameters, *after.parameters}):
        old, new = _series(before, key, day), _series(after, key, day)
        if old != new:
            yield f"{key}", f"  - {old}", f"  + {new}"


def _series(policy: Policy, key: str, day: date | None) -> str:
    dated = policy.parameters.get(key)
    if dated is None:
        return "没有规定 no value"
    cited = (_cited(policy, key, value) for value in dated.values)
    told = "；".join(cited) if day is None else _on(policy, dated, key, day)
    return f"{dated.picked_by}: {told}"


def _directory_changed(before: Policy, after: Policy, day: date | None) -> Iterator[Change]:
    old, new = _known(before, day), _known(after, day)
    if old != new:
        yield "名录 directory", f"  - {old}", f"  + {new}"
    yield from _institutions_changed(_institutions(before, day), _institutions(after, day))


def _known(policy: Policy, day: date | None) -> str:
    """From when on, or whether on the day, anybody knows who is designated."""
    directory = policy.directory
    if directory is None or (day is not None and day < directory.since):
        return _NONE
    return "有 known" if day is not None else f"自 {directory.since} 起 since {directory.since}"


def _institutions_changed(old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[Change]:
    for code in sorted({*old, *new}):
        was, now = old.get(code, _NONE), new.get(code, _NONE)
        if was != now:
            yield f"名录 directory {code}", f"  - {was}", f"  + {now}"


def _institutions(policy: Policy, day: date | None) -> dict[str, str]:
    if policy.directory is None or _known(policy, day) == _NONE:
        return {}
    listed = policy.directory.institutions
    return {one.code: _listed(one, day) for one in listed if day is None or one.designated_on(day)}


def _listed(one: Institution, day: date | None) -> str:
    doctors = [(f"医生 doctor {code}", span) for code, span in one.doctors]
    told = [
        f"{what} {span.since}–{span.ended or ''}"
        for what, span in (*one.capabilities, *one.online, *doctors)
        if day is None or span.covers(day)
    ]
    level = "" if one.level is None else f" {one.level.value}"
    city = " 市区 city" if one.city else ""
    # A list of which nobody may order on the day is not the same as none.
    limited = " 限名单内的医生 listed doctors only" if one.doctors else ""
    return f"{one.name}{level}{city}{limited}：{'，'.join(told)}"


def _write(out: TextIO, lines: Iterable[str]) -> None:
    out.writelines(f"{line}\n" for line in lines)
