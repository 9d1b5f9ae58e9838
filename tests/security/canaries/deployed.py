"""A deployment of its own for the canaries on either store, and every file it leaves."""

import shutil
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from gateway.store.migrate import migrate_at
from tests import postgres
from tests.flows.office import in_postgresql, office_in, prepare
from tests.security.canaries.search import hits
from tests.security.canaries.told import canaries, logged, tell, whole_tables
from tests.store.conftest import POSTGRESQL


@dataclass(frozen=True, slots=True)
class Searched:
    """What was searched, and the names of the files that show somebody."""

    files: tuple[str, ...]
    size: int
    rows: int
    shown: tuple[str, ...]


def searched(store: str, people: int, seed: int, folder: Path) -> Searched:
    """The canaries' whole story on this store, then all its files read."""
    if store != POSTGRESQL:
        return _searched(people, seed, folder, None)
    server = postgres.new_folder()
    try:
        address = postgres.start(server, {})
        url = f"{address.replace('postgresql:', 'postgresql+asyncpg:')}/postgres"
        postgres.waited(migrate_at(url))
        in_postgresql(folder, url)
        return _searched(people, seed, folder, server)
    finally:
        postgres.remove(server)


def _searched(people: int, seed: int, folder: Path, server: Path | None) -> Searched:
    outside = folder / "outside"
    outside.mkdir()
    wanted, prepared = canaries(people, seed), prepare(folder)

    async def told() -> int:
        with logged(outside / "log"):
            async with office_in(prepared) as office:
                await tell(office, wanted, outside / "errors")
                _back_up(folder, server)
                rows = await whole_tables(office, outside / "tables")
                if server is None:
                    shutil.copy(folder / "gateway" / "gateway.db-wal", outside / "wal")
                return rows

    rows = postgres.waited(told())
    files = _files((folder, server) if server else (folder,))
    numbers = frozenset(one.id_no for one in wanted)
    return Searched(
        tuple(one.name for one in files),
        sum(one.stat().st_size for one in files),
        rows,
        tuple(hits(files, numbers)),
    )


def _back_up(folder: Path, server: Path | None) -> None:
    """As the operator's guide has it done, while the gateway is at work."""
    copy = folder / "backup"
    if server is not None:
        shutil.copytree(server / "data", copy, ignore=shutil.ignore_patterns("postmaster.pid"))
        return
    with closing(sqlite3.connect(folder / "gateway" / "gateway.db")) as connection:
        connection.execute("VACUUM INTO ?", (str(copy),))


def _files(folders: Iterable[Path]) -> list[Path]:
    return [one for folder in folders for one in sorted(folder.rglob("*")) if one.is_file()]
