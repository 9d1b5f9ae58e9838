"""Listeners with real sockets and real TLS."""

import asyncio
import os
import signal
import socket
import ssl
import stat
import sys
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from gateway.web import mtls
from gateway.web.mtls import Pace, make_server, reachable, serve, stop, tls_context
from tests.certificates import client_context, pair, trust

from .running import answering, raw, running

REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n"


def listener(folder: Path, app=None, *, required: bool = True, pace: Pace | None = None):
    server = pair(folder, "server", "tls_server")
    identity = tls_context(server.certificate, server.key, trust(folder), required=required)
    made = make_server(app or answering(), "127.0.0.1", 0, identity.context, pace=pace)
    return made, identity, server


async def get(port: int, context: ssl.SSLContext) -> httpx.Response:
    async with httpx.AsyncClient(verify=context, trust_env=False) as client:
        return await client.get(f"https://localhost:{port}/")


def served_certificate(port: int, context: ssl.SSLContext) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=5) as plain:
        with context.wrap_socket(plain, server_hostname="localhost") as secured:
            return secured.getpeercert(binary_form=True) or b""


# --- identity -------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_the_app_sees_the_callers_certificate(tmp_path, version) -> None:
    seen: list = []
    server, _, _ = listener(tmp_path, answering(seen=seen))
    hospital = pair(tmp_path, "H0001")
    context = client_context(tmp_path / "test-ca.pem", hospital)
    context.minimum_version = context.maximum_version = version
    async with running(server):
        assert (await get(server.port, context)).text == "ok"
    assert seen[0]["extensions"]["tls"]["client_cert"] == hospital.der
    assert mtls.client_certificate(seen[0]) == hospital.der
    assert mtls.fingerprint(seen[0]) == hospital.fingerprint


async def test_every_request_of_a_connection_carries_the_certificate(tmp_path) -> None:
    seen: list = []
    server, _, _ = listener(tmp_path, answering(seen=seen))
    context = client_context(trust(tmp_path), pair(tmp_path, "H0001"))
    async with running(server), httpx.AsyncClient(verify=context, trust_env=False) as client:
        for _ in range(3):
            await client.get(f"https://localhost:{server.port}/")
    assert len({scope["client"] for scope in seen}) == 1
    assert len({mtls.fingerprint(scope) for scope in seen} - {""}) == 1


async def test_a_resumed_session_still_shows_the_certificate(tmp_path) -> None:
    seen: list = []
    server, _, _ = listener(tmp_path, answering(seen=seen))
    context = client_context(trust(tmp_path), pair(tmp_path, "H0001"))
    context.maximum_version = ssl.TLSVersion.TLSv1_2

    def call(session: ssl.SSLSession | None) -> tuple[ssl.SSLSession | None, bool | None]:
        with socket.create_connection(("127.0.0.1", server.port), timeout=5) as plain:
            with context.wrap_socket(
                plain, server_hostname="localhost", session=session
            ) as secured:
                secured.sendall(REQUEST)
                answer = b""
                while not answer.endswith(b"ok"):
                    answer += secured.recv(4096)
                return secured.session, secured.session_reused

    async with running(server):
        session, _ = await asyncio.to_thread(call, None)
        _, reused = await asyncio.to_thread(call, session)
    assert reused
    assert len({mtls.fingerprint(scope) for scope in seen} - {""}) == 1


async def test_a_caller_without_certificate_is_refused_where_one_is_required(tmp_path) -> None:
    seen: list = []
    server, _, _ = listener(tmp_path, answering(seen=seen))
    async with running(server):
        with pytest.raises(httpx.TransportError):
            await get(server.port, client_context(trust(tmp_path)))
    assert seen == []


async def test_a_caller_without_certificate_passes_where_one_is_only_requested(tmp_path) -> None:
    seen: list = []
    server, _, _ = listener(tmp_path, answering(seen=seen), required=False)
    async with running(server):
        assert (await get(server.port, client_context(trust(tmp_path)))).status_code == 200
    assert mtls.client_certificate(seen[0]) is None
    assert mtls.fingerprint(seen[0]) == ""


