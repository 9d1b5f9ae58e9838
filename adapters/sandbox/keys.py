"""A party's own keys: made where the party is, certified by the gateway's authority by CSR."""

import ssl
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from gateway.seal import authority
from gateway.seal.sign import Signer, load_signer


@dataclass(frozen=True, slots=True)
class PartyKeys:
    """Keys and certificates of one party in a folder of its own."""

    party_id: str
    folder: Path

    def request(self, purpose: str) -> Path:
        """Make a new key for the purpose and the request to send to the gateway's operator."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        key = authority.new_key()
        authority.write_private_key(self.key(purpose), key)
        csr = authority.make_csr(key, self.party_id)
        path = self.folder / f"{purpose}.csr"
        path.write_bytes(csr.public_bytes(serialization.Encoding.PEM))
        return path

    def key(self, purpose: str) -> Path:
        return self.folder / f"{purpose}.key"

    def certificate(self, purpose: str) -> Path:
        """Where the certificate that came back is kept."""
        return self.folder / f"{purpose}.pem"

    def fingerprint(self, purpose: str) -> str:
        """SHA-256 of the certificate, as the gateway registers it."""
        pem = self.certificate(purpose).read_bytes()
        return authority.fingerprint(x509.load_pem_x509_certificate(pem))

    def signer(self) -> Signer:
        """The message key with its certificate."""
        return load_signer(self.key("message"), self.certificate("message"))

    def tls(self, ca: Path) -> ssl.SSLContext:
        """A client context that shows the party's TLS certificate and trusts the gateway's."""
        context = ssl.create_default_context(cafile=str(ca))
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(self.certificate("tls"), self.key("tls"))
        return context
