"""`gateway what-if`: a proposed policy or catalogue run over past settlements 政策测算.

What stands of each settlement, deltas included, is decided by the rule that re-adjudicates under
the proposal; nothing is written but the report.
"""

import asyncio
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Final, TextIO, TypeVar

from adapters.catalog_file.read import BadCatalogue, read_catalogue
from adapters.catalog_file.write import edition_bytes, edition_from_bytes
from gateway.domain.catalogue import Edition
from gateway.domain.money import yuan
from gateway.domain.reasons import REASONS
from gateway.policy.faults import BadPolicy
from gateway.policy.load import archive, load_archive
from gateway.policy.model import Policy
from gateway.reports.what_if import NotSettled, Row, WhatIf, what_if_workbook
from gateway.rules.readjudicate import readjudicated
from gateway.rules.what_if import Difference, Tally, Unsettled, compared, proposed_bill
from gateway.settings import Settings
from gateway.store.database import Reader
from gateway.store.standing import numbers_in_force
from gateway.verbs.cores import on_all_cores
from gateway.verbs.own_file import own_file
from gateway.verbs.stored import EditionsOfRecord, NotTold, looking, standing_bill

WRITTEN: Final = 0
NOT_WRITTEN: Final = 1
PARTLY: Final = 1
"""The report is written, and some settlements of the span are told in it as not computable."""
MALFORMED: Final = 2
_About = TypeVar("_About", bound=tuple[str, ...])
ROUND: Final = 32
"""Settlements a core takes at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is proposed, from when to when, and where the report goes."""

    policy: Path | None
    catalogue: Path | None
    first: date
    last: date
    out: Path


@dataclass(frozen=True, slots=True)
class Proposal:
    """The proposal as bytes, so that every process opens the very same; b"" for none.

    Proposed editions hold from `since` on; a proposed policy carries dates of its own.
    """

    policy: bytes
    editions: tuple[bytes, ...]
    since: date


@dataclass(slots=True)
class Tried:
    """What the proposal changes, and by number of the settlements that cannot be computed, why:
    the person was purged since, or what is stored does not open."""

    difference: Difference = field(default_factory=Difference)
    untold: list[tuple[str, str]] = field(default_factory=list)

    def add(self, other: "Tried") -> None:
        """Take in what other settlements showed."""
        self.difference.add(other.difference)
        self.untold += other.untold


def run(settings: Settings, asked: Asked, out: TextIO) -> int:
    """Write the report of the proposal over the settlements booked in the span.

    The exit code is 0; 1 when nothing could be told or written, or not every settlement could be
    computed; 2 when the proposal itself is malformed, with every fault on standard error.
    """
    try:
        proposal = _proposal(settings, asked)
    except (BadPolicy, BadCatalogue) as bad:
        sys.stderr.writelines(f"{fault}\n" for fault in bad.faults)
        return MALFORMED
    try:
        numbers = asyncio.run(_numbers(settings, asked))
        found = Tried()
        parts = [(proposal, numbers[at : at + ROUND]) for at in range(0, len(numbers), ROUND)]
        for one in on_all_cores(tried, settings, parts):
            found.add(one)
    except NotTold as silent:
        sys.stderr.write(f"{silent}\n")
        return NOT_WRITTEN
    workbook = what_if_workbook(report(asked, len(numbers), found))
    with own_file(asked.out) as file:
        file.write(workbook)
    out.write(_said(len(numbers), found))
    return PARTLY if found.untold else WRITTEN


def _proposal(settings: Settings, asked: Asked) -> Proposal:
    policy = b"" if asked.policy is None else archive(settings.region, asked.policy)
    editions: tuple[Edition, ...] = ()
    if asked.catalogue is not None:
        editions = read_catalogue(asked.catalogue, asked.first, None, settings.region).editions
    return Proposal(policy, tuple(map(edition_bytes, editions)), asked.first)


async def _numbers(settings: Settings, asked: Asked) -> list[str]:
    async with looking(settings) as reader:
        return await numbers_in_force(reader, asked.first, asked.last)


class _Open:
    """What a process has opened, kept for its next round."""

    def __init__(self, proposal: Proposal) -> None:
        self.proposal = proposal
        self.policy: Policy | None = load_archive(proposal.policy) if proposal.policy else None
        self.editions = tuple(map(edition_from_bytes, proposal.editions))
        self.record = EditionsOfRecord()


