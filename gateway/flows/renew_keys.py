"""更换数据密钥 Renewing the keys that lie outside the database, while the gateway serves.

A new region key is used at once; the record keys under the old one are wrapped anew in small
steps, each a transaction with its audit row. How far that went is said by the rows themselves,
so that a crash loses nothing. Under a new look-up key every person gets a second tag; both are
asked and written until the old key is retired. 网络安全等级保护 GB/T 22239-2019 8.1.4.8.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from gateway.clock import machine_now
from gateway.flows.administer import NotDone
from gateway.flows.desk import Desk
from gateway.flows.plan import Act, Plan, applied
from gateway.flows.transaction import job_unit
from gateway.store import tables
from gateway.store.data_keys import (
    SEALED,
    Place,
    SealedTable,
    counts_under,
    persons_without,
    rows_under,
    tags_under,
)
from gateway.store.personal import KeyRing, Unopened, Vault
from gateway.store.unit import Insert, KeyTaken, Rekey, Remove, Rewrapped, StaleFacts, Write

_AT_ONCE: Final = 200  # rows of a step: some milliseconds, so that no message waits for it
_TRIES: Final = 5  # to find a step's rows as nobody moves them meanwhile
_SETTLED: Final = timedelta(hours=1)  # far beyond the 30 s that a transaction may last


@dataclass(frozen=True, slots=True)
class Ordered:
    """Who has a key renewed or destroyed, and why."""

    by: str
    reason: str


async def renew(desk: Desk, year: int | None, ordered: Ordered) -> str:
    """Make the next key of the year's region key, or of the look-up key (no year); its id.

    Raises NotDone while the key before it is not retired: a look-up has two keys at most.
    """
    ring = desk.database.vault.ring
    if year is None and len(ring.index_ids()) > 1:
        raise NotDone("上一把检索密钥还没有停用 / retire the look-up key before the last one first")
    key_id = ring.next_id(year)
    await _commit(desk, (), Act(action="data_key.renew", subject=key_id, reason=_told(ordered)))
    ring.renew(key_id)
    desk.keys_renewed.set()
    return key_id


def _told(ordered: Ordered) -> str:
    return f"{ordered.by}: {ordered.reason}"


async def put_under_new_keys(desk: Desk, ended: Callable[[], bool] = lambda: False) -> int:
    """Wrap and tag anew whatever is under an old key alone, until nothing is left or `ended`;
    how many rows that were."""
    whole, found = 0, 1
    while found and not ended():
        found = sum([await _walk(_wrapping(desk, table), ended) for table in SEALED])
        found += await _walk(_tagging(desk), ended)
        whole += found
    return whole


def outstanding(ring: KeyRing) -> frozenset[str]:
    """The keys that have a successor and are not retired."""
    return frozenset(ring.superseded()) | frozenset(ring.index_ids()[1:])


_Step = Callable[[Place], Awaitable[tuple[Place, int]]]
"""From a place onward: where the step came to (nowhere at the end), and how many rows."""


async def _walk(step: _Step, ended: Callable[[], bool]) -> int:
    place, whole = await step(())
    while place and not ended():
        place, count = await step(place)
        whole += count
    return whole


def _wrapping(desk: Desk, table: SealedTable) -> _Step:
    """Steps over a table that wrap its record keys by the newest key of their year."""
    vault, names = desk.database.vault, table.info["row_key"]

    async def step(after: Place) -> tuple[Place, int]:
        newest = vault.ring.superseded()
        if not newest:
            return (), 0
        async with desk.database.reading() as reader:
            rows = await rows_under(reader, table, newest, after, _AT_ONCE)
        if not rows:
            return (), 0
        wrapped = list(_rewrapped(vault, table, rows, newest))
        if wrapped:
            act = Act(action="data_key.rewrap", subject=table.name, code=str(len(wrapped)))
            await _commit(desk, (Rekey(table, wrapped),), act)
        return tuple(rows[-1][name] for name in names), len(wrapped)

    return _tried(step)


def _rewrapped(
    vault: Vault, table: SealedTable, rows: Sequence[dict[str, Any]], newest: Mapping[str, str]
) -> Iterator[Rewrapped]:
    """The rows under their new key; one that does not open was tampered with, and stays."""
    for row in rows:
        key = {name: row[name] for name in table.info["row_key"]}
        with suppress(Unopened):
            new = vault.rewrapped(table, row, newest[row["key_id"]])
            yield Rewrapped(key, row["record_key"], newest[row["key_id"]], new)


def _tagging(desk: Desk) -> _Step:
    """Steps over the persons that give each a tag under the newest look-up key."""
    vault, ring = desk.database.vault, desk.database.vault.ring

    async def step(after: Place) -> tuple[Place, int]:
        if len(ring.index_ids()) == 1:
            return (), 0
        async with desk.database.reading() as reader:
            rows = await persons_without(reader, ring.index_id, after, _AT_ONCE)
        if not rows:
            return (), 0
        tags = list(_tags(vault, rows))
        if tags:
            act = Act(action="data_key.tag", subject=ring.index_id, code=str(len(tags)))
            await _commit(desk, (Insert(tables.person_index, tags),), act)
        return (rows[-1]["person_id"],), len(tags)

    return _tried(step)


def _tags(vault: Vault, rows: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The persons' tags under the newest key; one who does not open keeps the old tag."""
    index_id = vault.ring.index_id
    for row in rows:
        with suppress(Unopened):
            id_no = vault.open(tables.person, row)["id_no"].decode()
            tag = vault.ring.tags("id_no", id_no)[index_id]
            yield {"key_id": index_id, "tag": tag, "person_id": row["person_id"]}


