"""Faults planted in a rule are found within the 2,000 bills that `make test` settles twice."""

import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from gateway.domain.bill import BillLine
from gateway.domain.case import Arrears, BenefitStop, CaseFacts
from gateway.domain.catalogue import CatalogueRow, Level
from gateway.domain.split import Payer, Split
from gateway.rules import context, listed, meal_allowance, meal_days, payout, plain, resolve, settle
from gateway.rules.line import Bearers, Terms
from tests.oracle.compare import Sides, told_apart
from tests.oracle.planted_special import SPECIAL
from tests.oracle.stays import stays

SEED, MOST = 20261122, 2_000
DAY = timedelta(days=1)

Plant = Callable[[pytest.MonkeyPatch], None]


def no_netting(patch: pytest.MonkeyPatch) -> None:
    """Every refund stands for itself."""
    honest = settle.netted

    def each(lines: Iterable[BillLine]) -> Any:
        return honest([line._replace(refund_of="") for line in lines])

    patch.setattr(settle, "netted", each)


def _late_window(patch: pytest.MonkeyPatch, **moved: timedelta) -> None:
    honest = settle.late_window

    def shifted(*asked: Any) -> Any:
        window = honest(*asked)
        if window is None:
            return None
        return replace(window, **{key: getattr(window, key) + by for key, by in moved.items()})

    patch.setattr(settle, "late_window", shifted)


def late_window_ends_a_day_late(patch: pytest.MonkeyPatch) -> None:
    _late_window(patch, ends=DAY)


def late_window_begins_a_day_late(patch: pytest.MonkeyPatch) -> None:
    _late_window(patch, since=DAY)


def late_window_forgets_its_last_day(patch: pytest.MonkeyPatch) -> None:
    honest = settle.late_window

    def exclusive(*asked: Any) -> Any:
        window = honest(*asked)
        return None if window is None else replace(window, inclusive=False)

    patch.setattr(settle, "late_window", exclusive)


def ceiling_of_another_level(patch: pytest.MonkeyPatch) -> None:
    honest = CatalogueRow.ceiling_for
    patch.setattr(CatalogueRow, "ceiling_for", lambda row, level: honest(row, Level.TERTIARY))


def catalogue_of_the_next_day(patch: pytest.MonkeyPatch) -> None:
    honest = listed.EditionsByDay.on
    patch.setattr(listed.EditionsByDay, "on", lambda editions, day: honest(editions, day + DAY))


def agreement_a_day_longer(patch: pytest.MonkeyPatch) -> None:
    honest = CatalogueRow.agreed_on
    patch.setattr(
        CatalogueRow, "agreed_on", lambda row, day: honest(row, day) or honest(row, day - DAY)
    )


def limit_counted_over_two_days(patch: pytest.MonkeyPatch) -> None:
    honest = context.allowances

    def paired(limited: Iterable[tuple[BillLine, Any]]) -> Any:
        return honest((_on_an_even_day(line), row) for line, row in limited)

    patch.setattr(context, "allowances", paired)


def _on_an_even_day(line: BillLine) -> BillLine:
    return line._replace(service_day=line.service_day - line.service_day.toordinal() % 2 * DAY)


def limit_of_the_stay_forgotten(patch: pytest.MonkeyPatch) -> None:
    honest = context.allowances

    def by_day(limited: Iterable[tuple[BillLine, Any]]) -> Any:
        lines = list(limited)
        of_the_day = (
            (line, replace(row, row=replace(row.row, qty_per_stay=None)))
            for line, row in lines
            if row.row.qty_per_day is not None
        )
        return {line.line_id: line.quantity for line, _ in lines} | honest(of_the_day)

    patch.setattr(context, "allowances", by_day)


def course_a_day_longer(patch: pytest.MonkeyPatch) -> None:
    honest = context.Context.days_used
    patch.setattr(context.Context, "days_used", lambda bill, code: honest(bill, code)[1:])


def meals_of_a_day_more(patch: pytest.MonkeyPatch) -> None:
    honest = meal_days.meal_days
    patch.setattr(meal_days, "meal_days", lambda *asked: honest(*asked) + 1)


def meals_paid_on_leave(patch: pytest.MonkeyPatch) -> None:
    honest = meal_days._absence

    def absent(*asked: Any) -> Any:
        ground = honest(*asked)
        return None if ground is not None and ground[0] == "leave" else ground

    patch.setattr(meal_days, "_absence", absent)


def meals_paid_for_two_stays(patch: pytest.MonkeyPatch) -> None:
    honest = meal_allowance.counted_days
    patch.setattr(
        meal_allowance, "counted_days", lambda bill, lines, others: honest(bill, lines, ())
    )


