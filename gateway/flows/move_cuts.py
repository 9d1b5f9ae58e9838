"""What time does to cuts: notices that could not be served yet, and days to answer that ended."""

import asyncio
import logging
from dataclasses import replace

from gateway.domain.cut import Cut, CutState
from gateway.flows.desk import Desk
from gateway.flows.exchange import push_channels
from gateway.flows.plan import Act, Plan, applied
from gateway.flows.raise_cuts import noticed, told
from gateway.flows.transaction import job_unit
from gateway.store.cuts import changed_cut, cut_by_no, cuts_to_move
from gateway.store.unit import StaleFacts, StoreFailed

_log = logging.getLogger(__name__)


async def move_cuts(desk: Desk) -> int:
    """Every cut that time moves, each in a transaction of its own; the number moved. What breaks
    one is logged, and the others go on. Raises StoreFailed, which concerns everybody."""
    async with desk.database.reading() as reader:
        numbers = await cuts_to_move(reader, desk.today)
    moved = 0
    for cut_no in numbers:
        try:
            moved += await _moved(desk, cut_no)
        except StoreFailed:
            raise
        except Exception:
            _log.exception("cut not moved", extra={"subject": cut_no})
    return moved


async def _moved(desk: Desk, cut_no: str) -> bool:
    async with desk.database.reading() as reader:
        before = await cut_by_no(reader, cut_no)
    after = None if before is None else _after(desk, before)
    if before is None or after is None:
        return False
    plan = _plan(desk, before, after)
    try:
        push = await push_channels(desk, plan)
        await desk.database.commit(job_unit(desk, plan, "cut", push))
    except StaleFacts:
        # Somebody else moved it meanwhile: the next look sees what is left to do.
        await asyncio.sleep(0)
        return False
    desk.outbox_ready.set()
    return True


def _after(desk: Desk, one: Cut) -> Cut | None:
    """The cut a step on; None when it stays where it is."""
    if one.state is CutState.PROPOSED:
        served = noticed(desk, one)
        return served if served.state is CutState.NOTICED else None
    if one.state is CutState.NOTICED and one.overdue(desk.today):
        return replace(one, state=CutState.UNANSWERED, heard_on=one.answer_by)
    return None


def _plan(desk: Desk, before: Cut, after: Cut) -> Plan:
    act = Act(
        action="cut.move",
        subject=after.admission_id,
        from_state=before.state,
        to_state=after.state,
        code=after.cut_no,
    )
    return applied(
        subject=after.admission_id,
        writes=(changed_cut(before, after),),
        acts=(act,),
        notices=told(desk, after),
    )
