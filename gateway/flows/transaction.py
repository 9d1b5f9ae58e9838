"""From a plan to one transaction: message row, guards, rows, ledger, audit, outbox, leaf."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Any

from gateway.clock import business_day, instant
from gateway.domain.codes import Outcome
from gateway.domain.message import Binding, Heading
from gateway.evidence.leaf import Exchange, leaf_row, row_salt, told
from gateway.flows.desk import Desk, new_id
from gateway.flows.plan import Notice, Plan
from gateway.store import tables
from gateway.store.deliveries import WAITING
from gateway.store.rows import canonical, day_text
from gateway.store.unit import Change, Guard, Insert, Rekey, Remove, Unit, Upsert, Write

_NOTICE_LIFE = timedelta(hours=24)  # of a notice that waits to be fetched (protocol)


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """The message being answered, as far as the transaction keeps it."""

    sender: str
    message_id: str
    command: str
    digest: str
    raw: bytes
    received_us: int
    signer: str
    changing: bool
    guards: tuple[Guard, ...] = ()


def message_unit(
    desk: Desk, received: Received, plan: Plan, reply: bytes, push: Mapping[str, bool]
) -> Unit:
    """The transaction of a changing message; a read keeps only who read what."""
    tx_id = new_id("T")
    kept = received.changing and plan.outcome in (Outcome.APPLIED, Outcome.REFUSED)
    exchange = Exchange(
        kind="message" if kept else "read",
        tx_id=tx_id,
        sender=received.sender,
        receiver=desk.receiver,
        message_id=received.message_id,
        received_us=received.received_us,
        assurance="signed",
        signer=received.signer,
        request=received.raw,
        reply=reply,
    )
    row = _message_row(received, plan, reply, tx_id) if kept else None
    return _unit(desk, plan, exchange, row, received.guards, push)


def job_unit(
    desk: Desk, plan: Plan, kind: str, push: Mapping[str, bool], request: bytes = b""
) -> Unit:
    """The transaction of something the gateway does by itself, or an operator asks for."""
    tx_id = new_id("T")
    exchange = Exchange(
        kind=kind,
        tx_id=tx_id,
        sender=desk.gateway_id,
        receiver=desk.receiver,
        message_id="",
        received_us=desk.now_us,
        assurance="internal",
        signer=desk.signer_fingerprint,
        request=request,
    )
    return _unit(desk, plan, exchange, None, (), push)


def _unit(
    desk: Desk,
    plan: Plan,
    exchange: Exchange,
    row: Mapping[str, Any] | None,
    guards: tuple[Guard, ...],
    push: Mapping[str, bool],
) -> Unit:
    outgoing = _outgoing(desk, plan.notices, exchange, push)
    writes = [*plan.writes, *_ledger(plan, exchange.tx_id), _audit(plan, exchange)]
    writes += [Insert(tables.outbox, outgoing)] if outgoing else []
    salt = row_salt()
    kept = [Insert(tables.message, [row])] if row else []
    effect = canonical([_described(write, salt) for write in (*kept, *writes)]).encode()
    leaves = [
        leaf_row(_with_effect(exchange, effect), salt),
        *(_sealing_leaf(desk, row) for row in outgoing),
    ]
    return Unit(
        tx_id=exchange.tx_id,
        year=business_day(instant(exchange.received_us)).year,
        message=row,
        guards=guards + plan.guards,
        writes=(*writes, Insert(tables.leaf, leaves)),
    )


def _with_effect(exchange: Exchange, effect: bytes) -> Exchange:
    return Exchange(**{name: getattr(exchange, name) for name in _EXCHANGE}, effect=effect)


_EXCHANGE = tuple(name for name in Exchange.__slots__ if name != "effect")


def _message_row(received: Received, plan: Plan, reply: bytes, tx_id: str) -> Mapping[str, Any]:
    return {
        "sender": received.sender,
        "message_id": received.message_id,
        "command": received.command,
        "digest": received.digest,
        "state": plan.outcome.value,
        "code": plan.code,
        "subject": plan.subject,
        "effect": plan.effect,
        "undone_by": "",
        "tx_id": tx_id,
        "received_us": received.received_us,
        "request": received.raw,
        "reply": reply,
    }


def _ledger(plan: Plan, tx_id: str) -> list[Write]:
    rows = [
        {
            "tx_id": tx_id,
            "seq": seq,
            "subject": one.subject,
            "debit": one.debit,
            "credit": one.credit,
            "amount_fen": one.amount_fen,
            "business_day": one.business_day,
        }
        for seq, one in enumerate(plan.transfers)
    ]
    return [Insert(tables.transfer, rows)] if rows else []


def _audit(plan: Plan, exchange: Exchange) -> Write:
    rows = [
        {
            "tx_id": exchange.tx_id,
            "seq": seq,
            "at_us": exchange.received_us,
            "actor": exchange.sender,
            "action": act.action,
            "subject": act.subject,
            "from_state": act.from_state,
            "to_state": act.to_state,
            "code": act.code,
            "decided_on": day_text(act.decided_on),
            "reason": act.reason or None,
        }
        for seq, act in enumerate(plan.acts)
    ]
    return Insert(tables.audit, rows)


def _outgoing(
    desk: Desk, notices: Sequence[Notice], exchange: Exchange, push: Mapping[str, bool]
) -> list[Mapping[str, Any]]:
    """The rows of what others must learn, sealed."""
    return [
        _outbox_row(desk, notice, exchange, position, push.get(notice.receiver, False))
        for position, notice in enumerate(notices)
    ]


def _sealing_leaf(desk: Desk, row: Mapping[str, Any]) -> Mapping[str, Any]:
    """The leaf of an outgoing message's exact bytes, so that its receiver can have them proved.

    The leaf of the transaction commits to them too, but only among all that it changed, of which
    most is not the receiver's to see. This one bears the message's own id for a transaction's:
    the transaction's is taken, and its own leaf names both where it tells of the outbox row.
    """
    exchange = Exchange(
        kind="sealing",
        tx_id=row["message_id"],
        sender=desk.gateway_id,
        receiver=row["receiver"],
        message_id=row["message_id"],
        received_us=row["created_us"],
        assurance="signed",
        signer=desk.signer_fingerprint,
        request=row["sealed"],
    )
    return leaf_row(exchange)


def _outbox_row(
    desk: Desk, notice: Notice, exchange: Exchange, position: int, pushed: bool
) -> Mapping[str, Any]:
    message_id = new_id("G")
    sealed, digest = sealed_notice(desk, notice, message_id)
    return {
        "message_id": message_id,
        "receiver": notice.receiver,
        "subject": notice.subject,
        "command": notice.command,
        "digest": digest,
        "channel": "push" if pushed else "pull",
        "state": WAITING,
        "lane_seq": None,
        "created_us": exchange.received_us,
        "position": position,
        "attempts": 0,
        "next_us": exchange.received_us,
        "done_us": None,
        "last_error": "",
        "tx_id": exchange.tx_id,
        "in_reply_to": notice.in_reply_to,
        "sealed": sealed,
        "receipt": None,
    }


def sealed_notice(desk: Desk, notice: Notice, message_id: str) -> tuple[bytes, str]:
    """A notice's exact signed bytes, sealed once, and their digest."""
    now = desk.clock.now()
    heading = Heading(
        message_id=message_id,
        command=notice.command,
        sender=desk.gateway_id,
        receiver=notice.receiver,
        sent_at=now,
        expires_at=now + _NOTICE_LIFE,
    )
    binding = Binding(in_reply_to=notice.in_reply_to) if notice.in_reply_to else None
    content = desk.codec_for(notice.receiver).message(heading, notice.result, binding)
    return desk.sealer.seal(content), b64encode(sha256(content).digest()).decode()


def _described(write: Write, salt: bytes) -> object:
    """A write as the leaf commits to it: table, key and values; what is personal, and bytes, by
    salted digest, so that an auditor may read it all."""
    match write:
        case Insert(table, rows) | Upsert(table, rows):
            if not tables.hides(table):
                return [table.name, "insert", rows]
            return [table.name, "insert", [told(row, table.info["personal"], salt) for row in rows]]
        case Change(table, where, values):
            personal = table.info["personal"]
            return [table.name, "change", dict(where), told(values, personal, salt)]
        case Remove(table, keys):
            return [table.name, "remove", [dict(key) for key in keys]]
        case Rekey(table, rekeyed):
            return [table.name, "rekey", [dict(row.key) for row in rekeyed]]
