"""gateway check: one line for each breach, and an exit code that a job can act on."""

import io
import sqlite3
from contextlib import closing

import pytest

from gateway.settings import Settings
from gateway.store.migrate import migrate
from gateway.verbs import check
from gateway.verbs.stored import NotTold
from tests.verbs.conftest import Played

BOOKED_ON_NOTHING = "INSERT INTO transfer VALUES ('T1', 0, 'S1', 'a', 'b', 5, '2026-03-02')"


@pytest.fixture
def settings(tmp_path) -> Settings:
    made = Settings(data_dir=tmp_path)
    migrate(made.database_path)
    return made


def checked(settings: Settings) -> tuple[int, str]:
    out = io.StringIO()
    return check.run(settings, out), out.getvalue()


def test_after_the_whole_story_of_the_demo_every_invariant_holds(played: Played) -> None:
    code, text = checked(played.settings)
    assert (code, text.splitlines()[-1]) == (0, "All 10 invariants hold.")


def test_a_breach_is_named_by_table_and_row_with_what_to_do(settings: Settings) -> None:
    with closing(sqlite3.connect(settings.database_path, isolation_level=None)) as connection:
        connection.execute(BOOKED_ON_NOTHING)
    code, text = checked(settings)
    assert code == 1
    assert "I4 transfer T1/0: booked on nothing\n" in text
    assert "2 处违反不变式" in text


def test_without_a_store_or_with_a_damaged_one_it_says_so(tmp_path) -> None:
    with pytest.raises(NotTold, match="没有数据库"):
        checked(Settings(data_dir=tmp_path / "none"))
    (tmp_path / "gateway.db").write_bytes(b"no database at all, by far" * 100)
    with pytest.raises(NotTold, match="数据库读不出"):
        checked(Settings(data_dir=tmp_path))
