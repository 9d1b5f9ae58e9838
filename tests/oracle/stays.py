"""Generated stays with their bills, from a seed: dictionaries and integers, for the two
implementations alike.

Days are ordinals, minutes those of the day, prices 10^-6 yuan, quantities 10^-4, money fen.
"""

from collections.abc import Iterator
from random import Random
from typing import Any

from tests.oracle.lines import product
from tests.oracle.special import special
from tests.oracle.worlds import CODES, FIRST, World, world

BILLS_IN_A_WORLD = 40
_SIGNERS = ("employer", "individual")
_VIOLATIONS = ("DUPLICATE_CHARGE", "NO_ORDER", "OVER_FREQUENCY", "HANGING_BED", "SPLIT_STAY")
# Prices that end in half a fen after a ratio or a fraction of a quantity, beside ordinary ones.
_AWKWARD = (5_000, 1_005_000, 2_675_000, 333_300, 1, 50_000, 45_000_000, 130_000_000)
_QUANTITIES = (10000, 10000, 10000, 20000, 30000, 5000, 15000, 12345)
_MET = {"NEGOTIATED": (70, 15, 15), "SECONDARY": (5, 5, 90), "COURSE": (5, 5, 90)}
"""How often of a hundred lines a person found met, or not met, what only a person can tell."""
_LONGEST = 14
ORDINARY_STAY = {
    "treatment": "INPATIENT",
    "emergency": False,
    "stable": None,
    "confirmed": True,
    "registered": 0,
}
"""A stay that the agency confirmed; `registered` is told in minutes after the admission."""

Bill = dict[str, Any]


def stays(seed: int, count: int) -> Iterator[Bill]:
    """Bills, the same for the same seed; some forty after another in one world."""
    random = Random(seed)  # noqa: S311 - facts to settle, not a secret
    for serial in range(count):
        if serial % BILLS_IN_A_WORLD == 0:
            here = world(random)
        yield _bill(random, here, f"W{seed}-{serial}")


def _bill(random: Random, here: World, name: str) -> Bill:
    first = FIRST + random.randrange(20)
    last = first + random.randrange(_LONGEST + 1)
    lines = _lines(random, first, last)
    case = _case(random, first, last, lines)
    stay = _stay(random, first, last)
    if case["third_party"] == "CONFIRMED_PAID":
        stay["payments"].append(_payment("third_party", random.randrange(20_000), last))
    bill = {
        "id": name,
        **here,
        "stay": stay,
        "case": case,
        "hospital": {
            "level": random.choice(("tertiary", "secondary", "primary")),
            "place": "HERE" if case["referral"] is None else "REGION",
            "agreed": True,
            "online": True,
            "kinds": ("MEDICAL", "DEVICE"),
        },
        "devices": [],
        "others": _others(random, first),
        "lines": lines,
        "paid_by": random.choice(("nobody", "nobody", "nobody", "employer", "individual")),
    }
    return special(random, bill)


def _stay(random: Random, first: int, last: int) -> Bill:
    return {
        "in": first,
        "out": last,
        **ORDINARY_STAY,
        "leave": _some_days(random, first, last, 0.2),
        "hanging": _some_days(random, first, last, 0.12),
        "notified": random.choice((None, None, True, False)),
        "payments": _payments(random, last),
    }


def _some_days(random: Random, first: int, last: int, chance: float) -> list[int]:
    if random.random() >= chance:
        return []
    return sorted({random.randint(first, last) for _ in range(random.randint(1, 3))})


def _payments(random: Random, last: int) -> list[Bill]:
    found = []
    for payer, chance in (("basic_insurance", 0.1), ("employer", 0.12), ("individual", 0.08)):
        if random.random() < chance:
            meal = random.choice((0, 1000, 30000)) if payer == "employer" else 0
            found.append(_payment(payer, random.randrange(20_000), last, meal))
            given = random.choice((None, last))
            found[-1]["given_back"] = given if payer == "basic_insurance" else None
    return found


def _payment(payer: str, fen: int, day: int, meal: int = 0) -> Bill:
    told = {"payer": payer, "eligible": fen, "meal": meal, "paid": day}
    return told | {"year": None, "asked": None, "given_back": None}


def _others(random: Random, first: int) -> list[Bill]:
    """Another stay of the person, whose settlement paid the meals of some days."""
    if random.random() >= 0.12:
        return []
    begin = first - random.randint(0, 3)
    return [{"meal_days": list(range(begin, begin + random.randint(0, 4)))}]


