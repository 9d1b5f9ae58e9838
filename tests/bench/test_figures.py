"""Each part of the bench tells its own figures of its own code; the file of all, of one code."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests import figures
from tests.bench import __main__ as bench
from tests.bench.figures import write_part, write_whole
from tests.bench.overload import Measured, Run

BOTH = ("rules", "memory")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(figures, "DOCS", tmp_path)
    return tmp_path / "figures"


def read(path: Path) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return told


def test_the_whole_is_written_when_all_parts_are_of_one_source(folder: Path) -> None:
    write_part("rules", {"rules_300_ms": 1.23456}, {}, "this code")
    assert write_whole(BOTH, "this code") == ("memory is missing",)
    write_part("memory", {"memory_drift": 0.01}, {}, "this code")
    assert write_whole(BOTH, "this code") == ()
    whole = read(folder / "bench.json")
    assert (whole["rules_300_ms"], whole["memory_drift"]) == (1.235, 0.01)
    assert (whole["command"], whole["source"]) == ("python -m tests.bench", "this code")


def test_a_part_of_other_code_is_named_and_its_figures_stay_its_own(folder: Path) -> None:
    old = read(write_part("rules", {"rules_300_ms": 1.0}, {}, "older code"))
    write_part("memory", {"memory_drift": 0.01}, {}, "this code")
    assert write_whole(BOTH, "this code") == ("rules is of other code",)
    assert read(folder / "parts" / "bench-rules.json") == old
    assert not (folder / "bench.json").exists()


def test_a_part_of_smaller_sizes_says_so_and_is_not_whole() -> None:
    told = read(write_part("memory", {"memory_drift": 0.01}, {"messages": 300}, "this code"))
    assert told["command"] == "python -m tests.bench memory --messages 300"
    assert write_whole(("memory",), "this code") == (
        "memory is not whole: python -m tests.bench memory --messages 300",
    )


def test_parts_of_two_machines_are_not_one_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    write_part("rules", {"rules_300_ms": 1.0}, {}, "this code")
    monkeypatch.setattr(figures.os, "cpu_count", lambda: 512)
    write_part("memory", {"memory_drift": 0.01}, {}, "this code")
    assert len(write_whole(BOTH, "this code")) == len(BOTH)


def test_a_run_writes_only_the_parts_it_measured(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured = bench.Part(lambda _, given: {"memory_messages": given.messages}, ("messages",))
    monkeypatch.setitem(bench.PARTS, "memory", measured)
    monkeypatch.setattr(sys, "argv", ["bench", "memory", "--messages", "300", "--bills", "2"])
    assert bench.main() == 0
    assert [path.name for path in folder.rglob("*.json")] == ["bench-memory.json"]
    told = read(folder / "parts" / "bench-memory.json")
    assert told["command"] == "python -m tests.bench memory --messages 300"
    assert (told["memory_messages"], told["source"]) == (300, figures.source())


def test_every_size_of_a_part_is_an_option_and_every_option_is_of_a_part() -> None:
    assert {size for part in bench.PARTS.values() for size in part.sizes} == bench.FULL.keys()


def test_what_is_left_under_overload_is_a_part_with_its_figures_explained(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered = Run(dict.fromkeys("abcd", 200), lasted_s=1.0, cpu_s=1.0)
    half = Run({"e": 200, "f": 200, "g": 503}, lasted_s=1.0, cpu_s=0.5)
    monkeypatch.setattr(bench, "goodput", lambda _: Measured(answered, half))
    monkeypatch.setattr(sys, "argv", ["bench", "overload"])
    assert bench.main() == 0
    told = read(folder / "parts" / "bench-overload.json")
    assert (told["overload_goodput"], told["overload_goodput_by_cpu"]) == (0.5, 1.0)
    page = (folder.parent / "figures.md").read_text("utf-8")
    assert page.count("wanted ≥ 0.9") == 2
