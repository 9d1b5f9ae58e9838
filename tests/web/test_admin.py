"""The operator's acts over their socket: done and said, or refused and said why."""

import base64
import itertools
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from adapters.catalog_file import sample_path
from adapters.sandbox.keys import PartyKeys
from gateway import app
from gateway.clock import SystemClock
from gateway.flows.administer import NotDone
from gateway.seal import authority
from gateway.settings import Settings
from gateway.store.registry import keys_of, party_by_id
from gateway.web import admin

pytestmark = pytest.mark.asyncio(loop_scope="module")

NUMBERS = itertools.count(1)


class Bureau:
    """A gateway without listeners, and its operator's socket as an app."""

    def __init__(self, gateway: app.Gateway, folder: Path) -> None:
        self.gateway, self.folder = gateway, folder
        self.party, self.carrier = f"H{next(NUMBERS)}", f"CAR{next(NUMBERS)}"

    @property
    def hospital(self) -> dict[str, str]:
        """A hospital of this test's own."""
        return {"party": self.party, "kind": "hospital", "name": "虚构医院"}

    async def act(self, act: str, **given: Any) -> str:
        return await admin.perform(self.gateway.office, act, given)

    async def asked(self, body: Any) -> httpx.Response:
        """The answer over HTTP, as the command line gets it."""
        transport = httpx.ASGITransport(
            app=admin.admin_app(self.gateway.office), raise_app_exceptions=False
        )
        async with httpx.AsyncClient(transport=transport, base_url="http://admin") as http:
            return await http.post(admin.PATH, json=body)

    async def enrolled(self, purpose: str = "tls") -> x509.Certificate:
        csr = PartyKeys(self.party, self.folder / self.party).request(purpose).read_text()
        pem = await self.act("key.enrol", party=self.party, purpose=purpose, csr=csr)
        return x509.load_pem_x509_certificate(pem.encode())


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[app.Gateway]:
    settings = Settings(data_dir=tmp_path_factory.mktemp("admin"), environment="test")
    async with app.opened(settings, SystemClock()) as opened:
        yield opened


@pytest.fixture
def bureau(gateway: app.Gateway, tmp_path: Path) -> Bureau:
    return Bureau(gateway, tmp_path)


async def refusal(bureau: Bureau, act: str, **given: Any) -> str:
    with pytest.raises(NotDone) as refused:
        await bureau.act(act, **given)
    return str(refused.value)


async def test_an_act_is_answered_with_what_was_done(bureau: Bureau) -> None:
    done = await bureau.asked({"act": "party.add", "arguments": bureau.hospital})
    assert (done.status_code, done.json()) == (200, {"text": f"已登记 / registered {bureau.party}"})
    async with bureau.gateway.desk.database.reading() as reader:
        found = await party_by_id(reader, bureau.party)
    assert found is not None
    assert found.name == "虚构医院"


async def test_an_act_that_is_not_done_is_answered_with_why(bureau: Bureau) -> None:
    await bureau.asked({"act": "party.add", "arguments": bureau.hospital})
    again = await bureau.asked({"act": "party.add", "arguments": bureau.hospital})
    assert again.json() == {"refused": f"{bureau.party} 已登记 / is registered already"}


async def test_an_act_nobody_knows_is_refused(bureau: Bureau) -> None:
    answer = await bureau.asked({"act": "party.burn", "arguments": {}})
    assert "no such act" in answer.json()["refused"]


@pytest.mark.parametrize("path", ["/", "/acts/", "/docs", "/api/v1/messages"])
async def test_the_socket_has_one_path(bureau: Bureau, path: str) -> None:
    transport = httpx.ASGITransport(app=admin.admin_app(bureau.gateway.office))
    async with httpx.AsyncClient(transport=transport, base_url="http://admin") as http:
        assert (await http.get(path)).status_code in {307, 404}


# --- certificates ---------------------------------------------------------------------------------


async def test_a_certificate_names_the_party_whatever_the_request_says(bureau: Bureau) -> None:
    await bureau.act("party.add", **bureau.hospital)
    csr = authority.make_csr(authority.new_key(), "GATEWAY")
    pem = await bureau.act(
        "key.enrol",
        party=bureau.party,
        purpose="message",
        csr=csr.public_bytes(serialization.Encoding.PEM).decode(),
    )
    certificate = x509.load_pem_x509_certificate(pem.encode())
    (name,) = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    assert name.value == bureau.party


async def test_a_tls_certificate_connects_only_and_a_message_certificate_signs_only(
    bureau: Bureau,
) -> None:
    await bureau.act("party.add", **bureau.hospital)
    tls, message = await bureau.enrolled("tls"), await bureau.enrolled("message")
    extended = tls.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(extended) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    with pytest.raises(x509.ExtensionNotFound):
        message.extensions.get_extension_for_class(x509.ExtendedKeyUsage)


async def test_the_registry_knows_the_certificate_by_its_fingerprint(bureau: Bureau) -> None:
    await bureau.act("party.add", **bureau.hospital)
    certificate = await bureau.enrolled()
    async with bureau.gateway.desk.database.reading() as reader:
        (key,) = await keys_of(reader, bureau.party)
    assert key.fingerprint == authority.fingerprint(certificate)
    assert (key.purpose, key.state) == ("tls", "ACTIVE")


def pem(key: Any) -> str:
    csr = authority.make_csr(key, "H001")
    return csr.public_bytes(serialization.Encoding.PEM).decode()


