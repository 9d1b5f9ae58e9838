"""`gateway readjudications list|show`: what corrections would change, line by line 重审建议.

No person treated is named; amounts are yuan, differences signed.
"""

import asyncio
import sys
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping
from typing import Any, Final, TextIO

from gateway.clock import BUSINESS_ZONE, instant
from gateway.domain.bill import BillLine, BillVerdict, Citation, LineVerdict
from gateway.domain.money import yuan
from gateway.domain.split import NOTHING, Payer, Split
from gateway.rules.readjudicate import Change, LineChange, change_of
from gateway.settings import Settings
from gateway.store.database import Reader
from gateway.store.frozen import thawed_facts, thawed_verdict
from gateway.store.readjudications import proposal_by_id, proposals, rejected_before
from gateway.store.settlements import settlement_by_id
from gateway.verbs.arithmetic import PAYERS, shares
from gateway.verbs.stored import NotTold, looking

TAKEN_OFF: Final = "整单减除第三人已付 taken off the whole bill for what a third party paid"
TOLD: Final = 0
NOT_TOLD: Final = 1


def listed(settings: Settings, state: str | None, out: TextIO) -> int:
    """One line for each proposal; 0, or 1 with a sentence on standard error."""

    async def told() -> Iterable[str]:
        async with looking(settings) as reader:
            return [_summary(row) for row in await proposals(reader, state)]

    return _told(told, out)


def shown(settings: Settings, proposal_id: str, out: TextIO) -> int:
    """The proposal with both sides of every line that differs; 0, or 1 when there is none."""

    async def told() -> Iterable[str]:
        async with looking(settings) as reader:
            return await _shown(reader, proposal_id)

    return _told(told, out)


def _told(told: Callable[[], Coroutine[Any, Any, Iterable[str]]], out: TextIO) -> int:
    try:
        out.writelines(f"{line}\n" for line in asyncio.run(told()))
    except NotTold as silent:
        sys.stderr.write(f"{silent}\n")
        return NOT_TOLD
    return TOLD


def _summary(row: Mapping[str, Any]) -> str:
    day = instant(row["proposed_us"]).astimezone(BUSINESS_ZONE).date()
    moved = differences(Split(*(row[name] for name in Split._fields)), row["meal_fen"])
    if row["untold"]:
        moved = f"不能重算 not computable: {row['untold']}，须由 {row['acts']} 办理 has to act"
    parts = (row["proposal_id"], row["state"], str(day), row["cause"], row["settlement_id"], moved)
    return "  ".join(parts)


async def _shown(reader: Reader, proposal_id: str) -> list[str]:
    row = await proposal_by_id(reader, proposal_id)
    if row is None:
        raise NotTold(f"没有建议 {proposal_id}", f"there is no proposal {proposal_id}")
    head = [*_head(row), *_rejected(await rejected_before(reader, row))]
    if row["untold"]:
        return head
    stood = await settlement_by_id(reader, row["follows"])
    if stood is None:
        raise NotTold(f"没有结算 {row['follows']}", f"there is no settlement {row['follows']}")
    change = change_of(thawed_verdict(stood["detail"]), thawed_verdict(row["detail"]))
    lines = {line.line_id: line for line in thawed_facts(row["detail"]).lines}
    return [*head, *(() if change is None else change_told(lines, change))]


def _rejected(earlier: Iterable[str]) -> Iterator[str]:
    """What a person has declined may be part of this: the bill is decided as a whole."""
    for number in earlier:
        yield f"此前驳回，这项可能包含其内容 rejected before, and perhaps part of this: {number}"


def _head(row: Mapping[str, Any]) -> Iterator[str]:
    yield _summary(row)
    yield f"更正 correction {row['correction']}"
    yield f"医院 hospital {row['hospital']}  案件 case {row['case_no']}"
    yield f"接续 follows {row['follows']}"
    if row["cuts_hospital"]:
        yield (
            "医院因此少得：批准须引用服务协议条款（--clause）"
            " / the hospital gets less: approval cites a clause of its agreement (--clause)"
        )
    if row["needs_ground"]:
        yield (
            "认定撤销不自动追回善意医院已得的费用：批准须另写依据（--article）"
            " / a revoked recognition takes nothing back from a hospital in good faith by itself:"
            " approval names its own ground (--article)"
        )
    proposer = row["proposed_by"] or "网关 the gateway"
    yield f"提出 proposed by {proposer}  决定 decided by {row['decided_by'] or '—'}"
    for name, said in (("依据 basis", row["basis"]), ("理由 reason", row["reason"])):
        if said:
            yield f"{name} {said}"
    if row["delta_id"]:
        yield f"补差结算 delta {row['delta_id']}"


def change_told(lines: Mapping[str, BillLine], change: Change) -> Iterator[str]:
    """Every line that differs with both sides, then the meal allowance, the sums, and who owes
    or gives back."""
    for one in change.lines:
        yield from _line(lines[one.after.line_id], one)
    meals = change.before.meal, change.after.meal
    if change.meal_fen or meals[0].channel != meals[1].channel:
        yield "伙食补助 meal allowance"
        for word, meal in zip(("原 before", "改 after"), meals, strict=True):
            yield f"   {word} {meal.days} 天 days  {yuan(meal.amount_fen)}（{meal.channel}）"
        yield from _new(meals[0].citations, meals[1].citations)
    if change.apart != NOTHING:
        yield f"{TAKEN_OFF} {differences(change.apart, 0)}"
    yield f"差额 difference {differences(change.split, change.meal_fen)}"
    yield from _concerned(change.before, change.after)


def _concerned(before: BillVerdict, after: BillVerdict) -> Iterator[str]:
    if before.liable_employer != after.liable_employer:
        yield (
            f"承担责任的用人单位 liable employer {before.liable_employer or '—'}"
            f" → {after.liable_employer or '—'}"
        )
    owed = before.payout.recoverable_fen, after.payout.recoverable_fen
    if owed[0] != owed[1]:
        yield f"可向第三人追偿 recoverable from the third party {yuan(owed[0])} → {yuan(owed[1])}"


def _line(line: BillLine, one: LineChange) -> Iterator[str]:
    yield f"{line.name} ({line.code})  {line.service_day}  {line.line_id}"
    for word, verdict in (("原 before", one.before), ("改 after", one.after)):
        yield f"   {word} {_side(verdict)}"
    yield f"   差额 difference {differences(one.difference, 0)}"
    yield from _new(one.before.citations, one.after.citations)


def _side(verdict: LineVerdict) -> str:
    return "  ".join((shares(verdict.split), *verdict.reasons))


def _new(before: Iterable[Citation], after: Iterable[Citation]) -> Iterator[str]:
    """The sources that only one side rests on."""
    old, new = list(before), list(after)
    for word, mine, theirs in (("不再依据 no longer by", old, new), ("依据 by", new, old)):
        for one in mine:
            if one not in theirs:
                yield f"   {word} {one.law}  {one.key} = {one.value}，自 since {one.since}"


def differences(split: Split, meal_fen: int) -> str:
    """The signed difference of every payer that has one, and of the meal allowance."""
    told = [
        f"{name} {_signed(split.borne_by(payer))}"
        for payer, name in PAYERS.items()
        if split.borne_by(Payer(payer))
    ]
    told += [f"伙食 meal {_signed(meal_fen)}"] if meal_fen else []
    return "  ".join(told) or yuan(0)


def _signed(fen: int) -> str:
    return f"+{yuan(fen)}" if fen > 0 else yuan(fen)
