"""A program opens the schema it knows and the next one, and no other (decision 0016)."""

import sqlite3
from pathlib import Path

import asyncpg
import pytest

from gateway import app
from gateway.store import migrate
from gateway.store.opening import OtherRegion
from tests import postgres
from tests.flows.conftest import data, preparations, store
from tests.flows.office import office_in, settings_in
from tests.store.conftest import POSTGRESQL

__all__ = ["data", "preparations", "store"]

OLDER = "0000"
NEXT = f"{int(migrate.head()) + 1:04d}"
NEXT_BUT_ONE = f"{int(migrate.head()) + 2:04d}"


def stamp(folder: Path, revision: str) -> None:
    """Leave the database as a program of another version does, were it not for its columns."""
    settings = settings_in(folder)
    said = f"UPDATE alembic_version SET version_num = '{revision}'"  # noqa: S608
    if settings.database_url:
        postgres.waited(_said(settings.database_url, said))
    else:
        with sqlite3.connect(settings.database_path) as connection:
            connection.execute(said)
        connection.close()


async def _said(url: str, sql: str) -> None:
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    await connection.execute(sql)
    await connection.close()


async def test_a_store_is_of_the_region_that_it_was_opened_for_and_no_other(data: Path) -> None:
    files = set(data.rglob("*"))
    with pytest.raises(OtherRegion) as refused:
        async with office_in(data, region="371000"):
            pass
    assert "属于统筹地区 999900，而 GATEWAY_REGION 是 371000" in refused.value.zh
    assert "is of pooling region 999900, and GATEWAY_REGION is 371000" in refused.value.en
    assert {path for path in data.rglob("*") if not path.name.startswith("gateway.db-")} == {
        path for path in files if not path.name.startswith("gateway.db-")
    }
    async with office_in(data, gateway_id="OTHER.1") as office:
        await office.report("C1", 1)


async def test_an_act_that_shows_what_is_there_migrates_nothing(data: Path) -> None:
    stamp(data, OLDER)
    with pytest.raises(migrate.OtherSchema, match=OLDER):
        async with app.attended(settings_in(data)):
            pass


async def test_a_schema_one_step_ahead_is_served(data: Path) -> None:
    stamp(data, NEXT)
    async with office_in(data) as office:
        await office.report("C1", 1)
        assert (await office.register("H001", "V1", 1)).code == "OK"


async def test_no_migration_takes_a_schema_that_is_ahead_back(data: Path, store: str) -> None:
    stamp(data, NEXT)
    settings = settings_in(data)
    if store == POSTGRESQL:
        assert await migrate.migrate_at(settings.database_url) is False
    else:
        assert migrate.migrate(settings.database_path) is False


@pytest.mark.parametrize("revision", [OLDER, NEXT_BUT_ONE])
async def test_any_other_schema_is_refused(data: Path, store: str, revision: str) -> None:
    stamp(data, revision)
    with pytest.raises(migrate.OtherSchema, match=revision):
        async with office_in(data):
            pass
