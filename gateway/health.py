"""运行状况 Whether the gateway can do its work, in checks that say what to do in words.

Probes look at the world and return checks; `Health` runs them all, each with a time limit, and
keeps the answer for a moment so that asking often costs nothing. Nothing here is personal.
"""

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Final, Protocol

from cryptography import x509

from gateway.clock import business_day, elapsed_s, instant, machine_now
from gateway.policy.model import Dated
from gateway.ports import Clock
from gateway.settings import Settings

CERTIFICATE_WARNING: Final = timedelta(days=30)
LANE_WARNING: Final = timedelta(minutes=15)
LANE_FAILURE: Final = timedelta(hours=24)
LOG_WARNING: Final = timedelta(seconds=60)
WITNESS_WARNING: Final = timedelta(hours=2)
CONFIRMATION_DAYS: Final = 400
"""Days after which a value of the law should be looked at again (architecture §7)."""

# Receivers that come and fetch: how long they leave a message lying is not our failure.
FETCHED: Final = "pull"

PURPOSES: Final = ("ca", "server", "client", "signer")
"""The gateway's own certificates: authority, listeners, calls to others, message signatures."""


class Status(StrEnum):
    """Worst last; the words of application/health+json."""

    PASS = "pass"  # noqa: S105
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Check:
    """One finding. `zh` and `en` say what was seen and what to do; `observed` counts `unit`."""

    name: str
    status: Status
    zh: str
    en: str
    observed: int | str = ""
    unit: str = ""


class LaneFact(Protocol):
    """A lane of the outbox with something undelivered."""

    @property
    def receiver(self) -> str: ...
    @property
    def channel(self) -> str: ...
    @property
    def depth(self) -> int: ...
    @property
    def oldest_us(self) -> int: ...


class HeldFact(Protocol):
    """The bills that wait for a condition."""

    @property
    def bills(self) -> int: ...
    @property
    def oldest_us(self) -> int | None: ...


@dataclass(frozen=True, slots=True)
class LogFact:
    """How the evidence log stands: why commits are stopped ("" while they go on), how long a
    transaction waits for its checkpoint, and since when the witness has not signed (None
    without a witness)."""

    stopped: str
    waits: timedelta
    uncosigned: timedelta | None = None


class PublishedDays(Protocol):
    """The calendar of working days."""

    def covers(self, day: date) -> bool: ...


@dataclass(frozen=True, slots=True)
class Facts:
    """What the metrics show besides the checks; empty where no probe told it."""

    checks: tuple[Check, ...] = ()
    lanes: tuple[LaneFact, ...] = ()
    held_bills: int = 0
    certificates_s: tuple[tuple[str, int], ...] = ()
    commit_s: float | None = None
    at: datetime | None = None
    breaches: int = 0

    @property
    def status(self) -> Status:
        """The worst of all checks."""
        order = list(Status)
        return max((check.status for check in self.checks), key=order.index, default=Status.PASS)


Probe = Callable[[], Awaitable[Facts]]


class Health:
    """Runs the probes; safe to ask from many tasks at once."""

    def __init__(
        self, probes: Sequence[tuple[str, Probe]], *, patience_s: float = 5.0, fresh_s: float = 1.0
    ) -> None:
        self._probes, self._patience_s, self._fresh_s = tuple(probes), patience_s, fresh_s
        self._asking = asyncio.Lock()
        self._facts: Facts | None = None
        self._asked_at = 0.0

    async def facts(self) -> Facts:
        """Every check, at most `fresh_s` seconds old. A probe that raises has failed."""
        async with self._asking:
            stale = elapsed_s(self._asked_at) > self._fresh_s
            if self._facts is None or stale:
                found = await asyncio.gather(*(self._run(*probe) for probe in self._probes))
                self._facts, self._asked_at = _joined(found), elapsed_s()
            return self._facts

    async def _run(self, name: str, probe: Probe) -> Facts:
        try:
            async with asyncio.timeout(self._patience_s):
                return await probe()
        except TimeoutError:
            return _one(_unanswered(name, "超时", "it did not answer in time"))
        except Exception as error:
            kind = type(error).__name__
            return _one(_unanswered(name, f"出错（{kind}）", f"it failed ({kind})"))


