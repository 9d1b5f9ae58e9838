"""kill -9 during settlement.commit, restart, resend: one settlement, the same reply."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

from adapters.agency_xml import AgencyXml
from adapters.catalog_file import sample_path
from adapters.hospital_xml import HospitalXml
from adapters.sandbox.client import Answer, Client, Unknown
from adapters.sandbox.keys import PartyKeys
from gateway.clock import business_day, elapsed_s, machine_now
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
from tests.e2e.deployed import Deployed, deployed
from tests.world import DIAGNOSIS, bill_line, person

KILLS, AT_ONCE = 5, 3
"""`make fault PART=kill` kills a thousand times."""
COMMITS = (KILLS + 1) * AT_ONCE
SEED = 20260302
DAY = business_day(machine_now()) - timedelta(days=1)
LINES = tuple(bill_line(f"L{n:03d}", "I0001", "12.00", "1", DAY) for n in range(60))


@asynccontextmanager
async def client(gateway: Deployed, keys: PartyKeys, listener: str) -> AsyncIterator[Client]:
    codec: Any = HospitalXml() if listener == "hospital" else AgencyXml()
    made = Client(
        party_id=keys.party_id,
        receiver=gateway.settings.receiver,
        url=f"https://localhost:{gateway.ports[listener]}",
        signer=keys.signer(),
        tls=keys.tls(gateway.ca),
        trust=gateway.ca.read_bytes(),
        codec=codec,
        now=machine_now,
    )
    try:
        yield made
    finally:
        await made.close()


def agency_keys(gateway: Deployed) -> PartyKeys:
    """The agency, which pulls here: what it gets is not this test's matter."""
    gateway.act("party.add", party="AGENCY", kind="agency", name="虚构经办机构")
    keys = PartyKeys("AGENCY", gateway.settings.data_dir.parent / "AGENCY")
    for purpose in ("tls", "message"):
        csr = keys.request(purpose).read_text()
        pem = gateway.act("key.enrol", party="AGENCY", purpose=purpose, csr=csr)
        keys.certificate(purpose).write_text(pem)
    return keys


async def report(agency: Client, serial: int) -> None:
    reported = ReportCase(
        case_no=f"C{serial}", person=person(serial), employer_no="E1", employer_name="虚构机械厂",
        injured_on=DAY, injured_parts="右小腿", diagnoses=(DIAGNOSIS,), reported_by="虚构人事",
        reported_at=machine_now(), channel=Channel.WEB, insured_at_injury=True,
    )  # fmt: skip
    assert (await agency.send("case.report", reported)).code == "OK"


async def decide(agency: Client, serial: int) -> None:
    decided = DecideCase(
        case_no=f"C{serial}", state=CaseState.RECOGNISED, decided_on=DAY, authority="999900",
        reason="虚构", decision_no=f"D{serial}", applied_on=DAY, accepted_on=DAY,
    )  # fmt: skip
    assert (await agency.send("case.decide", decided)).code == "OK"


async def recognise(gateway: Deployed, keys: PartyKeys, people: int = 1) -> None:
    """The injuries of so many workers are work injuries."""
    async with client(gateway, keys, "agency") as agency:
        for serial in range(1, people + 1):
            await report(agency, serial)
            await decide(agency, serial)


async def billed(hospital: Client, visit_no: str) -> str:
    """A stay with its lines, discharged: ready to commit."""
    registered = RegisterAdmission(
        visit_no=visit_no, person=person(1), treatment=TreatmentKind.INPATIENT,
        admitted_at=machine_now() - timedelta(days=1), department="骨科", doctor="虚构医师",
        diagnoses=(DIAGNOSIS,),
    )  # fmt: skip
    stay: str = (await hospital.send("admission.register", registered)).result.admission_id
    await hospital.send("fees.upload", UploadFees(admission_id=stay, lines=LINES))
    left = RegisterDischarge(admission_id=stay, discharged_at=machine_now(), way="治愈")
    assert (await hospital.send("discharge.register", left)).code == "OK"
    return stay


def commit_of(stay: str, lines: tuple[BillLine, ...] = LINES) -> CommitSettlement:
    return CommitSettlement(
        admission_id=stay,
        bill_no=stay[-8:],
        expected_count=len(lines),
        expected_amount_fen=sum(line.amount_fen for line in lines),
        paid_at_discharge_by=PaidAtDischargeBy.NOBODY,
        operator="op1",
    )