def meals_in_a_late_window(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(meal_days, "_LATE", "cover/from_day_after_roster")


def third_party_not_capped(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(payout, "taken_off", lambda fund_fen, paid_fen: paid_fen)


def third_party_capped_by_the_whole_bill(patch: pytest.MonkeyPatch) -> None:
    def by_the_bill(split: Split, taken_off_fen: int) -> Split:
        return split.given(Payer.FUND, -min(taken_off_fen, split.total_fen // 2))

    patch.setattr(payout, "moved", by_the_bill)


def employer_paid_before_basic_insurance(patch: pytest.MonkeyPatch) -> None:
    honest = payout.shared

    def reversed_claims(fen: int, claims: Any, rest: Any) -> Any:
        return honest(fen, list(claims)[::-1], rest)

    patch.setattr(payout, "shared", reversed_claims)


def cover_begins_on_the_day_itself(patch: pytest.MonkeyPatch) -> None:
    honest = CaseFacts.before_cover
    patch.setattr(
        CaseFacts, "before_cover", lambda case, day: honest(case, day) and honest(case, day + DAY)
    )


def arrears_owed_on_the_day_they_are_paid(patch: pytest.MonkeyPatch) -> None:
    honest = Arrears.covers
    patch.setattr(Arrears, "covers", lambda owed, day: honest(owed, day) or honest(owed, day - DAY))


def stops_a_day_short(patch: pytest.MonkeyPatch) -> None:
    honest = BenefitStop.covers
    patch.setattr(
        BenefitStop, "covers", lambda stop, day: honest(stop, day) and honest(stop, day - DAY)
    )


def rescue_approved_for_ever(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(resolve, "counts", lambda *_: True)


def _terms(patch: pytest.MonkeyPatch, other: Callable[[Terms], Terms]) -> None:
    honest = plain.decide

    def decide(terms: Terms, bearers: Bearers) -> Any:
        return honest(other(terms), bearers)

    patch.setattr(plain, "decide", decide)


def consent_forgotten(patch: pytest.MonkeyPatch) -> None:
    _terms(patch, lambda terms: terms._replace(consent=None))


def ratio_forgotten(patch: pytest.MonkeyPatch) -> None:
    _terms(patch, lambda terms: terms._replace(ratio=10_000))


def pieces_paid_alone(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(context, "_payable_piece", lambda found: found is not None)


def payers_of_the_day_of_discharge(patch: pytest.MonkeyPatch) -> None:
    honest = context.Context.said
    # Of who bears a quantity too many, a text may say nothing on any day.
    named = set(plain.PAYERS) - {plain.OVER_QUANTITY}

    def said(bill: context.Context, key: str, day: date) -> Any:
        return honest(bill, key, bill.stay.last_day if key in named else day)

    patch.setattr(context.Context, "said", said)


PLANTED: tuple[Plant, ...] = (
    no_netting,
    late_window_ends_a_day_late,
    late_window_begins_a_day_late,
    late_window_forgets_its_last_day,
    ceiling_of_another_level,
    catalogue_of_the_next_day,
    agreement_a_day_longer,
    limit_counted_over_two_days,
    limit_of_the_stay_forgotten,
    course_a_day_longer,
    meals_of_a_day_more,
    meals_paid_on_leave,
    meals_paid_for_two_stays,
    meals_in_a_late_window,
    third_party_not_capped,
    third_party_capped_by_the_whole_bill,
    employer_paid_before_basic_insurance,
    cover_begins_on_the_day_itself,
    arrears_owed_on_the_day_they_are_paid,
    stops_a_day_short,
    rescue_approved_for_ever,
    consent_forgotten,
    ratio_forgotten,
    pieces_paid_alone,
    payers_of_the_day_of_discharge,
    *SPECIAL,
)


def first_fault(seed: int, most: int) -> str:
    """What is told of the first bill that differs; empty when none does."""
    sides = Sides()
    differing = (bill for bill in stays(seed, most) if sides.difference(bill))
    bill = next(differing, None)
    return "" if bill is None else told_apart(sides, bill, seed)


@pytest.mark.parametrize("plant", PLANTED)
def test_a_planted_fault_is_found_within_the_bills_of_the_test(
    plant: Plant, monkeypatch: pytest.MonkeyPatch
):
    plant(monkeypatch)
    assert f"(seed {SEED}) differs in" in first_fault(SEED, MOST)


def test_a_difference_is_told_with_the_smallest_bill_that_has_it(monkeypatch: pytest.MonkeyPatch):
    third_party_not_capped(monkeypatch)
    fault = first_fault(SEED, MOST)
    bill = json.loads(fault.split("bill: ")[1].splitlines()[0])
    assert bill["lines"] == []
    assert len(bill["stay"]["payments"]) == 1
    assert bill["policy"] == {}
    assert bill["stay"]["in"].startswith("2026-03-")
