"""Schema migrations: on SQLite a snapshot first, then Alembic under an exclusive transaction;
on PostgreSQL only `gateway migrate` changes the schema, under an advisory lock."""

import sqlite3
from functools import cache
from pathlib import Path
from typing import Any, Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event, func, select
from sqlalchemy.ext.asyncio import create_async_engine

_SCRIPTS: Final = Path(__file__).parent / "migrations"
_LOCK: Final = 0x6773_6D69
"""Whose advisory lock: two `gateway migrate` follow each other."""


class OtherSchema(Exception):
    """The database is at a revision that this program does not serve: an older one waits for
    `gateway migrate`, a newer one for a newer program."""


@cache
def head() -> str:
    """The newest revision this program knows."""
    found = ScriptDirectory(str(_SCRIPTS)).get_current_head()
    if found is None:
        raise RuntimeError("there are no migrations")
    return found


def served() -> tuple[str, str]:
    """The revisions this program works with: the newest it knows and the next one, which must
    leave everything there that this program uses (decision 0016), so that processes on
    PostgreSQL are replaced one by one."""
    newest = head()
    return newest, f"{int(newest) + 1:04d}"


def current(path: Path) -> str | None:
    """The revision the database is at; None when it is empty or absent."""
    if not path.exists():
        return None
    engine = create_engine(f"sqlite:///{path}")
    try:
        with engine.connect() as connection:
            return _revision(connection)
    finally:
        engine.dispose()


def migrate(path: Path) -> bool:
    """Bring the database to the head, unless it is a step ahead; True when anything was done.
    Raises OtherSchema when no path leads there.

    A database with content is first copied whole (VACUUM INTO) beside itself.
    """
    at = current(path)
    if not _behind(at):
        return False
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if at is not None:
        _snapshot(path, at)
    engine = _engine(path)
    try:
        with engine.begin() as connection:
            _upgrade(connection)
    finally:
        engine.dispose()
    path.chmod(0o600)
    return True


async def migrate_at(url: str) -> bool:
    """Bring the PostgreSQL database to the head, unless it is a step ahead; True when anything
    was done. Raises OtherSchema when no path leads there."""
    engine = create_async_engine(url)
    try:
        async with engine.begin() as connection:
            await connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
            at = await connection.run_sync(_revision)
            if not _behind(at):
                return False
            await connection.run_sync(_upgrade)
            return True
    finally:
        await engine.dispose()


def _behind(at: str | None) -> bool:
    """Whether something is left to do. Raises OtherSchema for a revision from elsewhere."""
    if at in served():
        return False
    known = ScriptDirectory(str(_SCRIPTS)).walk_revisions()
    if at is not None and at not in {script.revision for script in known}:
        raise OtherSchema(at)
    return True


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _upgrade(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _engine(path: Path) -> Engine:
    """Transactions are begun by hand: the driver would commit each change of the schema."""
    engine = create_engine(f"sqlite:///{path}")

    @event.listens_for(engine, "connect")
    def _by_hand(connection: Any, _: Any) -> None:
        connection.isolation_level = None

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN EXCLUSIVE")

    return engine


def _snapshot(path: Path, revision: str) -> None:
    copy = path.with_name(f"{path.stem}-before-{revision}.db")
    copy.unlink(missing_ok=True)
    with sqlite3.connect(path) as connection:
        connection.execute("VACUUM INTO ?", (str(copy),))
    connection.close()
    copy.chmod(0o600)
