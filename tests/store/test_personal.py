"""Personal data at rest: ciphertext in its own place, or nothing."""

import os
import stat
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from gateway.domain.commands import Identity
from gateway.store.database import Database
from gateway.store.personal import KeyRing, Unopened, Vault, normalised, spellings
from gateway.store.persons import Person, person_by_id, person_by_identity, same_name
from gateway.store.sqlite import SqliteDatabase
from gateway.store.tables import metadata, outbox, person, person_index
from gateway.store.unit import Insert, Unit
from tests.store.hands import by_hand
from tests.store.rows import a_row
from tests.world import id_number

YEAR = 2026
PERSONAL = [table for table in metadata.sorted_tables if table.info["personal"]]


@pytest.fixture
def ring(tmp_path: Path) -> KeyRing:
    return KeyRing(tmp_path / "keys", "999900")


@pytest.fixture
def vault(ring: KeyRing) -> Vault:
    return Vault(ring)


def a_person(person_id: str = "P1", **values: Any) -> dict[str, Any]:
    own = {"person_id": person_id, "version": 1, "card_lost": 0, "phone": None}
    return own | {"id_no": id_number(1), "name": "测试甲", "card_no": "KA-1"} | values


# --- shut and opened ---


@pytest.mark.parametrize("table", PERSONAL, ids=lambda table: table.name)
def test_a_row_opens_to_what_was_shut_and_shows_nothing_meanwhile(vault: Vault, table) -> None:
    columns = table.info["personal"]
    row = a_row(table) | {name: f"canary {name}" for name in columns}
    shut = vault.shut(table, row, YEAR)
    for name in columns:
        assert b"canary" not in shut[name]
        assert vault.open(table, shut)[name] == f"canary {name}".encode()
    assert {k: v for k, v in shut.items() if k in row and k not in columns} == {
        k: v for k, v in row.items() if k not in columns
    }


def test_the_same_text_twice_is_no_ciphertext_twice(vault: Vault) -> None:
    first, second = (vault.shut(person, a_person(), YEAR) for _ in range(2))
    assert first["id_no"] != second["id_no"]
    assert first["record_key"] != second["record_key"]


def test_nothing_stays_nothing(vault: Vault) -> None:
    shut = vault.shut(person, a_person(phone=None), YEAR)
    assert shut["phone"] is None
    assert vault.open(person, shut)["phone"] is None


def test_large_bytes_come_back_exactly_and_compressed(vault: Vault) -> None:
    sealed = b"<Line><Amount>1.00</Amount></Line>" * 50_000
    shut = vault.shut(outbox, a_row(outbox, sealed=sealed), YEAR)
    assert len(shut["sealed"]) < len(sealed) // 10
    assert vault.open(outbox, shut)["sealed"] == sealed


# --- moved, altered, destroyed ---


def test_a_ciphertext_moved_to_another_row_does_not_open(vault: Vault) -> None:
    mine = vault.shut(person, a_person("P1"), YEAR)
    other = vault.shut(person, a_person("P2"), YEAR)
    with pytest.raises(Unopened):
        vault.open(person, other | {"id_no": mine["id_no"]})


def test_a_whole_record_moved_to_another_row_does_not_open(vault: Vault) -> None:
    mine = vault.shut(person, a_person("P1"), YEAR)
    with pytest.raises(Unopened):
        vault.open(person, mine | {"person_id": "P2"})


def test_a_ciphertext_moved_to_another_column_does_not_open(vault: Vault) -> None:
    mine = vault.shut(person, a_person(), YEAR)
    with pytest.raises(Unopened):
        vault.open(person, mine | {"name": mine["card_no"]})


def test_a_record_moved_to_another_table_does_not_open(vault: Vault) -> None:
    mine = vault.shut(person, a_person("X"), YEAR)
    keys = {"key_id": mine["key_id"], "record_key": mine["record_key"]}
    with pytest.raises(Unopened):
        vault.open(outbox, a_row(outbox, message_id="X", sealed=mine["name"], **keys))


def test_a_record_under_another_years_name_does_not_open(vault: Vault) -> None:
    mine = vault.shut(person, a_person(), YEAR)
    other = vault.ring.current(YEAR + 1)
    with pytest.raises(Unopened):
        vault.open(person, mine | {"key_id": other})


@pytest.mark.parametrize("column", ["id_no", "record_key"])
@pytest.mark.parametrize("at", [0, 12, -1], ids=["nonce", "first byte", "tag"])
def test_one_changed_bit_does_not_open(vault: Vault, column: str, at: int) -> None:
    mine = vault.shut(person, a_person(), YEAR)
    altered = bytearray(mine[column])
    altered[at] ^= 1
    with pytest.raises(Unopened):
        vault.open(person, mine | {column: bytes(altered)})


def test_with_its_record_key_destroyed_a_record_is_gone_and_others_stay(vault: Vault) -> None:
    mine, other = (vault.shut(person, a_person(one), YEAR) for one in ("P1", "P2"))
    with pytest.raises(Unopened, match="destroyed"):
        vault.open(person, mine | {"record_key": None})
    with pytest.raises(Unopened, match="destroyed"):
        vault.reshut(person, mine | {"record_key": None}, {"name": "新"})
    assert vault.open(person, other)["name"] == "测试甲".encode()


# --- keys outside the database ---


def test_key_files_are_their_owners_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        KeyRing(tmp_path / "keys", "999900").current(YEAR)
    finally:
        os.umask(before)
    folder = tmp_path / "keys"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {one.name: stat.S_IMODE(one.stat().st_mode) for one in folder.iterdir()} == {
        "999900-2026.aes": 0o600,
        "999900-index.aes": 0o600,
    }


