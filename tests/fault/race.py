"""Races: pairs that meet at the store, requests that are cancelled within their transaction, and
forged messages; on both stores, with everything asked of the store afterwards."""

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from random import Random
from typing import Any, Final, cast

from sqlalchemy import select

from gateway.domain.commands import UploadFees
from gateway.store import tables
from gateway.store.database import Database
from gateway.store.invariants import check_invariants
from gateway.store.migrate import migrate_at
from gateway.store.unit import Unit
from tests import postgres
from tests.fault.call import Call
from tests.fault.controls import planted
from tests.fault.restarts import restarted
from tests.fault.verdict import counted
from tests.flows.office import (
    DAY,
    LINES,
    Office,
    at_barrier,
    copied,
    forgotten,
    in_postgresql,
    office_in,
    prepare,
)
from tests.flows.test_cancelled import said_again, was_cancelled, watched
from tests.flows.test_raced_pairs import FENCED, UNDONE, a_stay, raced
from tests.security.attacks import accepted
from tests.security.test_wrapping import hidden_in_signature, variants
from tests.store.hands import by_hand
from tests.world import bill_line

STORES: Final = ("sqlite", "postgresql")
ROUNDS: Final = 20_000
CONTROLS: Final = (
    *("unique-key-dropped", "check-then-act", "shield-removed", "tombstone-elsewhere"),
    "strict-profile-relaxed",
)
_DROPPED: Final = "unique-key-dropped"
_OF_AN_OFFICE: Final = 50
_OTHER: Final = bill_line("L9", "I0001", "12.00", "1", DAY)
_RESTARTS: Final = 3
_PATIENCE_S: Final = 10


@contextmanager
def server() -> Iterator[None]:
    """PostgreSQL, where no test run has named one yet."""
    if "GATEWAY_TEST_PG_FOLDER" in os.environ or "GATEWAY_TEST_PG_DSN" in os.environ:
        yield
        return
    postgres.announce()
    try:
        yield
    finally:
        postgres.retire()


@asynccontextmanager
async def office_on(call: Call, store: str) -> AsyncIterator[Office]:
    """A gateway of its own on the store."""
    template = call.folder / f"raced-{store}"
    if not template.exists():
        template.mkdir()
        if store == "postgresql":
            url = postgres.new_database()
            postgres.waited(migrate_at(url))
            in_postgresql(template, url)
        prepare(template)
    home = call.folder / f"race-{call.number()}"
    home.mkdir()
    try:
        async with office_in(copied(template, home)) as office:
            yield office
    finally:
        forgotten(home)
        call.forget(home)


# --- rounds --------------------------------------------------------------------------------------


async def undone(office: Office, random: Random, number: int) -> bool:
    """A settlement and its reversal meet: one of the two ends there are."""
    stay = await _open_stay(office, number)
    order = random.sample([0, 1], 2)
    command = office.commit_of(stay, *LINES)
    codes = await raced(office, "settlement.commit", command, f"T-{number}", order)
    return codes in (UNDONE, FENCED)


async def changed(office: Office, random: Random, number: int) -> bool:
    """A line is added while the bill is settled: both have effect, never on each other."""
    stay = await _open_stay(office, number)
    desk, barrier = at_barrier(office.desk, random.sample([0, 1], 2))
    more = UploadFees(admission_id=stay, lines=(_OTHER,))
    said = [
        await office.request("H001", "fees.upload", more),
        await office.request("H001", "settlement.commit", office.commit_of(stay, *LINES)),
    ]
    heard = await asyncio.gather(*(office.hear(one, desk) for one in said))
    return barrier.arrived == 2 and any(one.code == "OK" for one in heard)


async def cancelled(office: Office, random: Random, number: int) -> bool:
    """The request is cancelled at any of its awaits: before its transaction was wanted it is as
    if never said, and then it is committed all the same."""
    stay = await _open_stay(office, number)
    awaits = await _awaits_of_a_commit(office, number)
    store = _Wanted(office.desk.database)
    desk = replace(office.desk, database=cast(Any, store))
    command = office.commit_of(stay, *LINES)
    said = await office.request("H001", "settlement.commit", command, f"X-{number}")
    stopped = await was_cancelled(random.randrange(awaits), office.hear(said, desk))
    if stopped and not store.wanted:
        return (await said_again(office, said)).code == "OK"
    return await _committed(office, f"X-{number}")


