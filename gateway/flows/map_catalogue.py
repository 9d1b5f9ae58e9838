"""catalog.map, mapping.decide, mapping.query: a hospital's own codes 对照 and their review.

What the agency accepted the hospital may only let end earlier; the agency itself may take its
acceptance back, or end it for a successor. Nothing priced before changes, and every version is
kept beside.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Final

from gateway.domain import mapping as words
from gateway.domain.catalogue import Edition
from gateway.domain.commands import DecideMappings, MapCatalogue, QueryMappings
from gateway.domain.findings import Finding
from gateway.domain.mapping import LIVE, MappingClaim, MappingDecision, MappingState
from gateway.domain.party import PartyKind
from gateway.domain.results import (
    Acknowledged,
    CatalogueMapped,
    MappingAnswer,
    MappingsChanged,
    MappingsFound,
)
from gateway.flows.desk import Caller, Desk
from gateway.flows.line_codes import candidates, editions_of
from gateway.flows.plan import Act, Notice, Plan, answered, applied, refused
from gateway.rules.place import catalogue_regions
from gateway.store.editions import edition_guard
from gateway.store.mappings import book_version, mapped, mappings_after, mappings_of

_ONE_DAY: Final = timedelta(days=1)
_UNKNOWN: Final = "MAPPING_CODE_UNKNOWN"
_Key = tuple[str, date]


@dataclass(slots=True)
class _Book:
    """A hospital's mappings as they will be, and which of them this message changes."""

    hospital: str
    editions: Sequence[Edition]
    kept: dict[_Key, words.Mapping]
    changed: dict[_Key, words.Mapping] = field(default_factory=dict)

    def others(self, one: words.Mapping) -> list[words.Mapping]:
        """The live mappings of the same code that share a day with it."""
        return [
            other
            for other in self.kept.values()
            if other.hospital_code == one.hospital_code
            and other.key != one.key
            and other.state in LIVE
            and other.meets(one)
        ]

    def keep(self, one: words.Mapping) -> None:
        """One version further than what was kept before this message, however often changed."""
        self.kept[one.key] = self.changed[one.key] = one

    def row_of(self, one: MappingClaim) -> Finding | None:
        """The national code stands in an edition of its kind on the mapping's first day, of those
        that the hospital's bills are computed by."""
        of_day = [each for each in self.editions if each.covers(one.valid_from)]
        of_kind = [each for each in of_day if each.kind is one.kind]
        if not of_kind:
            return Finding("EDITION_NOT_FOUND", "ValidFrom", one.valid_from.isoformat())
        known = any(one.code in each.rows for each in of_kind)
        return None if known else Finding(_UNKNOWN, "Code", one.code)


# --- the hospital maps --------------------------------------------------------------------------


async def map_catalogue(desk: Desk, caller: Caller, command: MapCatalogue) -> Plan:
    """Keep every good row for review; a rejected one says why, with candidates when its national
    code is none."""
    days = [row.valid_from for row in command.rows]
    regions = catalogue_regions(caller.party, desk.policy)
    async with desk.database.reading() as reader:
        version = await book_version(reader, caller.party_id)
        codes = [row.hospital_code for row in command.rows]
        kept = await mappings_of(reader, caller.party_id, codes)
        editions = await editions_of(desk, reader, days, regions)
    book = _Book(caller.party_id, editions, {one.key: one for one in kept})
    seen: set[_Key] = set()
    answers = [_answer(book, row, seen) for row in command.rows]
    answers = await _with_candidates(desk, command.rows, answers, regions)
    return _mapped(desk, caller, book, version, answers)


def _answer(book: _Book, row: MappingClaim, seen: set[_Key]) -> MappingAnswer:
    key = row.hospital_code, row.valid_from
    old = book.kept.get(key)
    fault = Finding("MAPPING_REPEATED", "HospitalCode", row.hospital_code) if key in seen else None
    seen.add(key)
    new = fault or _claimed(book, row, old)
    if isinstance(new, Finding):
        return _answered(row, "rejected", old, new)
    if new == old:
        return _answered(row, "unchanged", old)
    book.keep(new)
    return _answered(row, "replaced" if old else "accepted", new)


