"""Real servers on loopback for the tests of the edge."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from gateway.web import mtls


@asynccontextmanager
async def running(*servers: mtls.Listener) -> AsyncIterator[asyncio.Task[None]]:
    """The servers accept inside the block; afterwards they have stopped."""
    task = asyncio.create_task(mtls.serve(servers))
    while not all(server.started for server in servers):
        await asyncio.sleep(0.01)
    try:
        yield task
    finally:
        mtls.stop(servers)
        await task


def answering(body: bytes = b"ok", seen: list[dict[str, Any]] | None = None) -> Callable[..., Any]:
    """An app that reads the whole body, notes the scope and says `body`."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if seen is not None:
            seen.append(scope)
        while (await receive()).get("more_body"):
            pass
        start = {"type": "http.response.start", "status": 200}
        await send({**start, "headers": [(b"content-length", str(len(body)).encode())]})
        await send({"type": "http.response.body", "body": body})

    return app


async def raw(port: int, *parts: bytes, pause_s: float = 0.0) -> bytes:
    """Write the parts over plain TCP with pauses, and read until the server closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(pause_s)
        return await asyncio.wait_for(reader.read(), 5)
    except ConnectionError:
        return b""
    finally:
        writer.close()
