"""The HTTPS channel to a receiver that can be called: POST, mutual TLS, a signed receipt.

A 200 from a proxy is no receipt: only a reply signed by the receiver's own registered
message key, bound to our message id and digest, is.
"""

import asyncio
import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import Final
from urllib.parse import urlsplit, urlunsplit

import h11

from gateway.ports import ChannelBusy, ChannelRefused, Unreadable

_TIMEOUT_S: Final = 10.0
_EXCHANGE_S: Final = 30.0
_CLOSING_S: Final = 1.0
_XML: Final = "application/xml"
_HTTPS: Final = 443
_CHUNK: Final = 64 * 1024
_RECEIPT_LIMIT: Final = 256 * 1024

Verify = Callable[[bytes, bytes], str]
"""From what was sent and the reply's bytes to the receipt's outcome; raises ValueError or
Unreadable when it proves nothing."""


class Line:
    """The kept connection to one receiver's address."""

    def __init__(self, url: str, context: ssl.SSLContext) -> None:
        self.url, self._context = url, context
        self._wire: _Wire | None = None

    async def post(self, sealed: bytes) -> bytes:
        """Post the exact bytes. Raises ChannelBusy when nothing usable came back."""
        try:
            async with asyncio.timeout(_EXCHANGE_S):
                return await self._posted(sealed)
        except (OSError, h11.ProtocolError, ValueError) as error:
            raise ChannelBusy(type(error).__name__) from None

    async def _posted(self, sealed: bytes) -> bytes:
        """Over the kept connection, which is kept again only after a whole answer."""
        wire, self._wire = self._wire, None
        if wire is None or not wire.usable:
            await _hung_up(wire)
            wire = await _wire_to(self.url, self._context)
        try:
            received = await wire.post(sealed)
        except BaseException:
            wire.abort()
            raise
        self._wire = wire
        return received

    async def close(self) -> None:
        wire, self._wire = self._wire, None
        await _hung_up(wire)


class _Wire:
    """One connection, on which one exchange follows the other."""

    def __init__(
        self, target: str, host: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._target, self._host = target, host
        self._reader, self._writer = reader, writer
        self._http = h11.Connection(h11.CLIENT)

    @property
    def usable(self) -> bool:
        """Whether the receiver kept it open."""
        return self._http.our_state is h11.IDLE and not self._reader.at_eof()

    async def post(self, sealed: bytes) -> bytes:
        """The body of the answer. Raises OSError, h11.ProtocolError, and ChannelBusy for an
        answer that is too large."""
        length = ("Content-Length", str(len(sealed)))
        headers = [("Host", self._host), ("Content-Type", _XML), length]
        asked = h11.Request(method="POST", target=self._target, headers=headers)
        for event in (asked, h11.Data(sealed), h11.EndOfMessage()):
            self._writer.write(self._http.send(event) or b"")
        async with asyncio.timeout(_TIMEOUT_S):
            await self._writer.drain()
        received = await self._received()
        if self._http.states == {h11.CLIENT: h11.DONE, h11.SERVER: h11.DONE}:
            self._http.start_next_cycle()
        return received

    async def _received(self) -> bytes:
        received = bytearray()
        while not isinstance(event := await self._next(), h11.EndOfMessage):
            if isinstance(event, h11.Data):
                received += event.data
            if len(received) > _RECEIPT_LIMIT:
                raise ChannelBusy("the receipt is too large")
        return bytes(received)

    async def _next(self) -> object:
        """What the receiver says next; it may be silent for so long and no longer."""
        while (event := self._http.next_event()) is h11.NEED_DATA:
            async with asyncio.timeout(_TIMEOUT_S):
                self._http.receive_data(await self._reader.read(_CHUNK))
        return event

    def abort(self) -> None:
        """Gone at once, whatever the receiver still says."""
        self._writer.transport.abort()

    async def hang_up(self) -> None:
        self._writer.close()
        with suppress(OSError, TimeoutError):
            await asyncio.wait_for(self._writer.wait_closed(), _CLOSING_S)


async def _hung_up(wire: _Wire | None) -> None:
    if wire is not None:
        await wire.hang_up()


async def _wire_to(url: str, context: ssl.SSLContext) -> _Wire:
    """A new connection. Raises OSError, and ValueError for no address of https."""
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname:
        raise ValueError("no address of https")
    async with asyncio.timeout(_TIMEOUT_S):
        streams = await asyncio.open_connection(parts.hostname, parts.port or _HTTPS, ssl=context)
    target = urlunsplit(("", "", parts.path or "/", parts.query, ""))
    return _Wire(target, parts.netloc, *streams)


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
