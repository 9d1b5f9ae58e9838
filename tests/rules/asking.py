"""Rows of the case tables as questions to the rules: what is asked, of which facts, and whether
the answer is the one that the row tells."""

import json
import tomllib
from collections.abc import Iterator
from dataclasses import asdict, dataclass, is_dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Final

from adapters.case_file.read import read_cases
from gateway.domain.bill import BillLine, BillVerdict
from gateway.domain.money import ONE, fen, times
from gateway.policy.model import Policy
from gateway.rules.entitlement import Hold, Pending, may_register, may_settle
from gateway.rules.settle import Bill, settle
from tests.rules.cut_rows import SERVED, a_cut, answer, decision
from tests.rules.facts import example_policy
from tests.rules.tables import FOLDER, audited_by, bill_of, policy_of, split_of, verdict_of

_DAY: Final = date(2026, 3, 5)
_OF_RATES: Final = date(2026, 3, 14)
"""The discharge of every stay in the table of rates."""
_ASKED: Final = {
    "bill.toml": "settle",
    "meal_rate.toml": "settle",
    "discharge.toml": "discharge",
    "approvals.toml": "discharge",
    "registration.toml": "registration",
    "line.toml": "calculate",
    "examples.toml": "calculate",
    "meal.toml": "meals",
    "audit/audit.toml": "audit",
    "clock.toml": "clock",
    "cuts.toml": "cut",
    "readjudication.toml": "readjudicate",
}
"""What a table asks; in the others each row says it, a whole bill when it does not."""
_DAYS: Final = ("admitted", "discharged", "rate", "rule", "clock", "since")
_LISTED: Final = ("city", "listed_as", "doctors", "listed_since", "agreed")
_BY_AMOUNTS: Final = frozenset({"A01", "A18", "A22"})
"""Audit rules that compare prices with each other or with a limit, or the sum of the bill."""
_CALCULATED: Final = ("params", "line", "lines", "stay", "paid", "travel")


@dataclass(frozen=True)
class Row:
    """A row with the table it stands in."""

    table: str
    told: dict[str, Any]

    @property
    def name(self) -> str:
        return str(self.told["name"])

    @property
    def ask(self) -> str:
        return str(_ASKED.get(self.table) or self.told.get("ask", "settle"))

    @property
    def of_case(self) -> bool:
        """Whether the facts are those of a case, and not resolved terms or mere days."""
        return self.ask in ("settle", "discharge", "registration")


@cache
def every_row() -> tuple[Row, ...]:
    """All rows of all tables beside the tests of the rules."""
    return tuple(_rows())


def _rows() -> Iterator[Row]:
    for path in sorted(FOLDER.rglob("*.toml")):
        table = path.relative_to(FOLDER).as_posix()
        for told in tomllib.loads(Path(path).read_text("utf-8"))["row"]:
            yield Row(table, told)


def answered(row: Row) -> Any:
    """What the rules say to the row."""
    return answered_with(row, bill_of(row.told), policy_for(row))


def policy_for(row: Row) -> Policy:
    """The policy that the row is asked under."""
    return audited_by(row.told) if row.ask == "audit" else policy_of(row.told)


def answered_with(row: Row, bill: Bill, policy: Policy) -> Any:
    """What the rules say to the question of the row about this bill."""
    match row.ask:
        case "registration":
            return may_register(bill.stay, bill.case, bill.hospital, policy)
        case "discharge":
            return may_settle(bill.stay, bill.case, bill.hospital, policy)
    return settle(bill, policy)


def as_told(row: Row, answer: Any) -> tuple[Any, Any]:
    """The answer and what the row tells, in the same words; of a wait only what the row names."""
    if isinstance(answer, BillVerdict):
        return _settled(row, answer)
    told = verdict_of(row.told["verdict"])
    if isinstance(answer, Hold) and isinstance(told, Hold):
        named = row.told["verdict"]["hold"]
        return _named(answer, named), _named(told, named)
    if isinstance(answer, Pending) and isinstance(told, Pending):
        return answer.note[: len(told.note)], told.note
    return answer, told


def _named(hold: Hold, names: dict[str, Any]) -> dict[str, Any]:
    return {name: getattr(hold, name) for name in names}


def _settled(row: Row, verdict: BillVerdict) -> tuple[Any, Any]:
    told = {
        f"L{no}": (split_of(line), sorted(line.get("reasons", [])))
        for no, line in enumerate(row.told["lines"], start=1)
    }
    got = {line.line_id: (line.split, sorted(line.reasons)) for line in verdict.lines}
    if "meal" not in row.told:
        return got, told
    meal = row.told["meal"]
    return (got, verdict.meal.days, verdict.meal.amount_fen), (
        told,
        meal["days"],
        fen(meal["amount"]),
    )


def outcome(row: Row, *, of_one_stay: bool) -> Any:
    """What an answer comes to, for telling two apart: money, reasons and payees, the suspicions
    of an audit, or the decision. Between stays of another length the meals count by their rate
    alone."""
    answer = answered(row)
    if row.ask == "audit":
        return answer.suspicions
    if not isinstance(answer, BillVerdict):
        return type(answer), getattr(answer, "reason", None)
    lines = tuple((line.split, line.reasons) for line in answer.lines)
    if not of_one_stay:
        return lines, answer.meal.per_day_fen
    return lines, answer.meal.days, answer.meal.amount_fen, answer.payout.shares


