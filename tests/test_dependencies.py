"""Every dependency is declared, locked by hash, and has one reason in docs/dependencies.md."""

import re
import sys
import tomllib
from pathlib import Path

from tests.tidy.imports import imports
from tests.tidy.source import python_files

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LOCK = (ROOT / "requirements.lock").read_text()
PAGE = (ROOT / "docs/dependencies.md").read_text("utf-8")
OF_ANOTHER = {"starlette": "fastapi", "pydantic": "pydantic-settings"}
"""Modules that come with a package we declare."""


def names(requirements: list[str]) -> set[str]:
    return {re.split(r"[\[<>=]", each)[0] for each in requirements}


RUN = names(PROJECT["dependencies"])
TEST = names(PROJECT["optional-dependencies"]["test"])


def reasons(heading: str) -> dict[str, str]:
    section = PAGE.split(heading)[1].split("\n## ")[0]
    rows = re.findall(r"^\| ([a-z][\w-]*) \| (.+) \|$", section, re.MULTILINE)
    return dict(rows[1:] if rows[0][0] == "package" else rows)


def test_every_dependency_has_its_reason_and_no_reason_is_left_over() -> None:
    assert set(reasons("To run")) == RUN
    assert set(reasons("To test and check")) == TEST
    assert all(len(reason) > 3 for reason in reasons("To run").values())


def test_every_dependency_is_locked_with_hashes_and_no_index_is_named() -> None:
    entries = re.split(r"\n(?=[a-z])", LOCK)
    locked = {re.split(r"[\[=]", each)[0]: each for each in entries if "==" in each}
    assert sorted((RUN | TEST) - set(locked)) == []
    assert [name for name, entry in locked.items() if "--hash=sha256:" not in entry] == []
    assert "://" not in LOCK
    assert "index" not in LOCK


def test_everything_imported_is_declared() -> None:
    ours = {"gateway", "adapters", "tests", "certs"}
    declared = {name.replace("-", "_") for name in RUN | TEST} | set(OF_ANOTHER)
    declared |= {"chinese_calendar"}  # the module of chinesecalendar
    for source in python_files():
        for line, name in imports(source):
            top = name.partition(".")[0]
            known = top in sys.stdlib_module_names or top in ours | declared
            assert known, f"{source.path}:{line}: declare {top} in pyproject.toml"
