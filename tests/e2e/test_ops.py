"""The operations listener of a whole deployment: alive, ready, counted, and silent of persons."""

import json
import resource
import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from adapters.sandbox.keys import PartyKeys
from gateway.domain.admission import Diagnosis
from gateway.domain.case import TreatmentKind
from gateway.domain.codes import Outcome
from gateway.domain.commands import Identity, ReadPerson, RegisterAdmission
from gateway.seal.offline import verify_offline
from gateway.store import tables
from gateway.store.unit import Insert, Unit
from tests.e2e.deployed import Deployed, deployed
from tests.world import World, bill_line, id_number, world

LINES = (bill_line("L1", "I0001", "12.00", "2", date(2026, 3, 2)),)
CANARY = Identity(id_no=id_number(777), name="金丝雀甲乙", phone="13900000777")


async def page(town: World, path: str) -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False, timeout=30) as http:
        return await http.get(f"http://127.0.0.1:{town.ports['ops']}{path}")


def checks(answer: httpx.Response) -> dict[str, str]:
    """The worst status of each check of /readyz."""
    told = answer.json()["checks"]
    return {name: "/".join(sorted({one["status"] for one in told[name]})) for name in told}


async def test_a_fresh_deployment_is_alive_and_ready(tmp_path: Path) -> None:
    async with world(tmp_path) as town:
        alive, ready = await page(town, "/livez"), await page(town, "/readyz")
    assert (alive.status_code, alive.json()) == (200, {"status": "pass"})
    assert (ready.status_code, ready.json()["status"]) == (200, "pass")
    assert {"commit", "migrations", "disk", "lanes", "calendar"} <= checks(ready).keys()


async def test_every_check_says_in_both_languages_what_was_seen(tmp_path: Path) -> None:
    async with world(tmp_path) as town:
        told = (await page(town, "/readyz")).json()["checks"]
    for name, found in told.items():
        for one in found:
            zh, _, en = one["output"].partition(" / ")
            assert zh, name
            assert en.isascii(), name


async def test_a_calendar_that_is_not_published_only_warns(tmp_path: Path) -> None:
    async with world(tmp_path, datetime(2027, 2, 1, tzinfo=UTC)) as town:
        ready = await page(town, "/readyz")
        assert ready.status_code == 200
        assert (ready.json()["status"], checks(ready)["calendar"]) == ("warn", "warn")
        await town.recognised("C1", 1)
        stay = await town.register(await town.hospital("H001"), "V1", 1)
    assert stay.outcome is Outcome.APPLIED


async def test_not_ready_while_nothing_can_be_committed_and_ready_again_after(
    tmp_path: Path,
) -> None:
    async with world(tmp_path) as town:
        path = town.gateway.settings.database_path
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            blocked = await page(town, "/readyz")
            alive = await page(town, "/livez")
            other.execute("ROLLBACK")

        async def ready() -> bool:
            return (await page(town, "/readyz")).status_code == 200

        await town.until(ready, wait_s=20)
    assert (blocked.status_code, checks(blocked)["commit"]) == (503, "fail")
    assert alive.status_code == 200


async def test_not_ready_when_the_schema_is_not_this_programs(tmp_path: Path) -> None:
    async with world(tmp_path) as town:
        path = town.gateway.settings.database_path
        with closing(sqlite3.connect(path)) as other, other:
            other.execute("UPDATE alembic_version SET version_num = '0000'")
        ready = await page(town, "/readyz")
    assert (ready.status_code, checks(ready)["migrations"]) == (503, "fail")


async def test_not_ready_when_the_disk_is_nearly_full(tmp_path: Path) -> None:
    free = shutil.disk_usage(tmp_path).free
    async with world(tmp_path, min_free_disk_bytes=2 * free) as town:
        ready = await page(town, "/readyz")
    assert (ready.status_code, checks(ready)["disk"]) == (503, "fail")


async def test_not_ready_when_a_certificate_is_gone(tmp_path: Path) -> None:
    async with world(tmp_path) as town:
        (town.gateway.settings.trust_dir / "signer.pem").unlink()
        ready = await page(town, "/readyz")
    assert (ready.status_code, checks(ready)["certificate.signer"]) == (503, "fail")


async def test_what_breaks_an_invariant_is_found_in_the_night_and_told(tmp_path: Path) -> None:
    broken = dict.fromkeys(("debit", "credit", "subject", "business_day"), "x") | {"debit": "y"}
    row = broken | {"tx_id": "T1", "seq": 0, "amount_fen": 1}
    async with world(tmp_path) as town:
        unit = Unit("T1", 2026, writes=(Insert(tables.transfer, [row]),))
        await town.gateway.desk.database.commit(unit)
        assert checks(await page(town, "/readyz"))["invariants"] == "pass"
        town.move_to(date(2026, 3, 3), 3)

        async def told() -> bool:
            return checks(await page(town, "/readyz"))["invariants"] == "fail"

        await town.until(told)
        assert "gw_invariant_breaches 2.0" in (await page(town, "/metrics")).text


