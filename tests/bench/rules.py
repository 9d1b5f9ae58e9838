"""A 300-line bill by the rules, beside a bare loop over dictionaries that gives the same fen."""

from collections.abc import Callable
from time import process_time
from typing import Any

from gateway.domain.bill import BillLine, BillVerdict, Relation
from gateway.domain.catalogue import InsuranceLimit
from gateway.domain.split import Payer
from gateway.rules.settle import line_terms, settle
from gateway.rules.trace import trace
from tests.reports.sheets import some_lines
from tests.rules.facts import EDITIONS, a_bill, a_hospital, example_policy

LINES = 300
_ROUNDS = 40
_FEN = 2 * 10**8
_RATIO = 10_000


def rules_over_bare_loop() -> dict[str, float]:
    """Milliseconds of processor time and their ratios; the best of many rounds each.

    `steps` is the rules with the figure of every step of every line, as `explain` prints it.
    """
    lines = some_lines(LINES)
    bill, policy = a_bill(*lines), example_policy()
    charged, catalogue = [_charged(line) for line in lines], _catalogue()
    verdict = settle(bill, policy)
    if not isinstance(verdict, BillVerdict) or _bare(charged, catalogue) != _shares(verdict):
        raise AssertionError("the bare loop and the rules give different fen")

    def with_steps() -> None:
        settle(bill, policy)
        for line in line_terms(bill, policy):
            trace(line.terms, line.bearers)

    bare = _best_ms(lambda: _bare(charged, catalogue))
    rules = _best_ms(lambda: settle(bill, policy))
    steps = _best_ms(with_steps)
    return {
        "bare_loop_300_ms": bare,
        "rules_300_ms": rules,
        "rules_300_over_bare_loop": rules / bare,
        "steps_300_over_bare_loop": steps / bare,
    }


def _best_ms(work: Callable[[], object]) -> float:
    best = float("inf")
    for _ in range(_ROUNDS):
        began = process_time()
        work()
        best = min(best, process_time() - began)
    return best * 1000


def _shares(verdict: BillVerdict) -> dict[str, int]:
    return {payer.value: verdict.split.borne_by(payer) for payer in Payer}


def _charged(line: BillLine) -> dict[str, Any]:
    return {
        "code": line.code,
        "price": line.price,
        "qty": line.quantity,
        "unrelated": line.relation is Relation.UNRELATED,
        "consent": line.consent.value if line.consent else None,
    }


def _catalogue() -> dict[str, dict[str, Any]]:
    """The rows of the day the lines were charged on."""
    day, level = some_lines(1)[0].service_day, a_hospital().level
    return {
        row.code: {
            "payable": row.payable and row.insurance_limit is not InsuranceLimit.MATERNITY,
            "ceiling": row.ceiling_for(level),
        }
        for edition in EDITIONS
        if edition.covers(day)
        for row in edition.rows.values()
    }


def _bare(lines: list[dict[str, Any]], catalogue: dict[str, dict[str, Any]]) -> dict[str, int]:
    """The floor: dictionaries and integers, no reason, no source, no object."""
    borne = {"fund": 0, "employer": 0, "individual": 0, "hospital": 0, "other": 0}
    for line in lines:
        price, count = line["price"], line["qty"]
        amount = (price * count * 2 + _FEN // 2) // _FEN
        if line["unrelated"]:
            borne["other"] += amount
            continue
        row, payer = catalogue.get(line["code"]), line["consent"] or "hospital"
        if row is None or not row["payable"]:
            borne[payer] += amount
            continue
        eligible, ceiling = amount, row["ceiling"]
        if ceiling is not None and ceiling < price:
            eligible = (ceiling * count * 2 + _FEN // 2) // _FEN
            borne[payer] += amount - eligible
        fund = (eligible * _RATIO * 2 + _RATIO) // (2 * _RATIO)
        borne["fund"] += fund
        borne["individual"] += eligible - fund
    return borne
