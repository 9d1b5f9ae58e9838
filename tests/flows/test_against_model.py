"""One gateway beside the pure model of protocol §2 and §3, whatever is said in whatever order.

Registrations, lines, discharges, commits and cancellations of two stays, the case of one not
yet decided; resends, other content, queries and reversals of anything said before, or never;
restarts in between. After each step the bills are as the model has them, and at the end every
invariant holds.
"""

import asyncio
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select

from gateway.domain.case import CaseState
from gateway.domain.commands import (
    CancelDischarge,
    CancelSettlement,
    RegisterDischarge,
    ReverseTransaction,
    UploadFees,
)
from gateway.flows.release_held import release_all
from gateway.store import tables
from gateway.store.invariants import check_invariants
from tests.flows.conftest import Preparations
from tests.flows.office import DAY, Heard, Office, copied, forgotten, office_in
from tests.flows.pure_model import SETTLED, Model
from tests.store.conftest import SQLITE
from tests.world import bill_line

HOSPITAL = "H001"
_STAYS = 2
_EXAMPLES = {SQLITE: 8}
"""PostgreSQL, whose databases take longer to make, has fewer; both draw other ones each time."""
_STEPS = 25
STAYS = st.integers(0, _STAYS - 1)
LINES = st.sampled_from(["L1", "L2"])


