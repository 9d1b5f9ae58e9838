"""A small policy tree of our own, which each test bends in one place."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.policy.faults import BadPolicy
from gateway.policy.load import load

TEXTS = """
[statute]
title = "法（虚构）"
kind = "regulation"
in_force = 2020-01-01
articles = 67

[notice]
title = "通知（虚构）"
kind = "notice"

[local]
title = "办法（虚构）"
kind = "regional"

[mirror]
title = "转载（虚构）"
kind = "mirror"

[contract]
title = "协议（虚构）"
kind = "agreement"
"""

APPLICATION_DAYS = """
description = "用人单位申请期限 / days to apply"
unit = "days"
picked_by = "injury_date"

[[value]]
from = 2020-01-01
is = 30
law = { text = "statute", article = "第十七条第一款" }
"""

MEAL = """
description = "伙食补助 / meals"
unit = "fen/day"
picked_by = "service_date"

[[value]]
from = 2024-01-01
is = 1200
law = { text = "local", article = "第三条" }

[[value]]
from = 2025-07-01
is = 1500
law = { text = "local", article = "第四条" }
"""

RATIO = """
description = "诊疗项目比例 / item ratio"
unit = "ratio"
picked_by = "service_date"

[[value]]
from = 2024-01-01
is = 0.95
law = { text = "local", article = "第五条" }
"""

DIRECTORY = """
name = "示例市（虚构）"
from = 2024-01-01

[[agency]]
code = "999901"
name = "示例经办（虚构）"

[[institution]]
code = "A1"
name = "甲医院（虚构）"
level = "tertiary"
law = { agreement = "contract", clause = "第一条" }
capabilities = [{ what = "MEDICAL", from = 2024-01-01, ended = 2026-01-01 }]
online = [{ agency = "999901", from = 2024-06-01 }]
doctors = [{ code = "D1", from = 2024-01-01, ended = 2025-03-01 }]
"""

FOLDER = "regions/999901_test"


class Tree:
    """A policy root on disk; `put` writes one file, `bend` replaces one piece of text."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.put("texts.toml", TEXTS)
        self.put("national/employer/application_days.toml", APPLICATION_DAYS)
        self.put(f"{FOLDER}/meal/per_day_fen.toml", MEAL)
        self.put(f"{FOLDER}/line/ratio_item.toml", RATIO)
        self.put(f"{FOLDER}/directory.toml", DIRECTORY)

    def put(self, path: str, text: str) -> None:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text.encode())

    def bend(self, path: str, old: str, new: str) -> None:
        text = (self.root / path).read_bytes().decode()
        assert text.count(old) >= 1, f"{old!r} is not in {path}"
        self.put(path, text.replace(old, new, 1))

    def faults(self) -> list[str]:
        """The English sentences of every fault found in the tree."""
        with pytest.raises(BadPolicy) as caught:
            load("999901", self.root)
        return [fault.en for fault in caught.value.faults]


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


def papers(folder: str) -> Path:
    """A folder of the papers beside the project; without it the test is skipped."""
    beside = Path(__file__).resolve().parents[3] / "shared"
    found = Path(os.environ.get("GATEWAY_SHARED", beside)) / folder
    if not found.is_dir():
        pytest.skip(f"the papers are not here: set GATEWAY_SHARED (looked for {folder}/)")
    return found


@pytest.fixture
def law_text() -> Callable[[str], str]:
    """The full text of a statute from the papers beside the project."""

    def read(title: str) -> str:
        (path,) = papers("law").glob(f"{title}(*.md")
        return path.read_text(encoding="utf-8")

    return read


@pytest.fixture
def seed_text() -> Callable[[str], str]:
    """The regional document that holds these words, from the papers beside the project."""

    def read(words: str) -> str:
        texts = [path.read_text(encoding="utf-8") for path in papers("seeds").glob("*.txt")]
        (text,) = [text for text in texts if words in text]
        return text

    return read
