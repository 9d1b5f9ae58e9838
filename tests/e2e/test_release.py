"""Held bills over real listeners: released in the background, and told to both sides."""

from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from adapters.hospital_xml import HospitalXml
from adapters.sandbox.agency import Core, server_tls
from adapters.sandbox.client import Answer, Client, digest_of
from gateway.domain.case import CaseState
from gateway.domain.commands import AckInbox, PullInbox, QueryTransaction
from gateway.store import tables
from gateway.web.mtls import make_server
from tests.web.running import running
from tests.world import World, bill_line, world

DAY = date(2026, 3, 2)
LINES = (bill_line("L1", "I0001", "12.00", "2", DAY),)


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path) as made:
        yield made


async def held(town: World, hospital: Client) -> Answer:
    await town.report("C1", 1)
    admission_id = (await town.register(hospital, "V1", 1)).result.admission_id
    await town.upload(hospital, admission_id, *LINES)
    await town.discharge(hospital, admission_id)
    answer = await town.commit(hospital, admission_id, *LINES)
    assert answer.code == "HELD"
    return answer


async def pulled(hospital: Client, limit: int = 50) -> list[Any]:
    return list((await hospital.send("inbox.pull", PullInbox(limit=limit))).result.messages)


async def released(town: World, hospital: Client, answer: Answer) -> str:
    """Wait for the outcome; its message id."""
    found: list[str] = []

    async def settled() -> bool:
        query = QueryTransaction(target_message_id=answer.message_id)
        result = (await hospital.send("transaction.query", query)).result
        found[:] = [result.outcome_message_id]
        return bool(result.bill_state == "SETTLED")

    await town.until(settled)
    return found[0]


async def test_the_outcome_waits_in_the_hospitals_inbox_until_it_is_acknowledged(
    town: World,
) -> None:
    hospital = await town.hospital("H001")
    answer = await held(town, hospital)
    await town.decide("C1", CaseState.RECOGNISED)
    outcome_id = await released(town, hospital, answer)

    async def there() -> bool:
        return outcome_id in {one.message_id for one in await pulled(hospital)}

    await town.until(there)
    messages = await pulled(hospital)
    assert [one.lane_seq for one in messages] == [1, 2]
    changed, outcome = (hospital.opened(one.sealed) for one in messages)
    assert changed[2].state == "CONFIRMED"
    assert outcome[1].in_reply_to == answer.message_id
    assert (outcome[2].bill_state, outcome[2].total_fen) == ("SETTLED", 2400)
    assert [one.sealed for one in await pulled(hospital)] == [one.sealed for one in messages]
    receipts = tuple((one.message_id, digest_of(one.sealed)) for one in messages)
    wrong = AckInbox(receipts=((messages[0].message_id, receipts[1][1]), receipts[1]))
    acknowledged = await hospital.send("inbox.ack", wrong)
    assert acknowledged.result.acknowledged == 1
    assert [one.code for one in acknowledged.result.findings] == ["NOT_IN_INBOX"]
    assert [one.message_id for one in await pulled(hospital)] == [messages[0].message_id]
    await hospital.send("inbox.ack", AckInbox(receipts=receipts))
    assert await pulled(hospital) == []


async def test_another_hospital_neither_sees_nor_acknowledges_it(town: World) -> None:
    hospital, other = await town.hospital("H001"), await town.hospital("H002")
    answer = await held(town, hospital)
    await town.decide("C1", CaseState.RECOGNISED)
    await released(town, hospital, answer)

    async def there() -> bool:
        return len(await pulled(hospital)) == 2

    await town.until(there)
    messages = await pulled(hospital)
    assert await pulled(other) == []
    receipts = tuple((one.message_id, digest_of(one.sealed)) for one in messages)
    refused = await other.send("inbox.ack", AckInbox(receipts=receipts))
    assert refused.result.acknowledged == 0
    assert [one.sealed for one in await pulled(hospital)] == [one.sealed for one in messages]


async def test_a_hospital_that_can_be_called_is_pushed_the_same_messages(town: World) -> None:
    receiver, listener = await called_back(town)
    async with listener:
        hospital = receiver.client
        answer = await held(town, hospital)
        await town.decide("C1", CaseState.RECOGNISED)
        outcome_id = await released(town, hospital, answer)

        async def told() -> bool:
            return outcome_id in receiver.core.received

        await town.until(told)
        assert receiver.core.received[outcome_id].bill_state == "SETTLED"

        async def done() -> bool:
            async with town.desk.database.reading() as reader:
                query = select(tables.outbox.c.state).where(tables.outbox.c.receiver == "H001")
                return {row["state"] for row in await reader.rows(query)} == {"DONE"}

        await town.until(done)


class Receiver:
    """A hospital with a listener of its own."""

    def __init__(self, core: Core, client: Client) -> None:
        self.core, self.client = core, client


async def called_back(town: World) -> tuple[Receiver, Any]:
    ca = town.gateway.deployment.ca
    core = Core(
        party_id="H001",
        signer=None,  # type: ignore[arg-type]
        trust=ca.read_bytes(),
        codec=HospitalXml(),
        now=town.clock.now,
    )
    tls = server_tls(town.folder / "core.pem", town.folder / "core.key", ca)
    listener = make_server(core.app(), "127.0.0.1", 0, tls)
    client = await town.hospital("H001", callback=f"https://localhost:{listener.port}/messages")
    core.signer = client.signer
    return Receiver(core, client), running(listener)
