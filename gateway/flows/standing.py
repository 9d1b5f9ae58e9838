"""What stands of a settlement: its own row and the deltas posted to it since."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gateway.domain.readjudication import ProposalState
from gateway.flows.desk import Desk
from gateway.store import tables
from gateway.store.database import Reader
from gateway.store.readjudications import open_proposals
from gateway.store.settlements import deltas_of
from gateway.store.stays import StayFile
from gateway.store.unit import Change

UNDOABLE = "SETTLED"
"""A filed settlement is no longer undone by its hospital: the agency adjusts."""

_SUMMED = (
    *("total_fen", "fund_fen", "employer_fen", "individual_fen", "hospital_fen", "other_fen"),
    "meal_fen",
)
_LATEST = ("rules_version", "policy_digest", "edition_digests", "meal_days", "detail")


@dataclass(frozen=True, slots=True)
class Standing:
    """A settlement, its deltas in order, and what is proposed of it and not decided yet."""

    original: dict[str, Any]
    deltas: Sequence[dict[str, Any]]
    proposals: Sequence[dict[str, Any]]

    @property
    def last(self) -> dict[str, Any]:
        """The row whose facts and verdict hold now."""
        return self.deltas[-1] if self.deltas else self.original

    @property
    def undoable(self) -> bool:
        """Whether neither the settlement nor a delta of it was filed."""
        return all(row["state"] == UNDOABLE for row in (self.original, *self.deltas))

    @property
    def whole(self) -> dict[str, Any]:
        """The settlement as if settled once: amounts of all rows together, facts, verdict and
        editions of the last."""
        rows = (self.original, *self.deltas)
        sums = {name: sum(row[name] for row in rows) for name in _SUMMED}
        return {**self.original, **sums, **{name: self.last[name] for name in _LATEST}}


async def standing(reader: Reader, file: StayFile, original: dict[str, Any]) -> Standing:
    """The settlement with what was posted to it and what is proposed; an ordinary one, of which
    nothing ever was, costs no look."""
    if not file.readjudicated:
        return Standing(original, (), ())
    number = original["settlement_id"]
    return Standing(original, await deltas_of(reader, number), await open_proposals(reader, number))


def stale(desk: Desk, proposal: dict[str, Any]) -> Change:
    """The proposal speaks of facts that are no more; a race with its approval is decided by
    its version."""
    where = {"proposal_id": proposal["proposal_id"], "version": proposal["version"]}
    values = {
        "version": proposal["version"] + 1,
        "state": ProposalState.STALE.value,
        "open": None,
        "kept": None,
        "decided_us": desk.now_us,
    }
    return Change(tables.readjudication, where, values)
