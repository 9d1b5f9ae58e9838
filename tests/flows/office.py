"""The gateway without its listeners: messages as verified, straight into their exchange.

No background task runs here: a test says itself when jobs are released and lanes are numbered.
"""

import asyncio
import itertools
import shutil
from base64 import b64encode
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from unittest.mock import patch

from lxml import etree

from adapters.catalog_file import sample_path
from gateway import app
from gateway.clock import SystemClock, at_business
from gateway.domain.admission import PaidAtDischargeBy
from gateway.domain.bill import BillLine
from gateway.domain.case import CaseState, Channel, TreatmentKind
from gateway.domain.codes import Outcome
from gateway.domain.commands import (
    CommitSettlement,
    DecideCase,
    QueryTransaction,
    RegisterAdmission,
    RegisterDischarge,
    ReportCase,
    ReverseTransaction,
    UploadFees,
    VoidFees,
)
from gateway.domain.message import Binding, Heading
from gateway.domain.party import KeyPurpose
from gateway.flows import administer
from gateway.flows.desk import Desk
from gateway.flows.exchange import Request, content_of, exchange
from gateway.flows.identify import connection, identify
from gateway.settings import Settings
from gateway.store.unit import StoreFailed, Unit, Write
from gateway.web import admin
from tests import postgres
from tests.world import DIAGNOSIS, bill_line, person

START = datetime(2026, 3, 2, 0, 0, tzinfo=UTC)
DAY = date(2026, 3, 2)
AGENCY = "AGENCY"
LINES = (
    bill_line("L1", "I0001", "12.00", "2", DAY),
    bill_line("L2", "NOT-IN-CATALOGUE", "98.00", "1", DAY),
)
_STORE = "database_url"
_FOREVER_US = 4_000_000_000_000_000


@dataclass(frozen=True, slots=True)
class Heard:
    """What a party hears: the reply with its exact bytes, and what it had said."""

    outcome: Outcome
    code: str
    result: Any
    sealed: bytes
    stored: bool
    said: Request

    @property
    def message_id(self) -> str:
        return self.said.heading.message_id


