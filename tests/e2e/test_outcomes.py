"""Unknown outcomes over real listeners: what a client may do when no answer came back."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from adapters.sandbox.client import Answer, Client, Unknown, digest_of
from adapters.sandbox.keys import PartyKeys
from gateway.domain.admission import PaidAtDischargeBy
from gateway.domain.codes import Outcome
from gateway.domain.commands import CommitSettlement, QueryTransaction, ReverseTransaction
from gateway.flows import reverse_transaction
from gateway.store import tables
from tests.flows.office import at_barrier
from tests.world import World, bill_line, world

DAY = date(2026, 3, 2)
LINES = (
    bill_line("L1", "I0001", "12.00", "2", DAY),
    bill_line("L2", "NOT-IN-CATALOGUE", "98.00", "1", DAY),
)


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path) as made:
        yield made


@pytest.fixture
async def hospital(town: World) -> Client:
    return await town.hospital("H001")


@pytest.fixture
async def stay(town: World, hospital: Client) -> str:
    await town.recognised("C1", 1)
    admission_id: str = (await town.register(hospital, "V1", 1)).result.admission_id
    await town.upload(hospital, admission_id, *LINES)
    await town.discharge(hospital, admission_id)
    return admission_id


async def reversal(hospital: Client, target: str) -> Answer:
    command = ReverseTransaction(
        target_message_id=target, target_command="settlement.commit", reason="虚构"
    )
    return await hospital.send("transaction.reverse", command)


def commit_of(stay: str) -> CommitSettlement:
    return CommitSettlement(
        admission_id=stay,
        bill_no="B1",
        expected_count=len(LINES),
        expected_amount_fen=sum(line.amount_fen for line in LINES),
        paid_at_discharge_by=PaidAtDischargeBy.NOBODY,
        operator="op1",
    )


def signed_anew(hospital: Client, sent: bytes) -> bytes:
    """The same content under a new signature."""
    content = sent[: sent.index(b"<ds:Signature")] + b"</Message>"
    return hospital.signer.seal(content, "m1")


async def settlements(town: World) -> int:
    async with town.desk.database.reading() as reader:
        return len(await reader.rows(select(tables.settlement.c.settlement_id)))


# --- the HTTP status of each outcome ----------------------------------------------------------


async def test_applied_is_200_refused_422_reused_409_and_superseded_200(
    town: World, hospital: Client, stay: str
) -> None:
    wrong = await town.commit(hospital, stay, *LINES, expected_count=9)
    assert (wrong.status, wrong.outcome) == (422, Outcome.REFUSED)
    done = await town.commit(hospital, stay, *LINES)
    assert (done.status, done.outcome) == (200, Outcome.APPLIED)
    reused = await town.commit(hospital, stay, *LINES, message_id=done.message_id, bill_no="B9")
    assert (reused.status, reused.outcome) == (409, Outcome.NOT_PROCESSED)
    await reversal(hospital, done.message_id)
    again = await hospital.post(done.message_id, done.sent)
    assert (again.status, again.code) == (200, "SUPERSEDED")


async def test_a_read_is_200_and_a_broken_schema_400(hospital: Client) -> None:
    asked = await hospital.send("transaction.query", QueryTransaction(target_message_id="X"))
    assert (asked.status, asked.outcome, asked.code) == (200, Outcome.ANSWERED, "NOT_SEEN")
    content = asked.sent[: asked.sent.index(b"<ds:Signature")] + b"</Message>"
    element = b"<TargetMessageId>X</TargetMessageId>"
    assert element in content
    broken = hospital.signer.seal(content.replace(element, b""), "m1")
    heard = await hospital.post(asked.message_id, broken)
    assert (heard.status, heard.outcome, heard.code) == (
        400,
        Outcome.NOT_PROCESSED,
        "SCHEMA_INVALID",
    )


async def test_in_progress_is_202_and_the_resend_has_the_first_ones_bytes(
    town: World, hospital: Client, stay: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, barrier = at_barrier(town.desk, (0, 1))
    with monkeypatch.context() as slow:
        slow.setattr(town.desk, "database", barrier)
        sent = hospital.sealed("settlement.commit", commit_of(stay), "SLOW-1")
        first = asyncio.create_task(hospital.post("SLOW-1", sent))
        await barrier.until(1)
    meanwhile = await hospital.post("SLOW-1", sent)
    assert (meanwhile.status, meanwhile.code) == (202, "IN_PROGRESS")
    asked = await hospital.send("transaction.query", QueryTransaction(target_message_id="SLOW-1"))
    assert asked.code == "IN_PROGRESS"
    monkeypatch.setattr(reverse_transaction, "_WAIT_S", 0.05)
    undoing = await reversal(hospital, "SLOW-1")
    assert (undoing.status, undoing.code) == (202, "IN_PROGRESS")
    barrier.open()
    done = await first
    again = await hospital.post("SLOW-1", sent)
    assert (again.status, again.received) == (200, done.received)


# --- signed anew --------------------------------------------------------------------------------


async def test_a_message_signed_anew_is_the_same_message(
    town: World, hospital: Client, stay: str
) -> None:
    first = await town.commit(hospital, stay, *LINES)
    anew = signed_anew(hospital, first.sent)
    assert (anew != first.sent, digest_of(anew)) == (True, digest_of(first.sent))
    assert (await hospital.post(first.message_id, anew)).received == first.received
    assert await settlements(town) == 1


async def test_a_message_signed_with_the_new_key_after_roll_over_is_the_same_message(
    town: World, hospital: Client, stay: str
) -> None:
    first = await town.commit(hospital, stay, *LINES)
    keys = PartyKeys("H001", town.folder / "H001")
    old = keys.fingerprint("message")
    await town.renew(keys, "message")
    await town.act("key.change", fingerprint=old, verb="revoke")
    with pytest.raises(Unknown) as unbelieved:
        await hospital.post(first.message_id, first.sent)
    assert unbelieved.value.status == 401
    renewed = town.client(keys)
    anew = signed_anew(renewed, first.sent)
    assert (await renewed.post(first.message_id, anew)).received == first.received
    assert await settlements(town) == 1


async def test_the_first_exact_bytes_are_kept(town: World, hospital: Client, stay: str) -> None:
    first = await town.commit(hospital, stay, *LINES)
    await hospital.post(first.message_id, signed_anew(hospital, first.sent))
    table = tables.message
    query = select(table).where(table.c.message_id == first.message_id)
    async with town.desk.database.reading() as reader:
        [row] = await reader.opened(table, query)
    assert (bytes(row["request"]), bytes(row["reply"])) == (first.sent, first.received)


# --- time ---------------------------------------------------------------------------------------


async def test_an_expired_message_is_refused_only_while_unseen(
    town: World, hospital: Client, stay: str
) -> None:
    first = await town.commit(hospital, stay, *LINES)
    town.clock.move(timedelta(days=2))
    assert (await hospital.post(first.message_id, first.sent)).received == first.received
    undone = await reversal(hospital, first.message_id)
    assert undone.result.effect == "UNDONE"
    old = replace(hospital, now=lambda: town.clock.now() - timedelta(days=1))
    late = await town.commit(old, stay, *LINES, message_id="LATE-1")
    assert (late.status, late.code) == (422, "EXPIRED")
    again = await hospital.post("LATE-1", late.sent)
    assert again.received == late.received
    await old.close()


# --- what else came back is unknown -----------------------------------------------------------


async def test_an_unsigned_answer_is_no_outcome(town: World, hospital: Client, stay: str) -> None:
    """The store has failed: nobody may say what becomes of a message."""
    town.desk.database.broken.set()
    with pytest.raises(Unknown) as nothing:
        await town.commit(hospital, stay, *LINES, message_id="LOST-1")
    assert nothing.value.status in (0, 500)


async def test_a_reply_to_another_message_is_not_believed(
    town: World, hospital: Client, stay: str
) -> None:
    first = await town.commit(hospital, stay, *LINES)
    other = signed_anew(hospital, first.sent.replace(b"<Operator>op1<", b"<Operator>op2<"))
    with pytest.raises(Unknown):
        hospital._believed(first.message_id, other, 200, first.received)
    with pytest.raises(Unknown):
        hospital._believed("H001-999999", first.sent, 200, first.received)


async def test_a_client_that_hung_up_finds_its_message_applied(
    town: World, hospital: Client, stay: str
) -> None:
    """The request is cancelled while its transaction waits for the store."""
    sent = hospital.sealed("settlement.commit", commit_of(stay), "GONE-1")
    _, barrier = at_barrier(town.desk, (0, 1))
    with pytest.MonkeyPatch.context() as slow:
        slow.setattr(town.desk, "database", barrier)
        gone = asyncio.create_task(hospital.post("GONE-1", sent))
        await barrier.until(1)
    gone.cancel()
    await asyncio.gather(gone, return_exceptions=True)
    await hospital.close()
    barrier.open()

    async def applied() -> bool:
        query = QueryTransaction(target_message_id="GONE-1")
        return bool((await hospital.send("transaction.query", query)).code == "OK")

    await town.until(applied)
    assert (await hospital.post("GONE-1", sent)).outcome is Outcome.APPLIED
    assert await settlements(town) == 1
