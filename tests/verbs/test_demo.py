"""What `gateway demo` leaves and refuses; from any first day it tells the same story."""

import io
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography import x509

from adapters.sandbox.story import SCENES
from gateway import cli
from gateway.domain.money import fen
from gateway.seal.authority import fingerprint
from gateway.seal.broken import SealBroken
from gateway.seal.offline import verify_offline
from gateway.verbs import demo
from tests.verbs.conftest import START, Played

PAYERS = ("fund", "employer", "individual", "hospital", "other")
COUNTS = ("stays", "lines", "held", "released", "refused", "differences")


def summary_of(out: Path) -> dict[str, str | int]:
    found: dict[str, str | int] = json.loads((out / "summary.json").read_text())
    return found


def of_the_story(out: Path) -> dict[str, str | int]:
    """The summary without how long it took."""
    return {name: value for name, value in summary_of(out).items() if name != "seconds"}


def test_every_scene_is_shown_as_done(played: Played) -> None:
    for scene in SCENES:
        assert any(
            line.startswith("✓") and scene.zh in line and scene.en in line
            for line in played.shown.splitlines()
        )


def test_the_summary_counts_the_story(played: Played) -> None:
    summary = summary_of(played.out)
    assert {name: summary[name] for name in COUNTS} == {
        "stays": 16,
        "lines": 20 + 300 + 3000 + 40 + 60 + 120 + 23 + 4 * 24,
        "held": 1,
        "released": 1,
        "refused": 5,
        "differences": 7,
    }


def test_the_five_payers_add_up_to_the_total(played: Played) -> None:
    summary = summary_of(played.out)
    assert sum(fen(str(summary[payer])) for payer in PAYERS) == fen(str(summary["total"]))
    assert all(fen(str(summary[name])) > 0 for name in (*PAYERS, "meal"))


def test_the_reports_are_there(played: Played) -> None:
    assert (played.out / "settlement.pdf").read_bytes().startswith(b"%PDF")
    assert (played.out / "reconciliation.xlsx").read_bytes().startswith(b"PK")


def test_the_settlement_is_signed_by_the_certificate_beside_it(played: Played) -> None:
    trust = (played.out / "trust" / "ca.pem").read_bytes()
    signer = x509.load_pem_x509_certificate((played.out / "trust" / "signer.pem").read_bytes())
    sealed = verify_offline((played.out / "settlement.xml").read_bytes(), trust)
    assert sealed.fingerprint == fingerprint(signer)
    assert sealed.header.command == "settlement.commit"


def test_one_changed_digit_breaks_the_settlement(played: Played) -> None:
    trust = (played.out / "trust" / "ca.pem").read_bytes()
    forged = (played.out / "settlement.xml").read_bytes().replace(b">1", b">2", 1)
    with pytest.raises(SealBroken):
        verify_offline(forged, trust)


def test_every_message_that_was_answered_is_kept_with_its_signed_reply(played: Played) -> None:
    trust = (played.out / "trust" / "ca.pem").read_bytes()
    kept = sorted((played.out / "messages").glob("*/*.xml"))
    for path in kept:
        assert verify_offline(path.read_bytes(), trust).header.message_id
    sent = {path.name.partition(".")[0] for path in kept if ".sent" in path.name}
    received = {path.name.partition(".")[0] for path in kept if ".received" in path.name}
    assert sent - received == {"H001-SMUGGLED-1"}
    assert {path.parent.name for path in kept} == {"AGENCY", "H001", "H002", "H003"}


def test_no_upload_holds_more_than_five_hundred_lines(played: Played) -> None:
    lines = [
        path.read_bytes().count(b"<Line>") for path in (played.out / "messages").glob("*/*.sent*")
    ]
    assert max(lines) == 500
    assert lines.count(500) == 6


def test_no_private_key_is_left_in_the_output(played: Played) -> None:
    files = [path for path in played.out.rglob("*") if path.is_file()]
    assert files
    assert not [path for path in files if b"PRIVATE " + b"KEY" in path.read_bytes()]


