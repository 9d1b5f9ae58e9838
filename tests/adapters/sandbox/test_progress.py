"""The display: one line for each scene, done or broken."""

import io

import pytest

from adapters.sandbox.expect import StoryBroken, expect
from adapters.sandbox.progress import Progress, padded
from gateway.clock import SystemClock


def test_a_chinese_sign_takes_two_columns() -> None:
    assert padded("对账", 6) == "对账  "
    assert padded("ops", 6) == "ops   "


def test_a_scene_that_is_done_shows_its_note() -> None:
    out = io.StringIO()
    with Progress(out).scene("对账", "reconciliation", SystemClock().now) as shown:
        shown.note = "7 differences"
    line = out.getvalue()
    assert line.startswith("✓")
    assert line.endswith("7 differences\n")


def test_a_scene_that_breaks_is_marked_and_the_fault_passes_on() -> None:
    out = io.StringIO()
    with (
        pytest.raises(StoryBroken, match="不符 / differs"),
        Progress(out).scene("对账", "reconciliation", SystemClock().now),
    ):
        expect(False, "不符", "differs")
    assert out.getvalue().startswith("✗")
