"""The simulation in small: a seed is clean and the same story each time, and a built-in fault
does not stay hidden."""

import subprocess
import sys
from random import Random
from unittest.mock import patch

import pytest

from tests.simulation import controls
from tests.simulation.base import Base, made_in
from tests.simulation.network import Weather
from tests.simulation.seed import run
from tests.simulation.world import World
from tests.tidy.source import PROJECT


def play(*given: str) -> subprocess.CompletedProcess[str]:
    """`python -m tests.simulation …`, as a person runs it."""
    command = [sys.executable, "-m", "tests.simulation", *given]
    return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Base:
    return made_in(tmp_path_factory.mktemp("base"))


def test_a_seed_is_clean_and_the_same_story_to_the_letter() -> None:
    first, second = play("--seed", "4"), play("--seed", "4")
    assert first.returncode == 0, first.stdout
    assert first.stdout == second.stdout
    assert "killed" in first.stdout


@pytest.mark.parametrize("seed", range(8))
def test_a_seed_in_any_weather_comes_to_a_clean_end(base: Base, seed: int) -> None:
    assert run(seed, base).found.faults == []


def test_in_no_weather_patience_ends_before_a_reply_can_be_there() -> None:
    weathers = [Weather.drawn(Random(seed)) for seed in range(10_000)]  # noqa: S311
    assert all(one.patience_s > 2 * one.slow_s for one in weathers)
    assert {one.patience_s for one in weathers} == {1.0, 4.0, 15.0}


@pytest.mark.parametrize(
    "name",
    ["acknowledged before commit", "shield removed", "version read after what it guards"],
)
def test_a_built_in_fault_is_seen(base: Base, name: str) -> None:
    """The full run plants every one there is."""
    assert controls.caught_by(name, base) is not None


def test_a_plant_that_only_crashes_is_not_caught(
    base: Base, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when the gateway's function takes other parameters than what is put in its place."""

    def crash(_: World) -> None:
        raise TypeError("missing 1 required positional argument")

    _, told = controls.CONTROLS["order of the lane ignored"]
    planted = controls.Control(lambda: patch.object(World, "prepared", crash), told)
    monkeypatch.setitem(controls.CONTROLS, "crash", planted)
    monkeypatch.setattr(controls, "MOST_SEEDS", 1)
    assert controls.caught_by("crash", base) is None