class Office:
    """One open gateway and everybody who writes to it."""

    def __init__(self, gateway: app.Gateway) -> None:
        self.gateway, self.desk = gateway, gateway.desk
        self._numbers = itertools.count(1)

    async def act(self, act: str, **given: Any) -> str:
        """An operator's act."""
        return await admin.perform(self.gateway.office, act, given)

    async def add(self, kind: str, party_id: str, **given: Any) -> None:
        """Register a party with keys that no test signs with."""
        values = {"party": party_id, "kind": kind, "name": f"{party_id}（虚构）"} | given
        await self.act("party.add", **values)
        await self.unsigned_keys(party_id)

    async def unsigned_keys(self, party_id: str) -> None:
        """Keys by which the party may say things here without signing them."""
        for purpose in KeyPurpose:
            key = administer.Certified(_fingerprint(party_id, purpose), "", 0, _FOREVER_US)
            await administer.register_key(self.desk, party_id, purpose, key)

    async def hospital(self, party_id: str, **given: Any) -> None:
        values = {"agreement_from": "2025-01-01", "capabilities": ["MEDICAL", "REHABILITATION"]}
        await self.add("hospital", party_id, **(values | given))

    # --- what a party writes ------------------------------------------------------------------

    def new_message_id(self, party_id: str) -> str:
        return f"{party_id}-{next(self._numbers):06d}"

    async def request(
        self, party_id: str, name: str, command: Any, message_id: str = "", **header: Any
    ) -> Request:
        """A message as the listener hands it over once its signature is verified."""
        codec: Any = self.desk.codec_for(party_id)
        now = self.desk.clock.now()
        values: dict[str, Any] = {
            "message_id": message_id or self.new_message_id(party_id),
            "command": name,
            "sender": party_id,
            "receiver": self.desk.receiver,
            "sent_at": now,
            "expires_at": now + timedelta(hours=12),
        }
        heading = Heading(**(values | header))
        return await self.believed(party_id, heading, codec.command_message(heading, command))

    async def believed(self, party_id: str, heading: Heading, content: bytes) -> Request:
        """The request of this content, its sender looked up as for every message."""
        keys = {purpose: _fingerprint(party_id, purpose) for purpose in KeyPurpose}
        identified = await identify(
            self.desk,
            frozenset(admin.PartyKind),
            party_id,
            keys[KeyPurpose.MESSAGE],
            keys[KeyPurpose.TLS],
        )
        tls_key, mandate = connection(self.desk, identified, heading.command)
        root, codec = etree.fromstring(content), self.desk.codec_for(party_id)
        return Request(
            heading=heading,
            digest=b64encode(sha256(content).digest()).decode(),
            raw=content,
            content=content_of(codec, heading.command, root, root[1][0]),
            codec=codec,
            party=identified.party,
            message_key=identified.message_key,
            tls_key=tls_key,
            mandate=mandate,
            received_at=self.desk.clock.now(),
        )

    async def hear(self, request: Request, desk: Desk | None = None) -> Heard:
        """The exchange of one message, its reply read as the sender reads it."""
        reply = await exchange(desk or self.desk, request)
        _, result = self.opened(request.heading.sender, reply.sealed)
        return Heard(reply.outcome, reply.code, result, reply.sealed, reply.stored, request)

    async def say(
        self, party_id: str, name: str, command: Any, message_id: str = "", **header: Any
    ) -> Heard:
        return await self.hear(await self.request(party_id, name, command, message_id, **header))

    def opened(self, party_id: str, sealed: bytes) -> tuple[Binding | None, Any]:
        """What a signed message of the gateway answers and says."""
        root = etree.fromstring(sealed)
        return self.desk.codec_for(party_id).reply(root[1][0], root[0])

    # --- the story in short -------------------------------------------------------------------

    def move_to(self, day: date, hour: int = 9) -> None:
        self.gateway.clock.move(at_business(day, hour) - self.gateway.clock.now())

    def case_report(self, case_no: str, serial: int, **given: Any) -> ReportCase:
        values: dict[str, Any] = {
            "case_no": case_no,
            "person": person(serial),
            "employer_no": "E1",
            "employer_name": "虚构机械厂",
            "injured_on": date(2026, 3, 1),
            "injured_parts": "右小腿",
            "diagnoses": (DIAGNOSIS,),
            "reported_by": "虚构人事",
            "reported_at": self.desk.clock.now(),
            "channel": Channel.WEB,
            "insured_at_injury": True,
        }
        return ReportCase(**(values | given))

    async def report(self, case_no: str, serial: int, **given: Any) -> Heard:
        return await self.say(AGENCY, "case.report", self.case_report(case_no, serial, **given))

    async def decide(self, case_no: str, state: CaseState, **given: Any) -> Heard:
        values: dict[str, Any] = {
            "case_no": case_no,
            "state": state,
            "decided_on": self.desk.today,
            "authority": "999900",
            "reason": "虚构决定",
            "decision_no": f"D-{case_no}",
            "applied_on": DAY,
            "accepted_on": DAY,
        }
        return await self.say(AGENCY, "case.decide", DecideCase(**(values | given)))

    async def recognised(self, case_no: str, serial: int, **given: Any) -> None:
        await self.report(case_no, serial, **given)
        await self.decide(case_no, CaseState.RECOGNISED)

    def registration(self, visit_no: str, serial: int, **given: Any) -> RegisterAdmission:
        values: dict[str, Any] = {
            "visit_no": visit_no,
            "person": person(serial),
            "treatment": TreatmentKind.INPATIENT,
            "admitted_at": at_business(date(2026, 3, 1), 15),
            "department": "骨科",
            "doctor": "虚构医师",
            "diagnoses": (DIAGNOSIS,),
        }
        return RegisterAdmission(**(values | given))

    async def register(self, hospital: str, visit_no: str, serial: int, **given: Any) -> Heard:
        command = self.registration(visit_no, serial, **given)
        return await self.say(hospital, "admission.register", command)

    def void_of(self, stay: str, *line_ids: str) -> VoidFees:
        return VoidFees(admission_id=stay, line_ids=line_ids, reason="虚构")

    async def upload(self, hospital: str, stay: str, *lines: BillLine) -> Heard:
        return await self.say(hospital, "fees.upload", UploadFees(admission_id=stay, lines=lines))

    async def discharge(self, hospital: str, stay: str, message_id: str = "") -> Heard:
        command = RegisterDischarge(
            admission_id=stay, discharged_at=self.desk.clock.now(), way="治愈"
        )
        return await self.say(hospital, "discharge.register", command, message_id)

    def commit_of(self, stay: str, *lines: BillLine, **given: Any) -> CommitSettlement:
        values: dict[str, Any] = {
            "admission_id": stay,
            "bill_no": f"B-{stay[-6:]}",
            "expected_count": len(lines),
            "expected_amount_fen": sum(line.amount_fen for line in lines),
            "paid_at_discharge_by": PaidAtDischargeBy.NOBODY,
            "operator": "op1",
        }
        return CommitSettlement(**(values | given))

    async def commit(
        self, hospital: str, stay: str, *lines: BillLine, message_id: str = "", **given: Any
    ) -> Heard:
        command = self.commit_of(stay, *lines, **given)
        return await self.say(hospital, "settlement.commit", command, message_id)

    async def reverse(
        self, hospital: str, target: str, command: str, message_id: str = "", **given: Any
    ) -> Heard:
        values = {"target_message_id": target, "target_command": command, "reason": "虚构原因"}
        wanted = ReverseTransaction(**(values | given))
        return await self.say(hospital, "transaction.reverse", wanted, message_id)

    async def query(self, hospital: str, target: str) -> Heard:
        wanted = QueryTransaction(target_message_id=target)
        return await self.say(hospital, "transaction.query", wanted)

    async def billed(
        self,
        hospital: str,
        visit_no: str,
        serial: int,
        lines: tuple[BillLine, ...] = LINES,
        **given: Any,
    ) -> str:
        """A registered stay with its lines uploaded and discharged: ready to commit."""
        heard = await self.register(hospital, visit_no, serial, **given)
        stay: str = heard.result.admission_id
        for first in range(0, len(lines), 500):
            await self.upload(hospital, stay, *lines[first : first + 500])
        await self.discharge(hospital, stay)
        return stay

    # --- what the store says ------------------------------------------------------------------

    async def rows(self, query: Any) -> list[dict[str, Any]]:
        async with self.desk.database.reading() as reader:
            return [dict(row) for row in await reader.rows(query)]

    async def write(self, *writes: Write) -> None:
        """What no message of this issue writes, straight into the store."""
        await self.desk.database.commit(Unit("T-TEST", 2026, writes=writes))

    @contextmanager
    def dying_after(self, commits: int) -> Iterator[None]:
        """Inside, the store takes so many transactions more, and then none."""
        commit, left = self.desk.database.commit, itertools.count(commits, -1)

        async def dying(unit: Unit) -> None:
            if next(left) <= 0:
                raise StoreFailed("killed")
            await commit(unit)

        with patch.object(self.desk.database, "commit", dying):
            yield

    async def kept(self, table: Any, query: Any) -> list[dict[str, Any]]:
        """Rows with their personal columns in clear."""
        async with self.desk.database.reading() as reader:
            return await reader.opened(table, query)


