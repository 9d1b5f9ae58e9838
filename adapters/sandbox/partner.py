"""The agency's own certificate authority and the server certificate of its core system."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from gateway.clock import machine_now
from gateway.seal import authority

_LIFE: Final = timedelta(days=30)
_NAMES: Final = ("localhost", "127.0.0.1")


@dataclass(frozen=True, slots=True)
class Partner:
    """Where they are. TLS runs on the machine's clock, and so do these certificates."""

    folder: Path

    @property
    def ca(self) -> Path:
        """What the gateway must trust to call the core system."""
        return self.folder / "core-ca.pem"

    @property
    def certificate(self) -> Path:
        return self.folder / "core.pem"

    @property
    def key(self) -> Path:
        return self.folder / "core.key"

    def make(self) -> None:
        """Make both; raises OSError when the folder cannot be written."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        now = machine_now().replace(microsecond=0)
        since, until = now - timedelta(days=1), now + _LIFE
        ca_key, ca = authority.create_authority("agency CA", since, until)
        key = authority.new_key()
        csr = authority.make_csr(key, _NAMES[0])
        server = authority.issue(ca_key, ca, csr, "tls_server", _NAMES, since, until)
        authority.write_private_key(self.key, key)
        self.certificate.write_bytes(_pem(server))
        self.ca.write_bytes(_pem(ca))


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
