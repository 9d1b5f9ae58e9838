"""The command line: every verb explains itself, acts, and says why when it does not."""

import argparse
import os
import shutil
import subprocess
import sys
from base64 import encodebytes
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from adapters.catalog_file import sample_path
from adapters.sandbox.keys import PartyKeys
from gateway import cli
from gateway.seal import authority
from gateway.settings import Settings
from gateway.store.migrate import migrate
from gateway.store.unit import StoreFailed
from tests.e2e.deployed import Deployed, deployed

OFFICIAL = {
    "西药": {"rows": 1957, "entries": 1398, "class_a": 393},
    "中成药": {"rows": 1444, "entries": 1336, "class_a": 246},
    "谈判": {"rows": 425},
    "饮片": {"rows": 892, "marked": 116},
}
"""Rows and entries of each section of the official list of 2024."""

Words = tuple[str, ...]
Told = Callable[..., tuple[int, str, str]]


def official_list() -> Path:
    beside = Path(__file__).parents[2] / "shared"
    return Path(os.environ.get("GATEWAY_SHARED", beside)) / "data" / "nrdl-2024"


needs_official_list = pytest.mark.skipif(
    not official_list().is_dir(), reason="no ../shared/data/nrdl-2024 (GATEWAY_SHARED)"
)


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh data folder."""
    folder = tmp_path / "data"
    monkeypatch.setenv("GATEWAY_DATA_DIR", str(folder))
    monkeypatch.setenv("GATEWAY_ENVIRONMENT", "test")
    return folder


@pytest.fixture
def told(data: Path, capsys: pytest.CaptureFixture[str]) -> Told:
    """Run a verb: its exit code, what it printed and what it complained of."""

    def run(*arguments: object) -> tuple[int, str, str]:
        code = cli.main([str(one) for one in arguments])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


# --- help -----------------------------------------------------------------------------------------


def leaves(
    parser: argparse.ArgumentParser, path: tuple[str, ...] = ()
) -> Iterator[tuple[str, ...]]:
    """Every verb of the command line as its words."""
    inner = [one for one in parser._actions if isinstance(one, argparse._SubParsersAction)]
    if not inner:
        yield path
    for action in inner:
        for word, below in action.choices.items():
            yield from leaves(below, (*path, word))


VERBS = sorted(leaves(cli._parser()))


def test_the_verbs_of_the_papers_are_there() -> None:
    named = {" ".join(words) for words in VERBS}
    assert named >= {
        "serve", "migrate", "doctor", "demo", "calculate", "explain", "verify", "sheet",
        "reconciliation", "catalog import", "hospital enrol", "carrier mandate", "key",
    }  # fmt: skip


@pytest.mark.parametrize("words", VERBS, ids=" ".join)
def test_a_verb_explains_itself(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        cli.main([*words, "--help"])
    assert left.value.code == 0
    assert f"gateway {' '.join(words)}" in capsys.readouterr().out


def test_every_verb_is_listed_in_both_languages(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["--help"])
    listed = capsys.readouterr().out
    for words in VERBS:
        assert words[0] in listed


@pytest.mark.parametrize("arguments", [[], ["nothing"], ["verify"], ["key", "burn", "00"]])
def test_a_malformed_command_is_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        cli.main(arguments)
    assert left.value.code == 2
    assert "usage: gateway" in capsys.readouterr().err


# --- catalogue ------------------------------------------------------------------------------------


@needs_official_list
def test_the_official_list_is_imported_with_its_counts_and_again_without_effect(
    told: Told,
) -> None:
    imported = ("catalog", "import", official_list(), "--valid-from", "2025-01-01")
    code, printed, _ = told(*imported)
    head, *rows = [line.split("\t") for line in printed.splitlines()]
    counts = {section: dict(zip(head[1:], numbers, strict=True)) for section, *numbers in rows}
    assert code == 0
    assert counts.keys() == OFFICIAL.keys()
    for section, expected in OFFICIAL.items():
        assert expected.items() <= {name: int(n) for name, n in counts[section].items()}.items()
    assert told(*imported) == (0, printed, "")


@needs_official_list
def test_an_edition_that_overlaps_another_is_refused(told: Told) -> None:
    closed = ("--valid-from", "2025-01-01", "--valid-to", "2025-12-31")
    assert told("catalog", "import", sample_path(), *closed)[0] == 0
    code, printed, said = told("catalog", "import", official_list(), "--valid-from", "2025-06-01")
    assert (code, printed) == (1, "")
    assert "2025-01-01–2025-12-31" in said
    assert "overlaps" in said


def test_a_bad_row_is_named_with_its_line_and_nothing_is_kept(told: Told, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(sample_path(), tmp_path / "sample"))
    first = sorted(folder.glob("*.csv"))[0]
    lines = first.read_text().splitlines()
    first.write_text("\n".join([*lines[:2], "x" + "," * 3, *lines[3:]]) + "\n")
    code, printed, said = told("catalog", "import", folder, "--valid-from", "2025-01-01")
    assert (code, printed) == (1, "")
    assert first.name in said
    assert "3" in said
    assert told("catalog", "import", sample_path(), "--valid-from", "2025-01-01")[0] == 0


@pytest.mark.parametrize("day", ["2025-13-01", "tomorrow", "20250101x"])
def test_a_day_that_is_none_is_refused(told: Told, day: str) -> None:
    code, _, said = told("catalog", "import", sample_path(), "--valid-from", day)
    assert code == 1
    assert day in said


# --- registry -------------------------------------------------------------------------------------


@pytest.fixture
def hospital(told: Told) -> str:
    added = told("hospital", "add", "H001", "--name", "虚构医院", "--agreement-from", "2025-01-01")
    assert added[0] == 0
    return "H001"


def test_a_party_is_registered_once(told: Told, hospital: str) -> None:
    code, _, said = told("hospital", "add", hospital, "--name", "又一次")
    assert code == 1
    assert "registered already" in said


@pytest.mark.parametrize("party", ["甲医院", "H 1", "", "x" * 65, "<a>"])
def test_a_party_id_that_no_message_could_carry_is_refused(told: Told, party: str) -> None:
    assert told("hospital", "add", party, "--name", "虚构医院")[0] == 1


def test_an_address_to_push_to_is_https(told: Told) -> None:
    given = ("agency", "add", "AGENCY", "--name", "经办", "--callback", "http://127.0.0.1/x")
    code, _, said = told(*given)
    assert code == 1
    assert "https" in said


@pytest.mark.parametrize("purpose", ["tls", "message"])
def test_a_certificate_is_issued_for_a_request(
    told: Told, hospital: str, tmp_path: Path, purpose: str
) -> None:
    keys = PartyKeys(hospital, tmp_path / hospital)
    request, out = keys.request(purpose), keys.certificate(purpose)
    enrol = ("hospital", "enrol", hospital, "--purpose", purpose, "--csr", request)
    assert told(*enrol, "--out", out) == (0, "", "")
    code, printed, _ = told("key", "suspend", keys.fingerprint(purpose))
    assert (code, keys.fingerprint(purpose) in printed) == (0, True)
    again = told(*enrol)
    assert again[0] == 1
    assert "registered before" in again[2]


def weak() -> bytes:
    csr = authority.make_csr(rsa.generate_private_key(65537, 2048), "H001")
    return csr.public_bytes(serialization.Encoding.PEM)


def forged() -> bytes:
    csr = authority.make_csr(authority.new_key(), "H001")
    der = bytearray(csr.public_bytes(serialization.Encoding.DER))
    der[-1] ^= 1
    body = encodebytes(bytes(der)).decode()
    name = "CERTIFICATE REQUEST"
    return f"-----BEGIN {name}-----\n{body}-----END {name}-----\n".encode()


@pytest.mark.parametrize("request_bytes", [b"", b"\xff\xfe\x00", b"not pem", weak(), forged()])
def test_a_bad_request_for_a_certificate_is_refused(
    told: Told, hospital: str, tmp_path: Path, request_bytes: bytes
) -> None:
    request = tmp_path / "bad.csr"
    request.write_bytes(request_bytes)
    code, printed, said = told("hospital", "enrol", hospital, "--purpose", "tls", "--csr", request)
    assert (code, printed) == (1, "")
    assert " / " in said
    assert "Traceback" not in said


def test_a_request_that_is_not_there_is_named(told: Told, hospital: str) -> None:
    code, _, said = told("hospital", "enrol", hospital, "--purpose", "tls", "--csr", "absent.csr")
    assert code == 2
    assert "absent.csr" in said


def test_nobody_is_enrolled_who_is_not_registered(told: Told, tmp_path: Path) -> None:
    request = PartyKeys("H404", tmp_path / "H404").request("tls")
    code, _, said = told("hospital", "enrol", "H404", "--purpose", "tls", "--csr", request)
    assert code == 1
    assert "no such party" in said


def test_an_unknown_certificate_is_said_so(told: Told) -> None:
    code, _, said = told("key", "revoke", "00" * 32)
    assert code == 1
    assert "no such certificate" in said


def test_a_mandate_is_given_and_ended(told: Told, hospital: str) -> None:
    told("carrier", "add", "CAR1", "--name", "虚构代办")
    days = ("--from", "2026-03-01", "--to", "2026-12-31")
    assert told("carrier", "mandate", "CAR1", hospital, *days)[0] == 0
    assert "1" in told("carrier", "unmandate", "CAR1", hospital)[1]
    assert "0" in told("carrier", "unmandate", "CAR1", hospital)[1]
    wrong = told("carrier", "mandate", "CAR1", hospital, *days, "--command", "fees.uplaod")
    assert wrong[0] == 1
    assert "fees.uplaod" in wrong[2]


# --- the running server ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    with deployed(tmp_path_factory.mktemp("running")) as running:
        yield running


@pytest.fixture
def there(told: Told, server: Deployed, monkeypatch: pytest.MonkeyPatch) -> Told:
    """Run a verb on the data of the running server."""
    monkeypatch.setenv("GATEWAY_DATA_DIR", str(server.settings.data_dir))
    return told


def test_acts_go_through_the_running_server(there: Told, server: Deployed, tmp_path: Path) -> None:
    assert there("hospital", "add", "H001", "--name", "虚构医院")[0] == 0
    keys = PartyKeys("H001", tmp_path / "H001")
    for purpose in ("tls", "message"):
        request, out = keys.request(purpose), keys.certificate(purpose)
        enrol = ("hospital", "enrol", "H001", "--purpose", purpose, "--csr", request)
        assert there(*enrol, "--out", out)[0] == 0
    assert server.post(keys.tls(server.ca), b"<a/>").status == 400
    refused = there("hospital", "add", "H001", "--name", "又一次")
    assert (refused[0], "registered already" in refused[2]) == (1, True)


def test_doctor_finds_nothing_broken_while_the_server_runs(there: Told) -> None:
    code, printed, _ = there("doctor")
    assert code == 0, printed
    assert "Nothing is broken" in printed


def test_a_second_server_on_the_same_data_is_refused(server: Deployed) -> None:
    environment = os.environ | {"GATEWAY_DATA_DIR": str(server.settings.data_dir)}
    serve = [sys.executable, "-m", "gateway", "serve"]
    second = subprocess.run(serve, env=environment, capture_output=True, timeout=60, check=False)
    assert second.returncode == 1
    assert "another process" in second.stderr.decode()


def test_the_operators_socket_is_for_its_owner_only(server: Deployed) -> None:
    folder = server.settings.data_dir
    assert (folder / "admin.sock").stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700


def test_an_act_that_the_store_failed_says_that_nobody_knows(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def failing(*_: object) -> str:
        raise StoreFailed("OperationalError")

    monkeypatch.setattr(cli, "_performed", failing)
    code, printed, said = told("hospital", "add", "H009", "--name", "虚构医院")
    assert (code, printed) == (1, "")
    assert "nobody knows whether it took effect" in said


@pytest.mark.parametrize("failure", [httpx.ConnectError("gone"), StoreFailed("disk")])
@pytest.mark.parametrize("asked", [("sheet", "S1"), ("reconciliation", "2026-03-02")])
def test_a_record_whose_reading_cannot_be_recorded_is_not_shown(
    told: Told,
    hospital: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    failure: Exception,
    asked: Words,
) -> None:
    async def failing(*_: object) -> str:
        raise failure

    monkeypatch.setattr(cli, "_performed", failing)
    out = tmp_path / "shown"
    code, printed, said = told(*asked, "--out", out)
    assert (code, printed, out.exists()) == (1, "", False)
    assert "could not be recorded" in said


# --- looking after it -----------------------------------------------------------------------------


def test_migrate_brings_an_empty_folder_to_the_newest_schema(told: Told, data: Path) -> None:
    data.mkdir(mode=0o700)
    assert "migrated" in told("migrate")[1]
    assert "up to date" in told("migrate")[1]
    assert not migrate(Settings().database_path)


def test_doctor_says_what_is_missing_before_the_first_start(told: Told) -> None:
    code, printed, _ = told("doctor")
    assert code == 1
    assert "GATEWAY_DATA_DIR" in printed


def test_doctor_finds_keys_that_others_may_read(told: Told, data: Path, hospital: str) -> None:
    next(data.joinpath("keys").glob("*.key")).chmod(0o644)
    code, printed, _ = told("doctor")
    assert code == 1
    assert "0600" in printed


def test_the_clock_of_a_server_that_does_not_run_is_not_set(told: Told) -> None:
    code, _, said = told("clock", "set", "2026-03-03T08:00:00+08:00")
    assert code == 1
    assert "no server" in said
