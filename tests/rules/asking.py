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
from gateway.domain.bill import BillVerdict
from gateway.domain.money import fen
from gateway.domain.split import Payer
from gateway.rules.entitlement import Hold, Pending, may_register, may_settle
from gateway.rules.settle import Bill, settle
from tests.rules.facts import example_policy
from tests.rules.tables import FOLDER, bill_of, policy_of, split_of, verdict_of

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
_TOLD: Final = {
    "cut": ("statements", "decide", "raised_by", "day", "state", "answer"),
    "readjudicate": ("corrected", "lines", "ceilings", "as_settled", "policy", "silent"),
}
"""What a row of these tables asks by, word for word."""
_PAYERS: Final = frozenset({*(payer.value for payer in Payer), "reasons"})
"""What a line of such a row answers."""
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
    bill, policy = bill_of(row.told), policy_of(row.told)
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
    """What an answer comes to, for telling two apart: money, reasons and payees, or the decision.
    Between stays of another length the meals count by their rate alone."""
    answer = answered(row)
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
    if row.ask in _TOLD:
        told = {key: _asked(row.told.get(key)) for key in _TOLD[row.ask]}
        return dict(_leaves("", {"ask": row.ask, "told": told}))
    days = {key: row.told.get(key) for key in _DAYS}
    return dict(_leaves("", {"ask": row.ask, **days}))


def _asked(told: Any) -> Any:
    """The lines without what they answer; everything else as it is told."""
    if not isinstance(told, list):
        return told
    return [
        {key: value for key, value in one.items() if key not in _PAYERS}
        if isinstance(one, dict)
        else one
        for one in told
    ]


def _case_facts(row: Row) -> dict[str, Any]:
    usual = {"stay": {"discharged_on": _OF_RATES}} if row.table == "meal_rate.toml" else {}
    bill = bill_of(usual | row.told)
    found = {"ask": row.ask, "policy": _policy(row), "stay": _plain(bill.stay)}
    found |= {"case": None if bill.case is None else _plain(bill.case)}
    found |= {"hospital": _plain(bill.hospital)}
    if row.ask == "audit":
        found["rule"] = row.told["rule"]
    if row.ask in ("settle", "audit"):
        for name in ("lines", "others", "devices"):
            found[name] = [_plain(one) for one in getattr(bill, name)]
        found |= {"paid_by": bill.paid_by, "city": row.told.get("city")}
        found["listed_as"] = row.told.get("listed_as")
        found["doctors"] = [row.told.get("doctors"), row.told.get("listed_since")]
    return found


def _policy(row: Row) -> dict[str, Any]:
    """Only what differs from the example region, and what is silent."""
    policy, usual = policy_of(row.told), example_policy().parameters
    keys = {*policy.parameters, *usual}
    return {key: _amount(policy.parameters.get(key)) for key in keys if _differs(key, policy)}


def _differs(key: str, policy: Any) -> bool:
    usual = example_policy().parameters.get(key)
    return _amount(policy.parameters.get(key)) != _amount(usual)


def _amount(dated: Any) -> Any:
    """The value on the day; a text that says "no limit" is not a silent one."""
    if dated is None:
        return None
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
    if isinstance(value, dict):
        for key, one in value.items():
            yield from _leaves(f"{path}.{key}", one)
    elif isinstance(value, list | tuple):
        yield f"{path}#", len(value)
        for place, one in enumerate(value):
            yield from _leaves(f"{path}.{place}", one)
    else:
        yield path, str(value) if isinstance(value, frozenset) else value


@cache
def _bills() -> dict[str, Bill]:
    return {row.name: bill_of(row.told) for row in every_row() if row.of_case}


def the_bill(row: Row) -> Bill:
    """The bill of a row that tells of a case."""
    return _bills()[row.name]
