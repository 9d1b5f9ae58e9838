"""gateway check 核查不变式: asks the store whether anything was lost, doubled or out of balance.

It works with the server running or not, reads only, and needs no key: what it tells is table and
row, never a person.
"""

import asyncio
import sqlite3
from typing import TextIO

from sqlalchemy.exc import SQLAlchemyError

from gateway.settings import Settings
from gateway.store.health import inspecting
from gateway.store.invariants import INVARIANTS, Violation, check_invariants
from gateway.verbs.stored import NotTold, need_database


def run(settings: Settings, out: TextIO) -> int:
    """核查 One line for each row that breaks an invariant; 0 when there is none, else 1.

    Raises NotTold when there is no store, or it cannot be read.
    """
    need_database(settings)
    try:
        found = asyncio.run(_checked(settings))
    except (SQLAlchemyError, sqlite3.Error) as error:
        name = type(error).__name__
        raise NotTold(f"数据库读不出（{name}）", f"the database cannot be read ({name})") from error
    out.writelines(f"{violation}\n" for violation in found)
    out.write(_verdict(len(found)))
    return 1 if found else 0


async def _checked(settings: Settings) -> tuple[Violation, ...]:
    async with inspecting(settings) as reader:
        return await check_invariants(reader)


def _verdict(broken: int) -> str:
    if broken:
        return (
            f"{broken} 处违反不变式：停止办理，保留现场，对照证据与医院手中的签名答复。\n"
            f"{broken} breaches: stop, keep everything as it is, and compare with the evidence "
            "and the signed replies that hospitals hold.\n"
        )
    return f"{len(INVARIANTS)} 项不变式全部成立。\nAll {len(INVARIANTS)} invariants hold.\n"
