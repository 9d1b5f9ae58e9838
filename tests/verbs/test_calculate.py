"""`gateway calculate FILE [--check]`."""

import io
import json
import os
import sys
from pathlib import Path

import pytest

from gateway.rules import line
from gateway.rules.plain import standing
from gateway.rules.settle import settle
from gateway.verbs.calculate import run
from tests.rules.facts import a_bill, a_line, example_policy

CASE = {
    "id": "C1",
    "title": "换药三次",
    "params": {"no_consent_payer": "hospital"},
    "lines": [{"name": "换药", "price": "88.00", "qty": "3"}],
    "expect": {"fund": "264.00", "lines": [{"fund": "264.00"}]},
}


def ran(path: str, check: bool = False) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    return run(path, check, out, err), out.getvalue(), err.getvalue()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "cases.json"
    path.write_text(json.dumps([CASE]), encoding="utf-8")
    return path


@pytest.mark.parametrize("check", [False, True])
def test_results_are_printed_and_nothing_else(file: Path, check: bool):
    code, out, err = ran(str(file), check)
    assert (code, err) == (0, "")
    (result,) = json.loads(out)
    assert (result["id"], result["total"], result["fund"]) == ("C1", "264.00", "264.00")


def test_a_dash_reads_standard_input(file: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(file.read_bytes())))
    code, out, _ = ran("-")
    assert code == 0
    assert json.loads(out)[0]["fund"] == "264.00"


def test_a_difference_is_told_with_case_line_and_both_amounts(file: Path):
    expect = {"lines": [{"fund": "264.01"}], "total": "1.00"}
    file.write_text(json.dumps([CASE, CASE | {"id": "C2", "expect": expect}]), encoding="utf-8")
    code, out, err = ran(str(file), check=True)
    assert code == 1
    assert len(json.loads(out)) == 2
    assert err.splitlines() == [
        "案例 C2 total：算得 264.00，应为 1.00 / case C2 total: calculated 264.00, expected 1.00",
        "案例 C2 第 1 行 fund：算得 264.00，应为 264.01 / "
        "case C2 line 1 fund: calculated 264.00, expected 264.01",
    ]


def test_what_is_expected_is_not_compared_without_check(file: Path):
    file.write_text(json.dumps([CASE | {"expect": {"total": "1.00"}}]), encoding="utf-8")
    assert ran(str(file))[0] == 0
    assert ran(str(file), check=True)[0] == 1


@pytest.mark.parametrize(
    "cases", [[], [{key: told for key, told in CASE.items() if key != "expect"}]]
)
def test_a_check_of_nothing_is_no_check(file: Path, cases: list[object]):
    file.write_text(json.dumps(cases), encoding="utf-8")
    code, out, err = ran(str(file), check=True)
    assert (code, out) == (2, "")
    assert "没有可比较的" in err
    assert ran(str(file))[0] == 0


def test_a_malformed_file_prints_every_fault_and_no_result(file: Path):
    file.write_text(json.dumps([CASE | {"x": 1, "id": 5}]), encoding="utf-8")
    code, out, err = ran(str(file), check=True)
    assert (code, out) == (2, "")
    assert len(err.splitlines()) == 2


def test_a_file_that_is_not_there_is_told(tmp_path: Path):
    code, out, err = ran(str(tmp_path / "none.json"))
    assert (code, out) == (2, "")
    assert err.startswith("无法读取")


def test_the_published_examples_pass_the_check():
    beside = Path(__file__).resolve().parents[3] / "shared"
    folder = Path(os.environ.get("GATEWAY_SHARED", beside)) / "examples"
    path = folder / "settlement_examples.json"
    if not path.exists():
        pytest.skip("the examples are not here: set GATEWAY_SHARED to the folder of the papers")
    code, out, err = ran(str(path), check=True)
    assert (code, err) == (0, "")
    assert len(json.loads(out)) == 16


