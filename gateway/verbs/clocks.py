"""`gateway clocks`: what is due, when, and who has to act 期限一览.

`--event NAME --since DAY` tells the end of one clock for a paper that is not in the store.
"""

import asyncio
import sys
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Final, TextIO

from gateway.policy.load import load
from gateway.policy.model import Policy
from gateway.rules.cited import citation
from gateway.rules.clocks import (
    CLOCKS,
    Clock,
    Deadline,
    NoSuchDay,
    Owner,
    deadline,
    of_applications,
    of_cases,
    of_cuts,
    of_months,
    of_stays,
)
from gateway.settings import Settings
from gateway.store.calendar import Calendar
from gateway.store.clocks import open_applications, open_cases, open_months, open_stays
from gateway.store.cuts import pending_cuts
from gateway.verbs.stored import NotTold, looking

TOLD: Final = 0
NOT_TOLD: Final = 1
_OWNERS: Final = {
    Owner.EMPLOYER: "用人单位 employer",
    Owner.WORKER: "职工 worker",
    Owner.HOSPITAL: "医院 hospital",
    Owner.AGENCY: "经办机构 agency",
    Owner.DEPARTMENT: "社会保险行政部门 department",
    Owner.ASSESSMENT_COMMITTEE: "劳动能力鉴定委员会 assessment committee",
}
_TO_TELL: Final = {
    "REFUSE_ACCEPTANCE": (
        "补正中，以 case.decide 的 SupplementBy 告知最后一日",
        "documents being supplied; tell the last day by SupplementBy of case.decide",
    ),
    "ACCEPTANCE": (
        "已申请，以 case.decide 的 AppliedOn 告知申请日",
        "applied for; tell the day by AppliedOn of case.decide",
    ),
}
_ACCEPTED_TO_TELL: Final = (
    "已受理，以 case.decide 的 AcceptedOn 告知受理日",
    "accepted; tell the day by AcceptedOn of case.decide",
)
"""Of the clocks of recognition."""
_ANEW_TO_TELL: Final = (
    "撤销后重新受理，原受理日不再起算，新的起算日没有告知",
    "accepted anew after a revocation: the first acceptance starts nothing now, no later day is "
    "told",
)


def run(settings: Settings, today: date, out: TextIO) -> int:
    """Every clock that runs, the most urgent first, counted from `today`.

    The exit code is 0, or 1 with a sentence on standard error. The store is only read.
    """
    try:
        found = asyncio.run(_running(settings))
    except NotTold as silent:
        sys.stderr.write(f"{silent}\n")
        return NOT_TOLD
    found.sort(key=lambda one: (one.due is None, one.due or one.since, one.subject))
    texts = (*told(found, today), *not_running(found))
    out.writelines(f"{text}\n" for text in texts)
    return TOLD


def run_one(settings: Settings, event: str, since: date, today: date, out: TextIO) -> int:
    """The end of one clock that starts on `since`; 1 when no text gives its length."""
    policy = load(settings.region)
    endless = _endless(policy, CLOCKS[event], since)
    if endless:
        out.write(f"{endless}\n")
        return TOLD
    try:
        found = deadline(policy, Calendar(), event, since)
    except NoSuchDay:
        sys.stderr.write(
            f"没有这一天：自 {since} 起算的期限超出日历 / no such day: "
            f"the clock of {since} ends after the last day there is\n"
        )
        return NOT_TOLD
    out.writelines(f"{text}\n" for text in _one(found, today))
    return NOT_TOLD if found.gap else TOLD


def _endless(policy: Policy, clock: Clock, since: date) -> str:
    """That a text lets the clock run for ever, and which; "" when its length is counted."""
    for key in clock.keys:
        value = policy.find(key, since)
        if value is not None and value.unlimited:
            source = citation(policy, key, value)
            return f"{clock.name} 不设期限 no limit  依据 by {source.law}，自 since {source.since}"
    return ""


