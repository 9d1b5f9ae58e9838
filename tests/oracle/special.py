"""Generated stays out of the ordinary: devices, emergencies, other employers, basic insurance
paid in another year, another province. Each makes one of them of an ordinary bill."""

from collections.abc import Callable
from random import Random
from typing import Any

from tests.oracle.worlds import DEVICES

Bill = dict[str, Any]
_SHARE = 0.5
"""So many of the bills are out of the ordinary."""
_USUAL = 0.88
_HOUR = 60
_LIVES = {1: (28, 31), 12: (365,), 24: (730,)}
"""Days before a device in March or April on which one of that life was fitted so long ago."""
_AROUND = (-30, -24, 1, 23, 24, 25, 71, 72, 73)
"""Hours after the admission around those by which an emergency is to be reported."""


def special(random: Random, bill: Bill) -> Bill:
    """The bill, or one out of the ordinary made of it."""
    if random.random() < _SHARE:
        random.choice(_AREAS)(random, bill)
    return bill


def _span(random: Random, bill: Bill, **more: Any) -> Bill:
    """Days that mostly cover the whole stay, and else begin or end around its ends or inside."""
    first, last = bill["stay"]["in"], bill["stay"]["out"]
    begin = first - 1 if random.random() < _USUAL else random.randint(first, last + 1)
    until = (last, last + 2) if random.random() < _USUAL else (first - 1, last)
    end = random.randint(*until)
    return {"from": begin, "to": max(begin, end), **more}


def _by(random: Random, competent: str, other: str) -> str:
    return other if random.random() < 0.05 else competent


_BOTH = ("MEDICAL", "DEVICE")
_OF_DEVICES = (_BOTH, _BOTH, _BOTH, _BOTH, ("DEVICE",), ("MEDICAL",))
_OF_TREATMENT = (_BOTH, _BOTH, ("MEDICAL",))
"""What the agreement of an institution that charges devices covers: mostly enough."""


# --- assistive devices -------------------------------------------------------------------------


def _fitting(random: Random, bill: Bill) -> None:
    """A device institution's own bill, or devices on the bill of a hospital."""
    if random.random() < 0.7:
        bill["stay"] |= {"treatment": "DEVICE", "confirmed": random.random() < 0.5}
    alone = bill["stay"]["treatment"] == "DEVICE"
    bill["hospital"]["kinds"] = random.choice(_OF_DEVICES if alone else _OF_TREATMENT)
    share = 0.9 if alone else 0.5
    codes = random.choices(DEVICES, k=3)
    for line in bill["lines"]:
        if not line["refund_of"] and random.random() < share:
            _as_device(random, line, random.choice(codes))
    for refund in bill["lines"]:
        names = {line["id"]: line["code"] for line in bill["lines"]}
        refund["code"] = names.get(refund["refund_of"], refund["code"])
    bill["devices"] = [_supplied(random, bill, code) for code in codes if random.random() < 0.5]
    spans = 2 if random.random() < 0.3 else 1
    bill["case"]["confirmed_devices"] = [
        _span(random, bill, by=_by(random, "COMMITTEE", "AGENCY"), codes=_confirmed(random, bill))
        for _ in range(spans)
    ]


def _confirmed(random: Random, bill: Bill) -> list[str]:
    """Mostly all that the bill charges, and else some of the devices that there are."""
    if random.random() < _USUAL:
        return sorted({line["code"] for line in bill["lines"]})
    return sorted({*random.choices(DEVICES, k=2)})


def _as_device(random: Random, line: Bill, code: str) -> None:
    met = random.choices((True, False, None), (60, 10, 30))[0]
    line |= {"code": code, "prescription": "", "met": met}


def _supplied(random: Random, bill: Bill, code: str) -> Bill:
    """A device paid for earlier: around one of the lives before it is charged, or later."""
    days = [line["day"] for line in bill["lines"] if line["code"] == code]
    day = random.choice(days or [bill["stay"]["in"]])
    rows = {key: row for one in bill["catalogue"] for key, row in one["rows"].items()}
    life = _LIVES[rows.get(code, {}).get("life", 12)]
    before = random.choice(life if random.random() < 0.8 else (0, 200))
    return {"code": code, "on": day - before + random.randint(-1, 1)}


# --- emergencies -------------------------------------------------------------------------------


def _emergency(random: Random, bill: Bill) -> None:
    """An emergency at a hospital without agreement or elsewhere, with and without approvals."""
    stay, case = bill["stay"], bill["case"]
    first, last = stay["in"], stay["out"]
    stay |= {"emergency": random.random() < 0.85, "confirmed": random.random() < 0.3}
    if stay["emergency"] and random.random() < 0.6:
        stay["stable"] = random.randint(first, min(first + 6, last))
    if random.random() < 0.6:
        stay["registered"] = random.choice(_AROUND[2:]) * _HOUR + random.randrange(2)
        case["reported"] = random.choice(_AROUND) * _HOUR + random.randrange(2)
    place = random.random()
    bill["hospital"] |= {
        "place": "REGION" if place > 0.8 else "HERE",
        "agreed": place > 0.7,
    }
    case["referral"] = _span(random, bill) if random.random() < 0.25 else None
    if random.random() < 0.4:
        begin = random.randint(first, last)
        case["emergencies"] = [
            {"from": begin, "to": begin + random.randrange(5), "by": _by(random, *_AGENCY)}
        ]
    if not stay["emergency"]:
        case["emergencies"].append(_span(random, bill, by=_by(random, *_AGENCY)))


