"""政策键的封闭清单 The closed list of keys: what may be written in the dated files.

A key is its path (`line/no_consent_payer` is `…/line/no_consent_payer.toml`). README.md
tells people the same list; a test compares the two.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from gateway.domain.audit_rules import AUDIT_RULES
from gateway.policy.model import PickedBy, Unit

_EXCESS_PAYERS: Final = ("employer", "individual", "hospital")
_ROUTES: Final = ("DIRECT", "MANUAL")
_AUTHORITIES: Final = ("AGENCY", "ASSESSMENT_COMMITTEE")


@dataclass(frozen=True, slots=True)
class Key:
    """What a key admits: its unit, its closed words, and where its values may come from.

    `regional` keys have no national text, so a national file may not invent a default;
    `by_agreement` keys can be given only by a clause of a service agreement. A `liftable` key
    may say that the article sets no limit: its rule asks whether there is one, and every other
    rule needs the number.
    """

    unit: Unit
    words: tuple[str, ...] = ()
    regional: bool = False
    by_agreement: bool = False
    liftable: bool = False


def _word(*words: str) -> Key:
    return Key(Unit.WORD, words)


def _local(unit: Unit) -> Key:
    return Key(unit, regional=True)


def _local_limit(unit: Unit) -> Key:
    return Key(unit, regional=True, liftable=True)


def _local_word(*words: str) -> Key:
    return Key(Unit.WORD, words, regional=True)


_AUDIT: Final = Key(Unit.WORDS, tuple(AUDIT_RULES), regional=True)
KEYS: Final[Mapping[str, Key]] = MappingProxyType(
    {
        "line/no_consent_payer": _local_word(*_EXCESS_PAYERS),
        "line/not_notified_payer": _local_word("employer"),
        "line/refused_discharge_payer": _local_word(*_EXCESS_PAYERS),
        "line/over_quantity_payer": _local_word("hospital"),
        "line/emergency_item_payer": _local_word("fund"),
        "line/ratio_payer": _local_word("employer", "individual"),
        "line/ratio_drug": Key(Unit.RATIO),
        "line/ratio_item": _local(Unit.RATIO),
        "line/ratio_material": _local(Unit.RATIO),
        "line/ratio_facility": _local(Unit.RATIO),
        "line/amount_tolerance_fen": _local(Unit.FEN),
        "line/apply_drug_limits": _local(Unit.SWITCH),
        "person/adult_years": Key(Unit.YEARS),
        "meal/per_day_fen": _local(Unit.FEN_PER_DAY),
        "meal/day_rule": _local_word("EXCLUDE_DISCHARGE", "INCLUSIVE_CALENDAR"),
        "meal/channel": _local_word("HOSPITAL", "AGENCY"),
        "meal/split_late_window": Key(Unit.SWITCH),
        "meal/split_leave_days": _local(Unit.SWITCH),
        "late/window_end_event": _word("ACCEPTED", "APPLIED"),
        "late/window_end_inclusive": _local(Unit.SWITCH),
        "employer/application_days": Key(Unit.DAYS),
        "employer/quick_report_hours": Key(Unit.HOURS),
        "worker/application_years": Key(Unit.YEARS),
        "admission/register_within_days": Key(Unit.DAYS),
        "admission/check_within_working_days": Key(Unit.WORKING_DAYS),
        "recognition/decide_days": Key(Unit.DAYS),
        "recognition/decide_clear_days": Key(Unit.DAYS),
        "advance/demand_working_days": Key(Unit.WORKING_DAYS),
        "advance/answer_working_days": Key(Unit.WORKING_DAYS),
        "advance/refusal_working_days": Key(Unit.WORKING_DAYS),
        "advance/repay_days": Key(Unit.DAYS),
        "employer/written_report_working_days": _local(Unit.WORKING_DAYS),
        "approval/referral_working_days": _local(Unit.WORKING_DAYS),
        "approval/urgent_referral_papers_working_days": _local(Unit.WORKING_DAYS),
        "approval/rehabilitation_working_days": _local(Unit.WORKING_DAYS),
        "approval/relapse_working_days": _local(Unit.WORKING_DAYS),
        "payment/within_months": _local(Unit.MONTHS),
        "inspection/opinion_working_days": _local(Unit.WORKING_DAYS),
        "arrears/policy": _local_word("CONTINUE_IN_STAY", "HOLD_UNTIL_PAID", "NEVER"),
        "third_party/policy": _word(*_ROUTES),
        "traffic_accident/policy": _word(*_ROUTES),
        "litigation/policy": _word("CONTINUE", "HOLD"),
        "agreement/suspended_stay_policy": _word("CONTINUE_IN_STAY", "MANUAL"),
        "case/none_found_days": Key(Unit.DAYS),
        "emergency/inpatient_days": Key(Unit.DAYS, liftable=True),
        "emergency/report_hours": Key(Unit.HOURS, liftable=True),
        "scope/inpatient": _word(*_ROUTES),
        "scope/rehabilitation": _word(*_ROUTES),
        "scope/outpatient": _word(*_ROUTES),
        "cross_region/policy": _word(*_ROUTES),
        "audit/enabled": _AUDIT,
        "audit/hold": _AUDIT,
        "audit/discharge_medicine_days": _local(Unit.DAYS),
        "audit/rehabilitation_medicine_days": _local(Unit.DAYS),
        "audit/readmission_days": _local(Unit.DAYS),
        "audit/high_cost_fen": _local(Unit.FEN),
        "appeal/answer_days": _local(Unit.DAYS),
        "appeal/decide_days": _local(Unit.DAYS),
        "manual/claim_working_days": Key(Unit.WORKING_DAYS),
        "retention/percent": Key(Unit.PERCENT, regional=True, by_agreement=True),
        "filing/day": _local(Unit.DAY_OF_MONTH),
        "meal/form": _local_word("FIXED", "PCT_OF_INDEX"),
        "meal/index": _local_word("MONTHLY_MINIMUM_WAGE", "DAILY_AVERAGE_WAGE"),
        "meal/index_fen": _local(Unit.FEN),
        "meal/index_percent": _local(Unit.PERCENT),
        "meal/index_divisor": _local(Unit.DAYS_PER_MONTH),
        "meal/out_of_region_per_day_fen": _local(Unit.FEN_PER_DAY),
        "meal/out_of_region_form": _local_word("FIXED", "PCT_OF_INDEX"),
        "meal/out_of_region_percent": _local(Unit.PERCENT),
        "meal/places": _local_word("ALIKE", "CITY_APART"),
        "meal/city_per_day_fen": _local(Unit.FEN_PER_DAY),
        "meal/rounding": _local_word("DAY", "STAY"),
        "meal/after_paid_leave_per_day_fen": _local(Unit.FEN_PER_DAY),
        "travel/standard": _local_word("FIXED", "CIVIL_SERVANT"),
        "travel/lodging_per_night_fen": _local(Unit.FEN),
        "travel/waiting_days": _local(Unit.DAYS),
        "paid_leave/months": Key(Unit.MONTHS),
        "paid_leave/extension_months": Key(Unit.MONTHS),
        "late/needs_nobody_applied": Key(Unit.SWITCH),
        "recognition/accept_days": Key(Unit.DAYS),
        "recognition/accept_working_days": _local(Unit.WORKING_DAYS),
        "recognition/refuse_after_supplement_days": _local(Unit.DAYS),
        "authority/referral": _local_word(*_AUTHORITIES),
        "authority/remote_residence": _local_word(*_AUTHORITIES),
        "authority/rehabilitation": _local_word(*_AUTHORITIES),
        "authority/relapse": _local_word(*_AUTHORITIES),
        "authority/emergency": _local_word(*_AUTHORITIES),
        "authority/emergency_item": _local_word(*_AUTHORITIES),
        "authority/cross_province": _local_word(*_AUTHORITIES),
        "authority/device": _word(*_AUTHORITIES),
        "authority/paid_leave_extension": _word(*_AUTHORITIES),
        "referral/validity_months": _local_limit(Unit.MONTHS),
        "remote_residence/validity_months": _local_limit(Unit.MONTHS),
        "remote_residence/places": _local_word("COUNTY", "NAMED"),
        "cross_province/filing_months": _local_limit(Unit.MONTHS),
        "cross_province/policy": _local_word(*_ROUTES),
        "cross_province/meal": _local_word(*_ROUTES),
        "cross_province/third_party": _local_word(*_ROUTES),
        "non_agreement/payable_when": _word("EMERGENCY", "EMERGENCY_OR_REFERRAL"),
        "emergency/move_back_when_stable": _local(Unit.SWITCH),
        "emergency/late_report": _local_word("EMPLOYER", "PAYABLE"),
        "medical_end/lump_sum_taken": _local(Unit.SWITCH),
        "medical_end/graded_relation_ended": _local(Unit.SWITCH),
        "medical_end/ungraded_relation_ended": _local(Unit.SWITCH),
        "medical_end/retired": _local(Unit.SWITCH),
        "underpaid/policy": _local_word("EMPLOYER_DIFFERENCE", "FUND"),
        "cover/from_day_after_roster": _local(Unit.SWITCH),
        "employer/liable_after_succession": _word("SUCCESSOR", "ORIGINAL"),
        "employer/liable_when_seconded": _word("ORIGINAL", "HOST"),
        "employer/liable_of_several": _local_word("AT_INJURY"),
        "employer/liable_when_dispatched": _local_word("DISPATCHER", "HOST"),
        "third_party/already_paid": _word("SUBTRACT_MEDICAL"),
        "third_party/fund_recovers": _local_word("NONE", "MEDICAL", "BENEFITS"),
        "scope/device": _word(*_ROUTES),
        "manual/any_agency_office": _local(Unit.SWITCH),
        "bmi_refund/hospital_refunds_first": _local(Unit.SWITCH),
        "bmi_refund/agency_to_hospital": _local(Unit.SWITCH),
        "bmi_refund/reversal_months": _local(Unit.MONTHS),
        "bmi_refund/year_end_month": _local(Unit.MONTH),
        "recovery/lead": _local_word("PAYING_AGENCY"),
    }
)

LIFTABLE: Final = tuple(key for key, spec in KEYS.items() if spec.liftable)
"""The keys of which a text may say that there is no limit."""

_P: Final = PickedBy
_INJURY: Final = (_P.INJURY_DATE,)
_ADMISSION: Final = (_P.ADMISSION_DATE,)
_EVENT: Final = (_P.EVENT_DATE,)
_SETTLEMENT: Final = (_P.SETTLEMENT_DATE,)
_SERVICE: Final = (_P.SERVICE_DATE,)
_DISCHARGE: Final = (_P.DISCHARGE_DATE,)
_LINE: Final = (_P.SERVICE_DATE, _P.DISCHARGE_DATE)
"""Texts name the version of a standard by the day of the service or by that of the discharge."""
_RATE: Final = (_P.DISCHARGE_DATE, _P.SERVICE_DATE, _P.ADMISSION_DATE)
"""One rate for the stay, by its end or its beginning, or each day its own."""
_OF_STAY: Final = (_P.DISCHARGE_DATE, _P.ADMISSION_DATE)
"""One answer for the stay, by its end or its beginning."""
_ROUTE: Final = (_P.ADMISSION_DATE, _P.INJURY_DATE)
"""A new way of settling begins for stays or for injuries from a day on."""

_PICKS_OF_GROUP: Final[Mapping[str, tuple[PickedBy, ...]]] = {
    "line": _LINE,
    "person": _SERVICE,
    "meal": _RATE,
    "audit": _DISCHARGE,
    **dict.fromkeys(("late", "employer", "worker", "paid_leave", "underpaid", "cover"), _INJURY),
    **dict.fromkeys(("third_party", "traffic_accident", "arrears", "scope"), _ROUTE),
    **dict.fromkeys(("admission", "agreement", "case", "emergency"), _ADMISSION),
    **dict.fromkeys(("cross_region", "cross_province", "non_agreement"), _ADMISSION),
    **dict.fromkeys(("litigation", "retention", "filing"), _SETTLEMENT),
}
_PICKS_OF_KEY: Final[Mapping[str, tuple[PickedBy, ...]]] = {
    # The amounts of an upload are compared line by line, before there is a discharge.
    "line/amount_tolerance_fen": _SERVICE,
    "meal/split_late_window": _INJURY,
    **dict.fromkeys(("meal/day_rule", "meal/channel", "meal/split_leave_days"), _OF_STAY),
    "meal/rounding": _OF_STAY,
    "employer/written_report_working_days": _EVENT,
    **dict.fromkeys(("scope/outpatient", "scope/device"), _SERVICE),
    "cross_province/filing_months": _EVENT,
}


def picks(key: str) -> tuple[PickedBy, ...]:
    """The dates that may choose the value of the key, the usual one first: those that its rule
    can ask. What concerns a step of the agency is picked by the day of that step."""
    return _PICKS_OF_KEY.get(key) or _PICKS_OF_GROUP.get(key.partition("/")[0], _EVENT)
