"""What stands around the gateway that is measured: a hospital, the agency's core system, bills.

The gateway is a process of its own, as its operator starts it; hospital and agency live in ours.
"""

import asyncio
import re
import ssl
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from http.client import HTTPSConnection
from itertools import count
from pathlib import Path
from threading import Lock, Thread
from typing import Any, Final

from adapters.agency_xml import AgencyXml
from adapters.catalog_file import sample_path
from adapters.hospital_xml import HospitalXml
from adapters.sandbox.agency import Core, server_tls
from adapters.sandbox.client import Client
from adapters.sandbox.keys import PartyKeys
from adapters.sandbox.partner import Partner
from gateway.clock import SystemClock, at_business, elapsed_s
from gateway.domain.admission import PaidAtDischargeBy
from gateway.domain.bill import BillLine
from gateway.domain.case import CaseState, Channel, TreatmentKind
from gateway.domain.commands import (
    CommitSettlement,
    DecideCase,
    RegisterAdmission,
    RegisterDischarge,
    ReportCase,
    UploadFees,
)
from gateway.domain.results import Settlement
from gateway.domain.split import Split
from gateway.rules.settle import Bill
from gateway.web.messages import PATH
from gateway.web.mtls import Listener, make_server, serve, stop
from tests import postgres
from tests.bench.bill import DAYS, FIRST, NIGHTS, a_real_bill
from tests.e2e.deployed import Deployed, deployed
from tests.e2e.test_processes import gateway_said, shared
from tests.world import DIAGNOSIS, person

START: Final = at_business(FIRST + timedelta(days=DAYS + NIGHTS + 1), 9)
"""The business clock of all, when every bill is over."""
PAGE: Final = 500
SHORTEST: Final = 20
"""Lines of the shortest bill that is composed."""
_PATIENCE_S: Final = 120.0
_LOOK_AGAIN_S: Final = 0.02
_RECEIPTS_KEPT_S: Final = 0.3
_KEPT_S: Final = 10.0
_STAY: Final = re.compile(rb"<AdmissionId>([^<]+)</AdmissionId>")
_XML: Final = {"Content-Type": "application/xml"}


@dataclass(frozen=True, slots=True)
class Ready:
    """A registered, discharged stay with the signed messages that will settle it."""

    bill: Bill
    uploads: tuple[bytes, ...]
    commit: bytes

    @property
    def stay(self) -> str:
        return self.bill.stay.admission_id

    @property
    def messages(self) -> tuple[bytes, ...]:
        return *self.uploads, self.commit


class Line:
    """One kept connection to a listener."""

    def __init__(self, port: int, tls: ssl.SSLContext) -> None:
        self._connection = HTTPSConnection("localhost", port, timeout=60, context=tls)
        self._used = elapsed_s()

    def post(self, sealed: bytes) -> bytes:
        """The answer to exact bytes; only one that was applied is taken."""
        if elapsed_s(self._used) > _KEPT_S:
            # The gateway hangs up on who rests; the next request connects anew.
            self._connection.close()
        self._connection.request("POST", PATH, sealed, _XML)
        answer = self._connection.getresponse()
        body, self._used = answer.read(), elapsed_s()
        if answer.status != 200:
            raise AssertionError(body.decode())
        return body

    def close(self) -> None:
        self._connection.close()


class Agency:
    """The agency's core system in a thread of its own: every message is verified and receipted."""

    def __init__(self, folder: Path, clock: SystemClock) -> None:
        self.partner = Partner(folder)
        self.partner.make()
        self._clock = clock
        self._loop = asyncio.new_event_loop()
        self.core: Core
        self._listener: Listener
        self._thread: Thread

    def listen(self, gateway: Deployed) -> PartyKeys:
        """Open for the gateway's messages; the agency's keys."""
        ca = gateway.ca
        codec, now = AgencyXml(), self._clock.now
        self.core = Core(party_id="AGENCY", trust=ca.read_bytes(), codec=codec, now=now)
        tls = server_tls(self.partner.certificate, self.partner.key, ca)
        self._listener = make_server(self.core.app(), "127.0.0.1", 0, tls)
        url = f"https://localhost:{self._listener.port}/messages"
        keys = gateway.party("AGENCY", kind="agency", callback=url)
        self.core.signer = keys.signer()
        self._thread = Thread(target=self._loop.run_until_complete, args=(self._serve(),))
        self._thread.start()
        return keys

    async def _serve(self) -> None:
        await serve([self._listener])

    def now(self) -> datetime:
        """The business instant."""
        return self._clock.now()

    def close(self) -> None:
        """Stop listening."""
        self._loop.call_soon_threadsafe(stop, [self._listener])
        self._thread.join()
        self._loop.close()