def _joined(found: Sequence[Facts]) -> Facts:
    timed = [facts.commit_s for facts in found if facts.commit_s is not None]
    return Facts(
        checks=tuple(check for facts in found for check in facts.checks),
        lanes=tuple(lane for facts in found for lane in facts.lanes),
        held_bills=sum(facts.held_bills for facts in found),
        breaches=sum(facts.breaches for facts in found),
        certificates_s=tuple(pair for facts in found for pair in facts.certificates_s),
        commit_s=timed[0] if timed else None,
        at=machine_now(),
    )


def _one(check: Check) -> Facts:
    return Facts(checks=(check,))


def _unanswered(name: str, zh: str, en: str) -> Check:
    return Check(
        name, Status.FAIL, f"检查未完成：{zh}。请查看日志。", f"Not checked: {en}. See the log."
    )


# --- commit, migrations -----------------------------------------------------------------------


def commit_probe(commit: Callable[[], Awaitable[None]]) -> Probe:
    """A real transaction made durable; a gateway that cannot commit must take no message."""

    async def probe() -> Facts:
        start = elapsed_s()
        try:
            await commit()
        except Exception as error:
            return _one(_not_committed(type(error).__name__))
        took_s = elapsed_s(start)
        zh, en = "可以提交事务。", "Transactions commit."
        check = Check("commit", Status.PASS, zh, en, round(took_s * 1000), "ms")
        return replace(_one(check), commit_s=took_s)

    return probe


def _not_committed(kind: str) -> Check:
    zh = "无法提交事务：检查磁盘空间与磁盘故障，然后重启网关。已确认的业务不受影响。"
    en = (
        "Transactions do not commit: look for a full or failing disk, then restart the "
        "gateway. What was acknowledged is safe."
    )
    return Check("commit", Status.FAIL, zh, en, kind)


def migrations_probe(
    current: Callable[[], Awaitable[str | None]], served: tuple[str, str]
) -> Probe:
    """Whether the database has the schema this program was written for, or the next one."""

    async def probe() -> Facts:
        return _one(migrations(await current(), served))

    return probe


def migrations(current: str | None, served: tuple[str, str]) -> Check:
    """The revision found against the newest this program knows, and the next."""
    newest, following = served
    if current == newest:
        return Check("migrations", Status.PASS, "库结构为最新。", "The schema is current.", newest)
    if current == following:
        zh = f"库结构 {current} 比本程序新一步：请把其余进程也换成新版本。"
        en = f"The schema, {current}, is one step ahead: replace the remaining processes too."
        return Check("migrations", Status.WARN, zh, en, current)
    zh = f"库结构为 {current or '空'}，本程序需要 {newest}：请停止网关，执行 gateway migrate。"
    en = f"Schema {current or 'none'}, {newest} is needed: stop the gateway, run gateway migrate."
    return Check("migrations", Status.FAIL, zh, en, current or "")


# --- disk, certificates -------------------------------------------------------------------------


def disk_probe(folder: Path, least_bytes: int) -> Probe:
    """Free space where the database lies."""

    async def probe() -> Facts:
        return _one(disk(shutil.disk_usage(folder).free, least_bytes))

    return probe


def disk(free_bytes: int, least_bytes: int) -> Check:
    """Below the least the gateway is not ready; below twice that it warns."""
    if free_bytes < least_bytes:
        zh = "磁盘空间不足：立即清理或扩容，否则无法办理业务。"
        en = "The disk is nearly full: free or add space now, or nothing can be settled."
        return Check("disk", Status.FAIL, zh, en, free_bytes, "bytes")
    if free_bytes < 2 * least_bytes:
        zh, en = "磁盘空间偏低：请安排清理或扩容。", "Disk space runs low: free or add some soon."
        return Check("disk", Status.WARN, zh, en, free_bytes, "bytes")
    zh, en = "磁盘空间充足。", "There is enough disk space."
    return Check("disk", Status.PASS, zh, en, free_bytes, "bytes")


def certificate_files(settings: Settings) -> dict[str, Path]:
    """证书文件 Where the gateway's own certificates lie, by purpose."""
    return {purpose: settings.trust_dir / f"{purpose}.pem" for purpose in PURPOSES}


def certificates_probe(files: dict[str, Path], clock: Clock) -> Probe:
    """Every certificate by the machine's clock, which TLS uses, and by the business clock."""

    async def probe() -> Facts:
        nows = (machine_now(), clock.now())
        found = [certificate(purpose, path, nows) for purpose, path in files.items()]
        left = [(purpose, left_s) for (_, left_s), purpose in zip(found, files, strict=True)]
        return Facts(tuple(check for check, _ in found), certificates_s=tuple(left))

    return probe