class Recorder:
    """A store that remembers every transaction."""

    def __init__(self, database: Any) -> None:
        self._database, self.units = database, list[Unit]()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)

    async def commit(self, unit: Unit) -> None:
        await self._database.commit(unit)
        self.units.append(unit)


class Barrier:
    """A store at whose commit transactions meet, prepared, before the first goes on.

    `order` says in which order those who met go on; after that nobody waits.
    """

    def __init__(self, database: Any, order: Sequence[int]) -> None:
        self._database, self._order = database, list(order)
        self._gates = [asyncio.Event() for _ in order]
        self._here = [asyncio.Event() for _ in order]
        self._count, self._opened = 0, False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)

    @property
    def arrived(self) -> int:
        """How many transactions were prepared before the first went on."""
        return self._count

    async def until(self, number: int) -> None:
        """Wait until so many transactions are prepared."""
        await self._here[number - 1].wait()

    def open(self) -> None:
        """Let those who are here go on; nobody waits any more."""
        self._opened = True
        self._order = [number for number in self._order if number < self._count]
        self._next()

    def _next(self) -> None:
        if self._order:
            self._gates[self._order.pop(0)].set()

    async def commit(self, unit: Any) -> None:
        if not self._opened:
            await self._meet()
        committing = asyncio.ensure_future(self._database.commit(unit))
        await asyncio.sleep(0)
        self._next()
        await committing

    async def _meet(self) -> None:
        number = self._count
        self._count += 1
        self._here[number].set()
        if self._count == len(self._gates):
            self.open()
        await self._gates[number].wait()


