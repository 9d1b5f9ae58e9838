"""清除个人信息 A person is purged by destroying the keys of every record that speaks of them.

Rows, leaves and ledgers stay as they are: what they say about the person opens no more. It needs
two persons, the end of the legal term of keeping and no open dealing. The person is not found
from the moment it is confirmed; the keys then go in small steps, the person's own last, so that
what a crash left is finished by confirming again. 个人信息保护法 第四十七条；
社会保险业务档案管理规定（试行）.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, Final

from gateway.clock import business_day, instant
from gateway.domain.identity import same_name
from gateway.flows.administer import NotDone
from gateway.flows.desk import Desk, new_id
from gateway.flows.plan import Act, applied
from gateway.flows.renew_keys import Ordered
from gateway.flows.transaction import job_unit
from gateway.store import tables
from gateway.store.data_keys import SealedTable
from gateway.store.personal import spellings
from gateway.store.purging import (
    SAYING,
    dealings_of,
    last_dealt_us,
    naming,
    open_dealings,
    person_row,
    purge_by_id,
    records_of,
    tags_of,
)
from gateway.store.unit import Change, Insert, Rekey, Remove, Rewrapped, Row, StaleFacts, Write

ASKED: Final = "ASKED"
CONFIRMED: Final = "CONFIRMED"
DONE: Final = "DONE"
_AT_ONCE: Final = 200  # rows of a step, as when keys are renewed


async def ask(desk: Desk, kept_years: int | None, person_id: str, ordered: Ordered) -> str:
    """Ask that a person be purged; the id to confirm it by. Raises NotDone with what is against
    it."""
    await _refuse_held(desk, kept_years, person_id)
    purge_id = new_id("X")
    row = {
        "purge_id": purge_id,
        "person_id": person_id,
        "state": ASKED,
        "asked_by": ordered.by,
        "asked_us": desk.now_us,
        "confirmed_by": "",
        "confirmed_us": None,
        "reason": ordered.reason,
    }
    await _commit(desk, purge_id, (Insert(tables.purge, [row]),), ordered, "", ASKED)
    return purge_id


async def confirm(desk: Desk, kept_years: int | None, purge_id: str, ordered: Ordered) -> str:
    """Another person confirms, and it is done; what an earlier confirmation left is finished.

    The text says how many records opened their last. Raises NotDone.
    """
    async with desk.database.reading() as reader:
        row = await purge_by_id(reader, purge_id)
    if row is None:
        raise NotDone(f"没有这项清除申请 / there is no request {purge_id}")
    if row["state"] == DONE:
        raise NotDone(f"{purge_id} 已办结 / is done already")
    if same_name(row["asked_by"], ordered.by):
        raise NotDone("申请与确认须为两人 / whoever asked for it does not confirm it")
    if row["state"] == ASKED:
        await _refuse_held(desk, kept_years, row["person_id"])
        row = await _confirmed(desk, row, ordered)
    count = await _destroy(desk, row)
    return f"已清除，{count} 条记录不能再打开 / purged: {count} records open no more"


async def _refuse_held(desk: Desk, kept_years: int | None, person_id: str) -> None:
    """Raises NotDone while the law or an open dealing holds the person's records."""
    if kept_years is None:
        raise NotDone("未设置 GATEWAY_RECORDS_KEPT_YEARS / the years to keep records are not set")
    async with desk.database.reading() as reader:
        if await person_row(reader, person_id) is None:
            raise NotDone(f"没有这个人 / there is no person {person_id}")
        of = await dealings_of(reader, person_id)
        still, last_us = await open_dealings(reader, of), await last_dealt_us(reader, of)
    if still:
        raise NotDone(f"尚有未办结的 / still open: {', '.join(still)}")
    until = _years_later(business_day(instant(last_us)), kept_years)
    if desk.today <= until:
        raise NotDone(f"保管到 {until} 为止 / records are kept until {until}")


