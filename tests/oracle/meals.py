"""The meal allowance a second time: a set of days and a rate for each, from the papers alone."""

from collections.abc import Mapping
from typing import Any

from tests.oracle.lines import half_up
from tests.oracle.places import elsewhere, overstayed
from tests.oracle.windows import before_cover, in_arrears, in_force, late_on, served, stopped

Facts = Mapping[str, Any]
_WHOLE = 10**4


def allowance(bill: Facts) -> dict[str, Any]:
    """Days, amount in fen and channel of the stay's meals."""
    stay = bill["stay"]
    if _claimed_otherwise(bill):
        return {"days": [], "amount": 0, "channel": ""}
    days = [day for day in _days(bill) if not _falls_out(bill, day)]
    rates = [_rate(bill, day) for day in days]
    if in_force(bill, "meal/rounding", stay["out"]) == "STAY":
        # Every rate is a fraction of a fen over one denominator or whole: one rounding for all.
        amount = _rounded_once(rates)
    else:
        amount = sum(half_up(top, bottom) for top, bottom in rates)
    return {"days": days, "amount": amount, "channel": in_force(bill, "meal/channel", stay["out"])}


def _claimed_otherwise(bill: Facts) -> bool:
    """Meals are of inpatients (第三十条第四款), and of another province by hand where the region
    says so."""
    stay, there = bill["stay"], bill["hospital"]["place"] == "PROVINCE"
    by_hand = there and in_force(bill, "cross_province/meal", stay["in"]) == "MANUAL"
    return bool(stay["treatment"] == "DEVICE" or by_hand)


def _days(bill: Facts) -> range:
    """Every day from admission up to discharge, and the day of discharge where it counts or is
    that of admission."""
    first, last = bill["stay"]["in"], bill["stay"]["out"]
    inclusive = in_force(bill, "meal/day_rule", last) == "INCLUSIVE_CALENDAR"
    return range(first, last + 1 if inclusive or first == last else last)


def _falls_out(bill: Facts, day: int) -> bool:
    stay, end = bill["stay"], bill["stay"]["out"]
    on_leave = day in stay["leave"] and in_force(bill, "meal/split_leave_days", end)
    hanging = day in stay["hanging"] or any(
        line["violation"] == "HANGING_BED" and line["day"] == day
        for line in bill["lines"]
        if not line["refund_of"]
    )
    elsewhere = any(day in other["meal_days"] for other in bill["others"])
    moved = late_on(bill, day) and in_force(bill, "meal/split_late_window", bill["case"]["event"])
    unpaid = (
        before_cover(bill, day) or in_arrears(bill, day) or stopped(bill, day) or served(bill, day)
    )
    unpaid = unpaid or overstayed(bill, day) != "" or _for_another_disease(bill)
    return bool(on_leave or hanging or elsewhere or moved or unpaid)


def _for_another_disease(bill: Facts) -> bool:
    """非工伤引发的疾病: meals are of who is in hospital for the injury (第三十条第四、五款), and
    nothing that was kept of all that was charged was for it."""
    left: dict[str, int] = {}
    other = {line["id"]: line["relation"] == "unrelated" for line in bill["lines"]}
    for line in bill["lines"]:
        of = line["refund_of"] or line["id"]
        left[of] = left.get(of, 0) + line["qty"]
    kept = [other[of] for of, qty in left.items() if qty]
    return bool(kept) and all(kept)


def _rate(bill: Facts, day: int) -> tuple[int, int]:
    """The rate of the day as a fraction of fen: values of the day of discharge."""
    end = bill["stay"]["out"]
    if elsewhere(bill, day):
        if in_force(bill, "meal/out_of_region_form", end) == "PCT_OF_INDEX":
            return _of_index(bill, "meal/out_of_region_percent")
        return in_force(bill, "meal/out_of_region_per_day_fen", end), 1
    if _after_paid_leave(bill, day):
        return in_force(bill, "meal/after_paid_leave_per_day_fen", end), 1
    if in_force(bill, "meal/form", end) == "PCT_OF_INDEX":
        return _of_index(bill, "meal/index_percent")
    return in_force(bill, "meal/per_day_fen", end), 1


def _of_index(bill: Facts, percent: str) -> tuple[int, int]:
    """A percentage of a monthly index by its divisor, or of an index that is of a day."""
    end = bill["stay"]["out"]
    share = in_force(bill, "meal/index_fen", end) * in_force(bill, percent, end)
    if in_force(bill, "meal/index", end) == "MONTHLY_MINIMUM_WAGE":
        return share, in_force(bill, "meal/index_divisor", end)
    return share, _WHOLE


def _rounded_once(rates: list[tuple[int, int]]) -> int:
    common = 1
    for _, bottom in rates:
        common = common if common % bottom == 0 else common * bottom
    return half_up(sum(top * (common // bottom) for top, bottom in rates), common)


def _after_paid_leave(bill: Facts, day: int) -> bool:
    """Whether the day comes after a paid leave that was told and in no other, where a text gives
    such days a rate of their own. Before any leave told it is in the months that a leave usually
    lasts: no generated stay begins so long after its injury."""
    spans = bill["case"]["paid_leave"]
    own = in_force(bill, "meal/after_paid_leave_per_day_fen", bill["stay"]["out"])
    inside = any(one["from"] <= day <= one["to"] for one in spans)
    return own is not None and not inside and any(one["to"] < day for one in spans)
