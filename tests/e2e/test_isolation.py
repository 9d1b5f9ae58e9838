"""Two hospitals never meet: whatever one names of the other's is as unknown as nothing at all."""

import re
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Final

import pytest
import pytest_asyncio
from lxml import etree

from adapters.hospital_xml.names import DIALECT
from adapters.sandbox.client import Answer, Client, Unknown, digest_of
from gateway.clock import at_business
from gateway.domain.admission import PaidAtDischargeBy
from gateway.domain.application import Wanted
from gateway.domain.case import ApprovalKind, CaseState, TreatmentKind
from gateway.domain.catalogue import Kind
from gateway.domain.codes import Outcome
from gateway.domain.commands import (
    AckInbox,
    AnswerCut,
    ApplyApproval,
    CancelAdmission,
    CancelApproval,
    CancelDischarge,
    CancelSettlement,
    CommitSettlement,
    DecideLines,
    DownloadCatalogue,
    HospitalRow,
    Identity,
    LineDecision,
    MapCatalogue,
    ModifyAdmission,
    PreviewSettlement,
    PullInbox,
    QueryApprovals,
    QueryCase,
    QueryCuts,
    QueryFees,
    QueryMappings,
    QueryTransaction,
    ReadPerson,
    ReconcileDetails,
    ReconcileTotals,
    RegisterAdmission,
    RegisterDischarge,
    ReverseTransaction,
    UploadFees,
    VoidFees,
)
from gateway.domain.mapping import MappingClaim
from gateway.domain.split import Split
from tests.world import DIAGNOSIS, World, bill_line, person, world

pytestmark = pytest.mark.asyncio(loop_scope="module")

DAY: Final = date(2026, 3, 2)
LINES: Final = (
    bill_line("L1", "I0001", "12.00", "2", DAY),
    bill_line("L2", "NOT-IN-CATALOGUE", "98.00", "1", DAY),
)
COMMANDS: Final = sorted(each.command for each in DIALECT.exchanges if not each.notice)
WANTED: Final = Wanted(
    kind=ApprovalKind.REMOTE_RESIDENCE, wanted_from=DAY, wanted_to=DAY, place="虚构县"
)
OURS: Final = re.compile(rb"\b(?:H002-[0-9]{6}|[A-Z][0-9A-F]{24})\b")
"""Ids that the client or the gateway makes anew for each message."""

KEPT: Final = (
    "message",
    "admission",
    "bill_line",
    "settlement",
    "transfer",
    "undo",
    "audit",
    "leaf",
    "party",
    "party_key",
    "mandate",
    "release_job",
    "reconcile_run",
    "case_fact",
    "application",
    "application_answer",
    "mapping",
    "mapping_book",
    "mapping_history",
    "cut",
    "readjudication",
)
"""Tables in which nothing of A may change, and nothing new may stand under A's name."""


@dataclass(frozen=True)
class Objects:
    """What a hospital can name: A's real things, or things that were never there."""

    person: Identity
    case_no: str
    visit_no: str
    admission_id: str
    settlement_id: str
    message_id: str
    digest: str
    inbox_id: str
    inbox_digest: str
    application_id: str
    cut_no: str
    split: Split

    @property
    def names(self) -> tuple[str, ...]:
        """Everything that a reply may repeat because the request named it."""
        return (
            self.person.id_no,
            self.case_no,
            self.visit_no,
            self.admission_id,
            self.settlement_id,
            self.message_id,
            self.inbox_id,
            self.application_id,
            self.cut_no,
        )


@dataclass(frozen=True)
class Town:
    """Hospital A with a settled and a held stay, hospital B with nothing."""

    world: World
    a: Client
    b: Client
    theirs: Objects
    nobodys: Objects

    def rows(self) -> dict[str, set[tuple[Any, ...]]]:
        path = self.world.gateway.settings.database_path
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
            kept = {name: set(connection.execute(f"SELECT * FROM {name}")) for name in KEPT}  # noqa: S608
            lane = "SELECT * FROM outbox WHERE receiver = 'H001'"
            return {**kept, "outbox": set(connection.execute(lane))}


def mapped(own: str, *, withdrawn: bool = False) -> MapCatalogue:
    """A hospital's own code, mapped or taken back: another's of the same name is none."""
    row = MappingClaim(
        hospital_code=own,
        hospital_name="换药",
        code="I0001",
        kind=Kind.ITEM,
        valid_from=DAY,
        withdrawn=withdrawn,
    )
    return MapCatalogue(rows=(row,))


