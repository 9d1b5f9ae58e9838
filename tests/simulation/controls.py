"""Built-in faults: the simulation must fail with each of them, else it proves nothing.

They are planted here, in the tests, over whole pieces of the gateway; the gateway itself has no
switch.
"""

import asyncio
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from contextvars import ContextVar
from dataclasses import replace
from typing import Any, NamedTuple
from unittest.mock import patch

from sqlalchemy import Column, MetaData, Table, select

from adapters.sandbox.client import Answer, Client, Unknown
from gateway.delivery import channel, worker
from gateway.domain.codes import Outcome
from gateway.flows import bill_file, commit_settlement, query_transaction, reverse_transaction
from gateway.store import messages, sqlite, tables
from gateway.store.apply import apply
from gateway.store.deliveries import WAITING
from gateway.store.unit import Change, Insert, KeyTaken, StaleFacts, StoreFailed, Unit
from tests.simulation import checks
from tests.simulation.base import Base
from tests.simulation.seed import run
from tests.simulation.world import World

MOST_SEEDS = 60
"""A fault that so many seeds do not see is not found."""
Fault = Callable[[], AbstractContextManager[Any]]
_OK = 200


@contextmanager
def _acknowledged_before_commit() -> Iterator[None]:
    async def commit(self: Any, unit: Unit) -> None:
        done = asyncio.get_running_loop().create_future()
        done.add_done_callback(lambda future: future.exception())
        await self._queue.put((unit, done))

    with patch.object(sqlite.SqliteDatabase, "commit", commit):
        yield


@contextmanager
def _unique_key_dropped() -> Iterator[None]:
    """The same columns, and no key: any number of rows may have one id."""

    def without(world: World) -> None:
        world.altered(
            "ALTER TABLE message RENAME TO with_key",
            "CREATE TABLE message AS SELECT * FROM with_key",
            "DROP TABLE with_key",
            "CREATE INDEX by_id ON message (sender, message_id)",
        )

    with patch.object(World, "prepared", without):
        yield


@contextmanager
def _check_then_act() -> Iterator[None]:
    """What was read is written upon without a second look."""

    async def blindly(connection: Any, unit: Unit, *more: Any) -> None:
        writes = tuple(_by_key(one) if isinstance(one, Change) else one for one in unit.writes)
        await apply(connection, replace(unit, guards=(), writes=writes), *more)

    with patch.object(sqlite, "apply", blindly):
        yield


def _by_key(change: Change) -> Change:
    key = change.table.info["row_key"]
    where = {name: value for name, value in change.where.items() if name in key}
    return replace(change, where=where or change.where)


@contextmanager
def _shield_removed() -> Iterator[None]:
    """The transaction lives in the request's own task, and dies with it as it stands: the next
    one's COMMIT takes along what was written."""

    async def hold(self: Any) -> None:
        self.turn = asyncio.Lock()
        with self._writer.connect() as self.connection:
            await self._queue.get()

    async def commit(self: Any, unit: Unit) -> None:
        async with self.turn:
            try:
                await _unshielded(self.connection, unit, self.vault)
            except (StaleFacts, KeyTaken):
                raise
            except Exception as error:
                raise StoreFailed(type(error).__name__) from error

    with (
        patch.object(sqlite.SqliteDatabase, "_write_all", hold),
        patch.object(sqlite.SqliteDatabase, "commit", commit),
    ):
        yield


_SLOWER = 10  # than a disk: so that something comes between, or senders lose patience