def certificate(purpose: str, path: Path, nows: Sequence[datetime]) -> tuple[Check, int]:
    """The check of one certificate, and the seconds it still lives (0 when it cannot serve)."""
    name = f"certificate.{purpose}"
    try:
        found = x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError):
        zh = f"读不到 {path.name}：请重新签发并放入信任目录。"
        en = f"{path.name} cannot be read: issue it and put it into the trust directory."
        return Check(name, Status.FAIL, zh, en), 0
    left = found.not_valid_after_utc - max(nows)
    if left <= timedelta(0) or min(nows) < found.not_valid_before_utc:
        zh = f"{path.name} 不在有效期内：立即更换，并核对时钟。"
        en = f"{path.name} is not valid now: replace it at once, and check the clock."
        return Check(name, Status.FAIL, zh, en, left.days, "days"), 0
    return _living(name, path.name, left), int(left.total_seconds())


def _living(name: str, file: str, left: timedelta) -> Check:
    if left < CERTIFICATE_WARNING:
        zh = f"{file} 还有 {left.days} 天到期：请轮换，新旧并行至少 14 天。"
        en = f"{file} expires in {left.days} days: rotate it, both in force for 14 days."
        return Check(name, Status.WARN, zh, en, left.days, "days")
    return Check(name, Status.PASS, f"{file} 有效。", f"{file} is valid.", left.days, "days")


# --- the evidence log ------------------------------------------------------------------------


def log_probe(read: Callable[[], LogFact]) -> Probe:
    """Whether commits stand still, and how long a transaction waits for its checkpoint."""

    async def probe() -> Facts:
        return _one(log(read()))

    return probe


def log(found: LogFact) -> Check:
    """Stopped fails; a checkpoint missing for a minute warns, and so does a missing witness."""
    waited_s = int(found.waits.total_seconds())
    if found.stopped:
        zh = f"已停止办理（{found.stopped}）：按《运维指南》“日志回退”处置。"
        en = f"Commits are stopped ({found.stopped}): see the operator guide, rollback of the log."
        return Check("log", Status.FAIL, zh, en, waited_s, "s")
    if found.waits >= LOG_WARNING:
        zh = f"{waited_s} 秒没有新的检查点：查看日志；满 4 小时将停止办理。"
        en = f"No checkpoint for {waited_s} s: see the log; after 4 hours commits stop."
        return Check("log", Status.WARN, zh, en, waited_s, "s")
    if found.uncosigned is not None and found.uncosigned >= WITNESS_WARNING:
        hours = int(found.uncosigned / timedelta(hours=1))
        zh = f"经办机构 {hours} 小时未副署存证日志：请联系对方。"
        en = f"The agency has not cosigned the log for {hours} hours: ask them."
        return Check("log", Status.WARN, zh, en, hours, "h")
    zh, en = "存证日志正常。", "The evidence log is up to date."
    return Check("log", Status.PASS, zh, en, waited_s, "s")


# --- lanes, held bills ---------------------------------------------------------------------------


def lanes_probe(read: Callable[[], Awaitable[Sequence[LaneFact]]], clock: Clock) -> Probe:
    """How long messages have waited for their receivers."""

    async def probe() -> Facts:
        found = tuple(await read())
        return Facts((lane_age(found, clock.now()),), lanes=found)

    return probe


def lane_age(found: Sequence[LaneFact], now: datetime) -> Check:
    """The oldest message that we must push; what receivers fetch themselves does not count."""
    pushed = [lane for lane in found if lane.channel != FETCHED]
    if not pushed:
        return Check("lanes", Status.PASS, "没有积压的外发报文。", "Nothing waits.", 0, "s")
    oldest = min(pushed, key=lambda lane: lane.oldest_us)
    waited = now - instant(oldest.oldest_us)
    status = _worse(waited)
    zh = f"发往 {oldest.receiver} 的报文最久等待 {waited // timedelta(minutes=1)} 分钟。"
    en = f"The oldest message to {oldest.receiver} waits {waited // timedelta(minutes=1)} minutes."
    if status is not Status.PASS:
        zh += "请检查对方是否在线，以及是否有搁置的报文。"
        en += " See whether the receiver answers, and whether a message is parked."
    return Check("lanes", status, zh, en, int(waited.total_seconds()), "s")


def _worse(waited: timedelta) -> Status:
    if waited >= LANE_FAILURE:
        return Status.FAIL
    return Status.WARN if waited >= LANE_WARNING else Status.PASS


