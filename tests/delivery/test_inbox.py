"""A hospital that cannot be called pulls its messages and acknowledges them by digest."""

import pytest
from lxml import etree
from sqlalchemy import select

from gateway.delivery.scribe import number_lanes
from gateway.domain.case import CaseState
from gateway.domain.codes import Outcome
from gateway.domain.commands import AckInbox, PullInbox
from gateway.domain.results import InboxMessage
from gateway.flows import inbox as inbox_module
from gateway.flows.release_held import release_all
from gateway.seal.offline import verify_offline
from gateway.store.tables import outbox
from tests.flows.conftest import data, office, preparations, store
from tests.flows.office import LINES, Heard, Office

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


async def test_the_digest_kept_is_that_of_the_bytes_kept(office: Office, held: Heard) -> None:
    for row in await office.kept(outbox, select(outbox)):
        message = InboxMessage(
            message_id=row["message_id"], lane_seq=row["lane_seq"], sealed=row["sealed"]
        )
        assert digest_of(office, message) == row["digest"]
        assert etree.fromstring(row["sealed"])[0].findtext("{*}Receiver") == row["receiver"]
