"""他次住院 The person's other settlements, after one was taken back or came back in force, or
one with a device was made.

A meal day or a device that the fund pays for in one stay it does not pay for in another. What
changes so is a job for each settlement that may see it, and a proposal for a person; no money
moves here.
"""

import asyncio
from datetime import date
from typing import Any, Final

from gateway.flows.bill_file import other_stays, seeing
from gateway.flows.desk import Desk
from gateway.flows.plan import Act, Plan, applied
from gateway.flows.transaction import job_unit
from gateway.flows.waiting import decide_anew
from gateway.rules.settle import Bill, device_codes
from gateway.store import tables
from gateway.store.database import Reader
from gateway.store.frozen import thawed_facts, thawed_verdict
from gateway.store.settlements import settlement_by_id
from gateway.store.standing import Standing, standing
from gateway.store.stays import StayFile, stay_file
from gateway.store.unit import Change, StaleFacts, Write

_TRIES: Final = 5  # against another settlement taken back meanwhile


async def look_beside(desk: Desk, admission_id: str) -> int:
    """One job for each settlement that may see what was marked at the stay; 1 once it is done."""
    for _ in range(_TRIES):
        async with desk.database.reading() as reader:
            file = await stay_file(reader, admission_id)
            if file is None or not file.row["unseen"]:
                return 0
            again = await _again(desk, reader, file)
        try:
            await desk.database.commit(job_unit(desk, _plan(file, again), "readjudication", {}))
        except StaleFacts:
            await asyncio.sleep(0)
            continue
        return 1
    raise StaleFacts(admission_id)


def _plan(file: StayFile, again: tuple[Write, ...]) -> Plan:
    stay, numbers = file.stay, file.row["unseen"]
    where = {"admission_id": stay.admission_id, "unseen": numbers}
    return applied(
        subject=stay.admission_id,
        writes=(Change(tables.admission, where, {"unseen": ""}), *again),
        acts=(Act(action="readjudication.beside", subject=stay.admission_id, code=numbers),),
    )


async def _again(desk: Desk, reader: Reader, file: StayFile) -> tuple[Write, ...]:
    told = f"beside {file.row['unseen']}"
    # What was told of it while it was not in force was looked at by nobody.
    own = decide_anew(desk, [file.stay.admission_id] if file.live_settlement else [], told)
    settled = [one for one in await other_stays(reader, file.stay) if one.live_settlement]
    if not settled:
        return own
    days, devices = frozenset[date](), False
    for number in file.row["unseen"].split():
        stood = await _stood(reader, number)
        days |= stood.meal_days
        devices = devices or await _has_devices(desk, reader, stood.last["detail"])
    seen = seeing(settled, days, devices=devices)
    return *own, *decide_anew(desk, [one.stay.admission_id for one in seen], told)


async def _stood(reader: Reader, number: str) -> Standing:
    original = await settlement_by_id(reader, number)
    if original is None:
        raise LookupError(number)
    return await standing(reader, original)


async def _has_devices(desk: Desk, reader: Reader, detail: dict[str, Any]) -> bool:
    """Whether it may have paid for a device: by its editions, or because one is here no more."""
    facts, digests = thawed_facts(detail), thawed_verdict(detail).edition_digests
    try:
        editions = await desk.shelf.of_record(reader, digests)
    except LookupError:
        return True
    return bool(device_codes(Bill(facts.stay, facts.case, facts.hospital, facts.lines, editions)))
