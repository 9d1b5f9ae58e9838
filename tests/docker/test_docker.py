"""Every path, port, command and setting the container files name is one the project has."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.app import Role
from gateway.settings import Settings
from gateway.web.mtls import Pace

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "docker/Dockerfile").read_text()
COMPOSE = (ROOT / "docker/compose.yaml").read_text()
SPLIT = (ROOT / "docker/compose.postgres.yaml").read_text()
README = (ROOT / "docker/README.md").read_text()
PREFIX = "GATEWAY_"


def default(name: str) -> object:
    return Settings.model_fields[name].default


def instructions(name: str) -> list[str]:
    joined = DOCKERFILE.replace("\\\n", " ")
    return re.findall(rf"^{name} (.+)$", joined, re.MULTILINE)


def test_everything_copied_is_in_the_repository() -> None:
    copied = [line.split() for line in instructions("COPY") if not line.startswith("--from")]
    assert len(copied) == 4
    for source, target in copied:
        assert (ROOT / source).exists(), source
        assert target.endswith(source)


def test_everything_the_program_imports_is_copied() -> None:
    copied = {line.split()[0] for line in instructions("COPY")}
    assert {"gateway", "adapters", "schemas", "requirements.lock"} <= copied


def test_packages_are_installed_by_hash_and_no_registry_is_named() -> None:
    assert "--require-hashes -r /build/requirements.lock" in DOCKERFILE
    assert not re.search(r"https?://(?!127\.0\.0\.1)|index-url|\.io/", DOCKERFILE + COMPOSE)


def test_the_ports_are_the_settings_defaults() -> None:
    served = f"{default('hospital_port')} {default('agency_port')}"
    assert instructions("EXPOSE") == [served]
    published = re.findall(r'- "(\d+):(\d+)"', COMPOSE)
    assert [(port, port) for port in served.split()] == published
    for port in [*served.split(), str(default("ops_port"))]:
        assert f"| {port} |" in README


def test_the_operations_port_is_not_published() -> None:
    assert str(default("ops_port")) not in COMPOSE


def test_the_health_check_asks_livez_on_loopback() -> None:
    (check,) = re.findall(r"http://[^']+", DOCKERFILE)
    assert check == f"http://127.0.0.1:{default('ops_port')}/livez"


def test_every_setting_named_exists() -> None:
    named = set(re.findall(rf"\b{PREFIX}[A-Z_]+\b", DOCKERFILE + COMPOSE + SPLIT + README))
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    assert named
    assert named <= known


def test_the_settings_of_compose_are_readable(monkeypatch) -> None:
    given = re.findall(r"(GATEWAY_[A-Z_]+): ['\"]\$\{\1:-(.+?)\}['\"]", COMPOSE)
    assert len(given) == 5
    for name, value in given:
        monkeypatch.setenv(name, value)
    assert Settings().server_names == ("localhost",)
    assert Settings().region == default("region")


def test_the_process_is_not_root_and_owns_only_its_data() -> None:
    assert instructions("USER") == ["10001:10001"]
    (data_dir,) = re.findall(r"GATEWAY_DATA_DIR=(\S+)", DOCKERFILE)
    assert instructions("VOLUME") == instructions("WORKDIR") == [data_dir]
    assert f"-m 0700 {data_dir}" in DOCKERFILE
    assert f"gateway-data:{data_dir}" in COMPOSE
    assert "read_only: true" in COMPOSE
    (scratch,) = re.findall(r"TMPDIR: (\S+)", COMPOSE)
    assert f"- {scratch}:mode=1777" in COMPOSE


def test_the_stop_is_given_time_for_a_graceful_end() -> None:
    (grace_s,) = re.findall(r"stop_grace_period: (\d+)s", COMPOSE)
    transaction_s = 30
    assert int(grace_s) > Pace().stop_s + transaction_s
    assert instructions("STOPSIGNAL") == ["SIGTERM"]


def test_compose_builds_this_dockerfile_from_the_root() -> None:
    (context,) = re.findall(r"context: (\S+)", COMPOSE)
    (dockerfile,) = re.findall(r"dockerfile: (\S+)", COMPOSE)
    assert (ROOT / "docker" / context).resolve() == ROOT
    assert (ROOT / dockerfile).is_file()


def commands() -> list[str]:
    started = [" ".join(re.findall(r'"([^"]+)"', line)) for line in instructions("CMD")]
    told = re.findall(r"python -m gateway \w+", README)
    split = [" ".join(re.findall(r'"([^"]+)"', line)) for line in _split_commands()]
    return sorted({*started, *told, *split})


def _split_commands() -> list[str]:
    return re.findall(r"command: (\[.+\])", SPLIT)


def test_every_role_has_its_service_and_all_share_keys_and_certificates() -> None:
    roles = set(re.findall(r'"--role", "(\w+)"', SPLIT))
    assert roles == {role.value for role in Role} - {Role.ALL.value}
    assert re.findall(r"gateway-(\w+):/var/lib/gateway/(\w+)", SPLIT) == [
        ("keys", "keys"),
        ("trust", "trust"),
    ]
    assert "GATEWAY_DATABASE_URL" in SPLIT


def test_the_image_starts_the_server() -> None:
    assert "python -m gateway serve" in commands()


@pytest.mark.parametrize("command", commands())
def test_every_command_is_a_verb_of_the_program(command) -> None:
    module, verb = command.split()[2:4]
    asked = subprocess.run(
        [sys.executable, "-m", module, verb, "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert asked.returncode == 0, asked.stderr
    assert verb in asked.stdout


def test_the_readme_says_what_was_not_run() -> None:
    assert "neither built nor run" in README
    assert "没有构建过，也没有运行过" in README
