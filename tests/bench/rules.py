"""A 300-line bill by the rules, beside a bare loop over dictionaries: the same fen, line by line.

The rules are measured whole, as the gateway decides a bill: entitlement, every line with its
reasons, sources and steps, the meal allowance and the audit. What the loop does is what no
implementation can leave out: it puts the lines in order of time, nets refunds, keeps the limit
per day, looks up the row, cuts at the ceiling, rounds, and says what each of five payers bears
of every line, which the two must agree on. It is given the same lines in the same order as plain
dictionaries, and the catalogue as one dictionary of a day.
"""

import gc
from collections.abc import Callable, Sequence
from operator import itemgetter
from time import process_time
from typing import Any

from gateway.domain.bill import BillLine, BillVerdict, Relation
from gateway.domain.catalogue import InsuranceLimit
from gateway.domain.split import Payer
from gateway.policy.model import Policy
from gateway.rules.settle import Bill, settle
from tests.bench.bill import a_real_bill
from tests.forgetting import Forget, caches
from tests.rules.facts import example_policy

_ROUNDS, _MEASURED = 12, 20
_FEN = 2 * 10**8
_RATIO = 10_000
_IN_TIME = itemgetter("at", "id")
Borne = dict[str, dict[str, int]]


def rules_over_bare_loop() -> dict[str, float]:
    """Milliseconds of processor time for one bill and their ratio; the best of many rounds.

    Every round has bills that nobody has seen before, as a day at the hospital has. Warm, the
    rules may use what they know of its charges from the bills before them, which is most of
    it, for the hospital charges from one list; cold, all of that is emptied before each bill, as
    after a start or the import of a catalogue. Each is over the bare loop of its own rounds.
    """
    policy = example_policy()
    _check_all(_bills(0), policy)
    # Found before the collector is told to let them alone.
    everything = caches()
    bare, warm = _best(policy, range(1, _ROUNDS + 1), ())
    bare_beside_cold, cold = _best(policy, range(_ROUNDS + 1, 2 * _ROUNDS + 1), everything)
    gc.unfreeze()
    return {
        "bare_loop_300_ms": bare / _MEASURED * 1000,
        "rules_300_ms": warm / _MEASURED * 1000,
        "rules_300_over_bare_loop": warm / bare,
        "rules_300_cold_ms": cold / _MEASURED * 1000,
        "rules_300_cold_over_bare_loop": cold / bare_beside_cold,
    }


def _bills(turn: int) -> list[Bill]:
    """The bills of a round, which no other round has."""
    return [a_real_bill(number) for number in range(turn * _MEASURED, (turn + 1) * _MEASURED)]


def _best(policy: Policy, turns: range, forgotten: Sequence[Forget]) -> tuple[float, float]:
    """The least seconds of the bare loop and of the rules for the bills of a round, with this
    forgotten before each bill."""
    bare, rules = list[float](), list[float]()
    for turn in turns:
        bills = _bills(turn)
        loops = [as_dictionaries(bill) for bill in bills]
        # The bills at hand are neither side's work: the collector need not go through them.
        gc.collect()
        gc.freeze()
        bare.append(seconds_of(lambda: [priced_barely(*loop) for loop in loops]))  # noqa: B023
        rules.append(_seconds_of_rules(bills, policy, forgotten))
        _check_all(bills, policy)
    return min(bare), min(rules)


def _seconds_of_rules(bills: list[Bill], policy: Policy, forgotten: Sequence[Forget]) -> float:
    """Of all bills together; forgetting is not the work of the rules and takes no time."""
    if not forgotten:
        return seconds_of(lambda: [settle(bill, policy) for bill in bills])
    return sum(_after(forgotten, lambda: settle(bill, policy)) for bill in bills)  # noqa: B023


def _after(forgotten: Sequence[Forget], work: Callable[[], object]) -> float:
    for forget in forgotten:
        forget()
    return seconds_of(work)


def seconds_of(work: Callable[[], object]) -> float:
    began = process_time()
    work()
    return process_time() - began


def as_dictionaries(bill: Bill) -> tuple[list[dict[str, Any]], dict[str, dict[str, Any]]]:
    return [as_dictionary(line) for line in bill.lines], catalogue_of(bill)


