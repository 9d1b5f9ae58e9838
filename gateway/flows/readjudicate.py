"""重新审核 What a correction changes of a live settlement, as a proposal for a person.

The bill is decided by the rule that settles, on the facts frozen at settlement (or at the last
delta) with the correction; nothing is posted here (flows/decide_readjudication.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

from gateway.domain.bill import BillVerdict, Payee
from gateway.domain.readjudication import Cause, ProposalState
from gateway.domain.results import ReadjudicationChanged
from gateway.domain.split import Split
from gateway.flows.desk import Desk, new_id
from gateway.flows.off_loop import LINE_BYTES, off_loop
from gateway.flows.plan import Act, Notice, Plan, Transfer, applied
from gateway.flows.posted_cuts import posted_cuts, violations, with_violations
from gateway.flows.settled import owed_to, transfers
from gateway.flows.standing import Standing, stale, standing
from gateway.policy.load import load_archive
from gateway.policy.model import Policy
from gateway.rules.place import catalogue_region
from gateway.rules.readjudicate import (
    Change,
    change_of,
    needs_ground,
    readjudged,
    takes_from_hospital,
)
from gateway.rules.settle import Bill
from gateway.rules.what_if import outcome_text
from gateway.store import tables
from gateway.store.database import Reader
from gateway.store.editions import edition_guard, policy_content
from gateway.store.frozen import Facts, frozen, packed, thawed_facts, thawed_verdict
from gateway.store.readjudications import kept_proposals
from gateway.store.rows import canonical
from gateway.store.stays import StayFile, stay_of_settlement
from gateway.store.unit import Change as Update
from gateway.store.unit import Guard, Insert


@dataclass(frozen=True, slots=True)
class Touched:
    """A live settlement with its stay and what was posted and proposed since."""

    file: StayFile
    standing: Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class Recomputed:
    """A touched settlement decided again: the change, if any, or why no bill can be told."""

    touched: Touched
    cause: Cause
    correction: str
    bill: Bill
    guards: tuple[Guard, ...]
    change: Change | None = None
    untold: str = ""

    @property
    def outcome(self) -> str:
        """The digest of what is right now: the same correction is proposed once."""
        if self.change is None:
            return ""
        return sha256(canonical(packed(self.change.after)).encode()).hexdigest()

    @property
    def owed(self) -> tuple[tuple[Transfer, ...], tuple[Transfer, ...]]:
        """The ledger rows of the whole settlement, as they stand and as they should be."""
        if self.change is None:
            return (), ()
        return self._owed(self.change.before), self._owed(self.change.after)

    def _owed(self, verdict: BillVerdict) -> tuple[Transfer, ...]:
        original = self.touched.standing.original
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
    def ground_needed(self) -> bool:
        """Whether the cut follows from a recognition that is gone, and from nothing else."""
        return needs_ground(self.bill.case, cut=self.cut)


async def touched(reader: Reader, settlement_id: str) -> Touched | None:
    """The settlement with its stay; None unless it is live and no delta itself."""
    found = await stay_of_settlement(reader, settlement_id)
    if found is None or found[1]["live"] != 1:
        return None
    return Touched(found[0], await standing(reader, *found))


async def recomputed(
    desk: Desk, reader: Reader, one: Touched, cause: Cause, policy: Policy
) -> Recomputed:
    """The settlement under what was corrected: the case as it is known now, the catalogues in
    force now, or `policy`; everything else as it stands.

    LookupError when an edition of record is not here.
    """
    bill, used = await as_it_stands(desk, reader, one)
    guards: tuple[Guard, ...] = ()
    correction = policy.digest
    if cause is Cause.CASE:
        bill, guards = replace(bill, case=one.file.case), one.file.case_guards
        case = one.file.case
        correction = "" if case is None else f"{case.case_no}@{case.version}"
    elif cause is Cause.CATALOGUE:
        days = [line.service_day for line in bill.lines]
        region = catalogue_region(bill.stay, bill.hospital, desk.policy)
        now = await desk.shelf.between(reader, min(days), max(days), region)
        bill = replace(bill, editions=now)
        guards = tuple(edition_guard(edition) for edition in bill.editions)
        correction = " ".join(edition.digest for edition in bill.editions)
    else:
        used = policy
    change, untold = await decided_again(one, bill, used)
    return Recomputed(
        touched=one,
        cause=cause,
        correction=correction,
        bill=bill,
        guards=guards,
        change=change,
        untold=untold,
    )


async def as_it_stands(desk: Desk, reader: Reader, one: Touched) -> tuple[Bill, Policy]:
    """The bill and the policy as the last row of the settlement used them, its lines by the cuts
    that stand. LookupError when an edition of record is not here."""
    stands, before = one.standing, _before(one)
    facts = thawed_facts(stands.last["detail"])
    as_charged = thawed_facts(stands.original["detail"]) if stands.deltas else facts
    found = violations(await posted_cuts(reader, one.file))
    lines = with_violations(as_charged.lines, found)
    editions = await desk.shelf.of_record(reader, before.edition_digests)
    known = facts.stay, facts.case, facts.hospital, lines
    bill = Bill(*known, editions, facts.others, facts.devices, facts.paid_by)
    return bill, await _of_record(desk, reader, before.policy_digest)


async def decided_again(one: Touched, bill: Bill, policy: Policy) -> tuple[Change | None, str]:
    """What changes of the settlement when this bill is decided by the policy; why it cannot be
    told, if so."""
    before, size = _before(one), LINE_BYTES * len(bill.lines)
    after = await off_loop(size, lambda: readjudged(bill, policy, before))
    if isinstance(after, BillVerdict):
        return change_of(before, after), ""
    return None, outcome_text(after)


def _before(one: Touched) -> BillVerdict:
    return thawed_verdict(one.standing.last["detail"])


async def _of_record(desk: Desk, reader: Reader, digest: str) -> Policy:
    if digest == desk.policy.digest:
        return desk.policy
    content = await policy_content(reader, digest)
    if content is None:
        raise LookupError(digest)
    return load_archive(content)


async def proposed(
    desk: Desk, reader: Reader, found: Recomputed, by: str
) -> tuple[Plan | None, str]:
    """The transaction that proposes the change, and the proposal's number; None when there is
    nothing to write: no change, or it is proposed or rejected already."""
    stands = found.touched.standing
    earlier = [row for row in stands.proposals if row["cause"] == found.cause]
    if found.change is not None:
        follows = stands.last["settlement_id"]
        known = await kept_proposals(reader, follows, found.cause, found.outcome)
        if known and known[0]["open"]:
            return None, str(known[0]["proposal_id"])
        if not known:
            number = new_id("R")
            return _proposing(desk, found, earlier, number, by), number
    if not earlier:
        return None, ""
    return _only_stale(desk, found, earlier), ""


def _proposing(
    desk: Desk, found: Recomputed, earlier: Sequence[dict[str, Any]], number: str, by: str
) -> Plan:
    row = proposal_row(desk, found, number, by)
    file = found.touched.file
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


def _only_stale(desk: Desk, found: Recomputed, earlier: Sequence[dict[str, Any]]) -> Plan:
    file = found.touched.file
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


def _act(found: Recomputed, number: str, by: str) -> Act:
    return Act(
        action="readjudication.propose",
        subject=number,
        to_state=ProposalState.PROPOSED,
        code=found.touched.standing.original["settlement_id"],
        reason=f"{by} {found.cause} {found.correction}".strip(),
    )


def proposal_row(desk: Desk, found: Recomputed, number: str, by: str) -> dict[str, Any]:
    """The row of a proposal. ValueError where nothing changes."""
    change, stands = found.change, found.touched.standing
    if change is None:
        raise ValueError("nothing changes: there is nothing to propose")
    stay = found.touched.file.stay
    return {
        "proposal_id": number,
        "version": 1,
        "state": ProposalState.PROPOSED.value,
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
        "cuts_hospital": int(found.cut),
        "needs_ground": int(found.ground_needed),
        "line_count": len(change.lines),
        **change.split._asdict(),
        "meal_fen": change.meal_fen,
        "proposed_by": by,
        "proposed_us": desk.now_us,
        "decided_by": "",
        "decided_us": None,
        "delta_id": "",
        "basis": "",
        "detail": detail_of(found, change),
        "reason": None,
    }


def detail_of(found: Recomputed, change: Change) -> str:
    """The corrected facts and the verdict on them, as a settlement stores them."""
    bill = found.bill
    known = bill.stay, bill.case, bill.hospital, bill.lines
    return frozen(Facts(*known, bill.others, bill.devices, bill.paid_by), change.after)


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
