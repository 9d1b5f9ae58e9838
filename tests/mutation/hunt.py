"""追猎 Each mutant in a child of one warm process, which runs only the tests that reach it.

The rules and their tests are imported once; a child exchanges the code of one function, runs
the tests that called this function until one fails, and is gone. What stands outside of every
function is read at import: such a mutant has a process of its own.
"""

import cProfile
import functools
import gc
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any, Final

import pytest

from tests.mutation.mutants import RULES, Mutant, compiled

TESTS: Final = "tests/rules"
OPTIONS: Final = ("-q", "--no-header", "--tb=no", "--assert=plain", "-p", "no:cacheprovider")
_EXAMPLES: Final = 20
_ROWS_AT_A_TIME: Final = 3
_SLOWEST_S: Final = 60.0
_ONE_BY_ONE_S: Final = 180.0
_PAUSE_S: Final = 0.005
_LONGEST_NAME: Final = 4096
_Key = tuple[str, str]
Learnt = tuple[float, list[_Key]]
"""Of one test: its seconds, and the functions of the rules that it calls, by file and name."""


class FewExamples:
    """A pytest plugin: the property tests try few examples, the same ones each time."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_finish(self) -> None:
        """After every conftest has loaded its own profile."""
        # Imported before pytest itself, hypothesis could not have its asserts rewritten.
        from hypothesis import HealthCheck, Phase, settings

        settings.register_profile(
            "hunt",
            max_examples=_EXAMPLES,
            deadline=None,
            derandomize=True,
            database=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        settings.load_profile("hunt")


@dataclass(slots=True)
class Hunt:
    """A pytest plugin that hunts mutants in the place of running the tests.

    `found` is called with each mutant and the test that killed it, "" when none did. `book`
    keeps what each test reaches, for the next run on the same rules and tests.
    """

    mutants: tuple[Mutant, ...]
    found: Callable[[Mutant, str], None]
    workers: int
    book: Path
    reach: dict[_Key, list[Any]] = field(default_factory=lambda: defaultdict(list))
    _running: dict[int, tuple[Mutant, float, int]] = field(default_factory=dict)
    _failed: str = ""
    _remembering: list[Any] = field(default_factory=list)
    _killers: dict[_Key, set[str]] = field(default_factory=lambda: defaultdict(set))
    _objects: dict[_Key, list[FunctionType]] = field(default_factory=dict)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Learn which test reaches which function, then hunt."""
        self._remembering, self._objects = _caches(), _function_objects()
        self._learn(session.items)
        if self._failed:
            raise pytest.UsageError(f"a test fails without any mutant: {self._failed}")
        # The dots and letters of the children would say nothing.
        session.config.pluginmanager.unregister(name="terminalreporter")
        gc.freeze()
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
        for cache in self._remembering:
            cache.cache_clear()

    def _learn(self, items: Iterable[Any]) -> None:
        """Which test reaches which function, fast tests first."""
        every = {item.nodeid: item for item in items}
        if self.book.exists():
            learnt: dict[str, Learnt] = json.loads(self.book.read_text("utf-8"))
        else:
            learnt = {name: self._reached(item) for name, item in every.items()}
            self.book.write_text(json.dumps(learnt), "utf-8")
        nth: Counter[str] = Counter()
        turns: dict[str, tuple[int, float]] = {}
        for name in every:
            test = name.partition("[")[0]
            # A few rows of every test come before many of one: what kills is found sooner.
            turns[name] = (nth[test] // _ROWS_AT_A_TIME, learnt[name][0])
            nth[test] += 1
        for name in sorted(every, key=lambda one: turns[one]):
            for file, function in learnt[name][1]:
                self.reach[file, function].append(every[name])

    def _reached(self, item: Any) -> Learnt:
        """Run the test once: the seconds it takes and the functions of the rules it calls."""
        self._forget()
        profile, started = cProfile.Profile(), time.perf_counter()
        profile.enable()
        _run(item)
        profile.disable()
        return time.perf_counter() - started, sorted(set(_called(profile)))

    def _start(self, mutant: Mutant) -> None:
        reading, writing = os.pipe()
        child = os.fork()
        if child:
            os.close(writing)
            self._running[child] = (mutant, time.monotonic(), reading)
            return
        os.close(reading)
        os.setpgid(0, 0)
        killed = "?"
        try:
            killed = self._hunted(mutant)
        finally:
            os.write(writing, killed.encode()[:_LONGEST_NAME])
            os._exit(0)

    def _hunted(self, mutant: Mutant) -> str:
        """The test that fails with the mutant in place, "" when none does. In the child."""
        code = compiled(mutant)
        if not mutant.function or not self._exchanged(mutant, code):
            return _alone(mutant)
        self._forget()
        self._failed = ""
        reached = self.reach.get((code.co_filename, mutant.function), ())
        killers = self._killers[mutant.module, mutant.function]
        for item in sorted(reached, key=lambda one: one.nodeid not in killers):
            _run(item)
            if self._failed:
                return self._failed
        return ""

    def _exchanged(self, mutant: Mutant, code: CodeType) -> bool:
        """Give every function object of this name its mutated code; False if there is none."""
        new = {_outer(one): one for one in _functions(code)}.get(mutant.function)
        old = self._objects.get((code.co_filename, mutant.function), ())
        for one in old if new is not None else ():
            one.__code__ = new
        return bool(old) and new is not None

    def _reap(self) -> None:
        """Wait for a child to end, and end one that takes too long: that is a kill as well."""
        for child, (mutant, started, reading) in tuple(self._running.items()):
            limit = _SLOWEST_S if mutant.function else _ONE_BY_ONE_S
            late = time.monotonic() - started > limit
            if late:
                os.killpg(child, signal.SIGKILL)
            ended, _status = os.waitpid(child, 0 if late else os.WNOHANG)
            if not ended:
                continue
            del self._running[child]
            told = os.read(reading, _LONGEST_NAME).decode(errors="replace")
            os.close(reading)
            self._killers[mutant.module, mutant.function].add(told)
            self.found(mutant, "took too long" if late else told)
        time.sleep(_PAUSE_S)


def _run(item: Any) -> None:
    item.config.hook.pytest_runtest_protocol(item=item, nextitem=None)


def _called(profile: cProfile.Profile) -> Iterator[_Key]:
    """The functions of the rules that ran, by file and name."""
    here = f"{RULES}{os.sep}"
    for entry in profile.getstats():
        if isinstance(entry.code, CodeType) and entry.code.co_filename.startswith(here):
            yield entry.code.co_filename, _outer(entry.code)


def _outer(code: CodeType) -> str:
    """The name of the outermost function: what is inside of it changes with it."""
    return code.co_qualname.partition(".<locals>")[0]


def _caches() -> list[Any]:
    """The caches of the rules: no answer may come from before a change."""
    return [
        one
        for one in gc.get_objects()
        if isinstance(one, functools._lru_cache_wrapper)
        and getattr(one, "__module__", "").startswith("gateway.rules")
    ]


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


def _alone(mutant: Mutant) -> str:
    """The whole run in a process of its own, in which the module is imported mutated."""
    ran = subprocess.run(
        [sys.executable, "-m", "tests.mutation.alone", mutant.name],
        capture_output=True,
        check=False,
    )
    if ran.returncode == 0:
        return ""
    told = ran.stdout.decode(errors="replace")
    failed = [line for line in told.splitlines() if line.startswith(("FAILED", "ERROR"))]
    return failed[0].partition(" ")[2] if failed else "the rules could not be imported"
