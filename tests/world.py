"""A whole deployment on loopback: real TLS, real store, real signatures, a business clock."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from adapters.agency_xml import AgencyXml
from adapters.catalog_file import sample_path
from adapters.hospital_xml import HospitalXml
from adapters.sandbox.agency import Core, server_tls
from adapters.sandbox.client import Answer, Client
from adapters.sandbox.keys import PartyKeys
from gateway import app
from gateway.clock import SystemClock, at_business, machine_now
from gateway.domain.admission import Diagnosis, PaidAtDischargeBy
from gateway.domain.bill import BillLine
from gateway.domain.case import CaseState, Channel, TreatmentKind
from gateway.domain.commands import (
    CommitSettlement,
    DecideCase,
    Identity,
    PreviewSettlement,
    RegisterAdmission,
    RegisterDischarge,
    ReportCase,
    UploadFees,
)
from gateway.domain.money import price, quantity, times
from gateway.seal import authority
from gateway.settings import Settings
from gateway.web import admin
from gateway.web.mtls import Listener, make_server, serve, stop

START = datetime(2026, 3, 2, 0, 0, tzinfo=UTC)
DIAGNOSIS = Diagnosis("S82.100x001", "胫骨近端骨折", True)
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def id_number(serial: int) -> str:
    """A generated identity number with a right check digit; nobody's."""
    body = f"999900{1960 + serial % 40}0101{serial % 1000:03d}"
    weighed = sum(int(digit) * weight for digit, weight in zip(body, _WEIGHTS, strict=True))
    return body + "10X98765432"[weighed % 11]


def person(serial: int) -> Identity:
    """A generated worker."""
    return Identity(id_no=id_number(serial), name=f"测试{serial:03d}")


def bill_line(
    line_id: str, code: str, unit_price: str, count: str, day: date, **more: Any
) -> BillLine:
    """A line that charges price × quantity at ten in the morning of the day."""
    micro, amount = price(unit_price), quantity(count)
    return BillLine(
        line_id=line_id,
        occurred_at=at_business(day, 10),
        service_day=day,
        code=code,
        name=more.pop("name", code),
        quantity=amount,
        price=micro,
        amount_fen=more.pop("amount_fen", times(micro, amount)),
        **more,
    )


class World:
    """The gateway, its agency and its hospitals."""

    def __init__(
        self,
        folder: Path,
        gateway: app.Gateway,
        ports: dict[str, int],
        listeners: dict[str, Listener],
    ) -> None:
        self.folder, self.gateway = folder, gateway
        self.ports, self.listeners = ports, listeners
        self.desk, self.clock = gateway.desk, gateway.clock
        self.core: Core
        self.agency: Client
        self._clients: list[Client] = []

    async def act(self, act: str, **given: Any) -> str:
        """An operator's act."""
        return await admin.perform(self.gateway.office, act, given)

    async def enrol(self, kind: str, party_id: str, **given: Any) -> PartyKeys:
        """Register a party with a TLS and a message key."""
        values = {"party": party_id, "kind": kind, "name": f"{party_id}（虚构）"} | given
        await self.act("party.add", **values)
        keys = PartyKeys(party_id, self.folder / party_id)
        for purpose in ("tls", "message"):
            await self.renew(keys, purpose)
        return keys

    async def renew(self, keys: PartyKeys, purpose: str) -> None:
        csr = keys.request(purpose).read_text()
        pem = await self.act("key.enrol", party=keys.party_id, purpose=purpose, csr=csr)
        keys.certificate(purpose).write_text(pem)

    async def hospital(self, party_id: str, **given: Any) -> Client:
        """A designated hospital with a client of its own."""
        values = {"agreement_from": "2025-01-01", "capabilities": ["MEDICAL", "REHABILITATION"]}
        return self.client(await self.enrol("hospital", party_id, **(values | given)))

    def client(
        self, keys: PartyKeys, via: PartyKeys | None = None, listener: str = "hospital"
    ) -> Client:
        """A client that signs with `keys` and connects with `via` (a carrier's) or its own."""
        codec: Any = HospitalXml() if listener == "hospital" else AgencyXml()
        ca = self.gateway.deployment.ca
        client = Client(
            party_id=keys.party_id,
            receiver=self.gateway.settings.receiver,
            url=f"https://localhost:{self.ports[listener]}",
            signer=keys.signer(),
            tls=(via or keys).tls(ca),
            trust=ca.read_bytes(),
            codec=codec,
            now=self.clock.now,
        )
        self._clients.append(client)
        return client

    def move_to(self, day: date, hour: int = 9) -> None:
        """Set the business clock forward to a morning."""
        self.clock.move(at_business(day, hour) - self.clock.now())

    async def report(self, case_no: str, serial: int, **given: Any) -> Answer:
        """The agency reports a case of the generated worker."""
        values: dict[str, Any] = {
            "case_no": case_no,
            "person": person(serial),
            "employer_no": "E1",
            "employer_name": "虚构机械厂",
            "injured_on": date(2026, 3, 1),
            "injured_parts": "右小腿",
            "diagnoses": (DIAGNOSIS,),
            "reported_by": "虚构人事",
            "reported_at": self.clock.now(),
            "channel": Channel.WEB,
            "insured_at_injury": True,
        }
        return await self.agency.send("case.report", ReportCase(**(values | given)))

    async def decide(self, case_no: str, state: CaseState, **given: Any) -> Answer:
        """The department decides, by the agency's message."""
        values: dict[str, Any] = {
            "case_no": case_no,
            "state": state,
            "decided_on": self.desk.today,
            "authority": "999900",
            "reason": "虚构决定",
            "decision_no": f"D-{case_no}",
            "applied_on": date(2026, 3, 2),
            "accepted_on": date(2026, 3, 2),
        }
        return await self.agency.send("case.decide", DecideCase(**(values | given)))

    async def recognised(self, case_no: str, serial: int, **given: Any) -> None:
        """A reported and recognised case."""
        await self.report(case_no, serial, **given)
        await self.decide(case_no, CaseState.RECOGNISED)

    async def register(self, hospital: Client, visit_no: str, serial: int, **given: Any) -> Answer:
        values: dict[str, Any] = {
            "visit_no": visit_no,
            "person": person(serial),
            "treatment": TreatmentKind.INPATIENT,
            "admitted_at": at_business(date(2026, 3, 1), 15),
            "department": "骨科",
            "doctor": "虚构医师",
            "diagnoses": (DIAGNOSIS,),
        }
        return await hospital.send("admission.register", RegisterAdmission(**(values | given)))

    async def upload(self, hospital: Client, admission_id: str, *lines: BillLine) -> Answer:
        command = UploadFees(admission_id=admission_id, lines=lines)
        return await hospital.send("fees.upload", command)

    async def discharge(
        self, hospital: Client, admission_id: str, at: datetime | None = None
    ) -> Answer:
        command = RegisterDischarge(
            admission_id=admission_id, discharged_at=at or self.clock.now(), way="治愈"
        )
        return await hospital.send("discharge.register", command)

    async def preview(self, hospital: Client, admission_id: str, *lines: BillLine) -> Answer:
        command = PreviewSettlement(
            admission_id=admission_id,
            expected_count=len(lines),
            expected_amount_fen=sum(line.amount_fen for line in lines),
        )
        return await hospital.send("settlement.preview", command)

    async def commit(
        self,
        hospital: Client,
        admission_id: str,
        *lines: BillLine,
        message_id: str = "",
        **given: Any,
    ) -> Answer:
        values: dict[str, Any] = {
            "admission_id": admission_id,
            "bill_no": f"B-{admission_id[-6:]}",
            "expected_count": len(lines),
            "expected_amount_fen": sum(line.amount_fen for line in lines),
            "paid_at_discharge_by": PaidAtDischargeBy.NOBODY,
            "operator": "op1",
        }
        return await hospital.send(
            "settlement.commit", CommitSettlement(**(values | given)), message_id
        )

    async def until(self, condition: Any, wait_s: float = 10.0) -> None:
        """Wait until the awaited condition holds."""
        async with asyncio.timeout(wait_s):
            while not await condition():
                await asyncio.sleep(0.02)

    async def close(self) -> None:
        for client in self._clients:
            await client.close()