def facts(row: Row) -> dict[str, Any]:
    """Every fact of the row and the question, as plain values under their paths: two rows that
    ask the same of the same have the same facts, however they are written."""
    if row.of_case or row.ask == "audit":
        return dict(_leaves("", _case_facts(row)))
    told = {key: row.told[key] for key in _CALCULATED if key in row.told}
    if row.ask == "calculate":
        return dict(_leaves("", {"ask": row.ask, "case": _calculation(told)}))
    if row.ask == "cut":
        return dict(_leaves("", {"ask": row.ask, **_cut(row)}))
    if row.ask == "readjudicate":
        return dict(_leaves("", {"ask": row.ask, **_corrected(row)}))
    days = {key: row.told.get(key) for key in _DAYS}
    return dict(_leaves("", {"ask": row.ask, **days}))


def _cut(row: Row) -> dict[str, Any]:
    """The cut and the command; an answer asks for no day."""
    told = row.told
    if "answer" in told:
        return {"cut": _plain(a_cut(told)), "answer": _plain(answer(told["answer"]))}
    day = told.get("day", SERVED)
    return {"cut": _plain(a_cut(told)), "decide": _plain(decision(told["decide"])), "day": day}


def _corrected(row: Row) -> dict[str, Any]:
    """The bill and the policy as they were settled and as they are right, and the catalogue."""
    lines, ceilings = row.told["lines"], row.told.get("ceilings")
    then = Row(row.table, {"lines": lines, "policy": row.told.get("then", {})})
    then.told.update(row.told.get("as_settled", {}))
    now = Row(row.table, {**row.told, **row.told.get("corrected", {})})
    return {"then": _settling(then), "now": _settling(now), "ceilings": ceilings}


def _case_facts(row: Row) -> dict[str, Any]:
    usual = {"stay": {"discharged_on": _OF_RATES}} if row.table == "meal_rate.toml" else {}
    row = Row(row.table, usual | row.told)
    if row.ask in ("settle", "audit"):
        return {"ask": row.ask, **_settling(row)}
    return {"ask": row.ask, "policy": _policy(row), **_entitling(bill_of(row.told))}


def _entitling(bill: Bill) -> dict[str, Any]:
    case = None if bill.case is None else _plain(bill.case)
    return {"stay": _plain(bill.stay), "case": case, "hospital": _plain(bill.hospital)}


def _settling(row: Row) -> dict[str, Any]:
    """What a whole bill is computed from."""
    told, bill = row.told, bill_of(row.told)
    by_amounts = _by_amounts(row, bill)
    return {
        "policy": _policy(row),
        **_entitling(bill),
        "lines": [_charged(one, bill, by_amounts=by_amounts) for one in bill.lines],
        "others": [_plain(one) for one in bill.others],
        "devices": [_plain(one) for one in bill.devices],
        "paid_by": bill.paid_by,
        "listed": [told.get(key) for key in _LISTED],
        "rule": told.get("rule"),
    }


def _by_amounts(row: Row, bill: Bill) -> bool:
    """Whether amounts decide the bill as a whole: shares to round, sums and limits to compare."""
    rounds = any("ratio" in key for key in _policy(row))
    return rounds or bool(bill.stay.payments) or row.told.get("rule") in _BY_AMOUNTS


def _charged(line: BillLine, bill: Bill, *, by_amounts: bool) -> dict[str, Any]:
    """The line; of a price that meets no ceiling and is not rounded, only what the amount differs
    by from its product: which price it is decides nothing."""
    told = line._asdict()
    listed = [one.rows[line.code] for one in bill.editions if line.code in one.rows]
    capped = any(row.ceilings or row.pay_standard is not None for row in listed)
    if not (by_amounts or capped or line.quantity % ONE):
        told["amount_fen"] -= times(told.pop("price"), line.quantity)
    return told


def _policy(row: Row) -> dict[str, Any]:
    """Only what differs from the example region, and what is silent."""
    policy, usual = policy_of(row.told), example_policy().parameters
    keys = {*policy.parameters, *usual}
    return {key: _amount(policy.parameters.get(key)) for key in keys if _differs(key, policy)}


def _differs(key: str, policy: Any) -> bool:
    usual = example_policy().parameters.get(key)
    return _amount(policy.parameters.get(key)) != _amount(usual)


def _amount(dated: Any) -> Any:
    """The value on the day, or those to come; a text that says "no limit" is not a silent one."""
    if dated is None:
        return None
    told = [(value.since, value.amount) for value in dated.values if value.since > _DAY]
    if len(told) == len(dated.values):
        return told
    value = dated.on(_DAY)
    return "no limit" if value.unlimited else value.amount


def _calculation(told: dict[str, Any]) -> Any:
    lines = told["lines"] if "lines" in told else [told["line"]]
    named = [{**line, "name": "费用"} for line in lines]
    params = {"no_consent_payer": "hospital"} | told.get("params", {})
    case = {"id": "1", "title": "1", "params": params, "lines": named}
    case |= {key: told[key] for key in ("stay", "paid", "travel") if key in told}
    return _plain(read_cases(json.dumps([case]).encode())[0])


def _plain(value: Any) -> Any:
    """Dataclasses as dictionaries."""
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else value


def _leaves(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, frozenset):
        value = sorted(value)
    if isinstance(value, dict):
        for key, one in value.items():
            yield from _leaves(f"{path}.{key}", one)
    elif isinstance(value, list | tuple):
        yield f"{path}#", len(value)
        for place, one in enumerate(value):
            yield from _leaves(f"{path}.{place}", one)
    else:
        yield path, value


@cache
def _bills() -> dict[str, Bill]:
    asked = (row for row in every_row() if row.of_case or row.ask == "audit")
    return {row.name: bill_of(row.told) for row in asked}


def the_bill(row: Row) -> Bill:
    """The bill of a row that tells of a case."""
    return _bills()[row.name]
