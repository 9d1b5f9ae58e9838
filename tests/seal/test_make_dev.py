"""The development certificates are a working set."""

import ssl
import stat
import subprocess
import sys
from pathlib import Path

from gateway.seal.offline import verify_offline
from gateway.seal.sign import load_signer

from .makers import IDENTIFIER, content, header

ROOT = Path(__file__).parents[2]


def make(directory: Path) -> list[str]:
    command = [sys.executable, "-m", "certs.make_dev", str(directory), "--hospital", "H0001"]
    made = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return made.stdout.split()


def test_every_file_is_made_and_keys_are_private(tmp_path) -> None:
    made = [Path(line) for line in make(tmp_path)]
    expected = {"ca", "server", "signer", "hospital-tls", "hospital-message"}
    assert {path.stem for path in made} == expected
    assert sorted(made) == sorted(tmp_path.iterdir())
    keys = [path for path in made if path.suffix == ".key"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in keys} == {0o600}


def test_the_message_pairs_sign_what_the_root_verifies_offline(tmp_path) -> None:
    make(tmp_path)
    trust = (tmp_path / "ca.pem").read_bytes()
    for name, sender in (("signer", "GATEWAY-DEV"), ("hospital-message", "H0001")):
        signer = load_signer(tmp_path / f"{name}.key", tmp_path / f"{name}.pem")
        raw = signer.seal(content(head=header(Sender=sender)), IDENTIFIER)
        assert verify_offline(raw, trust).header.sender == sender


def test_server_and_hospital_trust_each_other_over_tls(tmp_path) -> None:
    make(tmp_path)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(tmp_path / "server.pem", tmp_path / "server.key")
    server.load_verify_locations(tmp_path / "ca.pem")
    server.verify_mode = ssl.CERT_REQUIRED
    client = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
    client.load_cert_chain(tmp_path / "hospital-tls.pem", tmp_path / "hospital-tls.key")
    assert _handshake(server, client) == "H0001"


def _handshake(server: ssl.SSLContext, client: ssl.SSLContext) -> str:
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    inside = server.wrap_bio(there, back, server_side=True)
    outside = client.wrap_bio(back, there, server_hostname="localhost")
    for _ in range(4):
        for side in (outside, inside):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    return dict(field[0] for field in inside.getpeercert()["subject"])["commonName"]
