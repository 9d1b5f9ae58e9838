"""A hospital that cannot be called pulls its messages and acknowledges them by digest."""

import json
from base64 import b64decode

import pytest
from lxml import etree
from sqlalchemy import select

from gateway.delivery.scribe import number_lanes
from gateway.domain.admission import AdmissionRefusal
from gateway.domain.case import CaseState
from gateway.domain.codes import Outcome
from gateway.domain.commands import AckInbox, CheckAdmission, PullInbox
from gateway.domain.results import InboxMessage
from gateway.flows import inbox as inbox_module
from gateway.flows import open_log, receipts
from gateway.flows.keep_log import keep
from gateway.flows.release_held import release_all
from gateway.flows.renew_keys import Ordered
from gateway.seal.offline import verify_offline
from gateway.store.log import head as head_of
from gateway.store.tables import outbox
from tests.flows.conftest import data, office, preparations, store
from tests.flows.office import AGENCY, LINES, Heard, Office
from tests.flows.test_driver_calls import MOST, counted
from tests.web.proved import opened, proves

__all__ = ["data", "office", "preparations", "store"]


@pytest.fixture
async def held(office: Office) -> Heard:
    """A bill held before recognition and released since: its outcome waits for the hospital."""
    await office.report("C1", 1)
    stay = await office.billed("H001", "V1", 1)
    heard = await office.commit("H001", stay, *LINES)
    assert heard.code == "HELD"
    await office.decide("C1", CaseState.RECOGNISED)
    await release_all(office.desk)
    await release_all(office.desk)
    await number_lanes(office.desk.database, office.desk.clock)
    return heard


async def pull(office: Office, hospital: str = "H001", limit: int = 50) -> tuple[InboxMessage, ...]:
    heard = await office.say(hospital, "inbox.pull", PullInbox(limit=limit))
    messages: tuple[InboxMessage, ...] = heard.result.messages
    return messages


async def ack(office: Office, *receipts: tuple[str, str], hospital: str = "H001") -> Heard:
    return await office.say(hospital, "inbox.ack", AckInbox(receipts=receipts))


def digest_of(office: Office, message: InboxMessage) -> str:
    """The digest as the hospital computes it from what it was given."""
    trust = office.gateway.deployment.ca.read_bytes()
    return verify_offline(message.sealed, trust).digest


async def test_the_outcome_of_a_held_bill_waits_for_the_hospital(
    office: Office, held: Heard
) -> None:
    messages = await pull(office)
    assert [message.lane_seq for message in messages] == list(range(1, len(messages) + 1))
    opened = [office.opened("H001", message.sealed) for message in messages]
    outcomes = [
        (binding.in_reply_to, result.bill_state)
        for binding, result in opened
        if binding is not None and binding.in_reply_to == held.message_id
    ]
    assert outcomes == [(held.message_id, "SETTLED")]


async def test_what_is_not_acknowledged_is_given_again_byte_for_byte(
    office: Office, held: Heard
) -> None:
    assert await pull(office) == await pull(office) != ()


async def test_what_is_acknowledged_is_not_given_again(office: Office, held: Heard) -> None:
    messages = await pull(office)
    receipts = [(one.message_id, digest_of(office, one)) for one in messages]
    heard = await ack(office, *receipts)
    assert (heard.outcome, heard.result.acknowledged) == (Outcome.APPLIED, len(messages))
    assert heard.result.findings == ()
    assert await pull(office) == ()


async def test_a_wrong_digest_acknowledges_nothing_and_is_not_told_the_right_one(
    office: Office, held: Heard
) -> None:
    messages = await pull(office)
    wrong = [(one.message_id, "A" * 43 + "=") for one in messages]
    heard = await ack(office, *wrong)
    assert heard.result.acknowledged == 0
    found = [(one.code, one.got, one.expected) for one in heard.result.findings]
    assert found == [("NOT_IN_INBOX", one.message_id, "") for one in messages]
    assert await pull(office) == messages


async def test_one_wrong_digest_does_not_hold_up_the_right_ones(
    office: Office, held: Heard
) -> None:
    first, *others = await pull(office)
    heard = await ack(
        office,
        (first.message_id, digest_of(office, first)),
        *((one.message_id, "A" * 43 + "=") for one in others),
        ("G-NOBODY-KNOWS", "A" * 43 + "="),
    )
    assert heard.result.acknowledged == 1
    assert len(heard.result.findings) == len(others) + 1
    assert [one.message_id for one in await pull(office)] == [one.message_id for one in others]


async def test_acknowledging_twice_changes_nothing(office: Office, held: Heard) -> None:
    [message, *_] = await pull(office)
    receipt = (message.message_id, digest_of(office, message))
    assert (await ack(office, receipt)).result.acknowledged == 1
    again = await ack(office, receipt)
    assert (again.result.acknowledged, again.result.findings) == (0, ())


async def test_another_hospital_sees_and_acknowledges_nothing(office: Office, held: Heard) -> None:
    [message, *_] = await pull(office)
    assert await pull(office, "H002") == ()
    receipt = (message.message_id, digest_of(office, message))
    heard = await ack(office, receipt, hospital="H002")
    [finding] = heard.result.findings
    assert (heard.result.acknowledged, finding.expected) == (0, "")
    assert message in await pull(office)


