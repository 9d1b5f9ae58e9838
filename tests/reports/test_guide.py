"""docs/reports.md: a HIS that follows the guide computes our digest."""

import re
from datetime import date
from hashlib import sha256
from pathlib import Path

from gateway.domain.split import Split
from gateway.rules.reconcile import DIFFERENCE_KINDS, CentreRow, detail_digest

GUIDE = (Path(__file__).parents[2] / "docs" / "reports.md").read_text(encoding="utf-8")


def test_the_digest_of_the_guides_example_is_ours():
    example = re.search(r"```\n((?:S1\|.*\n)+)```\n\n`([0-9a-f]{64})`", GUIDE)
    assert example is not None
    day, amount = date(2026, 3, 2), Split(fund_fen=10000)
    rows = [
        CentreRow("S1", day, "", False, amount, 0),
        CentreRow("S1", day, "", True, amount.negated(), 0),
    ]
    assert sha256(example[1].encode()).hexdigest() == example[2] == detail_digest(rows)


def test_the_guide_names_every_class_of_difference():
    assert re.findall(r"^\| `([A-Z_]+)` \|", GUIDE, re.MULTILINE) == list(DIFFERENCE_KINDS)
