"""The machine on which the gateway runs: started, killed at any moment, started again.

The gateway is the whole of `gateway.app`: both listeners' applications with their limits, the
exchange, delivery, release. A kill ends its tasks where they stand; what was committed is what
the next start finds.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import Context, copy_context
from typing import Any

from gateway import app
from gateway.web.messages import PATH
from tests.simulation.base import Base
from tests.simulation.loop import PROCESS, Process, SimLoop
from tests.simulation.network import Lost, Reply

_LISTENERS = ("hospital", "agency")
_XML = [(b"content-type", b"application/xml")]


class Host:
    """At most one gateway at a time, over one data directory."""

    def __init__(self, loop: SimLoop, base: Base, settings: Any) -> None:
        self._loop, self._base, self._settings = loop, base, settings
        self._context: Context | None = None
        self._process: Process | None = None
        self._apps: dict[str, Any] = {}
        self.gateway: app.Gateway | None = None
        self.started = asyncio.Event()
        self.starts = 0

    def start(self) -> None:
        """A new process begins; it serves as soon as it is up."""
        self._process, self.starts = Process(), self.starts + 1
        self._context = copy_context()
        self._context.run(PROCESS.set, self._process)
        self._loop.create_task(self._run(), context=self._context)

    async def _run(self) -> None:
        async with app.opened(self._settings) as gateway:
            listeners: Any = app.make_listeners(gateway)
            self._apps = {name: listeners[name].app for name in _LISTENERS}
            self.gateway = gateway
            self.started.set()
            await app.serve_all(gateway, {})

    async def kill(self) -> None:
        """The process is gone at once, with every transaction that was open."""
        process, self._process = self._process, None
        self.gateway, self._apps = None, {}
        self.started.clear()
        if process is None:
            return
        process.dead = True
        while alive := [task for task in process.tasks if not task.done()]:
            for task in alive:
                task.cancel()
            await asyncio.wait(alive, timeout=1)

    def roll_over(self) -> None:
        """From the next start on, the gateway signs with another key."""
        self._base.roll_over(self._settings)

    def listener(self, name: str, certificate: bytes) -> Callable[[bytes], Awaitable[Reply]]:
        """How a party's connection reaches a listener."""

        async def serve(raw: bytes) -> Reply:
            return await self.within(lambda: self._answered(self._apps[name], raw, certificate))

        return serve

    async def within(self, work: Callable[[], Awaitable[Any]]) -> Any:
        """Have something done inside the running process. Raises Lost when it is not there, or
        dies over it."""
        process = self._process
        if process is None or not self.started.is_set():
            raise Lost
        task = self._loop.create_task(_of(work), context=self._context)
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError:
            task.cancel()
            raise
        if process.dead or task.cancelled():
            raise Lost
        return task.result()

    async def _answered(self, served: Any, raw: bytes, certificate: bytes) -> Reply:
        waiting = [{"type": "http.request", "body": raw, "more_body": False}]
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return waiting.pop()

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        await served(_scope(certificate), receive, send)
        body = b"".join(part.get("body", b"") for part in sent[1:])
        return Reply(sent[0]["status"], body)


async def _of(work: Callable[[], Awaitable[Any]]) -> Any:
    return await work()


def _scope(certificate: bytes) -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "https",
        "path": PATH,
        "raw_path": PATH.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": _XML,
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 1),
        "extensions": {"tls": {"client_cert": certificate}},
    }