_OPENED: Final[dict[Proposal, _Open]] = {}


def tried(settings: Settings, part: tuple[Proposal, Sequence[str]]) -> Tried:
    """What the proposal changes of these settlements. Raises NotTold when the store breaks."""
    proposal, numbers = part
    opened = _OPENED.get(proposal)
    if opened is None:
        _OPENED.clear()
        opened = _OPENED[proposal] = _Open(proposal)
    return asyncio.run(_tried(settings, opened, numbers))


async def _tried(settings: Settings, opened: _Open, numbers: Sequence[str]) -> Tried:
    found = Tried()
    async with looking(settings) as reader:
        for number in numbers:
            try:
                found.difference.add(await _one(reader, opened, number))
            except NotTold as silent:
                found.untold.append((number, str(silent)))
    return found


async def _one(reader: Reader, opened: _Open, number: str) -> Difference:
    """Raises NotTold."""
    facts, stands = await standing_bill(reader, number)
    bill, policy = await opened.record.bill(reader, facts, stands)
    new = proposed_bill(bill, opened.editions, opened.proposal.since)
    outcome = readjudicated(new, opened.policy or policy, stands)
    return compared(number, bill, stands, outcome)


def report(asked: Asked, settlements: int, tried: Tried) -> WhatIf:
    """The tables of the report; the largest change first."""
    found = tried.difference
    return WhatIf(
        first=asked.first,
        last=asked.last,
        policy="" if asked.policy is None else asked.policy.name,
        catalogue="" if asked.catalogue is None else asked.catalogue.name,
        settlements=settlements,
        changed=sorted(found.changed),
        hospitals=_rows({(key,): tally for key, tally in found.hospitals.items()}),
        meals=_rows({(key,): tally for key, tally in found.meals.items()}),
        reasons=_rows(
            {(key, REASONS[key].zh, REASONS[key].en): tally for key, tally in found.reasons.items()}
        ),
        items=_rows(found.items),
        unsettled=[NotSettled(*one) for one in sorted(found.unsettled)],
        untold=sorted(tried.untold),
    )


def _rows(tallies: Mapping[_About, Tally]) -> list[Row]:
    rows = [Row(about, *tally) for about, tally in tallies.items()]
    return sorted(rows, key=lambda row: (-abs(row.proposed_fen - row.fen), row.about))


def _said(settlements: int, tried: Tried) -> str:
    """What becomes of how many; the fund's difference is that of those still settled."""
    found, untold = tried.difference, len(tried.untold)
    unsettled = len(found.unsettled)
    still, changed = settlements - unsettled - untold, len(found.changed)
    fen = sum(tally.difference_fen for tally in found.hospitals.values())
    lost = sum(one.fund_fen for one in found.unsettled)
    zh, en = _outcomes(found.unsettled)
    return (
        f"{settlements} 笔结算：{still} 笔仍结算，其中 {changed} 笔金额有变，基金差额 {yuan(fen)}；"
        f"{unsettled} 笔不再结算{zh}，原由基金支付 {yuan(lost)}；{untold} 笔不能重算 / "
        f"{settlements} settlements: {still} still settled, {changed} of them change, the fund's "
        f"difference is {yuan(fen)}; {unsettled} would not be settled{en}, for which the fund paid "
        f"{yuan(lost)}; {untold} not computable\n"
    )


_BECOMES: Final = {
    "HELD": ("挂起", "held"),
    "REFUSED": ("拒付", "refused"),
    "MANUAL": ("转手工报销", "by hand"),
}


def _outcomes(unsettled: Sequence[Unsettled]) -> tuple[str, str]:
    """How many of the settlements would be held, refused and done by hand."""
    counts = Counter(one.outcome.split()[0] for one in unsettled)
    zh = "、".join(f"{word} {counts[name]}" for name, (word, _) in _BECOMES.items() if counts[name])
    en = ", ".join(f"{counts[name]} {word}" for name, (_, word) in _BECOMES.items() if counts[name])
    return (f"（{zh}）", f" ({en})") if unsettled else ("", "")
