"""What stands of a settlement as the flows read it, and what becomes of its proposals."""

from typing import Any

from gateway.domain.readjudication import ProposalState
from gateway.flows.desk import Desk
from gateway.store import standing as store
from gateway.store import tables
from gateway.store.database import Reader
from gateway.store.standing import Standing
from gateway.store.stays import StayFile
from gateway.store.unit import Change


async def standing(reader: Reader, file: StayFile, original: dict[str, Any]) -> Standing:
    """The settlement with what was posted to it and what is proposed; an ordinary one, of which
    nothing ever was, costs no look."""
    if not file.readjudicated:
        return Standing(original, (), ())
    return await store.standing(reader, original)


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
