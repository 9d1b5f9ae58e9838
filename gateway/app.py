"""The composition root: everything is put together here, and here the signals are owned."""

import asyncio
import gc
import logging
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Final

from adapters.agency_xml import AgencyXml
from adapters.catalog_file.read import BadCatalogue, read_catalogue
from adapters.catalog_file.write import counts_table, edition_bytes, edition_from_bytes
from adapters.hospital_xml import HospitalXml
from gateway import health
from gateway.clock import SystemClock, machine_now
from gateway.evidence.head_file import HeadFile
from gateway.evidence.note import NoteSigner, Verifier
from gateway.flows.administer import keep_policy
from gateway.flows.desk import Desk, EditionShelf
from gateway.flows.dispatch import COMMANDS
from gateway.flows.log import Log
from gateway.flows.open_log import open_first
from gateway.flows.search_limit import SearchLimit
from gateway.health import Health
from gateway.metrics import Metrics
from gateway.policy.load import load
from gateway.seal.authority import fingerprint
from gateway.seal.deployment import Deployment
from gateway.seal.sign import Signer
from gateway.settings import Settings
from gateway.store import health as store_health
from gateway.store import migrate
from gateway.store.calendar import Calendar
from gateway.store.database import Database
from gateway.store.opening import database_of, need_region
from gateway.store.personal import KeyRing, Vault
from gateway.store.sqlite import ProcessLock
from gateway.store.unit import Stopped
from gateway.tasks import Night, Tasks
from gateway.web.admin import Imported, Office, admin_app
from gateway.web.agency import agency_app
from gateway.web.hospital import hospital_app
from gateway.web.limits import Allowance, Limits
from gateway.web.mtls import Listener, make_server, serve, stop, tls_context
from gateway.web.ops import ops_app

_LOOK_AGAIN_S: Final = 0.01
_log = logging.getLogger(__name__)
_NEW_OBJECTS: Final = 50_000
"""So many, a few messages' worth, before the collector looks for circles among them."""
_shipped = cache(load)
"""The policy of a region, from the program's own files, which do not change while it runs."""


class Role(StrEnum):
    """What one process does (architecture §4); on SQLite one process does all."""

    ALL = "all"
    HOSPITAL = "hospital"
    AGENCY = "agency"
    DELIVERY = "delivery"

    def plays(self, part: "Role") -> bool:
        return self in (Role.ALL, part)


class NotSplit(Exception):
    """SQLite takes one process: its roles cannot be split."""


@dataclass(frozen=True, slots=True)
class _Sealer:
    """The gateway's signing key as the core sees it."""

    signer: Signer

    def seal(self, content: bytes) -> bytes:
        return self.signer.seal(content, "m1")


@dataclass(frozen=True, slots=True)
class Gateway:
    """One running deployment without its listeners."""

    settings: Settings
    desk: Desk
    office: Office
    deployment: Deployment
    metrics: Metrics
    clock: SystemClock
    night: Night = field(default_factory=Night)


def socket_path(settings: Settings) -> Path:
    """Where the operator's socket of a running server is."""
    return settings.data_dir / "admin.sock"


@asynccontextmanager
async def opened(settings: Settings, clock: SystemClock | None = None) -> AsyncIterator[Gateway]:
    """The store migrated and open, keys and certificates there, policy loaded and kept.

    Raises AlreadyRunning when another process holds the data directory, OtherSchema, and
    OtherRegion before anything is written.
    """
    async with _alone(settings):
        await _at_head(settings)
        async with _working(settings, clock or _clock(settings)) as gateway:
            await open_first(gateway.desk)
            await _log_seen(gateway.desk)
            reached = await _policy_kept(gateway.desk)
            if reached:
                _log.warning("a new policy: %s", reached)
            yield gateway


@asynccontextmanager
async def attended(settings: Settings) -> AsyncIterator[Gateway]:
    """The store as it is, for an act that shows what is in it: nothing is migrated and no policy
    comes into force; what the act keeps of itself is all that is written. Raises as `opened`."""
    async with _alone(settings):
        await _need_served(settings)
        async with _working(settings, _clock(settings)) as gateway:
            await _log_seen(gateway.desk)
            yield gateway


@asynccontextmanager
async def _alone(settings: Settings) -> AsyncIterator[None]:
    """The data directory for this process alone, and its store of the region that is set."""
    await need_region(settings)
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = ProcessLock(settings.data_dir / "lock")
    lock.take()
    try:
        yield
    finally:
        lock.release()


