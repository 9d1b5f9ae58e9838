"""Power loss: what a gateway wrote is replayed up to any moment, sectors that were not synced
are dropped at random, and the store that is left is opened and asked everything.

Truncation and removal of a file count as durable at once; directory entries are not lost.
"""

import asyncio
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Final

from gateway.store.personal import Vault
from tests.fault.call import Call
from tests.fault.nursery import Nursery
from tests.fault.story import STORY, Heard, kept_in
from tests.fault.verdict import counted, examined, vault_of
from tests.fault.watched import calls, database, everything, run_watched
from tests.fault.worker import JOURNAL

SECTOR: Final = 512
KEPT: Final = (0.0, 0.1, 0.5, 0.9, 1.0)
"""Chances of an unsynced sector to be on the disk."""
_ON_FILE: Final = re.compile(r'^\d+<([^>]*)>(?:, "((?:\\x[0-9a-f]{2})*)"(?:, \d+)?(?:, (\d+))?)?')


@dataclass(frozen=True, slots=True)
class Event:
    """One call that returned: written bytes, a sync, a new length, a removal, or a reply heard."""

    kind: str
    file: str
    offset: int = 0
    data: bytes = b""


@dataclass(slots=True)
class Disk:
    """One file: what is on the disk for sure, and the writes that may or may not be."""

    durable: bytearray
    pending: list[tuple[int, bytes]] = field(default_factory=list)

    def sync(self) -> None:
        for offset, data in self.pending:
            _put(self.durable, offset, data)
        self.pending.clear()

    def cut(self, length: int) -> None:
        self.sync()
        del self.durable[length:]

    def torn(self, random: Random) -> bytes:
        """The file after the loss: of each unsynced write any sectors, or none."""
        chance, left = random.choice(KEPT), bytearray(self.durable)
        for offset, data in self.pending:
            for start in range(0, len(data), SECTOR):
                if random.random() < chance:
                    _put(left, offset + start, data[start : start + SECTOR])
        return bytes(left)


def _put(content: bytearray, offset: int, data: bytes) -> None:
    if len(content) < offset:
        content.extend(bytes(offset - len(content)))
    content[offset : offset + len(data)] = data


@dataclass(frozen=True, slots=True)
class Recording:
    """A gateway's life as its disk saw it: the file it began with and everything since."""

    home: Path
    begun: bytes
    events: tuple[Event, ...]
    acknowledged: int


def recorded(nursery: Nursery, home: Path, bills: int, fault: str = "") -> Recording:
    """The story of so many bills, from the opening of the store to its closing."""
    begun = database(home)[0].read_bytes()
    task = {"first": 0, "last": len(STORY), "bills": bills, "fault": fault, "gate": "opened"}
    trace = run_watched(nursery, home, everything(home), **task)
    events = tuple(_events(trace))
    return Recording(home, begun, events, sum(one.kind == "heard" for one in events))


def _events(trace: str) -> Iterator[Event]:
    for name, told in calls(trace):
        if name == "unlink":
            yield Event("removed", _plain(told.split('"')[1]))
            continue
        found = _ON_FILE.match(told)
        assert found is not None, told[:200]
        file, data, offset = _plain(found[1]), _bytes(found[2] or ""), int(found[3] or 0)
        if name == "ftruncate":
            yield Event("cut", file, int(told.rpartition(")")[0].rpartition(", ")[2]))
        elif name in ("fdatasync", "fsync"):
            yield Event("synced", file)
        elif file.endswith(JOURNAL):
            yield Event("heard", file, 0, data)
        else:
            yield Event("written", file, offset, data)


def _bytes(shown: str) -> bytes:
    return bytes.fromhex(shown.replace("\\x", ""))


def _plain(shown: str) -> str:
    return _bytes(shown).decode() if shown.startswith("\\x") else shown


def image(one: Recording, random: Random) -> tuple[dict[str, bytes], Heard, int]:
    """The files after a loss of power at any moment, what had been heard by then, and when."""
    at = random.randrange(len(one.events) + 1)
    main = str(database(one.home)[0])
    disks, heard = {main: Disk(bytearray(one.begun))}, b""
    for event in one.events[:at]:
        disk = disks.setdefault(event.file, Disk(bytearray()))
        match event.kind:
            case "written":
                disk.pending.append((event.offset, event.data))
            case "synced":
                disk.sync()
            case "cut":
                disk.cut(event.offset)
            case "removed":
                del disks[event.file]
            case "heard":
                heard += event.data
                del disks[event.file]
    files = {Path(file).name: disk.torn(random) for file, disk in disks.items()}
    return files, kept_in(heard), at


async def replayed(
    one: Recording, vault: Vault, folder: Path, seeds: Iterable[int]
) -> Counter[str]:
    """Images of these seeds, each opened and asked; breaches are counted and told."""
    counts = Counter[str]()
    for seed in seeds:
        files, heard, at = image(one, Random(seed))  # noqa: S311
        for old in folder.glob("gateway.db*"):
            old.unlink()
        for name, content in files.items():
            (folder / name).write_bytes(content)
        found = counted(await examined(folder / "gateway.db", vault, heard))
        if found:
            counts[f"failed: seed {seed} at event {at}"] += found.total()
        counts += found + Counter(power_loss_images=1)
    return counts


CONTROLS: Final = ("acknowledge-before-commit", "synchronous-normal")
TARGET: Final = 10_000
_BATCH: Final = 250
_BILLS: Final = 2


def caught(call: Call, fault: str) -> bool:
    """Whether images of a gateway with this fault lose what was acknowledged."""
    one = recorded(call.nursery, call.fresh(), 1, fault)
    return batch(one, range(60))["acknowledged_lost"] > 0


def batch(one: Recording, seeds: Iterable[int]) -> Counter[str]:
    """The images of these seeds, in whatever process."""
    with TemporaryDirectory() as folder:
        return asyncio.run(replayed(one, vault_of(one.home), Path(folder), seeds))


def run(call: Call) -> None:
    """Images until there are enough: a new recording for each batch of every processor."""
    cores = os.cpu_count() or 1
    with ProcessPoolExecutor(cores, get_context("spawn")) as pool:
        while call.goes_on("power_loss_images", TARGET):
            one = recorded(call.nursery, call.fresh(), _BILLS)
            first = call.seed + call.counts["power_loss_images"]
            starts = [first + number * _BATCH for number in range(cores)]
            seeds = [range(start, start + _BATCH) for start in starts]
            for counts in pool.map(batch, [one] * cores, seeds):
                call.count(counts)
            call.count(Counter(acknowledged=one.acknowledged))


def whole(counts: Counter[str]) -> bool:
    """Whether there were enough images."""
    return counts["power_loss_images"] >= TARGET
