"""The main job over real listeners: register, upload, preview, settle, resend, reverse."""

from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import pytest

from gateway.domain.case import CaseState
from gateway.domain.codes import Outcome
from gateway.domain.commands import CancelSettlement, QueryTransaction, ReverseTransaction
from gateway.store.migrate import migrate_at
from tests import postgres
from tests.store.conftest import SQLITE, STORES
from tests.world import World, bill_line, world

DAY = date(2026, 3, 2)
LINES = (
    bill_line("L1", "I0001", "12.00", "2", DAY),
    bill_line("L2", "NOT-IN-CATALOGUE", "98.00", "1", DAY),
)


@pytest.fixture(params=STORES)
async def town(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    if request.param == SQLITE:
        async with world(tmp_path) as made:
            yield made
        return
    url = postgres.new_database()
    await migrate_at(url)
    async with world(tmp_path, database_url=url) as made:
        yield made
    postgres.drop(url)


async def settled(town: World, visit: str = "V1", serial: int = 1):
    hospital = await town.hospital("H001")
    await town.recognised("C1", serial)
    stay = await town.register(hospital, visit, serial)
    assert stay.outcome is Outcome.APPLIED, stay.received
    admission_id = stay.result.admission_id
    await town.upload(hospital, admission_id, *LINES)
    await town.discharge(hospital, admission_id)
    return hospital, admission_id


async def test_a_recognised_workers_bill_is_settled_at_discharge(town: World) -> None:
    hospital, admission_id = await settled(town)
    preview = await town.preview(hospital, admission_id, *LINES)
    answer = await town.commit(hospital, admission_id, *LINES)
    assert answer.outcome is Outcome.APPLIED, answer.received.decode()
    assert answer.result.split == preview.result.split
    assert answer.result.total_fen == 12200
    assert answer.result.split.hospital_fen >= 9800


async def test_the_same_message_is_answered_with_the_same_bytes(town: World) -> None:
    hospital, admission_id = await settled(town)
    first = await town.commit(hospital, admission_id, *LINES)
    again = await hospital.post(first.message_id, first.sent)
    assert again.received == first.received


async def test_a_bill_before_recognition_is_held_and_released_once_by_itself(town: World) -> None:
    hospital = await town.hospital("H001")
    await town.report("C1", 1)
    stay = await town.register(hospital, "V1", 1)
    assert stay.result.state == "HELD"
    admission_id = stay.result.admission_id
    await town.upload(hospital, admission_id, *LINES)
    await town.discharge(hospital, admission_id)
    held = await town.commit(hospital, admission_id, *LINES)
    assert (held.code, held.result.bill_state) == ("HELD", "HELD")
    await town.decide("C1", CaseState.RECOGNISED)

    async def released() -> bool:
        found = await hospital.send(
            "transaction.query", QueryTransaction(target_message_id=held.message_id)
        )
        return bool(found.result.bill_state == "SETTLED" and found.result.outcome_message_id)

    await town.until(released)


async def test_a_reversal_undoes_the_settlement_and_the_original_answers_superseded(
    town: World,
) -> None:
    hospital, admission_id = await settled(town)
    first = await town.commit(hospital, admission_id, *LINES)
    command = ReverseTransaction(
        target_message_id=first.message_id, target_command="settlement.commit", reason="试"
    )
    undone = await hospital.send("transaction.reverse", command)
    assert undone.result.effect == "UNDONE", undone.received.decode()
    again = await hospital.post(first.message_id, first.sent)
    assert again.code == "SUPERSEDED"
    assert again.result.stored_reply == first.received
    twice = await hospital.send("transaction.reverse", command)
    assert twice.code == "ALREADY_REVERSED"
    cancel = await hospital.send(
        "settlement.cancel",
        CancelSettlement(settlement_id=first.result.settlement_id, reason="试", operator="op1"),
    )
    assert cancel.code == "ALREADY_REVERSED"


async def test_a_reversal_before_its_original_fences_the_id(town: World) -> None:
    hospital, admission_id = await settled(town)
    command = ReverseTransaction(
        target_message_id="LATE-1", target_command="settlement.commit", reason="试"
    )
    fenced = await hospital.send("transaction.reverse", command)
    assert fenced.code == "TOMBSTONED"
    late = await town.commit(hospital, admission_id, *LINES, message_id="LATE-1")
    assert late.code == "REVERSED_BEFORE_ARRIVAL"


async def test_the_agency_gets_the_signed_settlement(town: World) -> None:
    hospital, admission_id = await settled(town)
    await town.commit(hospital, admission_id, *LINES)

    async def told() -> bool:
        return any(getattr(one, "settlement_id", "") for one in town.core.received.values())

    await town.until(told)
