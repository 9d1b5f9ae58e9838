"""重新审核 What a correction changes of a live settlement, as a proposal for a person.

The bill is decided by the rule that settles, on the facts frozen at settlement (or at the last
delta) with the correction; nothing is posted here (flows/decide_readjudication.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from hashlib import sha256
from typing import Any

from gateway.domain.bill import BillVerdict, Payee
from gateway.domain.readjudication import AS_TOLD, Actor, Cause, ProposalState, alike
from gateway.domain.results import ReadjudicationChanged
from gateway.domain.split import NOTHING, Split
from gateway.flows.bill_file import other_stays, seeing, stays_beside, with_devices
from gateway.flows.desk import Desk, new_id
from gateway.flows.off_loop import LINE_BYTES, off_loop
from gateway.flows.plan import Act, Notice, Plan, Transfer, applied
from gateway.flows.posted_cuts import posted_cuts, violations, with_violations
from gateway.flows.settled import owed_to, transfers
from gateway.flows.standing import stale, standing
from gateway.policy.load import load_archive
from gateway.policy.model import Policy
from gateway.rules import readjudicate as rule
from gateway.rules.place import catalogue_region
from gateway.rules.readjudicate import (
    Change,
    change_of,
    needs_ground,
    takes_from_hospital,
    who_acts,
)
from gateway.rules.settle import Bill, device_codes
from gateway.rules.what_if import outcome_text
from gateway.store import tables
from gateway.store.database import Reader
from gateway.store.editions import edition_guard, policy_content
from gateway.store.frozen import Facts, frozen, packed, thawed_facts, thawed_verdict
from gateway.store.readjudications import kept_proposals
from gateway.store.rows import canonical
from gateway.store.standing import Standing, in_force
from gateway.store.stays import StayFile, stay_of_settlement
from gateway.store.unit import Change as Update
from gateway.store.unit import Guard, Insert


@dataclass(frozen=True, slots=True)
class StandingSettlement:
    """A live settlement with its stay and what was posted and proposed since."""

    file: StayFile
    standing: Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class Readjudicated:
    """A settlement decided again: the change, if any, or why no bill can be told and who
    has to act."""

    settled: StandingSettlement
    cause: Cause
    correction: str
    bill: Bill
    guards: tuple[Guard, ...]
    others: tuple[StayFile, ...] = ()
    change: Change | None = None
    untold: str = ""
    acts: Actor | None = None

    @property
    def outcome(self) -> str:
        """The digest of what is right now, or of why it cannot be told: the same correction is
        proposed, or left to a person, once."""
        if self.change is not None:
            return sha256(canonical(packed(self.change.after)).encode()).hexdigest()
        if self.untold:
            return sha256(canonical([self.untold, self.correction]).encode()).hexdigest()
        return ""

    def known_as(self, row: dict[str, Any]) -> bool:
        """Whether a person has been asked for the very same already, and has not closed it."""
        return bool(self.untold) and row["untold"] == self.untold

    @property
    def owed(self) -> tuple[tuple[Transfer, ...], tuple[Transfer, ...]]:
        """The ledger rows of the whole settlement, as they stand and as they should be."""
        if self.change is None:
            return (), ()
        return self._owed(self.change.before), self._owed(self.change.after)

    def _owed(self, verdict: BillVerdict) -> tuple[Transfer, ...]:
        original = self.settled.standing.original
        number, day = original["settlement_id"], original["business_day"]
        return transfers(number, original["hospital"], verdict.payout, day)

    @property
    def cut(self) -> bool:
        """Whether the hospital gets less from the fund, or bears more."""
        if self.change is None:
            return False
        before, after = self.owed
        return takes_from_hospital(self.change, self._paid(before), self._paid(after))

    def _paid(self, owed: Sequence[Transfer]) -> int:
        """What the hospital has of the fund."""
        account = owed_to(Payee.HOSPITAL, self.bill.stay.hospital)
        return sum(row.amount_fen for row in owed if row.credit == account)

    @property
    def moves_others(self) -> tuple[StayFile, ...]:
        """The person's other stays whose settlements may see another meal day or device then."""
        if self.change is None:
            return ()
        moved = frozenset(self.change.before.meal_days) ^ frozenset(self.change.after.meal_days)
        return seeing(self.others, moved, devices=bool(device_codes(self.bill)))

    @property
    def ground_needed(self) -> bool:
        """Whether the cut follows from a recognition that is gone, and from nothing else."""
        return needs_ground(self.bill.case, cut=self.cut)


