"""Whom the fund pays, a second time, from the papers alone."""

from calendar import monthrange
from collections.abc import Mapping
from datetime import date
from typing import Any

from tests.oracle.lines import EMPLOYER, FUND, HOSPITAL, INDIVIDUAL, OTHER
from tests.oracle.windows import in_force

Facts = Mapping[str, Any]
BASIC = "basic_insurance"


def payees(bill: Facts, split: dict[str, int], meals: int, waits: set[str]) -> dict[str, Any]:
    """What each payee gets of medical fees and of meals, what a third party's payment took off
    the fund's part of `split`, and what may be recovered of the rest."""
    taken_off = _take_off(bill, split, waits)
    medical = _medical(bill, split[FUND], waits)
    return {
        "medical": {payee: fen for payee, fen in medical.items() if fen},
        "meals": {payee: fen for payee, fen in _meals(bill, meals).items() if fen},
        "taken_off": taken_off,
        "recoverable": _recoverable(bill, split[FUND], meals),
    }


def paid_by(bill: Facts, payer: str, what: str = "eligible") -> int:
    return sum(one[what] for one in bill["stay"]["payments"] if one["payer"] == payer)


def _take_off(bill: Facts, split: dict[str, int], waits: set[str]) -> int:
    """max(0, fund − paid for eligible medical fees): what the third party paid is not the
    fund's."""
    state = bill["case"]["third_party"]
    told = any(one["payer"] == "third_party" for one in bill["stay"]["payments"])
    if told != (state == "CONFIRMED_PAID"):
        waits.add("hold THIRD_PARTY")
    taken = min(split[FUND], paid_by(bill, "third_party"))
    split[FUND] -= taken
    split[OTHER] += taken
    return taken


def _recoverable(bill: Facts, medical: int, meals: int) -> int:
    """The law gives recourse for medical fees that a third party did not pay or nobody can be
    found for (社保法 42); a region's text may give it whoever paid, and of every benefit."""
    state = bill["case"]["third_party"]
    if state == "NONE":
        return 0
    text = in_force(bill, "third_party/fund_recovers", bill["stay"]["in"])
    if text == "BENEFITS":
        return medical + meals
    return medical if text == "MEDICAL" or state != "CONFIRMED_PAID" else 0


def _medical(bill: Facts, fund: int, waits: set[str]) -> dict[str, int]:
    """Basic insurance first, or the hospital that gave back to it already, then employer and
    worker for what they advanced, then whoever paid at the counter, else the hospital."""
    owed, given_back = _basic(bill, waits)
    shares = {BASIC: min(fund, owed)}
    shares[HOSPITAL] = min(fund - shares[BASIC], given_back)
    rest = fund - shares[BASIC] - shares[HOSPITAL]
    advanced = {payer: paid_by(bill, payer) for payer in (EMPLOYER, INDIVIDUAL)}
    if rest and all(advanced.values()) and sum(advanced.values()) > rest:
        waits.add("hold PRIOR_PAYMENT")
    for payer, fen in advanced.items():
        shares[payer] = min(rest, fen)
        rest -= shares[payer]
    counter = bill["paid_by"]
    last = HOSPITAL if counter == "nobody" else counter
    shares[last] = shares.get(last, 0) + rest
    return shares


def _basic(bill: Facts, waits: set[str]) -> tuple[int, int]:
    """What is owed to basic insurance, and what the hospital has given back to it."""
    owed, given_back = 0, 0
    for one in bill["stay"]["payments"]:
        if one["payer"] != BASIC:
            continue
        waits |= _by_hand(bill, one)
        if one["given_back"] is not None:
            given_back += one["eligible"]
        elif in_force(bill, "bmi_refund/hospital_refunds_first", one["paid"]):
            waits.add("hold PRIOR_PAYMENT")
        else:
            owed += one["eligible"]
    return owed, given_back


def _by_hand(bill: Facts, one: Facts) -> set[str]:
    """What basic insurance paid goes by hand where agency and hospital do not settle it, and
    where the hospital asked too late to reverse what an ended year had paid."""
    if not in_force(bill, "bmi_refund/agency_to_hospital", one["paid"]):
        return {"manual BASIC_INSURANCE_PAID"}
    # Where the agency gives back, no text asks the hospital for anything in time.
    asked_of_it = in_force(bill, "bmi_refund/hospital_refunds_first", one["paid"])
    back = one["given_back"]
    if not asked_of_it or back is None or back <= _year_ends(bill, one, 0):
        return set()
    months = in_force(bill, "bmi_refund/reversal_months", one["paid"])
    asked = back if one["asked"] is None else one["asked"]
    return {"manual REVERSAL_TOO_LATE"} if asked > _year_ends(bill, one, months) else set()


def _year_ends(bill: Facts, one: Facts, later: int) -> int:
    """The last day of the insurance year that paid, or of a month so many later."""
    paid, month = (
        date.fromordinal(one["paid"]),
        in_force(bill, "bmi_refund/year_end_month", one["paid"]),
    )
    year = one["year"] or paid.year + (paid.month > month)
    carried, place = divmod(month - 1 + later, 12)
    return date(year + carried, place + 1, monthrange(year + carried, place + 1)[1]).toordinal()


def _meals(bill: Facts, meals: int) -> dict[str, int]:
    """What the employer advanced goes back to it. The rest is the worker's where the agency pays
    it out, and where somebody paid the hospital while the bill was held."""
    back = min(meals, paid_by(bill, EMPLOYER, "meal"))
    agency = in_force(bill, "meal/channel", bill["stay"]["out"]) == "AGENCY"
    last = INDIVIDUAL if agency or bill["paid_by"] != "nobody" else HOSPITAL
    return {EMPLOYER: back, last: meals - back}
