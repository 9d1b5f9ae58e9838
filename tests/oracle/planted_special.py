"""Faults to plant in what is out of the ordinary: devices, outpatients, emergencies, other
employers, basic insurance paid in another year, a third party, another province."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from gateway.domain.case import CaseFacts, EmploymentTie, OtherEmployer, TreatmentKind
from gateway.domain.payments import PriorPayment
from gateway.policy.model import Policy
from gateway.rules import (
    approvals,
    context,
    employment,
    entitlement,
    meal_allowance,
    meal_days,
    meal_rate,
    payout,
    place,
    resolve,
    settle,
)
from tests.oracle import built

Plant = Callable[[pytest.MonkeyPatch], None]
DAY = timedelta(days=1)


def _instead(module: Any, name: str, answer: Callable[..., Any]) -> Plant:
    """Plants a function that is given the honest one and what was asked of it."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        honest = getattr(module, name)
        patch.setattr(module, name, lambda *asked: answer(honest, *asked))

    plant.__name__ = answer.__name__
    return plant


# --- devices -----------------------------------------------------------------------------------


def device_replaced_a_day_early(honest: Any, supplied: date, months: int) -> Any:
    return honest(supplied, months) - DAY


def device_replaced_whatever_its_life(honest: Any, *asked: Any) -> Any:
    return None


def device_confirmed_by_nobody(honest: Any, *asked: Any) -> Any:
    return None


def device_confirmed_as_another(honest: Any, asked: Any, *more: Any) -> Any:
    return honest(replace(asked, device=""), *more)


def pair_of_devices_not_compared(honest: Any, *asked: Any) -> Any:
    return ()


def device_of_the_bill_never_supplied(honest: Any, *asked: Any) -> Any:
    return honest(*asked)._replace(days=[])


def any_institution_paid_for_devices(honest: Any, *asked: Any) -> Any:
    return True


def device_institution_paid_for_drugs(honest: Any, *asked: Any) -> Any:
    return False


def device_of_a_stay_by_the_catalogue_of_its_place(honest: Any, *asked: Any) -> Any:
    return False


