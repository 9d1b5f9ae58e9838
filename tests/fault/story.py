"""The business operations that faults are put into, in an order in which each has its effect.

Every step says the same bytes whenever it is said: ids and instants are fixed, and what the
gateway named by chance is looked up in its store.
"""

import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from sqlalchemy import select

from gateway.delivery.scribe import number_lanes
from gateway.domain.application import Wanted
from gateway.domain.bill import Relation
from gateway.domain.case import (
    ApprovalKind,
    AuthorityKind,
    CaseState,
    Channel,
    EmployerRole,
    EmploymentTie,
)
from gateway.domain.catalogue import Kind
from gateway.domain.codes import Outcome
from gateway.domain.commands import (
    AckInbox,
    AnswerCut,
    ApplyApproval,
    CancelAdmission,
    CancelApproval,
    CancelDischarge,
    CancelSettlement,
    CheckAdmission,
    DecideApproval,
    DecideCase,
    DecideCut,
    DecideLines,
    DecideMappings,
    DecidePaidLeave,
    LineDecision,
    MapCatalogue,
    ModifyAdmission,
    NameEmployer,
    RegisterDischarge,
    ReportCard,
    ReportCase,
    ReportPayment,
    ReverseTransaction,
    StopBenefit,
    UpdateEmployer,
    UploadFees,
)
from gateway.domain.cut import CutOutcome
from gateway.domain.mapping import MappingClaim, MappingDecision
from gateway.domain.payments import PriorPayer, PriorPayment
from gateway.flows.exchange import Request, Unanswered
from gateway.flows.keep_log import keep
from gateway.flows.release_held import release_all
from gateway.store.tables import admission, application, cut, outbox, settlement
from gateway.store.unit import KeyTaken
from tests.flows.office import AGENCY, DAY, LINES, START, Office
from tests.world import DIAGNOSIS, person

H: Final = "H001"
Heard = dict[tuple[str, str], bytes]
Keep = Callable[[tuple[str, str], bytes], None]
_KEPT: Final = (Outcome.APPLIED, Outcome.REFUSED)
_LIFE: Final = timedelta(hours=12)
_UNTIL: Final = date(2026, 4, 1)


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
    return await _named(office, admission.c.admission_id, admission.c.visit_no == visit)


async def _named(office: Office, name: Any, *where: Any) -> str:
    """What the gateway named so; the first of several."""
    rows = await office.rows(select(name).where(*where).order_by(name))
    return str(rows[0][name.name]) if rows else "NONE"


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
    said = settlement.c.message_id == f"hold-{serial}"
    number = await _named(office, settlement.c.settlement_id, said)
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


async def _modify(office: Office, serial: int) -> ModifyAdmission:
    return ModifyAdmission(admission_id=await _stay(office, f"V{serial}"), ward="三病区")


async def _register_wrongly(office: Office, serial: int) -> Any:
    return office.registration(f"X{serial}", serial, admitted_at=START)


async def _undo_registration(office: Office, serial: int) -> CancelAdmission:
    return CancelAdmission(admission_id=await _stay(office, f"X{serial}"), reason="误登")


async def _check(office: Office, serial: int) -> CheckAdmission:
    stay = await _stay(office, f"V{serial}")
    return CheckAdmission(admission_id=stay, by="审核", reason="是")


async def _relate(office: Office, serial: int) -> DecideLines:
    related = LineDecision(line_id="L1", relation=Relation.INJURY)
    stay = await _stay(office, f"V{serial}")
    return DecideLines(admission_id=stay, by="审核", reason="是", lines=(related,))


async def _find(office: Office, serial: int) -> DecideLines:
    return DecideLines(
        admission_id=await _stay(office, f"V{serial}"),
        by="审核",
        reason="是",
        lines=(LineDecision(line_id="L1", violation="NO_ORDER"),),
        clause="虚构协议第一条",
        evidence="虚构证据",
    )


async def _cut(office: Office, serial: int) -> str:
    stay = await _stay(office, f"V{serial}")
    return await _named(office, cut.c.cut_no, cut.c.admission_id == stay)


async def _answer(office: Office, serial: int) -> AnswerCut:
    return AnswerCut(cut_no=await _cut(office, serial), accepted=True, by="院方")


async def _withdraw(office: Office, serial: int) -> DecideCut:
    return DecideCut(
        cut_no=await _cut(office, serial),
        outcome=CutOutcome.WITHDRAWN,
        by="复核",
        reason="是",
        hearing_held=False,
    )


async def _pay(office: Office, serial: int) -> ReportPayment:
    paid = PriorPayment(
        payment_no=f"P{serial}", payer=PriorPayer.EMPLOYER, eligible_fen=100, paid_on=DAY
    )
    stay = await _stay(office, f"V{serial}")
    return ReportPayment(admission_id=stay, by="审核", reason="是", payment=paid)


async def _apply(office: Office, serial: int) -> ApplyApproval:
    wanted = Wanted(
        kind=ApprovalKind.REFERRAL,
        wanted_from=DAY,
        wanted_to=_UNTIL,
        place="虚构医院",
        opinion="虚构意见",
        admission_id=await _stay(office, f"V{serial}"),
    )
    return ApplyApproval(person=person(serial), wanted=wanted)