def test_a_new_ring_over_the_same_files_opens_what_the_old_one_shut(tmp_path: Path) -> None:
    shut = Vault(KeyRing(tmp_path, "999900")).shut(person, a_person(), YEAR)
    again = Vault(KeyRing(tmp_path, "999900"))
    assert again.open(person, shut)["name"] == "测试甲".encode()


def test_without_the_years_key_file_nothing_opens(tmp_path: Path) -> None:
    shut = Vault(KeyRing(tmp_path, "999900")).shut(person, a_person(), YEAR)
    (tmp_path / "999900-2026.aes").unlink()
    with pytest.raises(Unopened, match="999900-2026 is not here"):
        Vault(KeyRing(tmp_path, "999900")).open(person, shut)


def test_each_year_has_a_key_of_its_own_and_old_records_still_open(vault: Vault) -> None:
    old, new = (vault.shut(person, a_person(), year) for year in (2026, 2027))
    assert (old["key_id"], new["key_id"]) == ("999900-2026", "999900-2027")
    assert vault.open(person, old)["name"] == vault.open(person, new)["name"]


# --- look-up ---


@pytest.mark.parametrize(
    ("written", "as_kept"),
    [
        ("999900196101010015", "999900196101010015"),
        ("９９９９００１９６１０１０１００１５", "999900196101010015"),
        (" 999900 19610101 0015 ", "999900196101010015"),
        ("\u3000999900196101010015\u3000", "999900196101010015"),
        ("99990019610101002x", "99990019610101002X"),
        ("99990019610101002ｘ", "99990019610101002X"),
        ("99990019610101002Ｘ", "99990019610101002X"),
        ("KA-１２３", "KA-123"),
        ("ＫＡ－１２３", "KA-123"),
        ("ka-123", "KA-123"),
        ("测试　甲", "测试甲"),
        ("123456789012345A", "123456789012345A"),
    ],
)
def test_one_identity_is_written_in_many_ways(written: str, as_kept: str) -> None:
    assert normalised(written) == as_kept


def test_a_number_of_the_first_generation_is_the_same_person(ring: KeyRing) -> None:
    eighteen = id_number(7)
    fifteen = eighteen[:6] + eighteen[8:17]
    assert len(fifteen) == 15
    assert normalised(fifteen) == eighteen
    assert ring.tags("id_no", fifteen) == ring.tags("id_no", eighteen)


def test_a_number_is_looked_for_as_it_may_have_been_written() -> None:
    assert spellings("99990019610101002x") == (
        "99990019610101002X",
        "999900610101002",
        "９９９９００１９６１０１０１００２Ｘ",
        "９９９９００６１０１０１００２",
    )
    assert spellings("999900200101010015")[1] == "９９９９００２００１０１０１００１５"


def test_tags_of_two_people_two_fields_or_two_deployments_differ(
    ring: KeyRing, tmp_path: Path
) -> None:
    other = KeyRing(tmp_path / "another deployment", "999900")
    tags = {
        ring.tags("id_no", id_number(1))[ring.index_id],
        ring.tags("id_no", id_number(2))[ring.index_id],
        ring.tags("card_no", id_number(1))[ring.index_id],
        other.tags("id_no", id_number(1))[ring.index_id],
    }
    assert len(tags) == 4


# --- in the database ---


async def known(database: Database) -> None:
    tags = database.vault.ring.tags("id_no", id_number(1)).items()
    index = [{"key_id": key_id, "tag": tag, "person_id": "P1"} for key_id, tag in tags]
    writes = (Insert(person, [a_person(phone="13900000000")]), Insert(person_index, index))
    await database.commit(Unit("T1", YEAR, writes=writes))


async def test_a_person_is_found_by_number_and_told_by_name(database: Database) -> None:
    await known(database)

    def identity(number: str, name: str) -> Identity:
        return Identity(id_no=number, name=name)

    async with database.reading() as reader:
        found = await person_by_identity(reader, identity(id_number(1), "测试甲"))
        assert await person_by_identity(reader, identity(id_number(2), "测试甲")) is None
        by_id = await person_by_id(reader, "P1")
    whole = Person("P1", 1, id_number(1), "测试甲", "KA-1", "13900000000", False)
    assert found == by_id == whole
    assert same_name(whole, identity(id_number(1), "测试 甲"))
    assert not same_name(whole, identity(id_number(1), "测试乙"))


async def test_no_file_of_the_store_shows_a_person(embedded: SqliteDatabase) -> None:
    await known(embedded)
    files = sorted(embedded.path.parent.glob("gateway.db*"))
    assert {one.name for one in files} >= {"gateway.db", "gateway.db-wal"}
    for canary in (id_number(1), "测试甲", "KA-1", "13900000000"):
        assert [one.name for one in files if canary.encode() in one.read_bytes()] == []


async def test_a_row_altered_in_the_database_is_not_believed(database: Database) -> None:
    await known(database)
    second = Unit("T2", YEAR, writes=(Insert(person, [a_person("P2")]),))
    await database.commit(second)
    await _swapped(database)
    async with database.reading() as reader:
        with pytest.raises(Unopened):
            await person_by_id(reader, "P1")
        found = await person_by_id(reader, "P2")
    assert found is not None


async def _swapped(database: Database) -> None:
    """Somebody with the file in hands gives the first person the second one's number."""
    other = select(person.c.id_no).where(person.c.person_id == "P2").scalar_subquery()
    async with by_hand(database) as connection:
        await connection.execute(
            update(person).where(person.c.person_id == "P1").values(id_no=other)
        )
