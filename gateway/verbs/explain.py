"""`gateway explain SETTLEMENT [--line N] [--as-case]`: why a stored bill came out so 结算说明.

The arithmetic is that of the rules on the stored facts under the stored editions. As a case
it is recomputed from the stored facts under the stored editions, and expects the
stored split: `gateway calculate --check` proves it.
"""

import asyncio
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final, TextIO

from adapters.case_file.write import cases_text
from gateway.domain.audit_rules import AUDIT_RULES
from gateway.domain.bill import (
    BillLine,
    BillVerdict,
    Citation,
    LineVerdict,
    MealVerdict,
    Payout,
    Suspicion,
)
from gateway.domain.calculation import (
    Case,
    CasePaid,
    CaseStay,
    Expected,
    ExpectedLine,
    ExpectedPaid,
    ExpectedStay,
)
from gateway.domain.money import price_text, quantity_text, yuan
from gateway.domain.payments import PriorPayer
from gateway.domain.readings import used, used_in_bill
from gateway.domain.reasons import REASONS, ROUNDING
from gateway.domain.split import Payer, Split, total
from gateway.rules.calculate import calculate, cases_of, unequal
from gateway.rules.line import Bearers
from gateway.rules.meal import meal_days
from gateway.rules.payout import moved
from gateway.rules.readjudicate import Change, difference_verdict
from gateway.rules.settle import NettedTerms, netted_terms
from gateway.settings import Settings
from gateway.store.database import Reader
from gateway.store.frozen import Facts
from gateway.store.settlements import deltas_of, reinstating, reversal_of, split_of
from gateway.verbs.arithmetic import (
    Computed,
    computed,
    line_facts,
    meal_text,
    resolved,
    row_text,
    shares,
    steps_text,
)
from gateway.verbs.case_facts import facts_told
from gateway.verbs.readjudications import change_told, differences
from gateway.verbs.stored import (
    EditionsOfRecord,
    NotTold,
    StoredBill,
    looking,
    message_of,
    stored_bill,
)

TOLD: Final = 0
NOT_TOLD: Final = 1
_DAY_RULE: Final = "EXCLUDE_DISCHARGE"
_NEGATIVE: Final = "   冲正取负 the reversal is its negative"


def run(
    settings: Settings, settlement_id: str, as_case: bool, out: TextIO, line: int | None = None
) -> int:
    """Explain one settlement to `out`; the exit code is 0, or 1 with a sentence on standard error.

    No person is named. `line` counts from 1 and explains that line alone. `as_case` prints a
    JSON array of calculation cases instead.
    """
    try:
        out.write(asyncio.run(_told(settings, settlement_id, as_case, line)))
    except NotTold as silent:
        sys.stderr.write(f"{silent}\n")
        return NOT_TOLD
    return TOLD


async def _told(settings: Settings, settlement_id: str, as_case: bool, line: int | None) -> str:
    async with looking(settings) as reader:
        bill = await stored_bill(reader, settlement_id)
        if not as_case:
            _check_line(bill, line)
            texts = [*await _since(reader, bill), *await _in_words(reader, bill, line)]
            return "".join(f"{text}\n" for text in texts)
        if bill.reverses or bill.adjusts:
            other = bill.reverses or bill.adjusts
            raise NotTold(
                f"{settlement_id} 是冲正或补差，请说明原结算 {other}",
                f"{settlement_id} is a reversal or a delta; explain {other} instead",
            )
        one, policy = await EditionsOfRecord().bill(reader, bill.facts, bill.verdict)
        terms = resolved(one, policy, netted_terms)
        return cases_text(as_cases(settlement_id, bill.verdict, bill.facts, terms))


async def _in_words(reader: Reader, bill: StoredBill, line: int | None) -> list[str]:
    found = await _computed(reader, bill)
    if bill.change is not None:
        return list(_delta(bill, bill.change, found, line))
    return [*explained(bill, found, line), *await _deltas(reader, bill, line)]


async def _since(reader: Reader, bill: StoredBill) -> list[str]:
    """What took the settlement back since, a delta with it, and what put it in force again."""
    number = bill.adjusts or bill.settlement_id
    back, again = await reversal_of(reader, number), await reinstating(reader, number)
    words = ((back, "冲正", "reversed"), (again, "恢复", "reinstated"))
    return [
        f"已由 {row['settlement_id']} {zh} {en} by {row['settlement_id']}  {row['business_day']}"
        for row, zh, en in words
        if row is not None
    ]


# --- as a case -------------------------------------------------------------------------------


