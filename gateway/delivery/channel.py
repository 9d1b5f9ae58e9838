"""The HTTPS channel to a receiver that can be called: POST, mutual TLS, a signed receipt.

A 200 from a proxy is no receipt: only a reply signed by the receiver's own registered
message key, bound to our message id and digest, is.
"""

import asyncio
import select
import socket
import ssl
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http.client import HTTPException, HTTPSConnection
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from gateway.ports import ChannelBusy, ChannelRefused, Unreadable

_TIMEOUT_S: Final = 10.0
_EXCHANGE_S: Final = 30.0
_CLOSING_S: Final = 1.0
_XML: Final = {"content-type": "application/xml"}
_RECEIPT_LIMIT: Final = 256 * 1024

Verify = Callable[[bytes, bytes], str]
"""From what was sent and the reply's bytes to the receipt's outcome; raises ValueError or
Unreadable when it proves nothing."""


class Line:
    """The kept connection to one receiver's address, in a thread of its own: who never answers
    keeps nobody else waiting."""

    def __init__(self, url: str, context: ssl.SSLContext) -> None:
        self.url, self._context = url, context
        self._thread = ThreadPoolExecutor(1, "line")
        self._connection: HTTPSConnection | None = None

    async def post(self, sealed: bytes) -> bytes:
        """Post the exact bytes. Raises ChannelBusy when nothing usable came back."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(_EXCHANGE_S):
                return await loop.run_in_executor(self._thread, self._posted, sealed)
        except (OSError, HTTPException, ValueError) as error:
            self._hang_up()
            raise ChannelBusy(type(error).__name__) from None

    def _posted(self, sealed: bytes) -> bytes:
        connection = self._connection or self._new()
        if _hung_up(connection):
            connection.close()
        connection.request("POST", _path(self.url), sealed, _XML)
        received = connection.getresponse().read(_RECEIPT_LIMIT + 1)
        if len(received) > _RECEIPT_LIMIT:
            connection.close()
            raise ChannelBusy("the receipt is too large")
        return received

    def _new(self) -> HTTPSConnection:
        parts = urlsplit(self.url)
        if parts.scheme != "https" or not parts.hostname:
            raise ValueError("no address of https")
        context, timeout = self._context, _TIMEOUT_S
        made = HTTPSConnection(parts.hostname, parts.port, context=context, timeout=timeout)
        self._connection = made
        return made

    def _hang_up(self) -> None:
        """Whoever still reads from the connection reads its end; then it is closed."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        if connection.sock is not None:
            with suppress(OSError):
                socket.socket.shutdown(connection.sock, socket.SHUT_RDWR)
        self._thread.submit(connection.close)

    async def close(self) -> None:
        """Hang up; who is just being connected with is not waited for."""
        self._hang_up()
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.to_thread(self._thread.shutdown), _CLOSING_S)


def _path(url: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(("", "", parts.path or "/", parts.query, ""))


def _hung_up(connection: HTTPSConnection) -> bool:
    """Whether the receiver has ended a kept connection, on which nothing else can be waiting."""
    if connection.sock is None:
        return False
    waiting = select.poll()
    waiting.register(connection.sock, select.POLLIN)
    return bool(waiting.poll(0))


class HttpsChannel:
    """A receiver's line with the check its receipts must pass now."""

    def __init__(self, line: Line, verify: Verify) -> None:
        self._line, self._verify = line, verify

    async def send(self, sealed: bytes) -> bytes:
        """Post and check the receipt. Raises ChannelBusy and ChannelRefused."""
        received = await self._line.post(sealed)
        try:
            outcome = self._verify(sealed, received)
        except (ValueError, Unreadable) as error:
            raise ChannelBusy(f"no receipt: {error}") from None
        if outcome == "REFUSED":
            raise ChannelRefused("refused by the receiver")
        if outcome != "APPLIED":
            raise ChannelBusy(f"receiver answered {outcome}")
        return received