@asynccontextmanager
async def world(folder: Path, start: datetime = START, **changed: Any) -> AsyncIterator[World]:
    """A running deployment of the example region with its agency and the sample catalogue."""
    partner_ca = _agency_authority(folder)
    settings = Settings(
        data_dir=folder / "gateway",
        environment="test",
        hospital_port=0,
        agency_port=0,
        ops_port=0,
        partner_ca=partner_ca,
        delivery_poll_s=0.05,
        **changed,
    )
    async with app.opened(settings, SystemClock.starting_at(start)) as gateway:
        listeners = app.make_listeners(gateway)
        ports = {name: one.port for name, one in listeners.items() if name != "admin"}
        serving = asyncio.create_task(app.serve_all(gateway, listeners))
        made = World(folder, gateway, ports, listeners)
        core = await _agency(made)
        try:
            yield made
        finally:
            await made.close()
            stop(list(listeners.values()))
            await serving
            core[0].should_exit = True
            await core[1]


def _agency_authority(folder: Path) -> Path:
    """The agency's own authority and server certificate."""
    now = machine_now()
    now = now.replace(microsecond=0)
    since, until = now - timedelta(days=1), now + timedelta(days=30)
    key, certificate = authority.create_authority("agency CA", since, until)
    folder.mkdir(parents=True, exist_ok=True)
    server_key = authority.new_key()
    csr = authority.make_csr(server_key, "localhost")
    names = ["localhost", "127.0.0.1"]
    server = authority.issue(key, certificate, csr, "tls_server", names, since, until)
    authority.write_private_key(folder / "core.key", server_key)
    from cryptography.hazmat.primitives.serialization import Encoding

    (folder / "core.pem").write_bytes(server.public_bytes(Encoding.PEM))
    (folder / "core-ca.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    return folder / "core-ca.pem"


async def _agency(made: World) -> Any:
    """The agency's core system with its listener, and the sample catalogue."""
    ca = made.gateway.deployment.ca
    core = Core(
        party_id="AGENCY",
        signer=None,  # type: ignore[arg-type]
        trust=ca.read_bytes(),
        codec=AgencyXml(),
        now=made.clock.now,
    )
    tls = server_tls(made.folder / "core.pem", made.folder / "core.key", ca)
    listener = make_server(core.app(), "127.0.0.1", 0, tls)
    url = f"https://localhost:{listener.port}/messages"
    keys = await made.enrol("agency", "AGENCY", callback=url)
    core.signer = keys.signer()
    made.core, made.agency = core, made.client(keys, listener="agency")
    await made.act("catalog.import", path=str(sample_path()), valid_from="2025-01-01")
    return listener, asyncio.create_task(serve([listener]))