def _check_all(bills: list[Bill], policy: Policy) -> None:
    for bill in bills:
        _check(settle(bill, policy), priced_barely(*as_dictionaries(bill)))


def _check(verdict: object, borne: Borne) -> None:
    if not isinstance(verdict, BillVerdict) or borne != _told(verdict):
        raise AssertionError("the bare loop and the rules give different fen")
    if not all(line.citations and line.steps for line in verdict.lines):
        raise AssertionError("a line without sources or steps")


def _told(verdict: BillVerdict) -> Borne:
    return {
        line.line_id: {payer.value: line.split.borne_by(payer) for payer in Payer}
        for line in verdict.lines
    }


def as_dictionary(line: BillLine) -> dict[str, Any]:
    return {
        "id": line.line_id,
        "at": line.occurred_at,
        "refund_of": line.refund_of,
        "day": line.service_day,
        "code": line.code,
        "price": line.price,
        "qty": line.quantity,
        "amount": line.amount_fen,
        "unrelated": line.relation is Relation.UNRELATED,
        "consent": line.consent.value if line.consent else None,
    }


def catalogue_of(bill: Bill) -> dict[str, dict[str, Any]]:
    """The rows of the one edition of each kind that covers the stay; a □ piece that stands
    alone in the bill is told as not payable."""
    alone = {line.code for line in bill.lines if line.prescription_no == "P6"}
    return {
        row.code: {
            "payable": row.payable
            and row.insurance_limit is not InsuranceLimit.MATERNITY
            and row.code not in alone
            and row.agreed_on(bill.stay.admitted_on),
            "ceiling": row.ceiling_for(bill.hospital.level),
            "per_day": row.qty_per_day,
        }
        for edition in bill.editions
        for row in edition.rows.values()
    }


def priced_barely(lines: list[dict[str, Any]], catalogue: dict[str, dict[str, Any]]) -> Borne:
    """The floor: dictionaries and integers, no reason, no source, no object."""
    lines = sorted(lines, key=_IN_TIME)
    back: dict[str, list[dict[str, Any]]] = {}
    for line in lines:
        if line["refund_of"]:
            back.setdefault(line["refund_of"], []).append(line)
    used: dict[tuple[str, Any], int] = {}
    borne: Borne = {}
    for line in lines:
        if line["refund_of"]:
            continue
        row, count, amount = catalogue.get(line["code"]), line["qty"], line["amount"]
        refunds = back.get(line["id"], ())
        left = None
        if row is not None and row["per_day"] is not None and not line["unrelated"]:
            net = count + sum(refund["qty"] for refund in refunds)
            place = line["code"], line["day"]
            left = max(row["per_day"] - used.get(place, 0), 0)
            used[place] = used.get(place, 0) + min(net, left)
        before = borne[line["id"]] = _shares(line, row, count, amount, left)
        for refund in refunds:
            count, amount = count + refund["qty"], amount + refund["amount"]
            after = _shares(line, row, count, amount, left)
            borne[refund["id"]] = {payer: after[payer] - before[payer] for payer in after}
            before = after
    return borne


def _shares(
    line: dict[str, Any], row: dict[str, Any] | None, count: int, amount: int, left: int | None
) -> dict[str, int]:
    """Who bears a line of this quantity and amount."""
    shares = {"fund": 0, "employer": 0, "individual": 0, "hospital": 0, "other": 0}
    if line["unrelated"]:
        shares["other"] = amount
        return shares
    payer = line["consent"] or "hospital"
    if row is None or not row["payable"]:
        shares[payer] = amount
        return shares
    price, eligible, ceiling = line["price"], amount, row["ceiling"]
    if left is not None and left < count:
        count = left
        eligible = (price * count * 2 + _FEN // 2) // _FEN
        shares["hospital"] = amount - eligible
    if ceiling is not None and ceiling < price:
        within = eligible
        eligible = (ceiling * count * 2 + _FEN // 2) // _FEN
        shares[payer] += within - eligible
    shares["fund"] = fund = (eligible * _RATIO * 2 + _RATIO) // (2 * _RATIO)
    shares["individual"] += eligible - fund
    return shares
