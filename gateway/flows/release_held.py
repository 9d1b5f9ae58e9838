"""A held registration or bill is looked at again, each job in a transaction of its own.

Released exactly once: the stay's version decides between two releases, a reversal and a
cancellation; the outcome is a new message that answers the first one's id.
"""

import asyncio
import logging
from collections.abc import Awaitable
from dataclasses import replace
from typing import Any, Final

from gateway.domain.admission import REOPENINGS, AdmissionState, BillState, PaidAtDischargeBy
from gateway.domain.bill import BillVerdict
from gateway.domain.codes import Outcome
from gateway.domain.results import Settlement
from gateway.flows.bill_file import BillFile, decided, load_bill
from gateway.flows.check_admission import told
from gateway.flows.commit_settlement import bill_changed, bill_settled, settled_plan, to_look_at
from gateway.flows.desk import Desk, new_id
from gateway.flows.exchange import push_channels
from gateway.flows.look_beside import look_beside
from gateway.flows.plan import Act, Notice, Plan, applied
from gateway.flows.preview_settlement import waiting
from gateway.flows.propose_readjudications import propose_job
from gateway.flows.reached import spread
from gateway.flows.registration import Check, check
from gateway.flows.settled import Settling, settlement_message
from gateway.flows.transaction import job_unit
from gateway.flows.waiting import REACHED, READJUDICATION, REOPENING, release_job, waits
from gateway.rules.entitlement import Hold, Manual, Refuse
from gateway.store import tables
from gateway.store.database import Reader
from gateway.store.jobs import DONE, OPEN, open_jobs
from gateway.store.messages import stored
from gateway.store.stays import StayFile, live_visit, stay_file, stays_unseen, waiting_stays
from gateway.store.unit import Change, KeyTaken, StaleFacts, StoreFailed, Write

_TRIES: Final = 5  # against facts that changed under the computation
_PAGE: Final = 100  # bills of one look at the store
_log = logging.getLogger(__name__)


async def release_all(desk: Desk) -> int:
    """Every open job once, and those that settlements taken back leave; the number done. One
    that fails stays open and stops no other."""
    done, tried = await _beside(desk), set[str]()
    while True:
        async with desk.database.reading() as reader:
            found = await open_jobs(reader, _PAGE + len(tried))
        jobs = [job for job in found if job["job_id"] not in tried]
        if not jobs:
            return done
        for job in jobs:
            tried.add(job["job_id"])
            done += await _apart(job["admission_id"], _one_job(desk, job))


async def _beside(desk: Desk) -> int:
    async with desk.database.reading() as reader:
        unseen = await stays_unseen(reader)
    return sum([await _apart(one, look_beside(desk, one)) for one in unseen])


async def sweep(desk: Desk) -> None:
    """Look at everything that waits: what a crash left, and policy gaps filled since."""
    async with desk.database.reading() as reader:
        waiting_ids = await waiting_stays(reader)
    for admission_id in waiting_ids:
        await _apart(admission_id, _advance(desk, admission_id, "sweep", ()))


async def _apart(admission_id: str, work: Awaitable[int]) -> int:
    """One stay's work apart from the others': what breaks it is logged, and they go on.

    Raises StoreFailed, which concerns everybody.
    """
    try:
        return await work
    except StoreFailed:
        raise
    except Exception:
        _log.exception("release failed", extra={"subject": admission_id})
        return 0


async def _one_job(desk: Desk, job: dict[str, Any]) -> int:
    finish = Change(
        tables.release_job,
        {"job_id": job["job_id"], "state": OPEN},
        {"state": DONE, "done_us": desk.now_us},
    )
    if job["cause"].startswith(READJUDICATION):
        return await propose_job(desk, job["admission_id"], job["cause"], (finish,))
    if job["cause"].startswith(REACHED):
        return await spread(desk, job)
    return await _advance(desk, job["admission_id"], job["cause"], (finish,))


