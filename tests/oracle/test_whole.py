"""The oracle of whole bills knows the worked examples of the papers, so that it is no mirror of
the rules: E10 to E12, E14, E17, E19 to E21 and E24 as corrected, and what the papers say of
emergencies, employers, the year of basic insurance and other provinces."""

from datetime import date
from typing import Any

import pytest

from tests.oracle.lines import number, product
from tests.oracle.stays import ORDINARY_STAY, line_of, ordinary_case
from tests.oracle.whole import settled
from tests.oracle.worlds import ALWAYS, ORDINARY

Facts = dict[str, Any]
_FAR = date(2030, 1, 1).toordinal()
ROWS = {
    "OPERATION": {},
    "BED": {"ceilings": {"every": 40 * 10**6}},
    "NURSING": {"per_day": 10_000},
    "HAND": {"ceilings": {"every": 5700 * 10**6}, "life": 12},
    "CRUTCH": {"life": 24},
}
HOSPITAL = {"level": "secondary", "place": "HERE", "agreed": True, "online": True}
HOSPITAL |= {"kinds": ("MEDICAL", "DEVICE")}


def day(text: str) -> int:
    return date.fromisoformat(text).toordinal()


def line(code: str, price: str, qty: str, on: str = "2026-03-05", **facts: Any) -> Facts:
    """A line with price and quantity as texts."""
    cost, count = number(price, 6), number(qty, 4)
    made = line_of(facts.pop("id", f"{code}{on}"), code, day(on), cost, count)
    return made | {"amount": product(cost, count)} | facts


def bill(*lines: Facts, policy: Facts | None = None, **facts: Any) -> Facts:
    """An ordinary stay from 2026-03-01 to 2026-03-15, applied for in time; meals at 15.00."""
    injured = day("2026-03-01")
    stay = {"in": day("2026-03-01"), "out": day("2026-03-15"), "notified": None}
    stay |= ORDINARY_STAY
    case = dict.fromkeys(("extended", "roster", "referral")) | ordinary_case()
    case |= {"injured": injured, "event": injured, "applied": injured, "accepted": injured}
    case |= {"applied_by": "", "insured": True, "third_party": "NONE", "joined": [], "arrears": []}
    values = {**ORDINARY, "line/not_notified_payer": None, **(policy or {})}
    return {
        "policy": {key: [(ALWAYS, value)] for key, value in values.items()},
        "catalogue": [{"kind": "item", "from": ALWAYS, "to": _FAR, "rows": ROWS}],
        "catalogue_there": [],
        "hospital": HOSPITAL | facts.get("hospital", {}),
        "stay": {**stay, "leave": [], "hanging": [], "payments": [], **facts.get("stay", {})},
        "case": {**case, "stops": [], "rescues": [], "paid_leave": [], **facts.get("case", {})},
        "others": [],
        "devices": facts.get("devices", []),
        "lines": list(lines),
        "paid_by": "nobody",
    }


def payers(answer: Facts) -> Facts:
    """Who bears anything of the stay, in fen."""
    return {payer: fen for payer, fen in answer["split"].items() if fen}


def paid(payer: str, eligible: int) -> Facts:
    at = day("2026-03-15")
    told = {"payer": payer, "eligible": eligible, "meal": 0, "paid": at}
    return told | {"year": None, "asked": None, "given_back": None}


def test_e10_nursing_once_a_day_leaves_what_is_over_to_the_hospital():
    days = [f"2026-03-{1 + n:02}" for n in range(14)]
    lines = [line("NURSING", "28", "2", one) for one in days]
    answer = settled(bill(*lines, line("BED", "35", "14")))
    assert payers(answer) == {"fund": 88200, "hospital": 39200}


def test_e11_a_refund_leaves_the_net_and_a_duplicate_is_the_hospitals():
    answer = settled(
        bill(
            line("OPERATION", "88", "3", id="A"),
            line("OPERATION", "88", "-1", "2026-03-06", id="B", refund_of="A"),
            line("OPERATION", "88", "1", id="C", violation="DUPLICATE_CHARGE"),
        )
    )
    assert payers(answer) == {"fund": 17600, "hospital": 8800}
    assert answer["lines"]["B"]["fund"] == -8800