_AGENCY = ("AGENCY", "COMMITTEE")


# --- other employers ---------------------------------------------------------------------------

_AT_INJURY = (
    *(("SECONDMENT", "ORIGINAL"), ("SECONDMENT", "HOST"), ("DISPATCH", "DISPATCHER")),
    *(("DISPATCH", "HOST"), ("SEVERAL", "AT_INJURY")),
)
_TIES = (*_AT_INJURY, None)


def _employers(random: Random, bill: Bill) -> None:
    """Another employer at the injury, successors, or both; each insured, joined or in arrears."""
    case = bill["case"]
    case |= {"insured": random.random() < 0.5, "roster": None, "joined": [], "arrears": []}
    bill["stay"]["confirmed"] = random.random() < 0.5
    tie = random.choice(_TIES)
    if tie is not None:
        case["employers"].append(_employer(random, bill, "E2", *tie))
    if tie is not None and random.random() < 0.15:
        case["employers"].append(_employer(random, bill, "E5", *random.choice(_AT_INJURY)))
    for number in ("E3", "E4")[: random.choice((0, 0, 1, 2) if tie else (1, 1, 2))]:
        case["employers"].append(_employer(random, bill, number, "SUCCESSION", "SUCCESSOR"))
    random.shuffle(case["employers"])
    _owing(random, bill)


def _employer(random: Random, bill: Bill, number: str, tie: str, role: str) -> Bill:
    """Of a succession, one around the injury as well as one in the stay."""
    event = bill["case"]["event"]
    chance, since = random.random(), random.randint(bill["stay"]["in"] - 1, bill["stay"]["out"])
    if random.random() < 0.3:
        since = event + random.choice((-40, -2, -1, 0, 0, 1))
    return {
        "number": number,
        "tie": tie,
        "role": role,
        "since": since,
        "insured": None if chance < 0.1 else chance < 0.75,
        "roster": event - random.choice((-7, -3, -1, 0, 1)) if random.random() < 0.15 else None,
    }


def _owing(random: Random, bill: Bill) -> None:
    case, first, last = bill["case"], bill["stay"]["in"], bill["stay"]["out"]
    begins = {"": first - 2} | {one["number"]: one["since"] for one in case["employers"]}
    for number, since in begins.items():
        if random.random() < (0.7 if number else 0.3):
            case["joined"].append({"of": number, **_joining(random, since, first, last)})
        if random.random() < (0.4 if number else 0.25):
            begin = random.choice((first - 30, first - 30, first, last))
            paid_up = random.choice((None, first, random.randint(first, last), first - 1))
            paid_up = None if paid_up is None else max(begin, paid_up)
            case["arrears"].append({"of": number, "from": begin, "paid_up": paid_up})


def _joining(random: Random, since: int, first: int, last: int) -> Bill:
    """Joined and paid after the employer came in, or around that day, or long before it."""
    begin = random.choice((max(since, first - 3), max(since, first - 3), since - 1, since - 400))
    settled = max(since, random.randint(first - 2, last))
    if random.random() < 0.5:
        settled = random.choice((begin, since - 1, since - 1, since, first - 1))
    return {"joined": begin, "settled": None if random.random() < 0.2 else settled}


# --- the year of basic insurance, premiums too low ---------------------------------------------


def _insurance_year(random: Random, bill: Bill) -> None:
    """Basic insurance paid and was given back, in its year or after it; premiums too low."""
    last = bill["stay"]["out"]
    bill["case"]["underpaid"] = random.random() < 0.5
    payments = [one for one in bill["stay"]["payments"] if one["payer"] != "basic_insurance"]
    for _ in range(random.choice((1, 1, 2))):
        paid = last + random.randint(-20, 60)
        given = None if random.random() < 0.2 else paid + random.randrange(200)
        asked = None if given is None or random.random() < 0.5 else given - random.randrange(40)
        payments.append(
            {
                "payer": "basic_insurance",
                "eligible": random.randrange(20_000),
                "meal": 0,
                "paid": paid,
                "year": random.choice((None, None, None, 2026)),
                "asked": asked,
                "given_back": given,
            }
        )
    bill["stay"]["payments"] = payments


# --- another province --------------------------------------------------------------------------


def _province(random: Random, bill: Bill) -> None:
    """A stay in another province, filed or not; some of them to be fitted with a device."""
    bill["hospital"] |= {"place": "PROVINCE", "online": random.random() < 0.92}
    case = bill["case"]
    case["referral"] = None
    if random.random() < 0.6:
        _fitting(random, bill)
    bill["stay"]["confirmed"] = random.random() < 0.3
    chance = random.random()
    case["filings"] = [
        _span(random, bill, here=random.random() < 0.93)
        for _ in range(0 if chance < 0.07 else 2 if chance < 0.2 else 1)
    ]
    if case["filings"] and random.random() < 0.3:
        # Filed so long ago that the months of the text end around or in the stay.
        case["filings"][0]["from"] -= random.randint(25, 200)


_AREAS: tuple[Callable[[Random, Bill], None], ...] = (
    _fitting,
    _emergency,
    _employers,
    _insurance_year,
    _province,
)
