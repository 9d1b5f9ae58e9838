"""The whole bill a second time: dictionaries and integers, from the text of the rules alone.

Nothing of the gateway is imported. A bill comes as `tests/oracle/stays.py` makes it: days are
ordinals, prices 10^-6 yuan, quantities and ratios 10^-4, money fen. Where the papers leave an
order open, the reading taken is said beside it.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tests.oracle import places, windows
from tests.oracle.devices import Supplied
from tests.oracle.employers import disagree, liable
from tests.oracle.lines import (
    EMPLOYER,
    FUND,
    HOSPITAL,
    INDIVIDUAL,
    OTHER,
    PAYERS,
    half_up,
    product,
)
from tests.oracle.meals import allowance
from tests.oracle.payees import paid_by, payees
from tests.oracle.places import confirmed
from tests.oracle.windows import in_force, served, stopped, window

Facts = Mapping[str, Any]
Shares = dict[str, int]
_WHOLE = 10**4
_PIECE = "饮片"
_BY_CONSENT = {"OUT_OF_CATALOGUE", "LIMIT_NOT_MET", "LIFE_NOT_ENDED", "OVER_CEILING"}
_BY_LAW = {"BEFORE_COVER", "EMPLOYER_IN_ARREARS", "LATE_APPLICATION"}


def settled(facts: Facts) -> dict[str, Any]:
    """The bill's lines, payers, meals and payees; or the ends of which it must have one: refused,
    by hand or held. Which of several is told first stands in no text."""
    if disagree(facts):
        return {"ends": {"hold PENDING_CHECK"}}
    bill = dict(facts) | {"liable": liable(facts)}
    waits = {*windows.ends(bill), *places.ends(bill)}
    if waits:
        return {"ends": waits}
    shares, reasons = _lines(bill, waits)
    split = _summed(shares.values())
    meals = allowance(bill)
    paid = payees(bill, split, meals["amount"], waits)
    if paid_by(bill, "third_party") and any(why & _BY_LAW for why in reasons.values()):
        # 基金或者用人单位: whose part is less by what the third party paid stands in no text.
        waits.add("manual THIRD_PARTY")
    if waits:
        return {"ends": waits}
    return {
        "lines": shares,
        "reasons": reasons,
        "split": split,
        "liable": bill["liable"]["number"],
        "meal": meals,
        "paid": paid,
    }


def _summed(shares: Iterable[Shares]) -> Shares:
    sums = dict.fromkeys(PAYERS, 0)
    for one in shares:
        for payer in PAYERS:
            sums[payer] += one[payer]
    return sums


def _lines(bill: Facts, waits: set[str]) -> tuple[dict[str, Shares], dict[str, set[str]]]:
    """Every line by its id: an original as if nothing were given back, a refund by what it
    changes of the pair; and why the originals are borne as they are."""
    course, counted, supplied = _Course(), _Counted(), Supplied(bill)
    shares: dict[str, Shares] = {}
    reasons: dict[str, set[str]] = {}
    for pair in _pairs(bill["lines"]):
        terms = _terms(bill, pair, course, supplied, waits)
        terms["allowed"] = counted.allowed(pair, terms)
        before, why = _borne(terms, pair["original"], pair["steps"][0])
        reasons[pair["original"]["id"]] = why
        shares[pair["original"]["id"]] = before
        if "OVER_QTY" in reasons[pair["original"]["id"]] and not terms["beyond"]:
            waits.add("hold POLICY_GAP")
        asked = reasons[pair["original"]["id"]] & _BY_CONSENT
        if asked and _too_late(pair["original"]) and pair["original"]["met"] is None:
            waits.add("hold LINES_IN_REVIEW")
        for refund, step in zip(pair["refunds"], pair["steps"][1:], strict=True):
            after, why = _borne(terms, pair["original"], step)
            shares[refund["id"]] = {payer: after[payer] - before[payer] for payer in PAYERS}
            before = after
        if "life" in terms.get("row", ()):
            kept = pair["steps"][-1][0]
            kept = kept if terms["allowed"] is None else min(kept, terms["allowed"])
            supplied.add(pair["original"], kept, before[FUND] > 0 or bool(why & _BY_LAW))
    if supplied.to_compare():
        waits.add("hold LINES_IN_REVIEW")
    return shares, reasons


def _pairs(lines: list[Facts]) -> Iterator[dict[str, Any]]:
    """Originals in order of time, each with its refunds in order of time and the quantity and
    amount that each of them leaves."""
    ordered = sorted(lines, key=lambda line: (line["day"], line["minute"], line["id"]))
    back = defaultdict(list)
    for line in ordered:
        back[line["refund_of"]].append(line)
    for original in back[""]:
        steps = [(original["qty"], original["amount"])]
        for refund in back[original["id"]]:
            qty, amount = steps[-1]
            steps.append((qty + refund["qty"], amount + refund["amount"]))
        yield {"original": original, "refunds": back[original["id"]], "steps": steps}


class _Course:
    """The days on which a drug was used that the list pays for so many days."""

    def __init__(self) -> None:
        self.days: dict[str, set[int]] = defaultdict(set)

    def over(self, pair: Facts, most: int) -> bool:
        """Whether the day is one too many. One whose use was given back whole is none for the
        days that follow."""
        code, day = pair["original"]["code"], pair["original"]["day"]
        before = len(self.days[code] - {day})
        if pair["steps"][-1][0] > 0:
            self.days[code].add(day)
        return before >= most


class _Counted:
    """How much of every code the lines before have used up, in a day and in the stay."""

    def __init__(self) -> None:
        self.used: dict[Any, int] = defaultdict(int)

    def allowed(self, pair: Facts, terms: Facts) -> int | None:
        """What is left for this line; it uses up what it keeps after its refunds."""
        line, row = pair["original"], terms.get("row")
        if row is None:
            return None
        places = {"per_day": (line["code"], line["day"]), "per_stay": line["code"]}
        left = [
            max(0, row[limit] - self.used[place])
            for limit, place in places.items()
            if row.get(limit) is not None
        ]
        allowed = min(left, default=None)
        net = pair["steps"][-1][0]
        for place in places.values():
            self.used[place] += net if allowed is None else min(net, allowed)
        return allowed


def _terms(
    bill: Facts, pair: Facts, course: _Course, supplied: Supplied, waits: set[str]
) -> dict[str, Any]:
    """What takes the line: one payer whole, or the catalogue row with ceiling and ratio."""
    line = pair["original"]
    if line["relation"] == "undetermined":
        waits.add("hold LINES_IN_REVIEW")
    taken = _taken_whole(bill, line)
    if taken:
        return {"whole": taken}
    if not line["reviewed"]:
        waits |= _unseen(bill, line["day"])
    moved = window(bill, line["day"])
    over = _excess_payer(bill, line)
    row = _row(bill, line["code"], line["day"])
    excluded = _excluded(bill, pair, row, course)
    unpaid = excluded == "OUT_OF_CATALOGUE" and over[1] != "EMERGENCY_APPROVED"
    if not unpaid and not line["reviewed"] and not places.agreed_for(bill, row):
        waits.add("hold LINES_IN_REVIEW")
    if excluded:
        return {"whole": (over[0], over[1] or excluded), "moved": moved}
    if "life" in row:
        if not confirmed(bill, line["day"], line["code"]):
            waits.add("hold APPROVAL")
        if line["met"] is False or supplied.in_use(line["code"], line["day"], row["life"]):
            # Approved for rescue or not: its life is not over.
            payer, reason = _not_the_funds(bill, line)
            return {"whole": (payer, reason or "LIFE_NOT_ENDED")}
    if _on_the_worker(line, row, over[0]):
        over = _unsigned(bill, line)
        if line["met"] is None or over[0] == INDIVIDUAL:
            waits.add("hold LINES_IN_REVIEW")
    return {"row": row, "top": _ceiling(bill, row), "over": over, "moved": moved} | _ratio(
        bill, line, row
    )


def _unseen(bill: Facts, day: int) -> set[str]:
    """For what a day waits until a person has seen the line: what was treated before there was
    an injury, only a person can tell; what was done on no day of the stay is an outpatient's, whose
    fees are settled as the region says (威海: by hand). Who was hurt the evening before is brought
    in the same night, and first aid is of the stay. A device is fitted in no stay at all."""
    stay, hurt = bill["stay"], bill["case"]["event"]
    if day < min(hurt, stay["in"]):
        return {"hold LINES_IN_REVIEW"}
    if hurt + 1 == stay["in"] == day + 1:
        return set()
    if stay["treatment"] == "DEVICE" or stay["in"] <= day <= stay["out"]:
        return set()
    ways = {"MANUAL": {"hold LINES_IN_REVIEW"}, None: {"hold POLICY_GAP"}}
    return ways.get(in_force(bill, "scope/outpatient", day), set())


def _taken_whole(bill: Facts, line: Facts) -> tuple[str, str] | None:
    """Relation, violation, stopped benefits, the end of an emergency, refused discharge, in this
    order: what a hospital may not charge at all nobody else bears."""
    day = line["day"]
    if line["relation"] == "unrelated":
        return OTHER, "NOT_INJURY"
    if line["violation"]:
        return HOSPITAL, line["violation"]
    if stopped(bill, day):
        return OTHER, "BENEFIT_STOPPED"
    if over := places.overstayed(bill, day):
        return OTHER, over
    if served(bill, day):
        return in_force(bill, "line/refused_discharge_payer", day), "REFUSED_DISCHARGE"
    return None


def _excess_payer(bill: Facts, line: Facts) -> tuple[str, str]:
    """Who bears what is outside the catalogue or above a ceiling, and the reason that says so
    instead of the ordinary one."""
    day = line["day"]
    for approval in bill["case"]["rescues"]:
        if line["id"] in approval["lines"] and approval["from"] <= day <= approval["to"]:
            return FUND, "EMERGENCY_APPROVED"
    return _not_the_funds(bill, line)


def _not_the_funds(bill: Facts, line: Facts) -> tuple[str, str]:
    payer, reason = _unsigned(bill, line)
    if reason or (_too_late(line) and line["met"] is False):
        return payer, reason
    return line["consent"] or payer, ""


def _unsigned(bill: Facts, line: Facts) -> tuple[str, str]:
    """Who bears what nobody signed for."""
    day = line["day"]
    named = in_force(bill, "line/not_notified_payer", day)
    if bill["stay"]["notified"] is False and named:
        return named, "EMPLOYER_NOT_NOTIFIED"
    return in_force(bill, "line/no_consent_payer", day), ""


def _too_late(line: Facts) -> bool:
    """Whether somebody signed only after the day: what that is worth stands in no text."""
    return line["signed"] is not None and bool(line["signed"] > line["day"])


def _row(bill: Facts, code: str, day: int) -> Facts | None:
    """The catalogue row of the code on the service day."""
    for edition in _catalogue(bill):
        if edition["from"] <= day <= edition["to"] and code in edition["rows"]:
            return edition["rows"][code] | {"kind": edition["kind"]}
    return None


def _catalogue(bill: Facts) -> list[Facts]:
    """Across provinces that of the place of treatment, but of a device that of the insured
    place."""
    there = bill["hospital"]["place"] == "PROVINCE" and bill["stay"]["treatment"] != "DEVICE"
    found: list[Facts] = bill["catalogue_there" if there else "catalogue"]
    return found


def _excluded(bill: Facts, pair: Facts, row: Facts | None, course: _Course) -> str:
    """Why nothing of the line is payable; empty when it is."""
    line, day = pair["original"], pair["original"]["day"]
    if row is None or not row.get("payable", True) or row.get("insurance") == "maternity":
        return "OUT_OF_CATALOGUE"
    first, last = row.get("agreed", (day, day))
    if not first <= day <= last:
        return "OUT_OF_CATALOGUE"
    if row.get("alone") and not _in_company(bill, line):
        return "OUT_OF_CATALOGUE"
    over = "course" in row and course.over(pair, row["course"])
    bound = "levels" in row or "course" in row
    if not bound or not in_force(bill, "line/apply_drug_limits", day):
        return ""
    level = bill["hospital"]["level"] in row.get("levels", (bill["hospital"]["level"],))
    return "LIMIT_NOT_MET" if over or not level or line["met"] is False else ""


def _in_company(bill: Facts, line: Facts) -> bool:
    """Whether the prescription holds a piece that is not such a piece, and was not given back."""
    return bool(line["prescription"]) and any(
        pair["steps"][-1][0] > 0
        and pair["original"]["prescription"] == line["prescription"]
        and (row := _row(bill, pair["original"]["code"], pair["original"]["day"])) is not None
        and row.get("section") == _PIECE
        and not row.get("alone")
        for pair in _pairs(bill["lines"])
    )


def _ceiling(bill: Facts, row: Facts) -> int | None:
    by_level = row.get("ceilings", {})
    return by_level.get(bill["hospital"]["level"], by_level.get("every", row.get("standard")))


def _on_the_worker(line: Facts, row: Facts, payer: str) -> bool:
    """A price above the standard of a negotiated drug is not the worker's, even if signed,
    before a person has found that it is (law check, on E15)."""
    above = row.get("standard") is not None and line["price"] > row["standard"]
    return above and payer == INDIVIDUAL and line["met"] is not True


def _ratio(bill: Facts, line: Facts, row: Facts) -> dict[str, Any]:
    return {
        "beyond": in_force(bill, "line/over_quantity_payer", line["day"]),
        "ratio": in_force(bill, f"line/ratio_{row['kind']}", line["day"]),
        "rest": in_force(bill, "line/ratio_payer", line["day"]),
    }


def _borne(terms: Facts, line: Facts, step: tuple[int, int]) -> tuple[Shares, set[str]]:
    """Who bears this quantity and amount of the line, and why."""
    shares, reasons = dict.fromkeys(PAYERS, 0), set()
    for payer, fen, reason in _parts(terms, line, step):
        if fen:
            shares[payer] += fen
            reasons.add(reason)
    moved = terms.get("moved")
    if moved and shares[FUND]:
        shares[EMPLOYER] += shares[FUND]
        shares[FUND] = 0
        reasons.add(moved)
    return shares, reasons - {""}


def _parts(terms: Facts, line: Facts, step: tuple[int, int]) -> Iterator[tuple[str, int, str]]:
    """The amount cut by quantity, ceiling and ratio: who bears each piece, and why."""
    qty, amount = step
    if "whole" in terms:
        payer, reason = terms["whole"]
        yield payer, amount, reason
        return
    price, allowed, top = line["price"], terms["allowed"], terms["top"]
    count = qty if allowed is None else min(qty, allowed)
    best = price if top is None else min(price, top)
    within = amount if count == qty else min(amount, product(price, count))
    # What no ceiling cuts is eligible as charged: refunds that were each rounded may leave
    # another amount than price × quantity.
    eligible = within if best == price else min(within, product(best, count))
    fund = half_up(eligible * terms["ratio"], _WHOLE)
    payer, reason = terms["over"]
    yield terms["beyond"] or HOSPITAL, amount - within, "OVER_QTY"
    yield payer, within - eligible, reason or "OVER_CEILING"
    yield FUND, fund, ""
    yield terms["rest"], eligible - fund, "REGIONAL_RATIO"
