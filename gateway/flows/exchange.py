"""One message, from verified bytes to a signed reply: protocol §2, both tables.

The id is looked up first; an unseen message is read, decided and committed in one
transaction with its reply; a known one is answered by what is stored.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final, Literal, NamedTuple

from gateway.clock import micros
from gateway.domain.codes import Outcome
from gateway.domain.commands import Command
from gateway.domain.findings import Finding
from gateway.domain.message import Binding, Heading
from gateway.domain.party import Party, RegisteredKey
from gateway.domain.results import Acknowledged, Refused, Settlement, Superseded
from gateway.flows import dispatch
from gateway.flows.desk import Caller, Desk, new_id
from gateway.flows.off_loop import LINE_BYTES, off_loop
from gateway.flows.plan import Plan, refused
from gateway.flows.transaction import Received, message_unit
from gateway.logs import transaction_id
from gateway.ports import Codec, Unreadable
from gateway.store import messages, registry
from gateway.store.jobs import brings_jobs
from gateway.store.messages import Stored
from gateway.store.registry import Mandate, party_by_id
from gateway.store.unit import KeyTaken, StaleFacts, Stopped, StoreFailed, Unit

_TRIES: Final = 3  # against facts that changed under the computation
_LIFE: Final = timedelta(hours=24)  # the longest that a message may be on its way
_UNDOING: Final[dict[str, Literal["cancel", "reverse"]]] = {
    "settlement.cancel": "cancel",
    "transaction.reverse": "reverse",
}
_PROVABLE: Final = timedelta(seconds=60)  # the promise of a signed reply (protocol §5)
_SKEW: Final = timedelta(minutes=5)  # the clocks of two machines


class Unfit(NamedTuple):
    """Why a body is no command of its listener's, by the code of the answer."""

    code: str
    findings: tuple[Finding, ...] = ()


