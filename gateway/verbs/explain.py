"""`gateway explain SETTLEMENT [--as-case]`: why a stored bill came out as it did 结算说明.

As a case it is recomputed from the stored facts under the stored editions, and expects the
stored split: `gateway calculate --check` proves it.
"""

import asyncio
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final, TextIO

from adapters.case_file.write import cases_text
from adapters.catalog_file.write import DamagedEdition, edition_from_bytes
from gateway.domain.audit_rules import AUDIT_RULES
from gateway.domain.bill import (
    BillLine,
    BillVerdict,
    Citation,
    LineVerdict,
    MealVerdict,
    Suspicion,
)
from gateway.domain.calculation import Case, CaseStay, Expected, ExpectedLine, ExpectedStay
from gateway.domain.money import price_text, quantity_text, yuan
from gateway.domain.reasons import REASONS
from gateway.domain.split import Payer, Split, total
from gateway.policy.faults import BadPolicy
from gateway.policy.load import load_archive
from gateway.policy.model import Policy, PolicyGap
from gateway.rules.calculate import calculate, cases_of, unequal
from gateway.rules.line import Bearers
from gateway.rules.meal import meal_days
from gateway.rules.resolve import NeedsReview
from gateway.rules.settle import Bill, NettedTerms, netted_terms
from gateway.settings import Settings
from gateway.store.database import Reader
from gateway.store.editions import edition_content, policy_content
from gateway.store.frozen import Facts
from gateway.verbs.stored import NotTold, StoredBill, looking, settlement_of, stored_bill

TOLD: Final = 0
NOT_TOLD: Final = 1
_DAY_RULE: Final = "EXCLUDE_DISCHARGE"
_PAYERS: Final[Mapping[Payer, str]] = {
    Payer.FUND: "基金 fund",
    Payer.EMPLOYER: "单位 employer",
    Payer.INDIVIDUAL: "个人 individual",
    Payer.HOSPITAL: "医院 hospital",
    Payer.OTHER: "其他 other",
}


def run(settings: Settings, settlement_id: str, as_case: bool, out: TextIO) -> int:
    """Explain one settlement to `out`; the exit code is 0, or 1 with a sentence on standard error.

    No person is named. `as_case` prints a JSON array of calculation cases instead.
    """
    try:
        out.write(asyncio.run(_told(settings, settlement_id, as_case)))
    except NotTold as silent:
        sys.stderr.write(f"{silent}\n")
        return NOT_TOLD
    return TOLD


async def _told(settings: Settings, settlement_id: str, as_case: bool) -> str:
    async with looking(settings) as reader:
        bill = await stored_bill(reader, settlement_id)
        if not as_case:
            return "".join(f"{line}\n" for line in explained(bill))
        if bill.reverses:
            raise NotTold(
                f"{settlement_id} 是冲正，请说明原结算 {bill.reverses}",
                f"{settlement_id} is a reversal; explain {bill.reverses}, which it reverses",
            )
        terms = await _terms(reader, bill)
        return cases_text(as_cases(settlement_id, bill.verdict, bill.facts, terms))


# --- as a case -------------------------------------------------------------------------------


async def _terms(reader: Reader, bill: StoredBill) -> tuple[NettedTerms, ...]:
    """The terms of every line under the stored editions. Raises NotTold."""
    facts, verdict = bill.facts, bill.verdict
    try:
        policy = await _policy(reader, verdict.policy_digest)
        contents = [await edition_content(reader, digest) for digest in verdict.edition_digests]
        editions = tuple(edition_from_bytes(content) for content in contents)
    except (LookupError, DamagedEdition, BadPolicy) as error:
        raise NotTold(
            f"结算所用的政策或目录版本不在库中或已损坏（{type(error).__name__}）",
            f"an edition that the settlement used is absent or damaged ({type(error).__name__})",
        ) from error
    return _resolved(
        Bill(facts.stay, facts.case, facts.hospital, facts.lines, editions, facts.others), policy
    )


async def _policy(reader: Reader, digest: str) -> Policy:
    content = await policy_content(reader, digest)
    if content is None:
        raise LookupError(digest)
    return load_archive(content)


def _resolved(bill: Bill, policy: Policy) -> tuple[NettedTerms, ...]:
    try:
        return netted_terms(bill, policy)
    except (PolicyGap, NeedsReview, ValueError) as error:
        raise NotTold(
            f"按所存版本已不能重算：{error}", f"no longer computable from what is stored: {error}"
        ) from error