def _case(random: Random, first: int, last: int, lines: list[Bill]) -> Bill:
    application = _application(random, first, last)
    cover = _insured(random, first, last)
    case: Bill = {
        **cover,
        **application,
        **_roster(random, application["event"], 0.08 if cover["insured"] else 0.3),
        "stops": [*_stop(random, first, last, False, 0.1), *_stop(random, first, last, True, 0.1)],
        "rescues": _rescues(random, lines),
        "referral": None,
        "paid_leave": [],
        "third_party": "NONE",
        "arrears": [],
        **ordinary_case(),
    }
    if random.random() < 0.12:
        case["referral"] = {"from": random.randint(first, last), "to": last + 3}
    elif random.random() < 0.2:
        case["paid_leave"] = _paid_leave(random, case["event"], first, last)
    if not case["insured"] or case["roster"] is not None:
        return case
    if random.random() < 0.35:
        case["arrears"] = [_arrears(random, first, last)]
    elif random.random() < 0.2:
        case["third_party"] = random.choice(("CONFIRMED_PAID", "CONFIRMED_UNPAID", "UNKNOWN_PARTY"))
    return case


def _paid_leave(random: Random, begin: int, first: int, last: int) -> list[Bill]:
    """A leave from the injury that ends around the stay, and perhaps another one after it."""
    found: list[Bill] = []
    for _ in range(random.randint(1, 2)):
        found.append({"from": begin, "to": max(begin, random.randint(first - 1, last))})
        begin = found[-1]["to"] + random.randint(1, 9)
    return found


def _roster(random: Random, event: int, chance: float) -> Bill:
    """A roster around the injury or of years ago; with it may be missing what was told of cover."""
    if random.random() >= chance:
        return {"roster": None}
    told = {"insured": None} if random.random() < 0.3 else {}
    return {"roster": event - random.choice((-9, -4, -1, 0, 0, 1, 1, 2000)), **told}


def _arrears(random: Random, first: int, last: int) -> Bill:
    """Arrears around the first or the last day of the stay, paid around the last or never."""
    begin = random.choice((first - 20, first - 20, first - 1, first, first + 1, last, last + 1))
    paid_up = random.choice((None, random.randint(first, last + 2), random.randint(first, last)))
    paid_up = None if paid_up is None else max(begin, paid_up)
    return {"of": "", "from": begin, "paid_up": paid_up}


def ordinary_case() -> Bill:
    """What is out of the ordinary and not told of a case; `reported` is told in minutes after the
    admission."""
    lists: Bill = {key: [] for key in ("employers", "confirmed_devices", "emergencies", "filings")}
    return {**lists, "underpaid": False, "reported": 0}


def _insured(random: Random, first: int, last: int) -> Bill:
    if random.random() >= 0.12:
        return {"insured": True, "joined": []}
    joined = [_joined(random, random.randint(first - 2, last))]
    if random.random() < 0.25:
        # Another time, around the injury or long before it.
        joined.append(_joined(random, first - random.choice((0, 1, 2, 11, 30, 500))))
    return {"insured": False, "joined": joined[random.choice((0, 0, 0, -1)) :]}


def _joined(random: Random, settled: int) -> Bill:
    """An employer that joined shortly before it paid, or years before."""
    return {"of": "", "joined": settled - random.choice((0, 1, 2, 700)), "settled": settled}


def _application(random: Random, first: int, last: int) -> Bill:
    """Applied for in time on most days, around the last day of the time on the others."""
    chance = random.random()
    if chance < 0.6:
        event = first - random.choice((0, 0, 1, 10))
        return _applied(event, event, event)
    if chance < 0.64:
        # An occupational disease, diagnosed in the stay and applied for too late.
        event = random.randint(first, last)
        return _applied(event, event + 40, event + 45) | {"injured": event - 100}
    applied = random.randint(first - 2, last + 2)
    event = min(first, applied - random.choice((14, 15, 16, 29, 30, 31, 32)))
    case = _applied(event, applied, applied + random.randrange(6))
    if random.random() < 0.03:
        case["accepted"] = None
    case["applied_by"] = random.choice(("", "", "EMPLOYER", "WORKER", "UNION"))
    if random.random() < 0.15:
        case["extended"] = applied - random.randrange(2)
    return case