async def _advance(desk: Desk, admission_id: str, cause: str, finish: tuple[Write, ...]) -> int:
    for _ in range(_TRIES):
        plan = await _planned(desk, admission_id, cause)
        writes = (*(plan.writes if plan else ()), *finish)
        if not writes:
            return 0
        whole = _with_writes(plan, admission_id, writes)
        try:
            push = await push_channels(desk, whole)
            await desk.database.commit(job_unit(desk, whole, "release", push))
        except (StaleFacts, KeyTaken):
            await asyncio.sleep(0)
            continue
        if whole.notices:
            desk.outbox_ready.set()
        return 1
    _log.warning("release job left open", extra={"subject": admission_id})
    return 0


def _with_writes(plan: Plan | None, admission_id: str, writes: tuple[Write, ...]) -> Plan:
    if plan is None:
        act = Act(action="release.nothing_to_do", subject=admission_id)
        return applied(subject=admission_id, writes=writes, acts=(act,))
    return replace(plan, writes=writes)


async def _planned(desk: Desk, admission_id: str, cause: str) -> Plan | None:
    """The registration first; once it is decided, the bill. None when nothing moves."""
    async with desk.database.reading() as reader:
        file = await stay_file(reader, admission_id)
        if file is None:
            return None
        if cause.startswith(REOPENING):
            moved = await _reopened(desk, reader, file, cause)
            if moved is not None:
                return moved
        if not waits(file):
            return None
        if file.stay.state in (AdmissionState.HELD, AdmissionState.PENDING_CHECK):
            moved = _registration(desk, file, cause)
            if moved is not None:
                return moved
        if file.bill_state is not BillState.HELD:
            return None
        return await _bill(desk, reader, file, cause)


async def _reopened(desk: Desk, reader: Reader, file: StayFile, cause: str) -> Plan | None:
    """A refusal for want of recognition falls with the decision behind it. One said in the
    reply to the registration stays: that message had no effect, the hospital sends another."""
    stay = file.stay
    if stay.state is not AdmissionState.REFUSED:
        return None
    first = await stored(reader, stay.hospital, str(file.row["message_id"]))
    if first is None or first.state != Outcome.APPLIED:
        return None
    if await live_visit(reader, stay.hospital, stay.visit_no) is not None:
        return None
    checked = check(stay, file.case, file.hospital, desk.policy)
    if checked.state not in REOPENINGS.get(stay.refusal, ()):
        return None
    return _moved(desk, file, checked, cause)


def _registration(desk: Desk, file: StayFile, cause: str) -> Plan | None:
    checked = check(file.stay, file.case, file.hospital, desk.policy)
    if checked.state is file.stay.state:
        return None
    return _moved(desk, file, checked, cause)


def _moved(desk: Desk, file: StayFile, checked: Check, cause: str) -> Plan:
    stay = file.stay
    refused = checked.state is AdmissionState.REFUSED
    values = {
        "version": stay.version + 1,
        "state": checked.state.value,
        "refusal": checked.refusal,
        "live": None if refused else 1,
    }
    where = {"admission_id": stay.admission_id, "version": stay.version}
    return applied(
        subject=stay.admission_id,
        guards=file.case_guards,
        writes=(Change(tables.admission, where, values), *_again(desk, file, cause)),
        acts=(_registration_act(file, checked, cause),),
        notices=(
            told(file, checked.state, checked.refusal, checked.note),
            _agency_told(desk, file, checked),
        ),
    )


def _again(desk: Desk, file: StayFile, cause: str) -> tuple[Write, ...]:
    """A held bill behind a held registration is the next job."""
    if file.bill_state is not BillState.HELD:
        return ()
    return (release_job(file.stay.admission_id, cause, desk.now_us),)


def _agency_told(desk: Desk, file: StayFile, checked: Check) -> Notice:
    notice = told(file, checked.state, checked.refusal, checked.note)
    return Notice(
        receiver=desk.agency_id,
        subject=notice.subject,
        command=notice.command,
        result=notice.result,
    )


