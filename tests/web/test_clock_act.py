"""clock.set: an operator may set a virtual business clock forward, and no other."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gateway import cli
from gateway.clock import SystemClock
from gateway.flows.administer import NotDone
from gateway.web.admin import Office, perform

START = datetime(2026, 3, 2, tzinfo=UTC)
LATER = "2026-03-05T10:00:00+08:00"


def office(clock: SystemClock | None) -> Office:
    """An office of which this act needs the clock only."""
    nothing: Any = None
    return Office(nothing, nothing, nothing, nothing, clock)


async def test_a_virtual_clock_is_set_forward_and_runs_on() -> None:
    clock = SystemClock.starting_at(START)
    said = await perform(office(clock), "clock.set", {"instant": LATER})
    assert "2026-03-05" in said
    late = clock.now() - datetime.fromisoformat(LATER)
    assert timedelta(0) <= late < timedelta(minutes=1)


async def test_a_virtual_clock_never_runs_backward() -> None:
    clock = SystemClock.starting_at(START)
    with pytest.raises(NotDone, match="backward"):
        await perform(office(clock), "clock.set", {"instant": "2026-03-01T00:00:00+08:00"})
    assert clock.now() >= START


async def test_the_clock_of_real_business_is_not_set() -> None:
    with pytest.raises(NotDone, match="real time"):
        await perform(office(None), "clock.set", {"instant": LATER})


@pytest.mark.parametrize("text", ["tomorrow", "2026-03-05T10:00:00"])
async def test_an_instant_needs_its_offset(text: str) -> None:
    clock = SystemClock.starting_at(START)
    with pytest.raises(NotDone, match=text):
        await perform(office(clock), "clock.set", {"instant": text})


def test_without_a_running_server_there_is_no_clock_to_set(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GATEWAY_DATA_DIR", str(tmp_path))
    assert cli.main(["clock", "set", LATER]) == 1
    assert "no server is running" in capsys.readouterr().err
