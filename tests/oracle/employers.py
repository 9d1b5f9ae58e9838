"""Which of several employers is liable, a second time, from the papers alone."""

from collections.abc import Mapping
from typing import Any

from tests.oracle.windows import in_force

Facts = Mapping[str, Any]
_REPORTED = "E1"


def disagree(bill: Facts) -> bool:
    """Whether what was told makes more than one employer answer. At the injury one does: who
    lent the worker (第四十三条第三款), who sent it out, or where it was hurt (浙 第二十九条第二款).
    Of two successors of one day the law does not say which goes on for the old employer."""
    others = bill["case"]["employers"]
    at_injury = {
        one["number"] if _is_liable(bill, one) else _REPORTED
        for one in others
        if one["tie"] != "SUCCESSION"
    }
    took_over = [one["since"] for one in _successors(bill["case"])]
    return len(at_injury) > 1 or len(set(took_over)) < len(took_over)


def liable(bill: Facts) -> dict[str, Any]:
    """The employer that answers: its number, whether it had insured the worker at the injury,
    when it joined and what it owes. Whoever had taken over by the day of the injury was the
    employer then. Who takes over later answers as the one before it did, and for what it owes
    itself from the day on which it took over (第四十三条第一款)."""
    case, event = bill["case"], bill["case"]["event"]
    employer = next((one for one in case["employers"] if _is_liable(bill, one)), None)
    in_turn = sorted(_successors(case), key=lambda one: int(one["since"]))
    later = [one for one in in_turn if one["since"] > event]
    if len(later) < len(in_turn):
        employer = in_turn[-len(later) - 1]
    found = _answering(case, employer)
    for successor in later:
        found["number"] = successor["number"]
        found["joined"] += _joined(case, successor, successor["since"])
        found["arrears"] += [
            owed | {"from": max(owed["from"], successor["since"])}
            for owed in _of(case["arrears"], successor["number"])
        ]
    return found


def _answering(case: Facts, employer: Facts | None) -> dict[str, Any]:
    told, named = (case, "") if employer is None else (employer, employer["number"])
    return {
        "number": named or _REPORTED,
        "insured": told["insured"],
        "roster": told["roster"],
        "joined": _joined(case, employer, case["event"]),
        "arrears": _of(case["arrears"], named),
    }


def _joined(case: Facts, employer: Facts | None, uncovered: int) -> list[Facts]:
    """When the employer joined, each with its roster and the first day that the injury found
    without cover: only what comes after that makes good what lacked (第六十二条第三款)."""
    roster = (case if employer is None else employer)["roster"]
    told = _of(case["joined"], "" if employer is None else employer["number"])
    return [one | {"uncovered": uncovered, "roster": roster} for one in told]


def _of(told: list[Any], number: str) -> list[Any]:
    return [one for one in told if one["of"] == number]


def _successors(case: Facts) -> list[Facts]:
    return [one for one in case["employers"] if one["tie"] == "SUCCESSION"]


def _is_liable(bill: Facts, other: Facts) -> bool:
    """Whether another employer at the injury is liable in place of the one that reported: the
    original one of a worker lent, the one where a worker with several jobs was hurt, and of a
    dispatched worker the one that the region names."""
    event = bill["case"]["event"]
    names = {
        "SECONDMENT": "ORIGINAL",
        "SEVERAL": "AT_INJURY",
        "DISPATCH": in_force(bill, "employer/liable_when_dispatched", event),
    }
    return bool(names.get(other["tie"]) == other["role"])
