"""本网关的密钥与证书 The gateway's own authority, server and signing certificates, made once.

Private keys lie in `keys`, readable by their owner alone; certificates in `trust`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.seal import authority
from gateway.seal.keys import PrivateKey
from gateway.seal.sign import Signer, load_signer

_AUTHORITY_LIFE: Final = timedelta(days=3650)
_LEAF_LIFE: Final = timedelta(days=825)
_MARGIN: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Deployment:
    """Where the deployment's keys and certificates are.

    The business clock and the machine's may differ (demo, tests): `nows` names both, and
    certificates are valid for both.
    """

    keys: Path
    trust: Path

    @property
    def ca(self) -> Path:
        return self.trust / "ca.pem"

    @property
    def server(self) -> Path:
        return self.trust / "server.pem"

    @property
    def signer(self) -> Path:
        return self.trust / "signer.pem"

    @property
    def server_key(self) -> Path:
        return self.keys / "server.key"

    @property
    def client(self) -> tuple[Path, Path]:
        """Certificate and key by which we call other parties."""
        return self.trust / "client.pem", self.keys / "client.key"

    def make(self, gateway_id: str, names: Sequence[str], nows: tuple[datetime, datetime]) -> bool:
        """Make what is missing; True when anything was made."""
        self.keys.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.trust.mkdir(parents=True, exist_ok=True)
        if not self._log_key.exists():
            authority.write_private_key(self._log_key, Ed25519PrivateKey.generate())
        if self.ca.exists():
            return False
        since, until = min(nows) - _MARGIN, max(nows) + _AUTHORITY_LIFE
        key, certificate = authority.create_authority(f"{gateway_id} CA", since, until)
        self._keep("ca", key, certificate)
        self._own("server", "tls_server", list(names), nows)
        self._own("client", "tls_client", [gateway_id], nows)
        self._own("signer", "message", [gateway_id], nows)
        return True

    def _own(
        self,
        name: str,
        purpose: authority.Purpose,
        names: list[str],
        nows: tuple[datetime, datetime],
    ) -> None:
        key = authority.new_key()
        csr = authority.make_csr(key, names[0])
        self._keep(name, key, self.issue(csr, purpose, names, nows))

    def issue(
        self,
        csr: x509.CertificateSigningRequest | bytes,
        purpose: authority.Purpose,
        names: Sequence[str],
        nows: tuple[datetime, datetime],
    ) -> x509.Certificate:
        """A certificate of our authority. Raises CertificateRefused."""
        key = _private(self.keys / "ca.key")
        certificate = x509.load_pem_x509_certificate(self.ca.read_bytes())
        since, until = min(nows) - _MARGIN / 2, max(nows) + _LEAF_LIFE
        return authority.issue(key, certificate, csr, purpose, list(names), since, until)

    def message_signer(self) -> Signer:
        """The key that signs every reply and notice."""
        return load_signer(self.keys / "signer.key", self.signer)

    @property
    def _log_key(self) -> Path:
        return self.keys / "log.key"

    def log_key(self) -> Ed25519PrivateKey:
        """The key that signs the log's checkpoints and nothing else."""
        key = serialization.load_pem_private_key(self._log_key.read_bytes(), None)
        if not isinstance(key, Ed25519PrivateKey):
            raise ValueError(f"{self._log_key.name} holds a key of another kind")
        return key

    def _keep(self, name: str, key: PrivateKey, certificate: x509.Certificate) -> None:
        authority.write_private_key(self.keys / f"{name}.key", key)
        pem = certificate.public_bytes(serialization.Encoding.PEM)
        (self.trust / f"{name}.pem").write_bytes(pem)


def _private(path: Path) -> PrivateKey:
    key = serialization.load_pem_private_key(path.read_bytes(), None)
    if not isinstance(key, PrivateKey):
        raise ValueError(f"{path.name} holds a key of another kind")
    return key
