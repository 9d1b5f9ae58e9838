"""涉及哪些结算 Which settlements a new catalogue or policy reaches, and the jobs that look at them.

A new edition, or a policy newly in force, leaves one job in its own transaction. The job makes
one for each settlement reached, a page at a time, so that whoever waits for another job waits for
a page at most. What changes is proposed; a person takes it up and another approves.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from gateway.domain.readjudication import Cause
from gateway.flows.desk import Desk
from gateway.flows.plan import Act, Plan, applied
from gateway.flows.transaction import job_unit
from gateway.flows.waiting import REACHED, decide_each, release_job
from gateway.policy.compare import changed_since
from gateway.policy.load import load_archive
from gateway.policy.model import Policy
from gateway.store import tables
from gateway.store.database import Reader
from gateway.store.editions import heads_of, policy_content
from gateway.store.jobs import DONE, OPEN
from gateway.store.standing import (
    Condition,
    Reach,
    policies_standing,
    proposed_by_another,
    reach,
    reached_by_edition,
    reached_by_policy,
    stays_reached,
)
from gateway.store.unit import Change, Insert, StaleFacts, Write

_PAGE: Final = 100  # settlements before other jobs have their turn
_SINCE: Final = "@"


def edition_job(desk: Desk, digests: Iterable[str]) -> Insert:
    """The job that looks at what new editions reach."""
    return _job(desk, Cause.CATALOGUE, digests)


def policy_job(desk: Desk, replaced: Iterable[str]) -> Insert:
    """The job that looks at what a policy reaches of those it takes the place of."""
    return _job(desk, Cause.POLICY, (desk.policy.digest, *replaced))


def _job(desk: Desk, cause: Cause, named: Iterable[str]) -> Insert:
    return release_job("", " ".join((REACHED, cause, *named)), desk.now_us)


async def by_editions(reader: Reader, digests: Iterable[str]) -> str:
    """What new editions reach, in words for the operator; "" when nothing."""
    return _told(await reach(reader, await _conditions(reader, Cause.CATALOGUE, tuple(digests))))


async def by_policy(reader: Reader, policy: Policy) -> tuple[str, tuple[str, ...]]:
    """What a policy newly in force reaches of what stands, or was proposed, by earlier ones, in
    words for the operator, and each of those with the first day that it decides differently."""
    replaced = []
    for digest in await policies_standing(reader):
        content = await policy_content(reader, digest)
        since = None if content is None else changed_since(load_archive(content), policy)
        if since is not None:
            replaced.append(f"{digest}{_SINCE}{since}")
    named = policy.digest, *replaced
    return _told(await reach(reader, await _conditions(reader, Cause.POLICY, named))), tuple(
        replaced
    )


async def _conditions(reader: Reader, cause: Cause, named: Sequence[str]) -> list[Condition]:
    if cause is Cause.CATALOGUE:
        return [reached_by_edition(head) for head in await heads_of(reader, named)]
    digest, *replaced = named
    reached = [reached_by_policy(*one.split(_SINCE)) for one in replaced]
    return [*reached, proposed_by_another(digest)]


def _told(found: Reach) -> str:
    if not found.settlements:
        return ""
    span = f"{found.first} – {found.last}"
    return (
        f"涉及已结算 {found.settlements} 笔（{span}）：逐笔重算，有差额的提出重审建议，由两人批准"
        f" / reaches {found.settlements} settlements ({span}); each is decided again, and what"
        " changes is proposed for two persons to approve:\n"
        "gateway readjudications list --state PROPOSED"
    )


async def spread(desk: Desk, job: dict[str, Any]) -> int:
    """One page of the job: a job for each settlement, and one for the next page; 1 once it is
    done. The job's stay is the last of the page before."""
    cause, *named = job["cause"].split()[1:]
    async with desk.database.reading() as reader:
        conditions = await _conditions(reader, Cause(cause), named)
        stays = await stays_reached(reader, conditions, job["admission_id"], _PAGE)
    try:
        plan = _page(desk, job, Cause(cause), named, stays)
        await desk.database.commit(job_unit(desk, plan, "readjudication", {}))
    except StaleFacts:
        return 0
    return 1


def _page(
    desk: Desk, job: dict[str, Any], cause: Cause, named: Sequence[str], stays: Sequence[str]
) -> Plan:
    where, done = {"job_id": job["job_id"], "state": OPEN}, {"state": DONE, "done_us": desk.now_us}
    writes: list[Write] = [Change(tables.release_job, where, done)]
    writes += decide_each(desk, stays, " ".join(named), cause)
    if len(stays) == _PAGE:
        # After the jobs of this page, whose turn comes first.
        writes.append(release_job(stays[-1], job["cause"], desk.now_us + 1))
    act = Act(action="readjudication.reached", subject=cause, code=named[0], reason=str(len(stays)))
    return applied(subject=cause, writes=tuple(writes), acts=(act,))
