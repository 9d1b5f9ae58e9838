"""开发用证书 Make a development authority, server certificates and one hospital's two pairs.

Usage: python certs/make_dev.py DIR [--hospital CODE] [--gateway CODE]
       [--not-before INSTANT] [--not-after INSTANT]

Every key is new, mode 0600, and worth nothing outside the machine that made it.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from gateway.seal import authority

LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")
# Wide enough for the virtual business clock of tests and demo, and for the machine's own.
NOT_BEFORE: Final = datetime(2025, 1, 1, tzinfo=UTC)
NOT_AFTER: Final = datetime(2035, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Plan:
    file: str
    purpose: authority.Purpose
    names: tuple[str, ...]


def make(
    directory: Path, gateway: str, hospital: str, not_before: datetime, not_after: datetime
) -> list[Path]:
    """生成全套开发证书 Write `ca`, `server`, `signer`, `hospital-tls` and `hospital-message`.

    Each is a pair NAME.key and NAME.pem. `gateway` and `hospital` are the Sender codes that the
    message certificates name; both instants are aware. Returns the files written. Raises OSError
    when the directory cannot be written.
    """
    directory.mkdir(parents=True, exist_ok=True)
    ca_key, ca_cert = authority.create_authority("development-ca", not_before, not_after)
    files = _write(directory, "ca", ca_key, ca_cert)
    for plan in _plans(gateway, hospital):
        key = authority.new_key()
        request = authority.make_csr(key, plan.names[0])
        certificate = authority.issue(
            ca_key, ca_cert, request, plan.purpose, plan.names, not_before, not_after
        )
        files += _write(directory, plan.file, key, certificate)
    return files


def _plans(gateway: str, hospital: str) -> Iterator[_Plan]:
    yield _Plan("server", "tls_server", LOOPBACK)
    yield _Plan("signer", "message", (gateway,))
    yield _Plan("hospital-tls", "tls_client", (hospital,))
    yield _Plan("hospital-message", "message", (hospital,))


def _write(
    directory: Path, name: str, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate
) -> list[Path]:
    key_path, cert_path = directory / f"{name}.key", directory / f"{name}.pem"
    authority.write_private_key(key_path, key)
    cert_path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return [key_path, cert_path]


def _instant(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def main(arguments: Sequence[str] | None = None) -> int:
    """命令行 Parse the arguments, make the certificates, list the files; returns 0."""
    parser = argparse.ArgumentParser(description="开发用证书 Development certificates")
    parser.add_argument("directory", type=Path)
    parser.add_argument("--gateway", default="GATEWAY-DEV")
    parser.add_argument("--hospital", default="H-DEV-1")
    parser.add_argument("--not-before", type=_instant, default=NOT_BEFORE)
    parser.add_argument("--not-after", type=_instant, default=NOT_AFTER)
    given = parser.parse_args(arguments)
    for path in make(
        given.directory, given.gateway, given.hospital, given.not_before, given.not_after
    ):
        sys.stdout.write(f"{path}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