def content_of(codec: Codec, command: str, root: Any, body: Any) -> Command | Unfit:
    """What a message asks for, in our own words. A tree of XML must not leave the thread that
    parsed it: libxml2 looks names up in what that thread's next parser changes."""
    if not codec.knows(command):
        return Unfit("COMMAND_UNKNOWN")
    faults = codec.schema_faults(root)
    if faults:
        return Unfit("SCHEMA_INVALID", faults)
    try:
        return codec.command(command, body)
    except Unreadable as fault:
        return Unfit("FINDINGS", fault.findings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A message whose signature was verified and whose sender may speak on this connection."""

    heading: Heading
    digest: str
    raw: bytes
    content: "Command | Unfit"
    codec: Codec
    party: Party
    message_key: RegisteredKey
    tls_key: RegisteredKey
    mandate: Mandate | None
    received_at: datetime

    @property
    def key(self) -> tuple[str, str]:
        return self.heading.sender, self.heading.message_id


@dataclass(frozen=True, slots=True)
class Reply:
    """A signed answer; `stored` when these bytes were given before. `receipt_of` is the sender's
    message that it tells of, when a receipt of that may be ready."""

    outcome: Outcome
    code: str
    sealed: bytes
    stored: bool = False
    receipt_of: str = ""


@dataclass(frozen=True, slots=True)
class Decided:
    """An unseen message's plan, the signed reply and the transaction that both become true in."""

    plan: Plan
    sealed: bytes
    unit: Unit


class Unanswered(Exception):
    """The transaction failed or nobody knows: the client gets no outcome."""


async def exchange(desk: Desk, request: Request) -> Reply:
    """Answer one verified message. Raises Unanswered when the store failed."""
    try:
        await desk.log.hear(request.heading.known_checkpoint)
        return await _exchanged(desk, request)
    except Stopped as stopped:
        return _unprocessed(desk, request, stopped.code)
    except StoreFailed as failure:
        raise Unanswered from failure


async def _exchanged(desk: Desk, request: Request) -> Reply:
    if request.heading.receiver != desk.receiver:
        return _unprocessed(desk, request, "WRONG_RECEIVER", expected=desk.receiver)
    if not request.codec.knows(request.heading.command):
        return _unprocessed(desk, request, "COMMAND_UNKNOWN")
    if not dispatch.changes(request.heading.command):
        return await _answered(desk, request, lambda: _decided(desk, request))
    if request.key in desk.in_progress:
        return _unprocessed(desk, request, "IN_PROGRESS")
    async with desk.in_progress.holding(request.key):
        return await _answered(desk, request, _deciding(desk, request))


def _deciding(desk: Desk, request: Request) -> Callable[[], Awaitable[Decided | Reply]]:
    """In one piece, unless the flow waits for another message."""
    once = partial(_decided_once, desk, request)
    if dispatch.waits(request.heading.command):
        return once
    return partial(desk.database.in_one_piece, once)


async def _answered(
    desk: Desk, request: Request, decide: Callable[[], Awaitable[Decided | Reply]]
) -> Reply:
    """Decide and commit; at most three tries, anew from the look-up of the id."""
    for _ in range(_TRIES):
        try:
            decided = await decide()
            if isinstance(decided, Reply):
                return decided
            return await _committed(desk, request, decided)
        except StaleFacts:
            desk.shelf.forget()
        except KeyTaken:
            continue
    return _unprocessed(desk, request, "BUSY")


async def _decided_once(desk: Desk, request: Request) -> Decided | Reply:
    """Known ids are answered before any check of content or time."""
    async with desk.database.reading() as reader:
        known = await messages.stored(reader, *request.key)
    if known is not None:
        return _known(desk, request, known)
    return await _decided(desk, request)


async def _decided(desk: Desk, request: Request) -> Decided | Reply:
    """Schema, expiry, reader, the command's flow; then the signed reply beside what it does."""
    content = request.content
    if isinstance(content, Unfit) and content.code == "SCHEMA_INVALID":
        return _unprocessed(desk, request, content.code, findings=content.findings)
    plan = await _planned(desk, request, content)
    size = LINE_BYTES * len(getattr(plan.result, "lines", ()))
    sealed = await off_loop(size, lambda: _sealed(desk, request, plan))
    received, push = _received(request), await push_channels(desk, plan)
    unit = await off_loop(size, lambda: message_unit(desk, received, plan, sealed, push))
    return Decided(plan, sealed, unit)


async def _planned(desk: Desk, request: Request, content: Command | Unfit) -> Plan:
    """What to do with an unseen message: refuse what is expired or unreadable, else its flow."""
    if _expired(request):
        return refused(Finding("EXPIRED", field="ExpiresAt"))
    if isinstance(content, Unfit):
        return refused(*content.findings, code=content.code)
    caller = Caller(
        party=request.party,
        message_id=request.heading.message_id,
        command=request.heading.command,
        known_checkpoint=request.heading.known_checkpoint,
    )
    return await dispatch.COMMANDS[caller.command](desk, caller, content)


def _expired(request: Request) -> bool:
    heading = request.heading
    too_long = heading.expires_at > heading.sent_at + _LIFE
    from_future = heading.sent_at > request.received_at + _SKEW
    return too_long or from_future or heading.expires_at <= request.received_at


def _received(request: Request) -> Received:
    return Received(
        sender=request.heading.sender,
        message_id=request.heading.message_id,
        command=request.heading.command,
        digest=request.digest,
        raw=request.raw,
        received_us=micros(request.received_at),
        signer=request.message_key.fingerprint,
        changing=dispatch.changes(request.heading.command),
        guards=_guards(request),
    )


async def _committed(desk: Desk, request: Request, decided: Decided) -> Reply:
    """Only when it is durable may the bytes leave."""
    plan = decided.plan
    transaction_id.set(decided.unit.tx_id)
    await desk.database.commit(decided.unit)
    _after(desk, request.heading.command, plan)
    return Reply(plan.outcome, plan.code, decided.sealed, receipt_of=plan.receipt_of)


def _after(desk: Desk, command: str, plan: Plan) -> None:
    """Wake what works in the background, and count what was decided."""
    if plan.notices:
        desk.outbox_ready.set()
    if brings_jobs(plan.writes):
        desk.jobs_ready.set()
    if command == "transaction.query":
        desk.meter.asked()
    if command == "settlement.commit" and isinstance(plan.result, Settlement):
        desk.meter.settled(plan.result.bill_state, max(plan.result.split.fund_fen, 0))
    undone = _UNDOING.get(command)
    if undone and plan.outcome is Outcome.APPLIED and plan.transfers:
        desk.meter.undone(undone)


async def push_channels(desk: Desk, plan: Plan) -> Mapping[str, bool]:
    """Which receivers of the plan's notices can be called."""
    push: dict[str, bool] = {}
    for receiver in {notice.receiver for notice in plan.notices}:
        if receiver == desk.agency_id:
            push[receiver] = True
            continue
        async with desk.database.reading() as reader:
            found = await party_by_id(reader, receiver)
        push[receiver] = found is not None and bool(found.callback_url)
    return push


def _guards(request: Request) -> tuple[Any, ...]:
    """Key, connection and mandate must still stand when the effect is committed."""
    guards = [
        registry.key_guard(request.message_key),
        registry.key_guard(request.tls_key),
        registry.party_guard(request.party),
    ]
    if request.mandate is not None:
        guards.append(registry.mandate_guard(request.mandate))
    return tuple(guards)


def _known(desk: Desk, request: Request, known: Stored) -> Reply:
    """The arrival column of the table for a message that was seen before."""
    desk.meter.duplicate("same" if known.digest == request.digest else "mismatch")
    if known.state == "TOMBSTONE":
        finding = Finding("REVERSED_BEFORE_ARRIVAL", got=known.undone_by)
        return _signed(desk, request, Outcome.REFUSED, "REVERSED_BEFORE_ARRIVAL", finding)
    if known.digest != request.digest:
        finding = Finding("MESSAGE_ID_REUSED", field="MessageId")
        return _signed(desk, request, Outcome.NOT_PROCESSED, "MESSAGE_ID_REUSED", finding)
    if known.purged:
        return _purged(desk, request, known)
    if known.undone_by:
        result = Superseded(by=known.undone_by, state="UNDONE", stored_reply=known.reply)
        sealed = _sealed_result(desk, request, Outcome.APPLIED, "SUPERSEDED", result)
        return Reply(Outcome.APPLIED, "SUPERSEDED", sealed, receipt_of=known.provable)
    return Reply(Outcome(known.state), known.code, known.reply, True, known.provable)


def _purged(desk: Desk, request: Request, known: Stored) -> Reply:
    """The outcome stands; the words of it went with the person's data."""
    outcome = Outcome(known.state)
    done = outcome is Outcome.APPLIED
    result = Acknowledged(subject=known.subject) if done else Refused(findings=())
    return Reply(outcome, "PURGED", _sealed_result(desk, request, outcome, "PURGED", result))


def _unprocessed(
    desk: Desk,
    request: Request,
    code: str,
    *,
    expected: str = "",
    findings: tuple[Finding, ...] = (),
) -> Reply:
    found = findings or (Finding(code, expected=expected),)
    return _signed(desk, request, Outcome.NOT_PROCESSED, code, *found)


def _signed(desk: Desk, request: Request, outcome: Outcome, code: str, *findings: Finding) -> Reply:
    sealed = _sealed_result(desk, request, outcome, code, Refused(findings=findings))
    return Reply(outcome, code, sealed)


def _sealed(desk: Desk, request: Request, plan: Plan) -> bytes:
    return _sealed_result(desk, request, plan.outcome, plan.code, plan.result)


def _provable_by(request: Request, outcome: Outcome) -> datetime | None:
    """When a proof will be ready at the latest; what was not processed leaves no leaf."""
    return None if outcome is Outcome.NOT_PROCESSED else request.received_at + _PROVABLE


def _sealed_result(desk: Desk, request: Request, outcome: Outcome, code: str, result: Any) -> bytes:
    """A reply bound to its request: id, digest, outcome and code."""
    now = desk.clock.now()
    heading = Heading(
        message_id=new_id("R"),
        command=request.heading.command,
        sender=desk.gateway_id,
        receiver=request.heading.sender,
        sent_at=now,
        expires_at=now + _LIFE,
    )
    binding = Binding(
        in_reply_to=request.heading.message_id,
        request_digest=request.digest,
        outcome=outcome,
        code=code,
        received_at=request.received_at,
        provable_by=_provable_by(request, outcome),
        checkpoint=desk.log.published,
    )
    return desk.sealer.seal(request.codec.message(heading, result, binding))