def forged() -> str:
    """A request whose signature is not by the key it names."""
    der = bytearray(
        authority.make_csr(authority.new_key(), "H001").public_bytes(serialization.Encoding.DER)
    )
    der[-1] ^= 1
    name = "CERTIFICATE REQUEST"
    body = base64.encodebytes(bytes(der)).decode()
    return f"-----BEGIN {name}-----\n{body}-----END {name}-----\n"


@pytest.mark.parametrize(
    ("csr", "why"),
    [
        ("", "not a readable signing request"),
        ("not pem", "not a readable signing request"),
        (pem(rsa.generate_private_key(65537, 2048)), "at least 3072 bits"),
        (forged(), "possession of the key is not shown"),
    ],
    ids=["empty", "no request", "weak key", "forged"],
)
async def test_a_bad_request_for_a_certificate_is_refused_and_registers_nothing(
    bureau: Bureau, csr: str, why: str
) -> None:
    await bureau.act("party.add", **bureau.hospital)
    assert why in await refusal(bureau, "key.enrol", party=bureau.party, purpose="tls", csr=csr)
    async with bureau.gateway.desk.database.reading() as reader:
        assert await keys_of(reader, bureau.party) == []


async def test_a_key_serves_one_purpose(bureau: Bureau) -> None:
    await bureau.act("party.add", **bureau.hospital)
    csr = pem(authority.new_key())
    await bureau.act("key.enrol", party=bureau.party, purpose="tls", csr=csr)
    for purpose in ("tls", "message"):
        why = await refusal(bureau, "key.enrol", party=bureau.party, purpose=purpose, csr=csr)
        assert "registered before" in why


@pytest.mark.parametrize(
    ("before", "verb", "allowed"),
    [
        ((), "suspend", True),
        ((), "resume", False),
        ((), "revoke", True),
        (("suspend",), "suspend", False),
        (("suspend",), "resume", True),
        (("suspend",), "revoke", True),
        (("revoke",), "suspend", False),
        (("revoke",), "resume", False),
        (("revoke",), "revoke", False),
    ],
)
async def test_a_key_moves_between_its_states_only_as_allowed(
    bureau: Bureau, before: tuple[str, ...], verb: str, allowed: bool
) -> None:
    await bureau.act("party.add", **bureau.hospital)
    fingerprint = authority.fingerprint(await bureau.enrolled())
    for step in before:
        await bureau.act("key.change", fingerprint=fingerprint, verb=step)
    if allowed:
        assert fingerprint in await bureau.act("key.change", fingerprint=fingerprint, verb=verb)
    else:
        why = await refusal(bureau, "key.change", fingerprint=fingerprint, verb=verb)
        assert f"{verb} is not allowed from" in why


# --- parties, mandates, editions ------------------------------------------------------------------


@pytest.mark.parametrize("party", ["", "甲", "H 1", "H/1", "x" * 65])
async def test_a_party_id_that_no_message_could_carry_is_refused(
    bureau: Bureau, party: str
) -> None:
    assert "at most" in await refusal(bureau, "party.add", **(bureau.hospital | {"party": party}))


@pytest.mark.parametrize("url", ["http://core/x", "file:///etc/passwd", "//core", "ftp://core"])
async def test_an_address_to_push_to_is_https(bureau: Bureau, url: str) -> None:
    assert "https://" in await refusal(bureau, "party.add", **(bureau.hospital | {"callback": url}))


@pytest.mark.parametrize("act", ["key.enrol", "party.agreement"])
async def test_nothing_is_done_to_a_party_that_is_not_there(bureau: Bureau, act: str) -> None:
    given = {"party": "H404", "purpose": "tls", "csr": pem(authority.new_key())}
    assert "no such party" in await refusal(bureau, act, **given)


@pytest.mark.parametrize(
    ("act", "given"),
    [
        ("party.add", {"kind": "hospital", "name": "虚构", "agreement_from": "2025-02-30"}),
        ("party.agreement", {"suspended_from": "soon"}),
        ("mandate.add", {"commands": [], "valid_from": "x", "valid_to": "x"}),
        ("catalog.import", {"path": str(sample_path()), "valid_from": "2025/01/01"}),
    ],
)
async def test_a_day_that_is_none_is_refused(bureau: Bureau, act: str, given: Any) -> None:
    await bureau.act("party.add", **bureau.hospital)
    await bureau.act("party.add", party=bureau.carrier, kind="carrier", name="虚构代办")
    named = {"party": bureau.party, "carrier": bureau.carrier, "hospital": bureau.party}
    assert "no day" in await refusal(bureau, act, **(named | given))


@pytest.mark.parametrize("act", ["mandate.add", "catalog.import"])
async def test_a_day_that_is_needed_must_be_given(bureau: Bureau, act: str) -> None:
    given = {"carrier": "CAR1", "hospital": "H1", "commands": [], "valid_to": ""}
    given |= {"path": str(sample_path()), "valid_from": ""}
    assert "a day is missing" in await refusal(bureau, act, **given)


async def test_an_import_that_changes_nothing_prints_its_counts_again(bureau: Bureau) -> None:
    given = {"path": str(sample_path()), "valid_from": "2025-01-01"}
    first = await bureau.act("catalog.import", **given)
    assert await bureau.act("catalog.import", **given) == first


async def test_real_time_is_not_set(bureau: Bureau) -> None:
    assert "real time" in await refusal(bureau, "clock.set", instant="2030-01-01T00:00:00Z")