def names() -> tuple[str, ...]:
    """Every clock by name."""
    return tuple(CLOCKS)


async def _running(settings: Settings) -> list[Deadline]:
    policy, days = load(settings.region), Calendar()
    async with looking(settings) as reader:
        cases, stays = await open_cases(reader), await open_stays(reader)
        months, applications = await open_months(reader), await open_applications(reader)
        cuts = await pending_cuts(reader)
    return [
        *of_cases(policy, days, cases),
        *of_stays(policy, days, stays),
        *of_applications(policy, days, applications),
        *of_months(policy, days, months),
        *of_cuts(policy, days, cuts),
    ]


def told(found: Iterable[Deadline], today: date) -> Iterator[str]:
    """Two or three lines for each clock, and the count at the end."""
    number = overrun = 0
    for one in found:
        left = one.left(today)
        number, overrun = number + 1, overrun + (left is not None and left < 0)
        yield from _one(one, today)
    yield (f"{today}：{number} 项期限，{overrun} 项已过 / {number} clocks, {overrun} overrun")


def not_running(found: Iterable[Deadline]) -> Iterator[str]:
    """The other clocks: those that nothing in the store starts today, and those whose paper does
    not reach the store, each with the command that tells its end."""
    running = {one.clock.name for one in found}
    idle = [clock.name for clock in CLOCKS.values() if clock.paper and clock.name not in running]
    if idle:
        yield f"现在没有在走的期限 / none of these runs now: {' '.join(idle)}"
    yield "本系统尚无该文书的期限，按起算日查询 / no paper here yet: ask by the day that starts it"
    for clock in CLOCKS.values():
        if not clock.paper:
            yield from _asked_for(clock)


def _asked_for(clock: Clock) -> Iterator[str]:
    (does_zh, does_en), (starts_zh, starts_en) = clock.does, clock.starts
    yield f"   {clock.name}  {_OWNERS[clock.owner]}：{does_zh} / {does_en}"
    asked = f"gateway clocks --event {clock.name} --since YYYY-MM-DD"
    yield f"      {asked}（{starts_zh}之日 / day of: {starts_en}）"


def _one(one: Deadline, today: date) -> Iterator[str]:
    zh, en = one.clock.does
    yield f"{_when(one, today)}  {_OWNERS[one.clock.owner]}  {one.subject}：{zh} / {en}"
    started_zh, started_en = _to_tell(one) if one.untold else one.clock.starts
    yield f"   {one.clock.name} 自 since {one.since} {started_zh} / {started_en}"
    if one.source is not None:
        reading = "（本网关的理解 / our reading）" if one.source.our_reading else ""
        length = f"{one.source.key} = {one.source.value}，自 since {one.source.since}"
        yield f"   依据 by {one.source.law}{reading}  {length}"
    if one.gap:
        yield f"   {one.gap}"


def _to_tell(one: Deadline) -> tuple[str, str]:
    """What was not told of a clock, and how to tell it."""
    return _ANEW_TO_TELL if one.anew else _TO_TELL.get(one.clock.name, _ACCEPTED_TO_TELL)


def _late(days: int) -> str:
    if not days:
        return "不到一天办理 done less than a day late"
    return f"{days} 天办理 done {days} days late"


def _when(one: Deadline, today: date) -> str:
    left = one.left(today)
    if one.suspended:
        stood = (today - one.since).days
        return f"中止，自受理 {stood} 天 suspended, {stood} days since acceptance"
    if one.gap:
        return "没有规定 no text gives it"
    if one.untold:
        return "起算日未告知 day that starts it not told"
    if one.due is None or left is None:
        return "日历未加载 calendar not loaded"
    if one.done_on is not None:
        return f"{one.due} 逾期 {_late(-left)}"
    if left < 0:
        return f"{one.due} 已过 {-left} 天 overrun by {-left} days"
    return f"{one.due} 还剩 {left} 天 {left} days left"
