"""gateway doctor 诊断: says in words what is wrong and what to do.

It works with the server running or not: the database is opened query-only, no file is made, and
what only a running server can know is asked of its operations listener.
"""

import asyncio
import json
import os
import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final, TextIO

import httpx
from sqlalchemy.exc import SQLAlchemyError

from gateway import health
from gateway.clock import SystemClock, business_day, machine_now
from gateway.health import Check, Status
from gateway.policy.faults import BadPolicy
from gateway.policy.load import load
from gateway.settings import Settings
from gateway.store import health as store
from gateway.store.calendar import Calendar
from gateway.store.migrate import served
from gateway.store.opening import OtherRegion

OPS_HOST: Final = "127.0.0.1"
_PATIENCE_S: Final = 10.0
_WORDS: Final = {
    Status.PASS: "正常 PASS",
    Status.WARN: "注意 WARN",
    Status.FAIL: "故障 FAIL",
}


def run(settings: Settings, out: TextIO) -> int:
    """诊断 Write one line for each check; 0 when none fails, else 1."""
    checks = tuple(_examined(settings))
    for check in checks:
        out.write(f"{_WORDS[check.status]}  {check.name}\n    {check.zh}\n    {check.en}\n")
    failed = sum(check.status is Status.FAIL for check in checks)
    out.write(_verdict(failed))
    return 1 if failed else 0


def _verdict(failed: int) -> str:
    if failed:
        return (
            f"\n{failed} 项故障，请按上面的说明处理。\n{failed} failures: do what is said above.\n"
        )
    return "\n没有故障。\nNothing is broken.\n"


def _examined(settings: Settings) -> Iterator[Check]:
    clock = _clock(settings)
    yield _folder(settings.data_dir)
    if settings.data_dir.is_dir():
        yield _disk(settings)
        yield from _secrets(settings.keys_dir)
    nows = (machine_now(), clock.now())
    for purpose, path in health.certificate_files(settings).items():
        yield health.certificate(purpose, path, nows)[0]
    yield from _database(settings, clock)
    yield from _law(settings.region, clock)
    yield health.calendar(Calendar(), business_day(clock.now()))
    yield from _server(settings)


def _clock(settings: Settings) -> SystemClock:
    start = settings.business_start
    return SystemClock() if start is None else SystemClock.starting_at(start)


def _folder(folder: Path) -> Check:
    if not folder.is_dir():
        zh = f"数据目录 {folder} 不存在：先运行 gateway serve，或设置 GATEWAY_DATA_DIR。"
        en = f"There is no data directory {folder}: run gateway serve, or set GATEWAY_DATA_DIR."
        return Check("data_dir", Status.FAIL, zh, en)
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        zh = f"本用户不能读写数据目录 {folder}：请修正属主与权限。"
        en = f"This user may not read and write {folder}: correct its owner and mode."
        return Check("data_dir", Status.FAIL, zh, en)
    zh, en = "数据目录可读写。", "The data directory can be read and written."
    return Check("data_dir", Status.PASS, zh, en)


def _disk(settings: Settings) -> Check:
    free = os.statvfs(settings.data_dir)
    return health.disk(free.f_bavail * free.f_frsize, settings.min_free_disk_bytes)


def _secrets(folder: Path) -> Iterator[Check]:
    """Keys that anybody but their owner may read are no secrets."""
    files = [path for path in folder.glob("*") if path.is_file()] if folder.is_dir() else []
    loose = sorted(path.name for path in files if stat.S_IMODE(path.stat().st_mode) & 0o077)
    if loose:
        zh = f"密钥文件可被他人读取：{'、'.join(loose)}。请改为 0600，并考虑更换密钥。"
        en = f"Others may read keys: {', '.join(loose)}. Make them 0600, and consider new keys."
        yield Check("keys", Status.FAIL, zh, en, len(loose), "files")
    elif files:
        zh, en = "密钥文件仅属主可读。", "Keys are readable by their owner only."
        yield Check("keys", Status.PASS, zh, en, len(files), "files")
    else:
        zh = "没有密钥：首次运行 gateway serve 时生成；若库已存在，请从备份恢复密钥目录。"
        en = "No keys yet: gateway serve makes them; if a database exists, restore them first."
        yield Check("keys", Status.WARN, zh, en, 0, "files")


def _database(settings: Settings, clock: SystemClock) -> Iterator[Check]:
    try:
        yield from asyncio.run(_inspected(settings, clock))
    except FileNotFoundError as absent:
        zh = f"没有数据库 {absent}：首次运行 gateway serve 时建立；若曾使用过，请从备份恢复。"
        en = f"No database {absent}: gateway serve makes it; if there was one, restore it."
        yield Check("database", Status.WARN, zh, en)
    except OtherRegion as other:
        yield Check("database", Status.FAIL, other.zh, other.en)
    except (SQLAlchemyError, sqlite3.Error, OSError) as error:
        zh = f"数据库打不开（{type(error).__name__}）：停止网关，保留原文件，从备份恢复。"
        en = f"The database does not open ({type(error).__name__}): stop, keep it, restore."
        yield Check("database", Status.FAIL, zh, en)


async def _inspected(settings: Settings, clock: SystemClock) -> list[Check]:
    async with store.inspecting(settings) as reader:
        found = health.migrations(await store.revision(reader), served())
        if found.status is Status.FAIL:
            return [found]
        lanes, held = await store.lanes(reader), await store.held(reader)
    return [found, health.lane_age(lanes, clock.now()), health.held_bills(held, clock.now())]


def _law(region: str, clock: SystemClock) -> Iterator[Check]:
    try:
        policy = load(region)
    except BadPolicy as bad:
        zh = f"政策文件有 {len(bad.faults)} 处错误：请逐条更正后重启。"
        en = f"The policy files have {len(bad.faults)} faults: correct each and restart."
        yield Check("law", Status.FAIL, zh, en, len(bad.faults), "faults")
    else:
        yield health.law(policy.parameters.values(), business_day(clock.now()))


def _server(settings: Settings) -> Iterator[Check]:
    """What a running server says about itself; not running is no fault of its own."""
    try:
        answer = httpx.get(
            f"http://{OPS_HOST}:{settings.ops_port}/readyz", timeout=_PATIENCE_S, trust_env=False
        )
        told = json.loads(answer.content)["checks"]
        found = [_told(name, entry) for name, entries in told.items() for entry in entries]
    except httpx.ConnectError:
        zh, en = (
            "网关未在运行。启动：gateway serve。",
            "No server is running. Start: gateway serve.",
        )
        yield Check("server", Status.WARN, zh, en)
    except (httpx.HTTPError, ValueError, KeyError, TypeError, AttributeError):
        zh = f"运维端口 {settings.ops_port} 没有正常应答：查看网关日志，或端口是否被占用。"
        en = f"Port {settings.ops_port} answers badly: see the log, or who else uses the port."
        yield Check("server", Status.FAIL, zh, en)
    else:
        yield Check("server", Status.PASS, "网关正在运行。", "The server is running.")
        # What passes was looked at from outside already.
        yield from (check for check in found if check.status is not Status.PASS)


def _told(name: str, entry: dict[str, str]) -> Check:
    zh, _, en = entry["output"].partition(" / ")
    return Check(f"server.{name}", Status(entry["status"]), zh, en)
