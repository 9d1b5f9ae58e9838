"""Results and cases → JSON text: amounts as decimal strings, keys in the order of the paper."""

import json
from collections.abc import Iterable
from typing import Any

from adapters.case_file import names
from gateway.domain.calculation import (
    Calculated,
    CalculatedLine,
    CalculatedPaid,
    Case,
    CaseLine,
    Expected,
    ExpectedLine,
    ExpectedStay,
)
from gateway.domain.money import ONE, RATIO_PLACES, price_text, quantity_text, written, yuan
from gateway.domain.split import Payer, Split
from gateway.domain.travel import TravelVerdict


def results_text(results: Iterable[Calculated]) -> str:
    """The array of results, in the order given."""
    return _json([_result(result) for result in results])


def cases_text(cases: Iterable[Case]) -> str:
    """The array of cases; what has its default is left out."""
    return _json([_case(case) for case in cases])


def _json(rows: list[dict[str, Any]]) -> str:
    return json.dumps(rows, ensure_ascii=False, indent=1) + "\n"


def _result(result: Calculated) -> dict[str, Any]:
    row: dict[str, Any] = {
        names.ID: result.id,
        names.TOTAL: yuan(result.split.total_fen),
        **_payers(result.split),
        names.LINES: [_calculated_line(line) for line in result.lines],
    }
    if result.stay is not None:
        meal = yuan(result.stay.meal_fen)
        row[names.STAY] = {names.MEAL_DAYS: result.stay.meal_days, names.MEAL: meal}
    if result.paid is not None:
        row[names.PAID] = _paid(result.paid)
    if result.travel is not None:
        row[names.TRAVEL] = _travel(result.travel)
    return row


def _paid(paid: CalculatedPaid) -> dict[str, Any]:
    row: dict[str, Any] = {
        names.PAYEES: {payee.value: yuan(fen) for payee, fen in paid.payees.items()},
        names.TAKEN_OFF: yuan(paid.taken_off_fen),
    }
    if paid.claim_fen is not None:
        row[names.CLAIM] = yuan(paid.claim_fen)
    return row


def _travel(trip: TravelVerdict) -> dict[str, Any]:
    return {
        names.FUND: yuan(trip.fund_fen),
        names.FARES: yuan(trip.fares_fen),
        names.LODGING: yuan(trip.lodging_fen),
        names.MEALS: yuan(trip.meals_fen),
        names.OWN: yuan(trip.own_fen),
        names.REASONS: list(trip.reasons),
        names.CITES: [f"{one.law} {one.key} = {one.value}" for one in trip.citations],
    }


def _payers(split: Split) -> dict[str, str]:
    return {name: yuan(split.borne_by(payer)) for name, payer in names.PAYERS.items()}


def _calculated_line(line: CalculatedLine) -> dict[str, Any]:
    return {
        names.NO: line.no,
        names.AMOUNT: yuan(line.amount_fen),
        **_payers(line.split),
        names.REASONS: list(line.reasons),
    }


def _case(case: Case) -> dict[str, Any]:
    row = {
        names.ID: case.id,
        names.TITLE: case.title,
        names.PARAMS: _params(case),
        names.LINES: [_line(line) for line in case.lines],
    }
    if case.stay is not None:
        row[names.STAY] = {
            names.ADM: case.stay.admitted.isoformat(),
            names.DIS: case.stay.discharged.isoformat(),
            names.MEAL_RATE: yuan(case.stay.meal_rate_fen),
        }
    if case.paid is not None:
        row[names.PAID] = {payer.value: yuan(fen) for payer, fen in case.paid.by.items()}
    if case.expect is not None:
        row[names.EXPECT] = _expect(case.expect)
    return row


def _params(case: Case) -> dict[str, Any]:
    params: dict[str, Any] = {names.NO_CONSENT_PAYER: case.no_consent_payer.value}
    if case.employer_not_notified:
        params[names.EMPLOYER_NOT_NOTIFIED] = True
    if case.ratio_payer is not Payer.INDIVIDUAL:
        params[names.RATIO_PAYER] = case.ratio_payer.value
    return params


def _line(line: CaseLine) -> dict[str, Any]:
    row: dict[str, Any] = {names.NAME: line.name}
    if line.price is not None:
        row |= {names.PRICE: price_text(line.price), names.QTY: quantity_text(line.quantity)}
    if line.amount_fen is not None:
        row[names.AMOUNT if line.price is None else names.CHARGED] = yuan(line.amount_fen)
    if not line.in_catalogue:
        row[names.IN_CAT] = False
    return row | _limits(line) | _decided(line)


def _limits(line: CaseLine) -> dict[str, Any]:
    row: dict[str, Any] = {}
    if line.ceiling is not None:
        row[names.CEILING] = price_text(line.ceiling)
    if line.quantity_limit is not None:
        row[names.QTY_LIMIT] = quantity_text(line.quantity_limit)
    if line.ratio != ONE:
        row[names.RATIO] = written(line.ratio, RATIO_PLACES, 2)
    return row


def _decided(line: CaseLine) -> dict[str, Any]:
    """The facts that persons decided: consent, relation, violation, window, approvals."""
    told = {
        names.PAYER: line.consent and line.consent.value,
        names.RELATION: names.UNRELATED if line.unrelated else None,
        names.VIOLATION: line.violation,
        names.WINDOW: names.LATE_APPLICATION if line.late else None,
        names.EMERGENCY_APPROVED: line.emergency_approved,
        names.REFUSE_DISCHARGE: line.refused_discharge,
    }
    return {key: value for key, value in told.items() if value}


def _expect(expect: Expected) -> dict[str, Any]:
    row: dict[str, Any] = {}
    if expect.total_fen is not None:
        row[names.TOTAL] = yuan(expect.total_fen)
    row |= {payer.value: yuan(amount) for payer, amount in expect.payers.items()}
    if expect.lines is not None:
        row[names.LINES] = [_expected_line(line) for line in expect.lines]
    if expect.stay is not None:
        row[names.STAY] = _expected_stay(expect.stay)
    if expect.paid is not None and expect.paid.taken_off_fen is not None:
        row[names.PAID] = {names.TAKEN_OFF: yuan(expect.paid.taken_off_fen)}
    return row


def _expected_stay(stay: ExpectedStay) -> dict[str, Any]:
    row: dict[str, Any] = {}
    if stay.meal_days is not None:
        row[names.MEAL_DAYS] = stay.meal_days
    if stay.meal_fen is not None:
        row[names.MEAL] = yuan(stay.meal_fen)
    return row


def _expected_line(line: ExpectedLine) -> dict[str, Any]:
    row: dict[str, Any] = {names.NO: line.no}
    if line.amount_fen is not None:
        row[names.AMOUNT] = yuan(line.amount_fen)
    row |= {payer.value: yuan(line.split.borne_by(payer)) for payer in Payer}
    if line.reasons is not None:
        row[names.REASONS] = list(line.reasons)
    return row