def as_cases(
    settlement_id: str, verdict: BillVerdict, facts: Facts, lines: Sequence[NettedTerms]
) -> tuple[Case, ...]:
    """The bill as calculation cases that expect the stored split of every line and its refunds.

    One case, or one for each set of payers that the region's texts name during the stay.
    Raises NotTold when the cases do not give the stored amounts.
    """
    title = f"结算 {settlement_id} / settlement {settlement_id}"
    cases = cases_of(settlement_id, title, lines, _stay(facts, verdict.meal))
    if len(cases) == 1:
        cases = (_with_third_party(cases[0], verdict.payout),)
    stored, meal = _net_splits(facts.lines, verdict), _expected_meal(facts, verdict.meal)
    told = tuple(
        replace(
            case,
            expect=_expected(
                [stored[line_id] for line_id in ids],
                verdict.payout.taken_off_fen if case.paid else 0,
                meal if case.stay else None,
            ),
        )
        for case, ids in zip(cases, _ids_by_case(lines), strict=True)
    )
    _check(told)
    return told


def _with_third_party(case: Case, payout: Payout) -> Case:
    """What a third party paid belongs to the whole bill, so only a bill that is one case can
    tell it; the cases of any other show their lines before it is taken off."""
    if not payout.taken_off_fen:
        return case
    return replace(case, paid=CasePaid({PriorPayer.THIRD_PARTY: payout.third_party_paid_fen}))


def _ids_by_case(lines: Iterable[NettedTerms]) -> list[list[str]]:
    """The line ids of each case, in the order of `cases_of`."""
    by_bearers: dict[Bearers, list[str]] = {}
    for line in lines:
        by_bearers.setdefault(line.bearers, []).append(line.line_id)
    return list(by_bearers.values())


def _net_splits(lines: Iterable[BillLine], verdict: BillVerdict) -> dict[str, Split]:
    """The stored split of every original with its refunds."""
    originals = {line.line_id: line.refund_of or line.line_id for line in lines}
    parts: dict[str, list[Split]] = {}
    for decided in verdict.lines:
        parts.setdefault(originals[decided.line_id], []).append(decided.split)
    return {line_id: total(splits) for line_id, splits in parts.items()}


def _expected(splits: Sequence[Split], off_fen: int, meal: ExpectedStay | None) -> Expected:
    whole = moved(total(list(splits)), off_fen)
    lines = tuple(
        ExpectedLine(number, split, split.total_fen) for number, split in enumerate(splits, start=1)
    )
    payers = {payer: whole.borne_by(payer) for payer in Payer}
    paid = ExpectedPaid(taken_off_fen=off_fen) if off_fen else None
    return Expected(whole.total_fen, payers, lines, meal, paid)


def _stay(facts: Facts, meal: MealVerdict) -> CaseStay:
    return CaseStay(facts.stay.admitted_on, facts.stay.last_day, meal.per_day_fen)


def _expected_meal(facts: Facts, meal: MealVerdict) -> ExpectedStay | None:
    """None when a day fell out or had another rate: a case knows only whole stays at one rate."""
    days = meal_days(facts.stay.admitted_on, facts.stay.last_day, _DAY_RULE)
    if (meal.days, meal.amount_fen) != (days, days * meal.per_day_fen):
        return None
    return ExpectedStay(days, meal.amount_fen)


def _check(cases: Iterable[Case]) -> None:
    """Raises NotTold when a case does not give what it expects, as a charged amount may not."""
    wrong = [one for case in cases for one in unequal(case, calculate(case))]
    if wrong:
        places = "、".join(sorted({f"{one.case}/{one.line}/{one.field}" for one in wrong}))
        raise NotTold(
            f"不能准确写成试算案例，不符之处：{places}",
            f"it cannot be printed exactly as a calculation case; it differs at: {places}",
        )


# --- deltas ----------------------------------------------------------------------------------


def _delta(
    bill: StoredBill, change: Change, arithmetic: Computed | NotTold, only: int | None
) -> Iterator[str]:
    """A delta: both sides of every line that differs, by what each rests on, and each as it is
    right; `only` counts the lines that differ."""
    yield from _head(bill, arithmetic)
    if isinstance(arithmetic, NotTold):
        yield f"计算步骤无法重现 the steps cannot be shown: {arithmetic}"
    if only is None:
        yield from change_told({line.line_id: line for line in bill.facts.lines}, change)
        yield from _payout(difference_verdict(change).payout)
    right = [one.after for one in change.lines]
    for number, decided in enumerate(right, start=1):
        if only in (None, number):
            yield from _as_right(bill, change, arithmetic, number, decided)
    yield ""
    shown = right if only is None else right[only - 1 : only]
    yield from (f"{zh} / {en}" for zh, en in (ROUNDING, *used(shown)))
    yield f"规则 rules {bill.row['rules_version']}  政策 policy {bill.row['policy_digest']}"
    yield from (f"目录 catalogue {digest}" for digest in change.after.edition_digests)


