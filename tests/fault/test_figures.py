"""Figures are files: added up over calls, thrown away with the code they were of, and made into
one only when every part is of the same code."""

import json
from collections import Counter
from pathlib import Path

import pytest

from tests import figures
from tests.fault.figures import PARTS, SUMMED, Progress, write_part, write_whole
from tests.figures import source


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(figures, "DOCS", tmp_path)
    return tmp_path


def test_a_later_call_goes_on_and_other_code_begins_anew(folder: Path) -> None:
    first = Progress("kill", folder)
    first.counts.update(Counter(random_kills=3))
    first.save()
    assert Progress("kill", folder).counts == {"random_kills": 3}
    kept = json.loads((folder / "kill.json").read_text()) | {"source": "other"}
    (folder / "kill.json").write_text(json.dumps(kept))
    assert Progress("kill", folder).counts == {}


def test_the_whole_is_written_when_all_parts_are_of_one_source(folder: Path) -> None:
    for number, part in enumerate(PARTS):
        assert not write_whole()
        write_part(part, {"acknowledged": number + 1, "controls_total": 1}, source())
    assert write_whole()
    whole = json.loads((folder / "figures" / "fault.json").read_text())
    assert (whole["acknowledged"], whole["controls_total"], whole["random_kills"]) == (15, 5, 0)
    assert whole.keys() == {*SUMMED, "command", "source", "commit", "machine", "made_at"}
    write_part("race", {"acknowledged": 1}, "other code")
    assert not write_whole()
