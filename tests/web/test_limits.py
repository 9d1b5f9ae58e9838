"""What each party may ask, decided before its body is read."""

import asyncio
import json
from dataclasses import replace
from types import SimpleNamespace

import httpx
import pytest

from gateway.clock import elapsed_s
from gateway.web.limits import Allowance, Limits
from gateway.web.mtls import make_server
from tests.certificates import client_context, pair, trust

from .running import answering, raw, running
from .test_mtls import listener

SMALL = Allowance(body_bytes=1000, at_once=2, per_second=5, in_all=3, waits_s=0, parties=4)
PATIENT = replace(SMALL, waits_s=0.05)


class Timer:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Call:
    """One request driven by hand: its answer, and whether its body was asked for."""

    def __init__(self, party: str = "a", headers=(), chunks=(b"",)) -> None:
        self.scope = {
            "type": "http",
            "method": "POST",
            "path": "/",
            "headers": list(headers),
            "client": ("10.0.0.1", 1),
            "extensions": {"tls": {"client_cert": party.encode()}},
        }
        last = len(chunks) - 1
        self.incoming = [
            {"type": "http.request", "body": chunk, "more_body": at < last}
            for at, chunk in enumerate(chunks)
        ]
        self.read = 0
        self.sent: list = []

    async def receive(self):
        self.read += 1
        return self.incoming.pop(0) if self.incoming else {"type": "http.disconnect"}

    async def send(self, message) -> None:
        self.sent.append(message)

    @property
    def status(self) -> int:
        return self.sent[0]["status"]

    @property
    def code(self) -> str:
        return json.loads(self.sent[1]["body"])["code"]

    @property
    def retry_after(self) -> str:
        return dict(self.sent[0]["headers"])[b"retry-after"].decode()

    async def by(self, limits: Limits) -> "Call":
        await limits(self.scope, self.receive, self.send)
        return self


def limits(allowance: Allowance = SMALL, app=None, timer=None) -> Limits:
    return Limits(app or answering(), allowance, timer or Timer())