@asynccontextmanager
async def _working(settings: Settings, clock: SystemClock) -> AsyncIterator[Gateway]:
    deployment = Deployment(settings.keys_dir, settings.trust_dir)
    nows = (clock.now(), machine_now())
    deployment.make(settings.gateway_id, settings.server_names, nows)
    vault = Vault(KeyRing(settings.keys_dir, settings.region))
    async with database_of(settings, vault) as database:
        yield _composed(settings, clock, deployment, database)


async def _log_seen(desk: Desk) -> None:
    await desk.log.compare_file()
    await desk.log.look()


async def _policy_kept(desk: Desk) -> str:
    """What a new policy reaches; while commits stand still it is kept at a later start."""
    try:
        return await keep_policy(desk)
    except Stopped:
        return ""


async def _at_head(settings: Settings) -> None:
    """The embedded store is brought to the head; PostgreSQL, which others may be using, must be
    there already, or one step ahead. Raises OtherSchema."""
    if settings.database_url:
        await _need_served(settings)
    else:
        migrate.migrate(settings.database_path)


async def _need_served(settings: Settings) -> None:
    """Raises OtherSchema for a schema that this program does not work with."""
    async with store_health.inspecting(settings) as reader:
        found = await store_health.revision(reader)
    if found not in migrate.served():
        raise migrate.OtherSchema(found or "-")


def _clock(settings: Settings) -> SystemClock:
    if settings.business_start is None:
        return SystemClock()
    return SystemClock.starting_at(settings.business_start)


def _composed(
    settings: Settings, clock: SystemClock, deployment: Deployment, database: Database
) -> Gateway:
    signer = deployment.message_signer()
    metrics = Metrics(COMMANDS)
    desk = Desk(
        region=settings.region,
        gateway_id=settings.gateway_id,
        receiver=settings.receiver,
        agency_id=settings.agency_id,
        database=database,
        clock=clock,
        policy=_shipped(settings.region),
        sealer=_Sealer(signer),
        signer_fingerprint=fingerprint(signer.certificate),
        hospital_codec=HospitalXml(),
        agency_codec=AgencyXml(),
        meter=metrics,
        shelf=EditionShelf(settings.region, edition_from_bytes),
        log=Log(
            database=database,
            clock=clock,
            signer=NoteSigner(settings.receiver, deployment.log_key()),
            file=HeadFile(settings.log_head_file),
            witness=Verifier.read(settings.witness_key) if settings.witness_key else None,
        ),
        searches=SearchLimit(settings.person_searches_per_hour),
    )
    virtual = clock if settings.business_start is not None else None
    kept = settings.records_kept_years
    office = Office(desk, deployment, _read_catalogue, edition_bytes, virtual, kept)
    return Gateway(settings, desk, office, deployment, metrics, clock)


def _read_catalogue(path: Path, valid_from: date, valid_to: date | None, region: str) -> Imported:
    """The catalogue files as editions. Raises ValueError with every fault, one a line."""
    try:
        found = read_catalogue(path, valid_from, valid_to, region)
    except BadCatalogue as bad:
        raise ValueError("\n".join(str(fault) for fault in bad.faults)) from None
    return Imported(found.editions, counts_table(found.counts))


async def run(settings: Settings, role: Role = Role.ALL) -> None:
    """Serve until SIGTERM or SIGINT: stop accepting, finish requests, stop delivery, close
    the writer last. Raises NotSplit, and what `opened` raises."""
    if role is not Role.ALL and not settings.database_url:
        raise NotSplit(role.value)
    async with opened(settings) as gateway:
        listeners = make_listeners(gateway, role)
        _collect_seldom()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop, list(listeners.values()))
        await serve_all(gateway, listeners, role)


def _collect_seldom() -> None:
    """What was loaded stays for good: the collector need not look at it. What messages leave
    goes by itself but for a few circles, so it need not look often either."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS)


def _night(night: Night) -> tuple[Callable[[], int | None], Callable[[], bool]]:
    return lambda: night.breaches, lambda: night.unfinished


def make_listeners(gateway: Gateway, role: Role = Role.ALL) -> dict[str, Listener]:
    """The role's listeners, and those of ops and operator, bound and not yet serving."""
    settings = gateway.settings
    ops = ops_app(_health(gateway), gateway.metrics, gateway.clock)
    own = {
        "ops": make_server(ops, "127.0.0.1", settings.ops_port, None),
        "admin": make_server(admin_app(gateway.office), "", 0, None, uds=socket_path(settings)),
    }
    if role.plays(Role.AGENCY):
        own = {"agency": _agency(gateway), **own}
    if role.plays(Role.HOSPITAL):
        own = {"hospital": _hospital(gateway), **own}
    return own


