"""The schema after every migration is the schema the program is written for, to the letter."""

import shutil
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from alembic.operations import Operations
from sqlalchemy import create_engine

from gateway.store.append_only import sqlite_triggers
from gateway.store.migrate import current, head, migrate
from gateway.store.tables import APPEND_ONLY, metadata

Described = dict[tuple[str, str], str]

_KEYS = {"record_key", "key_id"}
CHANGEABLE = {
    "leaf": {"leaf_index", *_KEYS},
    **dict.fromkeys(("audit", "application", "application_answer"), _KEYS),
}


def described(path: Path) -> Described:
    """Every table, index and trigger as SQLite keeps its text, blanks and quotes aside."""
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT type, name, sql FROM sqlite_master").fetchall()
    return {(kind, name): _plain(sql or "") for kind, name, sql in rows}


def _plain(sql: str) -> str:
    return " ".join(sql.replace('"', "").replace(",", " , ").split())


@pytest.fixture(scope="module")
def created(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("created") / "created.db"
    engine = create_engine(f"sqlite:///{path}")
    metadata.create_all(engine)
    engine.dispose()
    return path


@pytest.fixture
def connection(migrated: Path, tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(shutil.copy(migrated, tmp_path))) as opened:
        yield opened


# --- migrations ---


def test_migrations_and_tables_agree_on_everything(migrated: Path, created: Path) -> None:
    found = described(migrated)
    version = {key for key in found if "alembic" in key[1]}
    assert {key: sql for key, sql in found.items() if key not in version} == described(created)
    assert version


@pytest.mark.parametrize("table", metadata.sorted_tables, ids=lambda table: table.name)
def test_every_table_is_strict(migrated: Path, table: object) -> None:
    sql = described(migrated)["table", str(table)]
    assert sql.endswith("STRICT")


@pytest.mark.parametrize("name", APPEND_ONLY)
def test_every_append_only_table_has_both_triggers(migrated: Path, name: str) -> None:
    found = described(migrated)
    kept = [found["trigger", f"{name}_no_{act}"] for act in ("update", "delete")]
    assert kept == [_plain(one) for one in sqlite_triggers(metadata.tables[name])]


def test_a_database_is_migrated_once(tmp_path: Path) -> None:
    path = tmp_path / "data" / "gateway.db"
    assert current(path) is None
    assert migrate(path) is True
    assert current(path) == head()
    assert migrate(path) is False
    assert [one.name for one in path.parent.iterdir()] == ["gateway.db"]


def test_database_and_folder_are_their_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "data" / "gateway.db"
    migrate(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_migration_that_fails_half_way_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, execute = tmp_path / "gateway.db", Operations.execute

    def failing(self: Operations, statement: str) -> None:
        if "undo_no_delete" in str(statement):
            raise OSError("the power went")
        execute(self, statement)

    with monkeypatch.context() as patched:
        patched.setattr(Operations, "execute", failing)
        with pytest.raises(OSError, match="the power went"):
            migrate(path)
    assert described(path) == {}
    migrate(path)
    assert current(path) == head()


def test_a_database_with_content_is_copied_whole_before_it_is_migrated(
    migrated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = Path(shutil.copy(migrated, tmp_path))
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("INSERT INTO lane VALUES ('AGENCY', 7)")
        connection.commit()
    monkeypatch.setattr("gateway.store.migrate.head", lambda: "0009")
    migrate(path)
    copy = tmp_path / f"gateway-before-{head()}.db"
    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("SELECT * FROM lane").fetchall() == [("AGENCY", 7)]
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert described(copy) == described(migrated)


# --- STRICT types ---


@pytest.mark.parametrize("value", ["12.34", "'twelve'", "x'0c'", "1e300"])
def test_an_amount_is_a_whole_number_or_nothing_at_all(
    connection: sqlite3.Connection, value: str
) -> None:
    insert = f"INSERT INTO transfer VALUES ('T', 0, 's', 'd', 'c', {value}, '2026-03-02')"  # noqa: S608
    with pytest.raises(sqlite3.IntegrityError, match="amount_fen"):
        connection.execute(insert)


def test_a_text_column_takes_no_bytes(connection: sqlite3.Connection) -> None:
    with pytest.raises(sqlite3.IntegrityError, match="receiver"):
        connection.execute("INSERT INTO lane VALUES (x'41', 1)")


def test_a_blob_column_takes_no_text(connection: sqlite3.Connection) -> None:
    with pytest.raises(sqlite3.IntegrityError, match="content"):
        connection.execute("INSERT INTO policy_edition VALUES ('d', 'r', 1, 'clear text')")


# --- append-only ---


def _filled(connection: sqlite3.Connection, name: str) -> None:
    """One row with something in every column."""
    made = {int: 1, str: "x", bytes: b"x"}
    given = [made[column.type.python_type] for column in metadata.tables[name].columns]
    if name == "transfer":
        given[3] = "y"
    marks = ", ".join("?" * len(given))
    connection.execute(f"INSERT INTO {name} VALUES ({marks})", given)  # noqa: S608


@pytest.mark.parametrize("name", APPEND_ONLY)
def test_a_row_of_history_is_never_deleted(connection: sqlite3.Connection, name: str) -> None:
    _filled(connection, name)
    with pytest.raises(sqlite3.IntegrityError, match=f"{name} is append-only"):
        connection.execute(f"DELETE FROM {name}")  # noqa: S608


@pytest.mark.parametrize(
    ("name", "column"),
    [(name, column.name) for name in APPEND_ONLY for column in metadata.tables[name].columns],
)
def test_a_column_of_history_changes_only_if_it_may(
    connection: sqlite3.Connection, name: str, column: str
) -> None:
    _filled(connection, name)
    update = f"UPDATE {name} SET {column} = {column}"  # noqa: S608
    if column in CHANGEABLE.get(name, ()):
        assert connection.execute(update).rowcount == 1
        return
    with pytest.raises(sqlite3.IntegrityError, match=f"{name} is append-only"):
        connection.execute(update)


@pytest.mark.parametrize("name", APPEND_ONLY)
def test_history_cannot_be_replaced_through_its_key(
    connection: sqlite3.Connection, name: str
) -> None:
    _filled(connection, name)
    key = metadata.tables[name].info["row_key"]
    columns = [c.name for c in metadata.tables[name].columns]
    copied = ", ".join(columns)
    target = ", ".join(f"{one} = excluded.{one}" for one in columns if one not in key)
    upsert = (
        f"INSERT INTO {name} SELECT {copied} FROM {name} WHERE true "  # noqa: S608
        f"ON CONFLICT ({', '.join(key)}) DO UPDATE SET {target}"
    )
    with pytest.raises(sqlite3.IntegrityError, match=f"{name} is append-only"):
        connection.execute(upsert)