async def heard(hospital: Client, message_id: str, sealed: bytes) -> Answer | None:
    """The answer, or None when the outcome is unknown."""
    try:
        return await hospital.post(message_id, sealed)
    except Unknown:
        return None


async def killed_while_committing(
    gateway: Deployed, keys: PartyKeys, sealed: dict[str, bytes], delay_s: float
) -> dict[str, Answer | None]:
    async with client(gateway, keys, "hospital") as hospital:
        posts = [asyncio.create_task(heard(hospital, *one)) for one in sealed.items()]
        await asyncio.sleep(delay_s)
        gateway.process.kill()
        return dict(zip(sealed, await asyncio.gather(*posts), strict=True))


async def prepared(gateway: Deployed) -> tuple[PartyKeys, list[dict[str, bytes]], float]:
    """The hospital's keys, per kill the signed commits that will be on their way, and how long
    this machine takes for as many, so that kills fall on both sides of the acknowledgement."""
    keys = gateway.hospital("H001")
    gateway.act("catalog.import", path=str(sample_path()), valid_from="2025-01-01")
    await recognise(gateway, agency_keys(gateway))
    rounds = []
    async with client(gateway, keys, "hospital") as hospital:
        for kill in range(KILLS + 1):
            stays = [await billed(hospital, f"V{kill}-{n}") for n in range(AT_ONCE)]
            rounds.append(
                {
                    f"COMMIT-{stay}": hospital.sealed(
                        "settlement.commit", commit_of(stay), f"COMMIT-{stay}"
                    )
                    for stay in stays
                }
            )
    first = rounds.pop()
    started = elapsed_s()
    await resent(gateway, keys, dict.fromkeys(first), first)
    return keys, rounds, elapsed_s(started)


async def resent(
    gateway: Deployed, keys: PartyKeys, first: dict[str, Answer | None], sealed: dict[str, bytes]
) -> int:
    """Everything is sent again: settled now, and word for word what was heard before."""
    acknowledged = 0
    async with client(gateway, keys, "hospital") as hospital:
        for message_id, content in sealed.items():
            again = await hospital.post(message_id, content)
            assert again.code == "OK"
            before = first[message_id]
            if before is not None:
                acknowledged += 1
                assert again.received == before.received
            assert (await hospital.post(message_id, content)).received == again.received
    return acknowledged


async def test_a_commit_killed_at_any_moment_settles_once_with_one_reply(tmp_path: Path) -> None:
    random, acknowledged, first = Random(SEED), 0, dict[str, Answer | None]()  # noqa: S311
    sealed: dict[str, bytes] = {}
    rounds: list[dict[str, bytes]] = []
    for kill in range(KILLS + 1):
        with deployed(tmp_path) as gateway:
            if kill == 0:
                keys, rounds, usual_s = await prepared(gateway)
            else:
                acknowledged += await resent(gateway, keys, first, sealed)
            if kill < KILLS:
                sealed = rounds[kill]
                delay_s = random.uniform(0.0, usual_s)
                first = await killed_while_committing(gateway, keys, sealed, delay_s)
    assert 0 < acknowledged < KILLS * AT_ONCE, f"seed {SEED}: the kills must fall on both sides"
    assert_each_stay_settled_once(tmp_path / "data" / "gateway.db")


def assert_each_stay_settled_once(database: Path) -> None:
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        live = connection.execute(
            "SELECT count(*), count(DISTINCT admission_id) FROM settlement"
        ).fetchone()
        unbalanced = connection.execute(
            "SELECT s.settlement_id FROM settlement s LEFT JOIN transfer t"
            " ON t.subject = s.settlement_id GROUP BY s.settlement_id"
            " HAVING coalesce(sum(t.amount_fen), 0) <> s.fund_fen + s.meal_fen"
        ).fetchall()
        replies = connection.execute(
            "SELECT count(*) FROM message WHERE command = 'settlement.commit'"
        ).fetchone()
    connection.close()
    assert live == (COMMITS, COMMITS)
    assert replies == (COMMITS,)
    assert unbalanced == []