@pytest.mark.parametrize(
    ("inclusive", "fund", "employer"), [(False, 105000, 1280000), (True, 40000, 1345000)]
)
def test_e12_a_late_application_with_either_end_of_its_window(
    inclusive: bool, fund: int, employer: int
):
    late = {"applied": day("2026-04-20"), "accepted": day("2026-04-24")}
    answer = settled(
        bill(
            line("OPERATION", "12000", "1", "2026-04-22"),
            line("OPERATION", "800", "1", "2026-04-23"),
            line("OPERATION", "650", "1", "2026-04-24"),
            line("OPERATION", "400", "1", "2026-05-02"),
            policy={"late/window_end_inclusive": inclusive},
            stay={"out": day("2026-05-03")},
            case=late,
        )
    )
    assert payers(answer) == {"fund": fund, "employer": employer}
    assert len(answer["meal"]["days"]) == (8 if inclusive else 9)


def test_e14_what_follows_a_refused_discharge_is_the_payers_that_the_region_names():
    stop = {"discharge": True, "from": day("2026-03-21"), "to": None}
    answer = settled(
        bill(
            line("OPERATION", "8000", "1"),
            line("BED", "35", "10", "2026-03-21"),
            line("OPERATION", "600", "1", "2026-03-25"),
            policy={"line/refused_discharge_payer": "individual"},
            stay={"out": day("2026-03-30")},
            case={"stops": [stop]},
        )
    )
    assert payers(answer) == {"fund": 800000, "individual": 95000}


@pytest.mark.parametrize(
    ("stay", "rule", "days", "fen"),
    [
        ({}, "EXCLUDE_DISCHARGE", 14, 21000),
        ({}, "INCLUSIVE_CALENDAR", 15, 22500),
        ({"out": "2026-03-01"}, "EXCLUDE_DISCHARGE", 1, 1500),
        ({"leave": ["2026-03-05", "2026-03-06"]}, "EXCLUDE_DISCHARGE", 12, 18000),
        ({"in": "2028-02-28", "out": "2028-03-01"}, "EXCLUDE_DISCHARGE", 2, 3000),
    ],
)
def test_e17_meals_are_paid_by_the_day_rule(stay: Facts, rule: str, days: int, fen: int):
    told = {
        key: [day(one) for one in value] if isinstance(value, list) else day(value)
        for key, value in stay.items()
    }
    answer = settled(bill(policy={"meal/day_rule": rule}, stay=told))
    assert (len(answer["meal"]["days"]), answer["meal"]["amount"]) == (days, fen)


@pytest.mark.parametrize(("rounding", "fen"), [("DAY", 54899), ("STAY", 54903)])
def test_e20_a_rate_by_formula_is_rounded_by_the_day_or_the_stay(rounding: str, fen: int):
    formula = {"meal/form": "PCT_OF_INDEX", "meal/rounding": rounding}
    answer = settled(bill(policy=formula, stay={"out": day("2026-03-14")}))
    assert answer["meal"]["amount"] == fen


def test_e19_basic_insurance_is_given_back_first_and_the_rest_goes_to_who_paid():
    answer = settled(
        bill(
            line("OPERATION", "18500", "1"),
            line("UNKNOWN", "1500", "1", consent="individual"),
            stay={"payments": [paid("basic_insurance", 1200000), paid("individual", 800000)]},
        )
    )
    assert payers(answer) == {"fund": 1850000, "individual": 150000}
    assert answer["paid"]["medical"] == {"basic_insurance": 1200000, "individual": 650000}


def test_e21_of_what_a_third_party_paid_only_the_difference_is_the_funds():
    answer = settled(
        bill(
            line("OPERATION", "30000", "1"),
            stay={"payments": [paid("third_party", 1500000)]},
            case={"third_party": "CONFIRMED_PAID"},
        )
    )
    assert payers(answer) == {"fund": 1500000, "other": 1500000}
    assert answer["paid"]["recoverable"] == 1500000


FITTED = {"stay": {"treatment": "DEVICE"}}
SPAN = {"from": day("2026-03-01"), "to": day("2026-03-15")}
CONFIRMED = {**SPAN, "by": "COMMITTEE", "codes": ["HAND"]}


