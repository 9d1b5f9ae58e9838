"""The delivery worker: pushes each lane's messages, the same bytes on every try.

A message is done only when the receiver's signed receipt names its id and digest. An
unclear answer is tried again later; a signed refusal parks the message with its subject,
visibly, and other subjects go on.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from functools import partial
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
from gateway.store.deliveries import DONE, PARKED, WAITING, due, lanes_due
from gateway.store.unit import Change, Insert, StaleFacts, Unit, Write

_PAGE: Final = 64
_log = logging.getLogger(__name__)

ChannelFor = Callable[[str], Awaitable[Channel | None]]
"""How a receiver is reached; None when it cannot be called (it pulls)."""


class Worker:
    """Runs until stopped, one in each process that delivers: whoever leads gives the numbers,
    and whoever locks a lane pushes its messages."""

    def __init__(
        self, database: Database, clock: Clock, channel_for: ChannelFor, poll_s: float
    ) -> None:
        self._database, self._clock = database, clock
        self._channel_for, self._poll_s = channel_for, poll_s
        self._breakers: dict[str, Breaker] = {}
        self._pushing: dict[str, asyncio.Task[int]] = {}
        self._ending = False

    async def run(self, wake: asyncio.Event, stop: asyncio.Event) -> None:
        """Number and push whenever woken, and at every poll; a slow receiver holds up neither
        the numbers nor anybody else's messages."""
        while not stop.is_set():
            # Before the turn: whoever wakes us during it may come too late for it.
            wake.clear()
            try:
                if await self._database.leads():
                    await number_lanes(self._database, self._clock)
                await self._begin(wake)
            except Exception as error:
                if self._database.broken.is_set():
                    _log.error("delivery stopped: the store has failed")
                    break
                # One turn's defect must not end delivery for everybody: it is tried again.
                _log.error("a turn of delivery failed", extra={"error": type(error).__name__})
            await either(wake, stop, self._poll_s)
        self._ending = True
        await asyncio.gather(*self._pushing.values(), return_exceptions=True)

    async def turn(self) -> int:
        """Number the lanes and push everything due; the number delivered."""
        await number_lanes(self._database, self._clock)
        return sum(await asyncio.gather(*map(self._push_lane, await self._due())))

    async def _begin(self, wake: asyncio.Event) -> None:
        """Begin to push the lanes that are due and not in hand."""
        for receiver in await self._due():
            if receiver not in self._pushing:
                task = asyncio.create_task(self._push_lane(receiver), name="push-lane")
                self._pushing[receiver] = task
                task.add_done_callback(partial(self._ended, receiver, wake))

    def _ended(self, receiver: str, wake: asyncio.Event, task: "asyncio.Task[int]") -> None:
        del self._pushing[receiver]
        if task.cancelled():
            return
        error = task.exception()
        if error is not None:
            _log.error("a lane failed", extra={"error": type(error).__name__})
        elif task.result():
            # What became due behind its back is looked for at once.
            wake.set()

    async def _due(self) -> list[str]:
        """The receivers to whom something is to be pushed now, but for those that rest."""
        async with self._database.reading() as reader:
            found = await lanes_due(reader, micros(self._clock.now()))
        return [name for name in found if self._breaker(name).closed]

    def _breaker(self, receiver: str) -> Breaker:
        return self._breakers.setdefault(receiver, Breaker())

    async def _push_lane(self, receiver: str) -> int:
        """One receiver's messages page by page, so that the lock is not held for long."""
        delivered, more = 0, True
        while more and not self._ending:
            async with self._database.lane(receiver) as ours:
                rows = await self._page(receiver) if ours else ()
                delivered += await self._push_page(receiver, rows)
            more = bool(rows) and self._breaker(receiver).closed
        return delivered

    async def _page(self, receiver: str) -> Sequence[dict[str, Any]]:
        async with self._database.reading() as reader:
            return await due(reader, receiver, micros(self._clock.now()), _PAGE)

    async def _push_page(self, receiver: str, rows: Sequence[dict[str, Any]]) -> int:
        """One by one, while its breaker is closed."""
        delivered = 0
        for row in rows:
            if self._breaker(receiver).closed and not self._ending:
                delivered += await self._push(row)
        return delivered

    async def _push(self, row: dict[str, Any]) -> int:
        try:
            channel = await self._channel_for(row["receiver"])
            receipt = None if channel is None else await channel.send(bytes(row["sealed"]))
        except ChannelRefused as refusal:
            self._breaker(row["receiver"]).succeeded()
            return await self._park(row, str(refusal))
        except ChannelBusy as busy:
            return await self._failed(row, str(busy))
        except Exception as error:
            # A defect on the way to one receiver must not end delivery for everybody.
            _log.error("a push failed", extra={"error": type(error).__name__})
            return await self._failed(row, type(error).__name__)
        if receipt is None:
            return await self._later(row, "no channel")
        self._breaker(row["receiver"]).succeeded()
        return await self._done(row, receipt)

    async def _failed(self, row: dict[str, Any], why: str) -> int:
        self._breaker(row["receiver"]).failed()
        return await self._later(row, why)

    async def _done(self, row: dict[str, Any], receipt: bytes) -> int:
        now = micros(self._clock.now())
        values = {"state": DONE, "done_us": now, "receipt": receipt}
        tx_id = _transaction_id()
        return await self._change(tx_id, row, values, _leaf(tx_id, row, receipt, now))

    async def _later(self, row: dict[str, Any], why: str) -> int:
        attempts = row["attempts"] + 1
        moment = self._clock.now() + timedelta(seconds=delay_s(attempts))
        values = {"attempts": attempts, "next_us": micros(moment), "last_error": why}
        await self._change(_transaction_id(), row, values)
        return 0

    async def _park(self, row: dict[str, Any], why: str) -> int:
        _log.error("message parked", extra={"subject": row["subject"], "why": why})
        await self._change(_transaction_id(), row, {"state": PARKED, "last_error": why})
        return 0

    async def _change(
        self, tx_id: str, row: dict[str, Any], values: dict[str, Any], *more: Write
    ) -> int:
        """One waiting message takes these values: the number changed."""
        where = {"message_id": row["message_id"], "state": WAITING}
        year = business_day(self._clock.now()).year
        writes = (Change(tables.outbox, where, values), *more)
        try:
            await self._database.commit(Unit(tx_id, year, writes=writes))
        except StaleFacts:
            _log.info("acknowledged meanwhile", extra={"subject": row["subject"]})
            return 0
        return 1


def _transaction_id() -> str:
    return f"D{uuid4().hex[:24].upper()}"


def _leaf(tx_id: str, row: dict[str, Any], receipt: bytes, now_us: int) -> Write:
    """The receipt is evidence: the receiver's own signature over our id and digest."""
    exchange = Exchange(
        kind="delivery",
        tx_id=tx_id,
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


async def either(wake: asyncio.Event, stop: asyncio.Event, poll_s: float) -> None:
    """Until woken, stopped or the poll interval is over."""
    waits = [asyncio.create_task(wake.wait()), asyncio.create_task(stop.wait())]
    await asyncio.wait(waits, timeout=poll_s, return_when=asyncio.FIRST_COMPLETED)
    for task in waits:
        task.cancel()
