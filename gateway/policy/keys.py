"""政策键的封闭清单 The closed list of keys: what may be written in the dated files.

A key is its path (`line/no_consent_payer` is `…/line/no_consent_payer.toml`). README.md
tells people the same list; a test compares the two.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from gateway.domain.audit_rules import AUDIT_RULES
from gateway.policy.model import Unit

_EXCESS_PAYERS: Final = ("employer", "individual", "hospital")
_ROUTES: Final = ("DIRECT", "MANUAL")


@dataclass(frozen=True, slots=True)
class Key:
    """What a key admits: its unit, its closed words, and where its values may come from.

    `regional` keys have no national text, so a national file may not invent a default;
    `by_agreement` keys can be given only by a clause of a service agreement.
    """

    unit: Unit
    words: tuple[str, ...] = ()
    regional: bool = False
    by_agreement: bool = False


def _word(*words: str) -> Key:
    return Key(Unit.WORD, words)


def _local(unit: Unit) -> Key:
    return Key(unit, regional=True)


def _local_word(*words: str) -> Key:
    return Key(Unit.WORD, words, regional=True)


_AUDIT: Final = Key(Unit.WORDS, tuple(AUDIT_RULES), regional=True)
KEYS: Final[Mapping[str, Key]] = MappingProxyType(
    {
        "line/no_consent_payer": _local_word(*_EXCESS_PAYERS),
        "line/not_notified_payer": _local_word(*_EXCESS_PAYERS),
        "line/refused_discharge_payer": _local_word(*_EXCESS_PAYERS),
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
        "arrears/policy": _local_word("CONTINUE_IN_STAY", "HOLD_UNTIL_PAID", "NEVER"),
        "third_party/policy": _word(*_ROUTES),
        "traffic_accident/policy": _word(*_ROUTES),
        "litigation/policy": _word("CONTINUE", "HOLD"),
        "agreement/suspended_stay_policy": _word("CONTINUE_IN_STAY", "MANUAL"),
        "case/none_found_days": Key(Unit.DAYS),
        "emergency/inpatient_days": Key(Unit.DAYS),
        "emergency/report_hours": Key(Unit.HOURS),
        "scope/inpatient": _word(*_ROUTES),
        "scope/rehabilitation": _word(*_ROUTES),
        "scope/outpatient": _word(*_ROUTES),
        "cross_region/policy": _word(*_ROUTES),
        "audit/enabled": _AUDIT,
        "audit/hold": _AUDIT,
        "audit/discharge_medicine_days": _local(Unit.DAYS),
        "audit/readmission_days": _local(Unit.DAYS),
        "audit/high_cost_fen": _local(Unit.FEN),
        "manual/claim_working_days": Key(Unit.WORKING_DAYS),
        "retention/percent": Key(Unit.PERCENT, regional=True, by_agreement=True),
        "filing/day": _local(Unit.DAY_OF_MONTH),
    }
)
