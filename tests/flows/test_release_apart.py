"""A stay whose release breaks stops no other stay's."""

import pytest

from gateway.domain.case import CaseState
from gateway.flows import release_held
from tests.flows.office import LINES, Office


async def test_a_release_that_breaks_stays_open_and_the_next_one_is_done(
    office: Office, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    await office.report("C1", 1)
    await office.report("C2", 2)
    broken = await office.billed("H001", "V1", 1)
    sound = await office.billed("H002", "V2", 2)
    await office.commit("H001", broken, *LINES)
    held = await office.commit("H002", sound, *LINES)
    await office.decide("C1", CaseState.RECOGNISED)
    await office.decide("C2", CaseState.RECOGNISED)
    real = release_held.load_bill

    async def breaks_for_one(desk, reader, file, *more):
        if file.stay.admission_id == broken:
            raise ValueError("an impossible bill")
        return await real(desk, reader, file, *more)

    monkeypatch.setattr(release_held, "load_bill", breaks_for_one)
    await release_held.release_all(office.desk)
    found = await office.query("H002", held.message_id)
    assert found.result.bill_state == "SETTLED"
    assert "release failed" in caplog.text
    monkeypatch.setattr(release_held, "load_bill", real)
    await release_held.release_all(office.desk)
    async with office.desk.database.reading() as reader:
        assert await release_held.open_jobs(reader, 10) == []