CASES: Final[dict[str, Callable[[Objects], Any]]] = {
    "person.read": lambda one: ReadPerson(person=one.person),
    "case.query": lambda one: QueryCase(person=one.person),
    "admission.register": lambda one: RegisterAdmission(
        visit_no=one.visit_no,
        person=one.person,
        treatment=TreatmentKind.INPATIENT,
        admitted_at=at_business(DAY, 7),
        department="骨科",
        doctor="虚构医师",
        diagnoses=(DIAGNOSIS,),
    ),
    "admission.modify": lambda one: ModifyAdmission(admission_id=one.admission_id, bed="9"),
    "admission.cancel": lambda one: CancelAdmission(admission_id=one.admission_id, reason="试"),
    "fees.upload": lambda one: UploadFees(admission_id=one.admission_id, lines=LINES),
    "fees.void": lambda one: VoidFees(admission_id=one.admission_id, line_ids=("L1",), reason="试"),
    "fees.query": lambda one: QueryFees(admission_id=one.admission_id),
    "settlement.preview": lambda one: PreviewSettlement(
        admission_id=one.admission_id, expected_count=2, expected_amount_fen=12200
    ),
    "settlement.commit": lambda one: CommitSettlement(
        admission_id=one.admission_id,
        bill_no="B1",
        expected_count=2,
        expected_amount_fen=12200,
        paid_at_discharge_by=PaidAtDischargeBy.NOBODY,
        operator="op1",
    ),
    "settlement.cancel": lambda one: CancelSettlement(
        settlement_id=one.settlement_id, reason="试", operator="op1"
    ),
    "discharge.register": lambda one: RegisterDischarge(
        admission_id=one.admission_id, discharged_at=at_business(DAY, 11), way="治愈"
    ),
    "discharge.cancel": lambda one: CancelDischarge(admission_id=one.admission_id, reason="试"),
    "cut.answer": lambda one: AnswerCut(cut_no=one.cut_no, accepted=True, by="丙"),
    "cut.query": lambda one: QueryCuts(admission_id=one.admission_id),
    "transaction.query": lambda one: QueryTransaction(target_message_id=one.message_id),
    "transaction.reverse": lambda one: ReverseTransaction(
        target_message_id=one.message_id,
        target_command="settlement.commit",
        target_digest=one.digest,
        reason="试",
    ),
    "reconcile.totals": lambda one: ReconcileTotals(
        day=DAY, count=1, split=one.split, meal_fen=0, detail_digest=one.digest
    ),
    "reconcile.details": lambda one: ReconcileDetails(
        day=DAY,
        rows=(
            HospitalRow(
                settlement_id=one.settlement_id,
                day=DAY,
                id_no=one.person.id_no,
                reversed=False,
                split=one.split,
                meal_fen=0,
            ),
        ),
    ),
    "inbox.pull": lambda _: PullInbox(limit=50),
    "inbox.ack": lambda one: AckInbox(receipts=((one.inbox_id, one.inbox_digest),)),
    "catalog.map": lambda one: mapped(one.visit_no, withdrawn=True),
    "mapping.query": lambda _: QueryMappings(),
    "approval.apply": lambda one: ApplyApproval(person=one.person, wanted=WANTED),
    "approval.query": lambda one: QueryApprovals(application_id=one.application_id),
    "approval.cancel": lambda one: CancelApproval(application_id=one.application_id, reason="试"),
    "catalog.download": lambda _: DownloadCatalogue(kind=Kind.ITEM, day=DAY, after_code="I0140"),
}
"""Each command as hospital B sends it about somebody else's things."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    async with world(tmp_path_factory.mktemp("isolation")) as made:
        a, b = await made.hospital("H001"), await made.hospital("H002")
        theirs = await _things_of(made, a)
        await made.recognised("CASE-N-3", 3)
        made.move_to(DAY + timedelta(days=1))
        nobodys = Objects(
            person=person(3),
            case_no="CASE-N-3",
            visit_no="V-NEVER",
            admission_id="A" + "0" * 24,
            settlement_id="S" + "0" * 24,
            message_id="NEVER-1",
            digest="A" * 43 + "=",
            inbox_id="G" + "0" * 24,
            inbox_digest="B" * 43 + "=",
            application_id="Q" + "0" * 24,
            cut_no="K" + "0" * 24,
            split=theirs.split,
        )
        yield Town(made, a, b, theirs, nobodys)


async def _things_of(made: World, a: Client) -> Objects:
    """A settled stay, and a held one whose recognition put a message into A's inbox."""
    await made.recognised("CASE-A-1", 1)
    stay = await made.register(a, "VISIT-A-1", 1)
    admission_id = stay.result.admission_id
    await made.upload(a, admission_id, *LINES)
    await made.discharge(a, admission_id)
    settled = await made.commit(a, admission_id, *LINES, message_id="A-COMMIT-1")
    assert settled.outcome is Outcome.APPLIED, settled.received.decode()

    async def told() -> bool:
        return bool((await a.send("inbox.pull", PullInbox(limit=50))).result.messages)

    cut_no = await _cut(made, admission_id)
    await made.until(told)
    (served,) = (await a.send("inbox.pull", PullInbox(limit=50))).result.messages
    receipt = (served.message_id, digest_of(served.sealed))
    await a.send("inbox.ack", AckInbox(receipts=(receipt,)))
    await made.report("C2", 2)
    await made.register(a, "V2", 2)
    await made.decide("C2", CaseState.RECOGNISED)
    await made.until(told)
    (waiting,) = (await a.send("inbox.pull", PullInbox(limit=50))).result.messages
    await a.send("catalog.map", mapped("VISIT-A-1"))
    applied = await a.send("approval.apply", ApplyApproval(person=person(1), wanted=WANTED))
    return Objects(
        person=person(1),
        case_no="CASE-A-1",
        visit_no="VISIT-A-1",
        admission_id=admission_id,
        settlement_id=settled.result.settlement_id,
        message_id="A-COMMIT-1",
        digest=digest_of(settled.sent),
        inbox_id=waiting.message_id,
        inbox_digest=digest_of(waiting.sealed),
        application_id=applied.result.subject,
        cut_no=cut_no,
        split=settled.result.split,
    )


