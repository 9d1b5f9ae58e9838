"""Every bill of the demo, printed as a calculation case, gives the stored split again."""

import asyncio
import io
import json
import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from gateway.store.standing import numbers_in_force
from gateway.verbs import calculate, evidence_verify, explain, replay
from gateway.verbs.stored import looking
from tests.verbs.conftest import Played


async def _live(played: Played) -> list[str]:
    async with looking(played.settings) as reader:
        return await numbers_in_force(reader, date.min, date.max)


@pytest.fixture(scope="module")
def settlements(played: Played) -> list[str]:
    return asyncio.run(_live(played))


@pytest.fixture(scope="module")
def cases(played: Played, settlements: list[str]) -> dict[str, str]:
    return {settlement: _as_case(played, settlement) for settlement in settlements}


def _as_case(played: Played, settlement: str) -> str:
    out = io.StringIO()
    assert explain.run(played.settings, settlement, True, out) == 0
    return out.getvalue()


def test_every_live_bill_of_the_demo_gives_the_stored_split(
    cases: dict[str, str], tmp_path: Path
) -> None:
    differing = {}
    for settlement, case in cases.items():
        file, told = tmp_path / f"{settlement}.json", io.StringIO()
        file.write_text(case)
        if calculate.run(str(file), True, io.StringIO(), told) != 0:
            differing[settlement] = told.getvalue()
    assert not differing
    assert len(cases) == 11


def test_the_cases_expect_every_fen_of_the_summary(played: Played, cases: dict[str, str]) -> None:
    summary = json.loads((played.out / "summary.json").read_text())
    expected = [case["expect"] for text in cases.values() for case in json.loads(text)]
    for payer in ("total", "fund", "employer", "individual", "hospital", "other"):
        assert sum(_fen(one[payer]) for one in expected) == _fen(summary[payer])


def _fen(yuan: str) -> int:
    whole, _, decimals = yuan.partition(".")
    return int(whole) * 100 + int(decimals)


def test_a_bill_piped_from_explain_to_calculate_is_equal(
    played: Played, settlements: list[str]
) -> None:
    environment = os.environ | {"GATEWAY_DATA_DIR": str(played.home / "data")}
    gateway = (sys.executable, "-m", "gateway")
    explained = subprocess.run(
        [*gateway, "explain", settlements[0], "--as-case"],
        env=environment,
        capture_output=True,
        check=True,
    )
    checked = subprocess.run(
        [*gateway, "calculate", "-", "--check"], input=explained.stdout, capture_output=True
    )
    assert checked.returncode == 0, checked.stderr.decode()


def test_the_demo_is_explained_by_its_log_and_replayed_without_a_difference(
    played: Played,
) -> None:
    """The demo reverses a message that never came, too."""
    out = io.StringIO()
    assert evidence_verify.run(played.settings, out) == 0, out.getvalue()
    assert replay.run(played.settings, (), out, lambda: True, 1) == 0, out.getvalue()
