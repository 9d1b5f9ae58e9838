"""A hospital: several stays at once, each from registration to settlement, taken back and
settled anew, with a second workstation that writes into the same stay at the same moment."""

import asyncio
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from gateway.clock import at_business
from gateway.domain.admission import PaidAtDischargeBy
from gateway.domain.case import TreatmentKind
from gateway.domain.commands import (
    AckInbox,
    CancelDischarge,
    CancelSettlement,
    CommitSettlement,
    PullInbox,
    RegisterAdmission,
    RegisterDischarge,
    ReverseTransaction,
    UploadFees,
    VoidFees,
)
from tests.simulation.party import Belief, Party
from tests.world import DIAGNOSIS, bill_line, person

_DAY = date(2026, 3, 2)
_ITEMS = (("I0001", "12.00"), ("I0001", "12.00"), ("NOT-IN-CATALOGUE", "98.00"))
_AGAIN = 6  # tries of a step that was refused for its time, or fenced


@dataclass(slots=True)
class Stay:
    """One stay as the hospital knows it."""

    visit_no: str
    serial: int
    admission_id: str = ""
    lines: dict[str, int] = field(default_factory=dict)
    numbered: int = 0
    commits: list[str] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Hospital(Party):
    """A party with stays and an inbox."""

    stays: list[Stay] = field(default_factory=list)
    inbox: list[tuple[str, Any]] = field(default_factory=list)

    @property
    def _draw(self) -> Any:
        return self.loop.random

    async def treat(self, visit_no: str, serial: int) -> None:
        """The whole of one stay."""
        stay = Stay(visit_no, serial)
        self.stays.append(stay)
        if not await self._register(stay):
            return
        await asyncio.gather(*(self._upload(stay) for _ in range(self._draw.randint(1, 3))))
        await self._until_applied("discharge.register", lambda: self._discharge(stay))
        for _ in range(self._draw.randint(1, 3)):
            await self._settle(stay)
            await self._change_mind(stay)

    async def _until_applied(self, name: str, command: Any) -> Belief:
        """A step said anew while it was fenced or came too late; every other answer stands."""
        belief = await self.tell(name, command())
        for _ in range(_AGAIN):
            if belief.code not in ("EXPIRED", "TOMBSTONED", "REVERSED_BEFORE_ARRIVAL"):
                break
            belief = await self.tell(name, command())
        return belief

    async def _register(self, stay: Stay) -> bool:
        command = RegisterAdmission(
            visit_no=stay.visit_no,
            person=person(stay.serial),
            treatment=TreatmentKind.INPATIENT,
            admitted_at=at_business(date(2026, 3, 1), 15),
            department="骨科",
            doctor="虚构医师",
            diagnoses=(DIAGNOSIS,),
        )
        for _ in range(_AGAIN):
            belief = await self._until_applied("admission.register", lambda: command)
            found = getattr(belief.result, "admission_id", "")
            if belief.outcome == "APPLIED" and found:
                stay.admission_id = found
                return True
            await asyncio.sleep(self._draw.random() * 20)
        return False

    async def _upload(self, stay: Stay) -> None:
        lines = []
        for _ in range(self._draw.randint(1, 4)):
            stay.numbered += 1
            code, price = self._draw.choice(_ITEMS)
            count = str(self._draw.randint(1, 9))
            lines.append(bill_line(f"L{stay.numbered}", code, price, count, _DAY))
        command = UploadFees(admission_id=stay.admission_id, lines=tuple(lines))
        belief = await self._until_applied("fees.upload", lambda: command)
        amounts = {line.line_id: line.amount_fen for line in lines}
        for answer in getattr(belief.result, "answers", ()):
            if answer.status == "accepted":
                stay.lines[answer.line_id] = amounts[answer.line_id]

    async def _void(self, stay: Stay) -> None:
        if not stay.lines:
            return
        line_id = self._draw.choice(sorted(stay.lines))
        command = VoidFees(admission_id=stay.admission_id, line_ids=(line_id,), reason="虚构")
        belief = await self.tell("fees.void", command)
        if belief.outcome == "APPLIED":
            stay.lines.pop(line_id, None)

    def _discharge(self, stay: Stay) -> RegisterDischarge:
        return RegisterDischarge(
            admission_id=stay.admission_id, discharged_at=self.wire.now(), way="治愈"
        )

    def _commit_of(self, stay: Stay) -> CommitSettlement:
        return CommitSettlement(
            admission_id=stay.admission_id,
            bill_no=f"B-{stay.visit_no}",
            expected_count=len(stay.lines),
            expected_amount_fen=sum(stay.lines.values()),
            paid_at_discharge_by=PaidAtDischargeBy.NOBODY,
            operator="op1",
        )

    async def _commit(self, stay: Stay) -> None:
        await self._until_applied("settlement.commit", lambda: self._commit_of(stay))

    async def _settle(self, stay: Stay) -> None:
        """The bill is committed, sometimes while the other workstation is at work."""
        others = (self._upload, self._void, self._commit)
        beside = [one for one in others if self._draw.random() < 0.3]
        await asyncio.gather(self._commit(stay), *(one(stay) for one in beside))

    async def _change_mind(self, stay: Stay) -> None:
        """Some of what was said is taken back, cancel and reverse racing for the same effect."""
        said = [sent for sent in self.journal.values() if self._about(stay, sent.command)]
        wanted = [
            self._taken_back(sent)
            for sent in said
            if sent.name != "fees.upload" and self._draw.random() < 0.25
        ]
        if self._draw.random() < 0.2:
            cancel = CancelDischarge(admission_id=stay.admission_id, reason="虚构")
            wanted.append(self.tell("discharge.cancel", cancel))
        await asyncio.gather(*wanted)
        if self._draw.random() < 0.7:
            await self._until_applied("discharge.register", lambda: self._discharge(stay))

    def _about(self, stay: Stay, command: Any) -> bool:
        if isinstance(command, CancelSettlement):
            return any(command.settlement_id == one for one in self._settlements(stay))
        return getattr(command, "admission_id", "") == stay.admission_id

    def _settlements(self, stay: Stay) -> list[str]:
        return [
            found.settlement_id
            for found in self.told()
            if found.admission_id == stay.admission_id and found.settlement_id
        ]

    async def _taken_back(self, sent: Any) -> None:
        found = getattr(self.beliefs[sent.message_id].result, "settlement_id", "")
        if sent.name == "settlement.commit" and found and self._draw.random() < 0.5:
            cancel = CancelSettlement(settlement_id=found, reason="虚构", operator="op1")
            await self.tell("settlement.cancel", cancel)
            return
        command = ReverseTransaction(
            target_message_id=sent.message_id, target_command=sent.name, reason="虚构"
        )
        await self.tell("transaction.reverse", command)

    def told(self) -> list[Any]:
        """Every settlement that the gateway ever told this hospital of."""
        results = [one.result for one in self.beliefs.values() if one.outcome == "APPLIED"]
        results += [result for _, result in self.inbox]
        whole = [getattr(one, "settlement", None) or one for one in results]
        return [one for one in whole if getattr(one, "bill_state", None) is not None]

    async def empty_inbox(self) -> None:
        """Pull what waits, keep each once, and acknowledge it, until nothing waits."""
        while True:
            pulled = (await self.ask("inbox.pull", PullInbox(limit=20))).result
            receipts = []
            for one in pulled.messages:
                sealed, _, result = self.wire.opened(one.sealed)
                if one.message_id not in dict(self.inbox):
                    self.inbox.append((one.message_id, result))
                receipts.append((one.message_id, sealed.digest))
            if not receipts:
                return
            await self.tell("inbox.ack", AckInbox(receipts=tuple(receipts)))
