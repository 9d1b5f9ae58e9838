"""The threat list of gateway/seal/README.md names tests that exist."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
NAMED = re.compile(r"`(tests/[a-z_/]+\.py)::(test_[a-z0-9_]+)`")


def test_every_threat_names_a_test_and_every_named_test_exists() -> None:
    text = (ROOT / "gateway" / "seal" / "README.md").read_text("utf-8")
    threats = text.split("## 威胁清单")[1].splitlines()[4:]
    assert len(threats) > 20
    assert [threat for threat in threats if not NAMED.search(threat)] == []
    for path, name in NAMED.findall(text):
        assert f"def {name}(" in (ROOT / path).read_text("utf-8"), f"{path}::{name}"
