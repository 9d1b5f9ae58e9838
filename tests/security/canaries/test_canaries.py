"""The quick version of `make canaries`: 0 hits among the people, and a search that does find."""

import zlib
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.security.canaries.deployed import searched
from tests.security.canaries.search import hits, numbers_in
from tests.security.canaries.told import canaries
from tests.store.conftest import POSTGRESQL, SQLITE

PEOPLE, SEED = 5, 7
LEFT = {
    SQLITE: {"gateway.db", "backup", "wal", "log", "errors", "tables"},
    POSTGRESQL: {"000000010000000000000001", "pg_control", "log", "errors", "tables"},
}


@pytest.mark.parametrize("store", [SQLITE, POSTGRESQL])
def test_no_file_of_a_deployment_shows_a_person(store: str, tmp_path: Path) -> None:
    found = searched(store, PEOPLE, SEED, tmp_path)
    assert LEFT[store] <= set(found.files)
    assert found.rows > 30 * PEOPLE
    assert found.shown == ()


FORMS: dict[str, Callable[[bytes], bytes]] = {
    "as it stands": lambda number: number,
    "in a longer number": lambda number: b"12" + number,
    "in UTF-16": lambda number: number.decode().encode("utf-16-le"),
    "in hex": lambda number: number.hex().encode(),
    "in base64": b64encode,
    "in base64 of more": lambda number: b64encode(b"<Id>" + number + b"</Id>"),
    "deflated": lambda number: zlib.compress(b"<Id>" + number + b"</Id>" * 50, 1),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_number_is_found_however_it_is_written(form: str, tmp_path: Path) -> None:
    wanted = canaries(3, SEED)[1].id_no
    planted = tmp_path / "planted"
    planted.write_bytes(b"\xff\x00\xaa" * 50 + FORMS[form](wanted.encode()) + b"\x80" * 70)
    assert wanted in numbers_in(planted.read_bytes())
    assert hits([planted], frozenset({wanted})) == ["planted"]


def test_each_seed_makes_other_people_and_all_differ() -> None:
    first, second = (frozenset(one.id_no for one in canaries(1000, seed)) for seed in (1, 2))
    assert len(first) == len(second) == 1000
    assert len(first & second) < 5
