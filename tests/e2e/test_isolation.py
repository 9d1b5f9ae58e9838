"""Hospital isolation, generated: every command, every route, every state of a carrier's mandate.

Two hospitals never meet: whatever one names of the other's is as unknown as nothing at all. A
command, a listener or a route that comes without a row here fails.
"""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field, fields, replace
from datetime import timedelta
from itertools import count, product
from socket import AF_UNIX
from typing import Any, Final

import httpx
import pytest
import pytest_asyncio
from starlette.routing import Route as Plain

from adapters.agency_xml import DIALECT as AGENCY_DIALECT
from adapters.agency_xml import AgencyXml
from adapters.sandbox.client import Answer, Client, Unknown
from adapters.sandbox.keys import PartyKeys
from adapters.shape.examples import sample
from gateway.app import socket_path
from gateway.domain.codes import Outcome
from gateway.domain.commands import (
    PullInbox,
    QueryApprovals,
    QueryFees,
    QueryMappings,
    QueryTransaction,
    ReadPerson,
    ReverseTransaction,
)
from gateway.flows import dispatch
from tests.e2e.isolation import (
    CASES,
    COMMANDS,
    DAY,
    LINES,
    A,
    B,
    Objects,
    Town,
    mapped,
    told,
    town,
    unchanged,
)
from tests.store.conftest import migrated_url
from tests.world import World, person

__all__ = ["migrated_url", "town"]
pytestmark = pytest.mark.asyncio(loop_scope="module")

AGENCY_COMMANDS: Final = sorted(e.command for e in AGENCY_DIALECT.exchanges if not e.notice)

_numbers: Final = count(900_000)


def new_id() -> str:
    """An id of B's that no other client of the test makes."""
    return f"{B}-{next(_numbers):06d}"


# --- every command, over a hospital's own connection and over its carrier's -----------------------


async def test_every_command_there_is_has_a_case() -> None:
    assert sorted(CASES) == COMMANDS
    assert sorted({*COMMANDS, *AGENCY_COMMANDS}) == sorted(dispatch.COMMANDS)


@pytest.mark.parametrize("by_carrier", [False, True], ids=["own", "carrier"])
@pytest.mark.parametrize("name", COMMANDS)
async def test_anothers_things_are_answered_as_if_they_were_not(
    town: Town, carriers: "Carriers", name: str, by_carrier: bool
) -> None:
    client = carriers.client(B, "in force", name) if by_carrier else town.b
    async with unchanged(town):
        real = await client.send(name, CASES[name](town.theirs), new_id())
        ghost = await client.send(name, CASES[name](town.nobodys), new_id())
    assert (real.status, real.outcome, real.code) == (ghost.status, ghost.outcome, ghost.code)
    assert told(real, town.theirs) == told(ghost, town.nobodys)


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


# --- every command, over a connection that may not carry it ---------------------------------------

OTHER: Final = {True: "inbox.pull", False: "person.read"}
"""A mandate for another command than the one sent (True: than person.read)."""
STATES: Final = ("none", "other hospital", "other command", "expired", "not yet", "revoked")


@dataclass(frozen=True)
class Carriers:
    """A carrier for each state of a mandate, for either hospital."""

    town: Town
    hospitals: dict[str, PartyKeys]
    keys: dict[tuple[str, str], PartyKeys]
    clients: dict[tuple[str, str], Client] = field(default_factory=dict)

    def client(self, hospital: str, state: str, command: str) -> Client:
        """Signs as the hospital and connects as the carrier whose mandate is in this state."""
        if state == "other command":
            state = f"only {OTHER[command == 'person.read']}"
        one = hospital, state
        if one not in self.clients:
            self.clients[one] = self.town.world.client(self.hospitals[hospital], self.keys[one])
        return self.clients[one]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def carriers(town: Town) -> AsyncIterator[Carriers]:
    """Every carrier with its mandate as it stands on the town's day."""
    found = Carriers(town, {name: hospital_keys(town, name) for name in (A, B)}, {})
    for hospital, other in ((A, B), (B, A)):
        for state, mandate in _mandates(hospital, other).items():
            carrier = f"CAR-{hospital}-{state.replace(' ', '-')}"
            found.keys[hospital, state] = await town.world.enrol("carrier", carrier)
            await _given(town.world, carrier, **mandate)
    yield found


