"""Where treatment is payable, a second time, from the papers alone: agreements, emergencies,
referrals and filings."""

from calendar import monthrange
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from tests.oracle.windows import in_force

Facts = Mapping[str, Any]
_MINUTES = 60


def months_later(day: int, months: int) -> int:
    """The same day of a later month, or its last day where it has no such day."""
    start = date.fromordinal(day)
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    last = monthrange(year, month + 1)[1]
    return date(year, month + 1, min(start.day, last)).toordinal()


def ends(bill: Facts) -> Iterator[str]:
    """Why the place, or what the stay is for, keeps the bill from being computed."""
    stay, every_day = bill["stay"], range(bill["stay"]["in"], bill["stay"]["out"] + 1)
    yield from _of_province(bill) if bill["hospital"]["place"] == "PROVINCE" else ()
    if _asks_consent(bill) and not all(approved(bill, day) for day in every_day):
        yield "hold APPROVAL"
    if _reported_late(bill):
        yield "refuse EMPLOYER_PAYS"
    if _endless(bill):
        yield "hold POLICY_GAP"
    if stay["treatment"] == "DEVICE" and not all(confirmed(bill, day) for day in every_day):
        yield "hold APPROVAL"


def _of_province(bill: Facts) -> Iterator[str]:
    """Another province settles directly where the region lets it, the hospital is online, the
    stay was filed before it began, and nobody else is liable unless a text lets that in."""
    begins = bill["stay"]["in"]
    closed = in_force(bill, "cross_province/policy", begins) == "MANUAL"
    if closed or not bill["hospital"]["online"] or not _serves(bill):
        yield "manual NON_AGREEMENT_OR_OUT_OF_REGION"
    if not any(_filed(bill, one, begins) for one in bill["case"]["filings"]):
        yield "manual TRANSFER_NOT_FILED"
    by_hand = in_force(bill, "cross_province/third_party", begins) == "MANUAL"
    if by_hand and bill["case"]["third_party"] != "NONE":
        yield "manual THIRD_PARTY"


def _asks_consent(bill: Facts) -> bool:
    """Whether the place needs somebody's consent: an agreement hospital here needs none, and
    first aid may be given by the nearest (第三十条第二款)."""
    stay = bill["stay"]
    first_aid = stay["emergency"] and bill["hospital"]["place"] != "PROVINCE"
    return _without_agreement(bill) and not first_aid


def _without_agreement(bill: Facts) -> bool:
    """Whether the hospital has no agreement with the agency of the insured place: one elsewhere
    has its own with another (第四十七条)."""
    hospital = bill["hospital"]
    return hospital["place"] != "HERE" or not hospital["agreed"] or not _serves(bill)


def _serves(bill: Facts) -> bool:
    """Whether the institution is of the kind that the stay needs."""
    needed = "DEVICE" if bill["stay"]["treatment"] == "DEVICE" else "MEDICAL"
    return needed in bill["hospital"]["kinds"]


def agreed_for(bill: Facts, row: Facts | None) -> bool:
    """Whether the agreement is one for what was supplied: institutions for treatment and those
    for devices sign each for their own (第三十条第二款, 第四十七条). Where the worker came for
    treatment, what is no device is of the stay; a device fitted meanwhile in another province is
    paid by the list at home, which such a stay has not."""
    kinds = bill["hospital"]["kinds"]
    if row is not None and "life" in row:
        away = bill["hospital"]["place"] == "PROVINCE" and bill["stay"]["treatment"] != "DEVICE"
        return "DEVICE" in kinds and not away
    return "MEDICAL" in kinds or bill["stay"]["treatment"] != "DEVICE"


def _reported_late(bill: Facts) -> bool:
    """Whether nobody reported an emergency without agreement in the hours that the text gives,
    and the text makes that the employer's. Older reports are of older injuries; whoever approved
    the place knew of it."""
    stay, begins = bill["stay"], bill["stay"]["in"]
    hours = in_force(bill, "emergency/report_hours", begins)
    if not (stay["emergency"] and _without_agreement(bill)) or hours is None:
        return False
    most, reported = hours * _MINUTES, bill["case"]["reported"]
    told = stay["registered"] <= most or -most <= reported <= most
    by_employer = in_force(bill, "emergency/late_report", begins) == "EMPLOYER"
    return bool(by_employer and not told and not approved(bill, begins))


def _endless(bill: Facts) -> bool:
    """Whether an emergency without agreement ends only when the patient is stable, and nobody
    said when that was."""
    stay, begins = bill["stay"], bill["stay"]["in"]
    days = in_force(bill, "emergency/inpatient_days", begins)
    ends_when_stable = in_force(bill, "emergency/move_back_when_stable", begins)
    open_end = days is None and ends_when_stable and stay["stable"] is None
    return bool(stay["emergency"] and _without_agreement(bill) and open_end)


def approved(bill: Facts, day: int) -> bool:
    """Whether the agency consented to this place for the day."""
    case = bill["case"]
    if any(one["by"] == "AGENCY" and _on(one, day) for one in case["emergencies"]):
        return True
    return referred(bill, day) or any(
        one["here"] and _filed(bill, one, day) for one in case["filings"]
    )


def referred(bill: Facts, day: int) -> bool:
    """Whether a referral to the place counts on the day: out of the region always (第三十条第四款),
    to a hospital without agreement here only where the region's text pays for one."""
    referral = bill["case"]["referral"]
    if referral is None or not _on(referral, day):
        return False
    when = in_force(bill, "non_agreement/payable_when", bill["stay"]["in"])
    return bool(bill["hospital"]["place"] != "HERE" or when == "EMERGENCY_OR_REFERRAL")


def elsewhere(bill: Facts, day: int) -> bool:
    """Whether the day was one of approved treatment outside the pooling region."""
    return bill["hospital"]["place"] != "HERE" and approved(bill, day)


def _filed(bill: Facts, filing: Facts, day: int) -> bool:
    """Whether a filing is in force, at most the months of the text from its first day."""
    months = in_force(bill, "cross_province/filing_months", filing["from"])
    return _on(filing, day) and day <= months_later(filing["from"], months)


def _on(span: Facts, day: int) -> bool:
    return bool(span["from"] <= day <= span["to"])


def confirmed(bill: Facts, day: int, code: str = "") -> bool:
    """Whether the committee had confirmed this device for the day, or any where none is named: a
    fitting needs some confirmation, a device its own (第三十二条)."""
    return any(
        one["by"] == "COMMITTEE" and _on(one, day) and (not code or code in one["codes"])
        for one in bill["case"]["confirmed_devices"]
    )


def overstayed(bill: Facts, day: int) -> str:
    """Why an emergency no longer pays for the day: the days of the text are over, or the patient
    was stable and not moved back, whichever came first. A day that the agency approved is paid."""
    stay = bill["stay"]
    if not (stay["emergency"] and _without_agreement(bill)) or approved(bill, day):
        return ""
    back = in_force(bill, "emergency/move_back_when_stable", stay["in"])
    days = in_force(bill, "emergency/inpatient_days", stay["in"])
    began = {}
    if days is not None:
        began["EMERGENCY_OVER"] = stay["in"] + days
    if back and stay["stable"] is not None:
        began["NOT_MOVED_BACK"] = stay["stable"] + 1
    first = min(began, key=lambda reason: began[reason], default="")
    return first if first and began[first] <= day else ""
