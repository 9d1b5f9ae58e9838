"""One lane of a hospital: visits from registration to settlement, one message after the other,
each sent again with the same bytes until its outcome is known."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from adapters.sandbox.client import Answer, Client, Unknown
from gateway.clock import business_day, machine_now
from gateway.domain.admission import PaidAtDischargeBy
from gateway.domain.bill import BillLine
from gateway.domain.case import TreatmentKind
from gateway.domain.codes import Outcome
from gateway.domain.commands import (
    CancelSettlement,
    CommitSettlement,
    RegisterAdmission,
    RegisterDischarge,
    ReverseTransaction,
    UploadFees,
)
from tests.fault.story import Heard
from tests.world import DIAGNOSIS, bill_line, person

_FINAL: Final = (Outcome.APPLIED, Outcome.REFUSED)


@dataclass(slots=True)
class Lane:
    """What one sender keeps on its own disk: the visit it is at, by each of its `people` in turn,
    the message whose outcome it does not know yet, and every final reply."""

    name: str
    people: range
    heard: Heard = field(default_factory=dict)
    visit: int = 0
    stage: int = 0
    known: dict[str, str] = field(default_factory=dict)
    open: tuple[str, bytes] | None = None
    sent: dict[str, bytes] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)

    async def talk(self, client: Client) -> None:
        """Say one message after the other until nobody answers."""
        while True:
            message_id, sealed = self.open or self._next(client)
            self.open = message_id, sealed
            try:
                answer = await client.post(message_id, sealed)
            except Unknown:
                return
            self._hear(client, answer)

    def _next(self, client: Client) -> tuple[str, bytes]:
        command, make = _STAGES[self.stage]
        message_id = f"{self.name}-{self.visit}-{self.stage}"
        return message_id, client.sealed(command, make(self), message_id)

    def _hear(self, client: Client, answer: Answer) -> None:
        if answer.outcome not in _FINAL:
            return
        key = (client.party_id, answer.message_id)
        if answer.code != "OK":
            self.refused.append(f"{answer.message_id} {answer.code}")
        self.heard[key] = answer.received
        self.sent[answer.message_id] = answer.sent
        for name in ("admission_id", "settlement_id"):
            self.known[name] = getattr(answer.result, name, "") or self.known.get(name, "")
        self.open, self.stage = None, self.stage + 1
        if self.stage == len(_STAGES):
            self.visit, self.stage = self.visit + 1, 0

    async def again(self, client: Client, most: int) -> list[str]:
        """Of the newest messages, sent once more: those to which another reply comes."""
        found = []
        for message_id in list(self.sent)[-most:]:
            answer = await client.post(message_id, self.sent[message_id])
            same = answer.received == self.heard[client.party_id, message_id]
            if not same and answer.code != "SUPERSEDED":
                found.append(f"{message_id} {answer.code}")
        return found

    def message_of(self, stage: int) -> str:
        return f"{self.name}-{self.visit}-{stage}"


def _register(lane: Lane) -> RegisterAdmission:
    return RegisterAdmission(
        visit_no=f"{lane.name}-{lane.visit}",
        person=person(lane.people[lane.visit % len(lane.people)]),
        treatment=TreatmentKind.INPATIENT,
        admitted_at=machine_now() - timedelta(days=1),
        department="骨科",
        doctor="虚构医师",
        diagnoses=(DIAGNOSIS,),
    )


def _lines() -> tuple[BillLine, ...]:
    """Of yesterday: within the stay, whatever day it is in the middle of a long call."""
    yesterday = business_day(machine_now()) - timedelta(days=1)
    return tuple(bill_line(f"L{n}", "I0001", "12.00", "1", yesterday) for n in range(6))


def _upload(lane: Lane) -> UploadFees:
    return UploadFees(admission_id=lane.known["admission_id"], lines=_lines())


def _leave(lane: Lane) -> RegisterDischarge:
    stay = lane.known["admission_id"]
    return RegisterDischarge(admission_id=stay, discharged_at=machine_now(), way="治愈")


def _commit(lane: Lane) -> CommitSettlement:
    lines = _lines()
    return CommitSettlement(
        admission_id=lane.known["admission_id"],
        bill_no=f"{lane.name}-{lane.visit}",
        expected_count=len(lines),
        expected_amount_fen=sum(line.amount_fen for line in lines),
        paid_at_discharge_by=PaidAtDischargeBy.NOBODY,
        operator="op1",
    )


def _reverse(lane: Lane) -> ReverseTransaction:
    return ReverseTransaction(
        target_message_id=lane.message_of(_COMMITTED),
        target_command="settlement.commit",
        reason="虚构",
    )


def _cancel(lane: Lane) -> CancelSettlement:
    number = lane.known["settlement_id"]
    return CancelSettlement(settlement_id=number, reason="虚构", operator="op1")


_COMMITTED: Final = 3
_STAGES: Final[tuple[tuple[str, Callable[[Lane], Any]], ...]] = (
    ("admission.register", _register),
    ("fees.upload", _upload),
    ("discharge.register", _leave),
    ("settlement.commit", _commit),
    ("transaction.reverse", _reverse),
    ("settlement.commit", _commit),
    ("settlement.cancel", _cancel),
    ("settlement.commit", _commit),
)
"""A visit: settled, taken back twice in different ways, and settled for good."""