@pytest.mark.parametrize("required", [True, False])
async def test_a_certificate_of_another_authority_is_refused(tmp_path, required) -> None:
    server, _, _ = listener(tmp_path, required=required)
    stranger = pair(tmp_path, "stranger", by="other-ca")
    async with running(server):
        with pytest.raises(httpx.TransportError):
            await get(server.port, client_context(trust(tmp_path), stranger))


async def test_an_expired_certificate_is_refused(tmp_path) -> None:
    server, _, _ = listener(tmp_path)
    old = pair(tmp_path, "old", days=(-1.5, -0.5))
    async with running(server):
        with pytest.raises(httpx.TransportError):
            await get(server.port, client_context(trust(tmp_path), old))


def test_nothing_older_than_tls_1_2_is_spoken(tmp_path) -> None:
    server, identity, _ = listener(tmp_path)
    server.close()
    assert identity.context.minimum_version is ssl.TLSVersion.TLSv1_2


# --- reload --------------------------------------------------------------------------------------


async def test_a_reloaded_certificate_serves_new_connections_without_restart(tmp_path) -> None:
    server, identity, first = listener(tmp_path)
    before = first.der
    context = client_context(trust(tmp_path), pair(tmp_path, "H0001"))
    async with running(server):
        assert await asyncio.to_thread(served_certificate, server.port, context) == before
        second = pair(tmp_path, "server", "tls_server")
        identity.reload()
        assert await asyncio.to_thread(served_certificate, server.port, context) == second.der
    assert second.der != before


async def test_a_pair_that_does_not_match_is_refused_and_the_old_one_kept(tmp_path) -> None:
    server, identity, first = listener(tmp_path)
    before = first.der
    (tmp_path / "server.key").write_bytes(pair(tmp_path, "other").key.read_bytes())
    with pytest.raises(ssl.SSLError):
        identity.reload()
    context = client_context(trust(tmp_path), pair(tmp_path, "H0001"))
    async with running(server):
        assert await asyncio.to_thread(served_certificate, server.port, context) == before


async def test_a_running_listener_finds_a_new_certificate_by_itself(
    tmp_path, monkeypatch, caplog
) -> None:
    monkeypatch.setattr(mtls, "_RENEW_EVERY_TICKS", 1)
    server, _, first = listener(tmp_path)
    before = first.der
    context = client_context(trust(tmp_path), pair(tmp_path, "H0001"))
    (tmp_path / "new").mkdir()
    new = pair(tmp_path / "new", "server", "tls_server")
    async with running(server):
        new.certificate.replace(tmp_path / "server.pem")
        await asyncio.sleep(0.3)
        assert "not usable yet" in caplog.text
        assert await asyncio.to_thread(served_certificate, server.port, context) == before
        new.key.replace(tmp_path / "server.key")
        await asyncio.sleep(0.3)
        assert await asyncio.to_thread(served_certificate, server.port, context) == first.der
    assert first.der != before


# --- slow callers --------------------------------------------------------------------------------

QUICK = Pace(header_s=0.3, body_window_s=0.3, body_bytes_per_s=1000, keep_alive_s=1, stop_s=5)


@pytest.mark.parametrize(
    "parts",
    [
        (b"",),
        (b"GET / HT",),
        (b"GET / HTTP/1.1\r\nHost: x\r\n", b"A: b\r\n", b"C: d\r\n", b"E: f\r\n", b"G: h\r\n"),
        (REQUEST, b"GET / HT", b"TP", b"/1", b".1"),
    ],
    ids=["silent", "half a line", "a header now and then", "the second request"],
)
async def test_headers_that_do_not_come_end_the_connection(parts) -> None:
    server = make_server(answering(), "127.0.0.1", 0, None, pace=QUICK)
    async with running(server):
        start = asyncio.get_running_loop().time()
        await raw(server.port, *parts, pause_s=0.1)
        assert asyncio.get_running_loop().time() - start < 1.5


async def test_a_body_slower_than_the_floor_ends_the_connection() -> None:
    server = make_server(answering(), "127.0.0.1", 0, None, pace=QUICK)
    async with running(server):
        answer = await raw(server.port, POST, *[b"x"] * 12, pause_s=0.1)
    assert answer == b""


