"""kill -9 of a whole gateway at random, with requests in flight over mutual TLS: restarted, sent
the same bytes again, asked everything.

Every twelfth is started as an operator starts it, on the store as the kill before left it, and
timed until it is ready; the others are forked by the nursery, for the start of an interpreter is
not what is tried.
"""

import asyncio
import os
import shutil
import subprocess
import sys
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from statistics import quantiles
from tempfile import TemporaryDirectory
from typing import Any, Final, cast

from adapters.catalog_file import sample_path
from adapters.sandbox.keys import PartyKeys
from gateway.clock import elapsed_s
from gateway.settings import Settings
from gateway.store.invariants import Violation
from gateway.store.personal import KeyRing, Vault
from tests.e2e.deployed import PORTS, Deployed, deployed, ports_of
from tests.e2e.test_kill import agency_keys, client, recognise
from tests.fault.call import Call
from tests.fault.figures import Progress
from tests.fault.nursery import Child
from tests.fault.story import Heard
from tests.fault.verdict import REGION, counted, examined, told
from tests.fault.visits import Lane

KILLS: Final = 1000
ACKNOWLEDGEMENTS: Final = 100_000
CONTROLS: Final = ("acknowledge-before-commit",)
LANES: Final = 6
PEOPLE: Final = 48
_AGAIN: Final = 2
_KILLS_OF_A_STORE: Final = 25
_TIMED: Final = 12  # never the first of a store, which no kill has left
_LONGEST_S: Final = 3.0
_PLENTY: Final = "100000"


@dataclass(slots=True)
class Site:
    """A deployment that is killed over and over: its data, its hospital, what that has heard."""

    call: Call
    home: Path
    random: Random
    lanes: list[Lane] = field(default_factory=lambda: [_lane(number) for number in range(LANES)])
    fault: str = ""

    @property
    def data(self) -> Path:
        return self.home / "data"

    @property
    def heard(self) -> Heard:
        return {key: reply for lane in self.lanes for key, reply in lane.heard.items()}

    @property
    def refused(self) -> list[str]:
        """What was refused, although nothing that a lane says is wrong."""
        return [refusal for lane in self.lanes for refusal in lane.refused]

    def started(self, *, timed: bool) -> Deployed:
        """A gateway that accepts; forked, or begun from nothing."""
        environment = {
            "GATEWAY_DATA_DIR": str(self.data),
            "GATEWAY_ENVIRONMENT": "test",
            "GATEWAY_REQUESTS_PER_SECOND_PER_PARTY": _PLENTY,
            **{f"GATEWAY_{name.upper()}_PORT": "0" for name in PORTS["all"]},
        }
        (self.data / "ports").unlink(missing_ok=True)
        log = self.home / "log"
        process: Any = _operated(environment, log) if timed else self._forked(environment, log)
        ports = ports_of(self.data, PORTS["all"], process, log)
        settings = Settings(data_dir=self.data, environment="test")
        return Deployed(settings, cast(Any, process), ports, log)

    def _forked(self, environment: dict[str, str], log: Path) -> Child:
        given = {"environment": environment, "fault": self.fault}
        return self.call.nursery.born("tests.fault.worker:serve", log, **given)


def _lane(number: int) -> Lane:
    """Two lanes each share their people: what one says may be out of date when it arrives."""
    pair, each = number // 2, PEOPLE * 2 // LANES
    return Lane(f"L{number}", range(pair * each + 1, (pair + 1) * each + 1))


def _operated(environment: dict[str, str], log: Path) -> "subprocess.Popen[bytes]":
    with log.open("ab") as stderr:
        return subprocess.Popen(
            [sys.executable, "-m", "gateway", "serve"],
            env=os.environ | environment,
            stderr=stderr,
        )


async def prepared(folder: Path) -> Path:
    """A deployment with a hospital, the agency, the catalogue and a recognised case."""
    with deployed(folder) as gateway:
        gateway.hospital("H001")
        gateway.act("catalog.import", path=str(sample_path()), valid_from="2025-01-01")
        await recognise(gateway, agency_keys(gateway), PEOPLE)
    return folder


def site(call: Call, fault: str = "", seed: int = 0) -> Site:
    """A deployment of its own."""
    template = call.folder / "deployed"
    if not template.exists():
        asyncio.run(prepared(template))
    home = call.folder / f"site-{seed}-{fault}"
    shutil.copytree(template, home, ignore=shutil.ignore_patterns("*.sock"))
    return Site(call, home, Random(seed), fault=fault)  # noqa: S311


async def killed(one: Site, longest_s: float, *, timed: bool = False) -> Counter[str]:
    """One life: the same bytes again, new messages, and death at any moment; then everything is
    asked of what is left."""
    before, refused, started = len(one.heard), len(one.refused), elapsed_s()
    gateway = one.started(timed=timed)
    found = Counter[str]()
    if timed:
        one.call.progress.samples.append(round(elapsed_s(started), 3))
    keys = PartyKeys("H001", one.home / "H001")
    async with AsyncExitStack() as stack:
        lines = [
            (lane, await stack.enter_async_context(client(gateway, keys, "hospital")))
            for lane in one.lanes
        ]
        others = await asyncio.gather(*(lane.again(line, _AGAIN) for lane, line in lines))
        talks = [asyncio.create_task(lane.talk(line)) for lane, line in lines]
        await asyncio.sleep(one.random.uniform(0.0, longest_s))
        gateway.process.kill()
        await asyncio.gather(*talks)
    gateway.process.poll()
    refusals = len(one.refused) - refused
    found["other_breaches"] += refusals + sum(len(other) for other in others)
    found += counted(await _asked(one))
    return +found + Counter(random_kills=1, acknowledged=len(one.heard) - before - refusals)


async def _asked(one: Site) -> tuple[Violation, ...]:
    """What a copy says: whoever opens the store recovers it, and that is the next start's work."""
    vault = Vault(KeyRing(one.data / "keys", REGION))
    with TemporaryDirectory(dir=one.home) as folder:
        for name in ("gateway.db", "gateway.db-wal"):
            if (one.data / name).exists():
                shutil.copy(one.data / name, folder)
        return await examined(Path(folder) / "gateway.db", vault, one.heard)


def caught(call: Call, fault: str) -> bool:
    """Whether a gateway with this fault loses, killed at random, what it acknowledged."""
    one = site(call, fault)
    lives = (asyncio.run(killed(one, _LONGEST_S)) for _ in range(10))
    return any(life["acknowledged_lost"] for life in lives)


def run(call: Call) -> None:
    """Kill until there were enough kills and enough was acknowledged."""
    while _wanted(call):
        seed = call.seed + call.counts["random_kills"]
        one = site(call, seed=seed)
        for number in range(_KILLS_OF_A_STORE):
            found = asyncio.run(killed(one, _LONGEST_S, timed=number % _TIMED == _TIMED - 1))
            call.count(told(found, f"seed {seed} at kill {number}"))
        call.forget(one.home)


def _wanted(call: Call) -> bool:
    kills = call.goes_on("random_kills", KILLS)
    return kills or call.goes_on("acknowledged", ACKNOWLEDGEMENTS)


def whole(counts: Counter[str]) -> bool:
    """Whether there were enough kills and acknowledgements."""
    return counts["random_kills"] >= KILLS and counts["acknowledged"] >= ACKNOWLEDGEMENTS


def figures(progress: Progress) -> dict[str, float]:
    """How long from the start of the process until every listener accepts, 95 of 100 times."""
    if len(progress.samples) < 2:
        return {}
    return {"restart_to_ready_p95_s": quantiles(progress.samples, n=20)[-1]}
