"""PostgreSQL is stopped at once, as by a crash, and started again while bills are settled."""

import asyncio
from collections import Counter
from contextlib import suppress
from itertools import count
from pathlib import Path
from random import Random
from typing import Final

from gateway.store.invariants import check_invariants
from gateway.store.migrate import migrate_at
from gateway.store.unit import StoreFailed
from tests import postgres
from tests.fault.story import STORY, Heard, take
from tests.fault.verdict import counted
from tests.flows.office import Office, in_postgresql, office_in, prepare

LANES: Final = 4
_LONGEST_S: Final = 1.0
_A_WHILE_S: Final = 0.05


async def restarted(home: Path, seed: int, restarts: int) -> Counter[str]:
    """A store that is restarted so often under load; then everything is asked of it."""
    folder = postgres.new_folder()
    server = await asyncio.to_thread(postgres.start, folder, {})
    try:
        url = server.replace("postgresql:", "postgresql+asyncpg:") + "/postgres"
        await migrate_at(url)
        await asyncio.to_thread(prepare, in_postgresql(home, url))
        async with office_in(home) as office:
            port = int(server.rsplit(":", 1)[1])
            return await _under_load(office, folder, port, Random(seed), restarts)  # noqa: S311
    finally:
        await asyncio.to_thread(postgres.remove, folder)


async def _under_load(
    office: Office, folder: Path, port: int, random: Random, restarts: int
) -> Counter[str]:
    heard: Heard = {}
    ended = asyncio.Event()
    lanes = [asyncio.create_task(_lane(office, lane, heard, ended)) for lane in range(LANES)]
    for _ in range(restarts):
        await asyncio.sleep(random.uniform(0.0, _LONGEST_S))
        await asyncio.to_thread(postgres.stop, folder, "immediate")
        await asyncio.to_thread(postgres.start, folder, {}, port)
    ended.set()
    await asyncio.gather(*lanes)
    async with office.desk.database.reading() as reader:
        found = counted(await check_invariants(reader, heard))
    return found + Counter(postgresql_restarts=restarts, acknowledged=len(heard))


async def _lane(office: Office, lane: int, heard: Heard, ended: asyncio.Event) -> None:
    """One bill after the other; each message is said until its outcome is known."""
    for serial in count(lane, LANES):
        for step in STORY:
            while not ended.is_set():
                with suppress(StoreFailed):
                    await take(office, step, serial, heard.__setitem__)
                    if not step.command or (step.party, step.message_id(serial)) in heard:
                        break
                await asyncio.sleep(_A_WHILE_S)
        if ended.is_set():
            return
