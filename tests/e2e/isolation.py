"""Two hospitals on either store: A with everything a hospital can have, B with nothing."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_asyncio
from lxml import etree
from sqlalchemy import select

from adapters.hospital_xml.names import DIALECT
from adapters.sandbox.client import Answer, Client, digest_of
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
from gateway.store.tables import metadata
from tests import postgres
from tests.store.conftest import SQLITE, STORES
from tests.world import DIAGNOSIS, World, bill_line, person, world

A, B = "H001", "H002"
Row = tuple[Any, ...]
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

    @property
    def own(self) -> tuple[str, ...]:
        """The ids that stand in rows of theirs only."""
        ids = (self.admission_id, self.settlement_id, self.message_id, self.inbox_id)
        return (*ids, self.application_id, self.cut_no)


@dataclass(frozen=True)
class Town:
    """Hospital A with a settled and a held stay, hospital B with nothing."""

    world: World
    a: Client
    b: Client
    theirs: Objects
    nobodys: Objects

    async def rows(self) -> dict[str, set[Row]]:
        """Everything that is stored, by table, but the numbers that leaves are given later."""
        async with self.world.desk.database.reading() as reader:
            found = {
                one.name: await reader.rows(select(*(at for at in one.c if at.name != _NUMBER)))
                for one in _TABLES
            }
        return {name: {tuple(row.values()) for row in rows} for name, rows in found.items()}

    async def settled(self) -> dict[str, set[Row]]:
        """What is stored of A once what runs in the background has had its turn."""
        before = {}
        while (now := self.of_a(await self.rows())) != before:
            before = now
            await asyncio.sleep(2 * self.world.gateway.settings.delivery_poll_s)
        return now

    def of_a(self, rows: dict[str, set[Row]]) -> dict[str, set[Row]]:
        """The rows that name A, or a thing of A's."""
        names = {A, *self.theirs.own}
        return {
            table: {row for row in found if not names.isdisjoint(_texts(row))}
            for table, found in rows.items()
        }


_NUMBER: Final = "leaf_index"
_TABLES: Final = [
    one for one in metadata.sorted_tables if one.name not in {"catalogue_edition", "policy_edition"}
]
"""Every table but those of the large editions, which are everybody's."""


def _texts(row: Row) -> set[str]:
    return {value for value in row if isinstance(value, str)}


@asynccontextmanager
async def unchanged(town: Town) -> AsyncIterator[None]:
    """Whatever is done inside changes no row of A's and adds none under A's name."""
    before = await town.rows()
    yield
    after = await town.rows()
    for table, rows in town.of_a(before).items():
        assert rows <= after[table], f"a row of {table} is another"
        new = {row for row in after[table] - before[table] if A in _texts(row)}
        assert not new, f"{table} has a new row under A's name"


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


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=STORES)
async def town(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Town]:
    """The two hospitals on one store; everything of A's is at rest."""
    embedded = request.param == SQLITE
    url = "" if embedded else postgres.new_database(request.getfixturevalue("migrated_url"))
    async with _built(tmp_path_factory.mktemp("isolation"), url) as made:
        yield made
    if url:
        postgres.drop(url)


@asynccontextmanager
async def _built(folder: Path, url: str) -> AsyncIterator[Town]:
    async with world(folder, database_url=url) as made:
        a, b = await made.hospital(A), await made.hospital(B)
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
        there = Town(made, a, b, theirs, nobodys)
        await there.settled()
        yield there


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


OF_THE_MOMENT = {"SentAt", "ExpiresAt", "ReceivedAt", "ProvableBy", "Checkpoint", "RequestDigest"}


def told(answer: Answer, named: Objects) -> bytes:
    """The reply apart from ids, times and what binds it to its own request."""
    root = etree.fromstring(answer.received)
    root.remove(root[2])
    for field in root[0]:
        if etree.QName(field).localname in OF_THE_MOMENT:
            field.text = "-"
    shown: bytes = etree.tostring(root, method="c14n", exclusive=True)
    for name in sorted(named.names, key=len, reverse=True):
        shown = shown.replace(name.encode(), b"-")
    return OURS.sub(b"-", shown)