def _applied(event: int, applied: int, accepted: int | None) -> Bill:
    return {
        "injured": event,
        "event": event,
        "applied": applied,
        "accepted": accepted,
        "applied_by": "",
        "extended": None,
    }


def _stop(random: Random, first: int, last: int, discharge: bool, chance: float) -> list[Bill]:
    if random.random() >= chance:
        return []
    begin = random.randint(first + 1, last + 1)
    end = random.choice((None, begin, begin + 2))
    return [{"discharge": discharge, "from": begin, "to": end}]


def _rescues(random: Random, lines: list[Bill]) -> list[Bill]:
    """An approval that names originals of the bill, for days around their own."""
    originals = [line for line in lines if not line["refund_of"]]
    if not originals or random.random() >= 0.2:
        return []
    named = random.sample(originals, min(len(originals), random.randint(1, 2)))
    begin = named[0]["day"] - random.randint(-1, 2)
    return [
        {
            "lines": [line["id"] for line in named],
            "from": begin,
            "to": begin + random.randrange(4),
        }
    ]


def _lines(random: Random, first: int, last: int) -> list[Bill]:
    """At most eight lines in any order of time; some are given back in up to three parts."""
    lines: list[Bill] = []
    most = random.randint(0, 8)
    few = random.sample(CODES, 3)
    while len(lines) < most:
        code = random.choice(few if random.random() < 0.7 else CODES)
        lines.append(
            _line(random, f"L{len(lines)}", code, random.randint(first - 1, last + 1), first, last)
        )
        if random.random() < 0.25:
            lines += _refunds(random, lines[-1], most - len(lines), last)
    random.shuffle(lines)
    return lines


def _line(random: Random, line_id: str, code: str, day: int, first: int, last: int) -> Bill:
    price = random.choice(_AWKWARD) if random.random() < 0.3 else random.randrange(9999) * 10**4
    if random.random() < 0.1:
        price += random.randrange(10**4)
    qty = random.choice(_QUANTITIES)
    line = line_of(line_id, code, day, price, qty)
    line["minute"] = random.randrange(1440)
    odd = random.random()
    if odd < 0.07:
        line["relation"] = "unrelated"
    elif odd < 0.075:
        line["relation"] = "undetermined"
    elif odd < 0.15:
        line["violation"] = random.choice(_VIOLATIONS)
    if random.random() < 0.4:
        line["consent"] = random.choice(_SIGNERS)
        signed = day + random.choice((-3, 0, 0, 1))
        line["signed"] = signed if random.random() < 0.1 else None
    line["reviewed"] = random.random() < (0.1 if first <= day <= last else 0.85)
    line["met"] = random.choices((True, False, None), _MET.get(code, (3, 3, 94)))[0]
    if code.startswith("PIECE"):
        line["prescription"] = random.choice(("", "RX1", "RX1", "RX2"))
    return line


def line_of(line_id: str, code: str, day: int, price: int, qty: int) -> Bill:
    """A line for the injury of which nothing more is said."""
    return {
        "id": line_id,
        "code": code,
        "day": day,
        "minute": 0,
        "price": price,
        "qty": qty,
        "amount": product(price, qty),
        "refund_of": "",
        "relation": "injury",
        "consent": None,
        "violation": "",
        "reviewed": False,
        "met": None,
        "signed": None,
        "prescription": "",
    }


def _refunds(random: Random, original: Bill, room: int, last: int) -> list[Bill]:
    """Parts of an original given back later, at most the whole of it; a refund says nothing of
    relation, consent or violation, for it inherits them."""
    found: list[Bill] = []
    left, left_fen = original["qty"], original["amount"]
    for part in range(random.randint(1, 3)):
        back = min(left, random.choice((left, 10000, 5000, 3333)))
        fen = product(original["price"], back)
        if back == left and (fen > left_fen or random.random() < 0.5):
            fen = left_fen  # what completes the parts gives back the rest, however they rounded
        if not back or fen > left_fen or len(found) >= room:
            break
        left, left_fen = left - back, left_fen - fen
        day = random.randint(original["day"], max(last, original["day"]))
        refund = line_of(
            f"{original['id']}R{part}", original["code"], day, original["price"], -back
        )
        found.append(refund | {"refund_of": original["id"], "amount": -fen, "minute": part})
    return found