async def _cut(made: World, admission_id: str) -> str:
    """The number of a cut of A's settled bill."""
    command = DecideLines(
        admission_id=admission_id,
        by="甲",
        reason="虚构",
        lines=(LineDecision(line_id="L1", violation="NO_ORDER"),),
        clause="虚构协议第一条",
        evidence="虚构证据",
    )
    await made.agency.send("lines.decide", command)
    asked = await made.agency.send("cut.query", QueryCuts(admission_id=admission_id))
    return str(asked.result.cuts[0].cut_no)


def told(answer: Answer, named: Objects) -> bytes:
    """The reply apart from ids, times and what binds it to its own request."""
    root = etree.fromstring(answer.received)
    root.remove(root[2])
    for field in root[0]:
        if etree.QName(field).localname in {"SentAt", "ExpiresAt", "ReceivedAt", "RequestDigest"}:
            field.text = "-"
    shown: bytes = etree.tostring(root, method="c14n", exclusive=True)
    for name in sorted(named.names, key=len, reverse=True):
        shown = shown.replace(name.encode(), b"-")
    return OURS.sub(b"-", shown)


def of(rows: set[tuple[Any, ...]], party_id: str) -> set[tuple[Any, ...]]:
    return {row for row in rows if party_id in row}


async def test_every_hospital_command_has_a_case() -> None:
    assert sorted(CASES) == COMMANDS


@pytest.mark.parametrize("name", COMMANDS)
async def test_anothers_things_are_answered_as_if_they_were_not(town: Town, name: str) -> None:
    before = town.rows()
    real = await town.b.send(name, CASES[name](town.theirs))
    ghost = await town.b.send(name, CASES[name](town.nobodys))
    assert (real.status, real.outcome, real.code) == (ghost.status, ghost.outcome, ghost.code)
    assert told(real, town.theirs) == told(ghost, town.nobodys)
    after = town.rows()
    for table, rows in before.items():
        assert rows <= after[table], f"B's {name} changed a row of {table}"
        assert not of(after[table] - rows, "H001"), f"B's {name} wrote for A into {table}"


@pytest.mark.parametrize("name", COMMANDS)
async def test_a_reply_to_b_tells_nothing_of_a_that_b_did_not_name(town: Town, name: str) -> None:
    answer = await town.b.send(name, CASES[name](town.nobodys))
    for secret in (*town.theirs.names, person(2).id_no, person(1).name, "A-COMMIT-1", "122.00"):
        known = secret.encode() in answer.sent
        assert known or secret.encode() not in answer.received, f"{name} tells {secret}"


