"""`gateway data-keys list`: every key of the folder, its state, and how many rows are under it."""

import asyncio
import sys
from collections.abc import Iterator
from typing import TextIO

from gateway.settings import Settings
from gateway.store.data_keys import counts_under
from gateway.store.personal import KeyRing
from gateway.verbs.stored import NotTold, looking


def listed(settings: Settings, out: TextIO) -> int:
    """One line a key; 0, or 1 with a sentence on standard error."""

    async def told() -> list[str]:
        async with looking(settings) as reader:
            return list(_lines(reader.vault.ring, await counts_under(reader)))

    try:
        out.writelines(f"{line}\n" for line in asyncio.run(told()))
    except NotTold as silent:
        sys.stderr.write(f"{silent}\n")
        return 1
    return 0


def _lines(ring: KeyRing, counts: dict[str, int]) -> Iterator[str]:
    old = {**ring.superseded(), **dict.fromkeys(ring.index_ids()[1:], ring.index_id)}
    for key_id in sorted(ring.ids() | counts.keys()):
        rows = counts.get(key_id, 0)
        yield f"{key_id:24} {rows:>10} 行 rows  {_state(key_id, ring.ids(), old)}"


def _state(key_id: str, here: frozenset[str], old: dict[str, str]) -> str:
    if key_id not in here:
        return "密钥不在：从备份恢复 / not here: restore it from backup"
    if key_id in old:
        return f"已由 {old[key_id]} 取代 / superseded by it"
    return "在用 / in use"