@pytest.mark.parametrize(
    ("earlier", "shares"),
    [
        ([], {"fund": 570000, "individual": 150000}),
        (["2025-07-05"], {"individual": 720000}),
        (["2025-03-05"], {"individual": 720000}),
        (["2025-03-04"], {"fund": 570000, "individual": 150000}),
    ],
)
def test_e24_a_device_above_its_cap_and_before_its_life_has_ended(
    earlier: list[str], shares: Facts
):
    answer = settled(
        bill(
            line("HAND", "7200", "1", consent="individual"),
            devices=[{"code": "HAND", "on": day(one)} for one in earlier],
            case={"confirmed_devices": [CONFIRMED]},
            **FITTED,
        )
    )
    assert payers(answer) == shares
    assert (answer["meal"]["days"], answer["meal"]["amount"]) == ([], 0)


def test_a_device_that_the_committee_did_not_confirm_waits():
    by_the_agency = CONFIRMED | {"by": "AGENCY"}
    told = bill(line("HAND", "5000", "1"), case={"confirmed_devices": [by_the_agency]}, **FITTED)
    assert settled(told) == {"ends": {"hold APPROVAL"}}


@pytest.mark.parametrize(
    ("codes", "ends"),
    [
        ([["HAND"]], {"hold APPROVAL"}),
        ([["HAND", "CRUTCH"]], None),
        ([["HAND"], ["CRUTCH"]], None),
    ],
    ids=["one of the two", "both at once", "each by itself"],
)
def test_a_device_is_confirmed_by_what_names_it(codes: list[list[str]], ends: Any):
    told = bill(
        line("HAND", "100", "1"),
        line("CRUTCH", "50", "1"),
        case={"confirmed_devices": [CONFIRMED | {"codes": one} for one in codes]},
        **FITTED,
    )
    assert settled(told).get("ends") == ends


AWAY = HOSPITAL | {"agreed": False}


@pytest.mark.parametrize(
    ("stable", "days", "reason"),
    [(None, 7, "EMERGENCY_OVER"), ("2026-03-03", 3, "NOT_MOVED_BACK")],
)
def test_an_emergency_without_agreement_pays_seven_days_or_until_the_patient_is_stable(
    stable: str | None, days: int, reason: str
):
    ends = day("2026-03-01") + days
    lines = [line("OPERATION", "100", "1", id=name) for name in ("A", "B")]
    told = bill(
        *(one | {"day": ends - 1 + later} for later, one in enumerate(lines)),
        stay={"emergency": True, "stable": stable and day(stable), "confirmed": False},
    )
    answer = settled(told | {"hospital": AWAY})
    assert payers(answer) == {"fund": 10000, "other": 10000}
    assert answer["reasons"] == {"A": set(), "B": {reason}}
    assert len(answer["meal"]["days"]) == days


def test_a_worker_lent_is_the_original_employers_and_a_successor_answers_as_it_did():
    others = [
        {"number": "E2", "tie": "SECONDMENT", "role": "ORIGINAL", "insured": True},
        {"number": "E3", "tie": "SUCCESSION", "role": "SUCCESSOR", "insured": False},
    ]
    told = [one | {"since": day("2026-03-02"), "roster": None} for one in others]
    answer = settled(bill(case={"insured": False, "employers": told}))
    assert answer["liable"] == "E3"
    uninsured = [told[0] | {"insured": False}, told[1]]
    assert settled(bill(case={"employers": uninsured})) == {"ends": {"refuse EMPLOYER_PAYS"}}


def test_who_had_taken_over_on_the_day_of_the_injury_was_the_employer_then():
    successor = {"number": "E3", "tie": "SUCCESSION", "role": "SUCCESSOR", "roster": None}
    told = successor | {"since": day("2026-03-01"), "insured": False}
    assert settled(bill(case={"employers": [told]})) == {"ends": {"refuse EMPLOYER_PAYS"}}
    insured = bill(case={"insured": False, "employers": [told | {"insured": True}]})
    assert settled(insured)["liable"] == "E3"
    unknown = bill(case={"employers": [told | {"insured": None}]}, stay={"confirmed": False})
    assert settled(unknown) == {"ends": {"hold PENDING_CHECK"}}