def hospital_keys(town: Town, hospital: str) -> PartyKeys:
    return PartyKeys(hospital, town.world.folder / hospital)


def _mandates(hospital: str, other: str) -> dict[str, dict[str, Any]]:
    """What each carrier is given, by the state it is then in; the town's day is the day after
    DAY."""
    today = DAY + timedelta(days=1)
    return {
        "in force": {"hospital": hospital},
        "none": {},
        "other hospital": {"hospital": other},
        **{f"only {one}": {"hospital": hospital, "commands": [one]} for one in OTHER.values()},
        "expired": {"hospital": hospital, "valid_to": DAY},
        "not yet": {"hospital": hospital, "valid_from": today + timedelta(days=1)},
        "revoked": {"hospital": hospital, "revoked": True},
    }


async def _given(made: World, carrier: str, **mandate: Any) -> None:
    if not mandate:
        return
    revoked = mandate.pop("revoked", False)
    days = {"valid_from": DAY, "valid_to": DAY + timedelta(days=30)} | mandate
    days = {name: str(day) if name.startswith("valid") else day for name, day in days.items()}
    await made.act("mandate.add", carrier=carrier, **({"commands": ["*"]} | days))
    if revoked:
        await made.act("mandate.revoke", carrier=carrier, hospital=mandate["hospital"])


@pytest.mark.parametrize("name", COMMANDS)
async def test_without_a_mandate_a_carrier_learns_and_changes_nothing(
    town: Town, carriers: Carriers, name: str
) -> None:
    """Neither with B's own message about A's things nor with bytes that A signed."""
    answers = set()
    async with unchanged(town):
        for state, hospital, named in product(STATES, (A, B), (town.theirs, town.nobodys)):
            client = carriers.client(hospital, state, name)
            answers.add(await refused(client, name, CASES[name](named)))
    [(status, body)] = answers
    assert (status, b"NOT_MANDATED" in body) == (403, True)


async def refused(client: Client, name: str, command: Any) -> tuple[int, bytes]:
    """The exact unsigned answer to a command that must not be believed."""
    with pytest.raises(Unknown) as unknown:
        await client.send(name, command)
    return unknown.value.status, unknown.value.body


# --- the agency's commands, and the agency's listener ---------------------------------------------


def of_agency(name: str, named: Objects) -> Any:
    """The agency's command about somebody's things."""
    command = sample(AGENCY_DIALECT.by_command[name].request)
    known = {one.name: getattr(named, one.name, None) for one in fields(command)}
    return replace(command, **{name: value for name, value in known.items() if value is not None})


@pytest.mark.parametrize("name", AGENCY_COMMANDS)
async def test_a_hospital_commands_nothing_as_the_agency(town: Town, name: str) -> None:
    client = town.world.client(hospital_keys(town, B), listener="agency")
    async with unchanged(town):
        answers = {
            await refused(client, name, of_agency(name, named))
            for named in (town.theirs, town.nobodys)
        }
    [(status, body)] = answers
    assert (status, b"KEY_UNKNOWN" in body) == (401, True)


@pytest.mark.parametrize("name", sorted({*AGENCY_COMMANDS} - {*COMMANDS}))
async def test_the_agencys_commands_are_none_at_the_hospitals_listener(
    town: Town, name: str
) -> None:
    client = town.world.client(hospital_keys(town, B))
    client.codec = AgencyXml()
    async with unchanged(town):
        for named in (town.theirs, town.nobodys):
            answer = await client.send(name, of_agency(name, named), new_id())
            assert (answer.outcome, answer.code) == (Outcome.NOT_PROCESSED, "COMMAND_UNKNOWN")


# --- every route ----------------------------------------------------------------------------------