def _years_later(day: date, years: int) -> date:
    """The same day of a later year; of a leap day, the day after it."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return (day + timedelta(days=1)).replace(year=day.year + years)


async def _confirmed(desk: Desk, row: Row, ordered: Ordered) -> dict[str, Any]:
    """From here on nobody finds the person; a dealing that began meanwhile stops it. Raises
    NotDone."""
    async with desk.database.reading() as reader:
        person = await person_row(reader, row["person_id"])
        tags = await tags_of(reader, row["person_id"])
    if person is None:
        raise NotDone(f"没有这个人 / there is no person {row['person_id']}")
    values = {"state": CONFIRMED, "confirmed_by": ordered.by, "confirmed_us": desk.now_us}
    moved = {"person_id": person["person_id"], "version": person["version"]}
    writes: list[Write] = [
        Change(tables.person, moved, {"version": person["version"] + 1}),
        Change(tables.purge, {"purge_id": row["purge_id"], "state": ASKED}, values),
    ]
    writes += [Remove(tables.person_index, [tag]) for tag in tags]
    try:
        await _commit(desk, row["purge_id"], tuple(writes), ordered, ASKED, CONFIRMED)
    except StaleFacts:
        raise NotDone("刚有新的业务，请重新办理 / a dealing came between: look again") from None
    return {**row, **values}


async def _destroy(desk: Desk, row: Row) -> int:
    """Every record of the person, those that name the person, and the person's own at last."""
    async with desk.database.reading() as reader:
        person = await person_row(reader, row["person_id"])
        if person is None:
            raise NotDone(f"没有这个人 / there is no person {row['person_id']}")
        of = await dealings_of(reader, row["person_id"])
        owned = [found async for found in records_of(reader, of)]
        id_no = reader.vault.open(tables.person, person)["id_no"].decode()
    numbers = [form.encode() for form in spellings(id_no)]
    count = sum([await _without_keys(desk, row, table, rows) for table, rows in owned])
    for table in SAYING:
        count += await _where_named(desk, row, table, numbers)
    last = Rekey(tables.person, _destroyed(tables.person, [person]))
    done = Change(tables.purge, {"purge_id": row["purge_id"]}, {"state": DONE})
    by = Ordered(row["confirmed_by"], "")
    await _commit(desk, row["purge_id"], (last, done), by, CONFIRMED, DONE, str(count + 1))
    return count + 1


async def _where_named(desk: Desk, row: Row, table: SealedTable, numbers: Sequence[bytes]) -> int:
    """Records that say the person's number, in whosever dealing they were written."""
    until_us, place, count = int(row["confirmed_us"]), tuple[Any, ...](), 0
    while True:
        async with desk.database.reading() as reader:
            place, found = await naming(reader, table, numbers, until_us, place, _AT_ONCE)
        count += await _without_keys(desk, row, table, found)
        if not place:
            return count


async def _without_keys(desk: Desk, row: Row, table: SealedTable, rows: Sequence[Row]) -> int:
    for first in range(0, len(rows), _AT_ONCE):
        step = _destroyed(table, rows[first : first + _AT_ONCE])
        act = Act(action="purge.step", subject=row["purge_id"], code=f"{table.name} {len(step)}")
        plan = applied(subject=act.subject, writes=(Rekey(table, step),), acts=(act,))
        await desk.database.commit(job_unit(desk, plan, "operator", {}))
    return len(rows)


def _destroyed(table: SealedTable, rows: Sequence[Row]) -> list[Rewrapped]:
    names = table.info["row_key"]
    return [
        Rewrapped({name: row[name] for name in names}, row["record_key"], row["key_id"], None)
        for row in rows
    ]


async def _commit(
    desk: Desk,
    purge_id: str,
    writes: tuple[Write, ...],
    ordered: Ordered,
    before: str,
    after: str,
    code: str = "",
) -> None:
    act = Act(
        action="purge",
        subject=purge_id,
        from_state=before,
        to_state=after,
        code=code,
        reason=f"{ordered.by}: {ordered.reason}",
    )
    plan = applied(subject=purge_id, writes=writes, acts=(act,))
    await desk.database.commit(job_unit(desk, plan, "operator", {}))