def _hospital(gateway: Gateway) -> Listener:
    settings, made = gateway.settings, gateway.deployment
    tls = tls_context(made.server, made.server_key, made.ca, required=True)
    served = Limits(hospital_app(gateway.desk), _allowance(settings))
    return make_server(served, settings.host, settings.hospital_port, tls.context)


def _agency(gateway: Gateway) -> Listener:
    settings, made = gateway.settings, gateway.deployment
    tls = tls_context(made.server, made.server_key, made.ca, required=False)
    served = Limits(agency_app(gateway.desk), _allowance(settings))
    return make_server(served, settings.host, settings.agency_port, tls.context)


def _allowance(settings: Settings) -> Allowance:
    return Allowance(
        settings.body_limit_bytes,
        settings.concurrency_per_party,
        settings.requests_per_second_per_party,
        settings.requests_at_once,
    )


async def serve_all(
    gateway: Gateway, listeners: dict[str, Listener], role: Role = Role.ALL
) -> None:
    """Serve, and deliver when it is the role's part, until the listeners stop."""
    tasks = Tasks(gateway.settings, gateway.desk, gateway.deployment, gateway.clock, gateway.night)
    watching = [
        asyncio.create_task(_announce(gateway.settings, listeners)),
        asyncio.create_task(_halt_when_broken(gateway, listeners)),
    ]
    if role.plays(Role.DELIVERY):
        watching.append(asyncio.create_task(tasks.listen()))
        working = [asyncio.create_task(part()) for part in tasks.of_delivery]
    else:
        working = [asyncio.create_task(tasks.look_at_log())]
    try:
        await serve(list(listeners.values()))
    finally:
        tasks.ended.set()
        for task in watching:
            task.cancel()
        await asyncio.gather(*watching, *working, return_exceptions=True)


async def _announce(settings: Settings, listeners: dict[str, Listener]) -> None:
    """The ports, once every listener accepts, for whoever started us with port 0."""
    while not all(listener.started for listener in listeners.values()):
        await asyncio.sleep(_LOOK_AGAIN_S)
    named = {name: server.port for name, server in listeners.items() if name != "admin"}
    lines = "".join(f"{name} {port}\n" for name, port in named.items())
    (settings.data_dir / "ports").write_text(lines)
    _log.info("listening", extra=named)


async def _halt_when_broken(gateway: Gateway, listeners: dict[str, Listener]) -> None:
    """After an I/O error of the store nothing may be acknowledged: stop the process."""
    await gateway.desk.database.broken.wait()
    _log.critical("the store failed: stopping")
    stop(list(listeners.values()))


def _health(gateway: Gateway) -> Health:
    """Everything `/readyz` asks, by real probes."""
    settings, desk, clock = gateway.settings, gateway.desk, gateway.clock
    database = desk.database

    async def commit() -> None:
        await store_health.probe_commit(database, desk.now_us, desk.today.year)

    async def lanes() -> tuple[store_health.Lane, ...]:
        async with database.reading() as reader:
            return await store_health.lanes(reader)

    async def held() -> store_health.Held:
        async with database.reading() as reader:
            return await store_health.held(reader)

    async def revision() -> str | None:
        async with database.reading() as reader:
            return await store_health.revision(reader)

    def log() -> health.LogFact:
        return health.LogFact(database.stopped, desk.log.waits, desk.log.uncosigned)

    return Health(
        [
            ("log", health.log_probe(log)),
            ("commit", health.commit_probe(commit)),
            ("migrations", health.migrations_probe(revision, migrate.served())),
            ("disk", health.disk_probe(settings.data_dir, settings.min_free_disk_bytes)),
            ("certificates", health.certificates_probe(health.certificate_files(settings), clock)),
            ("lanes", health.lanes_probe(lanes, clock)),
            ("held", health.held_probe(held, clock)),
            ("calendar", health.calendar_probe(Calendar(), clock)),
            ("invariants", health.invariants_probe(*_night(gateway.night))),
            ("law", health.law_probe(desk.policy.parameters.values(), clock)),
        ]
    )