def _tried(step: _Step) -> _Step:
    """A step whose rows others move is read anew; the next walk finds what is left of it."""

    async def tried(after: Place) -> tuple[Place, int]:
        for _ in range(_TRIES):
            try:
                return await step(after)
            except (StaleFacts, KeyTaken):
                continue
        return (), 1

    return tried


async def retire(desk: Desk, key_id: str, ordered: Ordered) -> None:
    """Destroy a key that has a successor and nothing under it any more.

    Backups made before then open no longer. Raises NotDone with what stands against it.
    """
    ring = desk.database.vault.ring
    if key_id not in outstanding(ring):
        raise NotDone(f"{key_id} 没有后继密钥，不能停用 / has no successor, or is not here")
    _refuse_unsettled(ring, key_id)
    await put_under_new_keys(desk)
    if key_id in ring.index_ids():
        await _remove_tags(desk, key_id)
    async with desk.database.reading() as reader:
        left = (await counts_under(reader)).get(key_id, 0)
    if left:
        raise NotDone(f"{key_id} 下还有 {left} 行 / {left} rows are still under it")
    await _commit(desk, (), Act(action="data_key.retire", subject=key_id, reason=_told(ordered)))
    ring.destroy(key_id)


def _refuse_unsettled(ring: KeyRing, key_id: str) -> None:
    """Another process may still be writing under the old key a moment after the new one came."""
    younger = ring.superseded().get(key_id, ring.index_id)
    age = timedelta(seconds=machine_now().timestamp() - ring.made_at(younger))
    if age < _SETTLED:
        raise NotDone(f"{younger} 启用不足一小时，请稍后 / made within the hour: try again later")


async def _remove_tags(desk: Desk, index_id: str) -> None:
    """Every tag under the old key, once nobody is found by it alone. Raises NotDone."""
    async with desk.database.reading() as reader:
        if await persons_without(reader, desk.database.vault.ring.index_id, (), 1):
            raise NotDone(f"有人只在 {index_id} 下可查 / somebody is found under {index_id} alone")
    while True:
        async with desk.database.reading() as reader:
            keys: Sequence[dict[str, Any]] = await tags_under(reader, index_id, _AT_ONCE)
        if not keys:
            return
        act = Act(action="data_key.untag", subject=index_id, code=str(len(keys)))
        await _commit(desk, (Remove(tables.person_index, keys),), act)


async def _commit(desk: Desk, writes: tuple[Write, ...], act: Act) -> None:
    plan: Plan = applied(subject=act.subject, writes=writes, acts=(act,))
    await desk.database.commit(job_unit(desk, plan, "operator", {}))