async def _applied(office: Office, message_id: str) -> str:
    made = application.c.message_id == message_id
    return await _named(office, application.c.application_id, made)


async def _withdraw_application(office: Office, serial: int) -> CancelApproval:
    made = await _applied(office, f"apply-{serial}")
    return CancelApproval(application_id=made, reason="改期")


async def _approve(office: Office, serial: int) -> DecideApproval:
    return DecideApproval(
        application_id=await _applied(office, f"apply-again-{serial}"),
        approval_no=f"AP{serial}",
        case_no=f"C{serial}",
        kind=ApprovalKind.REFERRAL,
        granted=True,
        by="审核",
        authority_kind=AuthorityKind.AGENCY,
        hospitals=("H002",),
        opinion_by=H,
        authority="999900",
        valid_from=DAY,
        valid_to=_UNTIL,
    )


async def _map(_: Office, serial: int) -> MapCatalogue:
    claim = MappingClaim(
        hospital_code=f"HY-{serial}",
        hospital_name="换药",
        code="I0001",
        kind=Kind.ITEM,
        valid_from=DAY,
    )
    return MapCatalogue(rows=(claim,))


async def _accept(_: Office, serial: int) -> DecideMappings:
    row = MappingDecision(hospital_code=f"HY-{serial}", valid_from=DAY, version=1, accepted=True)
    return DecideMappings(hospital=H, by="审核", rows=(row,))


async def _update(_: Office, serial: int) -> UpdateEmployer:
    return UpdateEmployer(employer_no=f"N{serial}", arrears_since=DAY)


async def _succeed(_: Office, serial: int) -> NameEmployer:
    return NameEmployer(
        case_no=f"C{serial}",
        tie=EmploymentTie.SUCCESSION,
        role=EmployerRole.SUCCESSOR,
        employer_no=f"N{serial}",
        employer_name="虚构承继单位",
        since=DAY,
        by="审核",
        reason="合并",
    )


async def _grant_leave(_: Office, serial: int) -> DecidePaidLeave:
    return DecidePaidLeave(
        case_no=f"C{serial}", first=DAY, last=DAY, by="审核", notice_no=f"L{serial}"
    )


async def _lose_card(_: Office, serial: int) -> ReportCard:
    return ReportCard(person=person(serial), lost=True, at=START, channel="WEB")


async def _stop(_: Office, serial: int) -> StopBenefit:
    return StopBenefit(
        case_no=f"C{serial}",
        valid_from=DAY,
        ground="拒绝治疗",
        notice_no=f"N{serial}",
        served_on=DAY,
    )


# --- what the gateway does by itself --------------------------------------------------------------


async def _release(office: Office, _: int) -> None:
    await release_all(office.desk)


async def _number(office: Office, _: int) -> None:
    await number_lanes(office.desk.database, office.desk.clock)


async def _keep_log(office: Office, _: int) -> None:
    # Where several keep it at once, one is too late; the gateway tries again at its next turn.
    with suppress(KeyTaken):
        await keep(office.desk.log)


STORY: Final = (
    Step("report", "case.report", _report, AGENCY),
    Step("register", "admission.register", _register),
    Step("modify", "admission.modify", _modify),
    Step("register-wrongly", "admission.register", _register_wrongly),
    Step("undo-registration", "admission.cancel", _undo_registration),
    Step("map", "catalog.map", _map),
    Step("accept", "mapping.decide", _accept, AGENCY),
    Step("upload", "fees.upload", _upload),
    Step("keep-log", "", _keep_log),
    Step("leave", "discharge.register", _leave),
    Step("hold", "settlement.commit", _commit),
    Step("check", "admission.check", _check, AGENCY),
    Step("relate", "lines.decide", _relate, AGENCY),
    Step("apply", "approval.apply", _apply),
    Step("withdraw-application", "approval.cancel", _withdraw_application),
    Step("apply-again", "approval.apply", _apply),
    Step("approve", "approval.decide", _approve, AGENCY),
    Step("find", "lines.decide", _find, AGENCY),
    Step("answer", "cut.answer", _answer),
    Step("withdraw", "cut.decide", _withdraw, AGENCY),
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
    Step("pay", "payment.report", _pay, AGENCY),
    Step("update", "employer.update", _update, AGENCY),
    Step("succeed", "case.employer", _succeed, AGENCY),
    Step("grant-leave", "case.leave", _grant_leave, AGENCY),
    Step("lose-card", "person.card", _lose_card, AGENCY),
    Step("stop", "benefit.stop", _stop, AGENCY),
    Step("keep-log-again", "", _keep_log),
)
"""From the report of an injury to its bill settled for good and on to the end of its benefits:
every command that changes something, and what the gateway writes by itself for them."""


def kept_text(key: tuple[str, str], sealed: bytes) -> bytes:
    """A line of the journal in which a sender keeps what it heard."""
    return json.dumps([*key, sealed.decode()]).encode() + b"\n"


def kept_in(journal: bytes) -> Heard:
    """What the lines of a journal say was heard; a line cut off was not written yet."""
    lines = (json.loads(line) for line in journal.split(b"\n")[:-1])
    return {(sender, message_id): text.encode() for sender, message_id, text in lines}
