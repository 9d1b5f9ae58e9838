"""Editions as canonical bytes, and the table an import prints.

The bytes are JSON lines in UTF-8: the digest of everything after it, the head
of the edition, then one row a line in the order of codes. Fields that hold
their default are left out, so that a field added later leaves the digests of
earlier editions as they are.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from datetime import date
from hashlib import sha256
from types import MappingProxyType
from typing import Any, Final

from gateway.domain.catalogue import (
    CatalogueRow,
    Edition,
    InsuranceLimit,
    Kind,
    Level,
    SectionCount,
)

FORMAT: Final = "catalogue-edition-1"
COUNT_COLUMNS: Final = ("section", "rows", "entries", "class_a", "marked")


class DamagedEdition(ValueError):
    """The bytes are not those of an edition under its digest."""


def edition_of(
    region: str,
    kind: Kind,
    valid_from: date,
    valid_to: date | None,
    rows: Iterable[CatalogueRow],
) -> Edition:
    """目录版本 The edition of these rows; equal content gives an equal digest in any order."""
    by_code = {row.code: row for row in sorted(rows, key=lambda row: row.code)}
    body = _body(region, kind, valid_from, valid_to, by_code.values())
    digest = sha256(body).hexdigest()
    return Edition(digest, region, kind, valid_from, valid_to, MappingProxyType(by_code))


def edition_bytes(edition: Edition) -> bytes:
    """The canonical bytes of an edition, the same for the same content.

    Raises DamagedEdition when the edition does not carry the digest of its content.
    """
    body = _body(
        edition.region,
        edition.kind,
        edition.valid_from,
        edition.valid_to,
        sorted(edition.rows.values(), key=lambda row: row.code),
    )
    if sha256(body).hexdigest() != edition.digest:
        raise DamagedEdition(f"edition {edition.digest} does not hold the content of its digest")
    return _line({"sha256": edition.digest}) + body


def edition_from_bytes(raw: bytes) -> Edition:
    """The edition kept in the bytes. Raises DamagedEdition unless the digest verifies."""
    first, _, body = raw.partition(b"\n")
    digest = sha256(body).hexdigest()
    if first + b"\n" != _line({"sha256": digest}):
        raise DamagedEdition("the digest in the first line is not that of the lines after it")
    try:
        return _edition(digest, [json.loads(line) for line in body.splitlines()])
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise DamagedEdition(f"not an edition of the format {FORMAT}") from error


def counts_table(counts: Iterable[SectionCount]) -> str:
    """A header and a line per section, tabs between: rows, entries, 甲 entries, marked □."""
    lines = [COUNT_COLUMNS, *(_count_cells(count) for count in counts)]
    return "".join("\t".join(line) + "\n" for line in lines)


def _count_cells(count: SectionCount) -> tuple[str, str, str, str, str]:
    rows, entries, class_a, marked = count.rows, count.entries, count.class_a, count.marked
    return count.section, str(rows), str(entries), str(class_a), str(marked)


def _body(
    region: str,
    kind: Kind,
    valid_from: date,
    valid_to: date | None,
    rows: Iterable[CatalogueRow],
) -> bytes:
    head = {
        "format": FORMAT,
        "region": region,
        "kind": kind,
        "valid_from": valid_from,
        "valid_to": valid_to,
    }
    return b"".join([_line(head), *(_line(_set_fields(row)) for row in rows)])


def _line(values: Mapping[str, Any]) -> bytes:
    text = json.dumps(
        values, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=date.isoformat
    )
    return text.encode() + b"\n"


def _set_fields(row: CatalogueRow) -> dict[str, Any]:
    values = {field.name: (getattr(row, field.name), field.default) for field in fields(row)}
    return {name: value for name, (value, default) in values.items() if value != default}


def _edition(digest: str, lines: list[dict[str, Any]]) -> Edition:
    head, *rows = lines
    if head["format"] != FORMAT:
        raise ValueError("another format")
    valid_to = head["valid_to"]
    return Edition(
        digest,
        head["region"],
        Kind(head["kind"]),
        date.fromisoformat(head["valid_from"]),
        None if valid_to is None else date.fromisoformat(valid_to),
        MappingProxyType({row["code"]: _row(row) for row in rows}),
    )


def _row(values: Mapping[str, Any]) -> CatalogueRow:
    return CatalogueRow(
        **{name: _TYPED[name](value) if name in _TYPED else value for name, value in values.items()}
    )


def _ceilings(pairs: list[list[Any]]) -> tuple[tuple[Level | None, int], ...]:
    return tuple((None if level is None else Level(level), value) for level, value in pairs)


_TYPED: Final[Mapping[str, Callable[[Any], Any]]] = {
    "kind": Kind,
    "insurance_limit": InsuranceLimit,
    "agreement_from": date.fromisoformat,
    "agreement_to": date.fromisoformat,
    "ceilings": _ceilings,
    "contained_in": tuple,
}