class Beside(RuleBasedStateMachine):
    """Whatever the model answers, the gateway answers."""

    messages = Bundle("messages")
    prepared: Path
    played = 0

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = TemporaryDirectory()
        self.data = copied(self.prepared, Path(self.folder.name))
        self.model = Model(_STAYS)
        self.requests: dict[str, Any] = {}
        self.replies: dict[str, Heard] = {}
        self.ids = dict.fromkeys(range(_STAYS), "")
        self.numbered = 0
        self._open()

    def _open(self) -> None:
        self.open = AsyncExitStack()
        self.office: Office = self.does(self.open.enter_async_context(office_in(self.data)))

    def does(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.runner.run(work)

    def teardown(self) -> None:
        violations = self.does(self._violations())
        self.does(self.open.aclose())
        self.runner.close()
        forgotten(self.data)
        self.folder.cleanup()
        assert violations == ()
        type(self).played += 1

    async def _violations(self) -> Any:
        async with self.office.desk.database.reading() as reader:
            return await check_invariants(reader)

    # --- what a hospital says ----------------------------------------------------------------

    @initialize(target=messages, far=st.tuples(*[st.integers(0, 4)] * _STAYS))
    def begun(self, far: tuple[int, ...]) -> Any:
        """A case each, and each stay as far on its way as drawn."""
        self.does(self.office.recognised("C0", 0))
        self.does(self.office.report("C1", 1))
        self.model.stays[1].decided = False
        said = []
        for number, steps in enumerate(far):
            way = (self.register, self._first_line, self.discharge, self.commit)
            said += [step(number) for step in way[:steps]]
        return multiple(*said)

    def _first_line(self, number: int) -> str:
        return self.upload(number, "L1")

    def _said(self, name: str, command: Any, number: int, line: str = "") -> str:
        self.numbered += 1
        message_id = f"M{self.numbered:04d}"
        expected = self.model.say(message_id, name, number, line)
        heard = self._heard(message_id, name, command)
        assert heard.outcome == expected, (name, heard.code)
        return message_id

    def _heard(self, message_id: str, name: str, command: Any) -> Heard:
        request = self.does(self.office.request(HOSPITAL, name, command, message_id))
        self.requests[message_id] = request
        heard = self.replies[message_id] = self.does(self.office.hear(request))
        return heard

    @rule(target=messages, number=STAYS)
    def register(self, number: int) -> str:
        command = self.office.registration(f"V{number}", number)
        message_id = self._said("admission.register", command, number)
        found = getattr(self.replies[message_id].result, "admission_id", "")
        if self.replies[message_id].outcome == "APPLIED":
            self.ids[number] = found
        return message_id

    @rule(target=messages, number=STAYS, line=LINES)
    def upload(self, number: int, line: str) -> str:
        lines = (bill_line(line, "I0001", "12.00", "1", DAY),)
        command = UploadFees(admission_id=self.ids[number] or "NONE", lines=lines)
        return self._said("fees.upload", command, number, line)

    @rule(target=messages, number=STAYS, line=LINES)
    def void(self, number: int, line: str) -> str:
        command = self.office.void_of(self.ids[number] or "NONE", line)
        return self._said("fees.void", command, number, line)

    @rule(target=messages, number=STAYS)
    def discharge(self, number: int) -> str:
        command = RegisterDischarge(
            admission_id=self.ids[number] or "NONE",
            discharged_at=self.office.desk.clock.now(),
            way="治愈",
        )
        return self._said("discharge.register", command, number)

    @rule(target=messages, number=STAYS)
    def cancel_discharge(self, number: int) -> str:
        command = CancelDischarge(admission_id=self.ids[number] or "NONE", reason="虚构")
        return self._said("discharge.cancel", command, number)

    @rule(target=messages, number=STAYS)
    def commit(self, number: int) -> str:
        count = len(self.model.stays[number].lines)
        command = self.office.commit_of(
            self.ids[number] or "NONE", expected_count=count, expected_amount_fen=count * 1200
        )
        return self._said("settlement.commit", command, number)

    @rule(target=messages, number=STAYS)
    def cancel(self, number: int) -> str:
        live = self.does(self._live(number))
        command = CancelSettlement(settlement_id=live or "NONE", reason="虚构", operator="op1")
        return self._said("settlement.cancel", command, number)

    async def _live(self, number: int) -> str:
        table = tables.settlement
        mine = table.c.admission_id == self.ids[number], table.c.live == 1
        rows = await self.office.rows(select(table.c.settlement_id).where(*mine))
        return rows[0]["settlement_id"] if rows else ""

    # --- what becomes of it ------------------------------------------------------------------

    @rule(target=messages, original=messages)
    def reverse(self, original: str) -> str:
        return self._reversed(original)

    @rule(target=messages)
    def reverse_what_never_came(self) -> Any:
        self.numbered += 1
        target = f"M{self.numbered:04d}"
        return multiple(self._reversed(target), target)

    def _reversed(self, target: str) -> str:
        self.numbered += 1
        message_id = f"M{self.numbered:04d}"
        name = self.model.said[target].name if target in self.model.said else ""
        expected = self.model.reverse(message_id, target)
        heard = self._heard(
            message_id,
            "transaction.reverse",
            ReverseTransaction(
                target_message_id=target,
                target_command=name or "settlement.commit",
                reason="虚构",
            ),
        )
        assert heard.code == expected
        return message_id

    @rule(message_id=messages)
    def resend(self, message_id: str) -> None:
        request = self.requests.get(message_id) or self._new(message_id)
        heard = self.does(self.office.hear(request))
        expected = self.model.arrive_again(message_id)
        if expected:
            assert heard.code == expected
        else:
            assert heard.sealed == self.replies[message_id].sealed

    def _new(self, message_id: str) -> Any:
        """The original of a message that was fenced before it came."""
        command = self.office.registration("V9", 9)
        return self.does(self.office.request(HOSPITAL, "admission.register", command, message_id))

    @rule(message_id=messages)
    def resend_after_three_days(self, message_id: str) -> None:
        if message_id in self.requests:
            late = self.office.desk.clock.now() + timedelta(days=3)
            request = replace(self.requests[message_id], received_at=late)
            expected = self.model.arrive_again(message_id) or self.replies[message_id].code
            assert self.does(self.office.hear(request)).code == expected

    @rule(message_id=messages)
    def send_other_content(self, message_id: str) -> None:
        command = self.office.registration("V8", 8)
        name = "admission.register"
        request = self.does(self.office.request(HOSPITAL, name, command, message_id))
        assert self.does(self.office.hear(request)).code == self.model.arrive_changed(message_id)

    @rule(message_id=messages)
    def query(self, message_id: str) -> None:
        found = self.does(self.office.query(HOSPITAL, message_id))
        assert found.result.state == self.model.query(message_id)

    @rule()
    def query_what_never_came(self) -> None:
        assert self.does(self.office.query(HOSPITAL, "NEVER")).result.state == "NOT_SEEN"

    @rule()
    def decide(self) -> None:
        if not self.model.stays[1].decided:
            self.does(self.office.decide("C1", CaseState.RECOGNISED))
            self.does(release_all(self.office.desk))
            self.model.decide(1)

    @rule()
    def restart(self) -> None:
        self.does(self.open.aclose())
        self._open()

    @invariant()
    def bills_are_as_the_model_has_them(self) -> None:
        rows = self.does(self.office.rows(select(tables.admission)))
        bills = {row["admission_id"]: row["bill_state"] for row in rows}
        for number, stay in enumerate(self.model.stays):
            live = self.does(self._live(number))
            if self.ids[number]:
                assert bills[self.ids[number]] == stay.bill
                assert bool(live) is (stay.bill == SETTLED)


def test_the_gateway_answers_as_the_model_does(store: str, preparations: Preparations) -> None:
    machine: Any = type("Machine", (Beside,), {"prepared": preparations(store)})
    examples = _EXAMPLES.get(store, 2)
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=_STEPS,
            deadline=None,
            # The same stories in every run: what nobody played yet is for the simulation.
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert machine.played >= examples


@pytest.mark.parametrize("changed", ["settlement.commit", "discharge.register"])
def test_the_model_refuses_what_the_second_table_refuses(changed: str) -> None:
    model = Model(1)
    for number, name in enumerate(("admission.register", "discharge.register")):
        assert model.say(f"M{number}", name, 0) == "APPLIED"
    assert model.say("M9", "fees.upload", 0, "L1") == "APPLIED"
    assert model.say("M2", "settlement.commit", 0) == "APPLIED"
    reversal = model.reverse("M3", "M2" if changed == "settlement.commit" else "M1")
    assert reversal == ("OK" if changed == "settlement.commit" else "HAS_DEPENDENTS")
