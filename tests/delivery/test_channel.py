"""The wire to a receiver: exact bytes over mutual TLS, and nothing usable is nothing at all."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from gateway.delivery import channel as channel_module
from gateway.delivery.channel import HttpsChannel, Line
from gateway.ports import ChannelBusy, ChannelRefused, Unreadable
from gateway.web.mtls import fingerprint, make_server, tls_context
from tests.certificates import Pair, client_context, pair, trust
from tests.web.running import running

App = Callable[..., Any]
SEALED = b"<Message>" + b"\xe5\xb7\xa5" * 1000 + b"</Message>"


class Receiver:
    """An app that keeps what it got and who sent it, and answers as told."""

    def __init__(self, status: int = 200, body: bytes = b"<receipt/>") -> None:
        self.status, self.body = status, body
        self.got: list[bytes] = []
        self.callers: list[str] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.callers.append(fingerprint(scope))
        whole, more = b"", True
        while more:
            part = await receive()
            whole, more = whole + part.get("body", b""), part.get("more_body", False)
        self.got.append(whole)
        length = [(b"content-length", str(len(self.body)).encode())]
        await send({"type": "http.response.start", "status": self.status, "headers": length})
        await send({"type": "http.response.body", "body": self.body})


def ours(folder: Path) -> Pair:
    return Pair(folder / "gateway.pem", folder / "gateway.key")


@asynccontextmanager
async def line_to(folder: Path, app: App) -> AsyncIterator[Line]:
    """A line to a server that runs the app behind mutual TLS."""
    server = pair(folder, "receiver", "tls_server")
    pair(folder, "gateway")
    tls = tls_context(server.certificate, server.key, trust(folder), required=True)
    listener = make_server(app, "127.0.0.1", 0, tls.context)
    async with running(listener):
        url = f"https://localhost:{listener.port}/messages"
        line = Line(url, client_context(trust(folder), ours(folder)))
        try:
            yield line
        finally:
            await line.close()


# --- the line ---


async def test_the_exact_bytes_arrive_from_our_own_certificate(tmp_path: Path) -> None:
    receiver = Receiver()
    async with line_to(tmp_path, receiver) as line:
        for _ in range(2):
            assert await line.post(SEALED) == b"<receipt/>"
    assert receiver.got == [SEALED, SEALED]
    assert set(receiver.callers) == {ours(tmp_path).fingerprint}


async def test_a_receiver_of_another_authority_is_not_spoken_to(tmp_path: Path) -> None:
    receiver = Receiver()
    async with line_to(tmp_path, receiver) as line:
        stranger = Line(line.url, client_context(trust(tmp_path, "stranger-ca")))
        with pytest.raises(ChannelBusy, match="SSLCertVerificationError"):
            await stranger.post(SEALED)
        await stranger.close()
    assert receiver.got == []


@pytest.mark.parametrize("url", ["https://localhost:1/", "https://", "https://["])
async def test_an_address_where_nobody_is_means_later(tmp_path: Path, url: str) -> None:
    line = Line(url, client_context(trust(tmp_path)))
    with pytest.raises(ChannelBusy):
        await line.post(SEALED)
    await line.close()


async def test_an_answer_too_large_for_a_receipt_is_dropped(tmp_path: Path) -> None:
    async with line_to(tmp_path, Receiver(body=b"x" * (256 * 1024 + 1))) as line:
        with pytest.raises(ChannelBusy, match="too large"):
            await line.post(SEALED)


async def test_an_answer_that_never_ends_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channel_module, "_EXCHANGE_S", 0.3)

    async def trickling(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(20):
            await send({"type": "http.response.body", "body": b"x", "more_body": True})
            await asyncio.sleep(0.1)

    async with line_to(tmp_path, trickling) as line:
        with pytest.raises(ChannelBusy, match="TimeoutError"):
            await line.post(SEALED)


async def test_a_receiver_that_dripped_is_heard_when_it_answers_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A connection that its answer says will close is given up like any other."""
    monkeypatch.setattr(channel_module, "_EXCHANGE_S", 0.3)
    asked = 0

    async def dripping_once(scope: Any, receive: Any, send: Any) -> None:
        nonlocal asked
        asked += 1
        headers = [(b"connection", b"close")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        for _ in range(20 if asked == 1 else 1):
            await send({"type": "http.response.body", "body": b"x", "more_body": True})
            await asyncio.sleep(0.1 if asked == 1 else 0)
        await send({"type": "http.response.body", "body": b""})

    async with line_to(tmp_path, dripping_once) as line:
        with pytest.raises(ChannelBusy, match="TimeoutError"):
            await line.post(SEALED)
        assert await line.post(SEALED) == b"x"
        assert await line.post(SEALED) == b"x"


# --- the check ---


class Answering:
    """A line that has an answer ready."""

    url = "https://localhost/"

    async def post(self, sealed: bytes) -> bytes:
        return b"<answer/>"

    async def close(self) -> None:
        raise AssertionError("the worker owns the line")


def channel(verify: Callable[[bytes, bytes], str]) -> HttpsChannel:
    return HttpsChannel(Answering(), verify)  # type: ignore[arg-type]


async def test_what_the_check_accepts_is_the_receipt_byte_for_byte() -> None:
    checked: list[tuple[bytes, bytes]] = []

    def verify(sent: bytes, received: bytes) -> str:
        checked.append((sent, received))
        return "APPLIED"

    assert await channel(verify).send(SEALED) == b"<answer/>"
    assert checked == [(SEALED, b"<answer/>")]


async def test_a_signed_refusal_is_for_a_person() -> None:
    with pytest.raises(ChannelRefused):
        await channel(lambda *_: "REFUSED").send(SEALED)


@pytest.mark.parametrize("outcome", ["NOT_PROCESSED", "ANSWERED", ""])
async def test_any_other_outcome_means_later(outcome: str) -> None:
    with pytest.raises(ChannelBusy, match="receiver answered"):
        await channel(lambda *_: outcome).send(SEALED)


@pytest.mark.parametrize("error", [ValueError("unsigned"), Unreadable(())])
async def test_what_the_check_cannot_believe_or_read_is_no_receipt(error: Exception) -> None:
    def verify(*_: bytes) -> str:
        raise error

    with pytest.raises(ChannelBusy, match="no receipt"):
        await channel(verify).send(SEALED)
