"""From the hospital's own codes to the national ones 对照: by the mapping in force on the day.

A line that no accepted mapping gives a code is rejected with the nearest candidates; nothing
is skipped and nothing guessed (gateway/decisions/0010).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from gateway.domain import mapping as words
from gateway.domain.bill import BillLine
from gateway.domain.catalogue import Edition
from gateway.domain.findings import Finding
from gateway.domain.mapping import Candidate, MappingState
from gateway.domain.results import LineAnswer
from gateway.flows.desk import Desk
from gateway.flows.nearest import nearest
from gateway.flows.off_loop import LARGE_BYTES, off_loop
from gateway.store.database import Reader
from gateway.store.mappings import book_guard, book_version, mappings_of
from gateway.store.unit import Guard

_UNMAPPED: Final = "LINE_CODE_UNMAPPED"
_EXPIRED: Final = "LINE_CODE_EXPIRED"
_WITHOUT_CODE: Final[Mapping[MappingState, str]] = {
    MappingState.PENDING: "LINE_CODE_UNREVIEWED",
    MappingState.REFUSED: "LINE_CODE_REFUSED",
    MappingState.WITHDRAWN: _UNMAPPED,
}
_ASKS_WHICH: Final = frozenset({_UNMAPPED, _EXPIRED, *_WITHOUT_CODE.values()})
"""Rejections that are answered with candidates."""


@dataclass(frozen=True, slots=True)
class Codes:
    """What a hospital's codes stand for, and the guard that it has not changed."""

    by_code: Mapping[str, Sequence[words.Mapping]]
    guards: tuple[Guard, ...] = ()

    def coded(self, line: BillLine, original: BillLine | None) -> BillLine | Finding:
        """The line with its national code. A refund takes its original's, and without one the
        code of the original's day."""
        if not line.hospital_code:
            missing = Finding("LINE_CODE_MISSING", "Code", "", "Code | HospitalCode", line.line_id)
            return line if line.code else missing
        if original is not None and original.hospital_code == line.hospital_code:
            return _agreed(line, original.code)
        day = line.service_day if original is None else original.service_day
        found = self._in_force(line, day)
        return found if isinstance(found, Finding) else _agreed(line, found.code)

    def _in_force(self, line: BillLine, day: date) -> words.Mapping | Finding:
        known = self.by_code.get(line.hospital_code, ())
        here = [one for one in known if one.covers(day)]
        accepted = next((one for one in here if one.state is MappingState.ACCEPTED), None)
        if accepted is not None:
            return accepted
        if here:
            pending = next((one for one in here if one.state in words.LIVE), here[-1])
            return _finding(_WITHOUT_CODE[pending.state], line, f">= {pending.valid_from}")
        once = [one for one in known if one.state is MappingState.ACCEPTED]
        days = ", ".join(f"{one.valid_from}/{one.valid_to or ''}" for one in once)
        return _finding(_EXPIRED if once else _UNMAPPED, line, days)


def _agreed(line: BillLine, code: str) -> BillLine | Finding:
    if line.code in ("", code):
        return line._replace(code=code)
    return Finding("LINE_CODE_CONFLICT", "Code", line.code, code, line.line_id)


def _finding(code: str, line: BillLine, expected: str) -> Finding:
    return Finding(code, "HospitalCode", line.hospital_code, expected, line.line_id)


async def codes_of(reader: Reader, hospital: str, lines: Iterable[BillLine]) -> Codes:
    """The mappings of every code of its own that a hospital's lines name."""
    wanted = {line.hospital_code for line in lines if line.hospital_code}
    if not wanted:
        return Codes({})
    version = await book_version(reader, hospital)
    by_code: dict[str, list[words.Mapping]] = {}
    for one in await mappings_of(reader, hospital, wanted):
        by_code.setdefault(one.hospital_code, []).append(one)
    return Codes(by_code, book_guard(hospital, version))


async def with_candidates(
    desk: Desk, answers: Sequence[LineAnswer], lines: Iterable[BillLine], region: str
) -> list[LineAnswer]:
    """The answers, those of lines without a national code with the nearest rows on their day in
    the region by whose catalogues the bill is computed."""
    unknown = {one.line_id for one in answers if one.finding and one.finding.code in _ASKS_WHICH}
    asked = {line.line_id: (line.name, line.service_day) for line in lines}
    named = {line_id: asked[line_id] for line_id in unknown}
    found = await candidates(desk, named.values(), (region,))
    return [
        one._replace(candidates=found[named[one.line_id]]) if one.line_id in named else one
        for one in answers
    ]


async def candidates(
    desk: Desk, asked: Iterable[tuple[str, date]], regions: Iterable[str]
) -> Mapping[tuple[str, date], tuple[Candidate, ...]]:
    """The rows nearest to each name in the regions' editions of its day; a name is looked for
    once."""
    wanted = set(asked)
    if not wanted:
        return {}
    days = [day for _, day in wanted]
    async with desk.database.reading() as reader:
        editions = await editions_of(desk, reader, days, regions)
    return await off_loop(LARGE_BYTES, _searching(desk, editions, wanted))


async def editions_of(
    desk: Desk, reader: Reader, days: Iterable[date], regions: Iterable[str]
) -> list[Edition]:
    """The editions of these regions from the first of the days to the last."""
    first, last = min(listed := list(days)), max(listed)
    found: list[Edition] = []
    for region in regions:
        found += await desk.shelf.between(reader, first, last, region)
    return found


def _searching(
    desk: Desk, editions: Iterable[Edition], wanted: set[tuple[str, date]]
) -> Callable[[], dict[tuple[str, date], tuple[Candidate, ...]]]:
    listed = tuple(editions)

    def search() -> dict[tuple[str, date], tuple[Candidate, ...]]:
        found: dict[tuple[tuple[str, ...], str], tuple[Candidate, ...]] = {}
        answers = {}
        for name, day in wanted:
            here = [one for one in listed if one.covers(day)]
            key = tuple(one.digest for one in here), name
            if key not in found:
                found[key] = nearest([desk.shelf.names(one) for one in here], name)
            answers[name, day] = found[key]
        return answers

    return search
