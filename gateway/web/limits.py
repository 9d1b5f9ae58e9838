"""上限 What each party may ask of us, decided before its body is read (protocol §4, last item).

The party is the certificate of the connection, or its address where none was shown. Memory is
bounded: at most `parties` are remembered, the longest idle forgotten first; bodies are read
whole, so that at most `in_all` of them exist at once.

Under overload a party may run no more requests than places are left: n parties that flood take
n/(n+1) of the places, and whoever asks now and then always finds one. Who finds none waits, its
body unread, and is looked at once more before it is refused: a short burst is served, and a
sender that does not heed Retry-After is slowed to what its connections can wait for, so that
the work goes on at full speed. What is refused has no effect.
"""

import asyncio
import math
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Any, Final

from fastapi import Response

from gateway.clock import elapsed_s
from gateway.web.mtls import fingerprint
from gateway.web.problems import RETRY_AFTER_S, problem

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_PLAIN: Final = frozenset({b"", b"identity"})


@dataclass(frozen=True)
class Allowance:
    """The limits: bytes of a body, requests at once and per second of one party, and in all;
    and the seconds that a request waits before it is refused for one of the last three."""

    body_bytes: int
    at_once: int
    per_second: int
    in_all: int
    waits_s: float = 2.0
    parties: int = 4096


@dataclass(slots=True)
class _Party:
    tokens: float
    filled_at: float
    running: int = 0


class _TooLarge(Exception):
    """More bytes came than allowed."""


class _Gone(Exception):
    """The caller hung up before its body was whole."""


class Limits:
    """Pure ASGI middleware; what it refuses gets a problem document and never reaches the app."""

    def __init__(
        self, app: App, allowance: Allowance, timer: Callable[[], float] = elapsed_s
    ) -> None:
        self._app, self._allowance, self._timer = app, allowance, timer
        self._parties: OrderedDict[str, _Party] = OrderedDict()
        self._running = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or answer why not."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refusal = _ill_declared(scope, self._allowance.body_bytes) or await self._full(scope)
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        with self._one_more(self._party(scope)):
            await self._serve(scope, receive, send)

    async def _full(self, scope: Scope) -> Response | None:
        """Why there is no place for the request, now and after it has waited."""
        if self._overdrawn(self._party(scope)) is None:
            return None
        await asyncio.sleep(self._allowance.waits_s)
        return self._overdrawn(self._party(scope))

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            body = await _whole(receive, self._allowance.body_bytes)
        except _TooLarge:
            await problem("MESSAGE_TOO_LARGE")(scope, receive, send)
        except _Gone:
            return
        else:
            await self._app(scope, _replayed(body, receive), send)

    def _party(self, scope: Scope) -> _Party:
        """Who asks, its tokens of this instant."""
        now, key = self._timer(), fingerprint(scope) or _address(scope)
        party = self._parties.get(key)
        if party is None:
            party = self._parties[key] = _Party(self._allowance.per_second, now)
            self._forget_idle()
        self._parties.move_to_end(key)
        earned = (now - party.filled_at) * self._allowance.per_second
        party.tokens = min(self._allowance.per_second, party.tokens + earned)
        party.filled_at = now
        return party

    def _forget_idle(self) -> None:
        """Forget the longest unseen; a party at work is kept, and `in_all` bounds those."""
        excess = len(self._parties) - self._allowance.parties
        if excess > 0:
            idle = (key for key, party in self._parties.items() if not party.running)
            for key in list(islice(idle, excess)):
                del self._parties[key]

    def _overdrawn(self, party: _Party) -> Response | None:
        if party.running >= self._allowance.at_once:
            return _refusal("RATE_LIMITED")
        if party.tokens < 1:
            wait_s = (1 - party.tokens) / self._allowance.per_second
            return _refusal("RATE_LIMITED", max(1, math.ceil(wait_s)))
        if party.running >= self._allowance.in_all - self._running:
            return _refusal("BUSY")
        return None

    @contextmanager
    def _one_more(self, party: _Party) -> Iterator[None]:
        party.tokens -= 1
        party.running += 1
        self._running += 1
        try:
            yield
        finally:
            party.running -= 1
            self._running -= 1


@lru_cache(maxsize=64)
def _refusal(code: str, retry_after_s: int = RETRY_AFTER_S) -> Response:
    """Made once: under overload most answers are this one, and each costs a better one."""
    return problem(code, retry_after_s=retry_after_s)


def _ill_declared(scope: Scope, limit: int) -> Response | None:
    """What the headers alone decide."""
    headers = dict(scope["headers"])
    if headers.get(b"content-encoding", b"").strip().lower() not in _PLAIN:
        return problem(
            "PROFILE_VIOLATED",
            note_zh="报文不得压缩：不接受 Content-Encoding",
            note_en="No compression: Content-Encoding is not accepted",
        )
    length = headers.get(b"content-length", b"0")
    if not length.isdigit():
        return problem("PROFILE_VIOLATED")
    # Compared by length first: int() of a very long text is costly.
    if len(length.lstrip(b"0")) > 18 or int(length) > limit:
        return problem("MESSAGE_TOO_LARGE")
    return None


def _address(scope: Scope) -> str:
    client = scope.get("client")
    return str(client[0]) if client else ""


async def _whole(receive: Receive, limit: int) -> bytes:
    """The body, whole. Raises _TooLarge and _Gone."""
    parts, size, more = [], 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _Gone
        part = message.get("body", b"")
        parts.append(part)
        size += len(part)
        if size > limit:
            raise _TooLarge
        more = message.get("more_body", False)
    return b"".join(parts)


def _replayed(body: bytes, receive: Receive) -> Receive:
    """The body as one message, then whatever really comes: the caller hanging up."""
    rest: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def next_message() -> Message:
        return rest.pop() if rest else await receive()

    return next_message