async def test_metrics_count_a_settlement(tmp_path: Path) -> None:
    async with world(tmp_path) as town:
        hospital = await town.hospital("H001")
        await town.recognised("C1", 1)
        stay = (await town.register(hospital, "V1", 1)).result.admission_id
        await town.upload(hospital, stay, *LINES)
        await town.discharge(hospital, stay)
        settled = await town.commit(hospital, stay, *LINES)
        await hospital.post(settled.message_id, settled.sent)
        told = (await page(town, "/metrics")).text.splitlines()
    fund_fen = float(settled.result.split.fund_fen)
    assert fund_fen > 0
    for line in (
        'gw_settlements_total{result="SETTLED"} 1.0',
        'gw_requests_total{code="OK",op="settlement.commit"} 2.0',
        f"gw_settled_fen_total {fund_fen}",
        'gw_duplicates_total{content="same"} 1.0',
        'gw_health_check{check="commit"} 0.0',
        "gw_held_bills 0.0",
    ):
        assert line in told, line


async def test_metrics_count_what_was_not_believed_and_make_no_label_of_it(tmp_path: Path) -> None:
    async with world(tmp_path) as town:
        hospital = await town.hospital("H001")
        sealed = hospital.sealed("person.read", ReadPerson(person=CANARY), "X-1")
        url = f"{hospital.url}/api/v1/messages"
        async with httpx.AsyncClient(verify=hospital.tls, trust_env=False) as http:
            await http.post(url, content=sealed.replace(b"X-1", b"X-2"))
        told = (await page(town, "/metrics")).text
    assert 'gw_signature_failures_total{reason="SIGNATURE_INVALID"} 1.0' in told
    assert "X-2" not in told
    assert "H001" not in told


# --- a process of its own -------------------------------------------------------------------------


def registration(serial: int) -> RegisterAdmission:
    return RegisterAdmission(
        visit_no=f"V{serial}",
        person=CANARY,
        treatment=TreatmentKind.INPATIENT,
        admitted_at=datetime(2026, 3, 1, 7, tzinfo=UTC),
        department="骨科",
        doctor="虚构医师",
        diagnoses=(Diagnosis("S82.100x001", "胫骨近端骨折", True),),
    )


def signed(server: Deployed, keys: PartyKeys, command: Any, message_id: str) -> bytes:
    content = server.content("H001", "admission.register", command, message_id)
    return keys.signer().seal(content, "m1")


def test_every_log_line_is_json_and_names_no_person(tmp_path: Path) -> None:
    with deployed(tmp_path) as server:
        keys = server.hospital("H001")
        reply = server.post(keys.tls(server.ca), signed(server, keys, registration(1), "M-1"))
        verify_offline(reply.body, server.ca.read_bytes())
        server.post(keys.tls(server.ca), b"<Message>" + CANARY.id_no.encode())
        server.act("party.add", party="H002", kind="hospital", name=CANARY.id_no)
    lines = server.log.read_text().splitlines()
    assert lines
    for line in lines:
        assert {"at", "level", "logger", "message"} <= json.loads(line).keys()
        for secret in (CANARY.id_no, CANARY.name, CANARY.phone):
            assert secret not in line


def test_after_an_io_error_nothing_is_acknowledged_and_the_process_ends(tmp_path: Path) -> None:
    """The kernel refuses every write beyond the size the files have: the next commit fails."""
    with deployed(tmp_path) as server:
        keys = server.hospital("H001")
        tls, message = keys.tls(server.ca), signed(server, keys, registration(1), "M-1")
        first = server.post(tls, message)
        assert first.status == 200
        path = server.settings.database_path
        size = path.with_name(path.name + "-wal").stat().st_size
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (size, size))
        failed = server.post(tls, signed(server, keys, registration(2), "M-2"))
        code = server.process.wait(30)
    with deployed(tmp_path) as again:
        resent = again.post(tls, message)
        late = again.post(tls, signed(again, keys, registration(2), "M-2"))
    assert (failed.status, failed.kind) == (500, "application/problem+json")
    assert code is not None
    assert resent.body == first.body
    assert late.status in {200, 422}
    assert b"<InReplyTo>M-2</InReplyTo>" in late.body


@pytest.mark.parametrize("path", ["/", "/api/v1/messages", "/acts", "/docs"])
async def test_the_operations_listener_has_nothing_else(tmp_path: Path, path: str) -> None:
    async with world(tmp_path) as town:
        assert (await page(town, path)).status_code == 404
