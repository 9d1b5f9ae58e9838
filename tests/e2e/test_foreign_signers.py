"""Others' programs and ours agree: xmlsec1 and signxml sign to us, and verify what we sign."""

import shutil
import subprocess
from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from lxml import etree
from signxml import CanonicalizationMethod, XMLSigner, methods

from adapters.sandbox.client import Client
from adapters.sandbox.keys import PartyKeys
from gateway import cli
from gateway.domain.codes import Outcome
from gateway.domain.commands import PullInbox, ReadPerson
from gateway.domain.message import Heading
from gateway.seal import keys, names
from gateway.seal.broken import SealBroken
from tests.world import World, bill_line, person, world

ROOT = f"{names.MESSAGE}:Message"
LINES = (bill_line("L1", "I0001", "12.00", "2", date(2026, 3, 2)),)
needs_xmlsec1 = pytest.mark.skipif(
    shutil.which("xmlsec1") is None,
    reason="the program xmlsec1 is missing: install the Debian package xmlsec1",
)


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path) as made:
        yield made


@pytest.fixture
async def client(town: World) -> Client:
    return await town.hospital("H001")


def content(client: Client, message_id: str) -> bytes:
    """A command in the schema's words, not signed by anybody."""
    now = client.now()
    heading = Heading(
        message_id=message_id,
        command="person.read",
        sender=client.party_id,
        receiver=client.receiver,
        sent_at=now,
        expires_at=now + timedelta(hours=1),
    )
    return client.codec.command_message(heading, ReadPerson(person=person(1)))


def run(*arguments: str | Path) -> "subprocess.CompletedProcess[bytes]":
    command = ["xmlsec1", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, timeout=30, check=False)


def template(client: Client, raw: bytes) -> bytes:
    """The message with an empty Signature for xmlsec1 to fill in."""
    empty = etree.fromstring(client.signer.seal(raw, "m1"))
    for name in ("DigestValue", "SignatureValue", "X509Certificate"):
        empty.find(f".//{names.ds(name)}").text = ""
    return etree.tostring(empty)


def verified(folder: Path, raw: bytes, certificate: Path) -> bool:
    """What an auditor types; see the guide."""
    message = folder / "settlement.xml"
    message.write_bytes(raw)
    done = run("--verify", "--pubkey-cert-pem", certificate, "--id-attr:Id", ROOT, message)
    return done.returncode == 0


async def settlement(town: World, client: Client) -> bytes:
    """The signed reply to a commit: settlement.xml."""
    await town.recognised("C1", 1)
    stay = await town.register(client, "V1", 1)
    await town.upload(client, stay.result.admission_id, *LINES)
    await town.discharge(client, stay.result.admission_id)
    answer = await town.commit(client, stay.result.admission_id, *LINES)
    assert answer.outcome is Outcome.APPLIED, answer.received.decode()
    return answer.received


async def test_a_message_signed_by_signxml_is_answered(town: World, client: Client) -> None:
    party = PartyKeys("H001", town.folder / "H001")
    signer = XMLSigner(
        method=methods.enveloped,
        signature_algorithm=keys.method(party.signer().certificate.public_key()).rsplit("#")[1],
        digest_algorithm="sha256",
        c14n_algorithm=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
    )
    signed = signer.sign(
        etree.fromstring(content(client, "FOREIGN-1")),
        key=party.key("message").read_bytes(),
        cert=[party.signer().certificate],
        reference_uri="#m1",
    )
    answer = await client.post("FOREIGN-1", etree.tostring(signed))
    assert (answer.status, answer.outcome) == (200, Outcome.ANSWERED)


@needs_xmlsec1
async def test_a_message_signed_by_xmlsec1_is_answered(
    town: World, client: Client, tmp_path: Path
) -> None:
    party = PartyKeys("H001", town.folder / "H001")
    unsigned, signed = tmp_path / "template.xml", tmp_path / "signed.xml"
    unsigned.write_bytes(template(client, content(client, "FOREIGN-2")))
    key = f"{party.key('message')},{party.certificate('message')}"
    done = run("--sign", "--privkey-pem", key, "--id-attr:Id", ROOT, "--output", signed, unsigned)
    assert done.returncode == 0, done.stderr.decode()
    answer = await client.post("FOREIGN-2", signed.read_bytes())
    assert (answer.status, answer.outcome) == (200, Outcome.ANSWERED)


@needs_xmlsec1
async def test_xmlsec1_verifies_a_settlement_and_refuses_one_changed_digit(
    town: World, client: Client, tmp_path: Path
) -> None:
    raw, signer = await settlement(town, client), town.gateway.deployment.signer
    changed = raw.replace(b"24.00", b"94.00", 1)
    assert changed != raw
    assert verified(tmp_path, raw, signer)
    assert not verified(tmp_path, changed, signer)


async def test_gateway_verify_accepts_a_settlement_and_refuses_one_changed_digit(
    town: World, client: Client, tmp_path: Path
) -> None:
    """Exit code 0 for a genuine message, 1 for a changed one or another authority's."""
    raw, ca = await settlement(town, client), town.gateway.deployment.ca
    file, changed = tmp_path / "settlement.xml", tmp_path / "changed.xml"
    file.write_bytes(raw)
    changed.write_bytes(raw.replace(b"24.00", b"94.00", 1))
    assert cli.main(["verify", str(file), "--trust", str(ca)]) == 0
    assert cli.main(["verify", str(changed), "--trust", str(ca)]) == 1
    assert cli.main(["verify", str(file), "--trust", str(town.folder / "core-ca.pem")]) == 1


async def test_gateway_verify_says_who_told_whom_and_never_the_content(
    town: World, client: Client, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "settlement.xml"
    file.write_bytes(await settlement(town, client))
    cli.main(["verify", str(file), "--trust", str(town.gateway.deployment.ca)])
    told = capsys.readouterr().out
    assert "settlement.commit" in told
    assert "GATEWAY → H001" in told
    file.write_bytes(b"<a/>")
    assert cli.main(["verify", str(file), "--trust", str(town.gateway.deployment.ca)]) == 1
    assert "PROFILE_VIOLATED" in capsys.readouterr().err


async def test_gateway_verify_refuses_what_another_than_the_gateway_signed(
    client: Client, town: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, trust = tmp_path / "forged.xml", str(town.gateway.deployment.ca)
    file.write_bytes(client.sealed("inbox.pull", PullInbox(limit=1), "H001-X"))
    assert cli.main(["verify", str(file), "--trust", trust]) == 1
    assert "not from the sender that was expected" in capsys.readouterr().err
    assert cli.main(["verify", str(file), "--trust", trust, "--sender", "H001"]) == 0


async def test_a_client_believes_nobody_but_the_gateway(client: Client) -> None:
    with pytest.raises(SealBroken, match="not from the sender that was expected"):
        client.opened(client.sealed("inbox.pull", PullInbox(limit=1), "H001-X"))


async def test_gateway_verify_says_what_file_it_cannot_use(
    town: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ca, empty = town.gateway.deployment.ca, tmp_path / "empty.pem"
    empty.write_text("")
    for file, trust, named in (
        (tmp_path / "absent.xml", ca, "absent.xml"),
        (ca, tmp_path / "absent.pem", "absent.pem"),
        (ca, empty, "empty.pem"),
    ):
        assert cli.main(["verify", str(file), "--trust", str(trust)]) == 2
        assert named in capsys.readouterr().err
