"""The gateway's data that every seed begins with: made once, copied for each.

The agency and three hospitals with the keys of now and of later, and the sample catalogue.
"""

import asyncio
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import patch

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from adapters.catalog_file import sample_path
from gateway import app
from gateway.seal import authority
from gateway.seal.keys import PrivateKey
from gateway.seal.sign import Signer, load_signer
from gateway.settings import Settings
from tests.flows.office import AGENCY, Office
from tests.simulation.machine import START

HOSPITALS = ("H001", "H002", "H003")
GATEWAY = "GATEWAY"
_NOW, _LATER = "message", "message-later"
_RSA_BITS = 3072


@dataclass(frozen=True, slots=False)
class Base:
    """A folder with everything."""

    folder: Path

    def copy(self, folder: Path) -> Settings:
        """A seed's own data."""
        shutil.copytree(self.folder / "gateway", folder / "gateway")
        return settings_in(folder)

    def signer(self, party: str, *, later: bool = False) -> Signer:
        name = f"{party}-{_LATER if later else _NOW}"
        return load_signer(self.folder / f"{name}.key", self.folder / f"{name}.pem")

    def tls(self, party: str) -> bytes:
        """The certificate that the party's connections show, DER."""
        pem = (self.folder / f"{party}-tls.pem").read_bytes()
        return x509.load_pem_x509_certificate(pem).public_bytes(serialization.Encoding.DER)

    @cached_property
    def trust(self) -> bytes:
        return (self.folder / "gateway" / "trust" / "ca.pem").read_bytes()

    def roll_over(self, settings: Settings) -> None:
        """The gateway's own signing key is the later one from its next start on."""
        later = f"{GATEWAY}-{_LATER}"
        shutil.copy(self.folder / f"{later}.key", settings.keys_dir / "signer.key")
        shutil.copy(self.folder / f"{later}.pem", settings.trust_dir / "signer.pem")


def settings_in(folder: Path) -> Settings:
    return Settings(
        data_dir=folder / "gateway", environment="test", delivery_poll_s=30.0, log_every_s=20.0
    )


@contextmanager
def _stopped_clock() -> Iterator[None]:
    """Certificates and rows of the base are of the day on which every seed starts."""

    def now(_: object = None) -> datetime:
        return START

    with patch("gateway.clock.datetime", SimpleNamespace(now=now)):
        yield


def made_in(folder: Path) -> Base:
    """The base, made through the gateway's own doors."""
    base = Base(folder)
    with _stopped_clock():
        asyncio.run(_make(base))
    return base


async def _make(base: Base) -> None:
    async with app.opened(settings_in(base.folder)) as gateway:
        office = Office(gateway)
        parties = {AGENCY: {"kind": "agency", "callback": "https://agency.invalid/messages"}}
        kind = {"kind": "hospital", "agreement_from": "2025-01-01"}
        capable = {"capabilities": ["MEDICAL", "REHABILITATION"]}
        for party, given in {**parties, **dict.fromkeys(HOSPITALS, kind | capable)}.items():
            await office.act("party.add", party=party, name=f"{party}（虚构）", **given)
            await _enrol(base, office, party)
        await office.act("catalog.import", path=str(sample_path()), valid_from="2025-01-01")
        _later_signer(base, gateway)


async def _enrol(base: Base, office: Office, party: str) -> None:
    """The party's keys; the later one, of another algorithm, is registered long before its use."""
    later = rsa.generate_private_key(public_exponent=65537, key_size=_RSA_BITS)
    for name, key in (("tls", authority.new_key()), (_NOW, authority.new_key()), (_LATER, later)):
        csr = _key(base, f"{party}-{name}", party, key)
        purpose = name.partition("-")[0]
        pem = await office.act("key.enrol", party=party, purpose=purpose, csr=csr)
        (base.folder / f"{party}-{name}.pem").write_text(pem)


def _key(base: Base, name: str, party: str, key: PrivateKey) -> str:
    """The key on disk, and the request to have it certified."""
    authority.write_private_key(base.folder / f"{name}.key", key)
    csr = authority.make_csr(key, party).public_bytes(serialization.Encoding.PEM)
    return csr.decode()


def _later_signer(base: Base, gateway: app.Gateway) -> None:
    key, name = authority.new_key(), f"{GATEWAY}-{_LATER}"
    csr = _key(base, name, GATEWAY, key)
    made = gateway.deployment.issue(csr.encode(), "message", [GATEWAY], (START, START))
    pem = made.public_bytes(serialization.Encoding.PEM)
    (base.folder / f"{name}.pem").write_bytes(pem)
