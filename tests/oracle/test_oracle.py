"""Two implementations of the rules, written apart, give the same fen."""

from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from gateway.domain.reasons import VIOLATIONS
from gateway.rules import calculate as rules
from gateway.rules.line import Terms
from tests.oracle import (
    articles,
    compare,
    devices,
    employers,
    lines,
    meals,
    payees,
    places,
    special,
    whole,
    windows,
    worlds,
)
from tests.oracle import stays as stays_of
from tests.oracle.cases import cases
from tests.oracle.stays import stays

NOBODY = {"no_consent_payer": "hospital"}


def test_2000_whole_bills_settled_twice_lie_0_fen_apart():
    found = compare.compare_stays(seed=20261122, count=2_000)
    assert found.faults == ()
    assert (found.bills, found.fen_apart) == (2_000, 0)
    assert found.lines > 6_000


def test_2000_calculation_cases_lie_0_fen_apart():
    found = compare.compare_cases(seed=20261122, count=2_000)
    assert found.faults == ()
    assert (found.cases, found.fen_apart) == (2_000, 0)
    assert found.lines > 4_000


def test_a_rule_that_is_a_fen_off_is_found(monkeypatch: pytest.MonkeyPatch):
    honest = rules.decide

    def greedy(terms: Terms, bearers: Any) -> Any:
        decided = honest(terms, bearers)
        split = decided.split
        moved = split._replace(fund_fen=split.fund_fen + 1, hospital_fen=split.hospital_fen - 1)
        return decided._replace(split=moved)

    monkeypatch.setattr(rules, "decide", greedy)
    found = compare.compare_cases(seed=1, count=10)
    assert found.fen_apart == 2 * found.lines
    assert found.faults


@pytest.mark.parametrize("made", [cases, stays])
def test_the_same_seed_gives_the_same_bills_and_another_seed_others(made: Any):
    first, again, other = (list(made(seed, 5)) for seed in (1, 1, 2))
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
        (
            {"price": "10", "qty": "7", "qty_limit": "5", "charged": "70.01"},
            {"fund": 5000, "hospital": 2001},
            {"OVER_QTY"},
        ),
        ({"price": "30", "qty": "1", "ceiling": "40", "charged": "30.01"}, {"fund": 3001}, set()),
    ],
)
def test_the_oracle_knows_the_worked_examples(
    case_line: dict[str, Any], shares: dict[str, int], reasons: set[str]
):
    answer = lines.line(case_line, NOBODY)
    assert {payer: fen for payer, fen in answer.shares.items() if fen} == shares
    assert answer.reasons == reasons


@pytest.mark.parametrize(
    "one",
    [
        *(articles, devices, employers, lines, meals, payees, places, special, stays_of, whole),
        *(windows, worlds),
    ],
)
def test_the_oracle_imports_nothing_of_the_gateway(one: ModuleType):
    source = Path(str(one.__file__)).read_text(encoding="utf-8")
    assert "import gateway" not in source
    assert "from gateway" not in source
    assert "from tests.rules" not in source


GROUNDS = {
    *("NOT_INJURY", "BENEFIT_STOPPED", "REFUSED_DISCHARGE", "OUT_OF_CATALOGUE", "LIMIT_NOT_MET"),
    *("EMERGENCY_APPROVED", "EMPLOYER_NOT_NOTIFIED", "OVER_QTY", "OVER_CEILING", "REGIONAL_RATIO"),
    *("LATE_APPLICATION", "BEFORE_COVER", "EMPLOYER_IN_ARREARS"),
    *("LIFE_NOT_ENDED", "EMERGENCY_OVER", "NOT_MOVED_BACK"),
}
ENDS = {
    *("refuse EMPLOYER_PAYS", "manual THIRD_PARTY", "manual BASIC_INSURANCE_PAID"),
    *("manual REVERSAL_TOO_LATE", "manual TRANSFER_NOT_FILED", "hold LINES_IN_REVIEW"),
    *("manual NON_AGREEMENT_OR_OUT_OF_REGION", "hold APPROVAL", "hold PENDING_CHECK"),
    *("hold PRIOR_PAYMENT", "hold POLICY_GAP", "hold ARREARS"),
}


def test_2000_bills_reach_every_ground_every_payee_and_every_way_to_end():
    answers = [whole.settled(bill) for bill in stays(20261122, 2_000)]
    settled = [one for one in answers if "lines" in one]
    reasons = [reason for one in settled for why in one["reasons"].values() for reason in why]
    for ground in GROUNDS | VIOLATIONS:
        assert reasons.count(ground) >= 10, ground
    for payee in ("hospital", "basic_insurance", "employer", "individual"):
        assert sum(payee in one["paid"]["medical"] for one in settled) >= 10
    assert sum(one["paid"]["taken_off"] > 0 for one in settled) >= 10
    assert {end for one in answers for end in one.get("ends", ())} == ENDS
    assert {one["liable"] for one in settled} == {"E1", "E2", "E3", "E4"}
