"""Every cell of the first table of protocol §2: what becomes of a message in each state."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from gateway.domain.codes import Outcome
from gateway.domain.commands import CommitSettlement, QueryTransaction
from gateway.flows import reverse_transaction
from gateway.flows.desk import Desk
from gateway.flows.exchange import Request
from gateway.store import tables
from gateway.store.unit import StaleFacts
from tests.flows.office import LINES, Heard, Office, at_barrier, office_in

UNSEEN, IN_PROGRESS, LIVE, REFUSED, UNDONE, TOMBSTONE = (
    "UNSEEN",
    "IN PROGRESS",
    "APPLIED live",
    "REFUSED",
    "APPLIED undone",
    "TOMBSTONE",
)
STATES = (UNSEEN, IN_PROGRESS, LIVE, REFUSED, UNDONE, TOMBSTONE)
TARGET = "H001-TARGET"


@dataclass(slots=True)
class Cell:
    """A settlement.commit of H001 that is in one of the states, and what it was answered."""

    office: Office
    request: Request
    command: CommitSettlement
    first: Heard | None = None

    async def arrives(self, **header: Any) -> Heard:
        """The same message again; a header value given changes the time only."""
        heading = replace(self.request.heading, **header)
        now = self.office.desk.clock.now()
        return await self.office.hear(replace(self.request, heading=heading, received_at=now))

    async def arrives_with_other_content(self) -> Heard:
        command = replace(self.command, operator="somebody else")
        return await self.office.say("H001", "settlement.commit", command, TARGET)

    async def is_queried(self) -> Any:
        wanted = QueryTransaction(target_message_id=TARGET)
        heard = await self.office.say("H001", "transaction.query", wanted)
        assert heard.outcome is Outcome.ANSWERED
        return heard.result

    async def is_reversed(self, message_id: str = "", by: str = "H001", **given: Any) -> Heard:
        command = given.pop("command", "settlement.commit")
        return await self.office.reverse(by, TARGET, command, message_id, **given)


Arrange = Callable[[str], Awaitable[Cell]]


@asynccontextmanager
async def a_message_in_progress(cell: Cell):
    """The message is prepared and waits for the store."""
    never, barrier = at_barrier(cell.office.desk)
    task = asyncio.create_task(cell.office.hear(cell.request, never))
    await barrier.until(1)
    try:
        yield barrier
    finally:
        barrier.open()
        cell.first = await task


@pytest.fixture
async def cell_in(office: Office, request: pytest.FixtureRequest):
    """The target in a state. IN PROGRESS lasts as long as the test."""
    await office.recognised("C1", 1)
    stay = await office.billed("H001", "V1", 1)
    command = office.commit_of(stay, *LINES)

    async def arrange(state: str) -> Cell:
        wrong = replace(command, expected_count=99)
        used = wrong if state == REFUSED else command
        message = await office.request("H001", "settlement.commit", used, TARGET)
        cell = Cell(office, message, used)
        if state in (LIVE, REFUSED, UNDONE):
            cell.first = await office.hear(message)
            assert cell.first.outcome is (Outcome.REFUSED if state == REFUSED else Outcome.APPLIED)
        if state in (UNDONE, TOMBSTONE):
            await cell.is_reversed("H001-UNDOING")
        return cell

    return arrange


@pytest.fixture
async def in_progress(cell_in: Arrange):
    cell = await cell_in(IN_PROGRESS)
    async with a_message_in_progress(cell):
        yield cell


async def settlements(office: Office) -> int:
    [row] = await office.rows(select(func.count().label("n")).select_from(tables.settlement))
    return int(row["n"])


# --- arrival, same digest --


async def test_arrival_of_an_unseen_message_runs_it(cell_in: Arrange) -> None:
    heard = await (await cell_in(UNSEEN)).arrives()
    assert (heard.outcome, heard.code, heard.stored) == (Outcome.APPLIED, "OK", False)


async def test_arrival_of_an_expired_unseen_message_is_refused_for_ever(cell_in: Arrange) -> None:
    cell = await cell_in(UNSEEN)
    now = cell.office.desk.clock.now()
    late = {"sent_at": now - timedelta(hours=3), "expires_at": now - timedelta(hours=1)}
    heard = await cell.arrives(**late)
    assert (heard.outcome, heard.code) == (Outcome.REFUSED, "EXPIRED")
    again = await cell.arrives()
    assert (again.stored, again.sealed) == (True, heard.sealed)
    assert await settlements(cell.office) == 0


@pytest.mark.parametrize(
    "life", [timedelta(hours=24, seconds=1), timedelta(0)], ids=["too long", "none"]
)
async def test_a_message_must_expire_within_a_day(cell_in: Arrange, life: timedelta) -> None:
    cell = await cell_in(UNSEEN)
    sent_at = cell.request.heading.sent_at
    assert (await cell.arrives(expires_at=sent_at + life)).code == "EXPIRED"


async def test_a_message_from_the_future_is_refused(cell_in: Arrange) -> None:
    cell = await cell_in(UNSEEN)
    sent_at = cell.request.heading.sent_at + timedelta(minutes=6)
    assert (await cell.arrives(sent_at=sent_at)).code == "EXPIRED"


async def test_arrival_while_the_same_message_is_in_progress_is_told_to_wait(
    in_progress: Cell,
) -> None:
    heard = await in_progress.arrives()
    assert (heard.outcome, heard.code) == (Outcome.NOT_PROCESSED, "IN_PROGRESS")


@pytest.mark.parametrize("state", [LIVE, REFUSED])
async def test_arrival_of_a_known_message_gives_the_stored_bytes(
    cell_in: Arrange, state: str
) -> None:
    cell = await cell_in(state)
    again = await cell.arrives()
    assert again.sealed == cell.first.sealed
    assert again.stored


async def test_arrival_of_an_undone_message_is_superseded(cell_in: Arrange) -> None:
    cell = await cell_in(UNDONE)
    heard = await cell.arrives()
    assert (heard.outcome, heard.code) == (Outcome.APPLIED, "SUPERSEDED")
    assert heard.result.stored_reply == cell.first.sealed
    assert (heard.result.by, heard.result.state) == ("H001-UNDOING", "UNDONE")


async def test_arrival_of_a_fenced_message_is_refused(cell_in: Arrange) -> None:
    cell = await cell_in(TOMBSTONE)
    heard = await cell.arrives()
    assert (heard.outcome, heard.code) == (Outcome.REFUSED, "REVERSED_BEFORE_ARRIVAL")
    assert [one.got for one in heard.result.findings] == ["H001-UNDOING"]
    assert await settlements(cell.office) == 0


@pytest.mark.parametrize("state", [LIVE, REFUSED, UNDONE, TOMBSTONE])
async def test_a_known_message_is_answered_before_any_look_at_the_time(
    cell_in: Arrange, state: str
) -> None:
    cell = await cell_in(state)
    cell.office.gateway.clock.move(timedelta(days=40))
    assert (await cell.arrives()).code != "EXPIRED"


# --- arrival, other digest --


async def test_other_content_while_in_progress_is_told_to_wait(in_progress: Cell) -> None:
    assert (await in_progress.arrives_with_other_content()).code == "IN_PROGRESS"


@pytest.mark.parametrize("state", [LIVE, REFUSED, UNDONE])
async def test_other_content_under_a_known_id_is_not_processed(
    cell_in: Arrange, state: str
) -> None:
    cell = await cell_in(state)
    before = await settlements(cell.office)
    heard = await cell.arrives_with_other_content()
    assert (heard.outcome, heard.code) == (Outcome.NOT_PROCESSED, "MESSAGE_ID_REUSED")
    assert await settlements(cell.office) == before


async def test_other_content_under_a_fenced_id_is_refused(cell_in: Arrange) -> None:
    heard = await (await cell_in(TOMBSTONE)).arrives_with_other_content()
    assert heard.code == "REVERSED_BEFORE_ARRIVAL"


# --- query --


async def test_a_query_of_an_unseen_message_finds_nothing_and_settles_nothing(
    cell_in: Arrange,
) -> None:
    cell = await cell_in(UNSEEN)
    assert (await cell.is_queried()).state == "NOT_SEEN"
    assert (await cell.arrives()).code == "OK"


async def test_a_query_of_a_message_in_progress_says_so(in_progress: Cell) -> None:
    assert (await in_progress.is_queried()).state == "IN_PROGRESS"


async def test_a_query_of_an_applied_message_gives_its_reply_and_the_state_now(
    cell_in: Arrange,
) -> None:
    cell = await cell_in(LIVE)
    found = await cell.is_queried()
    assert (found.state, found.stored_reply) == ("APPLIED", cell.first.sealed)
    assert (found.bill_state, found.digest) == ("SETTLED", cell.request.digest)


async def test_a_query_of_a_refused_message_gives_its_reply(cell_in: Arrange) -> None:
    cell = await cell_in(REFUSED)
    found = await cell.is_queried()
    assert (found.state, found.stored_reply) == ("REFUSED", cell.first.sealed)


async def test_a_query_of_an_undone_message_names_what_undid_it(cell_in: Arrange) -> None:
    cell = await cell_in(UNDONE)
    found = await cell.is_queried()
    assert (found.state, found.undone_by) == ("UNDONE", "H001-UNDOING")
    assert found.stored_reply == cell.first.sealed


async def test_a_query_of_a_fenced_message_names_what_fenced_it(cell_in: Arrange) -> None:
    found = await (await cell_in(TOMBSTONE)).is_queried()
    assert (found.state, found.undone_by) == ("TOMBSTONED", "H001-UNDOING")


# --- reverse, same sender --


async def test_the_reversal_of_an_unseen_message_fences_its_id(cell_in: Arrange) -> None:
    cell = await cell_in(UNSEEN)
    heard = await cell.is_reversed("R1")
    assert (heard.outcome, heard.code) == (Outcome.APPLIED, "TOMBSTONED")
    assert (heard.result.effect, heard.result.by) == ("TOMBSTONE", "R1")
    assert (await cell.arrives()).code == "REVERSED_BEFORE_ARRIVAL"


async def test_the_reversal_of_a_message_in_progress_waits_and_then_says_so(
    in_progress: Cell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reverse_transaction, "_WAIT_S", 0.05)
    heard = await in_progress.is_reversed("R1")
    assert (heard.outcome, heard.code) == (Outcome.NOT_PROCESSED, "IN_PROGRESS")


async def test_the_reversal_undoes_what_finished_while_it_waited(cell_in: Arrange) -> None:
    cell = await cell_in(IN_PROGRESS)
    async with a_message_in_progress(cell) as barrier:
        reversal = asyncio.create_task(cell.is_reversed("R1"))
        await asyncio.sleep(0.05)
        assert not reversal.done()
        barrier.open()
        heard = await reversal
    assert (heard.code, heard.result.effect) == ("OK", "UNDONE")
    assert cell.first.code == "OK"


async def test_the_reversal_of_an_applied_message_undoes_it(cell_in: Arrange) -> None:
    cell = await cell_in(LIVE)
    heard = await cell.is_reversed("R1")
    assert (heard.code, heard.result.effect, heard.result.by) == ("OK", "UNDONE", "R1")


async def test_there_is_nothing_to_reverse_in_a_refused_message(cell_in: Arrange) -> None:
    heard = await (await cell_in(REFUSED)).is_reversed("R1")
    assert (heard.outcome, heard.code) == (Outcome.REFUSED, "NOTHING_TO_REVERSE")


@pytest.mark.parametrize("state", [UNDONE, TOMBSTONE])
async def test_a_second_reversal_names_the_first(cell_in: Arrange, state: str) -> None:
    heard = await (await cell_in(state)).is_reversed("R2")
    assert (heard.outcome, heard.code) == (Outcome.REFUSED, "ALREADY_REVERSED")
    assert heard.result.by == "H001-UNDOING"


# --- reverse naming another command or digest --

NAMING = pytest.mark.parametrize(
    "other", [{"command": "fees.upload"}, {"target_digest": "b3RoZXI="}], ids=["command", "digest"]
)


@NAMING
async def test_a_mistaken_reversal_of_an_unseen_message_fences_it_all_the_same(
    cell_in: Arrange, other: dict[str, str]
) -> None:
    assert (await (await cell_in(UNSEEN)).is_reversed("R1", **other)).code == "TOMBSTONED"


@NAMING
async def test_a_mistaken_reversal_of_a_message_in_progress_waits(
    in_progress: Cell, other: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reverse_transaction, "_WAIT_S", 0.05)
    assert (await in_progress.is_reversed("R1", **other)).code == "IN_PROGRESS"


@NAMING
@pytest.mark.parametrize("state", [LIVE, REFUSED, UNDONE])
async def test_a_mistaken_reversal_of_a_known_message_does_nothing(
    cell_in: Arrange, state: str, other: dict[str, str]
) -> None:
    cell = await cell_in(state)
    before = await settlements(cell.office)
    heard = await cell.is_reversed("R1", **other)
    assert (heard.outcome, heard.code) == (Outcome.REFUSED, "REVERSE_TARGET_MISMATCH")
    assert await settlements(cell.office) == before


@NAMING
async def test_a_mistaken_reversal_of_a_fenced_message_names_what_fenced_it(
    cell_in: Arrange, other: dict[str, str]
) -> None:
    heard = await (await cell_in(TOMBSTONE)).is_reversed("R1", **other)
    assert (heard.code, heard.result.by) == ("ALREADY_REVERSED", "H001-UNDOING")


async def test_a_reversal_that_names_the_right_digest_undoes(cell_in: Arrange) -> None:
    cell = await cell_in(LIVE)
    heard = await cell.is_reversed("R1", target_digest=cell.request.digest)
    assert heard.result.effect == "UNDONE"


# --- reverse by another sender --


@pytest.mark.parametrize("state", [UNSEEN, LIVE, REFUSED, UNDONE, TOMBSTONE])
async def test_another_senders_reversal_acts_on_its_own_id_only(
    cell_in: Arrange, state: str
) -> None:
    cell = await cell_in(state)
    before = await cell.is_queried()
    heard = await cell.is_reversed("R1", by="H002")
    assert heard.code == "TOMBSTONED"
    assert await cell.is_queried() == before


async def test_another_senders_reversal_does_not_wait_for_ours(in_progress: Cell) -> None:
    assert (await in_progress.is_reversed("R1", by="H002")).code == "TOMBSTONED"
    assert (await in_progress.is_queried()).state == "IN_PROGRESS"


# --- crash and restart --


@pytest.mark.parametrize("state", [LIVE, REFUSED, UNDONE, TOMBSTONE])
async def test_a_restart_keeps_every_final_state(data: Path, state: str) -> None:
    async with office_in(data) as office:
        await office.recognised("C1", 1)
        stay = await office.billed("H001", "V1", 1)
        count = 99 if state == REFUSED else len(LINES)
        command = office.commit_of(stay, *LINES, expected_count=count)
        message = await office.request("H001", "settlement.commit", command, TARGET)
        if state != TOMBSTONE:
            await office.hear(message)
        if state in (UNDONE, TOMBSTONE):
            await office.reverse("H001", TARGET, "settlement.commit", "R1")
        before = await office.query("H001", TARGET)
        first = await office.hear(message)
    async with office_in(data) as office:
        again = await office.hear(message)
        assert (again.outcome, again.code) == (first.outcome, first.code)
        assert again.stored == first.stored
        assert (again.sealed == first.sealed) is first.stored
        assert (await office.query("H001", TARGET)).result == before.result


async def test_a_message_that_never_reached_the_store_is_unseen(in_progress: Cell) -> None:
    """What a crash leaves: the lock of a message in progress is no row."""
    found = await in_progress.office.rows(
        select(tables.message).where(tables.message.c.message_id == TARGET)
    )
    assert found == []


# --- what does not use up an id --


async def test_a_message_that_breaks_the_schema_leaves_its_id_unused(
    cell_in: Arrange,
) -> None:
    cell = await cell_in(UNSEEN)
    broken = cell.request.raw.replace(b"<Operator>op1</Operator>", b"")
    assert broken != cell.request.raw
    heading = cell.request.heading
    heard = await cell.office.hear(await cell.office.believed("H001", heading, broken))
    assert (heard.outcome, heard.code) == (Outcome.NOT_PROCESSED, "SCHEMA_INVALID")
    assert heard.result.findings
    assert (await cell.is_queried()).state == "NOT_SEEN"
    assert (await cell.arrives()).code == "OK"


async def test_two_hospitals_may_use_the_same_id(cell_in: Arrange) -> None:
    cell = await cell_in(LIVE)
    await cell.office.recognised("C2", 2)
    stay = await cell.office.billed("H002", "V1", 2)
    heard = await cell.office.commit("H002", stay, *LINES, message_id=TARGET)
    assert (heard.code, heard.stored) == ("OK", False)
    assert (await cell.arrives()).sealed == cell.first.sealed


async def test_a_read_is_answered_afresh_and_only_its_digests_are_kept(
    cell_in: Arrange,
) -> None:
    cell = await cell_in(UNSEEN)
    wanted = QueryTransaction(target_message_id=TARGET)
    asked = await cell.office.request("H001", "transaction.query", wanted, "READ-1")
    assert (await cell.office.hear(asked)).code == "NOT_SEEN"
    await cell.arrives()
    assert (await cell.office.hear(asked)).code == "OK"
    kept = await cell.office.rows(
        select(tables.message).where(tables.message.c.message_id == "READ-1")
    )
    leaves = await cell.office.rows(select(tables.leaf).where(tables.leaf.c.message_id == "READ-1"))
    assert kept == []
    assert [leaf["kind"] for leaf in leaves] == ["read", "read"]


async def test_a_message_to_another_deployment_is_not_processed(cell_in: Arrange) -> None:
    cell = await cell_in(UNSEEN)
    heard = await cell.arrives(receiver="GATEWAY.999900.production")
    assert (heard.outcome, heard.code) == (Outcome.NOT_PROCESSED, "WRONG_RECEIVER")
    assert (await cell.arrives()).code == "OK"


class Busy:
    """A store whose facts move on at every commit."""

    def __init__(self, desk: Desk) -> None:
        self._database, self.tries = desk.database, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)

    async def commit(self, unit: Any) -> None:
        self.tries += 1
        raise StaleFacts("admission")


async def test_a_busy_answer_comes_after_three_tries_and_is_never_stored(
    cell_in: Arrange,
) -> None:
    cell = await cell_in(UNSEEN)
    busy = Busy(cell.office.desk)
    desk = replace(cell.office.desk, database=busy)
    heard = await cell.office.hear(cell.request, desk)
    assert (heard.outcome, heard.code, busy.tries) == (Outcome.NOT_PROCESSED, "BUSY", 3)
    assert (await cell.is_queried()).state == "NOT_SEEN"
    assert (await cell.arrives()).code == "OK"
