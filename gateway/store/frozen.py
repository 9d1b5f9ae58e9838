"""A settlement's facts and verdict as stored: everything to explain and replay it years later.

Small facts are written field by field; lines and verdicts as compact rows, their
citations and steps once each in tables beside them.
"""

import dataclasses
import types
import typing
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from enum import StrEnum
from functools import cache
from typing import Any, Union

import msgspec

from gateway.domain.admission import PaidAtDischargeBy, Stay
from gateway.domain.bill import (
    NO_STEPS,
    BillLine,
    BillVerdict,
    Citation,
    LineVerdict,
    MealVerdict,
    Payee,
    PayeeShare,
    Payout,
    Steps,
    SuppliedDevice,
    Suspicion,
)
from gateway.domain.case import CaseFacts
from gateway.domain.party import Party
from gateway.domain.split import Split
from gateway.store.rows import days_of, line_of, line_values, spans_text

_T = typing.TypeVar("_T")


@dataclasses.dataclass(frozen=True, slots=True)
class Facts:
    """What a settlement was computed from, beside the editions named by digest."""

    stay: Stay
    case: CaseFacts | None
    hospital: Party
    lines: tuple[BillLine, ...]
    others: tuple[Stay, ...] = ()
    devices: tuple[SuppliedDevice, ...] = ()
    paid_by: PaidAtDischargeBy = PaidAtDischargeBy.NOBODY


def frozen(facts: Facts, verdict: BillVerdict | None) -> str:
    """The detail of a settlement (or of a held bill, without verdict) as JSON text."""
    content = {
        "stay": plain(facts.stay),
        "case": plain(facts.case),
        "hospital": plain(facts.hospital),
        "lines": [line_values(line) for line in facts.lines],
        "others": plain(facts.others),
        "devices": plain(facts.devices),
        "paid_by": facts.paid_by.value,
        "verdict": None if verdict is None else packed(verdict),
    }
    return msgspec.json.encode(content).decode()


def thawed_facts(detail: Mapping[str, Any]) -> Facts:
    return Facts(
        stay=restored(Stay, detail["stay"]),
        case=restored(CaseFacts, detail["case"]) if detail["case"] else None,
        hospital=restored(Party, detail["hospital"]),
        lines=tuple(map(line_of, detail["lines"])),
        others=tuple(restored(Stay, each) for each in detail.get("others", ())),
        devices=tuple(restored(SuppliedDevice, each) for each in detail.get("devices", ())),
        paid_by=PaidAtDischargeBy(detail.get("paid_by", PaidAtDischargeBy.NOBODY)),
    )


def thawed_verdict(detail: Mapping[str, Any]) -> BillVerdict:
    """The stored verdict. ValueError when the bill was never computed."""
    packed = detail["verdict"]
    if packed is None:
        raise ValueError("this bill was never computed")
    table = [Citation(*row) for row in packed["citations"]]
    steps = [Steps(*row) for row in packed.get("steps", ())]
    lines = tuple(_verdict_line(row, table, steps) for row in packed["lines"])
    days, rate, amount, channel, cited = packed["meal"]
    return BillVerdict(
        lines=lines,
        split=Split(*packed["split"]),
        meal=MealVerdict(days, rate, amount, channel, tuple(table[n] for n in cited)),
        rules_version=packed["rules_version"],
        policy_digest=packed["policy_digest"],
        edition_digests=tuple(packed["edition_digests"]),
        suspicions=tuple(restored(Suspicion, each) for each in packed.get("suspicions", ())),
        payout=_payout(packed["payout"], table),
        meal_days=tuple(sorted(days_of(packed.get("meal_days", "")))),
        grounds=tuple(table[n] for n in packed.get("grounds", ())),
        liable_employer=packed.get("liable_employer", ""),
    )


def _payout(row: Sequence[Any], table: Sequence[Citation]) -> Payout:
    shares, paid, taken_off, recoverable, cited = row
    told = tuple(PayeeShare(Payee(payee), medical, meal) for payee, medical, meal in shares)
    return Payout(told, paid, taken_off, recoverable, tuple(table[n] for n in cited))


