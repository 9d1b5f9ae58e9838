"""重审建议的提出 Proposals by the sweep, for each job that was left, and by an operator,
for every settlement of a span.

Each settlement is looked at in a transaction of its own, so that one of them stops no other.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Final

from gateway.domain.readjudication import Cause
from gateway.flows.administer import NotDone
from gateway.flows.desk import Desk
from gateway.flows.exchange import push_channels
from gateway.flows.plan import Act, Plan, applied
from gateway.flows.readjudicate import policy_of_record, proposed, readjudicated, standing_of
from gateway.flows.transaction import job_unit
from gateway.flows.waiting import cause_of, told_of
from gateway.policy.faults import BadPolicy
from gateway.policy.load import archive, load_archive
from gateway.policy.model import Policy
from gateway.store import tables
from gateway.store.personal import Unopened
from gateway.store.standing import numbers_in_force, purged_in_force
from gateway.store.stays import stay_file
from gateway.store.unit import Insert, KeyTaken, StaleFacts, Write

_PURGED: Final = "职工已清除 / the worker was purged"
_SHUT: Final = "记录打不开 / the record does not open"
_TRIES: Final = 5  # to find facts that nobody moves meanwhile


@dataclass(frozen=True, slots=True, kw_only=True)
class Corrected:
    """What was corrected and which settlements to look at: those booked in the span, of one
    case or of all. `policy` is a folder to try before it is in force; None is the policy here."""

    cause: Cause
    first: date
    last: date
    by: str
    policy: Path | None = None
    case_no: str | None = None


@dataclass(slots=True)
class Found:
    """What the looking showed: how many settlements, proposals by number, and what could not
    be computed, by settlement, with the number under which it waits for a person; a record that
    does not open waits for nobody."""

    looked_at: int = 0
    proposals: list[str] = field(default_factory=list)
    untold: list[tuple[str, str]] = field(default_factory=list)


async def propose_all(desk: Desk, asked: Corrected) -> Found:
    """Propose what the correction changes; what is proposed already is named, not repeated.

    Raises NotDone when nobody is named, when there is no settlement to look at, and for a policy
    with faults.
    """
    if not asked.by.strip():
        raise NotDone("须写明提出人（--by）/ say who proposes (--by)")
    async with desk.database.reading() as reader:
        numbers = await numbers_in_force(reader, asked.first, asked.last, asked.case_no)
        purged = await purged_in_force(reader, asked.first, asked.last, asked.case_no)
    if not numbers:
        raise NotDone("所选范围内没有有效的结算 / no live settlement there")
    policy = desk.policy if asked.policy is None else await _kept(desk, asked.policy, asked.by)
    found = Found()
    for number in numbers:
        found.looked_at += 1
        if number in purged:
            proposal, untold = "", _PURGED
        else:
            proposal, untold = await _asked(desk, number, asked, policy)
        if untold:
            found.untold.append((number, f"{untold} {proposal}".strip()))
        elif proposal:
            found.proposals.append(proposal)
    return found


async def _asked(desk: Desk, number: str, asked: Corrected, policy: Policy) -> tuple[str, str]:
    """As `_one`; a record that does not open stops no other."""
    try:
        return await _one(desk, number, asked.cause, policy, asked.by, ())
    except Unopened:
        return "", _SHUT


async def _kept(desk: Desk, root: Path, by: str) -> Policy:
    """The policy of the folder, stored whole so that what rests on it can be replayed."""
    try:
        content = archive(desk.region, root)
    except BadPolicy as bad:
        raise NotDone("\n".join(str(fault) for fault in bad.faults)) from None
    policy = load_archive(content)
    row = {
        "digest": policy.digest,
        "region": desk.region,
        "stored_us": desk.now_us,
        "content": content,
    }
    act = Act(action="policy.try", subject=policy.digest, reason=by)
    plan = applied(subject="policy", writes=(Insert(tables.policy_edition, [row]),), acts=(act,))
    try:
        await desk.database.commit(job_unit(desk, plan, "operator", {}))
    except KeyTaken:
        return policy
    return policy


async def propose_job(desk: Desk, admission_id: str, job: str, finish: tuple[Write, ...]) -> int:
    """The job, by its cause, that a decision, a payment told late, a new catalogue or a new policy
    left: its settlement decided again, once."""
    cause, policy = cause_of(job), desk.policy
    async with desk.database.reading() as reader:
        file = await stay_file(reader, admission_id)
        if cause is Cause.POLICY:
            # Another process may be the one that has the new policy.
            policy = await policy_of_record(desk, reader, told_of(job))
    number = "" if file is None else file.live_settlement
    await _one(desk, number, cause, policy, "", finish)
    return 1


async def _one(
    desk: Desk, number: str, cause: Cause, policy: Policy, by: str, finish: tuple[Write, ...]
) -> tuple[str, str]:
    """The proposal's number, if any, and why no bill can be told, if so."""
    for _ in range(_TRIES):
        plan, proposal, untold = await _planned(desk, number, cause, policy, by)
        whole = _finished(plan, number, finish)
        if whole is None:
            return proposal, untold
        try:
            push = await push_channels(desk, whole)
            await desk.database.commit(job_unit(desk, whole, "readjudication", push))
        except (StaleFacts, KeyTaken):
            await asyncio.sleep(0)
            continue
        if whole.notices:
            desk.outbox_ready.set()
        return proposal, untold
    raise StaleFacts(number)


async def _planned(
    desk: Desk, number: str, cause: Cause, policy: Policy, by: str
) -> tuple[Plan | None, str, str]:
    async with desk.database.reading() as reader:
        one = await standing_of(reader, number)
        if one is None:
            return None, "", ""
        found = await readjudicated(desk, reader, one, cause, policy)
        plan, proposal = await proposed(desk, reader, found, by)
    return plan, proposal, found.untold


def _finished(plan: Plan | None, number: str, finish: Sequence[Write]) -> Plan | None:
    if plan is not None:
        return replace(plan, writes=(*plan.writes, *finish))
    if not finish:
        return None
    act = Act(action="readjudication.nothing_to_do", subject=number)
    return applied(subject=number, writes=tuple(finish), acts=(act,))
