"""The HTTPS channel to a receiver that can be called: POST, mutual TLS, a signed receipt.

A 200 from a proxy is no receipt: only a reply signed by the receiver's own registered
message key, bound to our message id and digest, is.
"""

import asyncio
import ssl
from collections.abc import Callable
from typing import Final

import httpx

from gateway.ports import ChannelBusy, ChannelRefused

_TIMEOUT_S: Final = 10.0
_EXCHANGE_S: Final = 30.0
_XML: Final = {"content-type": "application/xml"}
_RECEIPT_LIMIT: Final = 256 * 1024

Verify = Callable[[bytes, bytes], str]
"""From what was sent and the reply's bytes to the receipt's outcome; raises ValueError when
it proves nothing."""


class Line:
    """The kept connections to one receiver's address."""

    def __init__(self, url: str, context: ssl.SSLContext) -> None:
        self.url = url
        limits = httpx.Limits(max_connections=2)
        self._client = httpx.AsyncClient(
            verify=context, timeout=_TIMEOUT_S, limits=limits, trust_env=False
        )

    async def post(self, sealed: bytes) -> bytes:
        """Post the exact bytes. Raises ChannelBusy when nothing usable came back."""
        try:
            async with asyncio.timeout(_EXCHANGE_S):
                return await self._posted(sealed)
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
            raise ChannelBusy(type(error).__name__) from None

    async def _posted(self, sealed: bytes) -> bytes:
        received = bytearray()
        async with self._client.stream("POST", self.url, content=sealed, headers=_XML) as reply:
            async for part in reply.aiter_bytes():
                received += part
                if len(received) > _RECEIPT_LIMIT:
                    raise ChannelBusy("the receipt is too large")
        return bytes(received)

    async def close(self) -> None:
        await self._client.aclose()


class HttpsChannel:
    """A receiver's line with the check its receipts must pass now."""

    def __init__(self, line: Line, verify: Verify) -> None:
        self._line, self._verify = line, verify

    async def send(self, sealed: bytes) -> bytes:
        """Post and check the receipt. Raises ChannelBusy and ChannelRefused."""
        received = await self._line.post(sealed)
        try:
            outcome = self._verify(sealed, received)
        except ValueError as error:
            raise ChannelBusy(f"no receipt: {error}") from None
        except Exception as error:
            # Whatever a foreign answer does to the check, it proves nothing and ends nothing.
            raise ChannelBusy(f"no receipt: {type(error).__name__}") from None
        if outcome == "REFUSED":
            raise ChannelRefused("refused by the receiver")
        if outcome != "APPLIED":
            raise ChannelBusy(f"receiver answered {outcome}")
        return received