class Town:
    """The parties of one deployment and the bills of its hospital."""

    def __init__(self, gateway: Deployed, agency: Agency, clock: SystemClock) -> None:
        self.gateway, self.agency, self.clock = gateway, agency, clock
        self.agency_client = self._client(agency.listen(gateway), "agency")
        self.keys = gateway.hospital("H001")
        self.hospital_client = self._client(self.keys, "hospital")
        gateway.act("catalog.import", path=str(sample_path()), valid_from="2025-01-01")
        self._desk = Line(gateway.ports["agency"], self.agency_client.tls)
        self.line = self.new_line(gateway)
        self._settled, self._counting = 0, Lock()
        self._numbers = count()

    def new_line(self, gateway: Deployed) -> Line:
        """Another connection of the hospital's, to this process of the deployment."""
        return Line(gateway.ports["hospital"], self.hospital_client.tls)

    def _client(self, keys: PartyKeys, listener: str) -> Client:
        codec: Any = HospitalXml() if listener == "hospital" else AgencyXml()
        return Client(
            party_id=keys.party_id,
            receiver=self.gateway.settings.receiver,
            url="",
            signer=keys.signer(),
            tls=keys.tls(self.gateway.ca),
            trust=self.gateway.ca.read_bytes(),
            codec=codec,
            now=self.clock.now,
        )

    def ready(self, lines: int) -> Ready:
        """The next bill, of a worker of its own, registered and discharged."""
        number = next(self._numbers)
        bill = _shortened(a_real_bill(number, max(lines, SHORTEST)), lines)
        self._recognised(number, bill)
        stay = self._registered(number, bill)
        pages = [bill.lines[at : at + PAGE] for at in range(0, lines, PAGE)]
        return Ready(
            replace(bill, stay=replace(bill.stay, admission_id=stay)),
            tuple(self.upload(stay, page) for page in pages),
            self._sealed("settlement.commit", _commit(stay, bill.lines)),
        )

    def _recognised(self, number: int, bill: Bill) -> None:
        injured = bill.stay.admitted_on
        report = ReportCase(
            case_no=f"C{number}", person=person(number), employer_no="E1",
            employer_name="虚构机械厂", injured_on=injured, injured_parts="右小腿",
            diagnoses=(DIAGNOSIS,), reported_by="虚构人事", channel=Channel.WEB,
            reported_at=bill.stay.admitted_at, insured_at_injury=True,
        )  # fmt: skip
        decide = DecideCase(
            case_no=f"C{number}", state=CaseState.RECOGNISED, decided_on=injured,
            authority="999900", reason="虚构", decision_no=f"D{number}",
            applied_on=injured, accepted_on=injured,
        )  # fmt: skip
        for name, command in (("case.report", report), ("case.decide", decide)):
            client = self.agency_client
            self._desk.post(client.sealed(name, command, client.new_message_id()))

    def _registered(self, number: int, bill: Bill) -> str:
        stay = bill.stay
        register = RegisterAdmission(
            visit_no=f"V{number}", person=person(number), treatment=TreatmentKind.INPATIENT,
            admitted_at=stay.admitted_at, department="骨科", doctor="虚构医师",
            diagnoses=(DIAGNOSIS,),
        )  # fmt: skip
        answer = self.line.post(self._sealed("admission.register", register))
        found = _STAY.search(answer)
        if found is None:
            raise AssertionError(answer.decode())
        admission_id = found[1].decode()
        left_at = stay.discharged_at or self.clock.now()
        left = RegisterDischarge(admission_id=admission_id, discharged_at=left_at, way="治愈")
        self.line.post(self._sealed("discharge.register", left))
        return admission_id

    def upload(self, stay: str, lines: tuple[BillLine, ...]) -> bytes:
        """A signed upload of lines."""
        return self._sealed("fees.upload", UploadFees(admission_id=stay, lines=lines))

    def _sealed(self, name: str, command: Any) -> bytes:
        client = self.hospital_client
        return client.sealed(name, command, client.new_message_id())

    def settle(self, bills: Sequence[Ready], line: Line | None = None) -> tuple[float, ...]:
        """Every message of the bills, one after the other; for each bill the seconds from its
        first byte sent to its last received."""
        latencies = []
        for bill in bills:
            began = elapsed_s()
            for message in bill.messages:
                (line or self.line).post(message)
            latencies.append(elapsed_s(began))
        with self._counting:
            self._settled += len(bills)
        return tuple(latencies)

    def delivered_all(self) -> None:
        """Wait until the agency has every settlement, and the gateway the receipts."""
        since = elapsed_s()
        while self._told() < self._settled:
            if elapsed_s(since) > _PATIENCE_S:
                raise AssertionError(f"{self._told()} of {self._settled} settlements delivered")
            time.sleep(_LOOK_AGAIN_S)
        time.sleep(_RECEIPTS_KEPT_S)

    def _told(self) -> int:
        return sum(1 for _ in self._settlements())

    def _settlements(self) -> Iterator[Settlement]:
        received = list(self.agency.core.received.values())
        return (one for one in received if isinstance(one, Settlement))

    def split(self, admission_id: str) -> Split | None:
        """Who bears what of a stay, as the agency was told."""
        told = (one for one in self._settlements() if one.admission_id == admission_id)
        return next(told).split

    def close(self) -> None:
        self._desk.close()
        self.line.close()
        self.agency.close()