def _as_right(
    bill: StoredBill,
    change: Change,
    arithmetic: Computed | NotTold,
    number: int,
    decided: LineVerdict,
) -> Iterator[str]:
    """A line that differs, by the arithmetic that is right."""
    at = [one.line_id for one in change.after.lines].index(decided.line_id)
    line = next(one for one in bill.facts.lines if one.line_id == decided.line_id)
    yield ""
    yield from _line(number, line, decided)
    if isinstance(arithmetic, Computed):
        yield from _arithmetic(bill, arithmetic, line, at)
    yield from _cited(decided.citations)


async def _deltas(reader: Reader, bill: StoredBill, only: int | None) -> list[str]:
    """What was posted to the settlement since, and what stands of it in all."""
    deltas = [] if only is not None else await deltas_of(reader, bill.settlement_id)
    if not deltas:
        return []
    told = [""]
    for row in deltas:
        moved = differences(split_of(row), row["meal_fen"])
        told.append(f"补差 delta {row['settlement_id']}  {row['business_day']}  {moved}")
    rows = (bill.row, *deltas)
    whole = total([split_of(dict(row)) for row in rows])
    meal = sum(row["meal_fen"] for row in rows)
    told.append(f"原结算与补差合计 in all {yuan(whole.total_fen)}：{shares(whole)}")
    told.append(f"住院伙食补助费合计 meal allowance in all {yuan(meal)}")
    return told


# --- in words --------------------------------------------------------------------------------


def _check_line(bill: StoredBill, line: int | None) -> None:
    last = len(bill.verdict.lines)
    if line is not None and not 1 <= line <= last:
        raise NotTold(f"没有第 {line} 行，共 {last} 行", f"no line {line}; there are {last}")


async def _computed(reader: Reader, bill: StoredBill) -> Computed | NotTold:
    """The arithmetic, or why it can no longer be shown."""
    try:
        return await computed(reader, bill)
    except NotTold as silent:
        return silent


def explained(
    bill: StoredBill, arithmetic: Computed | NotTold, only: int | None = None
) -> Iterator[str]:
    """The lines of the explanation, in Chinese and English; amounts in yuan."""
    yield from _head(bill, arithmetic)
    if isinstance(arithmetic, NotTold):
        yield f"计算步骤无法重现 the steps cannot be shown: {arithmetic}"
    lines = {line.line_id: line for line in bill.facts.lines}
    for number, decided in enumerate(bill.verdict.lines, start=1):
        if only in (None, number):
            line = lines[decided.line_id]
            yield ""
            yield from _line(number, line, decided)
            if isinstance(arithmetic, Computed):
                yield from _arithmetic(bill, arithmetic, line, number - 1)
            yield from _cited(decided.citations)
    yield ""
    if only is None:
        yield from _sums(bill, arithmetic)
    yield from (f"{zh} / {en}" for zh, en in (ROUNDING, *_readings(bill, only)))


def _readings(bill: StoredBill, only: int | None) -> tuple[tuple[str, str], ...]:
    """Our readings that the bill, or the one line that was asked for, rests on."""
    verdict = bill.verdict
    if only is not None:
        return used(verdict.lines[only - 1 : only])
    settled_on = message_of(bill).business_day
    return used_in_bill(verdict.lines, verdict.meal, settled_on, bill.facts.stay.last_day)


def _head(bill: StoredBill, arithmetic: Computed | NotTold) -> Iterator[str]:
    one, facts = message_of(bill), bill.facts
    yield f"结算 settlement {one.settlement_id}  {one.business_day}  {bill.row['state']}"
    if one.reverses:
        yield f"冲正 reverses {one.reverses}"
    if one.adjusts:
        yield f"补差 adjusts {one.adjusts}"
    if one.reinstates:
        yield f"恢复 reinstates {one.reinstates}"
    yield f"医院 hospital {one.hospital}  住院号 visit {one.visit_no}  案件 case {one.case_no}"
    stay = facts.stay
    yield (
        f"入院 admitted {stay.admitted_on}  出院 discharged {stay.last_day}  "
        f"医院等级 level {facts.hospital.level.value}  类别 treatment {stay.treatment.value}"
    )
    if facts.case is not None:
        case = facts.case
        yield (
            f"案件状态 state {case.state.value}  受伤 injured {case.injured_on}  "
            f"申请 applied {case.applied_on}  受理 accepted {case.accepted_on}  "
            f"决定 decided {case.decided_on}"
        )
    covered = arithmetic.covered_from if isinstance(arithmetic, Computed) else None
    yield from facts_told(facts, covered)