async def test_a_burst_buys_no_later_silence() -> None:
    server = make_server(answering(), "127.0.0.1", 0, None, pace=QUICK)
    async with running(server):
        answer = await raw(server.port, POST + b"x" * 900, *[b"x"] * 9, pause_s=0.1)
    assert answer == b""


async def test_a_body_above_the_floor_is_read_to_its_end() -> None:
    server = make_server(answering(), "127.0.0.1", 0, None, pace=QUICK)
    async with running(server):
        answer = await raw(server.port, POST, *[b"x" * 125] * 8, pause_s=0.05)
    assert answer.startswith(b"HTTP/1.1 200")


async def test_a_body_that_we_are_slow_to_read_is_not_the_callers_fault() -> None:
    async def slow(scope, receive, send) -> None:
        await asyncio.sleep(1.0)
        await answering()(scope, receive, send)

    server = make_server(slow, "127.0.0.1", 0, None, pace=QUICK)
    size = 4 * 1024 * 1024
    head = POST.replace(b"1000", str(size).encode())
    async with running(server):
        answer = await raw(server.port, head, b"x" * size)
    assert answer.startswith(b"HTTP/1.1 200")


async def test_a_long_answer_is_not_cut_off() -> None:
    async def slow(scope, receive, send) -> None:
        await asyncio.sleep(0.8)
        await answering()(scope, receive, send)

    server = make_server(slow, "127.0.0.1", 0, None, pace=QUICK)
    async with running(server):
        assert b"ok" in await raw(server.port, REQUEST)


async def test_slow_callers_do_not_disturb_an_honest_one() -> None:
    server = make_server(answering(), "127.0.0.1", 0, None, pace=Pace(connections=1000))
    async with running(server), httpx.AsyncClient(trust_env=False) as client:
        slow = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(200)]
        for _, writer in slow:
            writer.write(b"GET / HT")
        start = asyncio.get_running_loop().time()
        for _ in range(50):
            assert (await client.get(f"http://127.0.0.1:{server.port}/")).text == "ok"
        took_s = asyncio.get_running_loop().time() - start
        for _, writer in slow:
            writer.close()
    # 50 answers of 40 ms each would show that small packets wait for each other.
    assert took_s < 1.9


async def test_an_unfinished_handshake_ends_the_connection(tmp_path) -> None:
    server, _, _ = listener(tmp_path, pace=QUICK)
    async with running(server):
        start = asyncio.get_running_loop().time()
        await raw(server.port, b"\x16\x03\x01")
        assert asyncio.get_running_loop().time() - start < 2


async def test_a_party_holds_a_limited_number_of_connections() -> None:
    server = make_server(answering(), "127.0.0.1", 0, None, pace=Pace(connections=3))
    async with running(server):
        held = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(3)]
        await asyncio.sleep(0.05)
        assert await raw(server.port, REQUEST) == b""
        for _, writer in held:
            writer.close()
        await asyncio.sleep(0.05)
        async with httpx.AsyncClient(trust_env=False) as client:
            assert (await client.get(f"http://127.0.0.1:{server.port}/")).text == "ok"


async def test_nobody_holds_more_connections_than_are_left_for_others() -> None:
    server = make_server(answering(), "127.0.0.1", 0, None, pace=Pace(connections_in_all=5))
    async with running(server):
        held = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(3)]
        await asyncio.sleep(0.05)
        assert await raw(server.port, REQUEST) == b""
        other = httpx.AsyncHTTPTransport(local_address="127.0.0.2")
        async with httpx.AsyncClient(transport=other, trust_env=False) as client:
            assert (await client.get(f"http://127.0.0.1:{server.port}/")).text == "ok"
        for _, writer in held:
            writer.close()


async def test_more_handshakes_than_a_few_wait_their_turn(tmp_path) -> None:
    server, _, _ = listener(tmp_path, pace=Pace(header_s=0.5, handshakes=2))
    context = client_context(trust(tmp_path), pair(tmp_path, "H0001"))
    async with running(server):
        silent = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(2)]
        start = asyncio.get_running_loop().time()
        assert (await get(server.port, context)).text == "ok"
        assert asyncio.get_running_loop().time() - start >= 0.3
        for _, one in silent:
            one.close()


