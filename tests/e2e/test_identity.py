"""Who may speak, over which connection: keys, carriers and listeners, in force at once."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from adapters.agency_xml import AgencyXml
from adapters.hospital_xml import HospitalXml
from adapters.sandbox.client import Client, Unknown
from adapters.sandbox.keys import PartyKeys
from gateway.clock import at_business
from gateway.domain.case import CaseState
from gateway.domain.codes import Outcome
from gateway.domain.commands import (
    DecideCase,
    PullInbox,
    QueryTransaction,
    ReadPerson,
    UpdateEmployer,
)
from gateway.flows.administer import NotDone
from gateway.seal.sign import load_signer
from tests.certificates import client_context, pair, trust
from tests.world import World, person, world

pytestmark = pytest.mark.asyncio(loop_scope="module")

PATH = "/api/v1/messages"
ASK = ReadPerson(person=person(1))
ARREARS = UpdateEmployer(employer_no="E9", arrears_since=date(2026, 1, 1))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with world(tmp_path_factory.mktemp("identity")) as made:
        yield made


async def enrolled(town: World, party_id: str, kind: str = "hospital") -> PartyKeys:
    given = {"agreement_from": "2025-01-01"} if kind == "hospital" else {}
    return await town.enrol(kind, party_id, **given)


async def refused(client: Client, sealed: bytes, message_id: str = "X-1") -> tuple[int, str]:
    """The status and code of an unsigned refusal; status 0 when the connection itself failed."""
    with pytest.raises(Unknown) as unknown:
        await client.post(message_id, sealed)
    body = unknown.value.body
    return unknown.value.status, json.loads(body)["code"] if body else ""


async def ask(client: Client) -> str:
    """The outcome of a read, or the code of the refusal."""
    sealed = client.sealed("person.read", ASK, "X-1")
    try:
        return (await client.post("X-1", sealed)).outcome
    except Unknown as unknown:
        return str(json.loads(unknown.body)["code"]) if unknown.body else "no answer"


def connection(keys: PartyKeys, town: World, *, purpose: str) -> ssl.SSLContext:
    """A client context that shows the certificate of this purpose."""
    context = ssl.create_default_context(cafile=str(town.gateway.deployment.ca))
    context.load_cert_chain(keys.certificate(purpose), keys.key(purpose))
    return context


# --- the hospital's own connection and signature --------------------------------------------------


async def test_a_hospital_speaks_with_its_own_two_keys(town: World) -> None:
    client = town.client(await enrolled(town, "H101"))
    assert await ask(client) == Outcome.ANSWERED


async def test_an_unknown_party_is_refused(town: World) -> None:
    keys = await enrolled(town, "H102")
    client = town.client(keys)
    sealed = client.sealed("person.read", ASK, "X-1", sender="H-NOBODY")
    assert await refused(client, sealed) == (401, "KEY_UNKNOWN")


async def test_another_hospitals_valid_key_on_the_message_is_refused(town: World) -> None:
    a, b = await enrolled(town, "H103"), await enrolled(town, "H104")
    client = town.client(a)
    client.signer = b.signer()
    assert await refused(client, client.sealed("person.read", ASK, "X-1")) == (401, "KEY_UNKNOWN")


async def test_another_hospitals_valid_connection_is_refused(town: World) -> None:
    a, b = await enrolled(town, "H105"), await enrolled(town, "H106")
    client = town.client(a, via=b)
    assert await refused(client, client.sealed("person.read", ASK, "X-1")) == (403, "NOT_MANDATED")


async def test_a_key_of_another_authority_is_refused(town: World, tmp_path: Path) -> None:
    keys = await enrolled(town, "H107")
    foreign = pair(tmp_path, "H107", "message")
    client = town.client(keys)
    client.signer = load_signer(foreign.key, foreign.certificate)
    assert await refused(client, client.sealed("person.read", ASK, "X-1")) == (401, "KEY_UNKNOWN")


async def test_a_connection_without_certificate_is_refused(town: World) -> None:
    client = town.client(await enrolled(town, "H108"))
    client.tls = client_context(town.gateway.deployment.ca)
    assert await refused(client, client.sealed("person.read", ASK, "X-1")) == (0, "")


async def test_a_connection_by_another_authority_is_refused(town: World, tmp_path: Path) -> None:
    client = town.client(await enrolled(town, "H109"))
    trust(tmp_path)
    client.tls = client_context(town.gateway.deployment.ca, pair(tmp_path, "H109"))
    assert await refused(client, client.sealed("person.read", ASK, "X-1")) == (0, "")


async def test_a_message_key_does_not_connect(town: World) -> None:
    keys = await enrolled(town, "H110")
    client = town.client(keys)
    client.tls = connection(keys, town, purpose="message")
    answer = await refused(client, client.sealed("person.read", ASK, "X-1"))
    assert answer == (403, "CONNECTION_UNKNOWN")


async def test_a_tls_key_does_not_sign(town: World) -> None:
    keys = await enrolled(town, "H111")
    client = town.client(keys)
    client.signer = load_signer(keys.key("tls"), keys.certificate("tls"))
    assert await refused(client, client.sealed("person.read", ASK, "X-1")) == (401, "KEY_UNKNOWN")


async def test_one_key_is_not_enrolled_for_both_purposes(town: World) -> None:
    keys = await enrolled(town, "H112")
    with pytest.raises(NotDone, match="registered before"):
        await town.act(
            "key.enrol",
            party="H112",
            purpose="message",
            csr=(keys.folder / "tls.csr").read_text(),
        )


# --- carriers -------------------------------------------------------------------------------------


@dataclass
class Carried:
    """A hospital and a carrier, with the client that goes through it."""

    town: World
    hospital: PartyKeys
    carrier: PartyKeys
    client: Client

    async def mandate(self, *commands: str, days: int = 30, since: int = 0) -> str:
        today = self.town.desk.today
        return await self.town.act(
            "mandate.add",
            carrier=self.carrier.party_id,
            hospital=self.hospital.party_id,
            commands=list(commands),
            valid_from=(today + timedelta(days=since)).isoformat(),
            valid_to=(today + timedelta(days=days)).isoformat(),
        )


async def carried(town: World, number: int) -> Carried:
    hospital = await enrolled(town, f"H{number}")
    carrier = await enrolled(town, f"CAR{number}", "carrier")
    return Carried(town, hospital, carrier, town.client(hospital, via=carrier))


async def test_a_carrier_without_mandate_is_refused(town: World) -> None:
    one = await carried(town, 201)
    assert await ask(one.client) == "NOT_MANDATED"


async def test_a_carrier_delivers_what_its_mandate_names(town: World) -> None:
    one = await carried(town, 202)
    await one.mandate("person.read")
    assert await ask(one.client) == Outcome.ANSWERED
    pulled = one.client.sealed("inbox.pull", PullInbox(limit=1), "X-2")
    assert await refused(one.client, pulled, "X-2") == (403, "NOT_MANDATED")


async def test_a_mandate_for_every_command_is_for_this_hospital_only(town: World) -> None:
    one = await carried(town, 203)
    await one.mandate()
    assert await ask(one.client) == Outcome.ANSWERED
    other = town.client(await enrolled(town, "H204"), via=one.carrier)
    assert await ask(other) == "NOT_MANDATED"


async def test_a_carriers_connection_does_not_sign_for_the_hospital(town: World) -> None:
    one = await carried(town, 205)
    await one.mandate()
    one.client.signer = one.carrier.signer()
    assert await ask(one.client) == "KEY_UNKNOWN"


async def test_a_carrier_does_not_speak_for_itself(town: World) -> None:
    carrier = await enrolled(town, "CAR206", "carrier")
    assert await ask(town.client(carrier)) == "KEY_UNKNOWN"


async def test_a_revoked_mandate_ends_today(town: World) -> None:
    one = await carried(town, 207)
    await one.mandate()
    assert await ask(one.client) == Outcome.ANSWERED
    await town.act("mandate.revoke", carrier="CAR207", hospital="H207")
    assert await ask(one.client) == "NOT_MANDATED"
    assert await ask(town.client(one.hospital)) == Outcome.ANSWERED


async def test_a_carriers_revoked_certificate_ends_every_mandate(town: World) -> None:
    one = await carried(town, 208)
    await one.mandate()
    await town.act("key.change", fingerprint=one.carrier.fingerprint("tls"), verb="revoke")
    assert await ask(one.client) == "CONNECTION_UNKNOWN"


async def test_a_mandate_holds_from_its_first_day_to_its_last(tmp_path: Path) -> None:
    async with world(tmp_path) as fresh:
        one = await carried(fresh, 209)
        await one.mandate(since=1, days=2)
        answers = []
        for day, hour, minute in ((2, 23, 59), (3, 0, 1), (4, 23, 59), (5, 0, 1)):
            moment = at_business(date(2026, 3, day), hour, minute)
            fresh.clock.move(moment - fresh.clock.now())
            answers.append(await ask(one.client))
    assert answers == ["NOT_MANDATED", Outcome.ANSWERED, Outcome.ANSWERED, "NOT_MANDATED"]


async def test_a_mandate_that_could_allow_nothing_is_refused(town: World) -> None:
    await carried(town, 210)
    today, yesterday = town.desk.today, town.desk.today - timedelta(days=1)
    right = {
        "carrier": "CAR210",
        "hospital": "H210",
        "commands": ["*"],
        "valid_from": today.isoformat(),
        "valid_to": today.isoformat(),
    }
    for wrong, why in (
        ({"carrier": "H210"}, "no carrier"),
        ({"hospital": "CAR210"}, "no hospital"),
        ({"hospital": "H-NOBODY"}, "no such party"),
        ({"commands": ["fees.uplaod"]}, "no such commands"),
        ({"valid_to": yesterday.isoformat()}, "ends before it begins"),
    ):
        with pytest.raises(NotDone, match=why):
            await town.act("mandate.add", **(right | wrong))


# --- the two listeners ----------------------------------------------------------------------------


async def test_an_agency_command_on_the_hospital_listener_is_unknown(town: World) -> None:
    client = town.client(await enrolled(town, "H301"))
    client.codec = AgencyXml()
    sealed = client.sealed("employer.update", ARREARS, "X-1")
    client.codec = HospitalXml()
    answer = await client.post("X-1", sealed)
    assert (answer.status, answer.outcome) == (400, Outcome.NOT_PROCESSED)
    assert answer.code == "COMMAND_UNKNOWN"


async def test_a_hospital_command_on_the_agency_listener_is_unknown(town: World) -> None:
    town.agency.codec = HospitalXml()
    sealed = town.agency.sealed("person.read", ASK, "X-1")
    town.agency.codec = AgencyXml()
    answer = await town.agency.post("X-1", sealed)
    assert (answer.outcome, answer.code) == (Outcome.NOT_PROCESSED, "COMMAND_UNKNOWN")


async def test_a_hospital_on_the_agency_listener_is_unknown(town: World) -> None:
    client = town.client(await enrolled(town, "H302"), listener="agency")
    sealed = client.sealed("employer.update", ARREARS, "X-1")
    assert await refused(client, sealed) == (401, "KEY_UNKNOWN")


async def test_the_agency_on_the_hospital_listener_is_unknown(town: World) -> None:
    keys = PartyKeys("AGENCY", town.folder / "AGENCY")
    assert await ask(town.client(keys)) == "KEY_UNKNOWN"


async def test_the_agencys_message_needs_the_agencys_connection(town: World) -> None:
    hospital = await enrolled(town, "H303")
    keys = PartyKeys("AGENCY", town.folder / "AGENCY")
    decided = DecideCase(
        case_no="C-FORGED",
        state=CaseState.RECOGNISED,
        decided_on=town.desk.today,
        authority="999900",
        reason="试",
    )
    for context, expected in (
        (client_context(town.gateway.deployment.ca), (403, "CONNECTION_UNKNOWN")),
        (hospital.tls(town.gateway.deployment.ca), (403, "NOT_MANDATED")),
    ):
        client = town.client(keys, listener="agency")
        client.tls = context
        assert await refused(client, client.sealed("case.decide", decided, "X-1")) == expected


# --- keys come and go on a live connection --------------------------------------------------------


class Live:
    """One TLS connection that is never opened again."""

    def __init__(self, streams: tuple[asyncio.StreamReader, asyncio.StreamWriter]) -> None:
        self._reader, self._writer = streams

    async def ask(self, client: Client) -> str:
        """The signed outcome, or the code of the refusal, over this very connection."""
        sealed = client.sealed("person.read", ASK, "X-1")
        head = f"POST {PATH} HTTP/1.1\r\nHost: gateway\r\nContent-Length: {len(sealed)}\r\n\r\n"
        self._writer.write(head.encode() + sealed)
        await self._writer.drain()
        answer = await self._reader.readuntil(b"\r\n\r\n")
        fields = dict(line.split(b": ", 1) for line in answer.split(b"\r\n")[1:-2])
        body = await self._reader.readexactly(int(fields[b"content-length"]))
        if fields[b"content-type"] == b"application/problem+json":
            return str(json.loads(body)["code"])
        return "ANSWERED" if b"<Outcome>ANSWERED</Outcome>" in body else body.decode()


@asynccontextmanager
async def live(town: World, keys: PartyKeys) -> AsyncIterator[Live]:
    context = keys.tls(town.gateway.deployment.ca)
    streams = await asyncio.open_connection("localhost", town.ports["hospital"], ssl=context)
    try:
        yield Live(streams)
    finally:
        streams[1].close()
        await streams[1].wait_closed()


@pytest.mark.parametrize(
    ("number", "purpose", "code"),
    [(401, "message", "KEY_UNKNOWN"), (402, "tls", "CONNECTION_UNKNOWN")],
)
async def test_suspending_resuming_and_revoking_hold_at_once_on_a_live_connection(
    town: World, number: int, purpose: str, code: str
) -> None:
    keys = await enrolled(town, f"H{number}")
    client, fingerprint = town.client(keys), keys.fingerprint(purpose)
    async with live(town, keys) as connection:
        answers = [await connection.ask(client)]
        for verb in ("suspend", "resume", "revoke"):
            await town.act("key.change", fingerprint=fingerprint, verb=verb)
            answers.append(await connection.ask(client))
    assert answers == ["ANSWERED", code, "ANSWERED", code]


async def test_a_mandate_given_and_taken_holds_at_once_on_a_live_connection(town: World) -> None:
    one = await carried(town, 403)
    async with live(town, one.carrier) as connection:
        answers = [await connection.ask(one.client)]
        await one.mandate("person.read")
        answers.append(await connection.ask(one.client))
        await town.act("mandate.revoke", carrier="CAR403", hospital="H403")
        answers.append(await connection.ask(one.client))
    assert answers == ["NOT_MANDATED", "ANSWERED", "NOT_MANDATED"]


async def test_a_new_message_key_works_beside_the_old_one_until_that_is_revoked(
    town: World,
) -> None:
    keys = await enrolled(town, "H404")
    old, old_fingerprint = town.client(keys), keys.fingerprint("message")
    async with live(town, keys) as connection:
        await town.renew(keys, "message")
        new = town.client(keys)
        both = [await connection.ask(old), await connection.ask(new)]
        await town.act("key.change", fingerprint=old_fingerprint, verb="revoke")
        then = [await connection.ask(old), await connection.ask(new)]
    assert (both, then) == (["ANSWERED", "ANSWERED"], ["KEY_UNKNOWN", "ANSWERED"])


async def test_a_new_tls_key_works_beside_the_old_one_until_that_is_revoked(town: World) -> None:
    keys = await enrolled(town, "H405")
    client, old_fingerprint = town.client(keys), keys.fingerprint("tls")
    async with live(town, keys) as old:
        await town.renew(keys, "tls")
        async with live(town, keys) as new:
            both = [await old.ask(client), await new.ask(client)]
            await town.act("key.change", fingerprint=old_fingerprint, verb="revoke")
            then = [await old.ask(client), await new.ask(client)]
    assert (both, then) == (["ANSWERED", "ANSWERED"], ["CONNECTION_UNKNOWN", "ANSWERED"])


async def test_a_revoked_key_never_comes_back(town: World) -> None:
    keys = await enrolled(town, "H406")
    fingerprint = keys.fingerprint("message")
    await town.act("key.change", fingerprint=fingerprint, verb="revoke")
    with pytest.raises(NotDone, match="not allowed from REVOKED"):
        await town.act("key.change", fingerprint=fingerprint, verb="resume")
    csr = (keys.folder / "message.csr").read_text()
    with pytest.raises(NotDone, match="registered before"):
        await town.act("key.enrol", party="H406", purpose="message", csr=csr)
    assert await ask(town.client(keys)) == "KEY_UNKNOWN"


async def test_what_a_key_did_before_its_revocation_stands(town: World) -> None:
    client = town.client(keys := await enrolled(town, "H407"))
    await town.recognised("C407", 407)
    registered = await town.register(client, "V407", 407)
    await town.act("key.change", fingerprint=keys.fingerprint("message"), verb="revoke")
    await town.renew(keys, "message")
    found = await town.client(keys).send(
        "transaction.query", QueryTransaction(target_message_id=registered.message_id)
    )
    assert found.result.stored_reply == registered.received


async def test_a_carrier_cannot_replay_an_old_read(tmp_path: Path) -> None:
    """A signed read is answered afresh: without expiry its carrier could ask for ever."""
    async with world(tmp_path) as fresh:
        one = await carried(fresh, 211)
        await one.mandate()
        sealed = one.client.sealed("person.read", ASK, "X-1")
        assert (await one.client.post("X-1", sealed)).outcome is Outcome.ANSWERED
        fresh.clock.move(timedelta(hours=13))
        late = await one.client.post("X-1", sealed)
    assert (late.status, late.code) == (422, "EXPIRED")
