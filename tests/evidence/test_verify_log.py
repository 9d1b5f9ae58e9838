"""The script that verifies an export: by itself, against others' signatures, and byte by byte."""

import subprocess
import sys
from functools import cache
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.evidence import verify_log
from gateway.evidence.note import COSIGNED, NoteSigner
from gateway.evidence.verify_log import Bad, Verified, ed25519, run, verify
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


def test_several_processes_find_the_line_that_one_finds(
    written: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verify_log, "_ONE_PROCESS", 1)
    content = bytearray(written.read_bytes())
    path = tmp_path / "changed"
    for number in (40, 160, 280):
        at = content.index(b"\nleaf\t%d\t" % number)
        path.write_bytes(content[:at] + b"\nLeaf" + content[at + 5 :])
        with pytest.raises(Bad) as found:
            verify(str(path), processes=3)
        assert found.value.line == content.count(b"\n", 0, at) + 2


def test_another_key_than_the_one_given_is_refused(written: Path) -> None:
    with pytest.raises(Bad, match="another key"):
        verify(str(written), exports.WITNESS.verifier.text)


WITNESS = exports.WITNESS.verifier.text
MADE_UP = NoteSigner("AGENCY", Ed25519PrivateKey.generate(), COSIGNED)


@pytest.fixture
def cosigned_by_anybody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An export whose witness has the agency's name and a key of its own."""
    monkeypatch.setattr(exports, "WITNESS", MADE_UP)
    exports.write(tmp_path / "made up", 9, 3)
    return tmp_path / "made up"


def test_the_witness_that_was_given_cosigned_and_how_much_is_told(written: Path) -> None:
    code, said = run(str(written), witnesses=[WITNESS])
    assert (code, f"witness      {WITNESS} (of 300 entries)\n" in said) == (0, True)


def test_a_witness_that_nobody_compared_is_named_and_said_to_be_anybody(
    cosigned_by_anybody: Path,
) -> None:
    code, said = run(str(cosigned_by_anybody))
    assert code == 0
    assert f"{MADE_UP.verifier.text} (of 9 entries; anybody may have made it" in said


def test_a_cosignature_of_another_key_is_refused_in_its_line(cosigned_by_anybody: Path) -> None:
    with pytest.raises(Bad, match="no witness that was given") as found:
        verify(str(cosigned_by_anybody), witnesses=[WITNESS])
    assert found.value.line == 6


def test_each_of_several_witnesses_given_may_have_cosigned(cosigned_by_anybody: Path) -> None:
    found = verify(str(cosigned_by_anybody), witnesses=[WITNESS, MADE_UP.verifier.text])
    assert found.witnesses == {MADE_UP.verifier.text: 9}


def test_an_export_without_cosignatures_is_not_one_the_witness_saw(
    small: list[bytes], tmp_path: Path
) -> None:
    alone = [line for line in small if not line.startswith(b"cosignature")]
    path = tmp_path / "alone"
    assert verified(path, alone).witnesses == {}
    with pytest.raises(Bad, match="no witness that was given has cosigned"):
        verify(str(path), witnesses=[WITNESS])


def test_the_keys_are_given_on_the_command_line(written: Path) -> None:
    keys = ["--key", exports.LOG.verifier.text, "--witness", MADE_UP.verifier.text]
    for given, code in ((keys, 1), ([*keys, "--witness", WITNESS], 0)):
        for command in ([str(SCRIPT)], ["-m", "gateway", "evidence", "check"]):
            words = [sys.executable, *command, str(written), *given]
            done = subprocess.run(words, capture_output=True, check=False)
            assert (done.returncode, done.stderr) == (code, b"")


def test_every_changed_byte_is_found_in_its_line(tmp_path: Path) -> None:
    assert measure.located(tmp_path, 60, measure.SEED) == 60


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """The lines of an export of nine leaves with three checkpoints."""
    path = tmp_path_factory.mktemp("small") / "log.export"
    exports.write(path, 9, 3)
    return path.read_bytes().splitlines(keepends=True)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same signature of the same words need not be computed twice."""
    monkeypatch.setattr(verify_log, "ed25519", cache(ed25519))


def verified(path: Path, lines: list[bytes]) -> Verified:
    path.write_bytes(b"".join(lines))
    return verify(str(path), processes=1)


def found_in(path: Path, lines: list[bytes]) -> int:
    """The line that is named as bad."""
    with pytest.raises(Bad) as found:
        verified(path, lines)
    return found.value.line


@pytest.mark.usefixtures("quick")
def test_every_digit_of_a_proof_counts(small: list[bytes], tmp_path: Path) -> None:
    """Those of its sizes too, whether or not another checkpoint has the size it says then."""
    for number, line in enumerate(small, 1):
        digits = [at for at, one in enumerate(line) if chr(one).isdigit()]
        for at in digits if line.startswith(b"proof") else ():
            for other in set(b"0123456789") - {line[at]}:
                changed = line[:at] + bytes([other]) + line[at + 1 :]
                lines = [*small[: number - 1], changed, *small[number:]]
                assert found_in(tmp_path / "changed", lines) == number, changed


@pytest.mark.usefixtures("quick")
def test_lines_that_became_one_are_found_where_the_first_begins(
    small: list[bytes], tmp_path: Path
) -> None:
    for number, line in enumerate(small, 1):
        lines = [*small[: number - 1], line[:-1] + b"x", *small[number:]]
        assert found_in(tmp_path / "joined", lines) == number


@pytest.mark.usefixtures("quick")
def test_every_single_line_that_is_gone_is_missed_but_a_cosignature(
    small: list[bytes], tmp_path: Path
) -> None:
    """What stands in its place is named, for a proof the checkpoint that it was the proof of.
    That there was a cosignature is not told by anything else: the export is good without it."""
    path = tmp_path / "short"
    for number, line in enumerate(small, 1):
        left = [*small[: number - 1], *small[number:]]
        if line.startswith(b"cosignature"):
            assert verified(path, left).cosignatures == 2
        elif line.startswith(b"proof"):
            assert found_in(path, left) == number - 2
        else:
            assert found_in(path, left) == number


def test_a_checkpoint_that_nobody_cosigned_is_missed_by_its_proof(
    small: list[bytes], tmp_path: Path
) -> None:
    alone = [line for line in small if not line.startswith(b"cosignature")]
    for number, line in enumerate(alone, 1):
        if line.startswith(b"checkpoint"):
            left = [*alone[: number - 1], *alone[number:]]
            named = left[found_in(tmp_path / "short", left) - 1]
            assert named.startswith(b"proof")


def test_signatures_over_the_last_leaves_that_are_gone_leave_these_uncovered(
    small: list[bytes], tmp_path: Path
) -> None:
    assert verified(tmp_path / "short", small[:-3]).unsigned == 3


def test_a_checkpoint_stands_once(small: list[bytes], tmp_path: Path) -> None:
    first = next(at for at, line in enumerate(small) if line.startswith(b"checkpoint"))
    lines = [*small[: first + 1], small[first], *small[first + 1 :]]
    assert found_in(tmp_path / "twice", lines) == first + 2


def test_a_header_that_is_no_text_is_refused(small: list[bytes], tmp_path: Path) -> None:
    start = small[0].rpartition(b"\t")[0].replace(b"GATEWAY", b"\xff")
    header = start + b"\t" + sha256(start).hexdigest().encode() + b"\n"
    assert found_in(tmp_path / "no text", [header, *small[1:]]) == 1


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