def held_probe(read: Callable[[], Awaitable[HeldFact]], clock: Clock) -> Probe:
    """Bills that wait for a decision; for information, since waiting is lawful."""

    async def probe() -> Facts:
        found = await read()
        return replace(_one(held_bills(found, clock.now())), held_bills=found.bills)

    return probe


def held_bills(found: HeldFact, now: datetime) -> Check:
    """How many bills are held, and the age in days of the oldest of their stays."""
    days = 0 if found.oldest_us is None else (now - instant(found.oldest_us)).days
    zh = f"挂账 {found.bills} 笔，最早的登记已 {days} 天。"
    en = f"{found.bills} bills held; the oldest registration is {days} days old."
    return Check("held", Status.PASS, zh, en, found.bills, "bills")


# --- invariants -----------------------------------------------------------------------------------


def invariants_probe(found: Callable[[], int | None], unfinished: Callable[[], bool]) -> Probe:
    """What the nightly job found: rows that break an invariant; None before its first night. And
    whether one was begun and did not come to its end."""

    async def probe() -> Facts:
        breaches = found()
        told = invariants(breaches, unfinished=unfinished())
        return replace(_one(told), breaches=breaches or 0)

    return probe


def invariants(breaches: int | None, *, unfinished: bool = False) -> Check:
    """One row that is lost, doubled or out of balance is one too many."""
    if unfinished and not breaches:
        zh = "夜间核查已开始而未完成：见日志；可用 gateway check 核查。"
        en = "The nightly check began and did not end: see the log, or run gateway check."
        return Check("invariants", Status.WARN, zh, en)
    if breaches is None:
        zh, en = "夜间核查尚未运行。", "The nightly check has not run yet."
        return Check("invariants", Status.PASS, zh, en)
    if not breaches:
        zh, en = "不变式全部成立。", "Every invariant holds."
        return Check("invariants", Status.PASS, zh, en, 0, "rows")
    zh = f"{breaches} 处违反不变式：停止办理，保留现场，用 gateway check 查看。"
    en = f"{breaches} rows break an invariant: stop, keep all as it is, see gateway check."
    return Check("invariants", Status.FAIL, zh, en, breaches, "rows")


# --- calendar, law --------------------------------------------------------------------------------


def calendar_probe(days: PublishedDays, clock: Clock) -> Probe:
    """Whether the working days of the business year are published."""

    async def probe() -> Facts:
        return _one(calendar(days, business_day(clock.now())))

    return probe


def calendar(days: PublishedDays, today: date) -> Check:
    """A missing year only warns: deadlines read "calendar not loaded", all else goes on."""
    if days.covers(today):
        zh, en = f"{today.year} 年工作日历已载入。", f"The working days of {today.year} are loaded."
        return Check("calendar", Status.PASS, zh, en, today.year, "year")
    zh = f"{today} 起的工作日历未载入，期限暂不计算：请升级工作日历数据。"
    en = f"The working days from {today} are missing, deadlines wait: update the calendar data."
    return Check("calendar", Status.WARN, zh, en, today.year, "year")


def law_probe(values: Iterable[Dated], clock: Clock) -> Probe:
    """Whether a person has looked at every value of the law within 400 days."""

    async def probe() -> Facts:
        return _one(law(values, business_day(clock.now())))

    return probe


def law(values: Iterable[Dated], today: date) -> Check:
    """A value that nobody has dated, or that is dated so far ahead that it would never be looked
    at, counts as never confirmed; an abolished one needs no look. The clock of a machine may be
    behind: a day just ahead is for `policy check`."""
    since = today - timedelta(days=CONFIRMATION_DAYS)
    until = today + timedelta(days=CONFIRMATION_DAYS)
    in_force = (value for value in values if not value.values[-1].ended)
    old = sorted(v.name for v in in_force if not since <= (v.confirmed_on or date.min) <= until)
    if not old:
        zh = "政策取值均在 400 天内核对过。"
        en = "Every value of the law was confirmed within 400 days."
        return Check("law", Status.PASS, zh, en, 0, "values")
    shown = ", ".join(old[:5]) + (" ..." if len(old) > 5 else "")
    zh = f"{len(old)} 个政策取值超过 400 天未核对：{shown}。请对照原文核对并更新 confirmed_on。"
    en = f"{len(old)} values of the law were not confirmed for 400 days: {shown}. Check the texts."
    return Check("law", Status.WARN, zh, en, len(old), "values")
