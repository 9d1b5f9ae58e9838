"""重审建议的决定 A person approves or rejects a proposal; approval posts a delta settlement.

Two persons stand behind every delta: who proposed it and who approved it. A cut to a hospital
cites a clause of its agreement (工伤保险条例 第四十八条); taking back what was paid before a
recognition was revoked needs a ground of its own beside.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from gateway.domain.identity import same_name
from gateway.domain.readjudication import Cause, ProposalState
from gateway.flows.administer import NotDone
from gateway.flows.desk import Desk
from gateway.flows.exchange import push_channels
from gateway.flows.plan import Act, Plan, applied
from gateway.flows.post_delta import Source, delta_of
from gateway.flows.readjudicate import (
    Readjudicated,
    changed,
    moved,
    notice,
    readjudicated,
    seen,
    stale_act,
    standing_of,
)
from gateway.flows.standing import stale
from gateway.flows.transaction import job_unit
from gateway.flows.waiting import decide_anew
from gateway.policy.citation import read_law
from gateway.policy.faults import Fault, Page
from gateway.rules.readjudicate import Change as Changes
from gateway.store import tables
from gateway.store.database import Reader
from gateway.store.readjudications import proposal_by_id
from gateway.store.unit import Change, KeyTaken, StaleFacts, Write

_TRIES: Final = 5  # to find facts that nobody moves meanwhile


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Who decides a proposal, why, and on what a cut rests: a clause of the agreement, and an
    article where recognition is gone; "" where none is given."""

    by: str
    reason: str
    clause: str = ""
    article: str = ""

    @property
    def basis(self) -> str:
        return "；".join(one for one in (self.clause, self.article) if one)


def cited(desk: Desk, given: Sequence[str] | None, names: tuple[str, str]) -> str:
    """A place in a text that the policy knows, in words; "" for none given.

    `given` is the text's key and the place, `names` the words of a citation's table. Raises
    NotDone with every fault of the place.
    """
    if not given:
        return ""
    if len(given) != len(names):
        raise NotDone(f"--{names[1]}：须写文本与所在的条款 / give the text and the place in it")
    faults: list[Fault] = []
    table = {"law": dict(zip(names, given, strict=True))}
    law = read_law(Page(f"--{names[1]}", faults), table, desk.policy.texts)
    if faults:
        raise NotDone("\n".join(str(fault) for fault in faults))
    return f"《{desk.policy.texts[law.text].title}》{law.place}"


async def approve(desk: Desk, proposal_id: str, decision: Decision) -> str:
    """Post the delta that the proposal states; the first approval of a proposal that the
    gateway made by itself takes it up, and another person's posts it.

    The change is computed again at once: NotDone when it is another now (the proposal is stale
    then), when one person decides alone, or when a basis lacks.
    """

    async def attempt(reader: Reader, row: dict[str, Any]) -> tuple[Plan, str | NotDone]:
        if not row["proposed_by"]:
            return _taken_up(
                row, decision
            ), f"{decision.by} 已提出，须另一人批准 / another approves"
        if same_name(row["proposed_by"], decision.by):
            raise NotDone("提出与批准须为两人 / whoever proposed it does not approve it")
        return await _approval(desk, reader, row, decision)

    return await _decided(desk, proposal_id, attempt)


async def reject(desk: Desk, proposal_id: str, decision: Decision) -> str:
    """The proposal is not followed; the same change is not proposed again. Raises NotDone."""

    async def attempt(_: Reader, row: dict[str, Any]) -> tuple[Plan, str | NotDone]:
        values = {"open": None, "decided_by": decision.by, "decided_us": desk.now_us}
        writes = _to(row, ProposalState.REJECTED, **values, reason=decision.reason)
        told = changed(row, state=ProposalState.REJECTED, note=decision.reason)
        plan = applied(
            subject=row["admission_id"],
            writes=(writes,),
            acts=(_act("readjudication.reject", row, ProposalState.REJECTED, decision),),
            notices=(notice(desk, row["admission_id"], told),),
        )
        return plan, f"已驳回 / rejected {proposal_id}"

    return await _decided(desk, proposal_id, attempt)


