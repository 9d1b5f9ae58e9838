"""The business operations that faults are put into, in an order in which each has its effect.

Every step says the same bytes whenever it is said: ids and instants are fixed, and what the
gateway named by chance is looked up in its store.
"""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import select

from gateway.delivery.scribe import number_lanes
from gateway.domain.case import CaseState, Channel
from gateway.domain.codes import Outcome
from gateway.domain.commands import (
    AckInbox,
    CancelDischarge,
    CancelSettlement,
    DecideCase,
    RegisterDischarge,
    ReportCase,
    ReverseTransaction,
    UploadFees,
)
from gateway.flows.exchange import Request, Unanswered
from gateway.flows.release_held import release_all
from gateway.store.tables import admission, outbox, settlement
from tests.flows.office import AGENCY, DAY, LINES, START, Office
from tests.world import DIAGNOSIS, person

H: Final = "H001"
Heard = dict[tuple[str, str], bytes]
Keep = Callable[[tuple[str, str], bytes], None]
_KEPT: Final = (Outcome.APPLIED, Outcome.REFUSED)
_LIFE: Final = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Step:
    """One message, or one job of the gateway's own. `serial` keeps the steps of bills apart."""

    name: str
    command: str
    make: Callable[[Office, int], Awaitable[Any]]
    party: str = H

    def message_id(self, serial: int) -> str:
        return f"{self.name}-{serial}"

    async def request(self, office: Office, serial: int) -> Request:
        """The message, the same bytes every time."""
        times = {"sent_at": START, "expires_at": START + _LIFE}
        made = await self.make(office, serial)
        return await office.request(
            self.party, self.command, made, self.message_id(serial), **times
        )


async def take(office: Office, step: Step, serial: int, keep: Keep) -> None:
    """Do the step once; a reply that is final is kept the moment it is heard."""
    if not step.command:
        await step.make(office, serial)
        return
    try:
        heard = await office.hear(await step.request(office, serial))
    except Unanswered:
        return
    if heard.outcome in _KEPT:
        keep((step.party, heard.message_id), heard.sealed)


async def _stay(office: Office, visit: str) -> str:
    query = select(admission.c.admission_id).where(
        admission.c.visit_no == visit, admission.c.live.is_not(None)
    )
    rows = await office.rows(query)
    return str(rows[0]["admission_id"]) if rows else "NONE"


async def _settled(office: Office, stay: str) -> str:
    query = select(settlement.c.settlement_id).where(
        settlement.c.admission_id == stay, settlement.c.live == 1
    )
    rows = await office.rows(query)
    return str(rows[0]["settlement_id"]) if rows else "NONE"


# --- what is said -------------------------------------------------------------------------------


async def _report(_: Office, serial: int) -> ReportCase:
    return ReportCase(
        case_no=f"C{serial}",
        person=person(serial),
        employer_no="E1",
        employer_name="虚构机械厂",
        injured_on=DAY,
        injured_parts="右小腿",
        diagnoses=(DIAGNOSIS,),
        reported_by="虚构人事",
        reported_at=START,
        channel=Channel.WEB,
        insured_at_injury=True,
    )


async def _decide(_: Office, serial: int) -> DecideCase:
    return DecideCase(
        case_no=f"C{serial}",
        state=CaseState.RECOGNISED,
        decided_on=DAY,
        authority="999900",
        reason="虚构决定",
        decision_no=f"D{serial}",
        applied_on=DAY,
        accepted_on=DAY,
    )


async def _register(office: Office, serial: int) -> Any:
    return office.registration(f"V{serial}", serial, admitted_at=START)


async def _upload(office: Office, serial: int) -> UploadFees:
    return UploadFees(admission_id=await _stay(office, f"V{serial}"), lines=LINES)


async def _void(office: Office, serial: int) -> Any:
    return office.void_of(await _stay(office, f"V{serial}"), "L2")


async def _leave(office: Office, serial: int) -> RegisterDischarge:
    stay = await _stay(office, f"V{serial}")
    return RegisterDischarge(admission_id=stay, discharged_at=START, way="治愈")


async def _stay_on(office: Office, serial: int) -> CancelDischarge:
    return CancelDischarge(admission_id=await _stay(office, f"V{serial}"), reason="虚构")


async def _commit(office: Office, serial: int) -> Any:
    return office.commit_of(await _stay(office, f"V{serial}"), *LINES)


async def _cancel(office: Office, serial: int) -> CancelSettlement:
    number = await _settled(office, await _stay(office, f"V{serial}"))
    return CancelSettlement(settlement_id=number, reason="虚构", operator="op1")


def _reversing(name: str, command: str) -> Callable[[Office, int], Awaitable[Any]]:
    async def make(_: Office, serial: int) -> ReverseTransaction:
        return ReverseTransaction(
            target_message_id=f"{name}-{serial}", target_command=command, reason="虚构"
        )

    return make


async def _acknowledge(office: Office, serial: int) -> AckInbox:
    waiting = select(outbox.c.message_id, outbox.c.digest).where(
        outbox.c.receiver == H, outbox.c.lane_seq.is_not(None)
    )
    rows = await office.rows(waiting.order_by(outbox.c.lane_seq).limit(1))
    return AckInbox(receipts=tuple((row["message_id"], row["digest"]) for row in rows))


async def _release(office: Office, _: int) -> None:
    await release_all(office.desk)


async def _number(office: Office, _: int) -> None:
    await number_lanes(office.desk.database, office.desk.clock)


STORY: Final = (
    Step("report", "case.report", _report, AGENCY),
    Step("register", "admission.register", _register),
    Step("upload", "fees.upload", _upload),
    Step("leave", "discharge.register", _leave),
    Step("hold", "settlement.commit", _commit),
    Step("decide", "case.decide", _decide, AGENCY),
    Step("release", "", _release),
    Step("number", "", _number),
    Step("acknowledge", "inbox.ack", _acknowledge),
    Step("cancel", "settlement.cancel", _cancel),
    Step("void", "fees.void", _void),
    Step("upload-again", "fees.upload", _upload),
    Step("commit", "settlement.commit", _commit),
    Step("reverse", "transaction.reverse", _reversing("commit", "settlement.commit")),
    Step("stay-on", "discharge.cancel", _stay_on),
    Step("leave-again", "discharge.register", _leave),
    Step("fence", "transaction.reverse", _reversing("never", "settlement.commit")),
    Step("settle", "settlement.commit", _commit),
)
"""From the report of an injury to its bill settled for good, each operation once and more."""


def kept_text(key: tuple[str, str], sealed: bytes) -> bytes:
    """A line of the journal in which a sender keeps what it heard."""
    return json.dumps([*key, sealed.decode()]).encode() + b"\n"


def kept_in(journal: bytes) -> Heard:
    """What the lines of a journal say was heard; a line cut off was not written yet."""
    lines = (json.loads(line) for line in journal.split(b"\n")[:-1])
    return {(sender, message_id): text.encode() for sender, message_id, text in lines}
