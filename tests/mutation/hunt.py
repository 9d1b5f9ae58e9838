"""追猎 Each mutant in a child of one warm process, which runs only the tests that reach it.

The rules and their tests are imported once; a child exchanges the code of one function, runs
the tests that came by the changed line until one fails, and is gone. What stands outside of every
function is read at import: for such a mutant the child imports the project anew.
"""

import gc
import json
import os
import signal
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, FrameType, FunctionType
from typing import Any, Final

import pytest

from tests.forgetting import Forget, caches
from tests.mutation.alone import control_alone, hunted_alone
from tests.mutation.mutants import RULES, Mutant, compiled, path_of
from tests.mutation.session import Book, Learnt, in_turn, of

_LEAST_S: Final = 1.0
_TIMES: Final = 5
"""A test may take this many times its seconds, and a little, of the processor: then it hangs."""
_ONE_BY_ONE_S: Final = 180.0
_PAUSE_S: Final = 0.005
_LONGEST_NAME: Final = 4096
_BROKEN: Final = "?"
"""What a child says that failed itself."""
_Key = tuple[str, str]


@dataclass(slots=True)
class Hunt:
    """A pytest plugin that hunts mutants in the place of running the tests.

    `found` is called with each mutant and the test that killed it, "" when none did. `book`
    keeps what each test reaches, for the next run on the same rules and tests. `likely` names
    the test to try first with a mutant.
    """

    mutants: tuple[Mutant, ...]
    found: Callable[[Mutant, str], None]
    workers: int
    book: Path
    likely: Mapping[str, str]
    reach: dict[tuple[str, int], list[Any]] = field(default_factory=lambda: defaultdict(list))
    _running: dict[int, tuple[Mutant, float, int]] = field(default_factory=dict)
    _failed: str = ""
    _remembering: list[Forget] = field(default_factory=list)
    _killers: dict[_Key, set[str]] = field(default_factory=lambda: defaultdict(set))
    _objects: dict[_Key, list[FunctionType]] = field(default_factory=dict)
    _learnt: Book = field(default_factory=dict)
    _turns: dict[str, int] = field(default_factory=dict)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Learn which test reaches which function, then hunt."""
        # No answer may come from before a change.
        self._remembering, self._objects = caches(), _function_objects()
        self._learn(session.items)
        if self._failed:
            raise pytest.UsageError(f"a test fails without any mutant: {self._failed}")
        # The dots and letters of the children would say nothing.
        session.config.pluginmanager.unregister(name="terminalreporter")
        gc.freeze()
        self.control(self._reaching(self.mutants))
        if any(mutant.imported for mutant in self.mutants):
            _must_pass(control_alone)
        for mutant in self.mutants:
            while len(self._running) >= self.workers:
                self._reap()
            self._start(mutant)
        while self._running:
            self._reap()
        return True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Remember that a test failed."""
        if report.failed and not self._failed:
            self._failed = report.nodeid

    def _forget(self) -> None:
        for clear in self._remembering:
            clear()

    def _learn(self, items: Iterable[Any]) -> None:
        """Which test comes by which line."""
        every = {item.nodeid: item for item in items}
        if self.book.exists():
            self._learnt = json.loads(self.book.read_text("utf-8"))
        else:
            self._learnt = {name: self._reached(item) for name, item in every.items()}
            self.book.write_text(json.dumps(self._learnt), "utf-8")
        for turn, name in enumerate(in_turn(every, self._learnt)):
            self._turns[name] = turn
            for file, lines in self._learnt[name][1].items():
                for line in lines:
                    self.reach[file, line].append(every[name])

    def _reached(self, item: Any) -> Learnt:
        """Run the test once: the seconds it takes and the lines of the rules that it comes by."""
        self._forget()
        started = time.perf_counter()
        with _followed() as lines:
            _run(item)
        seconds = time.perf_counter() - started
        return seconds, {file: sorted(found) for file, found in lines.items()}

    def control(self, items: Iterable[Any]) -> None:
        """Run the tests in a child that has no mutant. Raises UsageError for one that fails: it
        would pass for a kill of every mutant that it reaches."""
        _must_pass(lambda: self._first_failed(items))

    def _reaching(self, mutants: Iterable[Mutant]) -> list[Any]:
        """The tests that come by one of them, each once and in turn."""
        lines = {
            (str(path_of(one.module)), line)
            for one in mutants
            if not one.imported
            for line in range(one.line, one.last + 1)
        }
        found = {item.nodeid: item for line in lines for item in self.reach.get(line, ())}
        return [found[name] for name in sorted(found, key=self._turns.__getitem__)]

    def _start(self, mutant: Mutant) -> None:
        child, reading = _forked(lambda: self._hunted(mutant))
        self._running[child] = (mutant, time.monotonic(), reading)

    def _hunted(self, mutant: Mutant) -> str:
        """The test that fails with the mutant in place, "" when none does. In the child."""
        code = compiled(mutant)
        reached = self._coming_by(mutant, code.co_filename)
        if not reached or not self._exchanged(mutant, code):
            return hunted_alone(mutant, self._learnt, self.likely.get(mutant.name, ""))
        return self._first_failed(reached)

    def _first_failed(self, items: Iterable[Any]) -> str:
        """The first of the tests that fails, "" when none does. In a child."""
        self._forget()
        self._failed = ""
        for item in items:
            # A loop without end is ended by the signal, which the parent sees.
            seconds = of(item.nodeid, self._learnt)[0]
            signal.setitimer(signal.ITIMER_PROF, _LEAST_S + _TIMES * seconds)
            _run(item)
            if self._failed:
                return self._failed
        return ""

    def _coming_by(self, mutant: Mutant, file: str) -> list[Any]:
        """The tests that come by the mutant, those first that killed in its function."""
        if mutant.imported:
            return []
        lines = range(mutant.line, mutant.last + 1)
        found = {item.nodeid: item for line in lines for item in self.reach.get((file, line), ())}
        likely, killers = (
            self.likely.get(mutant.name),
            self._killers[mutant.module, mutant.function],
        )

        def rank(item: Any) -> tuple[bool, bool, int]:
            name = item.nodeid
            return name != likely, name not in killers, self._turns[name]

        return sorted(found.values(), key=rank)

    def _exchanged(self, mutant: Mutant, code: CodeType) -> bool:
        """Give every function object of this name its mutated code; False if there is none."""
        new = {_outer(one): one for one in _functions(code)}.get(mutant.function)
        old = self._objects.get((code.co_filename, mutant.function), ())
        if new is None or any(one.__code__.co_freevars != new.co_freevars for one in old):
            return False
        for one in old:
            one.__code__ = new
        return bool(old)

    def _reap(self) -> None:
        """Wait for a child to end, and end one that takes too long: that is a kill as well."""
        for child, (mutant, started, reading) in tuple(self._running.items()):
            late = time.monotonic() - started > _ONE_BY_ONE_S
            if late:
                os.killpg(child, signal.SIGKILL)
            ended, status = os.waitpid(child, 0 if late else os.WNOHANG)
            if not ended:
                continue
            del self._running[child]
            told = os.read(reading, _LONGEST_NAME).decode(errors="replace")
            os.close(reading)
            if told == _BROKEN:
                raise RuntimeError(f"{mutant.name} could not be hunted")
            self._killers[mutant.module, mutant.function].add(told)
            self.found(mutant, "took too long" if os.WIFSIGNALED(status) else told)
        time.sleep(_PAUSE_S)


