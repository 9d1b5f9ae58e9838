"""Generated policies and catalogues, from a seed: what many generated bills are settled under."""

from datetime import date
from random import Random
from typing import Any

ALWAYS = date(2025, 1, 1).toordinal()
FIRST = date(2026, 3, 1).toordinal()
"""Stays begin within three weeks of this day."""
DAYS = 36
"""So many days from then on every generated stay is over."""
_FAR = date(2026, 12, 31).toordinal()
_RATIOS = (10000, 10000, 10000, 9000, 8500, 7000, 3333)
_EXCESS = ("hospital", "employer", "individual")

World = dict[str, Any]

# What the words of a region may be; a value that most regions have stands more than once.
_WORDS: dict[str, tuple[Any, ...]] = {
    "line/no_consent_payer": _EXCESS,
    "line/refused_discharge_payer": _EXCESS,
    "line/ratio_payer": ("employer", "individual"),
    "line/not_notified_payer": ("employer", None),
    "line/over_quantity_payer": ("hospital", "hospital", "hospital", "hospital", "hospital", None),
    "line/ratio_drug": _RATIOS,
    "line/ratio_item": _RATIOS,
    "line/ratio_material": _RATIOS,
    "line/ratio_facility": _RATIOS,
    "line/apply_drug_limits": (True, True, False),
    "scope/outpatient": ("DIRECT", "DIRECT", "DIRECT", "MANUAL", "MANUAL", None),
}
"""Chosen by the service day: they may change in the middle of a stay."""
_ONCE: dict[str, tuple[Any, ...]] = {
    "employer/application_days": (30, 30, 30, 15),
    "late/window_end_event": ("ACCEPTED", "APPLIED"),
    "late/window_end_inclusive": (False, True),
    "late/needs_nobody_applied": (False, True),
    "meal/split_late_window": (True, True, False),
    "meal/day_rule": ("EXCLUDE_DISCHARGE", "INCLUSIVE_CALENDAR"),
    "meal/channel": ("HOSPITAL", "AGENCY"),
    "meal/split_leave_days": (True, True, False),
    "meal/per_day_fen": (1500, 1200, 5600, 1333),
    "meal/form": ("FIXED", "FIXED", "PCT_OF_INDEX"),
    "meal/index": ("MONTHLY_MINIMUM_WAGE", "DAILY_AVERAGE_WAGE"),
    "meal/index_fen": (181000, 210000, 19999),
    "meal/index_percent": (7000, 3500, 1000),
    "meal/index_divisor": (300000, 217500),
    "meal/out_of_region_form": ("FIXED", "PCT_OF_INDEX"),
    "meal/out_of_region_percent": (10000, 5055),
    "meal/out_of_region_per_day_fen": (2000, 3501),
    "meal/after_paid_leave_per_day_fen": (750, None, 5000),
    "meal/rounding": ("DAY", "DAY", "STAY"),
    "third_party/policy": ("DIRECT", "DIRECT", "DIRECT", "MANUAL"),
    "third_party/fund_recovers": ("MEDICAL", "BENEFITS", "NONE", None),
    "bmi_refund/hospital_refunds_first": (False, False, True),
    "bmi_refund/agency_to_hospital": (*(True,) * 7, False),
    "bmi_refund/reversal_months": (3, 1),
    "bmi_refund/year_end_month": (12, 3, 6),
    "cover/from_day_after_roster": (True, False),
    "arrears/policy": ("CONTINUE_IN_STAY", "CONTINUE_IN_STAY", "HOLD_UNTIL_PAID", "NEVER"),
    "cross_region/policy": ("DIRECT",),
    "cross_province/policy": ("DIRECT", "DIRECT", "DIRECT", "MANUAL"),
    "cross_province/meal": ("MANUAL", "DIRECT", None),
    "cross_province/third_party": ("MANUAL", "DIRECT"),
    "cross_province/filing_months": (6, 1),
    "non_agreement/payable_when": ("EMERGENCY_OR_REFERRAL", "EMERGENCY"),
    "emergency/inpatient_days": (7, 3, None),
    "emergency/report_hours": (24, 72, None),
    "emergency/late_report": ("EMPLOYER", "EMPLOYER", "PAYABLE", None),
    "emergency/move_back_when_stable": (True, True, False, None),
    "employer/liable_when_dispatched": ("DISPATCHER", "HOST"),
    "underpaid/policy": ("EMPLOYER_DIFFERENCE", "FUND"),
    "audit/enabled": ((), (), (), ("A01", "A03", "A13", "A15", "A17", "A18")),
}
"""Chosen by one day of the bill or the case: one value each."""


_SILENT_BEFORE = (
    *("meal/form", "meal/out_of_region_form", "meal/rounding"),
    *(key for key, words in _ONCE.items() if None in words),
)
"""Of which the rules know what holds as long as no text says anything: one may begin late."""

ORDINARY = {key: words[0] for key, words in (_WORDS | _ONCE).items()}
"""The first value of each key: what a difference that does not turn on it is told with."""