def as_cases(
    settlement_id: str, verdict: BillVerdict, facts: Facts, lines: Sequence[NettedTerms]
) -> tuple[Case, ...]:
    """The bill as calculation cases that expect the stored split of every line and its refunds.

    One case, or one for each set of payers that the region's texts name during the stay.
    Raises NotTold when the cases do not give the stored amounts.
    """
    title = f"结算 {settlement_id} / settlement {settlement_id}"
    cases = cases_of(settlement_id, title, lines, _stay(facts, verdict.meal))
    stored, meal = _net_splits(facts.lines, verdict), _expected_meal(facts, verdict.meal)
    told = tuple(
        replace(
            case,
            expect=_expected([stored[line_id] for line_id in ids], meal if case.stay else None),
        )
        for case, ids in zip(cases, _ids_by_case(lines), strict=True)
    )
    _check(told)
    return told


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


def _expected(splits: Sequence[Split], meal: ExpectedStay | None) -> Expected:
    whole = total(list(splits))
    lines = tuple(
        ExpectedLine(number, split, split.total_fen) for number, split in enumerate(splits, start=1)
    )
    payers = {payer: whole.borne_by(payer) for payer in Payer}
    return Expected(whole.total_fen, payers, lines, meal)


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


# --- in words --------------------------------------------------------------------------------


def explained(bill: StoredBill) -> Iterator[str]:
    """The lines of the explanation, in Chinese and English; amounts in yuan."""
    one, lines = settlement_of(bill), {line.line_id: line for line in bill.facts.lines}
    yield f"结算 settlement {one.settlement_id}  {one.business_day}  {bill.row['state']}"
    if one.reverses:
        yield f"冲正 reverses {one.reverses}"
    if one.reinstates:
        yield f"恢复 reinstates {one.reinstates}"
    yield f"医院 hospital {one.hospital}  住院号 visit {one.visit_no}  案件 case {one.case_no}"
    for number, decided in enumerate(one.lines, start=1):
        yield ""
        yield from _line(number, lines[decided.line_id], decided)
    yield ""
    yield f"合计 total {yuan(one.total_fen)}：{_shares(one.split)}"
    yield from _meal(bill.verdict.meal)
    yield from _suspicions(one.suspicions)
    yield f"基金付给 fund pays {one.fund_payee}"
    yield f"规则 rules {one.rules_version}  政策 policy {one.policy_digest}"
    yield from (f"目录 catalogue {digest}" for digest in one.edition_digests)


def _line(number: int, line: BillLine, decided: LineVerdict) -> Iterator[str]:
    charged = f"{price_text(line.price)} × {quantity_text(line.quantity)}"
    yield f"{number}. {line.name} ({line.code})  {line.service_day}  {charged}"
    if line.refund_of:
        yield f"   退费 refund of {line.refund_of}"
    yield f"   金额 amount {yuan(decided.amount_fen)}：{_shares(decided.split)}"
    for code in decided.reasons:
        yield f"   {code}：{REASONS[code].zh} / {REASONS[code].en}"
    yield from _cited(decided.citations)


def _meal(meal: MealVerdict) -> Iterator[str]:
    counted = f"{meal.days} 天 days × {yuan(meal.per_day_fen)}"
    yield f"住院伙食补助费 meal allowance {yuan(meal.amount_fen)}（{counted}，{meal.channel}）"
    yield from _cited(meal.citations)


def _suspicions(found: Iterable[Suspicion]) -> Iterator[str]:
    for one in found:
        rule, lines = AUDIT_RULES[one.code], " ".join(one.line_ids)
        yield f"疑点 suspicion {one.code}：{rule.zh} / {rule.en}  {one.evidence}  {lines}".rstrip()


def _cited(citations: Iterable[Citation]) -> Iterator[str]:
    for one in citations:
        reading = "（本网关的理解 / our reading）" if one.our_reading else ""
        yield f"   依据 by {one.law}{reading}  {one.key} = {one.value}，自 since {one.since}"


def _shares(split: Split) -> str:
    """The payers that bear something; "0.00" when nobody does."""
    borne = [
        f"{name} {yuan(split.borne_by(payer))}"
        for payer, name in _PAYERS.items()
        if split.borne_by(payer)
    ]
    return "  ".join(borne) or yuan(0)