def _answered(
    row: MappingClaim, status: str, stands: words.Mapping | None, finding: Finding | None = None
) -> MappingAnswer:
    return MappingAnswer(
        hospital_code=row.hospital_code,
        valid_from=row.valid_from,
        status=status,
        state=stands.state if stands else None,
        version=stands.version if stands else None,
        finding=finding,
    )


def _claimed(book: _Book, row: MappingClaim, old: words.Mapping | None) -> words.Mapping | Finding:
    """The mapping as the row would have it, or what stands against it."""
    if row.valid_to is not None and row.valid_to < row.valid_from:
        return Finding("MAPPING_DAYS", "ValidTo", str(row.valid_to), f">= {row.valid_from}")
    if row.withdrawn:
        return _withdrawn(row, old)
    version = old.version if old else 0
    new = _pending(book.hospital, row, version + 1)
    if old is not None and _same(old, new):
        return old
    if old is not None and old.state is MappingState.ACCEPTED:
        return _ended(old, new)
    return book.row_of(row) or _overlap(book, new) or new


def _pending(hospital: str, row: MappingClaim, version: int) -> words.Mapping:
    return words.Mapping(
        hospital=hospital,
        hospital_code=row.hospital_code,
        hospital_name=row.hospital_name,
        code=row.code,
        kind=row.kind,
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        state=MappingState.PENDING,
        version=version,
        spec=row.spec,
        unit=row.unit,
        price=row.price,
    )


def _same(old: words.Mapping, new: words.Mapping) -> bool:
    """The same said again; what was withdrawn and is said again is a new claim."""
    said = replace(new, version=old.version, state=old.state, reason=old.reason)
    return said == old and old.state is not MappingState.WITHDRAWN


def _withdrawn(row: MappingClaim, old: words.Mapping | None) -> words.Mapping | Finding:
    if old is None:
        return Finding("MAPPING_NOT_FOUND", "HospitalCode", row.hospital_code)
    if old.state is MappingState.ACCEPTED:
        return Finding("MAPPING_ACCEPTED", "Withdrawn", old.state, "ValidTo")
    if old.state is MappingState.WITHDRAWN:
        return old
    return replace(old, state=MappingState.WITHDRAWN, version=old.version + 1, reason="")


def _ended(old: words.Mapping, new: words.Mapping) -> words.Mapping | Finding:
    """What the agency accepted may end earlier; that needs no review."""
    earlier = replace(old, valid_to=new.valid_to, version=new.version)
    only_the_end = replace(new, state=old.state, reason=old.reason) == earlier
    if only_the_end and old.outlasts(new):
        return earlier
    return Finding(
        "MAPPING_ACCEPTED", "ValidTo", str(new.valid_to or ""), f"<= {old.valid_to or ''}"
    )


def _overlap(book: _Book, new: words.Mapping) -> Finding | None:
    """One national code for a hospital code on a day. A successor may begin inside an accepted
    mapping that ends no later: once accepted it ends that one the day before."""
    for other in book.others(new):
        before = other.state is MappingState.ACCEPTED and other.valid_from < new.valid_from
        if not (before and new.outlasts(other)):
            span = f"{other.valid_from}/{other.valid_to or ''} {other.state}"
            return Finding("MAPPING_OVERLAP", "ValidFrom", str(new.valid_from), span)
    return None


async def _with_candidates(
    desk: Desk,
    rows: Iterable[MappingClaim],
    answers: Sequence[MappingAnswer],
    regions: Iterable[str],
) -> list[MappingAnswer]:
    asked = {
        (answer.hospital_code, answer.valid_from): (row.hospital_name, row.valid_from)
        for row, answer in zip(rows, answers, strict=True)
        if answer.finding is not None and answer.finding.code == _UNKNOWN
    }
    found = await candidates(desk, asked.values(), regions)
    return [
        replace(one, candidates=found[asked[one.hospital_code, one.valid_from]])
        if one.finding is not None and one.finding.code == _UNKNOWN
        else one
        for one in answers
    ]