async def test_a_limit_is_kept_and_more_is_said(office: Office, held: Heard) -> None:
    whole = await pull(office)
    heard = await office.say("H001", "inbox.pull", PullInbox(limit=1))
    assert heard.result.messages == whole[:1]
    assert heard.result.more is (len(whole) > 1)


async def test_a_reply_grows_no_larger_than_a_page_but_gives_one_message_at_least(
    office: Office, held: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = await pull(office)
    monkeypatch.setattr(inbox_module, "_PAGE_BYTES", 10)
    heard = await office.say("H001", "inbox.pull", PullInbox(limit=50))
    assert heard.result.messages == whole[:1]
    assert heard.result.more is (len(whole) > 1)


async def test_an_unnumbered_message_is_not_given_yet(office: Office) -> None:
    await office.report("C1", 1)
    stay = await office.billed("H001", "V1", 1)
    await office.commit("H001", stay, *LINES)
    await office.decide("C1", CaseState.RECOGNISED)
    await release_all(office.desk)
    await release_all(office.desk)
    assert await pull(office) == ()
    await number_lanes(office.desk.database, office.desk.clock)
    assert await pull(office) != ()


async def test_every_message_under_a_checkpoint_comes_with_its_receipt(
    office: Office, held: Heard
) -> None:
    assert {one.log_receipt for one in await pull(office)} == {b""}
    await keep(office.desk.log)
    messages = await pull(office)
    assert len(messages) > 1
    for message in messages:
        assert proves(office, json.loads(message.log_receipt), request=message.sealed)
        assert not proves(office, json.loads(message.log_receipt), request=message.sealed + b" ")


async def test_a_receipt_tells_its_receiver_of_nobody_else(office: Office, held: Heard) -> None:
    """Its leaf names the gateway, the receiver and the message; not whose act it was sealed by."""
    await keep(office.desk.log)
    for message in await pull(office):
        leaf = b64decode(json.loads(message.log_receipt)["leaf"])
        parts = []
        while leaf:
            size = int.from_bytes(leaf[:4], "big")
            parts.append(leaf[4 : 4 + size])
            leaf = leaf[4 + size :]
        _, kind, own, sender, receiver, message_id, *_, reply, effect = parts
        assert (kind, receiver) == (b"sealing", b"H001")
        assert own == message_id == message.message_id.encode()
        assert sender == office.desk.gateway_id.encode()
        assert reply == effect == bytes(32)


async def test_receipts_continue_the_checkpoint_that_the_pull_knew(
    office: Office, held: Heard
) -> None:
    await keep(office.desk.log)
    known = office.desk.log.published
    await office.report("C7", 7)
    await keep(office.desk.log)
    heard = await office.say("H001", "inbox.pull", PullInbox(limit=50), known_checkpoint=known)
    found = [json.loads(one.log_receipt) for one in heard.result.messages]
    assert all(opened(office, one).continues(known) for one in found)


async def test_messages_of_two_logs_each_have_the_receipt_of_their_own(
    office: Office, held: Heard
) -> None:
    """What was sealed before two persons opened a new log is proved by the old one's head."""
    await keep(office.desk.log)
    before = len(await pull(office))
    async with office.desk.database.reading() as reader:
        head = await head_of(reader)
    assert head is not None
    await office.desk.log.stop(head, "")
    await open_log.propose(office.desk, Ordered("甲", "恢复了备份"))
    await open_log.approve(office.desk, Ordered("乙", "已核对"))
    await refused_registration(office)
    await keep(office.desk.log)
    messages = await pull(office)
    found = [json.loads(one.log_receipt) for one in messages]
    for message, one in zip(messages, found, strict=True):
        assert proves(office, one, request=message.sealed)
    logs = [opened(office, one).log.name[-2:] for one in found]
    assert logs == ["/1"] * before + ["/2"] * (len(messages) - before)
    assert len(messages) > before


async def refused_registration(office: Office) -> None:
    """One more message for the hospital."""
    stay = (await office.register("H001", "V8", 8)).result.admission_id
    refusal = CheckAdmission(
        admission_id=stay, by="审核", reason="否", refusal=AdmissionRefusal.OTHER
    )
    await office.say(AGENCY, "admission.check", refusal)
    await number_lanes(office.desk.database, office.desk.clock)


async def test_receipts_take_no_calls_while_nothing_is_signed_and_few_after(
    office: Office, held: Heard
) -> None:
    taken = []
    for _ in range(2):
        with counted(office.desk.database) as calls:
            await pull(office)
        taken.append(len(calls))
        await keep(office.desk.log)
    assert taken[1] - taken[0] == 4
    assert taken[1] <= MOST


async def test_a_receipt_that_is_too_long_is_left_out(
    office: Office, held: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    await keep(office.desk.log)
    monkeypatch.setattr(receipts, "LONGEST", 100)
    assert {one.log_receipt for one in await pull(office)} == {b""}


async def test_the_digest_kept_is_that_of_the_bytes_kept(office: Office, held: Heard) -> None:
    for row in await office.kept(outbox, select(outbox)):
        message = InboxMessage(
            message_id=row["message_id"], lane_seq=row["lane_seq"], sealed=row["sealed"]
        )
        assert digest_of(office, message) == row["digest"]
        assert etree.fromstring(row["sealed"])[0].findtext("{*}Receiver") == row["receiver"]
