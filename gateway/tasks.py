"""What a serving process does besides answering: deliver, release, keep the log, renew keys, ask
every night whether the invariants hold."""

import asyncio
import logging
import ssl
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final, NamedTuple

from gateway.clock import SystemClock, business_day
from gateway.delivery.channel import HttpsChannel, Line
from gateway.delivery.worker import Worker, either
from gateway.domain.party import Party, RegisteredKey
from gateway.flows.desk import Desk
from gateway.flows.keep_log import keep
from gateway.flows.move_cuts import move_cuts
from gateway.flows.release_held import release_all, sweep
from gateway.flows.renew_keys import outstanding, put_under_new_keys
from gateway.ports import Channel
from gateway.seal.deployment import Deployment
from gateway.seal.receipts import receipt_outcome
from gateway.settings import Settings
from gateway.store.invariants import check_invariants
from gateway.store.registry import keys_of, party_by_id
from gateway.store.unit import StoreFailed
from gateway.web.mtls import stamps

_SWEEP_EVERY_S: Final = 3600.0
_CHECK_AGAIN_S: Final = 600.0
"""After which a nightly check that did not come to its end is begun anew."""
_NIGHT: Final = timedelta(hours=2)
"""Hours after midnight at which hospitals send least."""
_log = logging.getLogger(__name__)


@contextmanager
def _tried_again(what: str) -> Iterator[None]:
    """Whatever fails in one turn is tried again in the next: a task must not end by it."""
    try:
        yield
    except StoreFailed:
        _log.warning("%s waits: the store failed", what)
    except Exception as error:
        _log.error("%s failed", what, extra={"error": type(error).__name__})


class _Kept(NamedTuple):
    """The line to a receiver, and for which address and which certificate of ours it was made."""

    where: tuple[object, ...]
    line: Line


@dataclass(slots=True)
class Night:
    """What the nightly check found: the number of breaches, None before the first night; and
    whether one was begun that did not come to its end."""

    breaches: int | None = None
    unfinished: bool = False


@dataclass(frozen=True, slots=True)
class Tasks:
    """The tasks of one process; each goes on until `ended`, or until the store is broken."""

    settings: Settings
    desk: Desk
    deployment: Deployment
    clock: SystemClock
    night: Night
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def of_delivery(self) -> tuple[Callable[[], Coroutine[Any, Any, None]], ...]:
        """What a process does whose role is delivery, each as a task."""
        return self.deliver, self.release, self.check_nightly, self.rewrap, self.keep_log

    @property
    def _over(self) -> bool:
        return self.ended.is_set() or self.desk.database.broken.is_set()

    async def listen(self) -> None:
        """Be woken by what other processes commit."""

        def wake() -> None:
            self.desk.outbox_ready.set()
            self.desk.jobs_ready.set()

        await self.desk.database.listening(wake)

    async def release(self) -> None:
        """Release jobs as they come; everything that waits at start and every hour."""
        desk, swept = self.desk, float("-inf")
        while not self._over:
            desk.jobs_ready.clear()
            with _tried_again("release"):
                if await desk.database.leads():
                    now = asyncio.get_running_loop().time()
                    if now - swept >= _SWEEP_EVERY_S:
                        await sweep(desk)
                        await move_cuts(desk)
                        swept = now
                    await release_all(desk)
            await either(desk.jobs_ready, self.ended, self.settings.delivery_poll_s)

    async def check_nightly(self) -> None:
        """Every invariant, asked of the store at work once a night; what breaks one is logged,
        and told by health and metrics until a night finds nothing."""
        checked, again = self._tonight, float("-inf")
        while not self._over:
            await self._pause(self.settings.delivery_poll_s)
            tonight, now = self._tonight, asyncio.get_running_loop().time()
            if tonight == checked or now < again:
                continue
            with _tried_again("the nightly check"):
                if await self.desk.database.leads():
                    again = now + _CHECK_AGAIN_S
                    await self._check()
                    checked = tonight

    @property
    def _tonight(self) -> date:
        return business_day(self.clock.now() - _NIGHT)

    async def _check(self) -> None:
        try:
            async with self.desk.database.reading() as reader:
                found = await check_invariants(reader)
        except BaseException:
            self.night.unfinished = True
            raise
        self.night.breaches, self.night.unfinished = len(found), False
        for one in found:
            _log.critical("an invariant is broken", extra={"breach": str(one)})

    async def rewrap(self) -> None:
        """Put under new keys what is under old ones, at start and when a key was renewed."""
        desk, seen = self.desk, frozenset[str]()
        while not self._over:
            desk.keys_renewed.clear()
            old = outstanding(desk.database.vault.ring)
            with _tried_again("renewing keys"):
                if old - seen and await desk.database.leads():
                    await put_under_new_keys(desk, lambda: self._over)
                    seen = old
            await either(desk.keys_renewed, self.ended, self.settings.delivery_poll_s)

    async def keep_log(self) -> None:
        """Number committed leaves and sign what is numbered while this process leads; else look
        at what the leader signed."""

        async def leading() -> None:
            if await self.desk.database.leads():
                await keep(self.desk.log)
            else:
                await self.desk.log.look()

        await self._every_second(leading)

    async def look_at_log(self) -> None:
        """Learn what the leader signed, and that commits must stop."""
        await self._every_second(self.desk.log.look)

    async def _every_second(self, act: Callable[[], Coroutine[Any, Any, None]]) -> None:
        while not self._over:
            try:
                await act()
            except Exception as error:
                # Whatever fails once is tried again; health tells how long nothing was signed.
                _log.error("the log was not kept", extra={"error": type(error).__name__})
            await self._pause(self.settings.log_every_s)

    async def _pause(self, seconds: float) -> None:
        """So long, or until the end."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self.ended.wait(), seconds)

    async def deliver(self) -> None:
        """Push what waits to every party that can be called, over one line for each."""
        lines = dict[str, _Kept]()

        async def channel_for(receiver: str) -> Channel | None:
            return await self._channel(receiver, lines)

        worker = Worker(self.desk.database, self.clock, channel_for, self.settings.delivery_poll_s)
        try:
            await worker.run(self.desk.outbox_ready, self.ended)
        finally:
            for kept in lines.values():
                await kept.line.close()

    async def _registered(self, receiver: str) -> tuple[Party | None, list[RegisteredKey]]:
        """A receiver as the registry has it now."""
        async with self.desk.database.reading() as reader:
            return await party_by_id(reader, receiver), await keys_of(reader, receiver)

    async def _channel(self, receiver: str, lines: dict[str, _Kept]) -> Channel | None:
        party, keys = await self.desk.database.in_one_piece(lambda: self._registered(receiver))
        if party is None or not party.callback_url:
            return None
        where = party.callback_url, stamps(*self.deployment.client)
        if receiver not in lines or lines[receiver].where != where:
            if receiver in lines:
                await lines.pop(receiver).line.close()
            lines[receiver] = _Kept(where, Line(party.callback_url, client_context(self)))
        verify = receipt_outcome(self.desk.codec_for(receiver), receiver, keys)
        return HttpsChannel(lines[receiver].line, verify)


def client_context(tasks: Tasks) -> ssl.SSLContext:
    """Mutual TLS towards parties that can be called, trusted by the authority settings name."""
    authority = tasks.settings.partner_ca or tasks.deployment.ca
    context = ssl.create_default_context(cafile=str(authority))
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    certificate, key = tasks.deployment.client
    context.load_cert_chain(certificate, key)
    return context
