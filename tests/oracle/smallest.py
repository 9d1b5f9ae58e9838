"""The smallest bill that still shows a difference, and how to print it."""

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

from tests.oracle.lines import product
from tests.oracle.stays import ORDINARY_STAY, ordinary_case
from tests.oracle.worlds import ALWAYS, ORDINARY

Bill = dict[str, Any]
_LINE: Bill = {
    "consent": None,
    "violation": "",
    "relation": "injury",
    "reviewed": False,
    "met": None,
    "signed": None,
    "prescription": "",
    "minute": 0,
}
_STAY: Bill = {"leave": [], "hanging": [], "notified": None, "payments": [], **ORDINARY_STAY}
_CASE: Bill = {
    "stops": [],
    "rescues": [],
    "paid_leave": [],
    "third_party": "NONE",
    "insured": True,
    "applied": None,
    "extended": None,
    "roster": None,
    "arrears": [],
    "joined": [],
    **ordinary_case(),
}
_HOSPITAL: Bill = {"place": "HERE", "agreed": True, "online": True}
_HOSPITAL |= {"kinds": ("MEDICAL", "DEVICE")}
_DAYS = frozenset(
    {
        *("in", "out", "leave", "hanging", "paid", "given_back", "meal_days", "day", "from", "to"),
        *("injured", "event", "applied", "accepted", "extended", "joined", "settled"),
        *("roster", "paid_up", "since", "stable", "asked", "on"),
    }
)


def smallest(bill: Bill, differs: Callable[[Bill], bool]) -> Bill:
    """The bill without everything that the difference does not need."""
    while (less := next(filter(differs, _simpler(bill)), None)) is not None:
        bill = less
    return bill


def _simpler(bill: Bill) -> Iterator[Bill]:
    """Bills with one thing less."""
    for line in bill["lines"]:
        gone = {line["id"]}
        yield bill | {"lines": [one for one in bill["lines"] if not gone & _names(one)]}
    yield from _plainer_lines(bill)
    for part, plain in (("stay", _STAY), ("case", _CASE), ("hospital", _HOSPITAL)):
        for key, ordinary in plain.items():
            for value in (ordinary, *_without_one(bill[part][key])):
                if bill[part][key] != value:
                    yield bill | {part: bill[part] | {key: value}}
    if bill["case"]["referral"] is not None:
        yield bill | {
            "case": bill["case"] | {"referral": None},
            "hospital": bill["hospital"] | {"place": "HERE"},
        }
    for key, ordinary in (("others", []), ("devices", []), ("paid_by", "nobody")):
        if bill[key] != ordinary:
            yield bill | {key: ordinary}
    yield from _plainer_policies(bill)


def _names(line: Bill) -> set[str]:
    return {line["id"], line["refund_of"]}


def _without_one(value: Any) -> Iterator[Any]:
    if isinstance(value, list) and len(value) > 1:
        for place in range(len(value)):
            yield value[:place] + value[place + 1 :]


def _plainer_lines(bill: Bill) -> Iterator[Bill]:
    refunded = {line["refund_of"] for line in bill["lines"]}
    for place, line in enumerate(bill["lines"]):
        plainer = [line | {key: value} for key, value in _LINE.items() if line[key] != value]
        if not line["refund_of"] and line["id"] not in refunded:
            plainer += [_repriced(line, 10**6, line["qty"]), _repriced(line, line["price"], 10**4)]
        for one in plainer:
            if one != line:
                yield bill | {"lines": [*bill["lines"][:place], one, *bill["lines"][place + 1 :]]}


def _repriced(line: Bill, price: int, qty: int) -> Bill:
    return line | {"price": price, "qty": qty, "amount": product(price, qty)}


def _plainer_policies(bill: Bill) -> Iterator[Bill]:
    for key, ordinary in ORDINARY.items():
        if bill["policy"].get(key) != [(ALWAYS, ordinary)]:
            yield bill | {"policy": bill["policy"] | {key: [(ALWAYS, ordinary)]}}


def shown(bill: Bill) -> Bill:
    """The bill to print: days as dates, the policy where it is not ordinary, and of the catalogue
    the rows that are charged."""
    codes = {line["code"] for line in bill["lines"]}
    rows = {key: _listed(bill[key], codes) for key in ("catalogue", "catalogue_there")}
    values = {
        key: [{"since": since, "is": value} for since, value in told]
        for key, told in bill["policy"].items()
        if told != [(ALWAYS, ORDINARY.get(key))]
    }
    return _dated(bill | {"policy": values} | rows)


def _listed(catalogue: list[Bill], codes: set[str]) -> list[Bill]:
    charged = (one | {"rows": _charged(one["rows"], codes)} for one in catalogue)
    return [one for one in charged if one["rows"]]


def _charged(rows: Bill, codes: set[str]) -> Bill:
    return {code: row for code, row in rows.items() if code in codes}


def _dated(told: Any, key: str = "") -> Any:
    if isinstance(told, dict):
        return {one: _dated(value, one) for one, value in told.items()}
    if isinstance(told, list | tuple):
        return [_dated(value, key) for value in told]
    days = key in (*_DAYS, "agreed") and isinstance(told, int) and not isinstance(told, bool)
    return date.fromordinal(told).isoformat() if days else told
