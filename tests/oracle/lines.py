"""The line rules a second time, from the text of the calculation cases alone.

Nothing of the gateway is imported: a case comes as parsed JSON, every number is taken apart
here, and all arithmetic is on integers of 10^-10 yuan.
"""

from collections.abc import Mapping
from typing import Any

FUND, EMPLOYER, INDIVIDUAL, HOSPITAL, OTHER = (
    "fund",
    "employer",
    "individual",
    "hospital",
    "other",
)
PAYERS = (FUND, EMPLOYER, INDIVIDUAL, HOSPITAL, OTHER)
_TEN_BILLIONTHS_PER_FEN = 10**8
_WHOLE = 10**4
_Line = Mapping[str, Any]
_Params = Mapping[str, Any]


def number(text: str, places: int) -> int:
    """A decimal text as an integer of 10^-places."""
    negative = text.startswith("-")
    whole, _, decimals = text.lstrip("-").partition(".")
    value = int(whole) * 10**places + int((decimals + "0" * places)[:places] or "0")
    return -value if negative else value


def half_up(value: int, unit: int) -> int:
    """value / unit to the nearest integer, halves away from zero."""
    whole, rest = divmod(abs(value), unit)
    whole += 1 if rest + rest >= unit else 0
    return whole if value >= 0 else -whole


def product(price: int, count: int) -> int:
    """round(price × count) in fen: 10^-6 yuan by 10^-4."""
    return half_up(price * count, _TEN_BILLIONTHS_PER_FEN)


class Answer:
    """Who bears a line, in fen, and why."""

    def __init__(self) -> None:
        self.amount = 0
        self.shares = dict.fromkeys(PAYERS, 0)
        self.reasons: set[str] = set()

    def give(self, payer: str, fen: int, *reasons: str) -> None:
        """Let a payer bear this much; a reason counts only where money moved."""
        if fen:
            self.shares[payer] += fen
            self.reasons.update(reasons)


def line(case_line: _Line, params: _Params) -> Answer:
    """Who bears one line of a case."""
    answer = Answer()
    answer.amount = _amount(case_line)
    _share(answer, case_line, params)
    if case_line.get("window") == "late_application":
        taken, answer.shares[FUND] = answer.shares[FUND], 0
        answer.give(EMPLOYER, taken, "LATE_APPLICATION")
    return answer


def _amount(case_line: _Line) -> int:
    for written in ("amount", "charged"):
        if written in case_line:
            return number(case_line[written], 2)
    return product(number(case_line["price"], 6), number(case_line["qty"], 4))


def _share(answer: Answer, case_line: _Line, params: _Params) -> None:
    if case_line.get("relation") == "unrelated":
        answer.give(OTHER, answer.amount, "NOT_INJURY")
    elif case_line.get("violation"):
        answer.give(HOSPITAL, answer.amount, case_line["violation"])
    elif case_line.get("refuse_discharge"):
        answer.give(INDIVIDUAL, answer.amount, "REFUSED_DISCHARGE")
    elif case_line.get("in_cat") is False:
        answer.give(*_excess(case_line, params, answer.amount, "OUT_OF_CATALOGUE"))
    else:
        _split(answer, case_line, params)


def _excess(case_line: _Line, params: _Params, fen: int, reason: str) -> tuple[str, int, str]:
    """Who bears what lies outside the catalogue or above a ceiling."""
    if case_line.get("emergency_approved"):
        return FUND, fen, "EMERGENCY_APPROVED"
    if params.get("employer_not_notified"):
        return EMPLOYER, fen, "EMPLOYER_NOT_NOTIFIED"
    return case_line.get("payer") or params["no_consent_payer"], fen, reason


def _split(answer: Answer, case_line: _Line, params: _Params) -> None:
    within, eligible = eligible_fen(case_line)
    answer.give(HOSPITAL, answer.amount - within, "OVER_QTY")
    answer.give(*_excess(case_line, params, within - eligible, "OVER_CEILING"))
    fund = half_up(eligible * number(case_line.get("ratio", "1.00"), 4), _WHOLE)
    answer.give(FUND, fund)
    answer.give(params.get("ratio_payer", INDIVIDUAL), eligible - fund, "REGIONAL_RATIO")


def eligible_fen(case_line: _Line) -> tuple[int, int]:
    """P and E of a line in fen; an amount alone knows neither limit nor ceiling. What was charged
    beside a price stands until a limit cuts it, and nothing cut is more than what it was cut of."""
    within = _amount(case_line)
    if "amount" in case_line:
        return within, within
    price, count = number(case_line["price"], 6), number(case_line["qty"], 4)
    most = number(case_line["qty_limit"], 4) if "qty_limit" in case_line else count
    if most < count:
        count = most
        within = min(within, product(price, count), key=abs)
    top = number(case_line["ceiling"], 6) if "ceiling" in case_line else price
    eligible = min(within, product(top, count), key=abs) if top < price else within
    return within, eligible
