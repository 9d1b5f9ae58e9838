"""What the canaries go through: each is reported, treated, billed and settled, and each of its
messages also comes damaged, so that the gateway has every reason to complain about it."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import httpx
from sqlalchemy import select

from gateway.domain.application import Wanted
from gateway.domain.case import ApprovalKind, CaseState
from gateway.domain.commands import ApplyApproval, Identity, QueryCase, ReadPerson
from gateway.flows.release_held import release_all
from gateway.logs import JsonLine
from gateway.store.tables import metadata
from gateway.store.tables import person as persons
from gateway.store.unit import Insert, StoreFailed, Unit
from gateway.web.hospital import hospital_app
from gateway.web.messages import PATH
from tests.flows.office import DAY, LINES, Office
from tests.world import DIAGNOSIS

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_BIRTHS = 20_000  # days from which a made-up birth date is drawn, up to 2004


def canaries(count: int, seed: int) -> tuple[Identity, ...]:
    """Made-up people of a region that does not exist, different ones for each seed."""
    chance, numbers = Random(seed), dict[str, None]()  # noqa: S311 - nobody, no secret
    while len(numbers) < count:
        born = DAY.replace(year=1950) + timedelta(days=chance.randrange(_BIRTHS))
        body = f"999900{born:%Y%m%d}{chance.randrange(1000):03d}"
        weighed = sum(int(digit) * by for digit, by in zip(body, _WEIGHTS, strict=True))
        numbers[body + "10X98765432"[weighed % 11]] = None
    return tuple(
        Identity(
            id_no=number,
            name=f"虚构{serial:05d}",
            card_no=f"Z{serial:08d}",
            phone=f"139{serial:08d}",
        )
        for serial, number in enumerate(numbers)
    )


async def tell(office: Office, people: Sequence[Identity], errors: Path) -> None:
    """The story of everybody; what the gateway complained about goes into the file."""
    transport = httpx.ASGITransport(app=hospital_app(office.desk), raise_app_exceptions=False)
    http = httpx.AsyncClient(transport=transport, base_url="https://gateway")
    with errors.open("wb") as complaints:
        for serial, one in enumerate(people):
            await _settled(office, f"C{serial}", one)
            await _asked_about(office, one)
            for complaint in await _complained(office, http, one):
                complaints.write(complaint + b"\n")
    await release_all(office.desk)


async def _settled(office: Office, case_no: str, one: Identity) -> None:
    """Held at first, and released by the decision."""
    await office.report(case_no, 0, person=one, reported_by=one.name)
    stay = await office.billed("H001", f"V-{case_no}", 0, person=one)
    heard = await office.commit("H001", stay, *LINES)
    assert heard.result.bill_state == "HELD"
    await office.decide(case_no, CaseState.RECOGNISED, reason=f"{one.name} {one.id_no}")


async def _asked_about(office: Office, one: Identity) -> None:
    stranger = Identity(id_no=one.id_no, name="无此人")
    wanted = Wanted(
        kind=ApprovalKind.RELAPSE,
        wanted_from=DAY,
        wanted_to=DAY,
        opinion=one.id_no,
        diagnoses=(DIAGNOSIS,),
    )
    await office.say("H001", "person.read", ReadPerson(person=one))
    await office.say("H002", "case.query", QueryCase(person=stranger))
    await office.register("H002", f"V-{one.id_no[-4:]}", 0, person=stranger, doctor=one.name)
    await office.say("H001", "approval.apply", ApplyApproval(person=one, wanted=wanted))


async def _complained(office: Office, http: httpx.AsyncClient, one: Identity) -> list[bytes]:
    """Everything that is said without a signature about messages that name the person."""
    request = await office.request("H001", "person.read", ReadPerson(person=one))
    number = one.id_no.encode()
    damaged = [
        request.raw,
        request.raw.replace(number, number + b"\0"),
        request.raw + number,
        request.raw.replace(b"<Header>", b"<Header><" + b"N" + number + b"/>"),
        number * 100,
    ]
    asked = [(PATH, raw) for raw in damaged] + [(f"/{one.id_no}", request.raw)]
    answers = [await http.post(path, content=raw, params={"id": one.id_no}) for path, raw in asked]
    return [*(one.content for one in answers), await _broken(office, one)]


async def _broken(office: Office, one: Identity) -> bytes:
    """What a transaction that the store refuses says of the values it was given."""
    row: dict[str, Any] = {"person_id": "P-BROKEN", "version": None, "card_lost": 0}
    row |= {"id_no": one.id_no, "name": one.name, "card_no": None, "phone": None}
    unit = Unit("T-BROKEN", DAY.year, writes=(Insert(persons, [row]),))
    try:
        await office.desk.database.commit(unit)
    except StoreFailed as failure:
        return f"{failure!r} {failure.__cause__!r}".encode()
    raise AssertionError("a row without its version was kept")


@contextmanager
def logged(path: Path) -> Iterator[None]:
    """Everything that is logged goes into the file as production writes it."""
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(JsonLine())
    root = logging.getLogger()
    before, root.level = root.level, logging.INFO
    root.addHandler(handler)
    try:
        yield
    finally:
        root.removeHandler(handler)
        root.setLevel(before)
        handler.close()


async def whole_tables(office: Office, path: Path) -> int:
    """Every value of every table, as whoever may ask the store gets it; how many rows."""
    rows = 0
    with path.open("wb") as out:
        for table in metadata.sorted_tables:
            for row in await office.rows(select(table)):
                rows += 1
                out.write(b"\n".join(_bytes(value) for value in row.values()) + b"\n\n")
    return rows


def _bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()
