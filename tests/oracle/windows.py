"""Values in force on a day, and the days on which the fund does not pay, from the papers alone."""

from calendar import monthrange
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

Facts = Mapping[str, Any]


def in_force(bill: Facts, key: str, day: int) -> Any:
    """The last value that began by the day; None where no text says."""
    found = None
    for since, value in bill["policy"].get(key, ()):
        if since <= day:
            found = value
    return found


def ends(bill: Facts) -> Iterator[str]:
    """What keeps the bill from being computed: facts not looked at yet, an employer that owes or
    never came under cover, a third party where such stays go by hand, a late application whose
    end nobody knows."""
    case, stay = bill["case"], bill["stay"]
    if not stay["confirmed"] and (case["event"] > stay["in"] or _insured(bill) is None):
        yield "hold PENDING_CHECK"
    if before_cover(bill, stay["out"]):
        yield "refuse EMPLOYER_PAYS"
        return
    if owing := _owing(bill):
        yield owing
    liable = case["third_party"] != "NONE"
    if liable and in_force(bill, "third_party/policy", stay["in"]) == "MANUAL":
        yield "manual THIRD_PARTY"
    if is_late(bill) and _end(bill) is None:
        yield "hold POLICY_GAP"
    if not case["applied_by"] and _in_time(case, "applied", bill) and _in_doubt(bill):
        yield "hold POLICY_GAP"


def _owing(bill: Facts) -> str:
    """What arrears do to the whole stay by the region's text: Beijing's continues a stay that had
    begun before them, Changsha's waits for them, one county's never pays who owed in the month of
    the accident and says nothing of later months."""
    stay, owed = bill["stay"], bill["liable"]["arrears"]
    in_stay = [one for one in owed if _touches(one, stay["in"], stay["out"])]
    rule = in_force(bill, "arrears/policy", stay["in"])
    if rule == "NEVER":
        event = bill["case"]["event"]
        in_month = any(_touches(one, event, _end_of_month(event)) for one in owed)
        return "refuse EMPLOYER_PAYS" if in_month else ""
    if rule == "HOLD_UNTIL_PAID":
        return "hold ARREARS" if any(one["paid_up"] is None for one in in_stay) else ""
    begun = [one["paid_up"] for one in in_stay if _owed(one, stay["in"])]
    return "refuse EMPLOYER_PAYS" if any(_after(day, stay["out"]) for day in begun) else ""


def _end_of_month(day: int) -> int:
    when = date.fromordinal(day)
    return when.replace(day=monthrange(when.year, when.month)[1]).toordinal()


def _after(paid_up: int | None, day: int) -> bool:
    return paid_up is None or paid_up > day


def _owed(owed: Facts, day: int) -> bool:
    """Whether premiums were owed on the day; on the day that they are paid they are not."""
    return _touches(owed, day, day)


def _touches(owed: Facts, first: int, last: int) -> bool:
    return bool(owed["from"] <= last) and _after(owed["paid_up"], max(first, owed["from"]))


def in_arrears(bill: Facts, day: int) -> bool:
    """Whether the day is the employer's: of a stay that began in arrears which were paid inside
    it, the fund pays what arose newly (第六十二条第三款)."""
    begins = bill["stay"]["in"]
    rule = in_force(bill, "arrears/policy", begins)
    return rule == "CONTINUE_IN_STAY" and any(
        _owed(one, begins) and _owed(one, day) for one in bill["liable"]["arrears"]
    )


def before_cover(bill: Facts, day: int) -> bool:
    """Newly arising costs are those after the employer had joined and paid everything owed; what
    was done of it before the worker lacked cover made nothing good."""
    if _insured(bill) is not False:
        return False
    return not any(_covered(bill, one, day) for one in bill["liable"]["joined"])


def _covered(bill: Facts, joined: Facts, day: int) -> bool:
    """Whether the day's costs arise newly after this joining. Where the roster came only on the
    day of the injury or later, cover cannot have begun before the region lets it."""
    roster, event = joined["roster"], bill["case"]["event"]
    if joined["settled"] is None:
        return False
    done = max(joined["joined"], joined["settled"])
    if not joined["uncovered"] <= done < day:
        return False
    return roster is None or roster < event or _begins(bill, roster) <= day


def _begins(bill: Facts, roster: int) -> int:
    """The first day covered under a roster, as the region says."""
    after: int = in_force(bill, "cover/from_day_after_roster", bill["case"]["event"])
    return roster + after


def _insured(bill: Facts) -> bool | None:
    """As told, None by nobody: a roster of years ago does not show that its cover lasted. A roster
    of the day of the injury or a later one shows it: cover began on the day after it, or on the
    day itself where the region says so."""
    roster, event = bill["liable"]["roster"], bill["case"]["event"]
    told: bool | None = bill["liable"]["insured"]
    if roster is None or roster < event:
        return told
    return _begins(bill, roster) <= event


def is_late(bill: Facts) -> bool:
    """Whether nobody who counts applied by the last day of the employer's time (第十七条). Who is
    accepted for in that time has an employer that has not failed yet."""
    case = bill["case"]
    if case["applied"] is None or case["applied_by"] == "EMPLOYER":
        return case["applied"] is not None and not _in_time(case, "applied", bill)
    if not _in_time(case, "applied", bill):
        return True
    others = in_force(bill, "late/needs_nobody_applied", case["event"])
    return _in_doubt(bill) and not others


def _in_doubt(bill: Facts) -> bool:
    """Whether the employer's time was over before anybody's application was accepted."""
    return not _in_time(bill["case"], "accepted", bill)


def _in_time(case: Facts, step: str, bill: Facts) -> bool:
    """Whether it was done by the last day of the employer's time."""
    event = case["event"]
    limit = event + in_force(bill, "employer/application_days", event)
    if case["extended"] is not None:
        limit = max(limit, case["extended"])  # 适当延长: an extension never shortens
    return case[step] is not None and bool(case[step] <= limit)


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
    # 提出申请前 says when the days end, and of no first day.
    first = event if in_force(bill, "late/window_end_event", event) == "ACCEPTED" else day
    return end is not None and first <= day <= (end if inclusive else end - 1)


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