def _mapped(
    desk: Desk, caller: Caller, book: _Book, version: int, answers: list[MappingAnswer]
) -> Plan:
    changed = tuple(book.changed.values())
    result = CatalogueMapped(answers=tuple(answers))
    act = Act(action="catalog.map", subject=caller.party_id, code=str(len(changed)))
    if not changed:
        return applied(result, subject=caller.party_id, acts=(act,))
    return applied(
        result,
        subject=caller.party_id,
        guards=tuple(edition_guard(one) for one in book.editions),
        writes=mapped(caller.party_id, version, changed, caller.message_id, desk.now_us),
        acts=(act,),
        notices=(_told(desk.agency_id, "mapping.received", caller.party_id, changed),),
    )


def _told(receiver: str, command: str, hospital: str, changed: tuple[words.Mapping, ...]) -> Notice:
    result = MappingsChanged(hospital=hospital, mappings=changed)
    return Notice(receiver=receiver, subject=f"mapping:{hospital}", command=command, result=result)


# --- the agency reviews -------------------------------------------------------------------------


async def decide_mappings(desk: Desk, caller: Caller, command: DecideMappings) -> Plan:
    """All decisions or none, each about the version that the agency saw. Lines priced before
    keep their code: a decision holds for what is uploaded after it."""
    codes = [one.hospital_code for one in command.rows]
    async with desk.database.reading() as reader:
        version = await book_version(reader, command.hospital)
        kept = await mappings_of(reader, command.hospital, codes)
    book = _Book(command.hospital, (), {one.key: one for one in kept})
    faults = [fault for one in command.rows if (fault := _decide(book, one)) is not None]
    if faults:
        return refused(*faults, subject=command.hospital)
    changed = tuple(book.changed.values())
    if not changed:
        return applied(Acknowledged(subject=command.hospital), subject=command.hospital)
    return applied(
        Acknowledged(subject=command.hospital),
        subject=command.hospital,
        writes=mapped(command.hospital, version, changed, caller.message_id, desk.now_us),
        acts=_acts(command),
        notices=(_told(command.hospital, "mapping.changed", command.hospital, changed),),
    )


def _acts(command: DecideMappings) -> tuple[Act, ...]:
    return tuple(
        Act(
            action="mapping.decide",
            subject=command.hospital,
            to_state=_decided_state(one),
            code=f"{one.hospital_code} {one.valid_from}",
            reason=f"{command.by} {one.reason}".strip(),
        )
        for one in command.rows
    )


def _decided_state(one: MappingDecision) -> MappingState:
    return MappingState.ACCEPTED if one.accepted else MappingState.REFUSED


def _decide(book: _Book, one: MappingDecision) -> Finding | None:
    old = book.kept.get((one.hospital_code, one.valid_from))
    if old is None or old.state is MappingState.WITHDRAWN:
        return Finding("MAPPING_NOT_FOUND", "HospitalCode", one.hospital_code)
    if old.version != one.version:
        return Finding("MAPPING_CHANGED", "Version", str(one.version), str(old.version))
    if not one.accepted and not one.reason:
        return Finding("REASON_MISSING", "Reason", "", one.hospital_code)
    state = _decided_state(one)
    new = replace(old, state=state, version=old.version + 1, reason=one.reason)
    if state is old.state:
        return None
    if one.accepted:
        return _accepted(book, new)
    book.keep(new)
    return None


def _accepted(book: _Book, new: words.Mapping) -> Finding | None:
    """What came before it ends the day before; nothing else may share a day with it."""
    overlap = _overlap(book, new)
    if overlap is not None:
        return overlap
    for other in book.others(new):
        book.keep(replace(other, valid_to=new.valid_from - _ONE_DAY, version=other.version + 1))
    book.keep(new)
    return None


async def query_mappings(desk: Desk, caller: Caller, command: QueryMappings) -> Plan:
    """A page of the caller's own mappings, or of the hospital that the agency names."""
    own = caller.party.kind is PartyKind.HOSPITAL
    hospital = caller.party_id if own else command.hospital
    async with desk.database.reading() as reader:
        found, more = await mappings_after(reader, hospital, command)
    result = MappingsFound(mappings=found, more=more)
    return answered(result, subject=hospital, action="mapping.query")
