"""The page of figures is what the files say, and explains each."""

from pathlib import Path

import pytest

from tests import figures


def test_the_page_is_what_the_files_say() -> None:
    page = (figures.DOCS / "figures.md").read_text("utf-8")
    assert page == figures.rendered(), "run: python -m tests.figures"


def test_a_figure_that_nobody_explains_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(figures, "DOCS", tmp_path)
    path = figures.write("some", {"random_kills": 3}, "make some", "tests")
    assert "| `random_kills` | 3 |" in (tmp_path / "figures.md").read_text("utf-8")
    assert figures.kept("some") == {"random_kills": 3}
    assert path.exists()
    with pytest.raises(LookupError, match="riddle"):
        figures.write("other", {"riddle": 1}, "make other", "tests")