class _Slow:
    """A connection whose every statement takes long: whoever waits may be cancelled there."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self.dialect = connection.dialect

    async def execute(self, statement: Any, given: Any = None) -> Any:
        await _wait()
        return self._connection.execute(statement, given)

    async def exec_driver_sql(self, statement: str, given: Any) -> Any:
        await _wait()
        return self._connection.exec_driver_sql(statement, given)


async def _wait() -> None:
    loop: Any = asyncio.get_running_loop()
    await asyncio.sleep(loop.latency_s() * _SLOWER)


async def _unshielded(connection: Any, unit: Unit, vault: Any) -> None:
    if not connection.connection.driver_connection.in_transaction:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    try:
        await apply(_Slow(connection), unit, vault, sqlite.SqliteDialect())
        connection.exec_driver_sql("COMMIT")
    except Exception:
        sqlite._roll_back(connection)
        raise


_APART = Table(
    "tombstone",
    MetaData(),
    *(Column(column.name) for column in tables.message.columns),
    info={"personal": (), "row_key": ("sender", "message_id")},
)


@contextmanager
def _tombstone_in_another_table() -> Iterator[None]:
    """Two keys that know nothing of each other: of a message and its reversal both may win."""
    fenced, looked_up, whole = reverse_transaction._tombstone, messages.stored, checks.read

    def tombstone(*given: Any) -> Any:
        plan = fenced(*given)
        [write] = plan.writes
        rows = [{**row, "key_id": ""} for row in write.rows]
        return replace(plan, writes=(Insert(_APART, rows),))

    async def stored(reader: Any, sender: str, message_id: str) -> Any:
        found = await looked_up(reader, sender, message_id)
        same = _APART.c.sender == sender, _APART.c.message_id == message_id
        row = found or await reader.row(select(_APART).where(*same))
        return row if row is None or row is found else messages._stored(reader.vault, row)

    async def read(database: Any) -> Any:
        kept = await whole(database)
        async with database.reading() as reader:
            kept.message += await reader.rows(select(_APART))
        return kept

    def with_table(world: World) -> None:
        columns = ", ".join(column.name for column in _APART.columns)
        world.altered(f"CREATE TABLE tombstone ({columns}, PRIMARY KEY (sender, message_id))")

    with ExitStack() as stack:
        for place in (messages, reverse_transaction, query_transaction):
            stack.enter_context(patch.object(place, "stored", stored))
        stack.enter_context(patch.object(reverse_transaction, "_tombstone", tombstone))
        stack.enter_context(patch.object(checks, "read", read))
        stack.enter_context(patch.object(World, "prepared", with_table))
        yield


@contextmanager
def _unsigned_answer_believed() -> Iterator[None]:
    believed = Client._believed

    def credulous(self: Any, message_id: str, sent: bytes, status: int, received: bytes) -> Any:
        try:
            return believed(self, message_id, sent, status, received)
        except Unknown:
            if status != _OK:
                raise
            return Answer(message_id, status, Outcome.APPLIED, "OK", None, sent, received)

    with patch.object(Client, "_believed", credulous):
        yield


@contextmanager
def _any_200_is_a_receipt() -> Iterator[None]:
    async def send(self: Any, sealed: bytes) -> bytes:
        received: bytes = await self._line.post(sealed)
        return received

    with patch.object(channel.HttpsChannel, "send", send):
        yield


@contextmanager
def _order_of_the_lane_ignored() -> Iterator[None]:
    """What is due goes, whether what was said before it has arrived or not."""
    outbox = tables.outbox

    async def due(reader: Any, receiver: str, now_us: int, limit: int) -> Any:
        waiting = outbox.c.state == WAITING, outbox.c.channel == "push", outbox.c.next_us <= now_us
        query = select(outbox).where(*waiting, outbox.c.receiver == receiver).limit(limit)
        return await reader.opened(outbox, query.order_by(outbox.c.lane_seq))

    with patch.object(worker, "due", due):
        yield


@contextmanager
def _version_read_after_what_it_guards() -> Iterator[None]:
    """A bill is settled on lines read before the stay whose version guards them."""
    first, after = bill_file.lines_of, commit_settlement.own_stay
    seen: ContextVar[dict[str, Any]] = ContextVar("seen")

    async def own_stay(reader: Any, caller: Any, admission_id: str) -> Any:
        seen.set({admission_id: await first(reader, admission_id)})
        await _wait()
        return await after(reader, caller, admission_id)

    async def lines_of(reader: Any, admission_id: str) -> Any:
        lines = seen.get({}).pop(admission_id, None)
        return await first(reader, admission_id) if lines is None else lines

    with (
        patch.object(commit_settlement, "own_stay", own_stay),
        patch.object(bill_file, "lines_of", lines_of),
    ):
        yield


class Control(NamedTuple):
    """A fault, and how what it does is told: a plant that only crashes is told otherwise."""

    planted: Fault
    told: str


_LOST = "the store has 0 rows"
_TWO = "two outcomes of|the store (has|says)"

CONTROLS: dict[str, Control] = {
    "acknowledged before commit": Control(_acknowledged_before_commit, _LOST),
    "unique key dropped": Control(_unique_key_dropped, _TWO),
    "check then act": Control(_check_then_act, "^I[0-9]+ |settled other lines|live"),
    "shield removed": Control(_shield_removed, "without (its|a) leaf"),
    "tombstone in another table": Control(_tombstone_in_another_table, _TWO),
    "unsigned answer believed": Control(_unsigned_answer_believed, _TWO),
    "any 200 is a receipt": Control(_any_200_is_a_receipt, "is DONE and did not arrive"),
    "version read after what it guards": Control(
        _version_read_after_what_it_guards, "settled other lines|^I10 "
    ),
    "order of the lane ignored": Control(_order_of_the_lane_ignored, "arrived out of order"),
}


def caught_by(name: str, base: Base) -> tuple[int, str] | None:
    """The first seed that sees the fault for what it is, and its words; None when none does."""
    control = CONTROLS[name]
    with control.planted():
        for seed in range(MOST_SEEDS):
            for fault in run(seed, base).found.faults:
                if re.search(control.told, fault):
                    return seed, fault
    return None
