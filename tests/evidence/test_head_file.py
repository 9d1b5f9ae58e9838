"""The file of the last checkpoint is whole, and on disk before anybody goes on."""

import os
from pathlib import Path
from typing import Any

import pytest

from gateway.evidence.head_file import HeadFile


def test_before_the_first_checkpoint_it_says_nothing(tmp_path: Path) -> None:
    assert HeadFile(tmp_path / "log" / "head").read() == ""


def test_the_last_note_replaces_the_one_before(tmp_path: Path) -> None:
    file = HeadFile(tmp_path / "log" / "head")
    file.write("first\n")
    file.write("\u2014 second\n")
    assert file.read() == "\u2014 second\n"
    assert [one.name for one in file.path.parent.iterdir()] == ["head"]


def test_content_is_synced_before_the_name_and_the_folder_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []

    def noted(name: str) -> Any:
        real = getattr(os, name)

        def call(*given: Any) -> Any:
            calls.append(name)
            return real(*given)

        return call

    for name in ("fsync", "replace"):
        monkeypatch.setattr(os, name, noted(name))
    HeadFile(tmp_path / "head").write("note\n")
    assert calls == ["fsync", "replace", "fsync"]
