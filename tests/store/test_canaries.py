"""After a whole story, no file of the deployment shows a person in clear."""

from pathlib import Path

import pytest
from sqlalchemy import select

from gateway.domain.application import Wanted
from gateway.domain.case import ApprovalKind, CaseState
from gateway.domain.commands import ApplyApproval, CancelApproval
from gateway.flows.release_held import release_all
from gateway.store.personal import Vault
from gateway.store.tables import metadata, person
from tests.flows.conftest import data, office, preparations, store
from tests.flows.office import DAY, LINES, Office
from tests.store.conftest import SQLITE
from tests.world import DIAGNOSIS
from tests.world import person as worker

__all__ = ["data", "office", "preparations", "store"]

SERIAL = 77
OPINION, REASON = "旧伤处红肿热痛（虚构）", "病人改往他院（虚构）"


async def told(office: Office) -> None:
    """A held bill released and settled: every table of persons and bytes has been written."""
    await office.report("C1", SERIAL)
    stay = await office.billed("H001", "V1", SERIAL)
    await office.commit("H001", stay, *LINES)
    await office.decide("C1", CaseState.RECOGNISED)
    await release_all(office.desk)
    wanted = Wanted(
        kind=ApprovalKind.RELAPSE,
        wanted_from=DAY,
        wanted_to=DAY,
        opinion=OPINION,
        diagnoses=(DIAGNOSIS,),
    )
    command = ApplyApproval(person=worker(SERIAL), wanted=wanted)
    applied = await office.say("H001", "approval.apply", command)
    gone = CancelApproval(application_id=applied.result.subject, reason=REASON)
    assert (await office.say("H001", "approval.cancel", gone)).code == "OK"


def files(office: Office) -> list[Path]:
    folder = office.gateway.settings.data_dir
    return [one for one in sorted(folder.rglob("*")) if one.is_file()]


async def values(office: Office) -> list[tuple[str, bytes]]:
    """Every word and every byte string that the store gives to whoever asks it, by column."""
    return [
        (f"{table.name}.{name}", value.encode() if isinstance(value, str) else bytes(value))
        for table in metadata.sorted_tables
        for row in await office.rows(select(table))
        for name, value in row.items()
        if isinstance(value, str | bytes)
    ]


@pytest.mark.parametrize(
    "canary",
    [
        worker(SERIAL).id_no,
        worker(SERIAL).name,
        DIAGNOSIS.name,
        DIAGNOSIS.code,
        "虚构医师",
        OPINION,
        REASON,
    ],
)
async def test_no_file_and_no_column_shows_it(office: Office, store: str, canary: str) -> None:
    await told(office)
    found = files(office)
    if store == SQLITE:
        assert {"gateway.db", "gateway.db-wal"} <= {one.name for one in found}
    assert [one.name for one in found if canary.encode() in one.read_bytes()] == []
    shown = [name for name, value in await values(office) if canary.encode() in value]
    assert shown == []


async def test_an_open_word_is_found_where_it_is(office: Office) -> None:
    """The search of the test above does find."""
    await told(office)
    assert ("admission.visit_no", b"V1") in await values(office)


async def test_the_person_is_there_for_whoever_has_the_key(office: Office) -> None:
    await told(office)
    names = {row["name"].decode() for row in await office.kept(person, select(person))}
    assert worker(SERIAL).name in names


async def test_every_row_with_personal_columns_opens_under_its_own_key(office: Office) -> None:
    await told(office)
    opened = 0
    for table in metadata.sorted_tables:
        if not table.info["personal"]:
            continue
        rows = await office.rows(select(table))
        keys = {row["record_key"] for row in rows}
        assert len(keys) == len(rows)
        vault: Vault = office.desk.database.vault
        opened += len([vault.open(table, row) for row in rows])
    assert opened > 20