@pytest.mark.parametrize(
    ("joined", "settled_on", "roster", "employer"),
    [
        ("2025-06-01", "2026-02-28", None, None),
        ("2025-06-01", "2026-03-01", None, 0),
        ("2025-06-01", "2026-03-05", None, 10000),
        ("2026-03-02", "2026-03-02", "2026-03-04", 0),
        ("2026-03-02", "2026-03-02", "2026-03-05", 10000),
    ],
)
def test_only_what_comes_after_the_injury_makes_its_cover_good_and_never_before_the_roster(
    joined: str, settled_on: str, roster: str | None, employer: int | None
):
    made_good = {"of": "", "joined": day(joined), "settled": day(settled_on)}
    case = {"insured": False, "joined": [made_good], "roster": roster and day(roster)}
    answer = settled(bill(line("OPERATION", "100", "1"), case=case))
    if employer is None:
        assert answer == {"ends": {"refuse EMPLOYER_PAYS"}}
    else:
        assert payers(answer).get("employer", 0) == employer


def test_two_employers_that_are_each_said_to_answer_are_a_question():
    """浙 第二十九条第二款 knows one employer at whose work the worker was hurt."""
    told = [
        {"number": number, "tie": "SEVERAL", "role": "AT_INJURY", "insured": insured}
        | {"since": day("2026-01-01"), "roster": None}
        for number, insured in (("E2", True), ("E3", False))
    ]
    for others in (told, told[::-1]):
        assert settled(bill(case={"employers": others})) == {"ends": {"hold PENDING_CHECK"}}
    assert settled(bill(case={"employers": told[:1]}))["liable"] == "E2"


def test_a_roster_of_years_ago_shows_no_cover_and_one_of_the_day_itself_none_that_began():
    """浙 第十一条: 自……收到参保职工名册……次日起生效."""
    old = {"insured": None, "roster": day("2020-01-01")}
    waits = settled(bill(case=old, stay={"confirmed": False}))
    assert waits == {"ends": {"hold PENDING_CHECK"}}
    same_day = bill(case=old | {"roster": day("2026-03-01")}, stay={"confirmed": False})
    assert settled(same_day) == {"ends": {"refuse EMPLOYER_PAYS"}}


@pytest.mark.parametrize(
    ("since", "paid_up", "refused"),
    [
        ("2026-03-10", None, True),
        ("2026-03-31", None, True),
        ("2026-04-01", None, False),
        ("2026-02-01", "2026-03-01", False),
        ("2026-02-01", "2026-03-02", True),
    ],
)
def test_arrears_in_the_month_of_the_accident_never_pay_and_later_ones_are_not_in_that_text(
    since: str, paid_up: str | None, refused: bool
):
    owed = {"of": "", "from": day(since), "paid_up": paid_up and day(paid_up)}
    told = bill(
        case={"arrears": [owed]},
        stay={"out": day("2026-04-10")},
        policy={"arrears/policy": "NEVER"},
    )
    assert settled(told).get("ends") == ({"refuse EMPLOYER_PAYS"} if refused else None)


@pytest.mark.parametrize(
    ("asked", "ends"), [("2026-09-30", False), ("2026-10-01", {"manual REVERSAL_TOO_LATE"})]
)
def test_last_years_fees_are_reversed_on_request_by_the_end_of_september(asked: str, ends: Any):
    back = {"asked": day(asked), "given_back": day("2026-10-08")}
    xiamen = {"bmi_refund/year_end_month": 6, "bmi_refund/hospital_refunds_first": True}
    payment = paid("basic_insurance", 400000) | {"paid": day("2026-06-30")} | back
    told = bill(line("OPERATION", "10000", "1"), policy=xiamen, stay={"payments": [payment]})
    assert settled(told).get("ends", False) == ends


def test_another_province_settles_by_its_own_catalogue_without_meals():
    there = [{"kind": "item", "from": ALWAYS, "to": _FAR, "rows": {"CUPPING": {}}}]
    filing = {"from": day("2026-03-01"), "to": day("2026-03-15"), "here": True}
    told = bill(
        line("CUPPING", "100", "1"), line("OPERATION", "50", "1"), case={"filings": [filing]}
    )
    told |= {"catalogue_there": there, "hospital": AWAY | {"place": "PROVINCE"}}
    answer = settled(told)
    assert payers(answer) == {"fund": 10000, "hospital": 5000}
    assert answer["meal"]["amount"] == 0
    unfiled = told | {"case": told["case"] | {"filings": []}}
    assert settled(unfiled) == {"ends": {"hold APPROVAL", "manual TRANSFER_NOT_FILED"}}
