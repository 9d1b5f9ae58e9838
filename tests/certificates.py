"""Certificates for tests that speak real TLS: one authority, made once for each process."""

import ssl
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from gateway.clock import machine_now
from gateway.seal import authority


@dataclass(frozen=True)
class Pair:
    """A certificate and its key, as PEM files."""

    certificate: Path
    key: Path

    @property
    def der(self) -> bytes:
        return self.loaded.public_bytes(serialization.Encoding.DER)

    @property
    def fingerprint(self) -> str:
        return self.loaded.fingerprint(hashes.SHA256()).hex()

    @property
    def loaded(self) -> x509.Certificate:
        return x509.load_pem_x509_certificate(self.certificate.read_bytes())


@cache
def root(name: str = "test-ca"):
    now = machine_now()
    return authority.create_authority(name, now - timedelta(days=2), now + timedelta(days=3650))


def trust(folder: Path, name: str = "test-ca") -> Path:
    """The authority's certificate as a PEM file."""
    path = folder / f"{name}.pem"
    path.write_bytes(root(name)[1].public_bytes(serialization.Encoding.PEM))
    return path


def pair(
    folder: Path,
    name: str,
    purpose: authority.Purpose = "tls_client",
    *,
    by: str = "test-ca",
    days: tuple[float, float] = (-1, 365),
) -> Pair:
    """A new key and its certificate, valid from and until so many days from now."""
    key = authority.new_key()
    now = machine_now()
    since, until = (now + timedelta(days=day) for day in days)
    names = ["localhost", "127.0.0.1"] if purpose == "tls_server" else [name]
    request = authority.make_csr(key, name)
    issued = authority.issue(*root(by), request, purpose, names, since, until)
    made = Pair(folder / f"{name}.pem", folder / f"{name}.key")
    made.certificate.write_bytes(issued.public_bytes(serialization.Encoding.PEM))
    authority.write_private_key(made.key, key)
    return made


def client_context(trusted: Path, shown: Pair | None = None) -> ssl.SSLContext:
    """A client that trusts one authority and shows a certificate, or none."""
    context = ssl.create_default_context(cafile=trusted)
    if shown is not None:
        context.load_cert_chain(shown.certificate, shown.key)
    return context