def device_that_the_employer_bears_begins_no_life(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(resolve, "BY_LAW", frozenset[str]())


# --- outpatients -------------------------------------------------------------------------------


def outpatient_settled_with_the_stay(honest: Any, *asked: Any) -> Any:
    return False


def day_of_admission_of_an_outpatient(honest: Any, bill: Any, day: date) -> Any:
    return honest(bill, day) or day == bill.stay.admitted_on


def first_aid_of_the_night_before_of_an_outpatient(honest: Any, bill: Any, day: date) -> Any:
    return honest(bill, day) or day == bill.case.event_day == bill.stay.admitted_on - DAY


def day_after_the_last_of_the_stay(honest: Any, bill: Any, day: date) -> Any:
    return honest(bill, day) and honest(bill, day - DAY)


# --- emergencies -------------------------------------------------------------------------------


def emergency_pays_a_day_more(honest: Any, asked: Any) -> Any:
    limit = honest(asked)
    return None if limit is None else replace(limit, last=limit.last + DAY)


def stable_patient_never_moved_back(honest: Any, asked: Any) -> Any:
    return None


def emergency_reported_by_the_hospital_alone(honest: Any, asked: Any) -> Any:
    return honest(replace(asked, case=replace(asked.case, reported_at=asked.stay.registered_at)))


def approved_by_whomever(honest: Any, *asked: Any) -> Any:
    return True


# --- other employers ---------------------------------------------------------------------------


def reporting_employer_always_liable(honest: Any, case: CaseFacts) -> Any:
    return [one for one in honest(case) if one.tie is EmploymentTie.SUCCESSION]


def successor_owes_from_before_it_took_over(
    honest: Any, found: CaseFacts, case: CaseFacts, other: OtherEmployer
) -> Any:
    if other.tie is EmploymentTie.SUCCESSION:
        other = replace(other, since=date.min)
    return honest(found, case, other)


def first_successor_stays_liable(honest: Any, case: CaseFacts) -> Any:
    return honest(case)[:1]


def joined_before_the_injury(honest: Any, case: CaseFacts, *asked: Any) -> Any:
    return date.min


def joined_before_it_took_over(honest: Any, case: CaseFacts, *asked: Any) -> Any:
    return case.event_day


def covered_before_the_roster(honest: Any, *asked: Any) -> Any:
    return None


def who_had_taken_over_answers_as_the_one_before(
    honest: Any, found: CaseFacts, case: CaseFacts, other: OtherEmployer
) -> Any:
    moved = honest(found, case, other)
    if other.tie is not EmploymentTie.SUCCESSION:
        return moved
    return replace(moved, insured_at_injury=found.insured_at_injury)


# --- the year of basic insurance, premiums too low ---------------------------------------------


def insurance_year_of_the_calendar(honest: Any, context: Any, one: PriorPayment) -> Any:
    return date(one.paid_on.year, 12, 31)


def reversal_asked_for_whenever(honest: Any, *asked: Any) -> Any:
    return date.max


def claims_in_the_order_of_payment(honest: Any, payments: Any) -> Any:
    return [claim for one in payments for claim in honest([one])]


def underpaid_taken_for_uninsured(honest: Any, found: CaseFacts, *asked: Any) -> Any:
    return False if found.underpaid else honest(found, *asked)


# --- the third party ---------------------------------------------------------------------------


def meals_never_recovered(honest: Any, context: Any) -> Any:
    return "MEDICAL" if honest(context) == "BENEFITS" else honest(context)


# --- another province --------------------------------------------------------------------------


def catalogue_of_the_insured_place(honest: Any, stay: Any, hospital: Any, policy: Policy) -> Any:
    return policy.region


def catalogue_of_the_place_for_devices(honest: Any, stay: Any, *asked: Any) -> Any:
    return honest(replace(stay, treatment=TreatmentKind.INPATIENT), *asked)


def filed_for_ever(honest: Any, *asked: Any) -> Any:
    return None


def third_party_in_another_province(
    honest: Any, stay: Any, case: CaseFacts, hospital: Any, policy: Policy
) -> Any:
    return honest(stay, case, replace(hospital, region=policy.region), policy)


def meals_of_another_province_paid(honest: Any, *asked: Any) -> Any:
    return False


# --- meals -------------------------------------------------------------------------------------


def meals_of_another_disease_paid(honest: Any, *asked: Any) -> Any:
    return None


def leave_over_after_the_last_of_all(honest: Any, bill: context.Context, day: date) -> Any:
    last = max((one.last for one in bill.case.paid_leave), default=day)
    return honest(bill, day) if day > last else None


def text_that_begins_later_is_asked_before(honest: Any, bill: context.Context, *at: Any) -> Any:
    key, day = at
    return bill.value(key, day) if key in bill.policy.parameters else None


SPECIAL: tuple[Plant, ...] = (
    _instead(resolve, "months_later", device_replaced_a_day_early),
    _instead(resolve, "device_in_use", device_replaced_whatever_its_life),
    _instead(resolve, "_confirmed_device", device_confirmed_by_nobody),
    _instead(resolve, "missing", device_confirmed_as_another),
    _instead(resolve, "_number", pair_of_devices_not_compared),
    _instead(resolve, "_supplied", device_of_the_bill_never_supplied),
    _instead(resolve, "fits_devices", any_institution_paid_for_devices),
    _instead(settle, "fits_devices_alone", device_institution_paid_for_drugs),
    _instead(context.Context, "_outpatient", outpatient_settled_with_the_stay),
    _instead(context.Context, "_outpatient", day_of_admission_of_an_outpatient),
    _instead(context.Context, "_outpatient", first_aid_of_the_night_before_of_an_outpatient),
    _instead(context.Context, "_outpatient", day_after_the_last_of_the_stay),
    _instead(place, "_counted", emergency_pays_a_day_more),
    _instead(place, "_stable", stable_patient_never_moved_back),
    _instead(place, "reported_late", emergency_reported_by_the_hospital_alone),
    _instead(approvals, "competent", approved_by_whomever),
    _instead(employment, "_in_order", reporting_employer_always_liable),
    _instead(employment, "_in_order", first_successor_stays_liable),
    _instead(employment, "_moved", successor_owes_from_before_it_took_over),
    _instead(employment, "_moved", who_had_taken_over_answers_as_the_one_before),
    _instead(employment, "_lacking_from", joined_before_the_injury),
    _instead(employment, "_lacking_from", joined_before_it_took_over),
    _instead(employment, "_by_roster", covered_before_the_roster),
    _instead(payout, "_year_end", insurance_year_of_the_calendar),
    _instead(payout, "_last_day_to_ask", reversal_asked_for_whenever),
    _instead(payout, "_claims", claims_in_the_order_of_payment),
    _instead(payout, "_recovers", meals_never_recovered),
    _instead(employment, "_insured", underpaid_taken_for_uninsured),
    _instead(built, "catalogue_region", catalogue_of_the_insured_place),
    _instead(built, "catalogue_region", catalogue_of_the_place_for_devices),
    _instead(approvals, "_most_months", filed_for_ever),
    _instead(entitlement, "_by_hand_for_others", third_party_in_another_province),
    _instead(meal_allowance, "_by_hand", meals_of_another_province_paid),
    _instead(resolve, "_by_another_catalogue", device_of_a_stay_by_the_catalogue_of_its_place),
    device_that_the_employer_bears_begins_no_life,
    _instead(meal_days, "_other_disease", meals_of_another_disease_paid),
    _instead(meal_rate, "ended", leave_over_after_the_last_of_all),
    _instead(context.Context, "said", text_that_begins_later_is_asked_before),
)