def world(random: Random) -> World:
    """A region's values, each (since, value), its catalogues, two editions of most, and those of
    a place in another province."""
    return {
        "policy": _policy(random),
        "catalogue": _catalogue(random),
        "catalogue_there": _catalogue(random),
    }


def _policy(random: Random) -> dict[str, list[tuple[int, Any]]]:
    values = {key: [(ALWAYS, random.choice(words))] for key, words in (_WORDS | _ONCE).items()}
    for key, words in _WORDS.items():
        if random.random() < 0.35:
            values[key].append((FIRST + random.randrange(DAYS), random.choice(words)))
    for key in _SILENT_BEFORE:
        if random.random() < 0.2:
            values[key] = [(FIRST + random.randrange(DAYS), value) for _, value in values[key]]
    # A text begins and another follows it; none follows a silence.
    return {key: told for key, told in values.items() if None not in dict(told).values()}


def _catalogue(random: Random) -> list[World]:
    editions = []
    for kind, rows in (
        ("drug", _drugs),
        ("item", _items),
        ("material", _materials),
        ("facility", _facilities),
    ):
        last = FIRST + random.randrange(DAYS) if random.random() < 0.7 else _FAR
        editions.append(_edition(kind, ALWAYS, last, rows(random)))
        if last < _FAR:
            editions.append(_edition(kind, last + 1, _FAR, rows(random)))
    return editions


def _edition(kind: str, first: int, last: int, rows: World) -> World:
    return {"kind": kind, "from": first, "to": last, "rows": rows}


def _drugs(random: Random) -> World:
    rows: World = {
        "TABLET": {"ceilings": _ceilings(random)},
        "VACCINE": {"insurance": "work_injury"},
        "MATERNITY": {"insurance": "maternity"},
        "SECONDARY": {"levels": ("tertiary", "secondary"), "per_stay": 3 * _limit(random)},
        "COURSE": {"course": 2},
        "NEGOTIATED": {
            "standard": 10**6 * random.choice((90, 120)),
            "agreed": (ALWAYS, FIRST + random.randrange(DAYS)),
            "per_stay": 4 * _limit(random),
        },
        "NEGOTIATED-LATER": {"agreed": (FIRST + random.randrange(DAYS), _FAR)},
        "PIECE": {"section": "饮片"},
        "PIECE-ALONE": {"section": "饮片", "alone": True, "per_day": 2 * _limit(random)},
        "PIECE-ALONE-TOO": {"section": "饮片", "alone": True},
    }
    if random.random() < 0.5:
        rows["SOMETIMES"] = {"payable": random.random() < 0.7}
    return rows


def _items(random: Random) -> World:
    return {
        "OPERATION": {},
        "NURSING": {"per_day": _limit(random)},
        "CONSULT": {"per_stay": 2 * _limit(random)},
        "PHYSIO": {"per_day": 2 * _limit(random), "per_stay": 3 * _limit(random)},
    }


def _materials(random: Random) -> World:
    return {"PLATE": {"ceilings": _ceilings(random, always=True)}} | _devices(random)


def _devices(random: Random) -> World:
    """Assistive devices: a cap, the least months of use, and of some so many a day."""
    rows: World = {
        code: {"ceilings": _ceilings(random, always=True), "life": random.choice((1, 12, 24))}
        for code in ("HAND", "WHEELCHAIR")
    }
    limit = random.choice(("per_day", "per_stay"))
    return rows | {"CRUTCH": {"life": random.choice((1, 12)), limit: 10000}}


def _facilities(random: Random) -> World:
    return {"BED": {"ceilings": _ceilings(random, always=True)}, "AIR": {"payable": False}}


def _limit(random: Random) -> int:
    return random.choice((10000, 10000, 15000, 5000))


def _ceilings(random: Random, always: bool = False) -> dict[str, int]:
    """Ceilings by level; "every" holds for the levels not named."""
    if not always and random.random() < 0.7:
        return {}
    levels = random.sample(("tertiary", "secondary", "primary", "every"), random.randint(1, 4))
    return {level: random.choice((30, 40, 50)) * 10**6 + random.randrange(3) for level in levels}


CODES = (
    *("TABLET", "TABLET", "VACCINE", "MATERNITY", "SECONDARY", *("COURSE",) * 3, "NEGOTIATED"),
    *(
        "NEGOTIATED",
        "NEGOTIATED-LATER",
        "NEGOTIATED-LATER",
        "PIECE",
        "PIECE-ALONE",
        "PIECE-ALONE-TOO",
        "SOMETIMES",
        "OPERATION",
    ),
    *("NURSING", "NURSING", "CONSULT", "CONSULT", "PHYSIO", "PHYSIO", "PLATE", "PLATE"),
    *("BED", "BED", "AIR", "UNKNOWN"),
)
"""What is charged, the more interesting twice."""
DEVICES = ("HAND", "HAND", "HAND", "WHEELCHAIR", "CRUTCH", "CRUTCH", "OPERATION", "UNKNOWN")
"""What an institution that fits assistive devices charges, the more interesting twice."""
