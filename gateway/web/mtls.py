"""监听 Listeners: mutual TLS, the caller's certificate in the scope, and an end to slow callers.

The certificate stands at `scope["extensions"]["tls"]["client_cert"]` as DER, the key under which
uvicorn means to give it itself, so that this subclass can go one day. Timers are the machine's.
"""

import asyncio
import contextlib
import hashlib
import logging
import os
import socket
import ssl
import stat
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from typing import Any, Final

from uvicorn import Config, Server
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from gateway.web.problems import problem

_BACKLOG: Final = 512
_ACCEPT_AGAIN_S: Final = 0.2
_TLS_GOODBYE_S: Final = 2.0
_SOCKET_NAME_BYTES: Final = 100
_RENEW_EVERY_TICKS = 100
"""uvicorn ticks ten times a second."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Pace:
    """What a caller must keep up with. Defaults: reliability-and-security paper §3, slow-loris.

    `header_s` bounds the TLS handshake and each request's headers; a body must bring
    `body_bytes_per_s` in every `body_window_s`. A party holds `connections` at most, and never
    more than are left of `connections_in_all`; `handshakes` are begun at once, and who comes
    meanwhile waits in the system's queue.
    """

    header_s: float = 10.0
    body_window_s: float = 10.0
    body_bytes_per_s: int = 1024
    keep_alive_s: int = 30
    connections: int = 64
    connections_in_all: int = 4096
    handshakes: int = 32
    stop_s: int = 30


def client_certificate(scope: Mapping[str, Any]) -> bytes | None:
    """The caller's verified certificate, DER; None when it showed none."""
    tls = scope.get("extensions", {}).get("tls", {})
    found: bytes | None = tls.get("client_cert")
    return found


def fingerprint(scope: Mapping[str, Any]) -> str:
    """SHA-256 of the caller's certificate in lower-case hex, as registered; empty without one."""
    der = client_certificate(scope)
    return hashlib.sha256(der).hexdigest() if der else ""


# --- TLS ----------------------------------------------------------------------------------------


class _Context(ssl.SSLContext):
    """A server's context that knows where its certificate comes from."""

    identity: "TlsIdentity"


class TlsIdentity:
    """The server's side of TLS: its certificate, replaced without restart.

    A listener that uses `context` looks for new files every ten seconds.
    """

    def __init__(self, certificate: Path, key: Path, context: ssl.SSLContext) -> None:
        self._files = certificate, key
        self.context = context
        self._seen = stamps(*self._files)

    def reload(self) -> None:
        """New connections get the certificate now on disk; live ones keep theirs.

        Raises ssl.SSLError or OSError, and keeps the old one, when the pair is not usable.
        """
        # Tried apart first: a pair that does not match would leave the live context with half.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(*self._files)
        self.context.load_cert_chain(*self._files)

    def renew(self) -> None:
        """Reload when a file changed; a pair that is not usable is logged and not used."""
        stamp = stamps(*self._files)
        if stamp == self._seen:
            return
        self._seen = stamp
        try:
            self.reload()
        except OSError as error:
            # Certificate and key are two files: until both are new they do not match.
            _log.warning("server certificate not usable yet", extra={"error": str(error)})
        else:
            _log.info("server certificate renewed")


def stamps(*files: Path) -> tuple[tuple[int, int], ...]:
    """What changes when a file is written anew: certificates are renewed while we serve."""
    found = [path.stat() for path in files if path.exists()]
    return tuple((status.st_ino, status.st_mtime_ns) for status in found)