class Gate:
    """An app that waits, so that its requests run at once."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.running = 0

    async def __call__(self, scope, receive, send) -> None:
        self.running += 1
        await self.open.wait()
        await answering()(scope, receive, send)


async def started(limited: Limits, *calls: Call) -> list[asyncio.Task]:
    tasks = [asyncio.create_task(call.by(limited)) for call in calls]
    await asyncio.sleep(0.01)
    return tasks


# --- the body ---------------------------------------------------------------------------------


@pytest.mark.parametrize("declared", [True, False])
async def test_a_body_at_the_limit_reaches_the_app_whole(declared) -> None:
    bodies = []

    async def app(scope, receive, send) -> None:
        bodies.append(await receive())
        await answering()(scope, lambda: asyncio.sleep(0, {"more_body": False}), send)

    headers = [(b"content-length", b"1000")] if declared else []
    call = await Call(headers=headers, chunks=(b"x" * 600, b"y" * 400)).by(limits(app=app))
    assert call.status == 200
    assert bodies == [{"type": "http.request", "body": b"x" * 600 + b"y" * 400, "more_body": False}]


@pytest.mark.parametrize("length", [b"1001", b"9" * 18, b"9" * 100_000])
async def test_a_declared_body_above_the_limit_is_refused_unread(length) -> None:
    call = await Call(headers=[(b"content-length", length)]).by(limits())
    assert (call.status, call.code, call.read) == (413, "MESSAGE_TOO_LARGE", 0)


async def test_an_undeclared_body_above_the_limit_is_refused_on_the_way() -> None:
    call = await Call(chunks=(b"x" * 600, b"x" * 401, b"x" * 600)).by(limits())
    assert (call.status, call.code, call.read) == (413, "MESSAGE_TOO_LARGE", 2)


@pytest.mark.parametrize("length", [b"-1", b"1e3", b"", b"\xd9\xa3"])
async def test_a_length_that_is_no_number_is_refused(length) -> None:
    call = await Call(headers=[(b"content-length", length)]).by(limits())
    assert (call.status, call.read) == (400, 0)


@pytest.mark.parametrize("encoding", [b"gzip", b"GZIP", b"br", b"deflate, gzip", b"x"])
async def test_a_compressed_body_is_refused_unread(encoding) -> None:
    call = await Call(headers=[(b"content-encoding", encoding)]).by(limits())
    assert (call.status, call.code, call.read) == (400, "PROFILE_VIOLATED", 0)


async def test_a_plain_encoding_is_no_encoding() -> None:
    assert (await Call(headers=[(b"content-encoding", b"Identity")]).by(limits())).status == 200


async def test_a_caller_that_hangs_up_gets_no_answer_and_keeps_no_place() -> None:
    limited = limits()
    for _ in range(5):
        call = Call(chunks=(b"x", b"y"))
        call.incoming.pop()
        assert (await call.by(limited)).sent == []
    assert (await Call("b").by(limited)).status == 200


# --- rate and concurrency -----------------------------------------------------------------------


async def test_a_party_above_its_rate_is_told_when_to_come_again() -> None:
    timer = Timer()
    limited = limits(timer=timer)
    assert [(await Call().by(limited)).status for _ in range(6)] == [200] * 5 + [429]
    call = await Call().by(limited)
    assert (call.code, call.retry_after, call.read) == ("RATE_LIMITED", "1", 0)
    timer.now += 0.2
    assert [(await Call().by(limited)).status for _ in range(2)] == [200, 429]


async def test_an_idle_party_saves_up_no_more_than_one_second() -> None:
    timer = Timer()
    limited = limits(timer=timer)
    await Call().by(limited)
    timer.now += 3600
    statuses = [(await Call().by(limited)).status for _ in range(7)]
    assert statuses == [200] * 5 + [429] * 2


async def test_one_party_at_its_rate_does_not_stop_another() -> None:
    limited = limits()
    for _ in range(6):
        await Call("a").by(limited)
    assert (await Call("b").by(limited)).status == 200


async def test_a_party_runs_only_so_many_requests_at_once() -> None:
    gate = Gate()
    limited = limits(app=gate)
    tasks = await started(limited, Call(), Call())
    refused = await Call().by(limited)
    assert (refused.status, refused.code, refused.read) == (429, "RATE_LIMITED", 0)
    gate.open.set()
    assert [(await task).status for task in tasks] == [200, 200]
    assert (await Call().by(limited)).status == 200


async def test_all_parties_together_run_only_so_many() -> None:
    gate = Gate()
    limited = limits(app=gate)
    tasks = await started(limited, Call("a"), Call("a"), Call("b"))
    refused = await Call("c").by(limited)
    assert (refused.status, refused.code, refused.retry_after) == (503, "BUSY", "1")
    gate.open.set()
    await asyncio.gather(*tasks)


async def test_who_floods_leaves_a_place_for_who_comes_later() -> None:
    gate = Gate()
    wide = Allowance(body_bytes=1000, at_once=100, per_second=100, in_all=12, waits_s=0)
    limited = limits(wide, app=gate)
    tasks = await started(limited, *(Call(name) for _ in range(12) for name in "ab"))
    assert gate.running == 8
    assert [call.status for call in (task.result() for task in tasks if task.done())] == [503] * 16
    tasks += await started(limited, Call("c"), Call("d"))
    assert gate.running == 10
    gate.open.set()
    await asyncio.gather(*tasks)


async def test_who_finds_no_place_waits_unread_and_is_served_when_there_is_one() -> None:
    gate = Gate()
    limited = limits(PATIENT, app=gate)
    tasks = await started(limited, Call("a"), Call("a"), Call("b"))
    late = Call("c")
    waiting = asyncio.create_task(late.by(limited))
    await asyncio.sleep(0)
    assert (late.sent, late.read, gate.running) == ([], 0, 3)
    gate.open.set()
    assert (await waiting).status == 200
    await asyncio.gather(*tasks)


async def test_who_waited_in_vain_is_refused_unread() -> None:
    gate = Gate()
    limited = limits(PATIENT, app=gate)
    tasks = await started(limited, Call("a"), Call("a"), Call("b"))
    began = elapsed_s()
    late = await Call("c").by(limited)
    assert (late.status, late.code, late.read) == (503, "BUSY", 0)
    assert elapsed_s(began) >= PATIENT.waits_s
    gate.open.set()
    await asyncio.gather(*tasks)


async def test_a_request_that_fails_gives_its_place_back() -> None:
    async def broken(*_: object) -> None:
        raise RuntimeError("broken")

    limited = limits(app=broken)
    for _ in range(4):
        with pytest.raises(RuntimeError):
            await Call().by(limited)


async def test_only_so_many_parties_are_remembered() -> None:
    limited = limits()
    for number in range(50):
        await Call(f"p{number}").by(limited)
    assert len(limited._parties) == SMALL.parties


async def test_a_party_at_work_is_not_forgotten() -> None:
    gate = Gate()
    limited = limits(app=gate)
    tasks = await started(limited, Call("a"), Call("a"), Call("b"))
    for number in range(10):
        assert (await Call(f"p{number}").by(limited)).status == 503
    assert (await Call("a").by(limited)).status == 429
    gate.open.set()
    await asyncio.gather(*tasks)


async def test_a_party_without_certificate_is_its_address() -> None:
    limited = limits()
    for _ in range(6):
        call = Call()
        del call.scope["extensions"]
        await call.by(limited)
    assert call.status == 429
    other = Call()
    del other.scope["extensions"]
    other.scope["client"] = ("10.0.0.2", 1)
    assert (await other.by(limited)).status == 200


async def test_what_is_not_http_passes_through() -> None:
    seen = []

    async def app(scope, receive, send) -> None:
        seen.append(scope["type"])

    await limits(app=app)({"type": "lifespan"}, None, None)
    assert seen == ["lifespan"]


# --- over real sockets ----------------------------------------------------------------------------


async def test_over_tls_two_certificates_are_two_parties(tmp_path) -> None:
    allowance = Allowance(body_bytes=1000, at_once=2, per_second=2, in_all=64, waits_s=0)
    server, _, _ = listener(tmp_path, Limits(answering(), allowance, Timer()))
    statuses = SimpleNamespace(a=[], b=[])
    async with running(server):
        for name in ("a", "b"):
            context = client_context(trust(tmp_path), pair(tmp_path, name))
            async with httpx.AsyncClient(verify=context, trust_env=False) as client:
                for _ in range(3):
                    answer = await client.post(f"https://localhost:{server.port}/", content=b"x")
                    getattr(statuses, name).append(answer.status_code)
    assert statuses.a == statuses.b == [200, 200, 429]


async def test_a_large_upload_reads_its_refusal_and_the_connection_goes_on() -> None:
    server = make_server(limits(), "127.0.0.1", 0, None)
    async with running(server), httpx.AsyncClient(trust_env=False) as client:
        url = f"http://127.0.0.1:{server.port}/"
        answer = await client.post(url, content=b"x" * 500_000)
        assert (answer.status_code, answer.json()["code"]) == (413, "MESSAGE_TOO_LARGE")
        assert (await client.post(url, content=b"x")).status_code == 200


async def test_a_chunked_upload_without_end_is_refused_on_the_way() -> None:
    server = make_server(limits(), "127.0.0.1", 0, None)
    head = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    chunk = b"3e8\r\n" + b"x" * 1000 + b"\r\n"
    async with running(server):
        answer = await raw(server.port, head, chunk, chunk)
    assert answer.startswith(b"HTTP/1.1 413")
