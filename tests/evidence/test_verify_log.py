"""The script that verifies an export: by itself, against others' signatures, and byte by byte."""

import subprocess
import sys
from pathlib import Path

import pytest

from gateway.evidence import verify_log
from gateway.evidence.verify_log import Bad, ed25519, verify
from tests.evidence import exports, measure

SCRIPT = Path(verify_log.__file__)

# RFC 8032 §7.1: key, message, signature.
RFC_8032 = (
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
        "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
        "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
)


@pytest.mark.parametrize(("key", "message", "signature"), RFC_8032)
def test_signatures_of_the_standard_are_good_and_no_others(
    key: str, message: str, signature: str
) -> None:
    public, said, signed = map(bytes.fromhex, (key, message, signature))
    assert ed25519(public, said, signed)
    assert not ed25519(public, said + b"x", signed)
    for at in (0, 31, 32, 63):
        changed = bytes([*signed[:at], signed[at] ^ 1, *signed[at + 1 :]])
        assert not ed25519(public, said, changed)


def test_a_scalar_above_the_order_is_refused() -> None:
    public, said, signed = map(bytes.fromhex, RFC_8032[1])
    scalar = int.from_bytes(signed[32:], "little") + 2**252 + 27742317777372353535851937790883648493
    assert not ed25519(public, said, signed[:32] + scalar.to_bytes(32, "little"))


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("export") / "log.export"
    exports.write(path, 300, 100)
    return path


def test_a_good_export_is_good_and_everything_in_it_was_looked_at(written: Path) -> None:
    found = verify(str(written), exports.LOG.verifier.text)
    assert (found.entries, found.opened, found.unsigned) == (300, 300, 0)
    assert (found.checkpoints, found.cosignatures, found.proofs) == (3, 3, 2)


def test_the_script_runs_alone_without_the_gateway(written: Path, tmp_path: Path) -> None:
    alone = tmp_path / "verify_log.py"
    alone.write_bytes(SCRIPT.read_bytes())
    command = [sys.executable, "-I", "-S", str(alone), str(written)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "entries      300 (300 opened" in done.stdout


def test_two_processes_find_what_one_finds(written: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = verify(str(written), processes=1)
    monkeypatch.setattr(verify_log, "_ONE_PROCESS", 1)
    assert verify(str(written), processes=2) == whole
    assert verify(str(written), processes=5) == whole


def test_another_key_than_the_one_given_is_refused(written: Path) -> None:
    with pytest.raises(Bad, match="another key"):
        verify(str(written), exports.WITNESS.verifier.text)


def test_every_changed_byte_is_found_in_its_line(tmp_path: Path) -> None:
    assert measure.located(tmp_path, 60, measure.SEED) == 60


def test_a_line_that_is_gone_is_named(written: Path, tmp_path: Path) -> None:
    lines = written.read_bytes().split(b"\n")
    path = tmp_path / "short"
    path.write_bytes(b"\n".join(lines[:50] + lines[51:]))
    with pytest.raises(Bad, match="leaf 50 stands where leaf 49 should") as found:
        verify(str(path))
    assert found.value.line == 51


def test_an_export_cut_short_is_not_whole(written: Path, tmp_path: Path) -> None:
    lines = written.read_bytes().split(b"\n")
    path = tmp_path / "short"
    path.write_bytes(b"\n".join(lines[:101]) + b"\n")
    with pytest.raises(Bad, match="100 leaves, the header says 300"):
        verify(str(path))


def test_an_entry_forged_with_its_hash_breaks_the_next_checkpoint(
    written: Path, tmp_path: Path
) -> None:
    """Whoever recomputes a leaf's hash as well still lacks the log's key."""
    lines = written.read_text(encoding="utf-8").split("\n")
    number = int(lines[149].split("\t")[1])
    lines[149] = exports.export.leaf_line(number, next(exports.leaves(1))).rstrip("\n")
    path = tmp_path / "forged"
    path.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(Bad, match="the leaves 100 to 199 are not those that were signed"):
        verify(str(path))
