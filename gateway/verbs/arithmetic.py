"""计算步骤的文字 The arithmetic of a line in words: facts, catalogue row, steps and rounding."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from functools import partial
from typing import Final, TypeVar

from gateway.domain.bill import BillLine, MealVerdict, Relation
from gateway.domain.catalogue import CatalogueRow, Edition, Level
from gateway.domain.money import (
    FEN_PLACES,
    RATIO_PLACES,
    price_text,
    quantity_text,
    rounded,
    times,
    written,
    yuan,
)
from gateway.domain.split import NOTHING, Payer, Split
from gateway.policy.model import Policy, PolicyGap
from gateway.rules.employment import as_liable
from gateway.rules.line import Terms
from gateway.rules.listed import EditionsByDay
from gateway.rules.meal_allowance import CountedRates
from gateway.rules.resolve import NeedsReview
from gateway.rules.settle import Bill, line_terms, meal_rates
from gateway.rules.trace import Step, StepKind, Trace, trace
from gateway.store.database import Reader
from gateway.verbs.stored import EditionsOfRecord, NotTold, StoredBill

T = TypeVar("T")

PAYERS: Final[Mapping[Payer, str]] = {
    Payer.FUND: "基金 fund",
    Payer.EMPLOYER: "单位 employer",
    Payer.INDIVIDUAL: "个人 individual",
    Payer.HOSPITAL: "医院 hospital",
    Payer.OTHER: "其他 other",
}
_RELATIONS: Final = {
    Relation.INJURY: "治疗工伤 for the injury",
    Relation.UNRELATED: "与工伤无关 not for the injury",
    Relation.UNDETERMINED: "待定 undetermined",
}
_STEPS: Final = {
    StepKind.CHARGED: "金额 amount",
    StepKind.WHOLE: "整行归 the whole line to",
    StepKind.WITHIN_QUANTITY: "限量内 within the quantity limit",
    StepKind.ELIGIBLE: "限价内 within the ceiling",
    StepKind.FUND: "按比例 at the ratio",
    StepKind.LATE: "逾期申请、参保之前或欠缴期间，基金留存 "
    "left to the fund, late, before cover or in arrears",
}


@dataclass(frozen=True, slots=True)
class Computed:
    """The arithmetic of every line under the stored editions, in the order of the verdict, the
    rates of the meal allowance, and since when the costs of an injury that was not insured newly
    arise, if they do."""

    editions: EditionsByDay
    traces: tuple[Trace, ...]
    meal: CountedRates
    covered_from: date | None


async def computed(reader: Reader, bill: StoredBill) -> Computed:
    """The arithmetic of a stored bill, from the facts and editions stored. Raises NotTold."""
    one, policy = await EditionsOfRecord().bill(reader, bill.facts, bill.verdict)
    return computed_of(one, policy, bill.verdict.meal_days)


def computed_of(bill: Bill, policy: Policy, meal_days: Iterable[date]) -> Computed:
    """The arithmetic of a bill whose meal allowance pays these days. Raises NotTold."""
    lines = resolved(bill, policy, line_terms)
    traces = tuple(trace(line.terms, line.bearers) for line in lines)
    meal = resolved(bill, policy, partial(meal_rates, days=meal_days))
    return Computed(EditionsByDay(bill.editions), traces, meal, _covered_from(bill, policy))


def _covered_from(bill: Bill, policy: Policy) -> date | None:
    """Of the employer that is liable: which joinings count is not to be seen from the case."""
    if bill.case is None:
        return None
    case = as_liable(bill.case, policy, bill.stay)
    return case.covered_from if case.insured_at_injury is False else None


def resolved(bill: Bill, policy: Policy, ask: Callable[[Bill, Policy], T]) -> T:
    """What the rules say of the bill under the stored editions. Raises NotTold."""
    try:
        return ask(bill, policy)
    except (PolicyGap, NeedsReview, ValueError) as error:
        raise NotTold(
            f"按所存版本已不能重算：{error}", f"no longer computable from what is stored: {error}"
        ) from error


def shares(split: Split) -> str:
    """The payers that bear something; "0.00" when nobody does."""
    borne = [
        f"{name} {yuan(split.borne_by(payer))}"
        for payer, name in PAYERS.items()
        if split.borne_by(payer)
    ]
    return "  ".join(borne) or yuan(0)


_MET = {True: "符合 met", False: "不符合 not met"}


def line_facts(line: BillLine) -> str:
    """What was known of the line beside price and quantity; names no person."""
    told = [_RELATIONS[line.relation]]
    if line.consent is not None:
        told.append(f"自费同意 consent signed: {PAYERS[line.consent]} {line.consent_on or ''}")
    else:
        told.append("无人签字 nobody signed")
    if line.violation:
        told.append(f"违规已确认 violation confirmed: {line.violation}")
    if line.reviewed:
        told.append("与工伤的关系经办机构已审定 relation decided by the agency")
    if line.limit_met is not None:
        told.append(f"限定等经办机构已审定 limit decided by the agency: {_MET[line.limit_met]}")
    if line.hospital_code:
        told.append(f"院内编码 hospital code {line.hospital_code} = {line.code}")
    if line.prescription_no:
        told.append(f"处方 prescription {line.prescription_no}")
    return "；".join(one.strip() for one in told)


def row_text(editions: EditionsByDay, line: BillLine, level: Level) -> str:
    """The catalogue row of the line on its service day, with its edition."""
    for edition in editions.on(line.service_day).values():
        row = edition.rows.get(line.code)
        if row is not None:
            return "  ".join(part for part in _row_parts(edition, row, level) if part)
    return "不在当日任何目录 in no catalogue of that day"


def _row_parts(edition: Edition, row: CatalogueRow, level: Level) -> Iterator[str]:
    yield f"{edition.kind.value}/{row.code}"
    yield row.name
    yield row.section
    yield f"{row.drug_class}类 class" if row.drug_class else ""
    yield "" if row.payable else "不予支付 not payable"
    yield "单独使用不予支付 not payable alone" if row.not_alone else ""
    ceiling = row.ceiling_for(level)
    yield "" if ceiling is None else f"限价 ceiling {price_text(ceiling)}（{level.value}）"
    yield f"备注 remark {row.remark}" if row.remark else ""
    yield f"版本 edition {edition.digest[:12]} 自 since {edition.valid_from}"


def steps_text(told: Trace) -> Iterator[str]:
    """One text for each step: its formula, its figure, and who got what it took."""
    before: Split | None = None
    for step in told.steps:
        figure = f"{_STEPS[step.kind]} = {_formula(told, step)}"
        yield f"{step.kind.value} {figure}{_moved(before, step)}"
        before = step.split


def _formula(told: Trace, step: Step) -> str:
    terms, figure = told.terms, yuan(step.fen)
    match step.kind:
        case StepKind.CHARGED:
            return _charged(terms, step.fen)
        case StepKind.WITHIN_QUANTITY:
            return f"{_within_quantity(terms, step.fen)} = {figure}"
        case StepKind.ELIGIBLE:
            return f"{_eligible(terms, step.fen)} = {figure}"
        case StepKind.FUND:
            ratio = written(terms.ratio, RATIO_PLACES, FEN_PLACES)
            return f"round(E × {ratio}) = {figure}"
        case StepKind.WHOLE:
            return shares(step.split)
        case StepKind.LATE:
            return figure


def _charged(terms: Terms, fen: int) -> str:
    """The amount, which within the region's tolerance need not be round(price × quantity)."""
    if terms.price is None:
        return f"所列金额 as charged = {yuan(fen)}"
    product = f"round({price_text(terms.price)} × {quantity_text(terms.quantity)})"
    product_fen = times(terms.price, terms.quantity)
    if product_fen != fen:
        return f"所列金额 as charged {yuan(fen)}；{product} = {yuan(product_fen)}"
    charged = "" if terms.amount_fen is None else "所列金额 as charged, "
    return f"{charged}{product} = {yuan(fen)}"


