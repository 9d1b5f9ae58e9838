"""gateway evidence export, check, verify 存证: out of the store, out of a file, and against it."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TextIO

from gateway.evidence import export, tree, verify_log
from gateway.evidence.note import Verifier
from gateway.settings import Settings
from gateway.store import log as rows
from gateway.store.database import Reader
from gateway.store.personal import Unopened
from gateway.store.tables import leaf
from gateway.verbs.own_file import own_file
from gateway.verbs.stored import NotTold, looking

_PAGE: Final = 1000
_APART: Final = 1000  # leaves between checkpoints of an export, the last and cosigned ones aside


def write(settings: Settings, path: Path, number: int, out: TextIO) -> int:
    """Export the log of this number (0: the one that grows now); 0 when it was written."""
    try:
        entries = asyncio.run(_exported(settings, path, number))
    except NotTold as missing:
        out.write(f"{missing}\n")
        return 1
    out.write(f"已导出 {entries} 条 / exported {entries} entries: {path}\n")
    out.write(f"核对 / check: python verify_log.py {path}\n")
    return 0


def check(path: Path, key: str, witnesses: Sequence[str], out: TextIO) -> int:
    """Verify an export as verify_log.py does by itself."""
    code, said = verify_log.run(str(path), key, witnesses)
    out.write(said)
    return code


async def _exported(settings: Settings, path: Path, number: int) -> int:
    async with looking(settings) as reader:
        return await export_to(reader, path, number)


async def export_to(reader: Reader, path: Path, number: int) -> int:
    """Write the log of this number (0: the present one); how many entries. Raises NotTold."""
    log = await _log(reader, number)
    told = await rows.all_signed(reader, log["log"])
    entries = told[-1].size if told else 0
    verifier = Verifier(log["origin"], bytes(log["public_key"]))
    with own_file(path) as file:
        file.write(export.header_line(verifier.text, entries).encode())
        async for line in _lines(reader, log, told, entries):
            file.write(line.encode())
    return entries


async def _log(reader: Reader, number: int) -> Mapping[str, Any]:
    """The origin of a log by number. Raises NotTold."""
    origins = await rows.origins(reader)
    found = [one for one in origins if number in (0, one["log"])]
    if not found:
        raise NotTold(f"没有日志 {number}", f"there is no log {number}")
    return found[-1]


async def _lines(
    reader: Reader, log: Mapping[str, Any], told: list[rows.Signed], entries: int
) -> AsyncIterator[str]:
    """Entries, and after the last leaf it covers each checkpoint with what belongs to it."""
    cosigned = await _cosigned(reader, log["log"])
    notes = _thinned(told, set(cosigned))
    last = 0
    async for number, row in leaves(reader, log["first_index"], entries):
        yield export.leaf_line(number, row)
        size = number + 1
        if size not in notes:
            continue
        yield export.checkpoint_line(size, notes[size])
        for one in cosigned.get(size, ()):
            note = f"{notes[size].partition(_BLANK)[0]}{_BLANK}{one['line']}"
            yield export.cosignature_line(size, one["witness"], note)
        if last:
            yield export.proof_line(last, size, await proved(reader, log["log"], last, size))
        last = size


_BLANK: Final = "\n\n"


async def _cosigned(reader: Reader, log: int) -> dict[int, list[Mapping[str, Any]]]:
    found: dict[int, list[Mapping[str, Any]]] = {}
    for one in await rows.cosignatures(reader, log):
        found.setdefault(one["size"], []).append(one)
    return found


def _thinned(told: list[rows.Signed], cosigned: set[int]) -> dict[int, str]:
    """The checkpoints worth telling: cosigned ones, one in a thousand leaves, and the last."""
    kept: dict[int, str] = {}
    last = 0
    for one in told:
        if one is told[-1] or one.size in cosigned or one.size - last >= _APART:
            kept[one.size] = one.note
            last = one.size
    return kept


async def proved(reader: Reader, log: int, old: int, new: int) -> list[bytes]:
    """The consistency proof between two sizes."""
    spans = tree.consistency_spans(old, new)
    return tree.proof(spans, await rows.tiles(reader, log, tree.tiles_of(spans)))


async def leaves(
    reader: Reader, first: int, entries: int
) -> AsyncIterator[tuple[int, Mapping[str, Any]]]:
    """The leaves of a log by their number in it, salts and effect in clear or None."""
    number = 0
    while number < entries:
        page = await rows.leaves_from(reader, first + number, min(_PAGE, entries - number))
        if not page:
            raise NotTold(f"缺少第 {number} 条", f"leaf {number} is missing: evidence verify")
        for row in page:
            yield number, opened(reader, row)
            number += 1


def opened(reader: Reader, row: Mapping[str, Any]) -> dict[str, Any]:
    """A leaf with salts and effect in clear; None when the record key was destroyed.

    Raises NotTold when the row is not as it was written.
    """
    if row["record_key"] is None:
        return {**row, "salts": None, "effect": None}
    try:
        return reader.vault.open(leaf, row)
    except Unopened:
        zh, en = f"存证叶 {row['tx_id']} 打不开", f"leaf {row['tx_id']} does not open"
        raise NotTold(zh, f"{en}: run gateway evidence verify") from None