def _forked(work: Callable[[], str]) -> tuple[int, int]:
    """A child that does the work and says what it gave: its id, and where to read that."""
    reading, writing = os.pipe()
    child = os.fork()
    if child:
        os.close(writing)
        return child, reading
    os.close(reading)
    os.setpgid(0, 0)
    said = _BROKEN
    try:
        said = work()
    finally:
        os.write(writing, said.encode()[:_LONGEST_NAME])
        os._exit(0)


def _must_pass(work: Callable[[], str]) -> None:
    """Do the work in a child without any mutant, which must find no test that fails."""
    child, reading = _forked(work)
    _, status = os.waitpid(child, 0)
    failed = os.read(reading, _LONGEST_NAME).decode(errors="replace")
    os.close(reading)
    if failed or status:
        raise pytest.UsageError(f"fails in a child without any mutant: {failed or 'took too long'}")


def _run(item: Any) -> None:
    item.config.hook.pytest_runtest_protocol(item=item, nextitem=None)


@contextmanager
def _followed() -> Iterator[dict[str, set[int]]]:
    """The lines of the rules that run inside of the block, by file."""
    here = f"{RULES}{os.sep}"
    found: dict[str, set[int]] = defaultdict(set)

    def by_line(frame: FrameType, event: str, _arg: Any) -> Any:
        if event == "line":
            found[frame.f_code.co_filename].add(frame.f_lineno)
        return by_line

    def by_call(frame: FrameType, _event: str, _arg: Any) -> Any:
        return by_line if frame.f_code.co_filename.startswith(here) else None

    before = sys.gettrace()
    sys.settrace(by_call)
    try:
        yield found
    finally:
        sys.settrace(before)


def _outer(code: CodeType) -> str:
    """The name of the outermost function: what is inside of it changes with it."""
    return code.co_qualname.partition(".<locals>")[0]


def _function_objects() -> dict[_Key, list[FunctionType]]:
    """The functions of the rules as objects, by file and name."""
    found: dict[_Key, list[FunctionType]] = defaultdict(list)
    for one in gc.get_objects():
        if isinstance(one, FunctionType) and one.__code__.co_filename.startswith(str(RULES)):
            found[one.__code__.co_filename, one.__code__.co_qualname].append(one)
    return found


def _functions(code: CodeType) -> Iterator[CodeType]:
    """The code of the functions and methods of a module, not of what is inside of them."""
    for one in code.co_consts:
        if isinstance(one, CodeType):
            if "<" in one.co_name or "<locals>" in one.co_qualname:
                continue
            yield one
            yield from _functions(one)
