"""Faults are put into every command that changes something, and each is said in the same bytes."""

from pathlib import Path

import pytest

from gateway.domain.codes import Outcome
from gateway.flows import dispatch
from gateway.store.invariants import check_invariants
from gateway.store.tables import checkpoint
from tests.fault.story import STORY, Heard
from tests.flows.office import office_in, prepare

BILLS = 2


def test_every_command_that_changes_something_is_a_step() -> None:
    changing = {name for name in dispatch.COMMANDS if dispatch.changes(name)}
    assert {step.command for step in STORY} == {*changing, ""}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return prepare(tmp_path)


async def test_each_step_has_its_effect_and_is_answered_alike_when_said_again(home: Path) -> None:
    heard: Heard = {}
    async with office_in(home) as office:
        for serial in range(BILLS):
            for step in STORY:
                if not step.command:
                    await step.make(office, serial)
                    continue
                first = await office.hear(await step.request(office, serial))
                assert first.outcome is Outcome.APPLIED, (step.name, first.code)
                again = await office.hear(await step.request(office, serial))
                assert again.sealed == first.sealed, step.name
                heard[step.party, first.message_id] = first.sealed
        async with office.desk.database.reading() as reader:
            assert await check_invariants(reader, heard) == ()
        signed = [step for step in STORY if step.name.startswith("keep-log")]
        assert len(await office.rows(checkpoint.select())) == BILLS * len(signed)