async def test_what_is_not_http_gets_a_problem_document() -> None:
    server = make_server(answering(), "127.0.0.1", 0, None)
    async with running(server):
        answer = await raw(server.port, b"hello\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400")
    assert b"application/problem+json" in answer
    assert b"PROFILE_VIOLATED" in answer


# --- servers ------------------------------------------------------------------------------------


async def test_several_servers_share_one_loop_and_report_their_ports() -> None:
    one = make_server(answering(b"one"), "127.0.0.1", 0, None)
    two = make_server(answering(b"two"), "127.0.0.1", 0, None)
    assert one.port != two.port
    async with running(one, two), httpx.AsyncClient(trust_env=False) as client:
        assert (await client.get(f"http://127.0.0.1:{one.port}/")).text == "one"
        assert (await client.get(f"http://127.0.0.1:{two.port}/")).text == "two"


async def test_a_unix_socket_serves_its_owner_only(tmp_path) -> None:
    path = tmp_path / "s"
    for _ in range(2):  # the second finds the socket that the first left behind
        server = make_server(answering(), "", 0, None, uds=path)
        async with running(server):
            transport = httpx.AsyncHTTPTransport(uds=str(path))
            async with httpx.AsyncClient(transport=transport, trust_env=False) as client:
                assert (await client.get("http://localhost/")).text == "ok"
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
            assert server.port == 0


def test_a_port_in_use_is_said_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        with pytest.raises(OSError, match="in use"):
            make_server(answering(), "127.0.0.1", taken.getsockname()[1], None)


async def test_stopping_finishes_the_request_that_runs() -> None:
    arrived = asyncio.Event()

    async def slow(scope, receive, send) -> None:
        arrived.set()
        await asyncio.sleep(0.4)
        await answering()(scope, receive, send)

    server = make_server(slow, "127.0.0.1", 0, None)
    async with running(server) as task:
        call = asyncio.create_task(raw(server.port, REQUEST))
        await arrived.wait()
        stop([server])
        assert b"ok" in await call
        await task
        with pytest.raises(OSError, match="Connect call failed"):
            await asyncio.open_connection("127.0.0.1", server.port)


async def test_one_server_that_fails_stops_the_others(monkeypatch) -> None:
    good = make_server(answering(), "127.0.0.1", 0, None)
    bad = make_server(answering(), "127.0.0.1", 0, None)

    async def fail(*_: object) -> None:
        await asyncio.sleep(0.2)
        raise RuntimeError("broken")

    monkeypatch.setattr(bad, "main_loop", fail)
    with pytest.raises(ExceptionGroup):
        await serve([good, bad])


async def test_a_server_takes_no_signal() -> None:
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    server = make_server(answering(), "127.0.0.1", 0, None)
    async with running(server):
        assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before


@pytest.mark.skipif(sys.platform != "linux", reason="/proc lists open files on Linux only")
async def test_connections_leave_no_open_file_behind() -> None:
    server = make_server(answering(), "127.0.0.1", 0, None)
    async with running(server):
        await raw(server.port, REQUEST.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        before = len(os.listdir("/proc/self/fd"))
        for _ in range(20):
            await raw(server.port, REQUEST.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        await asyncio.sleep(0.05)
        assert len(os.listdir("/proc/self/fd")) <= before


def test_a_socket_below_a_long_path_is_bound_and_reached_all_the_same(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["a-folder-with-a-long-name"] * 5)
    deep.mkdir(parents=True)
    path = deep / "admin.sock"
    listener = make_server(_nothing, "", 0, None, uds=path)
    assert stat.S_ISSOCK(path.stat().st_mode)
    assert path.stat().st_mode & 0o777 == 0o600
    listener.close()
    with reachable(path) as name, closing(socket.socket(socket.AF_UNIX)) as client:
        assert len(name) < 100
        with pytest.raises(ConnectionRefusedError):
            client.connect(name)


async def _nothing(*_: object) -> None:
    """An app that nobody calls."""
