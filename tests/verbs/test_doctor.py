"""gateway doctor: in words what is wrong, with the server running or not."""

import asyncio
import io
import os
import socket

import pytest

from gateway.clock import SystemClock
from gateway.health import PURPOSES, Check, Facts, Health, Status
from gateway.metrics import Metrics
from gateway.settings import Settings
from gateway.store.migrate import migrate
from gateway.store.personal import KeyRing
from gateway.verbs import doctor
from gateway.web.mtls import make_server
from gateway.web.ops import ops_app
from tests.certificates import pair
from tests.web.running import running


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


@pytest.fixture
def settings(tmp_path) -> Settings:
    made = Settings(data_dir=tmp_path / "data", ops_port=free_port(), min_free_disk_bytes=1)
    made.data_dir.mkdir()
    made.trust_dir.mkdir()
    for purpose in PURPOSES:
        pair(made.trust_dir, purpose, "message")
        (made.trust_dir / f"{purpose}.key").unlink()
    KeyRing(made.keys_dir, made.region).current(2026)
    migrate(made.database_path)
    return made


def examined(settings: Settings) -> tuple[int, str]:
    out = io.StringIO()
    return doctor.run(settings, out), out.getvalue()


def test_a_sound_deployment_that_is_not_running_is_no_failure(settings) -> None:
    before = sorted(settings.data_dir.rglob("*"))
    code, text = examined(settings)
    assert code == 0, text
    assert "没有故障" in text
    assert "Nothing is broken" in text
    assert "No server is running" in text
    assert sorted(settings.data_dir.rglob("*")) == before


def test_a_machine_that_was_never_set_up_is_told_how_to_begin(tmp_path) -> None:
    nowhere = Settings(data_dir=tmp_path / "none", ops_port=free_port())
    code, text = examined(nowhere)
    assert code == 1
    assert "gateway serve" in text
    assert not nowhere.data_dir.exists()


def test_a_missing_certificate_is_named_with_what_to_do(settings) -> None:
    (settings.trust_dir / "server.pem").unlink()
    code, text = examined(settings)
    assert code == 1
    assert "certificate.server" in text
    assert "重新签发" in text


def test_a_key_that_others_may_read_is_a_failure(settings) -> None:
    key = next(settings.keys_dir.iterdir())
    key.chmod(0o644)
    code, text = examined(settings)
    assert code == 1
    assert key.name in text
    assert "0600" in text


@pytest.mark.parametrize("content", [b"not a database at all, only text" * 100, b""])
def test_a_database_that_is_none_is_a_failure(settings, content) -> None:
    for path in settings.data_dir.glob("gateway.db*"):
        path.unlink()
    settings.database_path.write_bytes(content)
    code, text = examined(settings)
    assert code == 1
    assert "故障 FAIL" in text


def test_a_full_disk_is_a_failure(settings) -> None:
    code, text = examined(settings.model_copy(update={"min_free_disk_bytes": 2**62}))
    assert code == 1
    assert "磁盘空间不足" in text


def test_a_region_without_policy_is_a_failure(settings) -> None:
    code, text = examined(settings.model_copy(update={"region": "123456"}))
    assert code == 1
    assert "政策文件" in text


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read and write everything")
def test_a_folder_of_another_user_is_a_failure(settings) -> None:
    settings.data_dir.chmod(0o500)
    try:
        assert "属主与权限" in examined(settings)[1]
    finally:
        settings.data_dir.chmod(0o700)


async def with_server(settings: Settings, status: Status) -> tuple[int, str]:
    async def probe() -> Facts:
        return Facts((Check("commit", status, "无法提交", "cannot commit"),))

    app = ops_app(Health([("commit", probe)]), Metrics(()), SystemClock())
    server = make_server(app, "127.0.0.1", settings.ops_port, None)
    async with running(server):
        return await asyncio.to_thread(examined, settings)


async def test_a_running_server_that_is_well_is_said_to_be(settings) -> None:
    code, text = await with_server(settings, Status.PASS)
    assert code == 0, text
    assert "网关正在运行" in text


async def test_what_a_running_server_complains_of_is_passed_on(settings) -> None:
    code, text = await with_server(settings, Status.FAIL)
    assert code == 1
    assert "server.commit" in text
    assert "无法提交" in text


async def test_another_program_on_the_port_is_a_failure(settings) -> None:
    async def app(scope, receive, send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"[]"})

    server = make_server(app, "127.0.0.1", settings.ops_port, None)
    async with running(server):
        code, text = await asyncio.to_thread(examined, settings)
    assert code == 1
    assert str(settings.ops_port) in text
