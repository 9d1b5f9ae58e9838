"""The gateway as its operator starts it: a process of its own, spoken to over its sockets."""

import http.client
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from adapters.hospital_xml import HospitalXml
from adapters.sandbox.keys import PartyKeys
from gateway.clock import machine_now
from gateway.domain.message import Heading
from gateway.settings import Settings
from gateway.web.messages import PATH

_START_S = 60.0
_STOP_S = 30.0
_LIFE = timedelta(hours=1)


class Reply(NamedTuple):
    """What came back over HTTP."""

    status: int
    kind: str
    body: bytes


@dataclass(frozen=True)
class Deployed:
    """A running `gateway serve` with its data folder."""

    settings: Settings
    process: "subprocess.Popen[bytes]"
    ports: dict[str, int]
    log: Path

    @property
    def ca(self) -> Path:
        return self.settings.trust_dir / "ca.pem"

    def act(self, act: str, **given: Any) -> str:
        """An operator's act through the running server's socket."""
        path = self.settings.data_dir / "admin.sock"
        with httpx.Client(transport=httpx.HTTPTransport(uds=str(path)), timeout=30) as client:
            answer = client.post("http://admin/acts", json={"act": act, "arguments": given})
        return str(answer.json()["text"])

    def hospital(self, party_id: str, **given: Any) -> PartyKeys:
        """A designated hospital with its two keys."""
        agreed = {"agreement_from": "2025-01-01", "capabilities": ["MEDICAL"]}
        return self.party(party_id, kind="hospital", **(agreed | given))

    def party(self, party_id: str, **given: Any) -> PartyKeys:
        """A party with its two keys."""
        self.act("party.add", party=party_id, name="虚构", **given)
        keys = PartyKeys(party_id, self.settings.data_dir.parent / party_id)
        for purpose in ("tls", "message"):
            csr = keys.request(purpose).read_text()
            pem = self.act("key.enrol", party=party_id, purpose=purpose, csr=csr)
            keys.certificate(purpose).write_text(pem)
        return keys

    def content(self, party_id: str, name: str, command: Any, message_id: str) -> bytes:
        """The canonical, unsigned bytes of a hospital's command."""
        now = self.now()
        heading = Heading(
            message_id=message_id,
            command=name,
            sender=party_id,
            receiver=self.settings.receiver,
            sent_at=now,
            expires_at=now + _LIFE,
        )
        return HospitalXml().command_message(heading, command)

    def now(self) -> datetime:
        """The business instant: these deployments run on the machine's clock."""
        return machine_now()

    def post(self, tls: ssl.SSLContext, body: bytes) -> Reply:
        """Send exact bytes over a new connection; blocks."""
        host = http.client.HTTPSConnection(
            "localhost", self.ports["hospital"], timeout=60, context=tls
        )
        with closing(host):
            host.request("POST", PATH, body, {"Content-Type": "application/xml"})
            answer = host.getresponse()
            return Reply(answer.status, answer.getheader("content-type", ""), answer.read())

    def ops(self, path: str) -> Reply:
        """A page of the operations listener."""
        host = http.client.HTTPConnection("127.0.0.1", self.ports["ops"], timeout=30)
        with closing(host):
            host.request("GET", path)
            answer = host.getresponse()
            return Reply(answer.status, answer.getheader("content-type", ""), answer.read())

    def cpu_s(self) -> float:
        """Seconds of CPU that the process has used, all threads, user and system."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


PORTS = {
    "all": ("hospital", "agency", "ops"),
    "hospital": ("hospital", "ops"),
    "agency": ("agency", "ops"),
    "delivery": ("ops",),
}
"""Where a process of each role listens."""


@contextmanager
def deployed(folder: Path, role: str = "all", **changed: str) -> Iterator[Deployed]:
    """`python -m gateway serve` on free ports of loopback; ended by SIGTERM afterwards."""
    data, log = folder / "data", folder / "log"
    given = {
        "data_dir": str(data),
        "environment": "test",
        "hospital_port": "0",
        "agency_port": "0",
        "ops_port": "0",
    } | changed
    environment = os.environ | {f"GATEWAY_{name.upper()}": text for name, text in given.items()}
    folder.mkdir(parents=True, exist_ok=True)
    (data / "ports").unlink(missing_ok=True)
    with log.open("wb") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-m", "gateway", "serve", "--role", role],
            env=environment,
            stderr=stderr,
        )
    try:
        ports = ports_of(data, PORTS[role], process, log)
        yield Deployed(Settings(data_dir=data, environment="test"), process, ports, log)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(_STOP_S)


def ports_of(data: Path, names: tuple[str, ...], process: Any, log: Path) -> dict[str, int]:
    """The ports, once every listener accepts."""
    deadline = time.monotonic() + _START_S
    while process.poll() is None and time.monotonic() < deadline:
        with suppress(OSError, ValueError, KeyError):
            found = (line.split() for line in (data / "ports").read_text().splitlines())
            ports = {name: int(port) for name, port in found}
            _accepting(data / "admin.sock", *(ports[name] for name in names))
            return ports
        time.sleep(0.02)
    raise AssertionError(f"the gateway did not start: {log.read_text()}")


def _accepting(operator: Path, *ports: int) -> None:
    """Raises OSError while an address is only bound."""
    for port in ports:
        socket.create_connection(("127.0.0.1", port), 5).close()
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(operator))