class _Wanted:
    """A store that knows whether a transaction was wanted of it."""

    def __init__(self, database: Database) -> None:
        self._database, self.wanted = database, False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)

    async def commit(self, unit: Unit) -> None:
        self.wanted = True
        await self._database.commit(unit)


async def _awaits_of_a_commit(office: Office, number: int) -> int:
    """How often one waits that nobody cancels."""
    stay = await office.billed("H001", f"W-{number}", 1)
    said = await office.request("H001", "settlement.commit", office.commit_of(stay, *LINES))
    waits: list[int] = []
    await watched(office.hear(said), waits.append)
    return len(waits)


async def _committed(office: Office, message_id: str) -> bool:
    """Whether the message is kept, soon, without being said again."""
    kept = select(tables.message.c.code).where(tables.message.c.message_id == message_id)
    for _ in range(_PATIENCE_S * 10):
        if await office.rows(kept):
            return True
        await asyncio.sleep(0.1)
    return False


async def _open_stay(office: Office, number: int) -> str:
    """A discharged stay with its lines, and nothing settled."""
    if number == 0:
        return await a_stay(office, discharged=True)
    return await office.billed("H001", f"V-{number}", 1)


Round = Callable[[Office, Random, int], Awaitable[bool]]
KINDS: Final[tuple[Round, ...]] = (undone, changed, cancelled)


async def rounds(call: Call, store: str, kind: Round, number: int, fault: str = "") -> Counter[str]:
    """So many rounds of a kind with one seed, or until one ends as none may; then everything is
    asked."""
    seed = call.seed + call.counts["race_rounds"]
    random, found = Random(seed), Counter[str]()  # noqa: S311
    async with office_on(call, store) as office:
        if fault == _DROPPED:
            await _without_key(office)
        for one in range(number):
            found["race_rounds"] += 1
            if not await kind(office, random, one):
                found["other_breaches"] += 1
                break
        async with office.desk.database.reading() as reader:
            found += counted(await check_invariants(reader))
    if found.keys() - {"race_rounds"}:
        found[f"failed: seed {seed} {kind.__name__} on {store}"] = 1
    return found


async def _without_key(office: Office) -> None:
    async with by_hand(office.desk.database) as hand:
        await hand.exec_driver_sql("ALTER TABLE message RENAME TO message_0")
        await hand.exec_driver_sql("CREATE TABLE message AS SELECT * FROM message_0")


def forged(most: int) -> Counter[str]:
    """Messages in which genuine content was moved aside: how many are believed."""
    corpus = sorted({*variants(), *hidden_in_signature()})[:: max(1, 6000 // most)]
    return +Counter(forged_believed=sum(map(accepted, corpus)))


_SEEN_BY: Final[dict[str, tuple[str, Round]]] = {
    _DROPPED: ("sqlite", undone),
    "check-then-act": ("sqlite", changed),
    "shield-removed": ("postgresql", cancelled),
    "tombstone-elsewhere": ("sqlite", undone),
}


def caught(call: Call, fault: str) -> bool:
    """Whether a few rounds of the kind that tries it fail with this fault."""
    with server(), planted("" if fault == _DROPPED else fault):
        if fault not in _SEEN_BY:
            return bool(forged(6000))
        store, kind = _SEEN_BY[fault]
        found = asyncio.run(rounds(call, store, kind, 4, fault))
    return bool(found.keys() - {"race_rounds"})


def run(call: Call) -> None:
    """Rounds of every kind on both stores, in turn, until there were enough."""
    with server():
        while call.goes_on("race_rounds", ROUNDS):
            for store in STORES:
                for kind in KINDS:
                    call.count(asyncio.run(rounds(call, store, kind, _OF_AN_OFFICE)))
            call.count(_restarted(call))
            forgeries = forged(600)
            if forgeries:
                forgeries["failed: a forged message was believed"] = 1
            call.count(forgeries)


def _restarted(call: Call) -> Counter[str]:
    """A store of its own, restarted at once under load."""
    seed, home = call.seed + call.counts["race_rounds"], call.folder / f"race-{call.number()}"
    home.mkdir()
    found = asyncio.run(restarted(home, seed, _RESTARTS))
    if found.keys() - {"postgresql_restarts", "acknowledged"}:
        found[f"failed: seed {seed} restarted"] = 1
    call.forget(home)
    return found


def whole(counts: Counter[str]) -> bool:
    """Whether there were enough rounds."""
    return counts["race_rounds"] >= ROUNDS