class Turnstile(Barrier):
    """A barrier where the next goes on only when the one before has ended: its order is the
    order of the commits, which between two open transactions PostgreSQL decides."""

    async def commit(self, unit: Any) -> None:
        if not self._opened:
            await self._meet()
        try:
            await self._database.commit(unit)
        finally:
            self._next()


def at_barrier(desk: Desk, order: Sequence[int] = (0, 1)) -> tuple[Desk, Barrier]:
    """The same desk with a barrier before the store."""
    barrier = Barrier(desk.database, order)
    return replace(desk, database=barrier), barrier  # type: ignore[arg-type]


def at_turnstile(desk: Desk, order: Sequence[int]) -> tuple[Desk, Barrier]:
    """The same desk with a turnstile before the store."""
    turnstile = Turnstile(desk.database, order)
    return replace(desk, database=turnstile), turnstile  # type: ignore[arg-type]


def _fingerprint(party_id: str, purpose: KeyPurpose) -> str:
    return sha256(f"{party_id} {purpose}".encode()).hexdigest()


def settings_in(folder: Path, **changed: Any) -> Settings:
    """The settings of the gateway in the folder, whose store is SQLite unless it names another."""
    told = folder / _STORE
    if told.exists():
        changed["database_url"] = told.read_text()
    return Settings(data_dir=folder / "gateway", environment="test", **changed)


def in_postgresql(folder: Path, url: str) -> Path:
    """The gateway of the folder keeps its store at this address."""
    (folder / _STORE).write_text(url)
    return folder


def prepare(folder: Path) -> Path:
    """A gateway's data with the agency, two hospitals and the sample catalogue, made once."""

    async def make() -> None:
        async with office_in(folder) as made:
            await made.add("agency", AGENCY)
            await made.hospital("H001")
            await made.hospital("H002")
            await made.act("catalog.import", path=str(sample_path()), valid_from="2025-01-01")

    postgres.waited(make())
    return folder


@asynccontextmanager
async def office_in(folder: Path, start: datetime = START, **changed: Any) -> AsyncIterator[Office]:
    """The gateway over the data in the folder, made when there is none."""
    async with app.opened(
        settings_in(folder, **changed), SystemClock.starting_at(start)
    ) as gateway:
        yield Office(gateway)


def copied(prepared: Path, folder: Path) -> Path:
    """A gateway's data of a test's own."""
    shutil.copytree(prepared / "gateway", folder / "gateway")
    if (prepared / _STORE).exists():
        in_postgresql(folder, postgres.new_database((prepared / _STORE).read_text()))
    return folder


def forgotten(folder: Path) -> None:
    """Drop the database of a gateway in PostgreSQL; files go by themselves."""
    if (folder / _STORE).exists():
        postgres.drop((folder / _STORE).read_text())
