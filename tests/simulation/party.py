"""A party that writes to the gateway: it keeps each message before it sends it, and believes
nothing but a signed reply bound to it.

UNKNOWN never becomes a belief: the party sends the same message again, asks, or reverses it,
until it knows.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from adapters.sandbox.client import Answer, Client, Unknown, digest_of
from gateway.domain.codes import Outcome
from gateway.domain.commands import QueryTransaction, ReverseTransaction
from gateway.seal.sign import Signer
from tests.simulation.loop import SimLoop
from tests.simulation.network import Lost, Network, Serve

_FINAL = (Outcome.APPLIED, Outcome.REFUSED)
_LIFE = timedelta(hours=12)
_REVERSE, _QUERY = "transaction.reverse", "transaction.query"
_LONGEST_WAIT_S = 30.0
_SECOND_THOUGHT = 0.1
"""So often a message and its reversal are on their way at the same time."""


@dataclass(slots=True)
class Sent:
    """A message as the party's own disk has it, kept before it was first sent."""

    message_id: str
    name: str
    command: Any
    sent_at: datetime
    tries: int = 0
    reversal: str = ""


@dataclass(frozen=True, slots=True)
class Belief:
    """What the party knows of its message: proven by bytes that the gateway signed."""

    outcome: str
    code: str
    result: Any = None
    reply: bytes = b""


FENCED = "FENCED"
"""The belief about a message that was reversed before it arrived."""


@dataclass(slots=True, kw_only=True)
class Wire(Client):
    """The reference client over the simulated network."""

    network: Network
    serve: Serve

    async def post(self, message_id: str, sealed: bytes) -> Answer:
        try:
            reply = await self.network.call("gateway", self.serve, sealed)
        except Lost:
            raise Unknown(0, b"") from None
        return self._believed(message_id, sealed, reply.status, reply.body)


@dataclass(slots=True, kw_only=True)
class Party:
    """One sender with its journal and its beliefs."""

    loop: SimLoop
    wire: Wire
    trace: Callable[..., None]
    journal: dict[str, Sent] = field(default_factory=dict)
    beliefs: dict[str, Belief] = field(default_factory=dict)
    undone: dict[str, str] = field(default_factory=dict)

    @property
    def party_id(self) -> str:
        return self.wire.party_id

    def take(self, signer: Signer) -> None:
        """Sign with this key from now on, messages first sent under another one too."""
        self.wire.signer = signer

    async def tell(self, name: str, command: Any) -> Belief:
        """Say something and go on until it is known what became of it."""
        sent = Sent(self.wire.new_message_id(), name, command, self.wire.now())
        self.journal[sent.message_id] = sent
        if name != _REVERSE and self.loop.random.random() < _SECOND_THOUGHT:
            return (await asyncio.gather(self.known(sent), self._reverse(sent)))[0]
        return await self.known(sent)

    async def known(self, sent: Sent) -> Belief:
        """Try until there is a belief about the message."""
        while sent.message_id not in self.beliefs:
            await self._tried(sent)
            if sent.message_id not in self.beliefs:
                longest_s = min(2.0**sent.tries, _LONGEST_WAIT_S)
                await asyncio.sleep(self.loop.random.random() * longest_s)
        return self.beliefs[sent.message_id]

    async def ask(self, name: str, command: Any) -> Answer:
        """A read, asked anew under a new id until somebody answers it."""
        while True:
            message_id, now = self.wire.new_message_id(), self.wire.now()
            try:
                answer = await self.wire.post(
                    message_id, self._sealed(message_id, name, command, now)
                )
                if answer.outcome is Outcome.ANSWERED:
                    return answer
            except Unknown:
                pass
            await asyncio.sleep(self.loop.random.random() * 4)

    async def _tried(self, sent: Sent) -> None:
        sent.tries += 1
        try:
            await self._way(sent)(sent)
        except Unknown as unknown:
            self.trace("unknown", sent.message_id, unknown.status)

    def _way(self, sent: Sent) -> Callable[[Sent], Any]:
        """First send it; after an unknown outcome whatever the protocol allows."""
        if sent.tries == 1:
            return self._send
        ways = [self._send, self._send, self._query]
        if sent.name != _REVERSE and not sent.reversal:
            ways.append(self._reverse)
        return self.loop.random.choice(ways)

    def _sealed(self, message_id: str, name: str, command: Any, at: datetime) -> bytes:
        return self.wire.sealed(name, command, message_id, sent_at=at, expires_at=at + _LIFE)

    async def _send(self, sent: Sent) -> None:
        """The same content, signed with the key of now."""
        sealed = self._sealed(sent.message_id, sent.name, sent.command, sent.sent_at)
        answer = await self.wire.post(sent.message_id, sealed)
        self.trace("answer", sent.message_id, answer.outcome, answer.code)
        if answer.code == "SUPERSEDED":
            self._undone_by(sent, answer.result.by, answer.result.stored_reply)
        elif answer.code == "REVERSED_BEFORE_ARRIVAL":
            self._believe(sent, Belief(FENCED, answer.code))
        elif answer.outcome in _FINAL:
            self._believe(
                sent, _belief(answer.outcome, answer.code, answer.result, answer.received)
            )

    async def _query(self, sent: Sent) -> None:
        answer = await self.ask(_QUERY, QueryTransaction(target_message_id=sent.message_id))
        found = answer.result
        self.trace("query", sent.message_id, found.state)
        if found.state == "TOMBSTONED":
            self._believe(sent, Belief(FENCED, found.state))
        elif found.state == "UNDONE":
            self._undone_by(sent, found.undone_by, found.stored_reply)
        elif found.stored_reply:
            self._believe(sent, self._stored(sent, found.stored_reply))

    async def _reverse(self, sent: Sent) -> None:
        """Make it undone, whether it arrived or not; what that did is known or asked for."""
        command = ReverseTransaction(
            target_message_id=sent.message_id, target_command=sent.name, reason="结果不明"
        )
        reversal = Sent(self.wire.new_message_id(), _REVERSE, command, self.wire.now())
        self.journal[reversal.message_id] = reversal
        sent.reversal = reversal.message_id
        belief = await self.known(reversal)
        self.trace("reversed", sent.message_id, belief.code)
        if belief.code == "TOMBSTONED":
            self._believe(sent, Belief(FENCED, belief.code))

    def _stored(self, sent: Sent, reply: bytes) -> Belief:
        """The stored reply, verified as if it had come by itself."""
        _, binding, result = self.wire.opened(reply)
        sealed = self._sealed(sent.message_id, sent.name, sent.command, sent.sent_at)
        if binding is None or (binding.in_reply_to, binding.request_digest) != (
            sent.message_id,
            digest_of(sealed),
        ):
            raise Unknown(0, reply)
        return _belief(binding.outcome, binding.code, result, reply)

    def _undone_by(self, sent: Sent, by: str, reply: bytes) -> None:
        self.undone[sent.message_id] = by
        self._believe(sent, self._stored(sent, reply))

    def _believe(self, sent: Sent, belief: Belief) -> None:
        """A belief is never given up; two that differ are a fault of the gateway."""
        before = self.beliefs.setdefault(sent.message_id, belief)
        self.trace("believes", sent.message_id, belief.outcome, belief.code)
        if (before.outcome, before.reply) != (belief.outcome, belief.reply):
            raise AssertionError(f"two outcomes of {sent.message_id}: {before.code}, {belief.code}")


def _belief(outcome: Outcome | None, code: str, result: Any, reply: bytes) -> Belief:
    return Belief(str(outcome), code, result, reply)
