"""The operations listener over a real socket."""

import asyncio
import time

import httpx
import pytest

from gateway.clock import SystemClock
from gateway.health import Check, Facts, Health, Status
from gateway.metrics import Metrics
from gateway.web.mtls import make_server
from gateway.web.ops import ops_app

from .running import running


def reporting(status: Status) -> Health:
    async def probe() -> Facts:
        return Facts((Check("disk", status, "磁盘", "the disk", 5, "bytes"),), held_bills=2)

    return Health([("disk", probe)])


async def get(path: str, health: Health) -> httpx.Response:
    app = ops_app(health, Metrics(()), SystemClock())
    server = make_server(app, "127.0.0.1", 0, None)
    async with running(server), httpx.AsyncClient(trust_env=False) as client:
        return await client.get(f"http://127.0.0.1:{server.port}{path}")


@pytest.mark.parametrize(
    ("status", "expected"), [(Status.PASS, 200), (Status.WARN, 200), (Status.FAIL, 503)]
)
async def test_ready_unless_a_check_fails(status, expected) -> None:
    answer = await get("/readyz", reporting(status))
    assert answer.status_code == expected
    assert answer.headers["content-type"] == "application/health+json"
    told = answer.json()
    assert told["status"] == status
    (entry,) = told["checks"]["disk"]
    assert (entry["status"], entry["observedValue"], entry["observedUnit"]) == (status, 5, "bytes")
    assert entry["output"] == "磁盘 / the disk"
    assert entry["time"]


async def test_alive_even_when_nothing_else_is_well() -> None:
    answer = await get("/livez", reporting(Status.FAIL))
    assert (answer.status_code, answer.json()) == (200, {"status": "pass"})


async def test_alive_answers_at_once_while_a_probe_hangs() -> None:
    async def hang() -> Facts:
        await asyncio.sleep(60)
        return Facts()

    app = ops_app(Health([("slow", hang)], patience_s=1.0), Metrics(()), SystemClock())
    server = make_server(app, "127.0.0.1", 0, None)
    async with running(server), httpx.AsyncClient(trust_env=False) as client:
        base = f"http://127.0.0.1:{server.port}"
        waiting = asyncio.create_task(client.get(f"{base}/readyz"))
        await client.get(f"{base}/livez")
        start = time.monotonic()
        await client.get(f"{base}/livez")
        assert time.monotonic() - start < 0.5
        assert (await waiting).status_code == 503


async def test_metrics_are_in_prometheus_text() -> None:
    answer = await get("/metrics", reporting(Status.PASS))
    assert answer.headers["content-type"].startswith("text/plain")
    assert "gw_held_bills 2.0" in answer.text
    assert 'gw_health_check{check="disk"} 0.0' in answer.text


@pytest.mark.parametrize("path", ["/", "/docs", "/openapi.json", "/redoc", "/readyz/x"])
async def test_there_is_nothing_else(path) -> None:
    answer = await get(path, reporting(Status.PASS))
    assert (answer.status_code, answer.json()["code"]) == (404, "NO_SUCH_PATH")