def _shortened(bill: Bill, lines: int) -> Bill:
    """Its first lines, when it has more than wanted: refunds come last."""
    return replace(bill, lines=bill.lines[:lines])


def _commit(stay: str, lines: tuple[BillLine, ...]) -> CommitSettlement:
    return CommitSettlement(
        admission_id=stay,
        bill_no=f"B-{stay[-6:]}",
        expected_count=len(lines),
        expected_amount_fen=sum(line.amount_fen for line in lines),
        paid_at_discharge_by=PaidAtDischargeBy.NOBODY,
        operator="op1",
    )


@contextmanager
def town(folder: Path, **changed: str) -> Iterator[Town]:
    """A deployment with its agency and one hospital, everything on."""
    clock = SystemClock.starting_at(START)
    agency = Agency(folder / "agency", clock)
    with deployed(folder / "gateway", **settings_of(agency), **changed) as gateway:
        made = Town(gateway, agency, clock)
        try:
            yield made
        finally:
            made.close()


@contextmanager
def town_on_postgresql(folder: Path) -> Iterator[tuple[Town, str]]:
    """The same on a PostgreSQL of its own that is as safe as an operator's; and its address."""
    with postgres.careful() as url:
        migrated = gateway_said(url, folder / "gateway" / "data", "migrate")
        if migrated.returncode:
            raise AssertionError(migrated.stderr)
        with town(folder, database_url=url) as made:
            yield made, url


@contextmanager
def second_process(town: Town, folder: Path, url: str) -> Iterator[Deployed]:
    """Another process of the town's deployment, with the same keys."""
    shared(town.gateway.settings.data_dir, folder / "data")
    with deployed(folder, **settings_of(town.agency), database_url=url) as gateway:
        yield gateway


def settings_of(agency: Agency) -> dict[str, str]:
    """What a process of the deployment is told beside where its store is."""
    return {
        "partner_ca": str(agency.partner.ca),
        "business_start": agency.now().isoformat(),
        "requests_per_second_per_party": "100000",
    }