Route = tuple[str, str, str]
MESSAGES: Final = "/api/v1/messages"
ROUTES: Final[dict[Route, str]] = {
    ("hospital", "POST", MESSAGES): "by command",
    ("agency", "POST", MESSAGES): "by command",
    ("ops", "GET", "/livez"): "loopback",
    ("ops", "GET", "/readyz"): "loopback",
    ("ops", "GET", "/metrics"): "loopback",
    ("admin", "POST", "/acts"): "owner of the process",
    ("agency", "GET", "/api/v1/log/checkpoint"): "agency's certificate",
    ("agency", "POST", "/api/v1/log/cosignatures"): "agency's certificate",
}
"""Every route without a parameter, and what keeps hospitals out of it."""
NAMED: Final = {"sender": A, "messageid": "A-COMMIT-1", "hospital": A}
"""What a parameter of a path is filled with that it may name a thing of A's, by its name in
lower-case letters. A route with another parameter needs a row here."""


def routes(made: World) -> Iterator[Route]:
    """Every route of every listener, from the applications themselves."""
    for name, listener in made.listeners.items():
        app = listener.config.app
        inner: Any = getattr(app, "_app", app)
        for route in inner.routes:
            assert isinstance(route, Plain), f"{name} has a {type(route).__name__}"
            yield from ((name, method, route.path) for method in route.methods)


def parameters(path: str) -> list[str]:
    """The names of a path's parameters as they are looked up in NAMED."""
    return [part[1:-1] for part in path.split("/") if part.startswith("{")]


def plain(name: str) -> str:
    return name.replace("_", "").lower()


def filled(path: str, *, real: bool) -> str:
    """The path with A's things for its parameters, or with what never was."""
    for name in parameters(path):
        value = NAMED[plain(name)] if real else "NEVER-1"
        path = path.replace(f"{{{name}}}", value)
    return path


async def test_every_route_there_is_has_a_row(town: Town) -> None:
    found = set(routes(town.world))
    assert {one for one in found if not parameters(one[2])} == set(ROUTES)
    named = {plain(name) for _, _, path in found for name in parameters(path)}
    assert named <= set(NAMED)


@pytest.mark.parametrize("listener", ["hospital", "agency"])
async def test_no_route_of_any_listener_tells_b_of_a(town: Town, listener: str) -> None:
    """Every path there is, asked by B in every way at either listener that it can reach."""
    url = f"https://localhost:{town.world.ports[listener]}"
    async with httpx.AsyncClient(verify=town.b.tls, trust_env=False) as client:
        nothing = {m: await asked(client, m, f"{url}/never") for m in ("GET", "POST")}
        for _, _, path in set(routes(town.world)):
            for method in ("GET", "POST"):
                async with unchanged(town):
                    real = await asked(client, method, url + filled(path, real=True))
                    ghost = await asked(client, method, url + filled(path, real=False))
                assert real == ghost, f"{method} {path} tells what is A's"
                if (listener, path) not in {(one[0], one[2]) for one in routes(town.world)}:
                    assert real == nothing[method], f"{path} is at {listener}"


async def asked(client: httpx.AsyncClient, method: str, url: str) -> tuple[int, bytes]:
    """A request without a message in it."""
    answer = await client.request(method, url)
    return answer.status_code, answer.content


async def test_what_is_not_for_hospitals_is_bound_where_they_are_not(town: Town) -> None:
    listeners, settings = town.world.listeners, town.world.gateway.settings
    apart = ("loopback", "owner of the process")
    kept_apart = {name for (name, _, _), why in ROUTES.items() if why in apart}
    assert kept_apart == {"ops", "admin"}
    assert listeners["ops"]._bound.getsockname() == ("127.0.0.1", listeners["ops"].port)
    assert listeners["admin"]._bound.family == AF_UNIX
    assert socket_path(settings).stat().st_mode & 0o777 == 0o600


async def test_the_pages_for_operations_name_nothing_of_a_person(town: Town) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        for _, _, path in (one for one in ROUTES if one[0] == "ops"):
            answer = await client.get(f"http://127.0.0.1:{town.world.ports['ops']}{path}")
            for secret in (*town.theirs.own, person(1).id_no, person(1).name, "VISIT-A-1"):
                assert secret.encode() not in answer.content, f"{path} tells {secret}"