def test_a_broken_line_rule_breaks_calculations_and_settlements_alike(
    file: Path, monkeypatch: pytest.MonkeyPatch
):
    def broken(*_: object) -> None:
        raise RuntimeError("the line rule is broken")

    monkeypatch.setattr(line, "_shared", broken)
    # What bills before this one were told is forgotten.
    standing.cache_clear()
    with pytest.raises(RuntimeError, match="line rule"):
        ran(str(file))
    with pytest.raises(RuntimeError, match="line rule"):
        settle(a_bill(a_line()), example_policy())


# --- paid before, and trips -------------------------------------------------------------------

TRIP = {
    "hospital_certificate": True,
    "agency_consent": True,
    "fares": [{"name": "火车", "amount": "186.50"}, {"name": "火车", "amount": "186.50"}],
    "waited": [{"nights": 7, "price": "180.00"}],
    "hospital_days": 10,
    "region": "999900",
    "day": "2026-03-01",
}


def tried(file: Path, **blocks: object) -> tuple[int, str, str]:
    case = {key: value for key, value in CASE.items() if key != "expect"} | blocks
    file.write_text(json.dumps([case]), encoding="utf-8")
    return ran(str(file), check=True)


def test_a_trip_is_tried_under_what_the_regions_texts_pay_and_cites_them(file: Path):
    code, out, err = tried(file, travel=TRIP, expect={"travel": {"fund": "1423.00"}})
    assert (code, err) == (0, "")
    trip = json.loads(out)[0]["travel"]
    assert {key: trip[key] for key in ("fund", "fares", "lodging", "meals", "own")} == {
        "fund": "1423.00",
        "fares": "373.00",
        "lodging": "750.00",
        "meals": "300.00",
        "own": "510.00",
    }
    assert trip["reasons"] == ["OVER_WAITING_DAYS", "OVER_LODGING_CAP"]
    assert len(trip["cites"]) == 5


@pytest.mark.parametrize(
    ("region", "told"),
    [("330800", "travel/lodging_per_night_fen"), ("371000", "travel/standard"), ("999999", "")],
)
def test_a_trip_under_texts_that_are_silent_or_absent_is_not_computed(
    file: Path, region: str, told: str
):
    code, out, err = tried(file, travel=TRIP | {"region": region})
    assert (code, out) == (2, "")
    assert err
    assert told in err


def test_the_payees_what_is_taken_off_and_the_claim_are_printed(file: Path):
    paid = {"third_party": "64.00", "individual": "50.00", "liability": "0.50"}
    code, out, err = tried(file, paid=paid, expect={"fund": "200.00", "other": "64.00"})
    assert (code, err) == (0, "")
    (result,) = json.loads(out)
    assert (result["fund"], result["other"]) == ("200.00", "64.00")
    assert result["paid"] == {
        "payees": {"individual": "50.00", "hospital": "150.00"},
        "taken_off": "64.00",
        "claim": "100.00",
    }


@pytest.mark.parametrize(
    ("blocks", "told"),
    [
        ({"expect": {"paid": {"claim": "1.00"}}}, "paid：算得 none，应为 a payment"),
        ({"expect": {"travel": {"fund": "1.00"}}}, "travel：算得 none，应为 a trip"),
        (
            {"paid": {"third_party": "0.00"}, "expect": {"paid": {"payees": {}}}},
            "hospital：算得 264.00，应为 0.00",
        ),
        (
            {"paid": {"third_party": "1.00"}, "expect": {"paid": {"taken_off": "0.00"}}},
            "taken_off：算得 1.00，应为 0.00",
        ),
        (
            {"paid": {"liability": "1.00"}, "expect": {"paid": {"claim": "1.00"}}},
            "claim：算得 264.00，应为 1.00",
        ),
        ({"travel": TRIP, "expect": {"travel": {"own": "0.00"}}}, "travel.own：算得 510.00"),
        ({"travel": TRIP, "expect": {"travel": {"fund": "0.00"}}}, "travel.fund：算得 1423.00"),
    ],
)
def test_a_block_that_comes_out_otherwise_is_told(file: Path, blocks: dict[str, object], told: str):
    code, _, err = tried(file, **blocks)
    assert code == 1
    assert told in err