def _registration_act(file: StayFile, checked: Check, cause: str) -> Act:
    return Act(
        action="release.registration",
        subject=file.stay.admission_id,
        from_state=file.stay.state,
        to_state=checked.state,
        code=checked.refusal,
        reason=cause,
    )


async def _bill(desk: Desk, reader: Reader, file: StayFile, cause: str) -> Plan | None:
    loaded = await load_bill(desk, reader, file)
    bill_file = loaded.paid_by(PaidAtDischargeBy(file.row["paid_by"]))
    match await decided(desk, bill_file):
        case BillVerdict() as verdict:
            return _settled(desk, bill_file, verdict)
        case Refuse(code, note):
            return _ended(desk, bill_file, BillState.REFUSED, code, cause, note)
        case Manual(code):
            return _ended(desk, bill_file, BillState.MANUAL, code, cause)
        case Hold() as hold:
            return _still_held(desk, bill_file, hold, cause)


def _settled(desk: Desk, bill_file: BillFile, verdict: BillVerdict) -> Plan:
    row = bill_file.file.row
    one = Settling(
        settlement_id=new_id("S"),
        bill_no=row["bill_no"],
        at=desk.clock.now(),
        message_id=row["commit_message_id"],
    )
    changed = bill_settled(bill_file, one)
    plan = settled_plan(desk, bill_file, verdict, one, changed, "release.settlement")
    message = settlement_message(bill_file, verdict, one)
    return _with_outcome(plan, bill_file, message)


def _ended(
    desk: Desk, bill_file: BillFile, state: BillState, code: str, cause: str, note: str = ""
) -> Plan:
    message = waiting(bill_file, state, code, note=note)
    changed = bill_changed(
        bill_file,
        bill_state=state.value,
        code=code,
        hold_reason="",
        hold_key="",
        hold_day=None,
    )
    plan = applied(
        message,
        subject=bill_file.bill.stay.admission_id,
        guards=bill_file.guards(),
        writes=(changed,),
        acts=(_bill_act(bill_file, state, code, cause),),
        notices=(
            Notice(
                receiver=desk.agency_id,
                subject=bill_file.bill.stay.admission_id,
                command="settlement.result",
                result=message,
            ),
        ),
    )
    return _with_outcome(plan, bill_file, message)


def _with_outcome(plan: Plan, bill_file: BillFile, message: Settlement) -> Plan:
    """The hospital gets the outcome as a new message that answers its commit."""
    stay, row = bill_file.bill.stay, bill_file.file.row
    outcome = Notice(
        receiver=stay.hospital,
        subject=stay.admission_id,
        command="settlement.result",
        result=message,
        in_reply_to=row["commit_message_id"],
    )
    return replace(plan, notices=(outcome, *plan.notices))


def _still_held(desk: Desk, bill_file: BillFile, hold: Hold, cause: str) -> Plan | None:
    """It waits for something else now: the reason is kept current; only suspicions are told."""
    row = bill_file.file.row
    day = hold.day.isoformat() if hold.day else None
    if (row["hold_reason"], row["hold_key"], row["hold_day"]) == (hold.reason, hold.key, day):
        return None
    changed = bill_changed(
        bill_file, hold_reason=hold.reason.value, hold_key=hold.key, hold_day=day
    )
    return applied(
        subject=bill_file.bill.stay.admission_id,
        guards=bill_file.guards(),
        writes=(changed,),
        acts=(_bill_act(bill_file, BillState.HELD, hold.reason, cause),),
        notices=to_look_at(desk, waiting(bill_file, BillState.HELD, "HELD", hold)),
    )


def _bill_act(bill_file: BillFile, state: BillState, code: str, cause: str) -> Act:
    return Act(
        action="release.bill",
        subject=bill_file.bill.stay.admission_id,
        from_state=BillState.HELD,
        to_state=state,
        code=code,
        reason=cause,
    )
