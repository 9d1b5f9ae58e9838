"""不变式 What must hold in the store at every instant, asked as queries that find what breaks it.

Tests, simulation and the nightly job of app.py ask the same `check_invariants`. Each question is
one statement, so that it sees one instant of a store at work; every key of the schema is asked
for too, for a store may have lost it. The numbers I5 (what is owed by month) and I6 (a payment
line is paid once) are kept for the tables of payments.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
    Table,
    and_,
    case,
    exists,
    func,
    or_,
    select,
    union_all,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.types import Boolean

from gateway.domain.identity import born_and_sex
from gateway.store.database import Reader, Rows
from gateway.store.deliveries import DONE
from gateway.store.personal import check_character
from gateway.store.standing import itself
from gateway.store.tables import (
    admission,
    application,
    audit,
    bill_line,
    catalogue_edition,
    cut,
    lane,
    leaf,
    message,
    metadata,
    outbox,
    policy_edition,
    settlement,
    transfer,
    undo,
)

MOST: Final = 100
"""Rows told of one question: whoever sees a hundred knows enough."""
_STATES: Final = ("APPLIED", "REFUSED", "TOMBSTONE")
_PARTS: Final = ("total_fen", "fund_fen", "employer_fen", "individual_fen", "hospital_fen")
_MONEY: Final = (*_PARTS, "other_fen", "meal_fen")
_EXPENSE: Final = "5101/%"
_MESSAGES: Final = select(message)


@dataclass(frozen=True, slots=True)
class Violation:
    """One row that breaks an invariant: its table, its key, and what was seen there."""

    invariant: str
    table: str
    row: str
    seen: str

    def __str__(self) -> str:
        return f"{self.invariant} {self.table} {self.row}: {self.seen}"


@dataclass(frozen=True, slots=True)
class Question:
    """A query that answers with the keys of the rows that break something. `sifted` says of a
    row whether it does, where a query alone cannot."""

    table: Table
    seen: str
    query: Select[Any]
    sifted: Callable[[Mapping[str, Any]], bool] = lambda _: True


async def check_invariants(
    reader: Rows, heard: Mapping[tuple[str, str], bytes] | None = None
) -> tuple[Violation, ...]:
    """Every invariant, at most 100 rows a question; none when all is well.

    `heard` are the replies that senders hold, by (sender, message id): with them I1 is asked
    from outside, and the reader must be able to open personal columns.
    """
    found = [
        violation
        for name, question in questions()
        for violation in await _answered(reader, name, question)
    ]
    if heard:
        found += await _unkept(reader, heard)
    return tuple(found)


@cache
def questions() -> tuple[tuple[str, Question], ...]:
    """Every question with the name of its invariant; made once, for making them takes longer
    than asking a small store."""
    return tuple((name, question) for name, ask in INVARIANTS.items() for question in ask())


async def _answered(reader: Rows, name: str, question: Question) -> list[Violation]:
    rows = [row for row in await reader.rows(question.query) if question.sifted(row)]
    return [Violation(name, question.table.name, _key(row), question.seen) for row in rows[:MOST]]


def _key(row: Mapping[str, Any]) -> str:
    """The key as it may be shown: where it holds what it must not, that part is covered."""
    key = "/".join(str(value) for name, value in row.items() if not name.startswith("_"))
    return _ALONE.sub("***", key)


async def _unkept(reader: Rows, heard: Mapping[tuple[str, str], bytes]) -> list[Violation]:
    """Acknowledged messages that are gone, or that have another reply than was heard."""
    if not isinstance(reader, Reader):
        raise TypeError("a reader with keys is needed to compare replies")
    rows = await reader.opened(message, _MESSAGES)
    kept = {(row["sender"], row["message_id"]): row["reply"] for row in rows}
    return [
        Violation("I1", message.name, "/".join(key), _difference(kept.get(key)))
        for key, reply in heard.items()
        if kept.get(key) != reply
    ][:MOST]


def _difference(kept: bytes | None) -> str:
    if kept is None:
        return "acknowledged and gone"
    return f"acknowledged with another reply than {sha256(kept).hexdigest()}"


# --- messages -------------------------------------------------------------------------------------


def i1_nothing_lost() -> Iterator[Question]:
    """Every message with an effect has its leaf, and every leaf of a message the message."""
    of_message = exists().where(leaf.c.tx_id == message.c.tx_id)
    yield Question(
        message,
        "a message without its leaf",
        _keys(message).where(message.c.tx_id != "", ~of_message),
    )
    same = and_(message.c.sender == leaf.c.sender, message.c.message_id == leaf.c.message_id)
    its = exists().where(same, message.c.tx_id == leaf.c.tx_id)
    yield Question(
        leaf, "a leaf without its message", _keys(leaf).where(leaf.c.kind == "message", ~its)
    )


def i2_one_fate() -> Iterator[Question]:
    """One row for a message id, with a final state; what is undone was applied."""
    yield from _twice(message, "sender", "message_id")
    yield Question(
        message, "not a final state", _keys(message).where(message.c.state.not_in(_STATES))
    )
    yield from _twice(undo, "sender", "message_id")
    yield from _twice(undo, "effect")
    same = and_(message.c.sender == undo.c.sender, message.c.message_id == undo.c.message_id)
    applied = exists().where(same, message.c.state == "APPLIED")
    yield Question(undo, "undone and never applied", _keys(undo).where(~applied))


# --- stays, settlements, money -------------------------------------------------------------------


def i3_settled_once() -> Iterator[Question]:
    """One live stay a visit, one live settlement a stay, and the bill says so."""
    yield from _twice(admission, "hospital", "visit_no", where=admission.c.live.is_not(None))
    yield from _twice(settlement, "admission_id", where=itself(settlement))
    live = exists().where(settlement.c.admission_id == admission.c.admission_id, itself(settlement))
    settled = admission.c.bill_state == "SETTLED"
    yield Question(
        admission, "a bill settled without settlement", _keys(admission).where(settled, ~live)
    )
    yield Question(
        admission, "a settlement in force of an open bill", _keys(admission).where(~settled, live)
    )


def i4_balance() -> Iterator[Question]:
    """Transfers of amounts above zero between two accounts, and of each settlement exactly what
    the fund pays by it."""
    broken = or_(transfer.c.amount_fen <= 0, transfer.c.debit == transfer.c.credit)
    yield Question(transfer, "no amount or one account", _keys(transfer).where(broken))
    yield from _twice(transfer, "tx_id", "seq")
    owed = func.coalesce(func.sum(_of_the_fund()), 0)
    yield Question(
        settlement,
        "the ledger holds another amount",
        _keys(settlement)
        .outerjoin(transfer, transfer.c.subject == settlement.c.settlement_id)
        .group_by(settlement.c.settlement_id, settlement.c.fund_fen, settlement.c.meal_fen)
        .having(owed != settlement.c.fund_fen + settlement.c.meal_fen),
    )
    subjects = or_(
        exists().where(settlement.c.settlement_id == transfer.c.subject),
        exists().where(cut.c.cut_no == transfer.c.subject),
    )
    yield Question(transfer, "booked on nothing", _keys(transfer).where(~subjects))


def _of_the_fund() -> ColumnElement[int]:
    """What a transfer adds to the expense of the fund."""
    amount = transfer.c.amount_fen
    return case(
        (transfer.c.debit.like(_EXPENSE), amount),
        (transfer.c.credit.like(_EXPENSE), -amount),
        else_=0,
    )


def i7_reversed_once() -> Iterator[Question]:
    """A settlement is taken back once, to the fen and in every account, and is in force no
    more."""
    yield from _twice(settlement, "reverses", where=settlement.c.reverses.is_not(None))
    first, back, parts = settlement, settlement.alias("back"), settlement.alias("parts")
    of_first = or_(
        parts.c.settlement_id == first.c.settlement_id,
        parts.c.adjusts == first.c.settlement_id,
        parts.c.reverses == first.c.settlement_id,
    )
    yield Question(
        settlement,
        "the reversal is no exact negation",
        select(first.c.settlement_id)
        .join(parts, of_first)
        .where(exists().where(back.c.reverses == first.c.settlement_id))
        .group_by(first.c.settlement_id)
        .having(or_(*(func.sum(parts.c[name]) != 0 for name in _MONEY))),
    )
    still = or_(first.c.state != "REVERSED", first.c.live.is_not(None))
    taken_back = exists().where(back.c.reverses == first.c.settlement_id)
    yield Question(first, "taken back and in force", _keys(first).where(taken_back, still))
    yield Question(settlement, "taken back and still owed", _owed_of_reversed())


def _owed_of_reversed() -> Select[Any]:
    """The settlements taken back whose accounts do not come to zero."""
    whole = func.coalesce(
        settlement.c.reverses, settlement.c.adjusts, settlement.c.settlement_id
    ).label("settlement_id")
    sides = union_all(
        *(
            select(whole, side.label("account"), (sign * transfer.c.amount_fen).label("fen"))
            .select_from(settlement)
            .join(transfer, transfer.c.subject == settlement.c.settlement_id)
            for side, sign in ((transfer.c.debit, 1), (transfer.c.credit, -1))
        )
    ).subquery()
    taken_back = exists().where(settlement.c.reverses == sides.c.settlement_id)
    return (
        select(sides.c.settlement_id)
        .where(taken_back)
        .group_by(sides.c.settlement_id, sides.c.account)
        .having(func.sum(sides.c.fen) != 0)
    )


def i10_parts_and_whole() -> Iterator[Question]:
    """The fund's share within the bill; lines, shares and settlements add up; every edition used
    is kept."""
    payers = [settlement.c[name] for name in _MONEY if name not in ("total_fen", "meal_fen")]
    total, fund = settlement.c.total_fen, settlement.c.fund_fen
    plain = settlement.c.kind == "SETTLEMENT"
    beyond = and_(plain, or_(fund > total, fund < 0, settlement.c.meal_fen < 0))
    wrong = or_(total != sum(payers[1:], payers[0]), beyond)
    yield Question(settlement, "shares do not fit the bill", _keys(settlement).where(wrong))
    yield Question(admission, "the lines add up to another sum", _other_lines())
    settled = settlement.join(admission, settlement.c.admission_id == admission.c.admission_id)
    yield Question(
        settlement,
        "settled another sum than the lines",
        _keys(settlement)
        .select_from(settled)
        .where(itself(settlement), total != admission.c.amount_fen),
    )
    yield from _editions()


def _other_lines() -> Select[Any]:
    counted = (
        select(
            bill_line.c.admission_id,
            func.count().label("lines"),
            func.sum(bill_line.c.amount_fen).label("fen"),
        )
        .group_by(bill_line.c.admission_id)
        .subquery()
    )
    same = and_(
        admission.c.line_count == func.coalesce(counted.c.lines, 0),
        admission.c.amount_fen == func.coalesce(counted.c.fen, 0),
    )
    joined = admission.outerjoin(counted, counted.c.admission_id == admission.c.admission_id)
    return _keys(admission).select_from(joined).where(~same)


def _editions() -> Iterator[Question]:
    kept = exists().where(policy_edition.c.digest == settlement.c.policy_digest)
    yield Question(settlement, "its policy is not kept", _keys(settlement).where(~kept))
    digests = settlement.c.edition_digests
    quotes = func.length(digests) - func.length(func.replace(digests, '"', ""))
    found = select(func.count()).where(digests.contains(catalogue_edition.c.digest))
    counted = found.correlate(settlement).scalar_subquery()
    yield Question(
        settlement,
        "a catalogue edition is not kept",
        _keys(settlement).where(quotes != 2 * counted),
    )


# --- outbox, evidence, isolation, personal data ---------------------------------------------------


def i8_lanes() -> Iterator[Question]:
    """Lane numbers without gap, a receipt for what was pushed and done, order within a subject,
    and a leaf behind everything that is sent, booked or audited."""
    numbers = func.count(outbox.c.lane_seq)
    last = func.coalesce(func.max(outbox.c.lane_seq), 0)
    yield Question(
        lane,
        "a gap in the lane",
        select(lane.c.receiver)
        .outerjoin(outbox, outbox.c.receiver == lane.c.receiver)
        .group_by(lane.c.receiver, lane.c.last_seq)
        .having(or_(numbers != last, last != lane.c.last_seq)),
    )
    yield from _twice(outbox, "receiver", "lane_seq", where=outbox.c.lane_seq.is_not(None))
    pushed = and_(outbox.c.channel == "push", outbox.c.state == DONE)
    yield Question(
        outbox, "done without a receipt", _keys(outbox).where(pushed, outbox.c.receipt.is_(None))
    )
    older = outbox.alias("older")
    before = exists().where(
        older.c.receiver == outbox.c.receiver,
        older.c.subject == outbox.c.subject,
        older.c.lane_seq < outbox.c.lane_seq,
        older.c.state != DONE,
    )
    yield Question(outbox, "done before an older one", _keys(outbox).where(pushed, before))
    for table in (outbox, transfer, audit):
        written = exists().where(leaf.c.tx_id == table.c.tx_id)
        yield Question(table, "written without a leaf", _keys(table).where(~written))


def i9_log() -> Iterator[Question]:
    """Leaves numbered without gap; none twice."""
    yield from _twice(leaf, "tx_id")
    yield from _twice(leaf, "leaf_index", where=leaf.c.leaf_index.is_not(None))
    highest = select(func.max(leaf.c.leaf_index)).scalar_subquery()
    count = select(func.count(leaf.c.leaf_index)).scalar_subquery()
    yield Question(
        leaf,
        "a gap in the numbers of the log",
        _keys(leaf).where(leaf.c.leaf_index == highest, highest != count - 1),
    )


def i11_own_hospital() -> Iterator[Question]:
    """What hangs on a stay belongs to the hospital of the stay."""
    for table in (settlement, cut, application):
        stays = exists().where(
            admission.c.admission_id == table.c.admission_id,
            admission.c.hospital != table.c.hospital,
        )
        yield Question(table, "of another hospital than its stay", _keys(table).where(stays))
    by = exists().where(
        message.c.message_id == admission.c.message_id, message.c.sender == admission.c.hospital
    )
    yield Question(admission, "registered by nobody", _keys(admission).where(~by))


def i12_no_clear_text() -> Iterator[Question]:
    """No identity number of a person in a column that is not sealed."""
    for table in metadata.tables.values():
        texts = [one for one in table.columns if one.type.python_type is str]
        if not texts:
            continue
        shown = [one.label(f"_{one.name}") for one in texts]
        yield Question(
            table,
            "an identity number in clear",
            _keys(table).add_columns(*shown).where(or_(*map(_Numbered, texts))),
            _names_a_person,
        )


class _Numbered(ColumnElement[bool]):
    """Whether a text has 17 digits and a check character in a row; no index helps here."""

    inherit_cache = True
    type = Boolean()

    def __init__(self, text: ColumnElement[str]) -> None:
        self.text = text


@compiles(_Numbered, "sqlite")
def _glob(element: _Numbered, compiler: Any, **given: Any) -> str:
    return f"{compiler.process(element.text, **given)} GLOB '*{'[0-9]' * 17}[0-9Xx]*'"


@compiles(_Numbered, "postgresql")
def _pattern(element: _Numbered, compiler: Any, **given: Any) -> str:
    return f"{compiler.process(element.text, **given)} ~ '[0-9]{{17}}[0-9Xx]'"


_ALONE: Final = re.compile(r"(?<![0-9A-Za-z])[1-9][0-9]{16}[0-9Xx](?![0-9A-Za-z])")


def _names_a_person(row: Mapping[str, Any]) -> bool:
    """Whether a number in the row has a birthday and its right check character (GB 11643)."""
    texts = (value for value in row.values() if isinstance(value, str))
    return any(_of_a_person(number) for text in texts for number in _ALONE.findall(text))


def _of_a_person(number: str) -> bool:
    born, _ = born_and_sex(number)
    return born is not None and number[17].upper() == check_character(number[:17])


INVARIANTS: Final[Mapping[str, Callable[[], Iterator[Question]]]] = {
    "I1": i1_nothing_lost,
    "I2": i2_one_fate,
    "I3": i3_settled_once,
    "I4": i4_balance,
    "I7": i7_reversed_once,
    "I8": i8_lanes,
    "I9": i9_log,
    "I10": i10_parts_and_whole,
    "I11": i11_own_hospital,
    "I12": i12_no_clear_text,
}
"""Each invariant by its name in the design papers, with the questions that find its breach."""


def _keys(table: FromClause) -> Select[Any]:
    """The key of each row of the table."""
    of_table: Any = table
    return select(*(of_table.c[name] for name in of_table.info["row_key"]))


def _twice(
    table: Table, *names: str, where: ColumnElement[bool] | None = None
) -> Iterator[Question]:
    """The values that two rows have where one may."""
    columns = [table.c[name] for name in names]
    query = select(*columns).group_by(*columns).having(func.count() > 1)
    yield Question(
        table, f"twice the same {', '.join(names)}", query if where is None else query.where(where)
    )
