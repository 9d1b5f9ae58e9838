"""The scribe gives committed messages their number in the receiver's lane, after commit.

Order holds within (receiver, subject): a later transaction on the same subject was
prepared after the earlier one committed.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final
from uuid import uuid4

from gateway.clock import business_day
from gateway.ports import Clock
from gateway.store import tables
from gateway.store.database import Database
from gateway.store.deliveries import lane_heads, unnumbered
from gateway.store.unit import Change, Insert, KeyTaken, Row, StaleFacts, Unit, Write

_PAGE: Final = 500


async def number_lanes(database: Database, clock: Clock) -> int:
    """Number what is committed and unnumbered; the count numbered.

    Whoever lost the lead meanwhile finds the lane's head moved on, and numbers nothing.
    """
    numbered = 0
    while True:
        rows, heads = await database.in_one_piece(lambda: _unnumbered(database))
        if not rows:
            return numbered
        year = business_day(clock.now()).year
        unit = Unit(f"L{uuid4().hex[:24].upper()}", year, writes=_numbering(rows, heads))
        try:
            await database.commit(unit)
        except (StaleFacts, KeyTaken):
            return numbered
        numbered += len(rows)


async def _unnumbered(database: Database) -> tuple[Sequence[Row], dict[str, int]]:
    """What has no number yet, and the last number of each lane that it belongs to."""
    async with database.reading() as reader:
        rows = await unnumbered(reader, _PAGE)
        receivers = {row["receiver"] for row in rows}
        return rows, await lane_heads(reader, receivers) if receivers else {}


def _numbering(rows: Any, heads: dict[str, int]) -> tuple[Write, ...]:
    last: defaultdict[str, int] = defaultdict(int, heads)
    writes: list[Write] = []
    for row in rows:
        last[row["receiver"]] += 1
        where = {"message_id": row["message_id"], "lane_seq": None}
        writes.append(Change(tables.outbox, where, {"lane_seq": last[row["receiver"]]}))
    moved: list[Write] = [
        Change(tables.lane, {"receiver": name, "last_seq": seen}, {"last_seq": last[name]})
        for name, seen in sorted(heads.items())
    ]
    new = sorted(last.keys() - heads.keys())
    opened = (
        Insert(tables.lane, [{"receiver": name, "last_seq": last[name]} for name in new]),
        Insert(tables.lane_lock, [{"receiver": name} for name in new]),
    )
    return (*writes, *moved, *opened)
