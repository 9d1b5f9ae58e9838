"""What every release settled comes out the same by the rules of today, bit for bit."""

import json
from functools import cache
from pathlib import Path

import pytest

from adapters.catalog_file.write import edition_from_bytes
from gateway.domain.bill import BillVerdict
from gateway.domain.catalogue import Edition
from gateway.policy.load import load_archive
from gateway.policy.model import Policy
from gateway.rules import RULES_VERSION
from gateway.rules.settle import Bill, settle
from gateway.store.frozen import packed, thawed_facts, thawed_verdict
from gateway.store.rows import canonical
from tests.replay.record import EDITIONS, FOLDER, POLICY, SETTLEMENTS, main, record

RELEASES = sorted(path.parent for path in FOLDER.glob(f"*/{SETTLEMENTS}"))


@cache
def policy_of(release: Path) -> Policy:
    return load_archive((release / POLICY).read_bytes())


@cache
def edition_of(release: Path, digest: str) -> Edition:
    return edition_from_bytes((release / EDITIONS / digest).read_bytes())


def again(release: Path, detail: dict) -> str:
    """The verdict on the frozen facts, as the store would keep it."""
    facts, verdict = thawed_facts(detail), thawed_verdict(detail)
    used = tuple(edition_of(release, digest) for digest in verdict.edition_digests)
    who = (facts.stay, facts.case, facts.hospital, facts.lines, used, facts.others)
    bill = Bill(*who, facts.devices, facts.paid_by)
    outcome = settle(bill, policy_of(release))
    return canonical(packed(outcome)) if isinstance(outcome, BillVerdict) else repr(outcome)


@pytest.mark.parametrize("release", RELEASES, ids=lambda release: release.name)
def test_what_a_release_settled_is_recomputed_bit_for_bit(release: Path):
    details = [json.loads(line) for line in (release / SETTLEMENTS).read_text("utf-8").splitlines()]
    different = [
        number
        for number, detail in enumerate(details, start=1)
        if again(release, detail) != canonical(detail["verdict"])
    ]
    assert different == []
    assert len(details) > 50


def test_the_rules_of_today_are_recorded_and_a_record_is_written_once(
    capsys: pytest.CaptureFixture[str],
):
    assert RULES_VERSION in [release.name for release in RELEASES]
    assert main() == 1
    assert "recorded once" in capsys.readouterr().err


def test_a_fen_that_moved_in_a_record_is_found(tmp_path: Path):
    record(tmp_path / "now")
    first = json.loads((tmp_path / "now" / SETTLEMENTS).read_text("utf-8").splitlines()[0])
    kept = json.loads(json.dumps(first["verdict"]))
    kept["split"][0] += 1
    assert again(tmp_path / "now", first) == canonical(first["verdict"]) != canonical(kept)
