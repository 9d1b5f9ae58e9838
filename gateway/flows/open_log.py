"""Opening a log: the first one by itself, another by two persons after a rollback.

The first leaf of a log is the act of opening it; that of a later log has the old head as its
request, so that what the old log said is part of what the new one proves.
"""

from contextlib import suppress
from dataclasses import replace
from typing import Any, Final

from gateway.domain.identity import same_name
from gateway.evidence.tree import grown
from gateway.flows.administer import NotDone
from gateway.flows.desk import Desk
from gateway.flows.keep_log import tiles_write
from gateway.flows.log import ROLLED_BACK
from gateway.flows.plan import Act, Plan, applied
from gateway.flows.renew_keys import Ordered
from gateway.flows.transaction import job_unit
from gateway.store import log as rows
from gateway.store import tables
from gateway.store.log import HEAD, Head
from gateway.store.unit import Change, Insert, KeyTaken, Unit, Write

_KIND: Final = "origin"


async def open_first(desk: Desk) -> None:
    """Open the first log of a new deployment; nothing when there is one."""
    async with desk.database.reading() as reader:
        if await rows.head(reader) is not None:
            return
    head = {"name": HEAD, **_fresh(1)}
    # Another process that starts beside us may be the first to open it.
    with suppress(KeyTaken):
        writes = (Insert(tables.log_head, [head]),)
        await _open(desk, _origin(desk, 1, 0, "", desk.gateway_id), writes, "")


async def propose(desk: Desk, ordered: Ordered) -> str:
    """The first person asks for a new log; the log's name. Raises NotDone."""
    head = await _stopped(desk)
    change = Change(tables.log_head, head.key, {"proposed_by": ordered.by})
    act = Act(action="log.propose", subject=head.origin, code=ordered.by, reason=ordered.reason)
    await _commit(desk, applied(subject=head.origin, writes=(change,), acts=(act,)))
    return head.origin


async def approve(desk: Desk, ordered: Ordered) -> str:
    """Another person opens it; the new log's name. Raises NotDone."""
    head = await _stopped(desk)
    if not head.proposed_by:
        raise NotDone("尚无人提出 / nobody has proposed it yet: gateway evidence propose")
    if same_name(head.proposed_by, ordered.by):
        raise NotDone("须由另一人批准 / another person must approve")
    number = head.log + 1
    persons = f"{head.proposed_by} + {ordered.by}"
    old = head.evidence or desk.log.file.read()
    row = _origin(desk, number, head.first_index + head.size, old, persons)
    fresh = Change(tables.log_head, head.key, _fresh(number))
    await _open(desk, row, (fresh,), ordered.reason)
    await desk.log.look()
    return str(row["origin"])


def _fresh(number: int) -> dict[str, Any]:
    """The head of a log that has its opening alone."""
    return {"log": number, "size": 1, "stopped": "", "evidence": "", "proposed_by": ""}


async def _stopped(desk: Desk) -> Head:
    async with desk.database.reading() as reader:
        head = await rows.head(reader)
    if head is None or head.stopped != ROLLED_BACK:
        raise NotDone("日志没有停止 / the log does not stand still")
    return head


def _origin(desk: Desk, number: int, first: int, follows: str, by: str) -> dict[str, Any]:
    return {
        "log": number,
        "origin": f"{desk.receiver}/{number}",
        "public_key": desk.log.signer.verifier.public,
        "first_index": first,
        "follows": follows,
        "opened_us": desk.now_us,
        "opened_by": by,
    }


async def _open(desk: Desk, row: dict[str, Any], writes: tuple[Write, ...], reason: str) -> None:
    """The opening as the first leaf of its log, numbered and in the tree at once."""
    act = Act(action="log.open", subject=row["origin"], code=row["opened_by"], reason=reason)
    plan = applied(
        subject=row["origin"],
        writes=(Insert(tables.log_origin, [row]), *writes),
        acts=(act,),
    )
    unit = job_unit(desk, plan, _KIND, {}, request=row["follows"].encode())
    await desk.database.commit(_first(unit, row["log"], row["first_index"]))


def _first(unit: Unit, log: int, index: int) -> Unit:
    *before, leaves = unit.writes
    if not isinstance(leaves, Insert):
        raise AssertionError("a transaction ends with its leaf")
    leaf = {**leaves.rows[0], "leaf_index": index}
    tiles = tiles_write(log, grown(0, {}, [leaf["leaf_hash"]]))
    return replace(unit, writes=(*before, Insert(leaves.table, [leaf]), tiles), of_the_log=True)


async def _commit(desk: Desk, plan: Plan) -> None:
    await desk.database.commit(replace(job_unit(desk, plan, "operator", {}), of_the_log=True))