async def close(desk: Desk, proposal_id: str, decision: Decision) -> str:
    """A person has seen to what the gateway could not compute. Raises NotDone."""

    async def attempt(_: Reader, row: dict[str, Any]) -> tuple[Plan, str | NotDone]:
        values = {"open": None, "decided_by": decision.by, "decided_us": desk.now_us}
        act = _act("readjudication.close", row, ProposalState.CLOSED, decision)
        told = changed(row, state=ProposalState.CLOSED, note=decision.reason)
        plan = applied(
            subject=row["admission_id"],
            writes=(_to(row, ProposalState.CLOSED, **values, reason=decision.reason),),
            acts=(replace(act, from_state=ProposalState.BY_HAND),),
            notices=(notice(desk, row["admission_id"], told),),
        )
        return plan, f"已办结 / closed {proposal_id}"

    return await _decided(desk, proposal_id, attempt, ProposalState.BY_HAND)


_OTHERWISE: Final[dict[str, str]] = {
    ProposalState.PROPOSED: "这项可以补差：批准或驳回 / it can be posted: approve or reject it",
    ProposalState.BY_HAND: "网关不能重算，须由人办理后办结（close）；审核疑点可先由人排除"
    "（lines.decide）"
    " / it cannot be computed: a person sees to it and closes it; a suspicion of the audit may be"
    " cleared first (lines.decide)",
}
"""What to do instead with one that waits for another decision."""

_Attempt = Callable[[Reader, dict[str, Any]], Awaitable[tuple[Plan, str | NotDone]]]


async def _decided(
    desk: Desk,
    proposal_id: str,
    attempt: _Attempt,
    state: ProposalState = ProposalState.PROPOSED,
) -> str:
    """Read, plan and commit; what changed meanwhile is read again."""
    for _ in range(_TRIES):
        async with desk.database.reading() as reader:
            plan, told = await attempt(reader, await _waiting(reader, proposal_id, state))
        try:
            push = await push_channels(desk, plan)
            await desk.database.commit(job_unit(desk, plan, "operator", push))
        except (StaleFacts, KeyTaken):
            await asyncio.sleep(0)
            continue
        if plan.notices:
            desk.outbox_ready.set()
        if isinstance(told, NotDone):
            raise told
        return told
    raise NotDone("同时有其他办理，请重试 / others are at work on it: try again")


async def _waiting(reader: Reader, proposal_id: str, state: ProposalState) -> dict[str, Any]:
    row = await proposal_by_id(reader, proposal_id)
    if row is None:
        raise NotDone(f"没有这项建议 / no such proposal: {proposal_id}")
    if row["state"] != state:
        if row["state"] in _OTHERWISE:
            raise NotDone(_OTHERWISE[row["state"]])
        told = f"{row['state']} {row['decided_by']} {row['delta_id']}".strip()
        raise NotDone(f"已决定 / decided already: {told}")
    return row


def _to(row: dict[str, Any], state: ProposalState, **values: Any) -> Change:
    where = {"proposal_id": row["proposal_id"], "version": row["version"]}
    values |= {"version": row["version"] + 1, "state": state.value}
    return Change(tables.readjudication, where, values)


def _act(action: str, row: dict[str, Any], state: ProposalState, decision: Decision) -> Act:
    told = (decision.by, decision.reason, decision.basis)
    return Act(
        action=action,
        subject=row["proposal_id"],
        from_state=ProposalState.PROPOSED,
        to_state=state,
        code=row["settlement_id"],
        reason=" ".join(one for one in told if one),
    )


def _taken_up(row: dict[str, Any], decision: Decision) -> Plan:
    return applied(
        subject=row["admission_id"],
        writes=(_to(row, ProposalState.PROPOSED, proposed_by=decision.by),),
        acts=(_act("readjudication.take_up", row, ProposalState.PROPOSED, decision),),
    )


