"""Faults built in on purpose: a harness that does not fail with each of them proves nothing.

They are planted into the running process by the harness alone; the gateway has no switch.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from hashlib import sha256
from typing import Any
from unittest.mock import patch

from lxml import etree

from gateway.flows import reverse_transaction
from gateway.flows.plan import Plan
from gateway.seal import keys, profile
from gateway.seal.keys import PublicKey
from gateway.seal.profile import Envelope, Sealed
from gateway.store import sqlite, tables
from gateway.store.postgres import PostgresDatabase
from gateway.store.sqlite import SqliteDatabase
from gateway.store.unit import Change, Insert, Unit, Write


@contextmanager
def planted(fault: str) -> Iterator[None]:
    """The fault of this name in the code of this process; "" plants none."""
    if not fault:
        yield
        return
    with FAULTS[fault]():
        yield


def acknowledge_before_commit() -> Any:
    """The reply leaves while its transaction still waits for the writer."""

    async def commit(self: SqliteDatabase, unit: Unit) -> None:
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_later(0.01, self._queue.put_nowait, (unit, done))

    return patch.object(SqliteDatabase, "commit", commit)


def synchronous_normal() -> Any:
    """A commit is not synced before it is acknowledged."""
    pragmas = [one.replace("synchronous=FULL", "synchronous=NORMAL") for one in sqlite._PRAGMAS]
    return patch.object(sqlite, "_PRAGMAS", tuple(pragmas))


def check_then_act() -> Any:
    """No fact is compared again when the transaction writes."""
    commit = SqliteDatabase.commit

    async def unguarded(self: SqliteDatabase, unit: Unit) -> None:
        writes = tuple(_anyhow(write) for write in unit.writes)
        await commit(self, replace(unit, guards=(), writes=writes))

    return patch.object(SqliteDatabase, "commit", unguarded)


def _anyhow(write: Write) -> Write:
    """A change of the row whatever became of it meanwhile."""
    if not isinstance(write, Change):
        return write
    where = {name: write.where[name] for name in write.table.info["row_key"] if name in write.where}
    return replace(write, where=where or write.where)


def shield_removed() -> Any:
    """A request that is cancelled takes its transaction with it."""

    async def commit(self: PostgresDatabase, unit: Unit) -> None:
        await self._commit(unit)

    return patch.object(PostgresDatabase, "commit", commit)


def tombstone_elsewhere() -> Any:
    """An id is fenced in another table than the one in which it is used up."""
    fenced = reverse_transaction._tombstone

    def elsewhere(desk: Any, caller: Any, command: Any) -> Plan:
        fact = {"subject": caller.party_id, "kind": "tombstone", "content": "", "at_us": 0}
        row = fact | {"fact_no": command.target_message_id}
        return replace(fenced(desk, caller, command), writes=(Insert(tables.case_fact, [row]),))

    return patch.object(reverse_transaction, "_tombstone", elsewhere)


def strict_profile_relaxed() -> Any:
    """What was hashed may be anywhere in the message, and the message may hold anything."""

    def verify(self: Envelope, public_key: PublicKey) -> Sealed:
        if not keys.signed_by(public_key, self.signature.value, self.signature.signed_info):
            raise profile._invalid()
        if self.signature.digest not in map(_digest, self.root.iter()):
            raise profile._invalid()
        read = profile.header.read(self.root[0])
        body, print_ = self.root[1][0], self.signature.fingerprint
        return Sealed(self.raw, self.root, read, body, "", print_, profile._OPENED)

    @contextmanager
    def relaxed() -> Iterator[None]:
        anything = patch.object(profile, "_check_content", lambda _: None)
        with patch.object(Envelope, "verify", verify), anything:
            yield

    return relaxed()


def _digest(element: etree._Element) -> bytes:
    if not isinstance(element.tag, str):
        return b""
    return sha256(etree.tostring(element, method="c14n", exclusive=True, with_tail=False)).digest()


FAULTS = {
    "acknowledge-before-commit": acknowledge_before_commit,
    "synchronous-normal": synchronous_normal,
    "check-then-act": check_then_act,
    "shield-removed": shield_removed,
    "tombstone-elsewhere": tombstone_elsewhere,
    "strict-profile-relaxed": strict_profile_relaxed,
}
"""Faults of the code; that of the schema (a key dropped) is planted into a store, see race.py."""
