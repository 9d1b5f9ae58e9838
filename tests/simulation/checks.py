"""What must hold at the end of every seed, asked of the store by other means than the flows."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from gateway.store import tables
from gateway.store.database import Database
from tests.flows.office import AGENCY
from tests.simulation.agency import Agency
from tests.simulation.hospital import Hospital
from tests.simulation.party import FENCED, Belief, Party

Rows = list[dict[str, Any]]


@dataclass(slots=True)
class Found:
    """What the end of a seed counts; every fault in words."""

    faults: list[str] = field(default_factory=list)
    acknowledged: int = 0
    acknowledged_lost: int = 0
    settled_twice: int = 0
    fen_imbalance: int = 0


@dataclass(slots=True)
class Kept:
    """The tables, whole and in clear."""

    message: Rows
    undo: Rows
    admission: Rows
    bill_line: Rows
    settlement: Rows
    transfer: Rows
    outbox: Rows


async def read(database: Database) -> Kept:
    async with database.reading() as reader:
        whole = {
            name: await reader.opened(getattr(tables, name), select(getattr(tables, name)))
            for name in Kept.__slots__
        }
    return Kept(**whole)


def check(kept: Kept, hospitals: list[Hospital], agency: Agency) -> Found:
    """Everything, for everybody."""
    found = Found()
    for party in (*hospitals, agency):
        _messages(kept, party, found)
    for hospital in hospitals:
        _lines(kept, hospital, found)
        _beliefs_of_money(kept, hospital, found)
    _settled_once(kept, found)
    _every_fen(kept, found)
    _deliveries(kept, agency, found)
    return found


def _messages(kept: Kept, party: Party, found: Found) -> None:
    """Every acknowledged message is there with the very bytes; nobody else wrote in its name."""
    rows = defaultdict(list)
    for row in kept.message:
        if row["sender"] == party.party_id:
            rows[row["message_id"]].append(row)
    for message_id, belief in party.beliefs.items():
        found.acknowledged += 1
        fault = _fate_fault(rows.pop(message_id, []), belief)
        if fault:
            found.acknowledged_lost += 1
            found.faults.append(f"{message_id} is {belief.outcome} to its sender: {fault}")
    found.faults += [f"{one} was never sent so" for one in rows if one not in party.journal]
    unknown = party.journal.keys() - party.beliefs.keys()
    found.faults += [f"{one} is still unknown to its sender" for one in unknown]
    for target, by in party.undone.items():
        if by not in party.journal:
            found.faults.append(f"{target} was undone by {by}, which nobody sent")


def _fate_fault(rows: Rows, belief: Belief) -> str:
    if len(rows) != 1:
        return f"the store has {len(rows)} rows of it"
    [row] = rows
    state = "TOMBSTONE" if belief.outcome == FENCED else belief.outcome
    if row["state"] != state:
        return f"the store says {row['state']}"
    if belief.outcome != FENCED and row["reply"] != belief.reply:
        return "the store has another reply"
    return ""


def _lines(kept: Kept, hospital: Hospital, found: Found) -> None:
    for stay in hospital.stays:
        stored = {
            row["line_id"]: row["amount_fen"]
            for row in kept.bill_line
            if row["admission_id"] == stay.admission_id
        }
        if stored != stay.lines:
            found.faults.append(
                f"{stay.visit_no}: lines {sorted(stored)}, not {sorted(stay.lines)}"
            )


def _beliefs_of_money(kept: Kept, hospital: Hospital, found: Found) -> None:
    """What the hospital was told and never told back is what is live."""
    told = {one.settlement_id: one for one in hospital.told() if one.settlement_id}
    back = {one.reverses for one in told.values()}
    believed = {
        name: one.split.total_fen
        for name, one in told.items()
        if name not in back and not one.reverses
    }
    live = {
        row["settlement_id"]: row["total_fen"]
        for row in kept.settlement
        if row["hospital"] == hospital.party_id and row["live"] == 1
    }
    if believed != live:
        found.faults.append(f"{hospital.party_id} believes {believed}, live is {live}")


def _settled_once(kept: Kept, found: Found) -> None:
    """At most one settlement of a stay is in force, and it is of the lines that are there."""
    amount = Counter[str]()
    for row in kept.bill_line:
        amount[row["admission_id"]] += row["amount_fen"]
    for stay in kept.admission:
        own = [row for row in kept.settlement if row["admission_id"] == stay["admission_id"]]
        live = [row for row in own if row["live"] == 1]
        net = sum(row["total_fen"] for row in own)
        if len(live) > 1 or net != sum(row["total_fen"] for row in live):
            found.settled_twice += 1
            found.faults.append(f"{stay['admission_id']}: {len(live)} live, {net} fen in all")
        if bool(live) is not (stay["bill_state"] == "SETTLED"):
            found.faults.append(f"{stay['admission_id']}: {stay['bill_state']}, {len(live)} live")
        for row in live:
            if row["total_fen"] != amount[stay["admission_id"]]:
                found.faults.append(f"{stay['admission_id']}: settled other lines than it has")


def _every_fen(kept: Kept, found: Found) -> None:
    """The ledger owes what the settlements say, each by itself and all together."""
    owed = Counter[str]()
    for row in kept.transfer:
        sign = 1 if row["debit"].startswith("5101") else -1
        owed[row["subject"]] += sign * row["amount_fen"]
    for row in kept.settlement:
        off = owed.pop(row["settlement_id"], 0) - row["fund_fen"] - row["meal_fen"]
        found.fen_imbalance += abs(off)
    found.fen_imbalance += sum(map(abs, owed.values()))
    if found.fen_imbalance:
        found.faults.append(f"the ledger is off by {found.fen_imbalance} fen")


def _deliveries(kept: Kept, agency: Agency, found: Found) -> None:
    """The agency has each message once, always the same bytes, in order of its lane."""
    ours = [row for row in kept.outbox if row["receiver"] == AGENCY]
    place = {one: number for number, one in enumerate(agency.arrivals)}
    found.faults += [f"{one} arrived and was never written" for one in _strangers(place, ours)]
    for row in ours:
        if row["state"] != "DONE" or row["message_id"] not in place:
            found.faults.append(f"{row['message_id']} is {row['state']} and did not arrive")
    for rows in _by_subject(ours):
        arrived = [place[row["message_id"]] for row in rows if row["message_id"] in place]
        if arrived != sorted(arrived):
            found.faults.append(f"{rows[0]['subject']}: messages arrived out of order")
    changed = [one for one, bytes_of in agency.digests.items() if len(bytes_of) > 1]
    found.faults += [f"{one} went out in different bytes" for one in changed]


def _strangers(place: dict[str, int], ours: Rows) -> list[str]:
    return [one for one in place if one not in {row["message_id"] for row in ours}]


def _by_subject(rows: Rows) -> Iterator[Rows]:
    by = defaultdict(list)
    for row in sorted(rows, key=lambda one: one["lane_seq"] or 0):
        by[row["subject"]].append(row)
    yield from by.values()