async def _approval(
    desk: Desk, reader: Reader, row: dict[str, Any], decision: Decision
) -> tuple[Plan, str | NotDone]:
    one = await standing_of(reader, row["settlement_id"])
    if one is None:
        return _gone_stale(desk, row, "结算已冲正 / reversed", ())
    own = one.file.stay.admission_id
    again = decide_anew(desk, [own], f"stale {row['proposal_id']}")
    if one.standing.last["settlement_id"] != row["follows"]:
        return _gone_stale(desk, row, "已有其他补差 / another delta came", again)
    if one.file.stay.open_cuts:
        waiting = " ".join(sorted(one.file.stay.open_cuts))
        raise NotDone(f"扣减未决，先作决定 / a cut waits for its decision first: {waiting}")
    cause = Cause(row["cause"])
    if cause is Cause.POLICY and row["correction"] != desk.policy.digest:
        raise NotDone(
            f"政策 {row['correction'][:12]} 尚未在本网关生效，生效后再批准"
            " / that policy is not in force here yet: put it in force first"
        )
    found = await readjudicated(desk, reader, one, cause, desk.policy)
    if found.change is None or found.outcome != row["outcome"]:
        return _gone_stale(
            desk, row, "事实又有变化，请重新提出 / the facts changed: propose anew", again
        )
    _check_basis(found, decision)
    return _posting(desk, row, found, found.change, decision)


def _gone_stale(
    desk: Desk, row: dict[str, Any], why: str, again: tuple[Write, ...]
) -> tuple[Plan, NotDone]:
    told = changed(row, state=ProposalState.STALE, note=why)
    plan = applied(
        subject=row["admission_id"],
        writes=(stale(desk, row), *again),
        acts=(stale_act(row["proposal_id"]),),
        notices=(notice(desk, row["admission_id"], told),),
    )
    return plan, NotDone(f"建议已失效：{why} ({row['proposal_id']})")


def _check_basis(found: Readjudicated, decision: Decision) -> None:
    """Raises NotDone when a cut lacks its clause, or one for want of recognition its ground."""
    if found.cut and not decision.clause:
        raise NotDone(
            "医院因此少得，须引用服务协议条款（--clause 协议 条款）"
            " / the hospital gets less: cite a clause of its agreement (--clause)"
        )
    if found.ground_needed and not decision.article:
        raise NotDone(
            "认定撤销不自动追回善意医院已得的费用，须另有依据（--article 文本 条款）"
            " / a revoked recognition takes nothing back from a hospital by itself:"
            " give the article (--article)"
        )


def _posting(
    desk: Desk, row: dict[str, Any], found: Readjudicated, change: Changes, decision: Decision
) -> tuple[Plan, str]:
    one, number = found.settled, row["proposal_id"]
    delta = delta_of(desk, found, change, Source(number, decision.basis))
    others = [other for other in one.standing.proposals if other["proposal_id"] != number]
    values = {"open": None, "decided_by": decision.by, "decided_us": desk.now_us}
    values |= {"delta_id": delta.delta_id, "basis": decision.basis, "reason": decision.reason}
    told = changed(row, state=ProposalState.APPROVED, note=decision.basis)
    plan = applied(
        delta.message,
        subject=one.file.stay.admission_id,
        guards=found.guards,
        writes=(
            seen(one.file),
            delta.write,
            _to(row, ProposalState.APPROVED, **values),
            *(stale(desk, other) for other in others),
            *decide_anew(desk, moved(found), f"delta {delta.delta_id}"),
        ),
        acts=(
            _act("readjudication.approve", row, ProposalState.APPROVED, decision),
            *(stale_act(other["proposal_id"]) for other in others),
        ),
        transfers=delta.transfers,
        notices=(*delta.notices, notice(desk, one.file.stay.admission_id, told)),
    )
    return plan, f"已补差 / delta posted {delta.delta_id}"
