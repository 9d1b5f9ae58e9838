"""inbox.pull and inbox.ack: the same signed messages for a receiver that cannot be called."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from gateway.domain.commands import AckInbox, PullInbox
from gateway.domain.findings import Finding
from gateway.domain.results import InboxAcknowledged, InboxMessage, InboxPulled
from gateway.flows.desk import Caller, Desk
from gateway.flows.plan import Act, Plan, answered, applied
from gateway.flows.receipts import LONGEST, of_outgoing
from gateway.store import tables
from gateway.store.deliveries import DONE, inbox, waiting_by_id
from gateway.store.unit import Change

_PAGE_BYTES: Final = 1024 * 1024  # of one reply with waiting messages


async def pull_inbox(desk: Desk, caller: Caller, command: PullInbox) -> Plan:
    """The oldest waiting messages of the caller's lane; they wait until acknowledged."""
    async with desk.database.reading() as reader:
        rows = await inbox(reader, caller.party_id, command.limit)
    shown = _page(rows[: command.limit])
    ids = [row["message_id"] for row in shown]
    proofs = await of_outgoing(desk, ids, caller.known_checkpoint)
    messages = tuple(_message(row, proofs.get(row["message_id"], b"")) for row in shown)
    result = InboxPulled(messages=messages, more=len(rows) > len(shown))
    read = answered(result, subject=caller.party_id, action="inbox.pull")
    subjects = dict.fromkeys(row["subject"] for row in shown)
    acts = tuple(Act(action="inbox.pull", subject=subject, code="OK") for subject in subjects)
    return replace(read, acts=acts or read.acts)


def _message(row: dict[str, Any], proof: bytes) -> InboxMessage:
    return InboxMessage(
        message_id=row["message_id"],
        lane_seq=row["lane_seq"],
        sealed=bytes(row["sealed"]),
        log_receipt=proof,
    )


def _page(rows: Sequence[dict[str, Any]]) -> Sequence[dict[str, Any]]:
    """At least one message, and no more than fit a reply of ordinary size with their receipts."""
    size = 0
    for number, row in enumerate(rows):
        size += len(row["sealed"]) + LONGEST
        if number and size > _PAGE_BYTES:
            return rows[:number]
    return rows


async def ack_inbox(desk: Desk, caller: Caller, command: AckInbox) -> Plan:
    """Receipts: a message is done when the digest named is the one we sent."""
    ids = [message_id for message_id, _ in command.receipts]
    async with desk.database.reading() as reader:
        known = await waiting_by_id(reader, caller.party_id, ids)
    done, faults = [], []
    for message_id, digest in dict(command.receipts).items():
        row = known.get(message_id)
        if row is None or row["digest"] != digest:
            # The right digest would let a receiver acknowledge what it never read.
            faults.append(Finding("NOT_IN_INBOX", "MessageId", message_id))
        elif row["state"] != DONE:
            done.append(message_id)
    values = {"state": DONE, "done_us": desk.now_us}
    return applied(
        InboxAcknowledged(acknowledged=len(done), findings=tuple(faults)),
        subject=caller.party_id,
        writes=tuple(Change(tables.outbox, {"message_id": one}, values) for one in done),
        acts=(Act(action="inbox.ack", subject=caller.party_id, code=str(len(done))),),
    )
