"""Mappings of hospital codes 对照: a hospital's book, whose version moves with any of them."""

from collections.abc import Iterable, Sequence
from datetime import date

from sqlalchemy import and_, or_, select

from gateway.domain.catalogue import Kind
from gateway.domain.commands import QueryMappings
from gateway.domain.mapping import Mapping, MappingState
from gateway.store.database import Reader
from gateway.store.frozen import plain
from gateway.store.rows import Row, canonical, day, day_text
from gateway.store.tables import mapping, mapping_book, mapping_history
from gateway.store.unit import Change, Guard, Insert, Upsert, Write

_PAGE = 500


async def book_version(reader: Reader, hospital: str) -> int:
    """The version of the hospital's book; 0 while it never mapped anything."""
    row = await reader.row(select(mapping_book).where(mapping_book.c.hospital == hospital))
    return 0 if row is None else int(row["version"])


async def mappings_of(reader: Reader, hospital: str, codes: Iterable[str]) -> list[Mapping]:
    """Every mapping of these codes of the hospital, whatever its state and days."""
    query = select(mapping).where(
        mapping.c.hospital == hospital, mapping.c.hospital_code.in_(sorted(set(codes)))
    )
    rows = await reader.rows(query.order_by(mapping.c.hospital_code, mapping.c.valid_from))
    return [_mapping(row) for row in rows]


async def mappings_after(
    reader: Reader, hospital: str, asked: QueryMappings
) -> tuple[tuple[Mapping, ...], bool]:
    """At most 500 mappings after a code and day, in their order, and whether there are more."""
    day_after = "" if asked.after_from is None else asked.after_from.isoformat()
    same = and_(mapping.c.hospital_code == asked.after_code, mapping.c.valid_from > day_after)
    # Without a day the page begins after every mapping of the code.
    later = mapping.c.hospital_code > asked.after_code
    query = select(mapping).where(
        mapping.c.hospital == hospital, or_(later, same) if day_after else later
    )
    if asked.state is not None:
        query = query.where(mapping.c.state == asked.state.value)
    ordered = query.order_by(mapping.c.hospital_code, mapping.c.valid_from)
    rows = await reader.rows(ordered.limit(_PAGE + 1))
    return tuple(_mapping(row) for row in rows[:_PAGE]), len(rows) > _PAGE


def book_guard(hospital: str, version: int) -> tuple[Guard, ...]:
    """No mapping of the hospital has changed; what was never written cannot be guarded, and a
    first mapping only ever adds what a reader could not find."""
    return (Guard(mapping_book, {"hospital": hospital}, {"version": version}),) if version else ()


def mapped(
    hospital: str, version: int, changed: Sequence[Mapping], cause: str, at_us: int
) -> tuple[Write, ...]:
    """The book moves on, the mappings stand as given, and each version is added to history."""
    where = {"hospital": hospital, "version": version}
    moved: Write = Change(mapping_book, where, {"version": version + 1})
    if not version:
        moved = Insert(mapping_book, [{"hospital": hospital, "version": 1}])
    rows = [_row(one) for one in changed]
    history = [
        {
            **{name: row[name] for name in ("hospital", "hospital_code", "valid_from", "version")},
            "content": canonical(plain(one)),
            "cause": cause,
            "at_us": at_us,
        }
        for one, row in zip(changed, rows, strict=True)
    ]
    return (moved, Upsert(mapping, rows), Insert(mapping_history, history))


def _row(one: Mapping) -> dict[str, object]:
    return {
        "hospital": one.hospital,
        "hospital_code": one.hospital_code,
        "valid_from": one.valid_from.isoformat(),
        "valid_to": day_text(one.valid_to),
        "version": one.version,
        "state": one.state.value,
        "code": one.code,
        "kind": one.kind.value,
        "hospital_name": one.hospital_name,
        "spec": one.spec,
        "unit": one.unit,
        "price": one.price,
        "reason": one.reason,
    }


def _mapping(row: Row) -> Mapping:
    return Mapping(
        hospital=row["hospital"],
        hospital_code=row["hospital_code"],
        hospital_name=row["hospital_name"],
        code=row["code"],
        kind=Kind(row["kind"]),
        valid_from=date.fromisoformat(row["valid_from"]),
        valid_to=day(row["valid_to"]),
        state=MappingState(row["state"]),
        version=row["version"],
        spec=row["spec"],
        unit=row["unit"],
        price=row["price"],
        reason=row["reason"],
    )