def moved(found: Readjudicated) -> list[str]:
    """The stays whose settlements may be others once the change is posted, its own first."""
    return [one.stay.admission_id for one in (found.settled.file, *found.moves_others)]


async def standing_of(reader: Reader, settlement_id: str) -> StandingSettlement | None:
    """The settlement with its stay; None unless it is live and no delta itself."""
    found = await stay_of_settlement(reader, settlement_id)
    if found is None or not in_force(found[1]):
        return None
    return StandingSettlement(found[0], await standing(reader, *found))


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A bill to be decided again: under which policy, by what correction, with the person's other
    stays beside it, and the guards of what was read."""

    bill: Bill
    policy: Policy
    others: tuple[StayFile, ...]
    guards: tuple[Guard, ...]
    correction: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """What changes when a bill is decided again, if anything; or why it cannot be told and who
    has to act."""

    change: Change | None = None
    untold: str = ""
    acts: Actor | None = None


async def readjudicated(
    desk: Desk, reader: Reader, one: StandingSettlement, cause: Cause, policy: Policy
) -> Readjudicated:
    """The settlement under what was corrected: the case and the prior payments as they are known
    now, the catalogues in force now, or `policy`; everything else as it stands."""
    try:
        seen = await _corrected(desk, reader, one, cause, policy)
    except LookupError:
        return _without_editions(one, cause, policy)
    bill = await with_devices(reader, seen.bill)
    again = await decided_again(one, bill, seen.policy)
    return Readjudicated(
        settled=one,
        cause=cause,
        correction=seen.correction,
        bill=bill,
        guards=seen.guards,
        others=seen.others,
        change=again.change,
        untold=again.untold,
        acts=again.acts,
    )


async def _corrected(
    desk: Desk, reader: Reader, one: StandingSettlement, cause: Cause, policy: Policy
) -> Seen:
    """Raises LookupError when an edition of record is not here."""
    seen, file = await as_it_stands(desk, reader, one), one.file
    if cause is Cause.POLICY:
        return replace(seen, policy=policy, correction=policy.digest)
    bill, guards = seen.bill, seen.guards
    if cause in AS_TOLD:
        stay = replace(bill.stay, payments=file.stay.payments)
        bill, guards = replace(bill, stay=stay, case=file.case), (*guards, *file.case_guards)
        return replace(seen, bill=bill, guards=guards, correction=_told(file))
    days = [line.service_day for line in bill.lines]
    region = catalogue_region(bill.stay, bill.hospital, desk.policy)
    now = await desk.shelf.between(reader, min(days), max(days), region)
    guards = (*guards, *(edition_guard(edition) for edition in now))
    correction = " ".join(edition.digest for edition in now)
    return replace(seen, bill=replace(bill, editions=now), guards=guards, correction=correction)


async def as_it_stands(desk: Desk, reader: Reader, one: StandingSettlement) -> Seen:
    """The bill and the policy as the last row of the settlement used them, its lines by the cuts
    that stand. What the fund paid beside it is read as it stands now: no meal day and no device is
    paid twice because two stays of the person were corrected. LookupError when an edition of
    record is not here."""
    stands, before, file = one.standing, _before(one), one.file
    facts = thawed_facts(stands.last["detail"])
    as_charged = thawed_facts(stands.original["detail"]) if stands.deltas else facts
    found = violations(await posted_cuts(reader, file))
    lines = with_violations(as_charged.lines, found)
    editions = await desk.shelf.of_record(reader, before.edition_digests)
    others = await other_stays(reader, file.stay)
    # What a person has cleared since holds the bill no more; it moves no money.
    stay = replace(facts.stay, cleared=facts.stay.cleared | file.stay.cleared)
    known = stay, facts.case, facts.hospital, lines
    return Seen(
        bill=Bill(*known, editions, stays_beside(others), paid_by=facts.paid_by),
        policy=await policy_of_record(desk, reader, before.policy_digest),
        others=others,
        guards=(file.person_guard, *(other.guard for other in others)),
    )


async def decided_again(one: StandingSettlement, bill: Bill, policy: Policy) -> Again:
    """What changes of the settlement when this bill is decided by the policy."""
    settled_on = date.fromisoformat(one.standing.original["business_day"])
    if (by_hand := rule.paid_since(bill, settled_on)) is not None:
        return Again(untold=outcome_text(by_hand), acts=who_acts(by_hand))
    before, size = _before(one), LINE_BYTES * len(bill.lines)
    after = await off_loop(size, lambda: rule.readjudicated(bill, policy, before))
    if isinstance(after, BillVerdict):
        return Again(change=change_of(before, after))
    return Again(untold=outcome_text(after), acts=who_acts(after))


def _told(file: StayFile) -> str:
    """What the agency has told so far: the case by its version, the prior payments by number."""
    case = [] if file.case is None else [f"{file.case.case_no}@{file.case.version}"]
    return " ".join([*case, *(one.payment_no for one in file.stay.payments)])


def _without_editions(one: StandingSettlement, cause: Cause, policy: Policy) -> Readjudicated:
    facts = thawed_facts(one.standing.last["detail"])
    known = facts.stay, facts.case, facts.hospital, facts.lines
    return Readjudicated(
        settled=one,
        cause=cause,
        correction=policy.digest if cause is Cause.POLICY else _told(one.file),
        bill=Bill(*known, (), facts.others, facts.devices, facts.paid_by),
        guards=(),
        untold="EDITION_MISSING",
        acts=Actor.OPERATOR,
    )


def _before(one: StandingSettlement) -> BillVerdict:
    return thawed_verdict(one.standing.last["detail"])


async def policy_of_record(desk: Desk, reader: Reader, digest: str) -> Policy:
    """The policy of this digest, in force here or kept. LookupError when it is not here."""
    if digest == desk.policy.digest:
        return desk.policy
    content = await policy_content(reader, digest)
    if content is None:
        raise LookupError(digest)
    return load_archive(content)


async def proposed(
    desk: Desk, reader: Reader, found: Readjudicated, by: str
) -> tuple[Plan | None, str]:
    """The transaction that proposes the change, or asks a person for what cannot be computed, and
    the number of either; None when there is nothing to write: no change, or it is proposed,
    rejected, asked for or closed already."""
    stands, causes = found.settled.standing, alike(found.cause)
    earlier = [row for row in stands.proposals if row["cause"] in causes]
    asked = next((row for row in earlier if found.known_as(row)), None)
    if asked is not None:
        return None, str(asked["proposal_id"])
    if found.outcome and not _only_tried(desk, found):
        follows = stands.last["settlement_id"]
        # The same change is asked for once, whatever it was found for.
        known = await kept_proposals(reader, follows, found.outcome)
        if known and known[0]["open"]:
            return _stood_behind(found, known[0], by), str(known[0]["proposal_id"])
        if not known:
            number = new_id("R")
            return _proposing(desk, found, earlier, number, by), number
    if not earlier:
        return None, ""
    return _only_stale(desk, found, earlier), ""


def _stood_behind(found: Readjudicated, row: dict[str, Any], by: str) -> Plan | None:
    """A person who proposes what the gateway proposed by itself takes it up."""
    if row["proposed_by"] or not by:
        return None
    where = {"proposal_id": row["proposal_id"], "version": row["version"]}
    values = {"version": row["version"] + 1, "proposed_by": by}
    act = Act(
        action="readjudication.take_up",
        subject=row["proposal_id"],
        from_state=ProposalState.PROPOSED,
        to_state=ProposalState.PROPOSED,
        code=row["settlement_id"],
        reason=by,
    )
    return applied(
        subject=found.settled.file.stay.admission_id,
        writes=(Update(tables.readjudication, where, values),),
        acts=(act,),
    )


def _only_tried(desk: Desk, found: Readjudicated) -> bool:
    """Whether a policy that is not in force leaves a bill untold: whoever tries it is told."""
    in_force = found.correction == desk.policy.digest
    return bool(found.untold) and found.cause is Cause.POLICY and not in_force


def _proposing(
    desk: Desk, found: Readjudicated, earlier: Sequence[dict[str, Any]], number: str, by: str
) -> Plan:
    row = proposal_row(desk, found, number, by)
    file = found.settled.file
    return applied(
        subject=file.stay.admission_id,
        guards=found.guards,
        writes=(
            seen(file),
            *(stale(desk, one) for one in earlier),
            Insert(tables.readjudication, [row]),
        ),
        acts=(*_stale_acts(earlier), _act(found, number, by)),
        notices=(notice(desk, file.stay.admission_id, changed(row)),),
    )


def seen(file: StayFile) -> Update:
    """The stay's version moves, so that a cancellation racing with this reads what came of it,
    or this reads the cancellation."""
    where = {"admission_id": file.stay.admission_id, "version": file.stay.version}
    return Update(tables.admission, where, {"version": file.stay.version + 1})


def _only_stale(desk: Desk, found: Readjudicated, earlier: Sequence[dict[str, Any]]) -> Plan:
    file = found.settled.file
    return applied(
        subject=file.stay.admission_id,
        guards=found.guards,
        writes=(seen(file), *(stale(desk, one) for one in earlier)),
        acts=_stale_acts(earlier),
    )


def _stale_acts(rows: Sequence[dict[str, Any]]) -> tuple[Act, ...]:
    return tuple(stale_act(row["proposal_id"]) for row in rows)


def stale_act(proposal_id: str) -> Act:
    """The proposal went stale."""
    return Act(
        action="readjudication.stale",
        subject=proposal_id,
        from_state=ProposalState.PROPOSED,
        to_state=ProposalState.STALE,
    )


def _act(found: Readjudicated, number: str, by: str) -> Act:
    """What was proposed, or which settlement a person has to see to, and why."""
    told = (by, found.cause, found.correction, found.untold, found.acts)
    return Act(
        action="readjudication.by_hand" if found.untold else "readjudication.propose",
        subject=number,
        to_state=_state(found),
        code=found.settled.standing.original["settlement_id"],
        reason=" ".join(str(one) for one in told if one),
    )


def _state(found: Readjudicated) -> ProposalState:
    return ProposalState.BY_HAND if found.untold else ProposalState.PROPOSED


def proposal_row(desk: Desk, found: Readjudicated, number: str, by: str) -> dict[str, Any]:
    """The row of a proposal, or of what a person is asked to see to."""
    change, stands = found.change, found.settled.standing
    stay, split = found.settled.file.stay, NOTHING if change is None else change.split
    return {
        "proposal_id": number,
        "version": 1,
        "state": _state(found).value,
        "open": 1,
        "kept": 1,
        "settlement_id": stands.original["settlement_id"],
        "follows": stands.last["settlement_id"],
        "admission_id": stay.admission_id,
        "hospital": stay.hospital,
        "case_no": stands.original["case_no"],
        "cause": found.cause.value,
        "correction": found.correction,
        "outcome": found.outcome,
        "untold": found.untold,
        "acts": "" if found.acts is None else found.acts.value,
        "cuts_hospital": int(found.cut),
        "needs_ground": int(found.ground_needed),
        "line_count": 0 if change is None else len(change.lines),
        **split._asdict(),
        "meal_fen": 0 if change is None else change.meal_fen,
        "proposed_by": by,
        "proposed_us": desk.now_us,
        "decided_by": "",
        "decided_us": None,
        "delta_id": "",
        "basis": "",
        "detail": detail_of(found, None if change is None else change.after),
        "reason": None,
    }


def detail_of(found: Readjudicated, after: BillVerdict | None) -> str:
    """The corrected facts and the verdict on them, if any, as a settlement stores them."""
    bill = found.bill
    known = bill.stay, bill.case, bill.hospital, bill.lines
    return frozen(Facts(*known, bill.others, bill.devices, bill.paid_by), after)


def changed(row: dict[str, Any], **values: Any) -> ReadjudicationChanged:
    """What the agency learns of a proposal."""
    told: dict[str, Any] = {
        "state": ProposalState(row["state"]),
        "proposal_id": row["proposal_id"],
        "settlement_id": row["settlement_id"],
        "hospital": row["hospital"],
        "case_no": row["case_no"],
        "cause": Cause(row["cause"]),
        "split": Split(*(row[name] for name in Split._fields)),
        "meal_fen": row["meal_fen"],
        "cuts_hospital": bool(row["cuts_hospital"]),
        "needs_ground": bool(row["needs_ground"]),
        "acts": Actor(row["acts"]) if row["acts"] else None,
        "note": row["untold"],
    }
    return ReadjudicationChanged(**(told | values))


def notice(desk: Desk, admission_id: str, result: ReadjudicationChanged) -> Notice:
    """To the agency, in order within the stay."""
    return Notice(
        receiver=desk.agency_id,
        subject=admission_id,
        command="readjudication.changed",
        result=result,
    )