async def test_b_sees_an_empty_inbox_and_its_own_empty_day(town: Town) -> None:
    pulled = await town.b.send("inbox.pull", PullInbox(limit=50))
    assert pulled.result.messages == ()
    totals = await town.b.send("reconcile.totals", CASES["reconcile.totals"](town.theirs))
    assert (totals.result.count, totals.result.split.total_fen) == (0, 0)


async def test_a_still_owns_everything_afterwards(town: Town) -> None:
    found = await town.a.send("transaction.query", QueryTransaction(target_message_id="A-COMMIT-1"))
    assert (found.result.state, found.result.bill_state) == ("APPLIED", "SETTLED")
    waiting = await town.a.send("inbox.pull", PullInbox(limit=50))
    assert [one.message_id for one in waiting.result.messages] == [town.theirs.inbox_id]


async def test_two_hospitals_may_use_the_same_message_id(town: Town) -> None:
    await town.world.recognised("C5", 5)
    one = await _registered(town, town.a, "SAME-1")
    other = await _registered(town, town.b, "SAME-1")
    assert one.result.admission_id != other.result.admission_id
    for client, first in ((town.a, one), (town.b, other)):
        again = await client.post("SAME-1", first.sent)
        assert again.received == first.received


async def test_a_reversal_acts_on_the_senders_own_message_of_that_id(town: Town) -> None:
    await town.world.recognised("C6", 6)
    one = await _registered(town, town.a, "SAME-2", serial=6)
    other = await _registered(town, town.b, "SAME-2", serial=6)
    undone = await town.b.send(
        "transaction.reverse",
        ReverseTransaction(
            target_message_id="SAME-2", target_command="admission.register", reason="试"
        ),
    )
    assert undone.result.effect == "UNDONE"
    assert (await town.b.post("SAME-2", other.sent)).code == "SUPERSEDED"
    assert (await town.a.post("SAME-2", one.sent)).received == one.received


async def test_the_same_visit_number_is_two_stays(town: Town) -> None:
    await town.world.recognised("C7", 7)
    one = await _registered(town, town.a, "V7-A", serial=7, visit_no="V7")
    other = await _registered(town, town.b, "V7-B", serial=7, visit_no="V7")
    assert (one.outcome, other.outcome) == (Outcome.APPLIED, Outcome.APPLIED)


async def test_a_line_id_of_anothers_bill_is_free(town: Town) -> None:
    await town.world.recognised("C8", 8)
    stay = await _registered(town, town.b, "V8-B", serial=8, visit_no="V8")
    uploaded = await town.world.upload(town.b, stay.result.admission_id, *LINES)
    assert [one.status for one in uploaded.result.answers] == ["accepted", "accepted"]
    assert uploaded.result.kept_count == 2


async def test_a_sees_its_own_mappings_and_applications_only(town: Town) -> None:
    await town.b.send("catalog.map", mapped("HY-B"))
    mappings = (await town.a.send("mapping.query", QueryMappings())).result.mappings
    assert [(one.hospital, one.hospital_code) for one in mappings] == [("H001", "VISIT-A-1")]
    applications = (await town.a.send("approval.query", QueryApprovals())).result.applications
    assert [one.application_id for one in applications] == [town.theirs.application_id]


async def test_a_person_whom_only_a_registered_is_unknown_to_b(town: Town) -> None:
    await _registered(town, town.a, "V9-A", serial=9, visit_no="V9")
    real = await town.b.send("person.read", ReadPerson(person=person(9)))
    ghost = await town.b.send("person.read", ReadPerson(person=person(10)))
    assert told(real, town.theirs) == told(ghost, town.theirs)


async def test_bs_bytes_of_as_message_are_refused_on_bs_connection(town: Town) -> None:
    sealed = town.a.sealed(
        "fees.query", QueryFees(admission_id=town.theirs.admission_id), "A-LEAKED-1"
    )
    with pytest.raises(Unknown) as refused:
        await town.b.post("A-LEAKED-1", sealed)
    assert (refused.value.status, b"NOT_MANDATED" in refused.value.body) == (403, True)


async def _registered(
    town: Town, client: Client, message_id: str, serial: int = 5, visit_no: str = ""
) -> Answer:
    named = replace(town.nobodys, person=person(serial), visit_no=visit_no or message_id)
    command = CASES["admission.register"](named)
    return await client.send("admission.register", command, message_id)