def test_the_repeated_commit_brought_the_same_bytes(played: Played) -> None:
    replies = (played.out / "messages" / "H001").glob("*.received-2.xml")
    pairs = [(path, path.with_name(path.name.replace("-2.xml", ".xml"))) for path in replies]
    assert pairs
    assert all(again.read_bytes() == first.read_bytes() for again, first in pairs)


def test_a_folder_that_is_not_the_demos_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("mine")
    said = io.StringIO()
    code = demo.run(tmp_path, START, keep=False, verb=cli.main, say=said)
    assert (code, (tmp_path / "letter.txt").read_text()) == (demo.MALFORMED, "mine")
    assert "left alone" in said.getvalue()


@pytest.mark.parametrize("start", ["yesterday", "2026-03-02T08:00:00"])
def test_a_start_without_an_instant_or_offset_is_malformed(start: str, tmp_path: Path) -> None:
    said = io.StringIO()
    code = demo.run(tmp_path / "out", start, keep=False, verb=cli.main, say=said)
    assert code == demo.MALFORMED
    assert "--start" in said.getvalue()
    assert not (tmp_path / "out").exists()


def test_a_gateway_that_does_not_do_its_part_fails_the_demo_with_a_sentence(
    tmp_path: Path,
) -> None:
    said = io.StringIO()
    code = demo.run(tmp_path / "out", START, keep=False, verb=lambda words: 1, say=said)
    assert code == demo.BROKEN
    assert "gateway catalog import" in said.getvalue()
    assert not (tmp_path / "out" / "summary.json").exists()


def test_the_same_story_from_february_comes_to_the_same_amounts(
    played: Played, tmp_path: Path
) -> None:
    start = "2027-02-01T08:00:00+08:00"
    said = io.StringIO()
    code = demo.run(tmp_path / "out", start, keep=False, verb=cli.main, say=said)
    assert code == demo.DONE, said.getvalue()
    assert of_the_story(tmp_path / "out") == of_the_story(played.out)


def test_kept_over_the_new_year_the_servers_answer_curl_until_they_are_told_to_end(
    played: Played, tmp_path: Path
) -> None:
    words = ["demo", "--keep", "--start", "2026-12-28T08:00:00+08:00", "--out", "out"]
    environment = os.environ | {"TMPDIR": str(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(
        [sys.executable, "-m", "gateway", *words],
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    ) as running:
        try:
            shown, calls = _until_curl(running)
            answers = [_called(call) for call in calls]
        finally:
            running.send_signal(signal.SIGINT)
        assert running.wait(60) == demo.DONE, shown
    assert of_the_story(tmp_path / "out") == of_the_story(played.out)
    if answers[0] is not None:
        assert b'"status"' in answers[0]
        assert answers[2] == _first_reply(tmp_path / "out", calls[2])
    assert not list(tmp_path.glob("gateway-demo-*"))


def _until_curl(running: subprocess.Popen[str]) -> tuple[str, list[str]]:
    """What the demo shows, up to and with its three curl commands."""
    shown: list[str] = []
    calls: list[str] = []
    assert running.stdout is not None
    for line in running.stdout:
        shown.append(line)
        if line.strip().startswith("curl "):
            calls.append(line.strip())
        if len(calls) == 3:
            break
    assert len(calls) == 3, "".join(shown)
    return "".join(shown), calls


def _called(call: str) -> bytes | None:
    """What curl brings, or None on a machine without it."""
    if shutil.which("curl") is None:
        return None
    words = [*shlex.split(call), "--silent", "--fail"]
    return subprocess.run(words, capture_output=True, check=True).stdout


def _first_reply(out: Path, call: str) -> bytes:
    sent = call.partition("@")[2].partition(" ")[0]
    return (out / "messages" / "H001" / Path(sent).name.replace(".sent", ".received")).read_bytes()