def _line(number: int, line: BillLine, decided: LineVerdict) -> Iterator[str]:
    charged = f"{price_text(line.price)} × {quantity_text(line.quantity)}"
    yield f"{number}. {line.name} ({line.code})  {line.service_day}  {charged}"
    if line.refund_of:
        yield f"   退费 refund of {line.refund_of}"
    yield f"   金额 amount {yuan(decided.amount_fen)}：{shares(decided.split)}"
    for code in decided.reasons:
        yield f"   {code}：{REASONS[code].zh} / {REASONS[code].en}"


def _arithmetic(bill: StoredBill, found: Computed, line: BillLine, at: int) -> Iterator[str]:
    """Facts, catalogue row and steps; a refund is the pair so far less the pair before it."""
    yield f"   事实 facts {line_facts(line)}"
    yield f"   目录 catalogue {row_text(found.editions, line, bill.facts.hospital.level)}"
    if line.refund_of:
        yield "   按退费后的净数量 at the net quantity after this refund:"
    told = found.traces[at]
    yield from (f"   {step}" for step in steps_text(told))
    if line.refund_of:
        split, earlier = told.decided.split, found.traces[at - 1].decided.split
        own = shares(split.minus(earlier))
        yield f"   本行 this line = {shares(split)} − {shares(earlier)} = {own}"
    if bill.reverses:
        yield _NEGATIVE


def _sums(bill: StoredBill, arithmetic: Computed | NotTold) -> Iterator[str]:
    one = message_of(bill)
    yield f"合计 total {yuan(one.total_fen)}：{shares(one.split)}"
    yield from _meal(bill, arithmetic)
    yield from _suspicions(bill.verdict.suspicions)
    yield from _payout(bill.verdict.payout)
    if one.liable_employer:
        yield f"承担工伤保险责任的用人单位 liable employer {one.liable_employer}"
    yield from _cited(one.grounds)
    yield f"规则 rules {one.rules_version}  政策 policy {one.policy_digest}"
    yield from (f"目录 catalogue {digest}" for digest in one.edition_digests)


def _meal(bill: StoredBill, arithmetic: Computed | NotTold) -> Iterator[str]:
    meal = bill.verdict.meal
    counted = meal_text(meal, arithmetic.meal if isinstance(arithmetic, Computed) else ())
    yield f"住院伙食补助费 meal allowance {yuan(meal.amount_fen)}（{counted}，{meal.channel}）"
    if bill.reverses:
        yield _NEGATIVE
    yield from _cited(meal.citations)


def _payout(payout: Payout) -> Iterator[str]:
    if payout.third_party_paid_fen:
        yield (
            f"第三人已付可支付医疗费 a third party paid {yuan(payout.third_party_paid_fen)}，"
            f"整单减除 taken off the whole bill {yuan(payout.taken_off_fen)}（→ 其他 other）"
        )
    if payout.recoverable_fen > 0:
        yield (
            f"先行支付可向第三人追偿 recoverable from the third party, up to "
            f"{yuan(payout.recoverable_fen)}"
        )
    if payout.recoverable_fen < 0:
        yield (
            f"可向第三人追偿的减少 less recoverable from the third party by "
            f"{yuan(-payout.recoverable_fen)}"
        )
    for one in payout.shares:
        yield (
            f"基金付给 fund pays {one.payee.value} {yuan(one.medical_fen + one.meal_fen)}"
            f"（医疗费 medical {yuan(one.medical_fen)}，伙食 meals {yuan(one.meal_fen)}）"
        )
    yield from _cited(payout.citations)


def _suspicions(found: Iterable[Suspicion]) -> Iterator[str]:
    for one in found:
        rule, lines = AUDIT_RULES[one.code], " ".join(one.line_ids)
        yield f"疑点 suspicion {one.code}：{rule.zh} / {rule.en}  {one.evidence}  {lines}".rstrip()


def _cited(citations: Iterable[Citation]) -> Iterator[str]:
    for one in citations:
        reading = "（本网关的理解 / our reading）" if one.our_reading else ""
        yield f"   依据 by {one.law}{reading}  {one.key} = {one.value}，自 since {one.since}"
