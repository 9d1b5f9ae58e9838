"""Values in force on a day, and the days on which the fund does not pay, from the papers alone."""

from collections.abc import Mapping
from typing import Any

Facts = Mapping[str, Any]


def in_force(bill: Facts, key: str, day: int) -> Any:
    """The last value that began by the day; None where no text says."""
    found = None
    for since, value in bill["policy"].get(key, ()):
        if since <= day:
            found = value
    return found


def refused(bill: Facts) -> dict[str, Any] | None:
    """What keeps the bill from being computed: an employer that owes or never came under cover,
    a third party where such stays go by hand, a late application whose end nobody knows."""
    case, stay = bill["case"], bill["stay"]
    if before_cover(bill, stay["out"]):
        return {"refuse": "EMPLOYER_PAYS"}
    if (owing := _owing(bill)) is not None:
        return owing
    liable = case["third_party"] != "NONE"
    if liable and in_force(bill, "third_party/policy", stay["in"]) == "MANUAL":
        return {"manual": "THIRD_PARTY"}
    if is_late(bill) and _end(bill) is None:
        return {"hold": {"POLICY_GAP"}}
    return None


def _owing(bill: Facts) -> dict[str, Any] | None:
    """What arrears do to the whole stay by the region's text: Beijing's continues a stay that had
    begun before them, Changsha's waits for them, one county's never pays."""
    stay, owed = bill["stay"], bill["case"]["arrears"]
    in_stay = any(_owed(bill, day) for day in range(stay["in"], stay["out"] + 1))
    if not in_stay and not _owed(bill, bill["case"]["event"]):
        return None
    rule = in_force(bill, "arrears/policy", stay["in"])
    if rule == "HOLD_UNTIL_PAID":
        return {"hold": {"ARREARS"}} if in_stay and owed["paid_up"] is None else None
    paid_in_stay = owed["paid_up"] is not None and owed["paid_up"] <= stay["out"]
    if rule == "CONTINUE_IN_STAY" and (paid_in_stay or not _owed(bill, stay["in"])):
        return None
    return {"refuse": "EMPLOYER_PAYS"}


def _owed(bill: Facts, day: int) -> bool:
    """Whether premiums were owed on the day; on the day that they are paid they are not."""
    owed = bill["case"]["arrears"]
    if owed is None or day < owed["from"]:
        return False
    return owed["paid_up"] is None or day < owed["paid_up"]


def in_arrears(bill: Facts, day: int) -> bool:
    """Whether the day is the employer's: of a stay that began in arrears which were paid inside
    it, the fund pays what arose newly (第六十二条第三款)."""
    begins = bill["stay"]["in"]
    rule = in_force(bill, "arrears/policy", begins)
    return rule == "CONTINUE_IN_STAY" and _owed(bill, begins) and _owed(bill, day)


def before_cover(bill: Facts, day: int) -> bool:
    """Newly arising costs are those after the employer had joined and paid everything owed."""
    case = bill["case"]
    if _insured(bill):
        return False
    return case["settled"] is None or day <= max(case["joined"], case["settled"])


def _insured(bill: Facts) -> bool:
    """By the roster that names the worker, where it is known: cover begins on the day after it,
    or on the same day where the region's text does not say so. Else as told."""
    case = bill["case"]
    if case["roster"] is None:
        return case["insured"]
    by_the_day_after = in_force(bill, "cover/from_day_after_roster", case["event"])
    return case["roster"] < case["event"] + (0 if by_the_day_after else 1)


def is_late(bill: Facts) -> bool:
    """Whether nobody who counts applied by the last day of the employer's time (第十七条)."""
    case = bill["case"]
    if case["applied"] is None:
        return False
    event = case["event"]
    limit = event + in_force(bill, "employer/application_days", event)
    if case["extended"] is not None:
        limit = max(limit, case["extended"])  # 适当延长: an extension never shortens
    by_employer = case["applied_by"] in ("", "EMPLOYER")
    counts = by_employer or in_force(bill, "late/needs_nobody_applied", event)
    return not counts or case["applied"] > limit


def _end(bill: Facts) -> int | None:
    """The last day but the one that a text may exclude."""
    case = bill["case"]
    event = in_force(bill, "late/window_end_event", case["event"])
    return case["accepted"] if event == "ACCEPTED" else case["applied"]


def late_on(bill: Facts, day: int) -> bool:
    """Whether the day lies in the window of a late application."""
    if not is_late(bill):
        return False
    event, end = bill["case"]["event"], _end(bill)
    inclusive = in_force(bill, "late/window_end_inclusive", event)
    return end is not None and event <= day <= (end if inclusive else end - 1)


def window(bill: Facts, day: int) -> str:
    """Why the fund's share of this day is the employer's; empty when it is not."""
    if before_cover(bill, day):
        return "BEFORE_COVER"
    if in_arrears(bill, day):
        return "EMPLOYER_IN_ARREARS"
    return "LATE_APPLICATION" if late_on(bill, day) else ""


def _covers(span: Facts, day: int) -> bool:
    return span["from"] <= day and (span["to"] is None or day <= span["to"])


def stopped(bill: Facts, day: int) -> bool:
    """Whether a decision stops benefits on the day (第四十二条)."""
    return any(_covers(one, day) for one in bill["case"]["stops"] if not one["discharge"])


def served(bill: Facts, day: int) -> bool:
    """Whether a served notice of discharge was refused by the day."""
    return any(_covers(one, day) for one in bill["case"]["stops"] if one["discharge"])
