"""A fault at every system call by which a business operation writes: the process is killed there,
or the call fails with an I/O error or a full disk. Afterwards the same message is sent again."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from tests.fault.call import Call
from tests.fault.story import STORY, Heard, kept_in, take
from tests.fault.verdict import counted, examined, told, vault_of
from tests.fault.watched import calls, database, every_file, run_watched
from tests.fault.worker import JOURNAL
from tests.flows.office import office_in
from tests.postgres import waited

KILLED: Final = "signal=KILL"
FAULTS: Final = (KILLED, "error=EIO", "error=ENOSPC")
CONTROLS: Final = ("acknowledge-before-commit",)
_NEVER: Final = 10**6


class Point(NamedTuple):
    """The n-th call of this name within a step, and what befalls it."""

    step: int
    call: str
    number: int
    fault: str

    def __str__(self) -> str:
        return f"{STORY[self.step].name}: {self.fault} at {self.call} {self.number}"


def homes(call: Call) -> Iterator[Path]:
    """The data before each step of the story, one after the other."""
    home = call.fresh()
    for step in STORY:
        yield home
        home = call.copy(home)
        waited(_taken(home, STORY.index(step)))


async def _taken(home: Path, number: int) -> Heard:
    """Take the step on this store; what was heard."""
    heard: Heard = {}
    async with office_in(home) as office:
        await take(office, STORY[number], 0, heard.__setitem__)
    return heard


def points(call: Call, home: Path, step: int, fault: str = "") -> Iterator[Point]:
    """Every call that writes within the step, once for each thing that may befall it."""
    home = call.copy(home)
    trace = run_watched(call.nursery, home, every_file(), **_task(step, fault))
    written = Counter(name for name, _ in calls(trace))
    for name, number in sorted(written.items()):
        for befallen in FAULTS:
            yield from (Point(step, name, one, befallen) for one in range(1, number + 1))


def _task(step: int, fault: str = "") -> dict[str, object]:
    return {"first": step, "last": step + 1, "bills": 1, "gate": "before", "fault": fault}


def befallen(call: Call, home: Path, point: Point, fault: str = "") -> Counter[str]:
    """The step with the fault at the point, then everything asked, said again, and asked."""
    home = call.copy(home)
    words = [*every_file(), "-e", f"inject={point.call}:{point.fault}:when={point.number}"]
    trace = run_watched(call.nursery, home, words, **_task(point.step, fault))
    journal = home / JOURNAL
    heard = kept_in(journal.read_bytes())
    path, vault = database(home)[0], vault_of(home)
    found = counted(waited(examined(path, vault, heard)))
    again = waited(_taken(home, point.step))
    found += counted(waited(examined(path, vault, heard | again)))
    found["other_breaches"] += sum(again.get(key) != reply for key, reply in heard.items())
    call.forget(home)
    return +found + Counter({"acknowledged": len(again), _kind(point, trace): 1})


_DIED: Final = re.compile(r"^\d+ +\+\+\+ killed by SIGKILL \+\+\+$", re.MULTILINE)
_WENT_WRONG: Final = re.compile(r"= -1 .*\(INJECTED\)$", re.MULTILINE)


def _kind(point: Point, trace: str) -> str:
    """The figure that the point counts for; a failure when the trace does not show the fault."""
    killed = point.fault == KILLED
    if (_DIED if killed else _WENT_WRONG).search(trace) is None:
        return f"failed: nothing befell {point}"
    return "syscall_kill_points" if killed else "syscall_error_points"


def caught(call: Call, fault: str) -> bool:
    """Whether killing a commit at its first writes loses what this gateway acknowledged."""
    home, step = call.fresh(), 0
    found = (befallen(call, home, point, fault) for point in points(call, home, step, fault))
    return any(one["acknowledged_lost"] for one in found)


def run(call: Call) -> None:
    """Every point of every step; those that an earlier call has done are not done again."""
    for step, home in enumerate(homes(call)):
        done = f"step {step}"
        for number, point in enumerate(points(call, home, step)):
            if number < call.counts[done] or not call.goes_on(done, _NEVER):
                continue
            found = told(befallen(call, home, point), str(point))
            call.count(found + Counter({done: 1}))
        if not call.goes_on(done, _NEVER):
            return
        call.count(Counter({"steps": step + 1 - call.counts["steps"]}))


def whole(counts: Counter[str]) -> bool:
    """Whether every call that writes was tried in every step."""
    return counts["steps"] == len(STORY)
