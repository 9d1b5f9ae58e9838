"""The agency: it reports and decides cases, and its core system receives what is pushed.

The core keeps each message once by its id and answers with a signed receipt; it is down at
times, or answers what proves nothing.
"""

import asyncio
import hashlib
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from adapters.sandbox.agency import Core
from gateway.domain.case import CaseState, Channel
from gateway.domain.commands import DecideCase, ReportCase
from gateway.ports import ChannelBusy
from gateway.seal.broken import SealBroken
from gateway.seal.sign import Signer
from tests.flows.office import AGENCY
from tests.simulation.network import Lost, Network, Reply
from tests.simulation.party import Belief, Party
from tests.world import DIAGNOSIS, person

_DAY = date(2026, 3, 2)
_SAID_AGAIN = ("EXPIRED", "TOMBSTONED", "REVERSED_BEFORE_ARRIVAL", "FINDINGS")


@dataclass(slots=True, kw_only=True)
class Agency(Party):
    """A party that also listens."""

    core: Core
    up: bool = True
    arrivals: list[str] = field(default_factory=list)
    digests: dict[str, set[str]] = field(default_factory=dict)

    def take(self, signer: Signer) -> None:
        """Messages and receipts alike."""
        self.wire.signer = self.core.signer = signer

    async def open_case(self, serial: int, state: CaseState, wait_s: float) -> None:
        """Report a case, and decide it some time later."""
        await self._said("case.report", lambda: self._report(serial))
        await asyncio.sleep(wait_s)
        await self._said("case.decide", lambda: self._decision(serial, state))

    async def _said(self, name: str, command: Any) -> Belief:
        belief = await self.tell(name, command())
        while belief.code in _SAID_AGAIN:
            belief = await self.tell(name, command())
        return belief

    def _report(self, serial: int) -> ReportCase:
        return ReportCase(
            case_no=f"C{serial}",
            person=person(serial),
            employer_no="E1",
            employer_name="虚构机械厂",
            injured_on=date(2026, 3, 1),
            injured_parts="右小腿",
            diagnoses=(DIAGNOSIS,),
            reported_by="虚构人事",
            reported_at=self.wire.now(),
            channel=Channel.WEB,
            insured_at_injury=True,
        )

    def _decision(self, serial: int, state: CaseState) -> DecideCase:
        return DecideCase(
            case_no=f"C{serial}",
            state=state,
            decided_on=_DAY,
            authority="999900",
            reason="虚构决定",
            decision_no=f"D-{serial}",
            applied_on=_DAY,
            accepted_on=_DAY,
        )

    async def receive(self, raw: bytes) -> Reply:
        """What the core system answers to a push."""
        if not self.up:
            raise Lost
        known = len(self.core.received)
        try:
            receipt = self.core.receipt(raw)
        except SealBroken as broken:
            return Reply(400, broken.code.encode())
        message_id = self.wire.opened(raw)[0].header.message_id
        self.digests.setdefault(message_id, set()).add(hashlib.sha256(raw).hexdigest())
        if len(self.core.received) > known:
            self.arrivals.append(message_id)
            self.trace("pushed", message_id)
        return Reply(200, receipt)


class Push:
    """In place of the gateway's HTTPS line to the agency."""

    def __init__(self, url: str, network: Network, agency: Agency) -> None:
        self.url, self._network, self._agency = url, network, agency

    async def post(self, sealed: bytes) -> bytes:
        try:
            return (await self._network.call(AGENCY, self._agency.receive, sealed)).body
        except Lost:
            raise ChannelBusy("nothing came back") from None

    async def close(self) -> None: ...