def tls_context(certificate: Path, key: Path, authority: Path, *, required: bool) -> TlsIdentity:
    """双向 TLS TLS 1.2 or newer; callers' certificates must come from our own authority (PEM).

    Without `required` a caller may show none; one that it shows is verified all the same.
    Raises ssl.SSLError or OSError when a file is absent or unusable.
    """
    context = _Context(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    context.load_verify_locations(authority)
    context.verify_mode = ssl.CERT_REQUIRED if required else ssl.CERT_OPTIONAL
    context.set_alpn_protocols(["http/1.1"])
    context.identity = TlsIdentity(certificate, key, context)
    context.identity.reload()
    return context.identity


# --- the protocol ---------------------------------------------------------------------------------


class _Phase(Enum):
    IDLE = auto()
    HEADER = auto()
    BODY = auto()
    ANSWERING = auto()


class MTLSProtocol(HttpToolsProtocol):
    """One connection: knows its peer's certificate and cuts off a peer that is too slow."""

    def __init__(self, *args: Any, pace: Pace, held: Counter[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._pace, self._held = pace, held
        self._phase = _Phase.IDLE
        self._alarm: asyncio.TimerHandle | None = None
        self._received = 0
        self._waited_for_us = False
        self._tls: dict[str, Any] | None = None
        self._peer = ""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Note the certificate; a party with too many connections is turned away."""
        super().connection_made(transport)
        session = transport.get_extra_info("ssl_object")
        if session is not None:
            self._tls = {"client_cert": session.getpeercert(binary_form=True)}
        self._peer = fingerprint({"extensions": {"tls": self._tls or {}}}) or self._address()
        self._held[self._peer] += 1
        left = self._pace.connections_in_all - self._held.total() + 1
        if self._held[self._peer] > min(self._pace.connections, left):
            transport.abort()
            return
        self._enter(_Phase.HEADER)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection and its alarm."""
        self._silence()
        self._held[self._peer] -= 1
        if self._held[self._peer] <= 0:
            del self._held[self._peer]
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Any byte on a quiet connection begins a request, whose headers are then due."""
        if self._phase is _Phase.IDLE:
            self._enter(_Phase.HEADER)
        self._received += len(data)
        super().data_received(data)

    def on_message_begin(self) -> None:
        """A new request: its scope carries the certificate."""
        super().on_message_begin()
        if self._tls is not None:
            extensions: dict[str, dict[Any, Any]] = {"tls": self._tls}
            self.scope["extensions"] = extensions

    def on_headers_complete(self) -> None:
        """The headers are in: the body must keep its pace from now on."""
        super().on_headers_complete()
        self._enter(_Phase.BODY)

    def on_message_complete(self) -> None:
        """The request is whole: from now on the caller waits for us."""
        super().on_message_complete()
        done = self.cycle.response_complete and not self.pipeline
        self._enter(_Phase.IDLE if done else _Phase.ANSWERING)

    def on_response_complete(self) -> None:
        """Answered: the connection may rest for a while, or go on with what is queued."""
        more = bool(self.pipeline)
        super().on_response_complete()
        if self._phase is _Phase.ANSWERING and not more:
            self._enter(_Phase.IDLE)

    def send_400_response(self, msg: str) -> None:
        """What is not HTTP at all gets a problem document too, and the connection ends."""
        answer = problem("PROFILE_VIOLATED")
        head = [f"HTTP/1.1 {answer.status_code} Bad Request".encode(), b"connection: close"]
        head += [name + b": " + value for name, value in answer.raw_headers]
        self.transport.write(b"\r\n".join([*head, b"", bytes(answer.body)]))
        self.transport.close()

    def _address(self) -> str:
        return self.client[0] if self.client else ""

    def _enter(self, phase: _Phase) -> None:
        self._silence()
        self._phase, self._received = phase, 0
        if phase is _Phase.HEADER:
            self._alarm = self.loop.call_later(self._pace.header_s, self._cut)
        elif phase is _Phase.BODY:
            self._waited_for_us = self.flow.read_paused
            self._alarm = self.loop.call_later(self._pace.body_window_s, self._check_body)
        elif phase is _Phase.IDLE:
            # uvicorn's own timer is lost when a body ends after its answer.
            rest_s = self._pace.keep_alive_s
            self._alarm = self.loop.call_later(rest_s, self.timeout_keep_alive_handler)

    def _check_body(self) -> None:
        """A window is over: too little came, unless it was we who stopped reading."""
        due = self._pace.body_bytes_per_s * self._pace.body_window_s
        paused = self._waited_for_us or self.flow.read_paused
        if self.cycle.response_complete or (self._received < due and not paused):
            self._cut()
        else:
            self._enter(_Phase.BODY)

    def _cut(self) -> None:
        # A slow peer may be slow to say goodbye as well.
        self.transport.abort()

    def _silence(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None


# --- the door ---------------------------------------------------------------------------------


class _Door:
    """Accepts connections, no more handshakes at once than the pace says.

    A handshake costs more than a refusal: who only connects must not keep us from answering.
    """

    def __init__(
        self,
        bound: socket.socket,
        context: ssl.SSLContext | None,
        protocol: Callable[[], asyncio.Protocol],
        pace: Pace,
    ) -> None:
        self._bound, self._protocol = bound, protocol
        self._secured: dict[str, Any] = {}
        if context is not None:
            limits = {
                "ssl_handshake_timeout": pace.header_s,
                "ssl_shutdown_timeout": _TLS_GOODBYE_S,
            }
            self._secured = {"ssl": context, **limits}
        self._places = asyncio.Semaphore(pace.handshakes)
        self._greeting: set[asyncio.Task[None]] = set()
        bound.listen(_BACKLOG)
        self._accepting = asyncio.create_task(self._accept(), name="door")

    def close(self) -> None:
        """Accept nobody any more."""
        if self._bound.fileno() >= 0:
            asyncio.get_running_loop().remove_reader(self._bound)
        self._accepting.cancel()
        for task in self._greeting:
            task.cancel()

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._places.acquire()
            try:
                connection, _ = await loop.sock_accept(self._bound)
            except OSError as error:
                # No more files, as a rule: those that are open end, or are ended by their pace.
                self._places.release()
                _log.error("a connection is not accepted", extra={"error": type(error).__name__})
                await asyncio.sleep(_ACCEPT_AGAIN_S)
                continue
            task = asyncio.create_task(self._greet(connection))
            self._greeting.add(task)
            task.add_done_callback(self._greeting.discard)

    async def _greet(self, connection: socket.socket) -> None:
        """Until the handshake is over, well or not."""
        loop = asyncio.get_running_loop()
        try:
            await loop.connect_accepted_socket(self._protocol, connection, **self._secured)
        except (OSError, asyncio.CancelledError):
            connection.close()
        finally:
            self._places.release()


# --- servers ----------------------------------------------------------------------------------


class Listener(Server):
    """One uvicorn server on a socket that is bound at once; signals belong to the app.

    `port` is the bound TCP port; 0 for a Unix socket.
    """

    def __init__(self, config: Config, bound: socket.socket, pace: Pace) -> None:
        super().__init__(config)
        self._bound, self._pace = bound, pace
        name = bound.getsockname()
        self.port = int(name[1]) if isinstance(name, tuple) else 0
        self._held: Counter[str] = Counter()
        self._context: ssl.SSLContext | None = None
        self._doors: tuple[_Door, ...] = ()

    def secured(self, context: ssl.SSLContext | None) -> "Listener":
        """The same listener speaking TLS with this context; None is plain HTTP."""
        self._context = context
        return self

    def close(self) -> None:
        """Give the address back; for a listener that was never served, too."""
        self._shut()
        self._bound.close()

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept and answer until `stop`; the address is free afterwards, whatever happened."""
        try:
            await super().serve(sockets)
        finally:
            self.close()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Take no signal: app.py owns them (architecture §4)."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to accept; unlike uvicorn's own, with bounds on the TLS handshakes."""
        await self.lifespan.startup()
        protocol = self._protocol(asyncio.get_running_loop())
        self._doors = (_Door(self._bound, self._context, protocol, self._pace),)
        self.servers = []
        self.started = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Shut the door, finish what runs."""
        self._shut()
        await super().shutdown(sockets)

    def _shut(self) -> None:
        for door in self._doors:
            door.close()
        self._doors = ()

    async def on_tick(self, counter: int) -> bool:
        """uvicorn's housekeeping, and now and then a look for a new certificate."""
        if counter % _RENEW_EVERY_TICKS == 0 and isinstance(self._context, _Context):
            self._context.identity.renew()
        return await super().on_tick(counter)

    def _protocol(self, loop: asyncio.AbstractEventLoop) -> Callable[[], MTLSProtocol]:
        return lambda: MTLSProtocol(
            self.config,
            self.server_state,
            self.lifespan.state,
            loop,
            pace=self._pace,
            held=self._held,
        )


def make_server(
    app: Callable[..., Any],
    host: str,
    port: int,
    context: ssl.SSLContext | None,
    *,
    uds: Path | None = None,
    pace: Pace | None = None,
) -> Listener:
    """监听器 A server for the app, its socket bound already: `port` 0 takes any, see `.port`.

    `uds` is the path of a Unix socket (owner only) instead of host and port.
    Raises OSError when the address is taken or not ours.
    """
    pace = pace or Pace()
    bound = _bind_unix(uds) if uds else _bind(host, port)
    config = Config(
        app,
        http=MTLSProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=pace.keep_alive_s,
        timeout_graceful_shutdown=pace.stop_s,
    )
    return Listener(config, bound, pace).secured(context)


async def serve(servers: Sequence[Listener]) -> None:
    """Run the servers on this loop until `stop`; when one fails all are stopped, and it raises."""
    tasks = [asyncio.create_task(server.serve()) for server in servers]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    finally:
        stop(servers)
        ended = await asyncio.gather(*tasks, return_exceptions=True)
    failed = [error for error in ended if isinstance(error, Exception)]
    if failed:
        raise ExceptionGroup("a listener failed", failed)


def stop(servers: Sequence[Listener]) -> None:
    """Accept nothing new and finish what runs; `serve` returns when all is done."""
    for server in servers:
        server.should_exit = True


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named because asyncio sets TCP_NODELAY only where it is: without it an
    # answer's head and body, written one after the other, are 40 ms apart.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
    except OSError:
        bound.close()
        raise
    bound.setblocking(False)
    return bound


@contextlib.contextmanager
def reachable(path: Path) -> Iterator[str]:
    """The name under which a Unix socket can be bound or connected: the system takes about a
    hundred bytes, so a longer path goes by an open descriptor of its folder."""
    if len(os.fsencode(path)) <= _SOCKET_NAME_BYTES:
        yield os.fspath(path)
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def _bind_unix(path: Path) -> socket.socket:
    if path.exists() and stat.S_ISSOCK(path.stat().st_mode):
        # Left by a process that died; a live one would be refused by the lock on its database.
        path.unlink()
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    with reachable(path) as name:
        bound.bind(name)
    path.chmod(0o600)
    bound.setblocking(False)
    return bound