_CITATION = tuple(each.name for each in dataclasses.fields(Citation))


def packed(verdict: BillVerdict) -> dict[str, Any]:
    """The verdict as it is stored, citations once each; equal verdicts give equal JSON."""
    table: dict[Citation, int] = {}
    steps: dict[Steps, int] = {}
    # Lines that were decided alike share one tuple of citations.
    shared: dict[int, list[int]] = {}

    def cited(citations: Sequence[Citation]) -> list[int]:
        found = shared.get(id(citations))
        if found is None:
            found = [table.setdefault(one, len(table)) for one in citations]
            shared[id(citations)] = found
        return found

    meal = verdict.meal
    lines = [
        [
            one.line_id,
            one.amount_fen,
            one.split,
            one.reasons,
            cited(one.citations),
            steps.setdefault(one.steps, len(steps)),
        ]
        for one in verdict.lines
    ]
    packed_meal = [
        meal.days,
        meal.per_day_fen,
        meal.amount_fen,
        meal.channel,
        cited(meal.citations),
    ]
    payout = verdict.payout
    packed_payout = [
        [[one.payee.value, one.medical_fen, one.meal_fen] for one in payout.shares],
        payout.third_party_paid_fen,
        payout.taken_off_fen,
        payout.recoverable_fen,
        cited(payout.citations),
    ]
    grounds = cited(verdict.grounds)
    return {
        "lines": lines,
        "split": verdict.split,
        "meal": packed_meal,
        "payout": packed_payout,
        "citations": [[getattr(one, name) for name in _CITATION] for one in table],
        "steps": list(steps),
        "rules_version": verdict.rules_version,
        "policy_digest": verdict.policy_digest,
        "edition_digests": verdict.edition_digests,
        "suspicions": plain(verdict.suspicions),
        "meal_days": spans_text(verdict.meal_days),
        "grounds": grounds,
        "liable_employer": verdict.liable_employer,
    }


def _verdict_line(
    row: Sequence[Any], table: Sequence[Citation], steps: Sequence[Steps]
) -> LineVerdict:
    """A verdict of 0.1.0 told no steps."""
    line_id, amount, split, reasons, cited, *taken = row
    citations = tuple([table[n] for n in cited])
    told = steps[taken[0]] if taken else NO_STEPS
    return LineVerdict(line_id, amount, Split(*split), tuple(reasons), citations, told)


_AS_IT_IS = (str, int, bool)


@cache
def _names(kind: Any) -> tuple[str, ...]:
    return tuple(each.name for each in dataclasses.fields(kind))


def plain(value: Any) -> Any:
    """A domain value as JSON takes it: dataclasses as objects, instants and days as text."""
    if value is None or type(value) in _AS_IT_IS:
        return value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {name: plain(getattr(value, name)) for name in _names(type(value))}
    if isinstance(value, frozenset):
        return sorted(plain(one) for one in value)
    if isinstance(value, tuple | list):
        return [plain(one) for one in value]
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, datetime | date):
        return value.isoformat()
    return value


def restored(kind: type[_T], data: Any) -> _T:
    """The domain value that `plain` wrote, by the type's own annotations."""
    return typing.cast(_T, _restored(kind, data))


@cache
def _hints(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def _restored(kind: Any, data: Any) -> Any:
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin in (Union, types.UnionType):
        wanted = next(one for one in inner if one is not type(None))
        return None if data is None else _restored(wanted, data)
    if origin is tuple:
        return tuple(_restored(inner[0], one) for one in data)
    if origin is frozenset:
        return frozenset(_restored(inner[0], one) for one in data)
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        hints = _hints(kind)
        return kind(**{name: _restored(hints[name], value) for name, value in data.items()})
    return _scalar(kind, data)


def _scalar(kind: Any, data: Any) -> Any:
    if kind in (datetime, date):
        return kind.fromisoformat(data)
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return kind(data)
    return data