def _within_quantity(terms: Terms, fen: int) -> str:
    if terms.price is None or terms.quantity_limit is None:
        return "A（无限量 no quantity limit）"
    if terms.quantity_limit >= terms.quantity:
        return f"A（数量未超 quantity not above {quantity_text(terms.quantity_limit)}）"
    product = f"round({price_text(terms.price)} × {_count_text(terms)})"
    return product if times(terms.price, _count(terms)) == fen else f"min(A, {product})"


def _eligible(terms: Terms, fen: int) -> str:
    if terms.price is None or terms.ceiling is None:
        return "P（无限价 no ceiling）"
    if terms.ceiling >= terms.price:
        return f"P（单价未超 price not above {price_text(terms.ceiling)}）"
    unit = f"min({price_text(terms.price)}, {price_text(terms.ceiling)})"
    product = f"round({unit} × {_count_text(terms)})"
    return product if times(terms.ceiling, _count(terms)) == fen else f"min(P, {product})"


def _count(terms: Terms) -> int:
    limit = terms.quantity_limit
    return terms.quantity if limit is None else min(terms.quantity, limit)


def _count_text(terms: Terms) -> str:
    count, limit = quantity_text(terms.quantity), terms.quantity_limit
    return count if limit is None else f"min({count}, {quantity_text(limit)})"


def _moved(before: Split | None, step: Step) -> str:
    """What the step moved to others than the fund, and why."""
    if before is None or step.kind is StepKind.WHOLE:
        return f"（{'、'.join(step.reasons)}）" if step.reasons else ""
    moved = step.split.minus(before)._replace(fund_fen=0)
    if moved == NOTHING:
        return (
            f"（余额仍归基金 the rest stays with the fund：{step.reasons[0]}）"
            if step.reasons
            else ""
        )
    return f"；移转 moved {shares(moved)}（{'、'.join(step.reasons)}）"


def meal_text(meal: MealVerdict, rates: CountedRates) -> str:
    """The days of the allowance at each rate; where the rates can no longer be told and are not
    one, in the words of the sheet."""
    known = rates or ((meal.days, Fraction(meal.per_day_fen)),)
    exact = sum((days * rate for days, rate in known), Fraction())
    if rounded(exact.numerator, exact.denominator) != abs(meal.amount_fen):
        return f"{meal.days} 天 days，逐日标准 daily rates"
    told = " + ".join(f"{days} 天 days × {_rate_text(rate)}" for days, rate in known)
    whole = all(rate.denominator == 1 for _, rate in known)
    return told if whole else f"round({told})"


def _rate_text(rate: Fraction) -> str:
    """A rate of so many fen in yuan; one that is not whole fen as a fraction."""
    return yuan(rate.numerator) if rate.denominator == 1 else str(rate / 10**FEN_PLACES)
