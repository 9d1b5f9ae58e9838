"""The delivery worker: pushes each lane's messages, the same bytes on every try.

A message is done only when the receiver's signed receipt names its id and digest. An
unclear answer is tried again later; a signed refusal parks the message with its subject,
visibly, and other subjects go on.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any, Final
from uuid import uuid4

from gateway.clock import business_day, micros
from gateway.delivery.breaker import Breaker
from gateway.delivery.retry import delay_s
from gateway.delivery.scribe import number_lanes
from gateway.evidence.leaf import Exchange, leaf_row
from gateway.ports import Channel, ChannelBusy, ChannelRefused, Clock
from gateway.store import tables
from gateway.store.database import Database
from gateway.store.deliveries import DONE, PARKED, WAITING, due
from gateway.store.unit import Change, Insert, StoreFailed, Unit, Write

_PAGE: Final = 64
_log = logging.getLogger(__name__)

ChannelFor = Callable[[str], Awaitable[Channel | None]]
"""How a receiver is reached; None when it cannot be called (it pulls)."""


class Worker:
    """Runs until stopped; one task per process."""

    def __init__(
        self, database: Database, clock: Clock, channel_for: ChannelFor, poll_s: float
    ) -> None:
        self._database, self._clock = database, clock
        self._channel_for, self._poll_s = channel_for, poll_s
        self._breakers: dict[str, Breaker] = {}

    async def run(self, wake: asyncio.Event, stop: asyncio.Event) -> None:
        """Number and push whenever woken, and at every poll."""
        while not stop.is_set():
            try:
                await self.turn()
            except StoreFailed:
                _log.error("delivery stopped: the store has failed")
                return
            wake.clear()
            await _either(wake, stop, self._poll_s)

    async def turn(self) -> int:
        """Number the lanes and push everything due; the number delivered."""
        await number_lanes(self._database, self._clock)
        delivered = 0
        while True:
            async with self._database.reading() as reader:
                rows = await due(reader, micros(self._clock.now()), _PAGE)
            ready = [row for row in rows if self._breaker(row["receiver"]).closed]
            if not ready:
                return delivered
            delivered += await self._push_all(ready)

    def _breaker(self, receiver: str) -> Breaker:
        return self._breakers.setdefault(receiver, Breaker())

    async def _push_all(self, rows: Sequence[dict[str, Any]]) -> int:
        """One message per subject at a time; a closed breaker stops a receiver's lane."""
        delivered = 0
        for row in rows:
            if self._breaker(row["receiver"]).closed:
                delivered += await self._push(row)
        return delivered

    async def _push(self, row: dict[str, Any]) -> int:
        channel = await self._channel_for(row["receiver"])
        breaker = self._breaker(row["receiver"])
        if channel is None:
            await self._later(row, "no channel")
            return 0
        try:
            receipt = await channel.send(bytes(row["sealed"]))
        except ChannelBusy as busy:
            breaker.failed()
            await self._later(row, str(busy))
            return 0
        except ChannelRefused as refusal:
            breaker.succeeded()
            await self._park(row, str(refusal))
            return 0
        breaker.succeeded()
        await self._done(row, receipt)
        return 1

    async def _done(self, row: dict[str, Any], receipt: bytes) -> None:
        now = micros(self._clock.now())
        values = {"state": DONE, "done_us": now, "receipt": receipt}
        await self._change(row, values, _leaf(row, receipt, now))

    async def _later(self, row: dict[str, Any], why: str) -> None:
        attempts = row["attempts"] + 1
        moment = self._clock.now() + timedelta(seconds=delay_s(attempts))
        values = {"attempts": attempts, "next_us": micros(moment), "last_error": why}
        await self._change(row, values)

    async def _park(self, row: dict[str, Any], why: str) -> None:
        _log.error("message parked", extra={"subject": row["subject"], "why": why})
        await self._change(row, {"state": PARKED, "last_error": why})

    async def _change(self, row: dict[str, Any], values: dict[str, Any], *more: Write) -> None:
        where = {"message_id": row["message_id"], "state": WAITING}
        unit = Unit(
            _transaction_id(),
            business_day(self._clock.now()).year,
            writes=(Change(tables.outbox, where, values), *more),
        )
        await self._database.commit(unit)


def _transaction_id() -> str:
    return f"D{uuid4().hex[:24].upper()}"


def _leaf(row: dict[str, Any], receipt: bytes, now_us: int) -> Write:
    """The receipt is evidence: the receiver's own signature over our id and digest."""
    exchange = Exchange(
        kind="delivery",
        tx_id=_transaction_id(),
        sender=row["receiver"],
        receiver=row["receiver"],
        message_id=row["message_id"],
        received_us=now_us,
        assurance="signed",
        signer=row["receiver"],
        request=bytes(row["sealed"]),
        reply=receipt,
    )
    return Insert(tables.leaf, [leaf_row(exchange)])


async def _either(wake: asyncio.Event, stop: asyncio.Event, poll_s: float) -> None:
    """Until woken, stopped or the poll interval is over."""
    waits = [asyncio.create_task(wake.wait()), asyncio.create_task(stop.wait())]
    await asyncio.wait(waits, timeout=poll_s, return_when=asyncio.FIRST_COMPLETED)
    for task in waits:
        task.cancel()
