"""A hospital's day against ours 对账: totals, a digest over details, and each difference.

Totals can agree while details do not, so both sides also compute a digest over their rows.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import Final, NamedTuple

from gateway.domain.commands import HospitalRow, ReconcileTotals
from gateway.domain.money import yuan
from gateway.domain.results import Difference
from gateway.domain.split import Payer, Split


@dataclass(frozen=True, slots=True)
class CentreRow:
    """One settlement of ours, or its reversal under the same number with negative amounts."""

    settlement_id: str
    day: date
    id_no: str
    reversed: bool
    split: Split
    meal_fen: int


Row = HospitalRow | CentreRow
_Key = tuple[str, bool]


class DifferenceKind(NamedTuple):
    """A class of difference: its name, likely cause and who acts, in Chinese and English."""

    zh: str
    en: str
    cause_zh: str
    cause_en: str
    who_zh: str
    who_en: str


DIFFERENCE_KINDS: Final[dict[str, DifferenceKind]] = {
    "HOSPITAL_ONLY": DifferenceKind(
        "仅医院有",
        "Hospital only",
        "请求丢失，或 HIS 记下了失败的调用",
        "The request was lost, or the HIS kept a failed call",
        "医院：按报文编号查询，重发或在 HIS 作废",
        "Hospital: query by message id; resend or void",
    ),
    "CENTRE_ONLY": DifferenceKind(
        "仅中心有",
        "Centre only",
        "办理后回执丢失",
        "The reply was lost after commit",
        "医院：取回已签名结果入账，否则冲正",
        "Hospital: book the signed result, or reverse it",
    ),
    "AMOUNT_DIFF": DifferenceKind(
        "金额不符",
        "Amounts differ",
        "结算后 HIS 改动了明细",
        "The HIS changed lines after settling",
        "医院：撤销后重新结算；以中心为准",
        "Hospital: reverse and settle again; the centre rules",
    ),
    "STATUS_DIFF": DifferenceKind(
        "状态不符",
        "States differ",
        "撤销只在一方生效",
        "A reversal was seen on one side",
        "缺少撤销的一方补记",
        "The side that lacks the reversal posts it",
    ),
    "PERSON_DIFF": DifferenceKind(
        "人员不符",
        "Persons differ",
        "结算单记到了他人名下",
        "Booked under another person",
        "医院：核对身份并更正",
        "Hospital: check the identity and correct it",
    ),
    "DUPLICATE": DifferenceKind(
        "重复",
        "Duplicate",
        "医院同一结算单记了多次",
        "The hospital booked it more than once",
        "医院：删除重复行",
        "Hospital: remove the repeated row",
    ),
    "DATE_DIFF": DifferenceKind(
        "日期不符",
        "Dates differ",
        "临近零点，双方计入不同日",
        "Near midnight: booked on another day",
        "无须处理，相邻日匹配即可",
        "Nobody, if it matches within one day",
    ),
}
"""Every class with cause, who acts and default (settlement-rules §5.1)."""


def detail_digest(rows: Iterable[Row]) -> str:
    """SHA-256, hex, over the rows in order: one line each, amounts in yuan, newline after each.

    A line is `settlement_id|day|state|total|fund|employer|individual|hospital|other|meal`
    with state SETTLED or REVERSED; lines are sorted as UTF-8 text.
    """
    lines = sorted(_line(row) for row in rows)
    return sha256("".join(f"{line}\n" for line in lines).encode()).hexdigest()


def _line(row: Row) -> str:
    state = "REVERSED" if row.reversed else "SETTLED"
    amounts = (row.split.total_fen, *row.split, row.meal_fen)
    texts = [row.settlement_id, row.day.isoformat(), state, *(yuan(one) for one in amounts)]
    return "|".join(texts)


def compare_totals(ours: ReconcileTotals, theirs: ReconcileTotals) -> tuple[str, ...]:
    """The names of the totals that differ; empty when the day agrees, digest included."""
    pairs = {
        "count": (ours.count, theirs.count),
        **{
            payer.value: (ours.split.borne_by(payer), theirs.split.borne_by(payer))
            for payer in Payer
        },
        "total": (ours.total_fen, theirs.total_fen),
        "meal": (ours.meal_fen, theirs.meal_fen),
        "detail_digest": (ours.detail_digest, theirs.detail_digest),
    }
    return tuple(name for name, (mine, their) in pairs.items() if mine != their)


def compare_details(
    hospital_rows: Sequence[HospitalRow], centre_rows: Sequence[CentreRow], day: date
) -> tuple[int, tuple[Difference, ...]]:
    """The number of rows that agree, and every difference of the day.

    `centre_rows` reach from the day before to the day after, so that a row booked across
    midnight is a DATE_DIFF and not missing on both sides; older settlements that a reversal
    names come with them. What we reversed later than the day is no difference of the day.
    """
    centre = {_key(row): row for row in centre_rows}
    undone = {row.settlement_id for row in centre_rows if row.reversed and row.day <= day}
    matched, found = 0, _duplicates(hospital_rows)
    booked = {_key(row): row for row in hospital_rows}
    for key, row in booked.items():
        undone_here = key[0] in undone and (key[0], True) not in booked
        differences = _compared(row, centre.get(key), centre, undone_here=undone_here)
        matched += not differences
        found += differences
    found += [
        _here_only(row, centre)
        for key, row in centre.items()
        if row.day == day and key not in booked and not _one_sided(key, booked)
    ]
    return matched, tuple(sorted(found, key=lambda one: (one.kind, one.settlement_id, one.field)))


def _key(row: Row) -> _Key:
    return row.settlement_id, row.reversed


def _duplicates(rows: Sequence[HospitalRow]) -> list[Difference]:
    counted = Counter(_key(row) for row in rows)
    return [
        Difference(
            kind="DUPLICATE",
            settlement_id=key[0],
            field="count",
            hospital_value=str(count),
            centre_value="1",
        )
        for key, count in counted.items()
        if count > 1
    ]


def _one_sided(key: _Key, booked: dict[_Key, HospitalRow]) -> bool:
    """Our reversal of a settlement that the hospital still books: said once, as STATUS_DIFF."""
    settlement_id, is_reversal = key
    return is_reversal and (settlement_id, False) in booked


def _compared(
    row: HospitalRow,
    ours: CentreRow | None,
    centre: dict[_Key, CentreRow],
    *,
    undone_here: bool,
) -> list[Difference]:
    if ours is None:
        return [_missing(row, centre)]
    differences = []
    if row.id_no != ours.id_no:
        differences.append(_difference("PERSON_DIFF", row, "id_no", "", ""))
    if row.day != ours.day:
        days = row.day.isoformat(), ours.day.isoformat()
        differences.append(_difference("DATE_DIFF", row, "day", *days))
    if undone_here:
        differences.append(_difference("STATUS_DIFF", row, "state", "SETTLED", "REVERSED"))
    return differences + _amounts(row, ours)


def _missing(row: HospitalRow, centre: dict[_Key, CentreRow]) -> Difference:
    """The hospital books what we do not: a reversal of ours it knows alone, or nothing at all."""
    if row.reversed and (row.settlement_id, False) in centre:
        return _difference("STATUS_DIFF", row, "state", "REVERSED", "SETTLED")
    return _difference("HOSPITAL_ONLY", row, "", yuan(row.split.total_fen), "")


def _here_only(row: CentreRow, centre: dict[_Key, CentreRow]) -> Difference:
    """We book what the hospital does not: a reversal of an earlier day's settlement, or a row."""
    original = centre.get((row.settlement_id, False))
    if row.reversed and original is not None and original.day < row.day:
        return _difference("STATUS_DIFF", row, "state", "SETTLED", "REVERSED")
    return _difference("CENTRE_ONLY", row, "", "", yuan(row.split.total_fen))


def _amounts(row: HospitalRow, ours: CentreRow) -> list[Difference]:
    pairs = {
        payer.value: (row.split.borne_by(payer), ours.split.borne_by(payer)) for payer in Payer
    }
    pairs["meal"] = (row.meal_fen, ours.meal_fen)
    return [
        _difference("AMOUNT_DIFF", row, name, yuan(their), yuan(mine))
        for name, (their, mine) in pairs.items()
        if their != mine
    ]


def _difference(kind: str, row: Row, field: str, hospital: str, centre: str) -> Difference:
    return Difference(
        kind=kind,
        settlement_id=row.settlement_id,
        field=field,
        hospital_value=hospital,
        centre_value=centre,
    )
