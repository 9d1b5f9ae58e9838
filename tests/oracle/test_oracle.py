"""Two implementations of the line rules, written apart, give the same fen."""

from pathlib import Path
from typing import Any

import pytest

from gateway.rules import calculate as rules
from gateway.rules.line import Terms
from tests.oracle import compare, lines

NOBODY = {"no_consent_payer": "hospital"}


def test_2000_generated_bills_lie_0_fen_apart():
    found = compare.compare(seed=20261122, count=2_000)
    assert found.faults == ()
    assert (found.bills, found.fen_apart) == (2_000, 0)
    assert found.lines > 4_000


def test_a_rule_that_is_a_fen_off_is_found(monkeypatch: pytest.MonkeyPatch):
    honest = rules.decide

    def greedy(terms: Terms, bearers: Any) -> Any:
        decided = honest(terms, bearers)
        split = decided.split
        moved = split._replace(fund_fen=split.fund_fen + 1, hospital_fen=split.hospital_fen - 1)
        return decided._replace(split=moved)

    monkeypatch.setattr(rules, "decide", greedy)
    found = compare.compare(seed=1, count=10)
    assert found.fen_apart == 2 * found.lines
    assert found.faults


def test_the_same_seed_gives_the_same_bills_and_another_seed_others():
    first, again, other = (list(compare.bills(seed, 5)) for seed in (1, 1, 2))
    assert first == again != other


@pytest.mark.parametrize(
    ("case_line", "shares", "reasons"),
    [
        # E02, E04 without a signature, E06, E07, E13 with a late application.
        (
            {"price": "60.00", "qty": "14", "ceiling": "40.00", "payer": "individual"},
            {"fund": 56000, "individual": 28000},
            {"OVER_CEILING"},
        ),
        ({"price": "98", "qty": "6", "in_cat": False}, {"hospital": 58800}, {"OUT_OF_CATALOGUE"}),
        ({"price": "0.05", "qty": "1", "ratio": "0.90"}, {"fund": 5}, set()),
        ({"price": "1.005", "qty": "1"}, {"fund": 101}, set()),
        (
            {
                "price": "1280",
                "qty": "1",
                "in_cat": False,
                "emergency_approved": True,
                "window": "late_application",
            },
            {"employer": 128000},
            {"EMERGENCY_APPROVED", "LATE_APPLICATION"},
        ),
        (
            {"price": "28", "qty": "28", "qty_limit": "14"},
            {"fund": 39200, "hospital": 39200},
            {"OVER_QTY"},
        ),
    ],
)
def test_the_oracle_knows_the_worked_examples(
    case_line: dict[str, Any], shares: dict[str, int], reasons: set[str]
):
    answer = lines.line(case_line, NOBODY)
    assert {payer: fen for payer, fen in answer.shares.items() if fen} == shares
    assert answer.reasons == reasons


def test_the_oracle_imports_nothing_of_the_gateway():
    source = Path(lines.__file__).read_text(encoding="utf-8")
    assert "import gateway" not in source
    assert "from gateway" not in source
